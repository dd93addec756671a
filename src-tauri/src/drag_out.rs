//! Pictures dragged out of the window, as files.

use std::path::PathBuf;

use tarim_api::{ErrorCode, WireError};
use tauri::{AppHandle, Manager, Window};

use crate::Door;

/// What hangs on the pointer.
const ICON: &[u8] = include_bytes!("../icons/32x32.png");

/// Begins dragging pictures' files. The page calls it while the button is down.
#[tauri::command]
pub(crate) async fn start_drag(app: AppHandle, window: Window, ids: Vec<String>) -> Result<(), WireError> {
    let files = ids
        .iter()
        .map(|id| tarim_api::picture_file(&app.state::<Door>().studio, id))
        .collect::<Result<Vec<_>, _>>()?;
    if files.is_empty() {
        return Ok(());
    }
    let (tell, told) = std::sync::mpsc::channel();
    // The system's drag begins on the window's own thread.
    app.run_on_main_thread(move || {
        // The other end waits, unless the program ends.
        let _ = tell.send(begin(&window, &files));
    })
    .map_err(|error| failed(&error.to_string()))?;
    let begun = tauri::async_runtime::spawn_blocking(move || told.recv()).await;
    match begun {
        Ok(Ok(result)) => result.map_err(|error| failed(&error)),
        _ => Err(failed("the window is closing")),
    }
}

#[cfg(not(target_os = "linux"))]
fn begin(window: &Window, files: &[PathBuf]) -> Result<(), String> {
    let item = drag::DragItem::Files(files.to_vec());
    let image = drag::Image::Raw(ICON.to_vec());
    let options = drag::Options { mode: drag::DragMode::Copy, ..drag::Options::default() };
    let ended = |_: drag::DragResult, _: drag::CursorPosition| {};
    drag::start_drag(window, item, image, ended, options).map_err(|error| error.to_string())
}

/// By GTK itself: the crate that does it elsewhere forgets the files when they are dropped, which is before they are
/// asked for.
#[cfg(target_os = "linux")]
fn begin(window: &Window, files: &[PathBuf]) -> Result<(), String> {
    use std::cell::RefCell;
    use std::rc::Rc;

    use gtk::prelude::*;
    use gtk::{gdk, gdk_pixbuf, glib};

    let addresses: Vec<glib::GString> = files
        .iter()
        .map(|file| glib::filename_to_uri(file, None))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let window = window.gtk_window().map_err(|error| error.to_string())?;
    let targets = gtk::TargetList::new(&[]);
    targets.add_uri_targets(0);
    // They serve this drag alone, and go when it has ended.
    let handlers: Rc<RefCell<Vec<glib::SignalHandlerId>>> = Rc::default();
    let asked = window.connect_drag_data_get(move |_, _, data, _, _| {
        data.set_uris(&addresses.iter().map(glib::GString::as_str).collect::<Vec<_>>());
    });
    let mine = Rc::clone(&handlers);
    let ended = window.connect_drag_end(move |window, _| {
        for handler in mine.borrow_mut().drain(..) {
            window.disconnect(handler);
        }
    });
    handlers.borrow_mut().extend([asked, ended]);
    let button = i32::try_from(gdk::BUTTON_PRIMARY).unwrap_or(1);
    let begun = window.drag_begin_with_coordinates(&targets, gdk::DragAction::COPY, button, None, -1, -1);
    let Some(context) = begun else {
        for handler in handlers.borrow_mut().drain(..) {
            window.disconnect(handler);
        }
        return Err("the system does not begin it".to_owned());
    };
    let loader = gdk_pixbuf::PixbufLoader::new();
    if loader.write(ICON).and_then(|()| loader.close()).is_ok()
        && let Some(icon) = loader.pixbuf()
    {
        context.drag_set_icon_pixbuf(&icon, 0, 0);
    }
    Ok(())
}

fn failed(reason: &str) -> WireError {
    WireError::new(ErrorCode::Internal, format!("the picture cannot be dragged out: {reason}"))
        .hint("show it in the file manager instead")
}

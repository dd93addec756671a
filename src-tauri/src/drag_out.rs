//! Pictures dragged out of the window, as files.

use tarim_api::{ErrorCode, WireError};
use tauri::{AppHandle, Manager, Window};

use crate::Door;

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
    let image = drag::Image::Raw(include_bytes!("../icons/32x32.png").to_vec());
    // The system's drag begins on the window's own thread.
    app.run_on_main_thread(move || {
        // The other end waits, unless the program ends.
        let _ = tell.send(begin(&window, files, image));
    })
    .map_err(|error| failed(&error.to_string()))?;
    let begun = tauri::async_runtime::spawn_blocking(move || told.recv()).await;
    match begun {
        Ok(Ok(result)) => result.map_err(|error| failed(&error)),
        _ => Err(failed("the window is closing")),
    }
}

fn begin(window: &Window, files: Vec<std::path::PathBuf>, image: drag::Image) -> Result<(), String> {
    let item = drag::DragItem::Files(files);
    let options = drag::Options { mode: drag::DragMode::Copy, ..drag::Options::default() };
    let ended = |_: drag::DragResult, _: drag::CursorPosition| {};
    #[cfg(any(
        target_os = "linux",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "openbsd",
        target_os = "netbsd"
    ))]
    let result = {
        let inner = window.gtk_window().map_err(|error| error.to_string())?;
        drag::start_drag(&inner, item, image, ended, options)
    };
    #[cfg(not(any(
        target_os = "linux",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "openbsd",
        target_os = "netbsd"
    )))]
    let result = drag::start_drag(window, item, image, ended, options);
    result.map_err(|error| error.to_string())
}

fn failed(reason: &str) -> WireError {
    WireError::new(ErrorCode::Internal, format!("the picture cannot be dragged out: {reason}"))
        .hint("show it in the file manager instead")
}

//! Rendering without a window: an icon in the tray where there is one, and an end when the queue is empty.

use std::panic::{self, AssertUnwindSafe};

use tarim_api::StudioEvent;
use tauri::menu::{Menu, MenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager};

use crate::{closing, window, words};

const ID: &str = "tarim";

/// Puts the icon there. Where the system has no tray, a second start of the program shows the window again.
pub(crate) fn keep(app: &AppHandle) {
    if app.tray_by_id(ID).is_some() {
        return;
    }
    // On Linux the tray is a library that may be missing, which shows as a panic when it is first used. That is no fault
    // to be told with a stack trace, so the hook that would print one is set aside for this moment.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let made = panic::catch_unwind(AssertUnwindSafe(|| make(app)));
    panic::set_hook(hook);
    if !matches!(made, Ok(Ok(()))) {
        words::complain("no tray icon can be shown; start Tarim again to see its window");
    }
}

fn make(app: &AppHandle) -> tauri::Result<()> {
    let words = words::of(app);
    let show = MenuItem::with_id(app, "show", words.show, true, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", words.quit, true, None::<&str>)?;
    let mut tray = TrayIconBuilder::with_id(ID)
        .tooltip(words.rendering)
        .menu(&Menu::with_items(app, &[&show, &quit])?)
        .on_menu_event(|app, event| match event.id().as_ref() {
            "show" => back(app),
            _ => app.exit(0),
        });
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    Ok(())
}

fn back(app: &AppHandle) {
    app.remove_tray_by_id(ID);
    window::show(app);
}

/// Ends the program when it has no window and nothing is left to draw.
pub(crate) fn heard(app: &AppHandle, event: &StudioEvent) {
    if !matches!(event, StudioEvent::JobEnded { .. }) {
        return;
    }
    let hidden = app.get_webview_window(window::MAIN).is_some_and(|it| !it.is_visible().unwrap_or(true));
    if hidden && closing::pending(app) == 0 {
        app.exit(0);
    }
}

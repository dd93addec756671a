//! The one window.

use tauri::{AppHandle, Manager, Result, WebviewUrl, WebviewWindow, WebviewWindowBuilder};
use tauri_plugin_window_state::StateFlags;

use crate::Door;

/// Its label; capabilities name it too.
pub(crate) const MAIN: &str = "main";

/// What of the window is the same at the next start. Whether it is visible is not: a hidden one must not stay hidden.
pub(crate) fn remembered() -> StateFlags {
    StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN
}

/// Opens it.
pub(crate) fn open(app: &AppHandle) -> Result<WebviewWindow> {
    WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Tarim")
        .inner_size(1360.0, 860.0)
        .min_inner_size(1024.0, 640.0)
        // The page takes dropped files itself, as in a browser.
        .disable_drag_drop_handler()
        // Only our own page lives in this window; links to elsewhere do nothing.
        .on_navigation(|url| {
            url.scheme() == "tauri" || url.host_str().is_some_and(|host| host == "tauri.localhost")
        })
        .build()
}

/// Brings it to the front, opening it again where it was closed.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else {
        // Without a window there is nobody to tell; the next try may succeed.
        let _ = open(app);
        return;
    };
    // Each of these fails only on systems that do not know it.
    let _ = window.show();
    let _ = window.unminimize();
    let _ = window.set_focus();
    app.state::<Door>().studio.look_again();
}

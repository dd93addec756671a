//! The native menu: what every program has, so that copy, paste, close and quit are where the system puts them.

use tauri::AppHandle;
use tauri::menu::{AboutMetadata, Menu, PredefinedMenuItem, Submenu};

use crate::words;

/// Sets it. Everything else is in the page's palette. On Linux and Windows a bar above the picture would only cost
/// room, so there is none.
pub(crate) fn set(app: &AppHandle) -> tauri::Result<()> {
    if !cfg!(target_os = "macos") {
        return Ok(());
    }
    let words = words::of(app);
    let about =
        AboutMetadata { version: Some(app.package_info().version.to_string()), ..AboutMetadata::default() };
    let program = Submenu::with_items(
        app,
        "Tarim",
        true,
        &[
            &PredefinedMenuItem::about(app, None, Some(about))?,
            &PredefinedMenuItem::separator(app)?,
            &PredefinedMenuItem::hide(app, None)?,
            &PredefinedMenuItem::quit(app, Some(words.quit))?,
        ],
    )?;
    let edit = Submenu::with_items(
        app,
        words.edit,
        true,
        &[
            &PredefinedMenuItem::undo(app, None)?,
            &PredefinedMenuItem::redo(app, None)?,
            &PredefinedMenuItem::separator(app)?,
            &PredefinedMenuItem::cut(app, None)?,
            &PredefinedMenuItem::copy(app, None)?,
            &PredefinedMenuItem::paste(app, None)?,
            &PredefinedMenuItem::select_all(app, None)?,
        ],
    )?;
    let view = Submenu::with_items(
        app,
        words.window,
        true,
        &[
            &PredefinedMenuItem::minimize(app, None)?,
            &PredefinedMenuItem::fullscreen(app, None)?,
            &PredefinedMenuItem::close_window(app, None)?,
        ],
    )?;
    app.set_menu(Menu::with_items(app, &[&program, &edit, &view])?)?;
    Ok(())
}

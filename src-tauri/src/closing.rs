//! What closing the window means while pictures wait: ask, go on without a window, or stop.

use tarim_api::wire::queue::Queue;
use tarim_api::wire::settings::{OnClose, Settings};
use tarim_studio::How;
use tauri::{AppHandle, Manager, Window, WindowEvent};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogKind, MessageDialogResult};

use crate::{Door, tray, window, words};

/// Asks a command that takes nothing; `None` when it fails, which must not keep a window from closing.
fn ask<T: serde::de::DeserializeOwned>(app: &AppHandle, name: &str) -> Option<T> {
    let door = app.state::<Door>();
    let answer = tarim_api::dispatch_bytes(&door.studio, &door.caller, name, b"{}").ok()?;
    serde_json::from_slice(&answer).ok()
}

/// Pictures that are being drawn or wait for it. A paused queue waits for a person, not for us.
pub(crate) fn pending(app: &AppHandle) -> u32 {
    let queue = ask::<Queue>(app, "get_queue").unwrap_or_default();
    let waiting = if queue.paused { 0 } else { queue.waiting_total };
    waiting + queue.running.len() as u32
}

/// Holds a close that needs thinking about.
pub(crate) fn window_event(window: &Window, event: &WindowEvent) {
    let app = window.app_handle();
    match event {
        WindowEvent::CloseRequested { api, .. } if window.label() == window::MAIN => {
            let pending = pending(app);
            if pending == 0 {
                return;
            }
            let on_close = ask::<Settings>(app, "get_settings").map(|it| it.on_close).unwrap_or_default();
            match on_close {
                OnClose::Stop => {}
                OnClose::Keep => {
                    api.prevent_close();
                    hide(app);
                }
                OnClose::Ask => {
                    api.prevent_close();
                    question(app, pending);
                }
            }
        }
        // Somebody comes back, perhaps from a file manager.
        WindowEvent::Focused(true) => app.state::<Door>().studio.look_again(),
        _ => {}
    }
}

/// Goes on without a window, until it is shown again or the queue is empty.
fn hide(app: &AppHandle) {
    tray::keep(app);
    if let Some(window) = app.get_webview_window(window::MAIN) {
        // A window that cannot be hidden stays, which loses nothing.
        let _ = window.hide();
    }
}

fn question(app: &AppHandle, pending: u32) {
    let words = words::of(app);
    let (keep, stop, back) = (words.keep.to_owned(), words.stop.to_owned(), words.back.to_owned());
    let answered = app.clone();
    let (keep_label, stop_label) = (keep.clone(), stop.clone());
    app.dialog()
        .message(words.question(pending))
        .title("Tarim")
        .kind(MessageDialogKind::Info)
        .buttons(MessageDialogButtons::YesNoCancelCustom(keep, stop, back))
        .show_with_result(move |result| match result {
            MessageDialogResult::Yes => hide(&answered),
            MessageDialogResult::Custom(label) if label == keep_label => hide(&answered),
            MessageDialogResult::No => answered.exit(0),
            MessageDialogResult::Custom(label) if label == stop_label => answered.exit(0),
            _ => {}
        });
}

/// The last thing: the picture in work goes back into the queue, and everything is written.
pub(crate) fn leave(app: &AppHandle) {
    if let Some(door) = app.try_state::<Door>() {
        door.studio.close(How::StopNow);
    }
}

//! The studio's events on their way to the page.

use std::thread;
use std::time::Duration;

use tauri::{AppHandle, Emitter, Manager};

use crate::{Door, tray};

/// The event's name in the page.
const NAME: &str = "studio";
/// How often the thread looks whether the studio has closed; it sleeps in between.
const LOOK: Duration = Duration::from_secs(5);

/// Hands every event to the page, from now until the studio closes.
pub(crate) fn forward(app: &AppHandle) -> std::io::Result<()> {
    let app = app.clone();
    let events = tarim_api::subscribe(&app.state::<Door>().studio);
    thread::Builder::new().name("events".to_owned()).spawn(move || {
        while !events.closed() {
            if let Some(event) = events.next(LOOK) {
                // Fails while there is no window, and then nobody listens.
                let _ = app.emit(NAME, &event);
                tray::heard(&app, &event);
            }
        }
    })?;
    Ok(())
}

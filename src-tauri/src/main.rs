//! `tarim-studio`: the studio as a window.
//!
//! What belongs here: the window, its menu, native dialogs, files that are opened with it or dragged out of it, and what
//! closing it means. What does not: anything that the browser's door needs too.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod closing;
mod commands;
mod drag_out;
mod events;
mod menu;
mod opened;
mod scheme;
mod tray;
mod window;
mod words;

use std::process::ExitCode;
use std::sync::Arc;

use tarim_api::Caller;
use tarim_machine::Machine;
use tarim_studio::{Origin, Role, Studio};
use tauri::{Manager, RunEvent};

/// What every part of the window works with.
pub(crate) struct Door {
    pub(crate) studio: Arc<Studio>,
    pub(crate) caller: Caller,
}

fn main() -> ExitCode {
    let surroundings = Machine::read().surroundings(Origin::Window, Role::Owner);
    let app = tauri::Builder::default()
        // First, so that a second program hands over its files before it opens anything.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, folder| {
            opened::arguments(app, arguments.into_iter().skip(1), folder.as_ref());
            window::show(app);
        }))
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::init())
        .plugin(tauri_plugin_window_state::Builder::new().with_state_flags(window::remembered()).build())
        .register_asynchronous_uri_scheme_protocol("tarim", |context, request, responder| {
            let app = context.app_handle().clone();
            tauri::async_runtime::spawn_blocking(move || {
                responder.respond(scheme::answer(&app.state::<Door>().studio, &request));
            });
        })
        .invoke_handler(tauri::generate_handler![
            commands::rpc,
            commands::upload,
            commands::open_dialog,
            commands::reveal_picture,
            commands::take_opened,
            drag_out::start_drag,
        ])
        .setup(move |app| {
            let studio = Studio::open(surroundings)?;
            app.manage(Door { studio, caller: Caller::here(Origin::Window) });
            app.manage(opened::Waiting::default());
            let handle = app.handle();
            events::forward(handle)?;
            menu::set(handle)?;
            window::open(handle)?;
            let folder = std::env::current_dir().unwrap_or_default();
            opened::arguments(handle, std::env::args().skip(1), &folder);
            Ok(())
        })
        .on_window_event(closing::window_event)
        .build(tauri::generate_context!());
    let app = match app {
        Ok(app) => app,
        Err(error) => {
            words::complain(&format!("Tarim's window cannot be opened: {error}"));
            return ExitCode::FAILURE;
        }
    };
    app.run(|app, event| {
        if let RunEvent::Exit = event {
            closing::leave(app);
        }
    });
    ExitCode::SUCCESS
}

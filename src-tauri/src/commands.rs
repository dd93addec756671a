//! What the page asks of the window. Commands of the studio go through [`rpc`]; the others are the window's own.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use tarim_api::{ErrorCode, WireError};
use tauri::ipc::{InvokeBody, InvokeResponseBody, Request, Response};
use tauri::{AppHandle, Manager, State};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;

use crate::Door;
use crate::opened::{Opened, Waiting};

/// Runs what waits for the disk or a renderer away from the window's own thread.
async fn blocking<T: Send + 'static>(
    app: AppHandle,
    work: impl FnOnce(&Door) -> Result<T, WireError> + Send + 'static,
) -> Result<T, WireError> {
    let ended = tauri::async_runtime::spawn_blocking(move || work(&app.state::<Door>())).await;
    ended.unwrap_or_else(|error| Err(fault(&error)))
}

fn fault(error: &dyn std::error::Error) -> WireError {
    WireError::new(ErrorCode::Internal, format!("the window made a mistake: {error}"))
}

/// A command of the studio.
#[tauri::command]
pub(crate) async fn rpc(app: AppHandle, name: String, request: Value) -> Result<Response, WireError> {
    let answer = blocking(app, move |door| {
        let request = if request.is_null() { Vec::new() } else { request.to_string().into_bytes() };
        tarim_api::dispatch_bytes(&door.studio, &door.caller, &name, &request)
    })
    .await?;
    let json = String::from_utf8(answer).map_err(|error| fault(&error))?;
    Ok(Response::new(InvokeResponseBody::Json(json)))
}

/// A picture to start from; its bytes are the body.
#[tauri::command]
pub(crate) async fn upload(app: AppHandle, request: Request<'_>) -> Result<Value, WireError> {
    let InvokeBody::Raw(bytes) = request.body() else {
        return Err(WireError::new(ErrorCode::BadInput, "an upload is the picture's bytes"));
    };
    let bytes = bytes.clone();
    let input = blocking(app, move |door| tarim_api::upload(&door.studio, &bytes)).await?;
    serde_json::to_value(input).map_err(|error| fault(&error))
}

/// What a dialog should offer.
#[derive(Deserialize)]
pub(crate) struct DialogOptions {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    directory: bool,
    #[serde(default)]
    multiple: bool,
    #[serde(default)]
    filters: Vec<Filter>,
}

/// Files of one kind.
#[derive(Deserialize)]
pub(crate) struct Filter {
    name: String,
    extensions: Vec<String>,
}

/// Lets the person choose folders or files of this machine; `None` when they do not.
#[tauri::command]
pub(crate) async fn open_dialog(
    app: AppHandle,
    options: DialogOptions,
) -> Result<Option<Vec<String>>, WireError> {
    let chosen = tauri::async_runtime::spawn_blocking(move || {
        let mut dialog = app.dialog().file();
        if let Some(title) = &options.title {
            dialog = dialog.set_title(title);
        }
        // GTK would begin with the files used last, among which no folder can be chosen. Other systems know where.
        if cfg!(target_os = "linux")
            && options.directory
            && let Ok(home) = app.path().home_dir()
        {
            dialog = dialog.set_directory(home);
        }
        for filter in &options.filters {
            let extensions: Vec<&str> = filter.extensions.iter().map(String::as_str).collect();
            dialog = dialog.add_filter(&filter.name, &extensions);
        }
        match (options.directory, options.multiple) {
            (true, true) => dialog.blocking_pick_folders(),
            (true, false) => dialog.blocking_pick_folder().map(|one| vec![one]),
            (false, true) => dialog.blocking_pick_files(),
            (false, false) => dialog.blocking_pick_file().map(|one| vec![one]),
        }
    });
    let chosen = chosen.await.map_err(|error| fault(&error))?;
    Ok(chosen.map(|paths| paths.into_iter().map(|path| path.to_string()).collect()))
}

/// Shows a picture's file in the file manager.
#[tauri::command]
pub(crate) async fn reveal_picture(app: AppHandle, id: String) -> Result<(), WireError> {
    let opener = app.clone();
    let path: PathBuf = blocking(app, move |door| tarim_api::picture_file(&door.studio, &id)).await?;
    opener
        .opener()
        .reveal_item_in_dir(path)
        .map_err(|error| WireError::new(ErrorCode::Io, format!("the file manager cannot be opened: {error}")))
}

/// What was opened with Tarim and not yet looked at.
#[tauri::command]
#[allow(clippy::needless_pass_by_value, reason = "how Tauri passes state")]
pub(crate) fn take_opened(waiting: State<'_, Waiting>) -> Vec<Opened> {
    waiting.take()
}

//! Addresses and what is behind them.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tarim_api::{ErrorCode, WireError};
use tarim_studio::{Studio, inputs};
use tokio_util::sync::CancellationToken;

use crate::guard::{self, Access, COOKIE};
use crate::{answer, assets, events};

#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) studio: Arc<Studio>,
    pub(crate) access: Access,
    /// Ends the streams of events.
    stopping: CancellationToken,
}

/// Everything the server answers. Streams of events end when the token is cancelled, and by themselves never.
pub fn router(studio: Arc<Studio>, access: Access, stopping: CancellationToken) -> Router {
    let shared = Shared { studio, access, stopping };
    Router::new()
        .route("/rpc/{command}", post(command).layer(DefaultBodyLimit::max(tarim_api::MOST_REQUEST_BYTES)))
        .route("/upload", post(upload))
        .route("/events", get(listen))
        .route("/resource/{*address}", get(resource))
        .route("/login", get(login))
        .fallback(assets::file)
        .method_not_allowed_fallback(async || answer::wrong_method())
        .layer(middleware::from_fn_with_state(shared.clone(), guard::check))
        .with_state(shared)
}

/// Runs what waits for the disk or a renderer where that holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WireError> + Send + 'static,
) -> Result<T, WireError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| {
        Err(WireError::new(ErrorCode::Internal, format!("the request ended because of a fault: {error}")))
    })
}

async fn command(
    State(shared): State<Shared>,
    command: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(Path(command)) = command else { return answer::nothing() };
    // A form of another site can send other types without asking first, and must not.
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_json(kind) {
        let error = WireError::new(ErrorCode::BadInput, "a request is JSON")
            .hint("send it with `content-type: application/json`");
        return answer::error(&error);
    }
    let Ok(body) = body else { return answer::too_large("request", tarim_api::MOST_REQUEST_BYTES) };
    let caller = shared.access.caller();
    let answer = blocking(move || tarim_api::dispatch_bytes(&shared.studio, &caller, &command, &body)).await;
    match answer {
        Ok(bytes) => answer::json(bytes),
        Err(error) => answer::error(&error),
    }
}

/// `application/json`, with or without parameters.
fn is_json(kind: &str) -> bool {
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

async fn upload(State(shared): State<Shared>, body: Body) -> Response {
    let most = inputs::MOST_BYTES;
    // Known to be too large before anything of it was read.
    if body.size_hint().lower() > most as u64 {
        return answer::too_large("file", most);
    }
    let Ok(body) = axum::body::to_bytes(body, most).await else {
        return answer::too_large("file", most);
    };
    match blocking(move || tarim_api::upload(&shared.studio, &body)).await {
        Ok(input) => answer::json(serde_json::to_vec(&input).unwrap_or_default()),
        Err(error) => answer::error(&error),
    }
}

async fn listen(State(shared): State<Shared>) -> Response {
    match events::stream(&shared.studio, shared.stopping) {
        Ok(stream) => stream.into_response(),
        Err(error) => {
            let message = format!("a thread for the events cannot be started: {error}");
            answer::error(&WireError::new(ErrorCode::Internal, message))
        }
    }
}

async fn resource(
    State(shared): State<Shared>,
    address: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    let Ok(Path(address)) = address else { return answer::nothing() };
    let address = match uri.query() {
        Some(query) => format!("{address}?{query}"),
        None => address,
    };
    match blocking(move || tarim_api::resource(&shared.studio, &address)).await {
        Ok(found) => answer::resource(found).await,
        Err(error) => answer::error(&error),
    }
}

#[derive(serde::Deserialize)]
struct Login {
    #[serde(default)]
    token: String,
}

async fn login(State(shared): State<Shared>, login: Result<Query<Login>, QueryRejection>) -> Response {
    let Ok(Query(login)) = login else { return answer::unauthorized() };
    if !shared.access.takes(&login.token) {
        return answer::unauthorized();
    }
    // Relative, so that a reverse proxy may put Tarim under any path.
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "./")]).into_response();
    if shared.access.is_guarded() {
        let cookie = format!("{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000", login.token);
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
    }
    response
}

//! Addresses and what is behind them.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tarim_api::{ErrorCode, WireError};
use tarim_studio::Studio;

use crate::guard::{self, Access, COOKIE};
use crate::{answer, assets, events};

/// The largest picture that is taken in, in bytes.
const MOST_UPLOAD_BYTES: usize = 512 << 20;

#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) studio: Arc<Studio>,
    pub(crate) access: Access,
}

/// Everything the server answers.
pub fn router(studio: Arc<Studio>, access: Access) -> Router {
    let shared = Shared { studio, access };
    Router::new()
        .route("/rpc/{command}", post(command).layer(DefaultBodyLimit::max(tarim_api::MOST_REQUEST_BYTES)))
        .route("/upload", post(upload).layer(DefaultBodyLimit::max(MOST_UPLOAD_BYTES)))
        .route("/events", get(listen))
        .route("/resource/{*address}", get(resource))
        .route("/login", get(login))
        .fallback(get(assets::file))
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
    Path(command): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // A form of another site can send other types without asking first, and must not.
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        let error = WireError::new(ErrorCode::BadInput, "a request is JSON")
            .hint("send it with `content-type: application/json`");
        return answer::error(&error);
    }
    let caller = shared.access.caller();
    let answer = blocking(move || tarim_api::dispatch_bytes(&shared.studio, &caller, &command, &body)).await;
    match answer {
        Ok(bytes) => answer::json(bytes),
        Err(error) => answer::error(&error),
    }
}

async fn upload(State(shared): State<Shared>, request: Request) -> Response {
    let body = match axum::body::to_bytes(request.into_body(), MOST_UPLOAD_BYTES).await {
        Ok(body) => body,
        Err(_) => {
            let message =
                format!("the file is larger than {} MB or did not arrive whole", MOST_UPLOAD_BYTES >> 20);
            return answer::error(
                &WireError::new(ErrorCode::BadInput, message).hint("use a smaller picture"),
            );
        }
    };
    match blocking(move || tarim_api::upload(&shared.studio, &body)).await {
        Ok(input) => answer::json(serde_json::to_vec(&input).unwrap_or_default()),
        Err(error) => answer::error(&error),
    }
}

async fn listen(State(shared): State<Shared>) -> Response {
    match events::stream(&shared.studio) {
        Ok(stream) => stream.into_response(),
        Err(error) => {
            let message = format!("a thread for the events cannot be started: {error}");
            answer::error(&WireError::new(ErrorCode::Internal, message))
        }
    }
}

async fn resource(State(shared): State<Shared>, Path(address): Path<String>, uri: Uri) -> Response {
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

async fn login(State(shared): State<Shared>, Query(login): Query<Login>) -> Response {
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

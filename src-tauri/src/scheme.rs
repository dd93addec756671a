//! `tarim://localhost/resource/…`: bytes by id for the page, never by path.

use std::borrow::Cow;

use tarim_api::{Body, ErrorCode, Resource, WireError};
use tarim_studio::Studio;
use tauri::http::{Request, Response, StatusCode, header};

/// Answers one request. Called on a thread that may wait.
pub(crate) fn answer(studio: &Studio, request: &Request<Vec<u8>>) -> Response<Cow<'static, [u8]>> {
    let uri = request.uri();
    let Some(address) = uri.path().trim_start_matches('/').strip_prefix("resource/") else {
        return refusal(&WireError::new(ErrorCode::NotFound, "there is nothing at this address"));
    };
    let address = match uri.query() {
        Some(query) => format!("{address}?{query}"),
        None => address.to_owned(),
    };
    match tarim_api::resource(studio, &address).and_then(found) {
        Ok(response) => response,
        Err(error) => refusal(&error),
    }
}

fn found(resource: Resource) -> Result<Response<Cow<'static, [u8]>>, WireError> {
    let bytes = match resource.body {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::File(path) => std::fs::read(path)
            .map_err(|error| WireError::new(ErrorCode::NotFound, format!("the file is gone: {error}")))?,
    };
    let caching = if resource.cacheable { "private, max-age=31536000, immutable" } else { "no-cache" };
    Response::builder()
        .header(header::CONTENT_TYPE, resource.content_type)
        .header(header::CACHE_CONTROL, caching)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        // The page's own scheme is another origin; masks are drawn over pictures, which then must be readable.
        .header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .body(Cow::Owned(bytes))
        .map_err(|error| WireError::new(ErrorCode::Internal, error.to_string()))
}

fn refusal(error: &WireError) -> Response<Cow<'static, [u8]>> {
    let status = if error.code == ErrorCode::NotFound {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let mut response = Response::new(Cow::Owned(error.message.clone().into_bytes()));
    *response.status_mut() = status;
    response
}

//! Answers, errors among them, as HTTP.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tarim_api::{Body as Bytes, ErrorCode, Resource, WireError};
use tokio_util::io::ReaderStream;

/// JSON that is ready.
pub(crate) fn json(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], bytes).into_response()
}

/// An error, with the status that fits it best; readers go by its code.
pub(crate) fn error(error: &WireError) -> Response {
    let status = match error.code {
        ErrorCode::BadInput => StatusCode::BAD_REQUEST,
        ErrorCode::NotFound | ErrorCode::UnknownCommand => StatusCode::NOT_FOUND,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::NotAllowed => StatusCode::FORBIDDEN,
        ErrorCode::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::Model
        | ErrorCode::Device
        | ErrorCode::Renderer
        | ErrorCode::OutOfMemory
        | ErrorCode::ReadOnly
        | ErrorCode::Io
        | ErrorCode::LibraryDamaged
        | ErrorCode::LibraryNewer
        | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    with_status(status, error)
}

/// More than is taken.
pub(crate) fn too_large(what: &str, most: usize) -> Response {
    let message = format!("the {what} is larger than {} MiB, or did not arrive whole", most >> 20);
    let error = WireError::new(ErrorCode::BadInput, message).hint("send less at once");
    with_status(StatusCode::PAYLOAD_TOO_LARGE, &error)
}

/// Not an address of anything.
pub(crate) fn nothing() -> Response {
    error(&WireError::new(ErrorCode::NotFound, "there is nothing at this address"))
}

/// An address that is asked in another way.
pub(crate) fn wrong_method() -> Response {
    let error = WireError::new(ErrorCode::BadInput, "this address is not asked in this way")
        .hint("commands and uploads are sent with POST, everything else is read with GET");
    with_status(StatusCode::METHOD_NOT_ALLOWED, &error)
}

/// A refusal.
pub(crate) fn forbidden(error: &WireError) -> Response {
    with_status(StatusCode::FORBIDDEN, error)
}

/// The token is missing or wrong. Without a `code` of ours: pages know what the status means.
pub(crate) fn unauthorized() -> Response {
    const TEXT: &str = "This Tarim is reached from other machines, so it needs its token. Open the address with the \
         token that it printed when it started.\n";
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::UNAUTHORIZED, kind, TEXT).into_response()
}

fn with_status(status: StatusCode, error: &WireError) -> Response {
    // Plain values always become JSON.
    let mut response = json(serde_json::to_vec(error).unwrap_or_default());
    *response.status_mut() = status;
    response
}

/// Bytes by id.
pub(crate) async fn resource(resource: Resource) -> Response {
    let caching = if resource.cacheable { "private, max-age=31536000, immutable" } else { "no-cache" };
    let body = match resource.body {
        Bytes::Bytes(bytes) => Body::from(bytes.to_vec()),
        Bytes::File(path) => match tokio::fs::File::open(&path).await {
            Ok(file) => Body::from_stream(ReaderStream::with_capacity(file, 64 << 10)),
            Err(_) => return error(&WireError::new(ErrorCode::NotFound, "the file is gone")),
        },
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(resource.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(value) = HeaderValue::from_str(&disposition(&resource.file_name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// `Content-Disposition` with a name in any language (RFC 6266, 4.3; RFC 8187).
fn disposition(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("inline; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_language() {
        assert_eq!(disposition("a b.png"), "inline; filename*=UTF-8''a%20b.png");
        assert_eq!(disposition("楼\"\r\n.png"), "inline; filename*=UTF-8''%E6%A5%BC%22%0D%0A.png");
    }
}

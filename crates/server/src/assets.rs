//! The UI, which is part of the program.

use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::answer;

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Built;

/// What stands in for a UI that was not built.
const MISSING: &str = include_str!("../../../assets/missing-ui/index.html");

/// A file of the UI. There are no others to be had: names are looked up in what was built, not on a disk.
pub(crate) async fn file(method: Method, uri: Uri) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return answer::wrong_method();
    }
    let name = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    let Some(file) = Built::get(name) else {
        return if name == "index.html" {
            let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (StatusCode::SERVICE_UNAVAILABLE, kind, MISSING).into_response()
        } else {
            (StatusCode::NOT_FOUND, "there is nothing at this address\n").into_response()
        };
    };
    // The build puts a hash of the content into the names under assets/.
    let caching =
        if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = file.metadata.mimetype().to_owned();
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, caching.to_owned())], file.data).into_response()
}

//! Bytes by id: pictures, thumbnails, previews, inputs. Never by path: what is not an id of something is nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tarim_library::{LibraryError, ThumbnailSize};
use tarim_sets::{Format, WriteOptions};
use tarim_studio::{Studio, inputs};

use crate::convert;
use crate::error::{ErrorCode, WireError};
use crate::handlers::create::input;
use crate::wire::create::Input;

/// Something to be sent.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub body: Body,
    /// Whether what is at this address never changes, so that it may be kept for good.
    pub cacheable: bool,
    /// A name for a copy of it.
    pub file_name: String,
}

/// Where the bytes are.
#[derive(Clone, Debug)]
pub enum Body {
    /// Here.
    Bytes(Arc<[u8]>),
    /// In this file. It may be gone by the time it is opened.
    File(PathBuf),
}

/// What is at an address: `picture/<id>`, `thumbnail/<id>?size=480`, `preview/<job>`, `input/<sha256>`. A `v=` in the
/// query, with the picture's version, makes a picture's or thumbnail's address one that may be kept for good.
///
/// Thumbnails are made when they are not there; call this from a thread that may wait.
///
/// # Errors
/// [`ErrorCode::NotFound`] for everything that is not the address of something.
pub fn resource(studio: &Studio, address: &str) -> Result<Resource, WireError> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let parameter = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, it)| it)
    };
    let versioned = parameter("v").is_some_and(|version| !version.is_empty());
    let (kind, name) = path.trim_start_matches('/').split_once('/').ok_or_else(nothing)?;
    match kind {
        "picture" => picture(studio, name, versioned),
        "thumbnail" => {
            let size = match parameter("size").map(str::parse::<u32>) {
                None => ThumbnailSize::Small,
                Some(Ok(size)) if size <= ThumbnailSize::Small.pixels() => ThumbnailSize::Small,
                Some(Ok(_)) => ThumbnailSize::Large,
                Some(Err(_)) => return Err(nothing()),
            };
            thumbnail(studio, name, size, versioned)
        }
        "preview" => {
            let job = convert::id(name).map_err(|_| nothing())?;
            let preview = studio.preview(job).ok_or_else(nothing)?;
            let body = Body::Bytes(preview.png);
            Ok(Resource {
                content_type: "image/png",
                body,
                cacheable: false,
                file_name: "preview.png".into(),
            })
        }
        "input" => {
            let library = studio.library()?;
            let path = inputs::find(library.root(), name).ok_or_else(nothing)?;
            file(path, true)
        }
        "set" => set_file(studio, name, parameter("format").unwrap_or("csv"), parameter("excel").is_some()),
        "report" => report(studio, name, parameter("format").unwrap_or("html")),
        "grid" => {
            grid(studio, name, parameter("format").unwrap_or("png"), parameter("language").unwrap_or("en"))
        }
        _ => Err(nothing()),
    }
}

fn made(content_type: &'static str, bytes: Vec<u8>, file_name: String) -> Resource {
    Resource { content_type, body: Body::Bytes(bytes.into()), cacheable: false, file_name }
}

/// A name for a file, whatever a set or run is called.
fn file_name(name: &str, ending: &str) -> String {
    let safe = |c: char| if c.is_control() || "/\\:*?\"<>|".contains(c) { '-' } else { c };
    let name: String = name.chars().map(safe).take(80).collect();
    format!("{}.{ending}", name.trim().trim_matches('.'))
}

fn set_file(studio: &Studio, id: &str, format: &str, excel: bool) -> Result<Resource, WireError> {
    let id = convert::id(id).map_err(|_| nothing())?;
    let format = Format::of_name(&format!("x.{format}")).ok_or_else(nothing)?;
    let content_type = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Tsv => "text/tab-separated-values; charset=utf-8",
        Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Format::Ods => "application/vnd.oasis.opendocument.spreadsheet",
        Format::Json | Format::JsonLines => "application/json",
        Format::Text => "text/plain; charset=utf-8",
    };
    let options = WriteOptions { for_excel: excel, ..WriteOptions::default() };
    let bytes = studio.export_set(id, format, &options)?;
    let name = studio.set(id)?.summary.name;
    Ok(made(content_type, bytes, file_name(&name, format.extension())))
}

fn report(studio: &Studio, id: &str, format: &str) -> Result<Resource, WireError> {
    let report = studio.report(convert::id(id).map_err(|_| nothing())?)?;
    let (content_type, text) = match format {
        "html" => ("text/html; charset=utf-8", report.html()),
        "md" => ("text/markdown; charset=utf-8", report.markdown()),
        "json" => ("application/json", serde_json::to_string_pretty(&report).map_err(|_| nothing())?),
        _ => return Err(nothing()),
    };
    Ok(made(content_type, text.into_bytes(), file_name(&report.name, format)))
}

fn grid(studio: &Studio, id: &str, format: &str, language: &str) -> Result<Resource, WireError> {
    let id = convert::id(id).map_err(|_| nothing())?;
    let mut bytes = Vec::new();
    let content_type = match format {
        "png" => {
            studio.grid_png(id, &mut bytes)?;
            "image/png"
        }
        "html" => {
            studio.grid_html(id, language, &mut bytes)?;
            "text/html; charset=utf-8"
        }
        _ => return Err(nothing()),
    };
    Ok(made(content_type, bytes, file_name(&studio.batch(id)?.batch.name, format)))
}

/// Where a picture's file is: for the file manager, and for dragging it out of the window.
pub fn picture_file(studio: &Studio, id: &str) -> Result<PathBuf, WireError> {
    let path = studio.library()?.picture_path(convert::id(id)?)?;
    if path.is_file() {
        return Ok(path);
    }
    Err(WireError::new(ErrorCode::NotFound, format!("the picture's file is gone: {}", path.display()))
        .hint("look through the library again, in case it was moved"))
}

/// Keeps an uploaded picture to start from.
///
/// # Errors
/// When it is too large, or no picture that can be used.
pub fn upload(studio: &Studio, bytes: &[u8]) -> Result<Input, WireError> {
    Ok(input(inputs::keep(studio.library()?.root(), bytes)?))
}

fn picture(studio: &Studio, id: &str, versioned: bool) -> Result<Resource, WireError> {
    let path = studio.library()?.picture_path(convert::id(id).map_err(|_| nothing())?)?;
    if !path.is_file() {
        return Err(nothing());
    }
    file(path, versioned)
}

fn thumbnail(studio: &Studio, id: &str, size: ThumbnailSize, versioned: bool) -> Result<Resource, WireError> {
    let id = convert::id(id).map_err(|_| nothing())?;
    let path = studio.library()?.thumbnail(id, size).map_err(|error| match error {
        // Gone behind our back, which the next look at the library notices.
        LibraryError::Read(_) => nothing(),
        other => other.into(),
    })?;
    file(path, versioned)
}

fn file(path: PathBuf, cacheable: bool) -> Result<Resource, WireError> {
    let content_type = content_type(&path).ok_or_else(nothing)?;
    let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Resource { content_type, body: Body::File(path), cacheable, file_name })
}

/// Pictures alone are sent, whatever else may lie in a library.
fn content_type(path: &Path) -> Option<&'static str> {
    let ending = path.extension().and_then(OsStr::to_str)?.to_ascii_lowercase();
    match ending.as_str() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        _ => None,
    }
}

fn nothing() -> WireError {
    WireError::new(ErrorCode::NotFound, "there is nothing at this address")
}

//! JSON files read with errors that name the file and the field.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{CheckpointError, Result};

/// A configuration is a few kilobytes; an index of shards up to a few hundred.
const MAX_BYTES: u64 = 16 << 20;

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let config = |problem: String| CheckpointError::Config { path: path.to_owned(), problem };
    let size = std::fs::metadata(path).map_err(|error| CheckpointError::io(path, error))?.len();
    if size > MAX_BYTES {
        return Err(config(format!("it has {size} bytes, far too many for a configuration")));
    }
    let bytes = std::fs::read(path).map_err(|error| CheckpointError::io(path, error))?;
    // Some editors on Windows begin a file with a byte order mark.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let place = error.path().to_string();
        match place.as_str() {
            "." | "" => config(error.inner().to_string()),
            _ => config(format!("`{place}`: {}", error.inner())),
        }
    })
}

/// `None` when there is no such file.
pub(crate) fn read_optional_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if path.is_file() { read_json(path).map(Some) } else { Ok(None) }
}

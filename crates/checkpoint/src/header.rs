//! The header of a safetensors file, believed only after it is checked against the file.
//!
//! Format: <https://github.com/huggingface/safetensors#format>. Eight bytes little-endian length, that many bytes of
//! JSON, then the tensors' bytes, which must be covered without overlap or gap. The checks are the reference
//! implementation's; the messages say which tensor is at fault.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::dtype::Dtype;
use crate::error::{CheckpointError, Result};

/// As the reference implementation: a larger header is no header.
const MAX_HEADER: u64 = 100_000_000;
const LENGTH_BYTES: u64 = 8;

/// Where a tensor lies in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    /// Bytes from the start of the file.
    pub(crate) range: Range<usize>,
}

/// A checked header.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) tensors: Vec<(String, Stored)>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Reads and checks the header of `file`, the whole file's bytes.
pub(crate) fn parse(path: &Path, file: &[u8]) -> Result<Header> {
    let damaged = |problem: String| CheckpointError::damaged(path, None, problem);
    refuse_other_formats(path, file)?;
    let length = file.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes));
    let Some(length) = length else {
        return Err(damaged(format!("it is only {} bytes long", file.len())));
    };
    if length > MAX_HEADER {
        return Err(damaged(format!(
            "its header claims {length} bytes, and no model's header is over 100 MB"
        )));
    }
    let data_start = LENGTH_BYTES + length;
    let Some(json) = file.get(LENGTH_BYTES as usize..data_start as usize) else {
        return Err(damaged(format!(
            "its header claims {length} bytes, but the whole file has {}",
            file.len()
        )));
    };
    let json = std::str::from_utf8(json)
        .map_err(|error| damaged(format!("its header is not UTF-8 text: {error}")))?;
    let raw: RawHeader = serde_json::from_str(json)
        .map_err(|error| damaged(format!("its header is not what it should be: {error}")))?;
    let data = &file[data_start as usize..];
    let tensors = locate(path, raw.tensors, data_start, data.len() as u64)?;
    Ok(Header { tensors, metadata: raw.metadata })
}

/// Names what people have in hand instead of a safetensors file.
fn refuse_other_formats(path: &Path, file: &[u8]) -> Result<()> {
    let unknown = |problem: &str| {
        Err(CheckpointError::UnknownFormat { path: path.to_owned(), problem: problem.to_owned() })
    };
    let pickle = |what: &str| Err(CheckpointError::Pickle { path: path.to_owned(), what: what.to_owned() });
    let starts = |magic: &[u8]| file.starts_with(magic);
    if file.is_empty() {
        unknown("it is empty; download or copy it again")
    } else if starts(b"PK\x03\x04") {
        pickle("a zip archive as PyTorch writes it")
    } else if starts(b"\x80\x02") || starts(b"\x80\x03") || starts(b"\x80\x04") {
        pickle("an old PyTorch file")
    } else if starts(b"version https://git-lfs") {
        unknown("it is only a Git LFS pointer; fetch the file itself with `git lfs pull`")
    } else if starts(b"GGUF") {
        unknown("it is a GGUF file; Tarim opens .safetensors")
    } else if starts(b"<!DOCTYPE") || starts(b"<!doctype") || starts(b"<html") {
        unknown("it is a web page, probably an error message saved by a download; download the model again")
    } else {
        Ok(())
    }
}

fn locate(
    path: &Path,
    raw: Vec<(String, RawTensor)>,
    data_start: u64,
    data_len: u64,
) -> Result<Vec<(String, Stored)>> {
    let mut tensors = Vec::with_capacity(raw.len());
    for (name, tensor) in raw {
        let damaged = |problem: String| CheckpointError::damaged(path, Some(&name), problem);
        let Some(dtype) = Dtype::from_name(&tensor.dtype) else {
            return Err(damaged(format!("has the unknown type `{}`", tensor.dtype)));
        };
        let (start, end) = tensor.data_offsets;
        let Some(length) = end.checked_sub(start) else {
            return Err(damaged(format!("ends at byte {end}, before it starts at {start}")));
        };
        let bytes = tensor.shape.iter().try_fold(dtype.size() as u64, |bytes, &n| bytes.checked_mul(n));
        if bytes != Some(length) {
            let needed = bytes.map_or("more than any file holds".into(), |bytes| format!("{bytes} bytes"));
            return Err(damaged(format!(
                "of shape {:?} and type {dtype} needs {needed}, but {length} are set aside for it",
                tensor.shape
            )));
        }
        if end > data_len {
            return Err(damaged(format!(
                "ends at byte {}, but the file has only {}",
                data_start.saturating_add(end),
                data_start + data_len
            )));
        }
        // Both ends lie within the file, whose length fits `usize`, as does the shape of what lies in it.
        let range = (data_start + start) as usize..(data_start + end) as usize;
        let shape = tensor.shape.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect();
        tensors.push((name, Stored { dtype, shape, range }));
    }
    check_coverage(path, &tensors, data_start as usize, (data_start + data_len) as usize)?;
    Ok(tensors)
}

/// Every byte after the header belongs to one tensor.
fn check_coverage(path: &Path, tensors: &[(String, Stored)], data_start: usize, end: usize) -> Result<()> {
    let mut sorted: Vec<_> = tensors.iter().collect();
    sorted.sort_by_key(|(_, stored)| (stored.range.start, stored.range.end));
    let mut reached = data_start;
    let mut before = "the header";
    for (name, Stored { range, .. }) in sorted {
        if range.start < reached {
            return Err(CheckpointError::damaged(
                path,
                Some(name),
                format!("overlaps `{before}` at byte {}", range.start),
            ));
        }
        if range.start > reached {
            let gap = range.start - reached;
            let problem = format!("starts {gap} bytes after the end of `{before}`, and nothing owns those");
            return Err(CheckpointError::damaged(path, Some(name), problem));
        }
        reached = range.end;
        before = name;
    }
    if reached < end {
        return Err(CheckpointError::damaged(
            path,
            None,
            format!("{} bytes at its end belong to no tensor", end - reached),
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
struct RawTensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

struct RawHeader {
    tensors: Vec<(String, RawTensor)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = RawHeader;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
                let mut header = RawHeader { tensors: Vec::new(), metadata: BTreeMap::new() };
                let mut seen = HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !seen.insert(name.clone()) {
                        return Err(A::Error::custom(format!("`{name}` occurs twice")));
                    }
                    if name == "__metadata__" {
                        header.metadata = map.next_value()?;
                    } else {
                        let tensor = map
                            .next_value()
                            .map_err(|error| A::Error::custom(format!("tensor `{name}`: {error}")))?;
                        header.tensors.push((name, tensor));
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

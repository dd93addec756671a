//! Single `.safetensors` files with the names of the original repositories.

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::error::{CheckpointError, Result};
use crate::recognise;
use crate::weights::OpenFile;

pub(crate) fn open(path: &Path) -> Result<Checkpoint> {
    let file = OpenFile::open(path)?;
    let names: Vec<&str> = file.tensors.iter().map(|(name, _)| name.as_str()).collect();
    if let Some((what, advice)) = recognise::other_kind(&names) {
        return Err(CheckpointError::Unsupported {
            path: path.to_owned(),
            what: what.into(),
            advice: advice.into(),
        });
    }
    Err(CheckpointError::unsupported(path, "a single file"))
}

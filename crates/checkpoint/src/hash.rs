//! Content hashes of models.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::checkpoint::{Checkpoint, Layout};
use crate::error::{CheckpointError, Result};

const BUFFER: usize = 1 << 20;

/// SHA-256 of a model.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|n| char::from_digit(n.into(), 16))
            .collect()
    }

    /// The first ten of them: A1111's `Model hash`.
    pub fn short(&self) -> String {
        self.hex().chars().take(10).collect()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl Checkpoint {
    /// Reads the whole model and hashes it.
    ///
    /// For a single file it is the file's SHA-256, as everywhere. For a folder it is the SHA-256 of a list with a line
    /// for each file that decides what the model computes ([`Checkpoint::files`]: configurations, weights, tokenizer),
    /// sorted by bytes: the file's SHA-256 in hexadecimal, two spaces, its path below the folder with `/` between its
    /// parts, a line feed. `LC_ALL=C sort -k2` of `sha256sum`'s output makes the same list. Other files in the folder
    /// (previews, read-mes, other variants of the weights) do not count.
    ///
    /// `progress` is told how many bytes are done, and how many there are.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn hash(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<ContentHash> {
        let mut on = |done, total| {
            progress(done, total);
            true
        };
        // It is never asked to stop.
        Ok(self.hash_while(&mut on)?.unwrap_or(ContentHash([0; 32])))
    }

    /// The same; `None` when `progress` says not to go on.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn hash_while(&self, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<Option<ContentHash>> {
        let mut total = 0;
        for path in self.files() {
            total += std::fs::metadata(path).map_err(|error| CheckpointError::io(path, error))?.len();
        }
        let mut done = 0;
        let mut count = |bytes: u64| {
            done += bytes;
            progress(done, total)
        };
        match (self.layout(), self.files()) {
            (Layout::SingleFile, _) => file_hash(self.path(), &mut count),
            (Layout::DiffusersFolder, files) => {
                let mut lines = Vec::new();
                for path in files {
                    let Some(hash) = file_hash(path, &mut count)? else { return Ok(None) };
                    lines.push((self.relative(path), hash));
                }
                lines.sort();
                let mut sha = Sha256::new();
                for (name, hash) in lines {
                    sha.update(format!("{hash}  {name}\n"));
                }
                Ok(Some(ContentHash(sha.finalize().into())))
            }
        }
    }

    /// A file's path below the folder, with `/` on every system.
    pub(crate) fn relative(&self, path: &Path) -> String {
        let below = path.strip_prefix(self.path()).unwrap_or(path);
        below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    }
}

fn file_hash(path: &Path, count: &mut dyn FnMut(u64) -> bool) -> Result<Option<ContentHash>> {
    let io = |error| CheckpointError::io(path, error);
    let mut file = File::open(path).map_err(io)?;
    let mut sha = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = file.read(&mut buffer).map_err(io)?;
        if read == 0 {
            return Ok(Some(ContentHash(sha.finalize().into())));
        }
        sha.update(buffer.get(..read).unwrap_or_default());
        if !count(read as u64) {
            return Ok(None);
        }
    }
}

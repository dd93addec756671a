//! Memory-mapped files. The only module here with `unsafe`.
#![allow(unsafe_code)]

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::error::{CheckpointError, Result};

/// A whole file, mapped read-only: its pages are read when they are touched.
#[derive(Debug)]
pub(crate) struct MappedFile {
    path: PathBuf,
    map: Mmap,
}

impl MappedFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let io = |error| CheckpointError::io(path, error);
        let file = File::open(path).map_err(io)?;
        // SAFETY: the map is read-only and private to this process; Rust code cannot change it. Another program could
        // change or cut off the file meanwhile: changed bytes are as good as any (floats have no invalid patterns), and
        // a cut file raises SIGBUS, which ends the renderer process that reads weights, not the program that started it.
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        Ok(Self { path: path.to_owned(), map })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Gives the pages that overlap `range` back to the system; touched again, they are read again. Only a hint: where
    /// the system has no such call, nothing happens.
    pub(crate) fn release(&self, range: Range<usize>) {
        let end = range.end.min(self.map.len());
        if range.start >= end {
            return;
        }
        #[cfg(unix)]
        {
            // SAFETY: `DontNeed` can lose changes of private or anonymous pages; this map is of a file and never written
            // to, so the same bytes come back. The range lies within the map (clamped above).
            let advised = unsafe {
                self.map.unchecked_advise_range(
                    memmap2::UncheckedAdvice::DontNeed,
                    range.start,
                    end - range.start,
                )
            };
            // Refused advice costs memory, not correctness.
            drop(advised);
        }
    }
}

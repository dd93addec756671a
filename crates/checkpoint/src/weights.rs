//! Named tensors in mapped files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::dtype::Dtype;
use crate::error::{CheckpointError, Result};
use crate::header::{self, Stored};
use crate::map::MappedFile;

/// A tensor in a mapped file. `bytes` are little-endian, row-major and contiguous, `shape`'s product times
/// [`Dtype::size`] long, and may lie at any address (old files are not aligned).
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    /// Element type in the file.
    pub dtype: Dtype,
    /// Dimensions, outermost first; empty for a scalar.
    pub shape: &'a [usize],
    /// The elements.
    pub bytes: &'a [u8],
}

impl TensorView<'_> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.dtype.size()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The elements as float64; empty where the type is not a weight's ([`Dtype::is_weight`]).
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let size = if self.dtype.is_weight() { self.dtype.size() } else { usize::MAX };
        self.bytes.chunks_exact(size).map(|bytes| crate::finite::value(self.dtype, bytes))
    }
}

/// A tensor's place: which file, and where in it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) file: usize,
    pub(crate) stored: Stored,
}

/// The tensors of one part of a model, under diffusers' names whatever the file calls them.
///
/// Cheap to clone: the clones share the mapped files. Reading touches the pages of what is read only.
#[derive(Clone, Debug)]
pub struct Weights {
    files: Vec<Arc<MappedFile>>,
    tensors: BTreeMap<String, Entry>,
}

impl Weights {
    /// Opens one safetensors file with the names that it has, less a text encoder's `text_model.` prefix.
    ///
    /// # Errors
    /// When the file cannot be read, is no safetensors file, or its header does not agree with its contents.
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_files(vec![path.to_owned()])
    }

    /// Opens the shards of one part. Where two hold a tensor of the same name, the first counts.
    pub(crate) fn from_files(paths: Vec<std::path::PathBuf>) -> Result<Self> {
        let mut weights = Self { files: Vec::new(), tensors: BTreeMap::new() };
        for path in paths {
            let file = OpenFile::open(&path)?;
            for (name, stored) in file.tensors {
                let name = crate::folder::present_name(&name);
                if name.ends_with("position_ids") {
                    continue; // A buffer, not a weight.
                }
                let entry = Entry { file: weights.files.len(), stored: as_matrix(&name, stored) };
                weights.tensors.entry(name).or_insert(entry);
            }
            weights.files.push(file.map);
        }
        Ok(weights)
    }

    /// Tensors of one file under new names.
    pub(crate) fn renamed(file: Arc<MappedFile>, tensors: BTreeMap<String, Stored>) -> Self {
        let entry = |(name, stored): (String, Stored)| {
            let stored = as_matrix(&name, stored);
            (name, Entry { file: 0, stored })
        };
        Self { files: vec![file], tensors: tensors.into_iter().map(entry).collect() }
    }

    /// The tensor of this name.
    pub fn get(&self, name: &str) -> Option<TensorView<'_>> {
        let (_, Entry { file, stored }) = self.tensors.get_key_value(name)?;
        let bytes = self.files.get(*file)?.bytes().get(stored.range.clone())?;
        Some(TensorView { dtype: stored.dtype, shape: &stored.shape, bytes })
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// All tensors, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, TensorView<'_>)> {
        self.names().filter_map(|name| Some((name, self.get(name)?)))
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Number of elements in all tensors.
    pub fn parameters(&self) -> u64 {
        self.iter().map(|(_, view)| view.len() as u64).sum()
    }

    /// The mapped files.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path())
    }

    /// The file that holds this tensor.
    pub fn file_of(&self, name: &str) -> Option<&Path> {
        self.files.get(self.tensors.get(name)?.file).map(|file| file.path())
    }

    /// Gives the memory of a tensor's pages back to the system after it was copied elsewhere, so that loading needs
    /// the weights once and not twice. A hint: the tensor stays readable, and is read from the disk again.
    pub fn release(&self, view: &TensorView<'_>) {
        let address = view.bytes.as_ptr().addr();
        for file in &self.files {
            let whole = file.bytes();
            if let Some(start) = address.checked_sub(whole.as_ptr().addr())
                && start < whole.len()
            {
                file.release(start..start + view.bytes.len());
            }
        }
    }

    /// Gives the memory of all pages back, as [`Self::release`] does for one tensor.
    pub fn release_all(&self) {
        for file in &self.files {
            file.release(0..file.bytes().len());
        }
    }
}

/// The VAE's attention was 1×1 convolutions once, and is matrices now: the same elements.
fn as_matrix(name: &str, mut stored: Stored) -> Stored {
    let projects = ["to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight"];
    if let [_, _, 1, 1] = stored.shape.as_slice()
        && projects.iter().any(|projection| name.ends_with(projection))
    {
        stored.shape.truncate(2);
    }
    stored
}

/// A safetensors file with its checked header.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) map: Arc<MappedFile>,
    pub(crate) tensors: Vec<(String, Stored)>,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl OpenFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let map = MappedFile::open(path)?;
        let header = header::parse(path, map.bytes())?;
        if header.tensors.is_empty() {
            return Err(CheckpointError::damaged(path, None, "it holds no tensors"));
        }
        Ok(Self { map: Arc::new(map), tensors: header.tensors, metadata: header.metadata })
    }
}

//! Model files made for tests.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tarim_checkpoint::{Checkpoint, Dtype, Weights};

/// A tensor to be written.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) type Tensors = BTreeMap<String, Tensor>;

impl Tensor {
    pub(crate) fn zeros(shape: &[usize]) -> Self {
        Self { dtype: Dtype::F16, shape: shape.to_vec(), bytes: vec![0; 2 * shape.iter().product::<usize>()] }
    }

    pub(crate) fn floats(values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dtype: Dtype::F32, shape: vec![values.len()], bytes }
    }

    /// The same values in float16.
    pub(crate) fn half(&self) -> Self {
        let values = self.bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        let bytes = match self.dtype {
            Dtype::F32 => values.flat_map(|value| half::f16::from_f32(value).to_le_bytes()).collect(),
            _ => self.bytes.clone(),
        };
        Self { dtype: Dtype::F16, shape: self.shape.clone(), bytes }
    }
}

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/models").join(name)
}

pub(crate) fn read(weights: &Weights) -> Tensors {
    let tensor = |(name, view): (&str, tarim_checkpoint::TensorView<'_>)| {
        (
            name.to_owned(),
            Tensor { dtype: view.dtype, shape: view.shape.to_vec(), bytes: view.bytes.to_vec() },
        )
    };
    weights.iter().map(tensor).collect()
}

/// The bytes of a safetensors file with this header and these tensor bytes.
pub(crate) fn file_bytes(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

pub(crate) fn write(path: &Path, tensors: &Tensors) {
    let mut header = Map::new();
    let mut data = Vec::new();
    for (name, tensor) in tensors {
        let start = data.len();
        data.extend(&tensor.bytes);
        let entry =
            json!({"dtype": tensor.dtype.name(), "shape": tensor.shape, "data_offsets": [start, data.len()]});
        header.insert(name.clone(), entry);
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, file_bytes(&Value::Object(header).to_string(), &data)).unwrap();
}

/// A copy of a recorded model in a temporary folder.
pub(crate) fn copy(name: &str) -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let to = temp.path().join(name);
    copy_folder(&golden(name), &to);
    (temp, to)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every tensor of every part: shape and values.
pub(crate) type Contents = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

pub(crate) fn contents(model: &Checkpoint) -> Contents {
    let parts = [
        ("unet", &model.unet().weights),
        ("vae", &model.vae().weights),
        ("text_encoder", &model.text_encoder().weights),
    ];
    let mut all = Contents::new();
    for (part, weights) in parts {
        for (name, view) in weights.iter() {
            all.insert(format!("{part} {name}"), (view.shape.to_vec(), view.values().collect()));
        }
    }
    all
}

/// The recorded model as a single file's tensors, named as recorded from the reference.
pub(crate) fn as_single_file(name: &str) -> Tensors {
    let names: Value = serde_json::from_slice(&fs::read(golden("single-files.json")).unwrap()).unwrap();
    let model = Checkpoint::open(&golden(name)).unwrap();
    let parts = [
        ("unet", &model.unet().weights),
        ("vae", &model.vae().weights),
        ("text_encoder", &model.text_encoder().weights),
    ];
    let mut tensors = Tensors::new();
    for (part, weights) in parts {
        // Sorted by name, k, q, v: the three of one matrix are put in order of their places.
        let mut thirds: BTreeMap<String, BTreeMap<u64, Tensor>> = BTreeMap::new();
        for (new, mut tensor) in read(weights) {
            let entry = &names[name][part][&new];
            let old = entry[0].as_str().unwrap_or_else(|| panic!("{new} is not recorded")).to_owned();
            if part == "vae" && old.contains(".attn_1.") && tensor.shape.len() == 2 {
                tensor.shape.extend([1, 1]);
            }
            match entry[1].as_u64() {
                Some(place) => drop(thirds.entry(old).or_default().insert(place, tensor)),
                None => drop(tensors.insert(old, tensor)),
            }
        }
        for (old, parts) in thirds {
            let mut whole = parts[&0].clone();
            whole.shape[0] *= 3;
            whole.bytes = parts.values().flat_map(|part| part.bytes.clone()).collect();
            tensors.insert(old, whole);
        }
    }
    tensors
}

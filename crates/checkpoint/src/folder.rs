//! Models in diffusers' folder layout.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::checkpoint::{Checkpoint, Layout, Part, TEXT_ENCODER, TokenizerSource, UNET, VAE, in_file};
use crate::config::{PredictionType, SchedulerConfig, read_json, read_optional_json};
use crate::error::{CheckpointError, OptionProblem, Result};
use crate::kind::Kind;
use crate::recognise;
use crate::weights::Weights;

/// `model_index.json`, of which only the class matters: the parts say themselves what they are.
#[derive(Default, Deserialize)]
struct ModelIndex {
    #[serde(rename = "_class_name")]
    class_name: Option<String>,
}

/// `*.safetensors.index.json`.
#[derive(Deserialize)]
struct ShardIndex {
    weight_map: std::collections::BTreeMap<String, String>,
}

pub(crate) fn open(root: &Path) -> Result<Checkpoint> {
    let index_path = root.join("model_index.json");
    let index: Option<ModelIndex> = read_optional_json(&index_path)?;
    let class = index.as_ref().and_then(|index| index.class_name.clone()).unwrap_or_default();
    recognise::refuse_folder(root, &class)?;
    let parts = ["unet", "vae", "text_encoder"];
    if index.is_none() && !parts.iter().any(|part| root.join(part).is_dir()) {
        return Err(CheckpointError::UnknownFormat { path: root.to_owned(), problem: what_else(root) });
    }
    let mut files: Vec<PathBuf> = index.iter().map(|_| index_path.clone()).collect();
    let text_encoder = part(root, "text_encoder", TEXT_ENCODER, &mut files, crate::ClipTextConfig::check)?;
    let unet = part(root, "unet", UNET, &mut files, crate::UnetConfig::check)?;
    let vae = part(root, "vae", VAE, &mut files, crate::VaeConfig::check)?;
    let scheduler_path = root.join("scheduler/scheduler_config.json");
    let scheduler = match read_optional_json::<SchedulerConfig>(&scheduler_path)? {
        Some(scheduler) => {
            in_file(&scheduler_path, scheduler.check())?;
            files.push(scheduler_path);
            scheduler
        }
        None => SchedulerConfig::stable_diffusion(PredictionType::Epsilon),
    };
    let unet_config = root.join("unet/config.json");
    let kind = in_file(&unet_config, Kind::of(&unet.config, &vae.config, &text_encoder.config, &scheduler))?;
    let tokenizer = tokenizer(root, kind, &mut files);
    Ok(Checkpoint {
        path: root.to_owned(),
        layout: Layout::DiffusersFolder,
        kind,
        unet,
        vae,
        text_encoder,
        scheduler,
        tokenizer,
        files,
    })
}

fn part<C: DeserializeOwned>(
    root: &Path,
    folder: &str,
    part: &'static str,
    files: &mut Vec<PathBuf>,
    check: impl Fn(&C) -> Result<(), OptionProblem>,
) -> Result<Part<C>> {
    let missing = |problem: String| CheckpointError::MissingPart { path: root.to_owned(), part, problem };
    let place = root.join(folder);
    let advice = "the download or copy is incomplete, fetch it again";
    if !place.is_dir() {
        return Err(missing(format!("there is no folder `{folder}`; {advice}")));
    }
    let config_path = place.join("config.json");
    if !config_path.is_file() {
        return Err(missing(format!("there is no `{folder}/config.json`; {advice}")));
    }
    let config: C = read_json(&config_path)?;
    in_file(&config_path, check(&config))?;
    let found = find_weights(&place)?.ok_or_else(|| {
        missing(match find_pickle(&place) {
            Some(pickle) => format!(
                "its weights are a Python pickle (`{folder}/{pickle}`), which can run any program when it is opened; \
                 fetch the model's .safetensors files"
            ),
            None => format!("there are no .safetensors files in `{folder}`; {advice}"),
        })
    })?;
    files.push(config_path);
    files.extend(found.index);
    files.extend(found.weights.iter().cloned());
    Ok(Part { config, weights: Weights::from_files(found.weights)? })
}

struct Found {
    index: Option<PathBuf>,
    weights: Vec<PathBuf>,
}

/// diffusers' and transformers' names for weight files; the full precision before the half.
const STEMS: [&str; 2] = ["diffusion_pytorch_model", "model"];
const WHOLE: [&str; 3] = ["safetensors", "fp16.safetensors", "non_ema.safetensors"];
const INDEX: [&str; 3] =
    ["safetensors.index.json", "safetensors.index.fp16.json", "fp16.safetensors.index.json"];

fn find_weights(place: &Path) -> Result<Option<Found>> {
    let named = |endings: &[&str]| -> Option<PathBuf> {
        let names = endings.iter().flat_map(|end| STEMS.map(|stem| place.join(format!("{stem}.{end}"))));
        names.into_iter().find(|path| path.is_file())
    };
    let [whole, fp16, non_ema] = WHOLE;
    if let Some(path) = named(&[whole]) {
        return Ok(Some(Found { index: None, weights: vec![path] }));
    }
    if let Some(index) = named(&INDEX[..1]) {
        return shards(place, index).map(Some);
    }
    if let Some(path) = named(&[fp16]) {
        return Ok(Some(Found { index: None, weights: vec![path] }));
    }
    if let Some(index) = named(&INDEX[1..]) {
        return shards(place, index).map(Some);
    }
    if let Some(path) = named(&[non_ema]) {
        return Ok(Some(Found { index: None, weights: vec![path] }));
    }
    // Somebody's own name: good if there is only one such file.
    let own = list(place, "safetensors");
    Ok((own.len() == 1).then_some(Found { index: None, weights: own }))
}

fn shards(place: &Path, index: PathBuf) -> Result<Found> {
    let map: ShardIndex = read_json(&index)?;
    let names: BTreeSet<String> = map.weight_map.into_values().collect();
    let mut weights = Vec::new();
    for name in names {
        let config = |problem: String| CheckpointError::Config { path: index.clone(), problem };
        // A name, not a path: an index must not reach out of its folder.
        if Path::new(&name).file_name().and_then(|file| file.to_str()) != Some(name.as_str()) {
            return Err(config(format!("`{name}` is not the name of a file in this folder")));
        }
        let path = place.join(&name);
        if !path.is_file() {
            return Err(config(format!("it lists `{name}`, which is not there; fetch it again")));
        }
        weights.push(path);
    }
    if weights.is_empty() {
        return Err(CheckpointError::Config { path: index, problem: "it lists no files".into() });
    }
    Ok(Found { index: Some(index), weights })
}

fn find_pickle(place: &Path) -> Option<String> {
    let pickles = ["bin", "pt", "pth", "ckpt"].into_iter().flat_map(|extension| list(place, extension));
    pickles.into_iter().find_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
}

/// Files with this extension, sorted.
fn list(place: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension)) && path.is_file()
        })
        .collect();
    found.sort();
    found
}

fn tokenizer(root: &Path, kind: Kind, files: &mut Vec<PathBuf>) -> TokenizerSource {
    let folder = root.join("tokenizer");
    let has = |name: &str| folder.join(name).is_file();
    let complete = has("tokenizer.json") || (has("vocab.json") && has("merges.txt"));
    if !complete {
        return TokenizerSource::Clip { pads_with_zero: kind.family == crate::Family::Sd2 };
    }
    let names =
        ["merges.txt", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.json"];
    files.extend(names.into_iter().filter(|name| has(name)).map(|name| folder.join(name)));
    TokenizerSource::Folder(folder)
}

/// What a folder that is no model holds instead.
fn what_else(root: &Path) -> String {
    let names: Vec<String> = list(root, "safetensors")
        .iter()
        .filter_map(|path| Some(format!("`{}`", path.file_name()?.to_str()?)))
        .take(3)
        .collect();
    if root.join("config.json").is_file() {
        return "it seems to be one part of a model; open the folder above it, the one with model_index.json"
            .into();
    }
    match names.as_slice() {
        [] => "it has no model_index.json and no folders `unet`, `vae` and `text_encoder`".into(),
        names => {
            format!("it has no model_index.json; open a file in it instead, such as {}", names.join(" or "))
        }
    }
}

/// diffusers' present name of a tensor that older versions, or other parts of transformers, named otherwise.
pub(crate) fn present_name(name: &str) -> String {
    // transformers before 5 nested the text transformer.
    let name = name.strip_prefix("text_model.").unwrap_or(name);
    // diffusers before 0.18 named the VAE's attention otherwise.
    let (place, last) = match name.rfind("attentions.0.") {
        Some(at) => name.split_at(at + "attentions.0.".len()),
        None => return name.to_owned(),
    };
    for (old, new) in
        [("query.", "to_q."), ("key.", "to_k."), ("value.", "to_v."), ("proj_attn.", "to_out.0.")]
    {
        if let Some(rest) = last.strip_prefix(old) {
            return format!("{place}{new}{rest}");
        }
    }
    name.to_owned()
}

//! Models on this machine.

use serde::{Deserialize, Serialize};
use tarim_recipe::Draft;
use ts_rs::TS;

use super::app::Problem;

/// All models found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Models {
    /// Usable ones first, by name.
    pub models: Vec<Model>,
    /// Folders that are looked through.
    pub folders: Vec<ModelFolder>,
    /// Whether a search is under way.
    pub scanning: bool,
}

/// A folder of models, used in place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ModelFolder {
    /// Where it is.
    pub path: String,
    /// Models found in it.
    pub models: u32,
    /// Whether Tarim brought it along.
    pub built_in: bool,
    /// What is wrong with it.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Model {
    /// Its id: stays the same while it lies in its place.
    pub id: String,
    /// File stem or folder name.
    pub name: String,
    /// Where it is, for people.
    pub path: String,
    /// `Stable Diffusion 1, inpainting`, for people; empty when it cannot be told.
    pub kind: String,
    /// `sd1`, `sd2`; empty when it cannot be told.
    pub family: String,
    /// What it draws from.
    pub task: ModelTask,
    /// Folder or single file.
    pub layout: String,
    /// Bytes on the disk.
    pub bytes: f64,
    /// SHA-256, once it was computed.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Whether it can be used.
    pub usable: bool,
    /// What is wrong with it and what to do.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The settings it is used with when nothing else is said, its native size among them.
    pub defaults: Draft,
    /// Whether it is the one used when none is named.
    pub is_default: bool,
    /// Pictures made with it.
    pub pictures: u32,
}

/// What a model draws from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ModelTask {
    /// A prompt.
    #[default]
    TextToImage,
    /// A prompt, a picture and a mask.
    Inpainting,
    /// An instruction and a picture.
    InstructPix2pix,
}

/// A folder of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Folder {
    /// Where it is.
    pub path: String,
}

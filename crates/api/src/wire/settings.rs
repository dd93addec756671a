//! What people choose once.

use serde::{Deserialize, Serialize};
use tarim_recipe::Precision;
use ts_rs::TS;

/// The settings. Kept in `settings.json`; unknown members of a newer version are kept as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Settings {
    /// Language of the UI.
    pub language: Language,
    /// Look of the UI.
    pub theme: Theme,
    /// Where pictures go.
    pub library_folder: String,
    /// File names of pictures, such as `[date]/[counter]-[prompt_words]`.
    pub name_template: String,
    /// Folders of models, used in place.
    pub model_folders: Vec<String>,
    /// The model that is used when none is named: its id.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_model: Option<String>,
    /// `auto`, `cpu`, `cuda:0`, `mps`.
    pub device: String,
    /// Further devices that render at the same time, each pictures of its own.
    #[serde(default)]
    pub more_devices: Vec<String>,
    /// How many pictures a device renders at once; 0 is as many as is best for it.
    #[serde(default)]
    pub pictures_at_once: u32,
    /// Arithmetic; the device's own choice when absent.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Minutes after which an idle renderer gives its memory back; 0 is never.
    pub release_after_minutes: u32,
    /// A preview with every so many steps; 0 is none.
    pub preview_every: u32,
    /// Whether the window keeps rendering in the background when it is closed with work queued: ask, keep, stop.
    pub on_close: OnClose,
    /// Whether the welcome was gone through.
    pub welcomed: bool,
}

/// Change settings. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(optional_fields)]
#[allow(missing_docs)] // each is the member of [`Settings`] of that name
pub struct ChangeSettings {
    pub language: Option<Language>,
    pub theme: Option<Theme>,
    pub library_folder: Option<String>,
    pub name_template: Option<String>,
    /// An empty id means the starter model.
    pub default_model: Option<String>,
    pub device: Option<String>,
    pub more_devices: Option<Vec<String>>,
    pub pictures_at_once: Option<u32>,
    /// `auto`, `fp32`, `bf16`, `fp16`.
    pub precision: Option<String>,
    pub release_after_minutes: Option<u32>,
    pub preview_every: Option<u32>,
    pub on_close: Option<OnClose>,
    pub embed_recipe: Option<bool>,
    pub welcomed: Option<bool>,
}

/// Languages of the UI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub enum Language {
    /// The system's, else English.
    #[default]
    #[serde(rename = "system")]
    System,
    /// English.
    #[serde(rename = "en")]
    En,
    /// 简体中文
    #[serde(rename = "zh-Hans")]
    ZhHans,
    /// 繁體中文
    #[serde(rename = "zh-Hant")]
    ZhHant,
}

/// Looks of the UI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// The system's.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
    /// A neutral mid-grey for judging colour.
    Grey,
}

/// What closing the window does while work is queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OnClose {
    /// Ask.
    #[default]
    Ask,
    /// Keep rendering without a window.
    Keep,
    /// Stop; the queue goes on at the next start.
    Stop,
}

/// See what a name template makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PreviewNames {
    /// The template.
    pub template: String,
}

/// What a name template makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NamePreview {
    /// A file name for a typical picture.
    pub example: String,
    /// What is odd about the template.
    pub problems: Vec<String>,
}

/// The devices of this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Devices {
    /// The best first.
    pub devices: Vec<Device>,
    /// Version of libtorch.
    pub libtorch: String,
    /// Such as why CUDA is not used.
    pub notes: Vec<String>,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Device {
    /// `cpu`, `cuda:0`, `mps`.
    pub id: String,
    /// Its maker's name for it.
    pub name: String,
    /// Bytes of memory, where known.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// What precision `auto` means on it.
    pub preferred_precision: Precision,
    /// Something to know about it.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Test a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TestDevice {
    /// `auto`, `cpu`, `cuda:0`, `mps`.
    pub device: String,
}

/// What a test measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct DeviceReport {
    /// The device that was tested.
    pub device: Device,
    /// Speed in each precision, 10⁹ operations a second.
    pub rates: Vec<DeviceRate>,
    /// Threads used on the CPU.
    pub threads: u32,
    /// Bytes of memory free.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_free: Option<f64>,
    /// Seconds that a 512x512 picture of Stable Diffusion 1.5 in 20 steps would take by that.
    pub seconds_sd15: f64,
    /// Seconds that a first picture of the starter model would take by that.
    pub seconds_starter: f64,
}

/// Speed in one precision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct DeviceRate {
    /// The arithmetic.
    pub precision: Precision,
    /// Matrix products.
    pub matmul_gflops: f64,
    /// 3x3 convolutions.
    pub conv_gflops: f64,
}

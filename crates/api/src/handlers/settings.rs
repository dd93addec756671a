//! Settings and devices.

use std::path::{Path, PathBuf};

use tarim_library::{DEFAULT_NAME_TEMPLATE, Id, NameParts, NameTemplate};
use tarim_recipe::{
    Draft, Environment, ModelDefaults, ModelFacts, ModelTask, Precision, Recipe, Seed, Size, prepare,
};
use tarim_render::{DeviceChoice, DeviceInfo, Rate, SelfTestReport};
use tarim_studio::settings as domain;

use super::{Answer, need_folders};
use crate::convert;
use crate::dispatch::Door;
use crate::error::{ErrorCode, WireError};
use crate::wire::Empty;
use crate::wire::settings::{
    ChangeSettings, Device, DeviceRate, DeviceReport, Devices, Language, NamePreview, OnClose, PreviewNames,
    Settings, TestDevice, Theme,
};

/// Operations of a step of Stable Diffusion 1.5 at 512x512 with guidance, 10⁹.
const SD15_STEP: f64 = 1360.0;
/// Operations that turn its latents into pixels, 10⁹.
const SD15_DECODE: f64 = 2500.0;
/// Steps of the example.
const SD15_STEPS: f64 = 20.0;
/// Operations of a picture of the starter model, 10⁹, roughly.
const STARTER: f64 = 150.0;
/// Seconds that the starter model takes whatever the device: starting the renderer, reading the model, small tensors.
const STARTER_OVERHEAD: f64 = 3.0;
/// What of a device's speed in single operations is left in a whole network.
const EFFICIENCY: f64 = 0.7;

pub(crate) fn wire(settings: &domain::Settings) -> Settings {
    Settings {
        language: match settings.language {
            domain::Language::System => Language::System,
            domain::Language::En => Language::En,
            domain::Language::ZhHans => Language::ZhHans,
            domain::Language::ZhHant => Language::ZhHant,
        },
        theme: match settings.theme {
            domain::Theme::System => Theme::System,
            domain::Theme::Light => Theme::Light,
            domain::Theme::Dark => Theme::Dark,
            domain::Theme::Grey => Theme::Grey,
        },
        library_folder: convert::shown(&settings.library_folder),
        name_template: settings.name_template.clone(),
        model_folders: settings.model_folders.iter().map(|folder| convert::shown(folder)).collect(),
        default_model: settings.default_model.clone(),
        device: settings.device.to_string(),
        more_devices: settings.more_devices.iter().map(ToString::to_string).collect(),
        pictures_at_once: settings.pictures_at_once,
        precision: settings.precision,
        release_after_minutes: settings.release_after_minutes,
        preview_every: settings.preview_every,
        on_close: match settings.on_close {
            domain::OnClose::Ask => OnClose::Ask,
            domain::OnClose::Keep => OnClose::Keep,
            domain::OnClose::Stop => OnClose::Stop,
        },
        welcomed: settings.welcomed,
    }
}

pub(crate) fn get_settings(door: &Door<'_>, _: Empty) -> Answer<Settings> {
    Ok(wire(&door.studio.settings()))
}

pub(crate) fn change_settings(door: &Door<'_>, request: ChangeSettings) -> Answer<Settings> {
    let library_folder = request.library_folder.map(|folder| PathBuf::from(folder.trim()));
    if library_folder.as_ref().is_some_and(|folder| *folder != door.studio.settings().library_folder) {
        need_folders(door)?;
    }
    let device = request.device.as_deref().map(device_choice).transpose()?;
    let more_devices = request.more_devices;
    let more_devices =
        more_devices.map(|all| all.iter().map(|text| device_choice(text)).collect::<Answer<Vec<_>>>());
    let more_devices = more_devices.transpose()?;
    let precision = request.precision.as_deref().map(precision).transpose()?;
    if let Some(id) = request.default_model.as_deref().filter(|id| !id.is_empty()) {
        // One that cannot be used is refused here, with what is wrong with it.
        door.studio.models().find(Some(id))?;
    }
    let settings = door.studio.change_settings(|settings| {
        if let Some(language) = request.language {
            settings.language = match language {
                Language::System => domain::Language::System,
                Language::En => domain::Language::En,
                Language::ZhHans => domain::Language::ZhHans,
                Language::ZhHant => domain::Language::ZhHant,
            };
        }
        if let Some(theme) = request.theme {
            settings.theme = match theme {
                Theme::System => domain::Theme::System,
                Theme::Light => domain::Theme::Light,
                Theme::Dark => domain::Theme::Dark,
                Theme::Grey => domain::Theme::Grey,
            };
        }
        if let Some(on_close) = request.on_close {
            settings.on_close = match on_close {
                OnClose::Ask => domain::OnClose::Ask,
                OnClose::Keep => domain::OnClose::Keep,
                OnClose::Stop => domain::OnClose::Stop,
            };
        }
        set(&mut settings.library_folder, library_folder);
        let template = request.name_template.map(|template| template.trim().to_owned());
        // An empty one means the usual names.
        let usual = || DEFAULT_NAME_TEMPLATE.to_owned();
        set(&mut settings.name_template, template.map(|it| if it.is_empty() { usual() } else { it }));
        set(
            &mut settings.default_model,
            request.default_model.map(|id| Some(id).filter(|id| !id.is_empty())),
        );
        set(&mut settings.device, device);
        set(&mut settings.more_devices, more_devices);
        set(&mut settings.pictures_at_once, request.pictures_at_once);
        set(&mut settings.precision, precision);
        set(&mut settings.release_after_minutes, request.release_after_minutes);
        set(&mut settings.preview_every, request.preview_every);
        set(&mut settings.welcomed, request.welcomed);
    })?;
    Ok(wire(&settings))
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn device_choice(text: &str) -> Answer<DeviceChoice> {
    text.parse().map_err(|error: tarim_render::ParseDeviceError| {
        WireError::new(ErrorCode::BadInput, error.to_string())
    })
}

fn precision(text: &str) -> Answer<Option<Precision>> {
    match text {
        "" | "auto" => Ok(None),
        "fp32" => Ok(Some(Precision::Fp32)),
        "bf16" => Ok(Some(Precision::Bf16)),
        "fp16" => Ok(Some(Precision::Fp16)),
        other => {
            let shown: String = other.chars().take(40).collect();
            let message = format!("`{shown}` is no precision: use `auto`, `fp32`, `bf16` or `fp16`");
            Err(WireError::new(ErrorCode::BadInput, message))
        }
    }
}

pub(crate) fn preview_names(door: &Door<'_>, request: PreviewNames) -> Answer<NamePreview> {
    if request.template.len() > 500 {
        let message = format!("the template has {} bytes; 500 are allowed", request.template.len());
        return Err(WireError::new(ErrorCode::BadInput, message));
    }
    let (template, remarks) = NameTemplate::parse(&request.template);
    let recipe = typical_recipe()?;
    let parts = NameParts {
        id: Id::from_bytes([0x1f; 16]),
        created: door.studio.now(),
        recipe: &recipe,
        number: 0,
        count: 4,
        project: Some("Loulan"),
    };
    let problems = remarks.into_iter().map(|remark| {
        let place = request.template.get(remark.span).unwrap_or_default();
        let instead = remark.suggestion.map(|word| format!("; is it {word}?")).unwrap_or_default();
        format!("`{place}`: {}{instead}", remark.message)
    });
    Ok(NamePreview {
        example: format!("{}.png", without_ending(&template.example(&parts))),
        problems: problems.collect(),
    })
}

fn without_ending(name: &str) -> &str {
    name.strip_suffix(".png").unwrap_or(name)
}

fn typical_recipe() -> Answer<Recipe> {
    let facts = ModelFacts {
        name: "starter".to_owned(),
        hash: Some("0123456789abcdef".repeat(4)),
        task: ModelTask::TextToImage,
        native_size: Size::nearest(512, 512),
        defaults: ModelDefaults::default(),
    };
    let prompt = "a red fox in the snow, golden hour, 楼兰".into();
    let draft = Draft { prompt: Some(prompt), seed: Some(Seed(1234)), ..Draft::default() };
    let environment = Environment { fresh_seed: Seed(0), precision: Precision::Fp32 };
    let (recipe, _) = prepare(&draft, &facts, &environment)
        .map_err(|error| WireError::new(ErrorCode::Internal, error.to_string()))?;
    Ok(recipe)
}

pub(crate) fn list_devices(door: &Door<'_>, _: Empty) -> Answer<Devices> {
    let hello = door.studio.devices()?;
    Ok(Devices {
        devices: hello.devices.iter().map(device).collect(),
        libtorch: hello.libtorch,
        notes: hello.notes,
    })
}

pub(crate) fn test_device(door: &Door<'_>, request: TestDevice) -> Answer<DeviceReport> {
    let (info, report) = door.studio.test_device(device_choice(&request.device)?)?;
    Ok(device_report(&info, &report))
}

fn device(info: &DeviceInfo) -> Device {
    Device {
        id: info.id.to_string(),
        name: info.name.clone(),
        memory: info.memory.map(|bytes| bytes as f64),
        preferred_precision: info.preferred_precision,
        note: info.note.clone(),
    }
}

fn device_report(info: &DeviceInfo, report: &SelfTestReport) -> DeviceReport {
    // What will be used, else the fastest.
    let used = report.rates.iter().find(|rate| rate.precision == info.preferred_precision);
    let rate =
        used.or_else(|| report.rates.iter().max_by(|a, b| speed(a).total_cmp(&speed(b)))).map_or(0.0, speed);
    let seconds = |operations: f64| if rate > 0.0 { operations / (rate * EFFICIENCY) } else { f64::MAX };
    DeviceReport {
        device: device(info),
        rates: report
            .rates
            .iter()
            .map(|rate| DeviceRate {
                precision: rate.precision,
                matmul_gflops: rate.matmul_gflops,
                conv_gflops: rate.conv_gflops,
            })
            .collect(),
        threads: report.threads,
        memory_free: report.memory_free.map(|bytes| bytes as f64),
        seconds_sd15: seconds(SD15_STEP * SD15_STEPS + SD15_DECODE),
        seconds_starter: STARTER_OVERHEAD + seconds(STARTER),
    }
}

/// Half of the work is convolutions and half matrix products: the harmonic mean.
fn speed(rate: &Rate) -> f64 {
    let sum = rate.matmul_gflops + rate.conv_gflops;
    if sum > 0.0 { 2.0 * rate.matmul_gflops * rate.conv_gflops / sum } else { 0.0 }
}

/// Whether a text may be a folder's path at all.
pub(crate) fn folder(text: &str) -> Answer<&Path> {
    let text = text.trim();
    if text.is_empty() || text.contains('\0') {
        return Err(WireError::new(ErrorCode::BadInput, "no folder is named"));
    }
    Ok(Path::new(text))
}

//! diffusers 0.3.1 as a peer: renders one case from given noise and text encodings, with timings.
//!
//! `peer-diffusers-rs MODEL INPUTS OUTPUT --scheduler NAME --steps N --guidance SCALE`
//!
//! - MODEL is a folder in diffusers' layout whose VAE attention carries its names of 2023
//!   (`tests/parity/peers.py` writes such a copy).
//! - INPUTS is a safetensors file with `noise` [1, 4, h, w], unit variance, and `context` [2, 77, d], the encoding of the
//!   negative prompt before that of the prompt.
//! - OUTPUT gets `latents` and `image` ([1, 3, 8h, 8w], 0 to 1). Timings go to standard output as one line of JSON.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use diffusers::models::{unet_2d, vae};
use diffusers::schedulers::{
    PredictionType, ddim, dpmsolver_multistep, euler_discrete, heun_discrete, k_dpm_2_discrete, lms_discrete,
    pndm,
};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor, nn};

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let mut paths = Vec::new();
    let mut options = HashMap::new();
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some(name) => {
                options.insert(name.to_owned(), words.next().context("an option lacks its value")?);
            }
            None => paths.push(PathBuf::from(word)),
        }
    }
    let [model, inputs, output] = paths.as_slice() else {
        bail!("usage: MODEL INPUTS OUTPUT [--option value]…")
    };
    let option = |name: &str, default: &str| options.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let case = Case {
        scheduler: option("scheduler", "ddim"),
        steps: option("steps", "10").parse()?,
        guidance: option("guidance", "7.5").parse()?,
    };
    let _no_grad = tch::no_grad_guard();
    let figures = render(model, inputs, output, &case)?;
    println!("{figures}");
    Ok(())
}

struct Case {
    scheduler: String,
    steps: usize,
    guidance: f64,
}

fn render(model: &Path, inputs: &Path, output: &Path, case: &Case) -> Result<Value> {
    let start = Instant::now();
    let (unet, prediction) = load_unet(model)?;
    let (vae, scaling_factor) = load_vae(model)?;
    let tensors: HashMap<String, Tensor> = Tensor::read_safetensors(inputs)?.into_iter().collect();
    let tensor =
        |name: &str| tensors.get(name).with_context(|| format!("{name} is not in {}", inputs.display()));
    let context = tensor("context")?.to_kind(Kind::Float);
    let noise = tensor("noise")?.to_kind(Kind::Float);

    let mut first = None;
    let sampling = Instant::now();
    let latents = {
        let mut denoise = |latents: &Tensor, timestep: f64| {
            let both = Tensor::cat(&[latents, latents], 0);
            let predicted = unet.forward(&both, timestep, &context).chunk(2, 0);
            first.get_or_insert(start.elapsed().as_secs_f64());
            &predicted[0] + (&predicted[1] - &predicted[0]) * case.guidance
        };
        sample(case, prediction, noise, &mut denoise)?
    };
    let step_seconds = sampling.elapsed().as_secs_f64() / case.steps as f64;
    let decoding = Instant::now();
    let image = (vae.decode(&(&latents / scaling_factor)) / 2. + 0.5).clamp(0., 1.);
    let decode_seconds = decoding.elapsed().as_secs_f64();
    Tensor::write_safetensors(&[("latents", &latents), ("image", &image)], output)?;
    Ok(json!({
        "step_seconds": step_seconds,
        "decode_seconds": decode_seconds,
        "cold_start_seconds": first,
        "peak_rss_bytes": peak_memory(),
    }))
}

type Denoise<'a> = dyn FnMut(&Tensor, f64) -> Tensor + 'a;

fn sample(
    case: &Case,
    prediction_type: PredictionType,
    noise: Tensor,
    denoise: &mut Denoise,
) -> Result<Tensor> {
    // The schedulers share no trait; what differs is whether they keep state and how they write a timestep.
    macro_rules! run {
        ($module:ident :: $scheduler:ident, $config:ident) => {{
            let config = $module::$config { prediction_type, ..Default::default() };
            #[allow(unused_mut)]
            let mut scheduler = $module::$scheduler::new(case.steps, config);
            let mut latents = noise * scheduler.init_noise_sigma();
            for timestep in scheduler.timesteps().to_vec() {
                let input = scheduler.scale_model_input(latents.shallow_clone(), timestep);
                let predicted = denoise(&input, timestep as f64);
                latents = scheduler.step(&predicted, timestep, &latents);
            }
            latents
        }};
    }
    Ok(match case.scheduler.as_str() {
        "ddim" => run!(ddim::DDIMScheduler, DDIMSchedulerConfig),
        "dpm++2m" => {
            run!(dpmsolver_multistep::DPMSolverMultistepScheduler, DPMSolverMultistepSchedulerConfig)
        }
        "euler" => run!(euler_discrete::EulerDiscreteScheduler, EulerDiscreteSchedulerConfig),
        "heun" => run!(heun_discrete::HeunDiscreteScheduler, HeunDiscreteSchedulerConfig),
        "dpm2" => run!(k_dpm_2_discrete::KDPM2DiscreteScheduler, KDPM2DiscreteSchedulerConfig),
        "lms" => run!(lms_discrete::LMSDiscreteScheduler, LMSDiscreteSchedulerConfig),
        "pndm" => run!(pndm::PNDMScheduler, PNDMSchedulerConfig),
        other => bail!("unknown scheduler: {other}"),
    })
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn integer(config: &Value, key: &str) -> Result<i64> {
    config[key].as_i64().with_context(|| format!("`{key}` is no integer"))
}

fn load_unet(model: &Path) -> Result<(unet_2d::UNet2DConditionModel, PredictionType)> {
    let config = read(&model.join("unet/config.json"))?;
    let scheduler = read(&model.join("scheduler/scheduler_config.json"))?;
    let prediction = match scheduler["prediction_type"].as_str() {
        Some("v_prediction") => PredictionType::VPrediction,
        _ => PredictionType::Epsilon,
    };
    let widths = config["block_out_channels"].as_array().context("no block_out_channels")?;
    let blocks =
        widths.iter().zip(config["down_block_types"].as_array().context("no down_block_types")?).enumerate();
    let blocks = blocks
        .map(|(i, (width, kind))| {
            // diffusers calls the number of heads `attention_head_dim`, and so does this crate.
            let heads = &config["attention_head_dim"];
            let heads = heads.get(i).unwrap_or(heads).as_i64().context("no attention_head_dim")?;
            Ok(unet_2d::BlockConfig {
                out_channels: width.as_i64().context("a width is no integer")?,
                use_cross_attn: kind == "CrossAttnDownBlock2D",
                attention_head_dim: heads,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let ours = unet_2d::UNet2DConditionModelConfig {
        blocks,
        center_input_sample: false,
        cross_attention_dim: integer(&config, "cross_attention_dim")?,
        downsample_padding: 1,
        flip_sin_to_cos: true,
        freq_shift: 0.,
        layers_per_block: integer(&config, "layers_per_block")?,
        mid_block_scale_factor: 1.,
        norm_eps: 1e-5,
        norm_num_groups: integer(&config, "norm_num_groups")?,
        sliced_attention_size: None,
        use_linear_projection: config["use_linear_projection"].as_bool().unwrap_or(false),
    };
    let mut store = nn::VarStore::new(Device::Cpu);
    let unet = unet_2d::UNet2DConditionModel::new(store.root(), 4, 4, ours);
    load(&mut store, &model.join("unet/diffusion_pytorch_model.safetensors"))?;
    Ok((unet, prediction))
}

fn load_vae(model: &Path) -> Result<(vae::AutoEncoderKL, f64)> {
    let config = read(&model.join("vae/config.json"))?;
    let widths = config["block_out_channels"].as_array().context("no block_out_channels")?;
    let ours = vae::AutoEncoderKLConfig {
        block_out_channels: widths.iter().filter_map(Value::as_i64).collect(),
        layers_per_block: integer(&config, "layers_per_block")?,
        latent_channels: integer(&config, "latent_channels")?,
        norm_num_groups: integer(&config, "norm_num_groups")?,
    };
    let mut store = nn::VarStore::new(Device::Cpu);
    let vae = vae::AutoEncoderKL::new(store.root(), 3, 3, ours);
    load(&mut store, &model.join("vae/diffusion_pytorch_model.safetensors"))?;
    Ok((vae, config["scaling_factor"].as_f64().unwrap_or(0.18215)))
}

fn load(store: &mut nn::VarStore, path: &Path) -> Result<()> {
    store.load(path).map_err(|error| anyhow!("could not load {}: {error}", path.display()))
}

/// The most memory this process held, in bytes, where Linux tells.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

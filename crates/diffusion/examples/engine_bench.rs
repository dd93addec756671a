//! Times the networks on a model folder and prints one line of JSON, for `cargo xtask bench engine`.
//!
//! `engine_bench --model DIR [--precision bf16|fp32|fp16] [--device cpu|cuda:N] [--size 512] [--steps 3] [--threads N]`

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use tarim_checkpoint::Checkpoint;
use tarim_diffusion::device::{self, DeviceChoice};
use tarim_diffusion::nets::{AutoencoderKl, ClipTextModel, Unet};
use tarim_recipe::Precision;
use tch::{Device, Kind, Tensor};

struct Options {
    model: PathBuf,
    precision: Option<Precision>,
    device: DeviceChoice,
    size: i64,
    steps: usize,
    threads: Option<i32>,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut found = Options {
        model: PathBuf::new(),
        precision: None,
        device: DeviceChoice::Cpu,
        size: 512,
        steps: 3,
        threads: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--model" => found.model = value.into(),
            "--precision" => {
                found.precision = match value.as_str() {
                    "fp32" => Some(Precision::Fp32),
                    "bf16" => Some(Precision::Bf16),
                    "fp16" => Some(Precision::Fp16),
                    _ => return Err(format!("unknown precision {value}").into()),
                }
            }
            "--device" => found.device = value.parse()?,
            "--size" => found.size = value.parse()?,
            "--steps" => found.steps = value.parse()?,
            "--threads" => found.threads = Some(value.parse()?),
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    Ok(found)
}

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let options = options()?;
    let selected = device::select(options.device, options.precision)?;
    let (device, kind) = (selected.device, selected.kind);
    if let Some(threads) = options.threads {
        tch::set_num_threads(threads);
    }
    let _no_grad = tch::no_grad_guard();

    let checkpoint = Checkpoint::open(&options.model)?;
    let (text, unet, vae) = (checkpoint.text_encoder(), checkpoint.unet(), checkpoint.vae());
    let clip = ClipTextModel::load(&text.config, &text.weights, device, kind)?;
    let unet = Unet::load(&unet.config, &unet.weights, device, kind)?;
    let vae = AutoencoderKl::load_decoder(&vae.config, &vae.weights, device, kind)?;
    let load_seconds = start.elapsed().as_secs_f64();
    let load_cpu = cpu_seconds();

    // A prompt and its negative, of start and end tokens only.
    let ids = Tensor::full([2, 77], 49407, (Kind::Int64, Device::Cpu));
    let _start = ids.narrow(1, 0, 1).fill_(49406);
    let encode = || -> Result<(Tensor, f64), Box<dyn Error>> {
        let start = Instant::now();
        let hidden = clip.forward(&ids, 1)?.hidden;
        hidden.mean(Kind::Float).double_value(&[]);
        Ok((hidden, start.elapsed().as_secs_f64()))
    };
    let (context, _first) = encode()?;
    let side = options.size / vae.factor();
    let latents = Tensor::randn([2, unet.in_channels(), side, side], (Kind::Float, device));
    let step = || -> Result<f64, Box<dyn Error>> {
        let start = Instant::now();
        unet.forward(&latents, &[500.0], &context)?.mean(Kind::Float).double_value(&[]);
        Ok(start.elapsed().as_secs_f64())
    };
    let first_step = step()?;
    let cold_start = start.elapsed().as_secs_f64();
    let before_steps = cpu_seconds();
    let steps = (0..options.steps).map(|_| step()).collect::<Result<Vec<_>, _>>()?;
    let steps_cpu =
        cpu_seconds().zip(before_steps).map(|(after, before)| (after - before) / steps.len() as f64);
    let decode = || -> Result<f64, Box<dyn Error>> {
        let start = Instant::now();
        let _picture = vae.decode(&latents.narrow(0, 0, 1).narrow(1, 0, 4))?;
        Ok(start.elapsed().as_secs_f64())
    };
    let before_decode = cpu_seconds();
    let decode_seconds = decode()?;
    let decode_cpu = cpu_seconds().zip(before_decode).map(|(after, before)| after - before);
    let (_, text_seconds) = encode()?;
    let peak = peak_rss();
    let rates = device::self_test(device, kind)?;

    let step_flop = 2.0 * unet.flop(side, side, 77);
    println!(
        "{}",
        serde_json::json!({
            "engine": "tarim",
            "device": format!("{device:?}"),
            "precision": format!("{kind:?}"),
            "threads": tch::get_num_threads(),
            "size": options.size,
            "load_seconds": load_seconds,
            "load_cpu_seconds": load_cpu,
            "step_cpu_seconds": steps_cpu,
            "decode_cpu_seconds": decode_cpu,
            "text_seconds": text_seconds,
            "first_step_seconds": first_step,
            "cold_start_seconds": cold_start,
            "step_seconds": median(&steps),
            "steps_seconds": steps,
            "decode_seconds": decode_seconds,
            "peak_rss_bytes": peak,
            "step_flop": step_flop,
            "conv_gflops": rates.conv_gflops,
            "matmul_gflops": rates.matmul_gflops,
            "floor_seconds": step_flop / 1e9 / rates.conv_gflops.max(rates.matmul_gflops),
        })
    );
    Ok(())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Processor time of all threads so far, which on a shared machine says more than the clock; known on Linux only.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // User and system time are the 14th and 15th fields, in ticks of 10 ms, after a name that may hold spaces.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

/// Most memory that this process ever held, in bytes; known on Linux only.
fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}

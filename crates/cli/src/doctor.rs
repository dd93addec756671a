//! `tarim doctor`: whether this machine can render, and how fast.

use serde_json::json;
use tarim_recipe::Precision;
use tarim_render::{DeviceInfo, Hello, Renderer, SelfTestReport};

use crate::args::DoctorOptions;
use crate::environment::Environment;
use crate::failure::{Failure, Result};
use crate::output;

pub(crate) fn run(options: &DoctorOptions, environment: &Environment) -> Result<()> {
    let program = environment.renderer_options()?;
    let libtorch = environment.libtorch();
    let name_libtorch = || {
        libtorch.as_ref().map_or_else(|| "left to the system".to_owned(), |path| path.display().to_string())
    };
    if !options.json {
        output::line(&format!("renderer   {}", program.program.display()));
        output::line(&format!("libtorch   {}", name_libtorch()));
    }
    let renderer = environment.renderer()?;
    let hello = renderer.start()?;
    let device = hello.device(options.device).ok_or_else(|| {
        let failure = Failure::bad_input(format!("there is no device `{}`", options.device));
        if hello.notes.is_empty() { failure } else { failure.hint(hello.notes.join("; ")) }
    })?;
    let report = renderer.self_test(device.id)?;
    if options.json {
        output::json_line(&json!({
            "renderer": program.program.to_string_lossy(),
            "libtorch": libtorch.as_ref().map(|path| path.to_string_lossy()),
            "hello": hello,
            "tested": device.id,
            "self_test": report,
        }));
    } else {
        show(&hello, device, &report);
    }
    Ok(())
}

fn show(hello: &Hello, tested: &DeviceInfo, report: &SelfTestReport) {
    output::line(&format!("versions   renderer {}, libtorch {}", hello.renderer_version, hello.libtorch));
    for device in &hello.devices {
        let memory = device.memory.map(|memory| format!(", {}", output::bytes(memory))).unwrap_or_default();
        let precision = precision_name(device.preferred_precision);
        output::line(&format!("device     {}: {}{memory}, renders in {precision}", device.id, device.name));
        if let Some(note) = &device.note {
            output::line(&format!("           {note}"));
        }
    }
    for note in &hello.notes {
        output::line(&format!("           {note}"));
    }
    output::line(&format!("self-test  {} with {} threads", tested.id, report.threads));
    for rate in &report.rates {
        output::line(&format!(
            "           {}: matrix products {:.0} GFLOP/s, convolutions {:.0} GFLOP/s",
            precision_name(rate.precision),
            rate.matmul_gflops,
            rate.conv_gflops
        ));
    }
    if let Some(free) = report.memory_free {
        output::line(&format!("           {} of memory free", output::bytes(free)));
    }
}

fn precision_name(precision: Precision) -> &'static str {
    match precision {
        Precision::Fp32 => "fp32",
        Precision::Bf16 => "bf16",
        Precision::Fp16 => "fp16",
    }
}

//! Measures pictures a second by how many share the calls of the network, on the CPU: `batch_bench MODEL [SIDE]` prints JSON.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // a program; a failure ends it

use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};
use tarim_diffusion::device::DeviceChoice;
use tarim_diffusion::pipeline::{LoadOptions, Pipeline, RenderInputs};
use tarim_recipe::{Precision, Recipe};

const PICTURES: u64 = 8;

fn main() {
    let model = PathBuf::from(std::env::args_os().nth(1).unwrap());
    let side = std::env::args().nth(2).map_or(128, |side| side.parse::<u32>().unwrap());
    let mut rows: Vec<Value> = Vec::new();
    for (name, precision) in [("fp32", Precision::Fp32), ("bf16", Precision::Bf16)] {
        let options =
            LoadOptions { device: DeviceChoice::Cpu, precision: Some(precision), pictures_per_call: None };
        let mut pipeline = Pipeline::load(&model, &options).unwrap();
        let text = format!(
            r#"{{"tarim_recipe":1,"model":{{"name":"starter"}},"prompt":"a fox in the dunes","sampler":"Euler",
            "steps":10,"seed":"1","size":{{"width":{side},"height":{side}}},"guidance_scale":5,"precision":"{name}"}}"#
        );
        let recipe = Recipe::from_json(&text).unwrap();
        let recipes: Vec<Recipe> = (0..PICTURES).map(|index| recipe.nth(index)).collect();
        let inputs: Vec<_> =
            recipes.iter().map(|recipe| RenderInputs { recipe, init: None, mask: None }).collect();
        pipeline.render_batch(&inputs[..1], &mut ()).unwrap();
        for together in [1, 2, 4, 8] {
            pipeline.share_calls(together);
            // The best of two: others work on the machine too.
            let seconds = (0..2).map(|_| {
                let began = Instant::now();
                pipeline.render_batch(&inputs, &mut ()).unwrap();
                began.elapsed().as_secs_f64()
            });
            let rate = PICTURES as f64 / seconds.fold(f64::INFINITY, f64::min);
            rows.push(json!({ "precision": name, "together": together, "pictures_per_second": rate }));
        }
    }
    println!("{}", json!({ "rows": rows }));
}

//! Each network against the reference implementation's recorded outputs (`tests/parity/nets.py`), in float32 to
//! 1e-4 relative error and in bfloat16 to its own precision.

#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking as well.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tarim_checkpoint::Weights;
use tarim_diffusion::nets::{AutoencoderKl, ClipTextModel, Unet};
use tch::{Device, Kind, Tensor};

/// Largest error of any element in float32, relative to the reference's root mean square.
const TOLERANCE: f64 = 1e-4;
/// Root mean square of the errors in bfloat16, relative likewise; the reference itself in bfloat16 is up to 0.07 off.
const BF16_TOLERANCE: f64 = 0.1;

struct Case {
    config: String,
    weights: Weights,
    io: HashMap<String, Tensor>,
}

impl Case {
    fn open(name: &str) -> Self {
        let folder = folder(name);
        let io = Tensor::read_safetensors(folder.join("io.safetensors")).unwrap();
        Self {
            config: std::fs::read_to_string(folder.join("config.json")).unwrap(),
            weights: open_weights(&folder.join("weights.safetensors")),
            io: io.into_iter().collect(),
        }
    }

    fn config<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.config).unwrap()
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/nets").join(name)
}

fn open_weights(path: &Path) -> Weights {
    Weights::open(path).unwrap()
}

#[track_caller]
fn assert_close(name: &str, kind: Kind, found: &Tensor, expected: &Tensor) {
    assert_eq!(found.size(), expected.size(), "{name}");
    let expected = expected.to_kind(Kind::Double);
    let error = found.to_kind(Kind::Double) - &expected;
    let root_mean_square = |x: &Tensor| x.square().mean(Kind::Double).sqrt().double_value(&[]);
    let (error, tolerance) = match kind {
        Kind::Float => (error.abs().max().double_value(&[]), TOLERANCE),
        _ => (root_mean_square(&error), BF16_TOLERANCE),
    };
    let relative = error / root_mean_square(&expected);
    assert!(relative <= tolerance, "{name} in {kind:?}: relative error {relative:.2e}");
}

#[test]
fn unets_predict_what_the_reference_predicts() {
    let check = |name: &str| {
        let case = Case::open(name);
        let io = &case.io;
        let timesteps = Vec::<f64>::try_from(&io["timesteps"]).unwrap();
        for kind in [Kind::Float, Kind::BFloat16] {
            let unet = Unet::load(&case.config(), &case.weights, Device::Cpu, kind).unwrap();
            let output = unet.forward(&io["sample"], &timesteps, &io["context"]).unwrap();
            assert_eq!(output.kind(), Kind::Float);
            assert_close(name, kind, &output, &io["output"]);
        }
    };
    check("unet-conv-projection");
    check("unet-linear-projection-inpainting");
    check("unet-text-time");
    check("unet-one-block");
}

#[test]
fn autoencoders_encode_and_decode_as_the_reference_does() {
    let check = |name: &str| {
        let case = Case::open(name);
        let io = &case.io;
        for kind in [Kind::Float, Kind::BFloat16] {
            let vae = AutoencoderKl::load(&case.config(), &case.weights, Device::Cpu, kind).unwrap();
            let posterior = vae.encode(&io["picture"]).unwrap();
            assert_close(&format!("{name} mean"), kind, &posterior.mean, &io["mean"]);
            assert_close(&format!("{name} logvar"), kind, &posterior.logvar, &io["logvar"]);
            assert_close(
                &format!("{name} decoded"),
                kind,
                &vae.decode(&io["latents"]).unwrap(),
                &io["decoded"],
            );
            let decoder =
                AutoencoderKl::load_decoder(&case.config(), &case.weights, Device::Cpu, kind).unwrap();
            assert_close(name, kind, &decoder.decode(&io["latents"]).unwrap(), &io["decoded"]);
            decoder.encode(&io["picture"]).unwrap_err();
        }
    };
    check("vae");
    check("vae-no-attention");
    check("vae-one-level");
}

#[test]
fn text_encoders_encode_as_the_reference_does() {
    let check = |name: &str, layers: usize| {
        let case = Case::open(name);
        let io = &case.io;
        for kind in [Kind::Float, Kind::BFloat16] {
            let clip = ClipTextModel::load(&case.config(), &case.weights, Device::Cpu, kind).unwrap();
            assert_eq!(clip.layers(), layers);
            for skip in 1..=layers {
                let encoding = clip.forward(&io["ids"], skip).unwrap();
                let expected = &io[&format!("skip{skip}")];
                assert_close(&format!("{name} skip {skip}"), kind, &encoding.hidden, expected);
                assert_close(&format!("{name} pooled"), kind, &encoding.pooled, &io["pooled"]);
            }
            clip.forward(&io["ids"], 0).unwrap_err();
            clip.forward(&io["ids"], layers + 1).unwrap_err();
            clip.forward(&(&io["ids"] + 1000), 1).unwrap_err();
        }
    };
    check("clip-quick-gelu", 3);
    check("clip-gelu", 2);
}

#[test]
fn unfit_configurations_and_inputs_are_errors_that_say_what_is_wrong() {
    let case = Case::open("unet-conv-projection");
    let check = |field: &str, value: &str, expected: &str| {
        let mut config: serde_json::Value = case.config();
        config[field] = serde_json::from_str(value).unwrap();
        let config = serde_json::from_value(config).unwrap();
        let error = Unet::load(&config, &case.weights, Device::Cpu, Kind::Float).unwrap_err();
        assert!(error.to_string().contains(expected), "{field} {value}: {error}");
    };
    check("cross_attention_dim", "16", "transformer_blocks.0.attn2.to_k.weight");
    check("block_out_channels", "[8, 16, 16]", "must be as many");
    check("norm_num_groups", "3", "8 channels cannot be split into 3 groups");
    check("layers_per_block", "3", "down_blocks.0.resnets.1.norm1.weight");
    check("attention_head_dim", "3", "8 channels cannot be split into 3 heads");
    check("down_block_types", r#"["KDownBlock2D", "DownBlock2D"]"#, "KDownBlock2D");
    check("act_fn", r#""snake""#, "snake");
    check("addition_embed_type", r#""text_image""#, "text_image");
    check("class_embed_type", r#""timestep""#, "class embeddings");

    let unet = Unet::load(&case.config(), &case.weights, Device::Cpu, Kind::Float).unwrap();
    let io = &case.io;
    unet.forward(&io["sample"].narrow(1, 0, 3), &[1.0], &io["context"]).unwrap_err();
    unet.forward(&io["sample"], &[1.0, 2.0, 3.0], &io["context"]).unwrap_err();
    unet.forward(&io["sample"], &[f64::NAN], &io["context"]).unwrap_err();
    unet.forward(&io["sample"], &[1.0], &io["context"].narrow(0, 0, 1)).unwrap_err();
}

#[test]
fn damaged_weights_are_errors_that_name_the_tensor() {
    let case = Case::open("unet-conv-projection");
    let good = Tensor::read_safetensors(folder("unet-conv-projection").join("weights.safetensors")).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let check = |name: &str, damage: &dyn Fn(&Tensor) -> Tensor, expected: &str| {
        let tensors: Vec<_> =
            good.iter().map(|(n, t)| (n, if n == name { damage(t) } else { t.shallow_clone() })).collect();
        let file = temporary.path().join("weights.safetensors");
        Tensor::write_safetensors(&tensors, &file).unwrap();
        let weights = open_weights(&file);
        let error =
            Unet::load(&case.config(), &weights, Device::Cpu, Kind::BFloat16).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{error}");
    };
    let conv = "mid_block.resnets.1.conv2.weight";
    check(conv, &|t| t.to_kind(Kind::Float) * f64::NAN, "not numbers");
    check(conv, &|t| t.to_kind(Kind::Float) / 0.0, "not numbers");
    check(conv, &|t| t.to_kind(Kind::Int64), "holds I64");
    check(conv, &|t| t.narrow(0, 0, 3).contiguous(), "[3, 16, 3, 3]");
    check(
        "up_blocks.0.upsamplers.0.conv.weight",
        &|t| t.to_kind(Kind::Double) * f64::INFINITY,
        "not numbers",
    );
}

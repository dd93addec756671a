//! The recorded models: kinds, fits, hashes, and the shapes of models of true size.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::fs;

use common::{Tensors, as_single_file, copy, golden, read, write};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tarim_checkpoint::{
    Checkpoint, ClipTextConfig, ExpectedTensor, Family, Kind, PredictionType, Task, Thoroughness, UnetConfig,
    VaeConfig, Weights,
};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[test]
fn kinds_are_told_and_every_tensor_is_accounted_for() {
    let check = |name: &str, family: Family, task: Task, prediction: PredictionType| {
        let model = Checkpoint::open(&golden(name)).unwrap();
        assert_eq!(model.kind(), Kind { family, task, prediction }, "{name}");
        model.check().unwrap();
        for (part, fit) in model.fits() {
            assert_eq!(fit.extra, Vec::<String>::new(), "{name} {part}");
        }
        for weights in [&model.unet().weights, &model.vae().weights, &model.text_encoder().weights] {
            assert_eq!(weights.not_finite(Thoroughness::All), [], "{name}");
        }
    };
    let (epsilon, v) = (PredictionType::Epsilon, PredictionType::VPrediction);
    check("sd1", Family::Sd1, Task::TextToImage, epsilon);
    check("sd2-v", Family::Sd2, Task::TextToImage, v);
    check("inpainting", Family::Sd1, Task::Inpainting, epsilon);
    check("pix2pix", Family::Sd1, Task::InstructPix2Pix, epsilon);
    check("one-level", Family::Sd1, Task::TextToImage, epsilon);
    check("three-levels", Family::Sd1, Task::TextToImage, epsilon);
    check("text-time", Family::Sd1, Task::TextToImage, v);
}

#[test]
fn models_of_true_size_need_the_tensors_that_the_reference_has() {
    let recorded: Value = serde_json::from_slice(&fs::read(golden("shapes.json")).unwrap()).unwrap();
    let check = |name: &str, mut expected: Vec<ExpectedTensor>| {
        expected.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(recorded[name]["tensors"], expected.len(), "{name}");
        let lines: Vec<String> = expected.iter().map(|t| format!("{} {:?}\n", t.name, t.shape)).collect();
        let digest = sha256(lines.concat().as_bytes());
        assert_eq!(recorded[name]["sha256"], digest, "{name}");
    };
    let unet = |config: Value| serde_json::from_value::<UnetConfig>(config).unwrap().expected_tensors();
    let text = |config: Value| serde_json::from_value::<ClipTextConfig>(config).unwrap().expected_tensors();
    let vae = json!({
        "block_out_channels": [128, 256, 512, 512], "layers_per_block": 2,
        "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
        "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
    });
    let vae = serde_json::from_value::<VaeConfig>(vae).unwrap();
    vae.check().unwrap();
    check("sd15 vae", vae.expected_tensors());
    check("sd15 unet", unet(json!({"cross_attention_dim": 768})));
    check(
        "sd21 unet",
        unet(
            json!({"cross_attention_dim": 1024, "use_linear_projection": true, "attention_head_dim": [5, 10, 20, 20]}),
        ),
    );
    check("sd15 text_encoder", text(json!({"hidden_size": 768, "intermediate_size": 3072})));
    check(
        "sd21 text_encoder",
        text(
            json!({"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23, "num_attention_heads": 16}),
        ),
    );
}

#[test]
fn hashes_are_of_contents() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("model.safetensors");
    write(&path, &as_single_file("sd1"));
    let mut last = (0, 0);
    let hash = Checkpoint::open(&path).unwrap().hash(&mut |done, total| last = (done, total)).unwrap();
    let expected = sha256(&fs::read(&path).unwrap());
    assert_eq!(hash.hex(), expected);
    assert_eq!(hash.short(), expected[..10]);
    assert_eq!(last, (fs::metadata(&path).unwrap().len(), fs::metadata(&path).unwrap().len()));

    let hash_of = |path: &std::path::Path| Checkpoint::open(path).unwrap().hash(&mut |_, _| {}).unwrap();
    let (_temp, folder) = copy("sd1");
    let original = hash_of(&golden("sd1"));
    assert_eq!(hash_of(&folder), original, "where it lies does not matter");
    fs::write(folder.join("README.md"), "notes").unwrap();
    assert_eq!(hash_of(&folder), original, "notes do not matter");
    let scheduler = folder.join("scheduler/scheduler_config.json");
    fs::write(&scheduler, fs::read_to_string(&scheduler).unwrap().replace("0.012", "0.013")).unwrap();
    assert_ne!(hash_of(&folder), original, "configurations matter");
}

#[test]
fn summaries_say_what_is_missing() {
    let (_temp, folder) = copy("sd1");
    let summary = Checkpoint::open(&folder).unwrap().summary();
    assert!(summary.complete);
    let text = summary.to_string();
    for part in ["Stable Diffusion 1", "diffusers folder", "own tokenizer", "8, 16 wide", "F32", "714 tokens"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let path = folder.join("unet/diffusion_pytorch_model.safetensors");
    let mut tensors: Tensors = read(&Weights::open(&path).unwrap());
    let taken = tensors.remove("conv_in.weight").unwrap();
    tensors.insert("conv_on.weight".into(), taken);
    tensors.get_mut("conv_in.bias").unwrap().shape = vec![2, 4];
    write(&path, &tensors);
    let model = Checkpoint::open(&folder).unwrap();
    let summary = model.summary();
    assert!(!summary.complete);
    assert_eq!(summary.parts[1].missing, ["conv_in.weight [8, 4, 3, 3]"]);
    assert_eq!(summary.parts[1].wrong, ["conv_in.bias [2, 4] instead of [8]"]);
    assert_eq!(summary.parts[1].extra, ["conv_on.weight"]);
    let error = model.check().unwrap_err().to_string();
    assert!(
        error.contains("1 tensors are missing: `conv_in.weight` [8, 4, 3, 3]; 1 have another shape"),
        "{error}"
    );
}

#[test]
fn values_that_are_not_numbers_are_found_by_name() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("some.safetensors");
    let mut tensors = Tensors::new();
    let mut values = vec![1.0f32; 1000];
    tensors.insert("good".into(), common::Tensor::floats(&values));
    values[77] = f32::NAN;
    tensors.insert("one".into(), common::Tensor::floats(&values));
    tensors.insert("all".into(), common::Tensor::floats(&[f32::NAN; 1000]).half());
    tensors.insert("infinite".into(), common::Tensor::floats(&[f32::NEG_INFINITY; 10]));
    write(&path, &tensors);
    let weights = Weights::open(&path).unwrap();
    let names = |how| weights.not_finite(how).into_iter().map(|found| found.name).collect::<Vec<_>>();
    assert_eq!(names(Thoroughness::Sample(4)), ["all", "infinite"]);
    assert_eq!(names(Thoroughness::All), ["all", "infinite", "one"]);
    assert_eq!(weights.not_finite(Thoroughness::All)[2].nan, 1);
}

#[test]
fn released_pages_are_read_again() {
    let weights = Weights::open(&golden("sd1/unet/diffusion_pytorch_model.safetensors")).unwrap();
    let before = read(&weights);
    for (_, view) in weights.iter() {
        weights.release(&view);
    }
    weights.release_all();
    for (name, view) in weights.iter() {
        assert!(view.bytes == before[name].bytes, "{name}");
    }
}

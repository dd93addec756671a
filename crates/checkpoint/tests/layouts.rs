//! One model in every layout that people have: the same tensors under the same names.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::fs;
use std::path::Path;

use common::{Tensor, Tensors, as_single_file, contents, copy, golden, read, write};
use serde_json::json;
use tarim_checkpoint::{
    Checkpoint, Dtype, Family, Layout, OneOrMany, PredictionType, TokenizerSource, UnetConfig, Weights,
};

/// What `found` and the recorded model have in common must be the same.
#[track_caller]
fn check(found: &Path, recorded: &str) -> Checkpoint {
    let expected = Checkpoint::open(&golden(recorded)).unwrap();
    let found = Checkpoint::open(found).unwrap();
    found.check().unwrap();
    let (a, b) = (contents(&found), contents(&expected));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, tensor) in &b {
        assert!(&a[name] == tensor, "{name} differs");
    }
    assert_eq!(found.kind(), expected.kind());
    assert_eq!(comparable(&found.unet().config), comparable(&expected.unet().config));
    found
}

/// A configuration without what single files do not tell, and with lists throughout.
fn comparable(config: &UnetConfig) -> UnetConfig {
    let levels = config.block_out_channels.len();
    let list = |value: &OneOrMany<u32>| {
        OneOrMany::Many((0..levels).map(|level| *value.get(level).unwrap()).collect())
    };
    UnetConfig {
        sample_size: None,
        upcast_attention: false,
        layers_per_block: list(&config.layers_per_block),
        attention_head_dim: list(&config.attention_head_dim),
        transformer_layers_per_block: list(&config.transformer_layers_per_block),
        ..config.clone()
    }
}

fn rewrite(path: &Path, change: impl Fn(Tensors) -> Tensors) {
    let tensors = change(read(&Weights::open(path).unwrap()));
    write(path, &tensors);
}

fn renamed(tensors: Tensors, rename: impl Fn(&str) -> String) -> Tensors {
    tensors.into_iter().map(|(name, tensor)| (rename(&name), tensor)).collect()
}

#[test]
fn text_encoders_with_the_old_prefix() {
    let (_temp, model) = copy("sd1");
    rewrite(&model.join("text_encoder/model.safetensors"), |tensors| {
        let mut tensors = renamed(tensors, |name| format!("text_model.{name}"));
        let ids = Tensor { dtype: Dtype::I64, shape: vec![1, 1], bytes: vec![0; 8] };
        tensors.insert("text_model.embeddings.position_ids".into(), ids);
        tensors
    });
    check(&model, "sd1");
}

#[test]
fn variants_in_half_precision() {
    let (_temp, model) = copy("sd1");
    for (folder, stem) in
        [("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"), ("text_encoder", "model")]
    {
        let path = model.join(folder).join(format!("{stem}.safetensors"));
        let half =
            read(&Weights::open(&path).unwrap()).into_iter().map(|(name, tensor)| (name, tensor.half()));
        write(&model.join(folder).join(format!("{stem}.fp16.safetensors")), &half.collect());
        fs::remove_file(path).unwrap();
    }
    let found = check(&model, "sd1");
    assert_eq!(found.unet().weights.get("conv_in.weight").unwrap().dtype, Dtype::F16);
}

#[test]
fn sharded_weights() {
    let (_temp, model) = copy("sd1");
    let folder = model.join("unet");
    let whole = folder.join("diffusion_pytorch_model.safetensors");
    let mut shards = [Tensors::new(), Tensors::new(), Tensors::new()];
    let mut map = serde_json::Map::new();
    for (index, (name, tensor)) in read(&Weights::open(&whole).unwrap()).into_iter().enumerate() {
        map.insert(name.clone(), json!(format!("shard-{}.safetensors", index % 3)));
        shards[index % 3].insert(name, tensor);
    }
    for (index, shard) in shards.iter().enumerate() {
        write(&folder.join(format!("shard-{index}.safetensors")), shard);
    }
    fs::remove_file(whole).unwrap();
    let index = json!({"metadata": {"total_size": 1}, "weight_map": map});
    fs::write(folder.join("diffusion_pytorch_model.safetensors.index.json"), index.to_string()).unwrap();
    let found = check(&model, "sd1");
    assert_eq!(found.unet().weights.files().count(), 3);

    fs::remove_file(folder.join("shard-1.safetensors")).unwrap();
    let error = Checkpoint::open(&model).unwrap_err().to_string();
    assert!(error.contains("`shard-1.safetensors`, which is not there"), "{error}");
    let outside = json!({"weight_map": {"conv_in.weight": "../../other.safetensors"}});
    fs::write(folder.join("diffusion_pytorch_model.safetensors.index.json"), outside.to_string()).unwrap();
    let error = Checkpoint::open(&model).unwrap_err().to_string();
    assert!(error.contains("is not the name of a file in this folder"), "{error}");
}

#[test]
fn old_names_of_the_autoencoders_attention() {
    let (_temp, model) = copy("sd1");
    rewrite(&model.join("vae/diffusion_pytorch_model.safetensors"), |tensors| {
        renamed(tensors, |name| {
            let names =
                [("to_q.", "query."), ("to_k.", "key."), ("to_v.", "value."), ("to_out.0.", "proj_attn.")];
            names.iter().fold(name.to_owned(), |name, (new, old)| name.replace(new, old))
        })
    });
    check(&model, "sd1");
}

#[test]
fn single_files_of_stable_diffusion_1() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("模型.safetensors");
    let plain = as_single_file("sd1");
    let check = |tensors: &Tensors| {
        write(&path, tensors);
        let found = check(&path, "sd1");
        assert_eq!(found.layout(), Layout::SingleFile);
        assert_eq!(found.tokenizer(), &TokenizerSource::Clip { pads_with_zero: false });
        let expected = Checkpoint::open(&golden("sd1")).unwrap();
        let mut vae = expected.vae().config.clone();
        (vae.force_upcast, vae.sample_size) =
            (found.vae().config.force_upcast, found.vae().config.sample_size.clone());
        assert_eq!(found.vae().config, vae);
        assert_eq!(found.scheduler(), expected.scheduler());
        let (text, expected) = (&found.text_encoder().config, &expected.text_encoder().config);
        let sizes = |c: &tarim_checkpoint::ClipTextConfig| {
            (c.hidden_size, c.num_hidden_layers, c.num_attention_heads, c.hidden_act.clone(), c.eos_token_id)
        };
        assert_eq!(sizes(text), sizes(expected));
    };
    check(&plain);
    check(&renamed(plain.clone(), |name| name.replace("transformer.text_model.", "transformer.")));
    check(&plain.iter().map(|(name, tensor)| (name.clone(), tensor.half())).collect());
    let mut more = plain.clone();
    for (name, tensor) in &plain {
        if let Some(rest) = name.strip_prefix("model.diffusion_model.") {
            more.insert(format!("model_ema.diffusion_model{}", rest.replace('.', "")), tensor.clone());
        }
    }
    let ids = Tensor { dtype: Dtype::I64, shape: vec![1, 77], bytes: vec![0; 8 * 77] };
    more.insert("cond_stage_model.transformer.text_model.embeddings.position_ids".into(), ids);
    more.insert("betas".into(), Tensor::zeros(&[1000]));
    more.insert("cond_stage_model.logit_scale".into(), Tensor::zeros(&[]));
    more.insert("first_stage_model.loss.logvar".into(), Tensor::zeros(&[]));
    check(&more);
}

/// With the layer that OpenCLIP has and Stable Diffusion 2 does not use.
fn stable_diffusion_2() -> Tensors {
    let mut tensors = as_single_file("sd2-v");
    let unused: Tensors = tensors
        .iter()
        .filter(|(name, _)| name.contains(".resblocks.0."))
        .map(|(name, tensor)| (name.replace(".resblocks.0.", ".resblocks.3."), tensor.clone()))
        .collect();
    tensors.extend(unused);
    tensors.insert("cond_stage_model.model.text_projection".into(), Tensor::zeros(&[16, 16]));
    tensors.insert("cond_stage_model.model.logit_scale".into(), Tensor::zeros(&[]));
    tensors
}

const HEADS: &str = "model:\n  params:\n    unet_config:\n      params:\n        num_head_channels: 4\n";

#[test]
fn single_files_of_stable_diffusion_2() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("sd2.safetensors");
    write(&path, &stable_diffusion_2());
    let error = Checkpoint::open(&path).unwrap_err().to_string();
    assert!(error.contains("heads of 64") && error.contains("num_head_channels"), "{error}");
    fs::write(temp.path().join("sd2.yaml"), format!("{HEADS}    parameterization: \"v\"\n")).unwrap();
    let found = check(&path, "sd2-v");
    assert_eq!(found.kind().family, Family::Sd2);
    assert_eq!(found.tokenizer(), &TokenizerSource::Clip { pads_with_zero: true });
    assert_eq!(found.text_encoder().config.hidden_act, "gelu");
    assert_eq!(found.text_encoder().config.num_hidden_layers, 3);
    assert!(found.unet().config.upcast_attention);
    assert_eq!(found.files().len(), 2);
}

#[test]
fn what_single_files_predict() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("model.safetensors");
    let check = |tensors: &Tensors, yaml: &str, expected: PredictionType| {
        write(&path, tensors);
        fs::write(path.with_extension("yaml"), format!("{HEADS}{yaml}")).unwrap();
        assert_eq!(Checkpoint::open(&path).unwrap().kind().prediction, expected);
    };
    let (epsilon, v) = (PredictionType::Epsilon, PredictionType::VPrediction);
    let with = |name: &str, tensor: Tensor| {
        let mut tensors = stable_diffusion_2();
        tensors.insert(name.to_owned(), tensor);
        tensors
    };
    let telling = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";
    check(&stable_diffusion_2(), "", epsilon);
    check(&with(telling, Tensor::floats(&[0.1, -0.1, 0.1, -0.1])), "", v);
    check(&with(telling, Tensor::floats(&[0.08, -0.08, 0.08, -0.08])), "", epsilon);
    check(&with(telling, Tensor::floats(&[1.1, 1.1, 1.1, 1.1])), "", epsilon);
    check(&with(telling, Tensor::floats(&[0.1, -0.1])), "parameterization: eps", epsilon);
    check(&with("v_pred", Tensor::zeros(&[])), "", v);
    // Stable Diffusion 1 has no such test, and inpainting models predict noise.
    let mut first = as_single_file("sd1");
    first.insert(telling.to_owned(), Tensor::floats(&[0.1, -0.1]));
    write(&path, &first);
    fs::write(path.with_extension("yaml"), "").unwrap();
    assert_eq!(Checkpoint::open(&path).unwrap().kind().prediction, epsilon);

    write(&path, &with("ztsnr", Tensor::zeros(&[])));
    fs::write(path.with_extension("yaml"), HEADS).unwrap();
    assert!(Checkpoint::open(&path).unwrap().scheduler().rescale_betas_zero_snr);
}

#[test]
fn single_files_of_unusual_structure() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("odd.safetensors");
    write(&path, &as_single_file("three-levels"));
    fs::write(path.with_extension("yaml"), "num_heads: 4").unwrap();
    check(&path, "three-levels");
}

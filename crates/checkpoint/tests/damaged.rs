//! Files that contradict themselves, are something else, or are not there: each with an error that says so.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::fs;
use std::path::Path;

use common::{Tensor, Tensors, as_single_file, copy, file_bytes, write};
use tarim_checkpoint::{Checkpoint, CheckpointError, Weights};

const ONE: &str = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;

#[test]
fn lying_headers_are_refused_with_the_tensor_and_the_reason() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("lying.safetensors");
    let check = |bytes: &[u8], expected: &str| {
        fs::write(&path, bytes).unwrap();
        let error = Weights::open(&path).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected), "{expected}: {text}");
        assert!(text.contains("lying.safetensors"), "{text}");
        assert!(matches!(error, CheckpointError::Damaged { .. }), "{error:?}");
        // The reference implementation agrees, but for duplicates, of which it takes the last.
        let agreed = safetensors::SafeTensors::deserialize(bytes).is_err();
        assert!(agreed || expected.contains("twice") || expected.contains("no tensors"), "{expected}");
    };
    let header = |json: &str, data: usize| file_bytes(json, &vec![0; data]);
    let entry = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    check(&[1, 2, 3], "only 3 bytes long");
    check(&header(ONE, 8)[..40], "but the whole file has 40");
    check(&header(ONE, 7), "tensor `a` ends at byte 70, but the file has only 69");
    check(&header(ONE, 0), "tensor `a` ends at byte");
    check(&header(ONE, 12), "4 bytes at its end belong to no tensor");
    check(
        &[&(2u64 << 30).to_le_bytes()[..], b"{}"].concat(),
        "claims 2147483648 bytes, and no model's header is over 100 MB",
    );
    check(&[&u64::MAX.to_le_bytes()[..], b"{}"].concat(), "claims 18446744073709551615 bytes");
    check(&[&1000u64.to_le_bytes()[..], b"{}"].concat(), "claims 1000 bytes, but the whole file has 10");
    check(&header("{}", 0), "it holds no tensors");
    check(&header(r#"{"__metadata__":{"format":"pt"}}"#, 0), "it holds no tensors");
    check(&header("[]", 0), "not what it should be");
    check(&header(r#"{"a":"#, 0), "not what it should be");
    check(&header(r#"{"a":{"dtype":"F32","shape":[2]}}"#, 8), "tensor `a`: missing field `data_offsets`");
    check(&[&2u64.to_le_bytes()[..], &[0xff, 0xfe]].concat(), "not UTF-8");
    check(&header(&entry("F4_NEW", "[2]", "[0,8]"), 8), "unknown type `F4_NEW`");
    check(
        &header(&entry("F32", "[3]", "[0,8]"), 8),
        "of shape [3] and type F32 needs 12 bytes, but 8 are set aside",
    );
    check(&header(&entry("F16", "[2]", "[0,8]"), 8), "needs 4 bytes, but 8 are set aside");
    check(&header(&entry("F32", "[2]", "[8,0]"), 8), "ends at byte 0, before it starts at 8");
    check(&header(&entry("F32", "[-2]", "[0,8]"), 8), "tensor `a`");
    check(&header(&entry("F32", "[4294967296,4294967296,4]", "[0,8]"), 8), "more than any file holds");
    check(&header(&entry("F32", "[2]", "[4,12]"), 12), "starts 4 bytes after the end of `the header`");
    let two = |a: &str, b: &str| {
        let tensor = |offsets: &str| format!(r#"{{"dtype":"F32","shape":[2],"data_offsets":{offsets}}}"#);
        format!(r#"{{"a":{},"b":{}}}"#, tensor(a), tensor(b))
    };
    check(&header(&two("[0,8]", "[4,12]"), 12), "tensor `b` overlaps `a`");
    check(&header(&two("[0,8]", "[0,8]"), 8), "tensor `b` overlaps `a`");
    check(&header(&two("[0,8]", "[12,20]"), 20), "tensor `b` starts 4 bytes after the end of `a`");
    let twice = format!("{},{}", ONE.trim_end_matches('}').to_owned() + "}", ONE.trim_start_matches('{'));
    check(&header(&twice, 8), "`a` occurs twice");
}

/// Whatever one byte of a header becomes, and wherever a file is cut, the answer is a value, and what is opened can be
/// read in full.
#[test]
fn no_damage_to_a_header_is_a_panic() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("some.safetensors");
    let good = file_bytes(
        r#"{"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}"#,
        &[0; 8],
    );
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let weights = Weights::open(&path)?;
        let total: usize = weights.iter().map(|(_, view)| view.bytes.len()).sum();
        assert_eq!(total, 8);
        Ok::<_, CheckpointError>(weights.not_finite(tarim_checkpoint::Thoroughness::All))
    };
    read(&good).unwrap();
    for at in 0..good.len() {
        assert!(read(&good[..at]).is_err(), "cut at {at}");
        for value in [0, b'9', b'"', b'}', b'-', 0xff] {
            let mut bytes = good.clone();
            bytes[at] = value;
            drop(read(&bytes));
        }
    }
}

#[test]
fn files_of_other_formats_are_named() {
    let temp = tempfile::tempdir().unwrap();
    let check = |name: &str, bytes: &[u8], expected: &str| {
        let path = temp.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = Checkpoint::open(&path).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(name), "{expected}: {error}");
    };
    check("model.ckpt", b"PK\x03\x04", "Python pickle (a .ckpt file), which can run any program");
    check("model.PT", b"anything", "use the model's .safetensors version, or convert it");
    check("renamed.safetensors", b"PK\x03\x04 and more", "a zip archive as PyTorch writes it");
    check("old.safetensors", b"\x80\x02}q\x00", "Python pickle");
    check("pointer.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull");
    check("page.safetensors", b"<!DOCTYPE html>", "web page");
    check("model.gguf", b"GGUF\x03\x00\x00\x00", "GGUF");
    check("empty.safetensors", b"", "it is empty");
    check("picture.png", b"\x89PNG\r\n\x1a\n and so on", "its header claims");
}

#[test]
fn models_of_other_kinds_are_refused_by_name() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("other.safetensors");
    let check = |names: &[&str], expected: &str| {
        let tensors = names.iter().map(|name| ((*name).to_owned(), Tensor::zeros(&[2]))).collect();
        write(&path, &tensors);
        let error = Checkpoint::open(&path).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(matches!(error, CheckpointError::Unsupported { .. }), "{error:?}");
    };
    let unet = "model.diffusion_model.input_blocks.0.0.weight";
    check(
        &[unet, "conditioner.embedders.1.model.ln_final.weight"],
        "this is an SDXL model; not supported yet",
    );
    check(&[unet, "conditioner.embedders.0.model.ln_final.weight"], "an SDXL refiner");
    check(
        &["model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight"],
        "a Stable Diffusion 3 model",
    );
    check(&["double_blocks.0.img_attn.norm.key_norm.scale"], "a Flux model");
    check(&["model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale"], "a Flux model");
    check(&["lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight"], "a LoRA");
    check(&["unet.down_blocks.0.attentions.0.attn1.to_q.lora_A.weight"], "a LoRA");
    check(&["emb_params"], "a textual inversion embedding");
    check(&["clip_g", "clip_l"], "a textual inversion embedding");
    check(&["control_model.time_embed.0.weight"], "a ControlNet");
    check(&[unet, "depth_model.model.pretrained.cls_token"], "a depth-to-image model");
    check(&[unet, "model.diffusion_model.label_emb.0.0.weight"], "class embeddings");
    check(&["encoder.conv_in.weight", "decoder.conv_in.weight"], "a VAE alone");
    check(&["down_blocks.0.resnets.0.conv1.weight"], "a UNet alone");
    check(&["text_model.encoder.layers.0.mlp.fc1.weight"], "a text encoder alone");
    check(&["model.1.sub.0.RDB1.conv1.0.weight"], "an upscaler");
    check(&["model.diffusion_model.blocks.0.cross_attn.norm_k.weight"], "another architecture");
    check(&["some.weight", "other.weight"], "no model that Tarim knows");
}

#[test]
fn missing_paths_offer_names_that_are_near() {
    let (temp, model) = copy("sd1");
    write(&temp.path().join("Dreamlike-v2.safetensors"), &as_single_file("sd1"));
    fs::write(temp.path().join("sd1.txt"), "").unwrap();
    fs::create_dir(temp.path().join("sd11")).unwrap();
    let check = |name: &str, expected: &[&str]| match Checkpoint::open(&temp.path().join(name)).unwrap_err() {
        CheckpointError::NotFound { near, .. } => assert_eq!(near, expected, "{name}"),
        other => panic!("{other}"),
    };
    check("sd2", &["sd1"]);
    check("dreamlike", &["Dreamlike-v2.safetensors"]);
    check("dreamlike_v3.safetensors", &["Dreamlike-v2.safetensors"]);
    check("模型", &[]);
    check("no/such/folder", &[]);
    let error = Checkpoint::open(&temp.path().join("sd2")).unwrap_err().to_string();
    assert!(error.contains("there is no model at") && error.ends_with("is it `sd1`?"), "{error}");
    Checkpoint::open(&model.join("model_index.json")).unwrap();
}

#[test]
fn half_a_model_says_which_half() {
    let check = |break_it: &dyn Fn(&Path), expected: &str| {
        let (_temp, model) = copy("sd1");
        break_it(&model);
        let error = Checkpoint::open(&model).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    check(&|model| fs::remove_dir_all(model.join("unet")).unwrap(), "has no UNet: there is no folder `unet`");
    check(&|model| fs::remove_dir_all(model.join("vae")).unwrap(), "has no VAE: there is no folder `vae`");
    check(&|model| fs::remove_file(model.join("vae/config.json")).unwrap(), "there is no `vae/config.json`");
    check(
        &|model| fs::remove_file(model.join("text_encoder/model.safetensors")).unwrap(),
        "has no text encoder: there are no .safetensors files in `text_encoder`",
    );
    check(
        &|model| {
            let weights = model.join("unet/diffusion_pytorch_model.safetensors");
            fs::rename(&weights, weights.with_extension("bin")).unwrap();
        },
        "its weights are a Python pickle (`unet/diffusion_pytorch_model.bin`)",
    );
    check(
        &|model| fs::write(model.join("unet/config.json"), "{").unwrap(),
        "unet/config.json cannot be understood",
    );
    check(
        &|model| fs::write(model.join("unet/config.json"), r#"{"in_channels": "four"}"#).unwrap(),
        "`in_channels`: invalid type: string \"four\"",
    );
    check(&|model| fs::create_dir(model.join("text_encoder_2")).unwrap(), "this is an SDXL model");
    let index = |class: &str| format!(r#"{{"_class_name": "{class}"}}"#);
    check(
        &|model| fs::write(model.join("model_index.json"), index("FluxPipeline")).unwrap(),
        "this is a Flux model; not supported yet",
    );
    check(
        &|model| {
            fs::write(model.join("model_index.json"), index("PixArtSigmaPipeline")).unwrap();
            fs::rename(model.join("unet"), model.join("transformer")).unwrap();
        },
        "this is a PixArtSigmaPipeline model",
    );

    let (temp, model) = copy("sd1");
    let error = |path: &Path| Checkpoint::open(path).unwrap_err().to_string();
    assert!(error(&model.join("unet")).contains("one part of a model; open the folder above it"));
    assert!(error(temp.path()).contains("no model_index.json and no folders"));
    write(&temp.path().join("one.safetensors"), &as_single_file("sd1"));
    assert!(error(temp.path()).contains("open a file in it instead, such as `one.safetensors`"));
}

#[test]
fn half_a_single_file_says_which_half() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("half.safetensors");
    let check = |keep: &dyn Fn(&str) -> bool, expected: &str| {
        let tensors: Tensors = as_single_file("sd1").into_iter().filter(|(name, _)| keep(name)).collect();
        write(&path, &tensors);
        let error = Checkpoint::open(&path).and_then(|model| model.check()).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    check(
        &|name| !name.starts_with("first_stage_model."),
        "has no VAE: it has no tensors `first_stage_model.…`",
    );
    check(&|name| !name.starts_with("cond_stage_model."), "has no text encoder");
    check(&|name| !name.contains("output_blocks.3.0.in_layers"), "`up_blocks.1.resnets.1.norm1.weight`");
    check(&|name| !name.contains("output_blocks.1."), "the UNet does not fit its configuration");
    check(
        &|name| !name.contains("input_blocks.1."),
        "there are tensors `input_blocks.3.…` but none `input_blocks.1.…`",
    );
    check(&|name| !name.contains("middle_block.1."), "there are tensors `middle_block.2.…` but none");
    check(&|name| !name.contains("middle_block.2."), "its middle block consists of");
    check(&|name| !name.contains("time_embed.0.weight"), "`time_embed.0.weight` is missing");
    check(&|name| !name.contains("out.2.weight"), "`out.2.weight` is missing");
    check(
        &|name| !name.contains("encoder.down.1.block.0.conv1.weight"),
        "`encoder.down.1.block.0.conv1.weight` is missing",
    );
    check(&|name| !name.contains("encoder.layers.0.mlp.fc1.weight"), "intermediate_size");
    check(&|name| !name.contains("encoder.layers.0."), "there are tensors `encoder.layers.1.…` but none");
    check(&|name| !name.contains("encoder.down.1."), "there are tensors `encoder.down.3.…` but none");
}

//! Models and files of other kinds, refused by name.

use std::path::Path;

use crate::error::{CheckpointError, Result};

/// Refuses pipelines that are not Stable Diffusion 1 or 2, by the class of `model_index.json` (which may be empty) and
/// by the folders there.
pub(crate) fn refuse_folder(root: &Path, class: &str) -> Result<()> {
    let has = |name: &str| root.join(name).is_dir();
    let refuse = |what: &str| Err(CheckpointError::unsupported(root, what));
    match class {
        class if class.starts_with("StableDiffusionXL") => return refuse("an SDXL model"),
        class if class.starts_with("StableDiffusion3") => return refuse("a Stable Diffusion 3 model"),
        class if class.starts_with("Flux") => return refuse("a Flux model"),
        class if class.contains("Upscale") => return refuse("an upscaling model"),
        class if class.contains("Depth2Img") => return refuse("a depth-to-image model"),
        class if class.contains("UnCLIP") => return refuse("an unCLIP model"),
        _ => {}
    }
    if has("text_encoder_2") && has("unet") {
        return refuse("an SDXL model");
    }
    if has("transformer") && !has("unet") {
        let class = if class.is_empty() { "transformer" } else { class };
        return refuse(&format!("a {class} model"));
    }
    Ok(())
}

/// What a single file without a whole Stable Diffusion 1 or 2 model is, by its tensors' names; `None` when it might be
/// one. Rules after ComfyUI's `model_detection.py`, diffusers' `single_file_utils.py` and A1111's `sd_models_config.py`.
pub(crate) fn other_kind(names: &[&str]) -> Option<(&'static str, &'static str)> {
    const YET: &str = "not supported yet";
    const ADD_ON: &str = "it goes on top of a model and is none itself; open a whole model";
    const PART: &str = "it is one part of a model; open the whole model";
    let starts = |prefix: &str| names.iter().any(|name| name.starts_with(prefix));
    let ends = |suffix: &str| names.iter().any(|name| name.ends_with(suffix));
    let contains = |part: &str| names.iter().any(|name| name.contains(part));
    let found = if starts("lora_unet_")
        || starts("lora_te")
        || ends(".lora_down.weight")
        || ends(".lora_A.weight")
        || ends(".lora.down.weight")
        || ends(".hada_w1_a")
        || ends(".lokr_w1")
        || ends(".oft_blocks")
    {
        ("a LoRA or an add-on of that kind", ADD_ON)
    } else if starts("conditioner.embedders.0.model.") {
        ("an SDXL refiner model", YET)
    } else if starts("conditioner.embedders.") {
        ("an SDXL model", YET)
    } else if contains("joint_blocks.0.context_block.") {
        ("a Stable Diffusion 3 model", YET)
    } else if contains("double_blocks.0.img_attn.") {
        ("a Flux model", YET)
    } else if starts("control_model.") || starts("controlnet_cond_embedding.") || starts("input_hint_block.")
    {
        ("a ControlNet", ADD_ON)
    } else if starts("depth_model.") {
        ("a depth-to-image model", YET)
    } else if starts("model.diffusion_model.label_emb.") {
        ("a model with class embeddings (SDXL, unCLIP or an upscaler)", YET)
    } else if starts("model.diffusion_model.input_blocks.") {
        return None;
    } else if starts("model.diffusion_model.") {
        ("a model of another architecture than Stable Diffusion", YET)
    } else if names.len() <= 4 && names.iter().all(|name| !name.contains("weight") && !name.contains("bias"))
    {
        ("a textual inversion embedding", ADD_ON)
    } else if starts("down_blocks.") || starts("input_blocks.") {
        ("a UNet alone", PART)
    } else if starts("decoder.") || starts("first_stage_model.") {
        ("a VAE alone", PART)
    } else if starts("text_model.") || starts("cond_stage_model.") {
        ("a text encoder alone", PART)
    } else if contains("RDB") || starts("body.") || starts("model.1.sub.") || starts("conv_first.") {
        ("an upscaler", "it enlarges pictures and is no model to draw with; open a whole model")
    } else {
        ("no model that Tarim knows", "it opens models of Stable Diffusion 1 and 2")
    };
    Some(found)
}

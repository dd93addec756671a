//! Configurations: the reference's defaults, its quirks, and options that are refused by name and value.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::fs;

use common::copy;
use serde_json::{Value, json};
use tarim_checkpoint::{
    BetaSchedule, Checkpoint, ClipTextConfig, OneOrMany, PredictionType, SchedulerConfig, TimestepSpacing,
    UnetConfig, VaeConfig,
};

#[test]
fn options_that_change_the_arithmetic_are_refused_with_their_value() {
    let (_temp, model) = copy("sd1");
    let check = |file: &str, option: &str, value: Value, expected: &str| {
        let path = model.join(file);
        let original = fs::read(&path).unwrap();
        let mut config: Value = serde_json::from_slice(&original).unwrap();
        config[option] = value;
        fs::write(&path, config.to_string()).unwrap();
        let error = Checkpoint::open(&model).unwrap_err().to_string();
        fs::write(&path, original).unwrap();
        assert!(error.contains(expected) && error.contains(file), "{option}: {error}");
    };
    let unet =
        |option: &str, value: Value, expected: &str| check("unet/config.json", option, value, expected);
    unet(
        "class_embed_type",
        json!("timestep"),
        "option `class_embed_type` is \"timestep\": only null is supported",
    );
    unet("num_class_embeds", json!(1000), "option `num_class_embeds` is 1000");
    unet("addition_embed_type", json!("text_time"), "`addition_embed_type` is \"text_time\"");
    unet("encoder_hid_dim_type", json!("image_proj"), "`encoder_hid_dim_type` is \"image_proj\"");
    unet("encoder_hid_dim_type", json!("text_proj"), "`encoder_hid_dim` is null");
    unet("down_block_types", json!(["KDownBlock2D", "DownBlock2D"]), "[\"KDownBlock2D\",\"DownBlock2D\"]");
    unet("up_block_types", json!(["UpBlock2D"]), "the network has 2 levels");
    unet("mid_block_type", json!("UNetMidBlock2DSimpleCrossAttn"), "`mid_block_type` is");
    unet("resnet_time_scale_shift", json!("ada_group"), "`resnet_time_scale_shift` is \"ada_group\"");
    unet("time_embedding_type", json!("fourier"), "`time_embedding_type` is \"fourier\"");
    unet("time_cond_proj_dim", json!(256), "`time_cond_proj_dim` is 256");
    unet("dual_cross_attention", json!(true), "`dual_cross_attention` is true");
    unet("num_attention_heads", json!(4), "`num_attention_heads` is 4");
    unet("attention_type", json!("gated"), "`attention_type` is \"gated\"");
    unet("cross_attention_norm", json!("layer_norm"), "`cross_attention_norm` is");
    unet("resnet_out_scale_factor", json!(1.4), "`resnet_out_scale_factor` is 1.4");
    unet("resnet_skip_time_act", json!(true), "`resnet_skip_time_act` is true");
    unet("act_fn", json!("snake"), "`act_fn` is \"snake\"");
    unet("norm_num_groups", json!(5), "8 channels cannot be split into that many groups");
    unet("norm_num_groups", json!(null), "`norm_num_groups` is null");
    unet("attention_head_dim", json!(3), "cannot be split into that many heads");
    unet("attention_head_dim", json!([8]), "the network has 2 levels");
    unet("attention_head_dim", json!(0), "it must be 1 to");
    unet("block_out_channels", json!([]), "1 to 8 levels");
    unet("layers_per_block", json!(4_000_000_000u32), "`layers_per_block` is 4000000000");
    unet("conv_in_kernel", json!(4), "it must be odd");
    unet("in_channels", json!(5), "depth-to-image");
    unet("in_channels", json!(7), "upscaling");
    unet("in_channels", json!(6), "no known task");
    unet("out_channels", json!(8), "as many channels as the latents have, 4");
    unet("_class_name", json!("UNet3DConditionModel"), "only UNet2DConditionModel");
    unet("transformer_layers_per_block", json!([[1, 1], [1]]), "`transformer_layers_per_block`: ");
    let vae = |option: &str, value: Value, expected: &str| check("vae/config.json", option, value, expected);
    vae("_class_name", json!("AutoencoderTiny"), "`_class_name` is \"AutoencoderTiny\"");
    vae("latents_mean", json!([0.1]), "`latents_mean` is [0.1]");
    vae("scaling_factor", json!(0.0), "it must be above 0");
    vae("norm_num_groups", json!(0), "`norm_num_groups` is 0");
    let text = |option: &str, value: Value, expected: &str| {
        check("text_encoder/config.json", option, value, expected);
    };
    text("hidden_act", json!("tanh"), "`hidden_act` is \"tanh\"");
    text("num_attention_heads", json!(0), "`num_attention_heads` is 0");
    text("model_type", json!("t5"), "`model_type` is \"t5\"");
    let scheduler = |option: &str, value: Value, expected: &str| {
        check("scheduler/scheduler_config.json", option, value, expected);
    };
    scheduler(
        "prediction_type",
        json!("flow_prediction"),
        "`prediction_type`: unknown variant `flow_prediction`",
    );
    scheduler("beta_schedule", json!("cubic"), "`beta_schedule`: unknown variant `cubic`");
    scheduler("beta_end", json!(1.5), "it must lie between 0 and 1");
    scheduler("num_train_timesteps", json!(0), "it must be 2 to 100000");
    scheduler("thresholding", json!(true), "`thresholding` is true");
}

#[test]
fn what_is_missing_has_the_references_default() {
    use BetaSchedule::{Linear, ScaledLinear, SquaredcosCapV2};
    use TimestepSpacing::{Leading, Linspace, Trailing};

    let unet: UnetConfig =
        serde_json::from_str(r#"{"_class_name": "UNet2DConditionModel", "power": 0.75}"#).unwrap();
    unet.check().unwrap();
    assert_eq!(unet.cross_attention_dim, OneOrMany::One(1280));
    assert_eq!((unet.time_dim(), unet.context_dim(), unet.norm_eps), (1280, 1280, 1e-5));
    let vae: VaeConfig = serde_json::from_str("{}").unwrap();
    assert_eq!((vae.scaling_factor, vae.block_out_channels.clone(), vae.factor()), (0.18215, vec![64], 1));
    let text: ClipTextConfig = serde_json::from_str(r#"{"eos_token_id": [5, 6]}"#).unwrap();
    assert_eq!((text.hidden_size, text.eos_token_id, text.hidden_act.as_str()), (512, 5, "quick_gelu"));

    let check = |json: &str, spacing: TimestepSpacing, alpha: bool, clip: bool, schedule: BetaSchedule| {
        let config: SchedulerConfig = serde_json::from_str(json).unwrap();
        let found =
            (config.timestep_spacing, config.set_alpha_to_one, config.clip_sample, config.beta_schedule);
        assert_eq!(found, (spacing, alpha, clip, schedule), "{json}");
        config.check().unwrap();
        let again: SchedulerConfig = serde_json::from_value(serde_json::to_value(&config).unwrap()).unwrap();
        assert_eq!(again, config);
    };
    check(r#"{"_class_name": "DDIMScheduler"}"#, Leading, true, true, Linear);
    check(r#"{"_class_name": "PNDMScheduler"}"#, Leading, false, false, Linear);
    check(r#"{"_class_name": "EulerDiscreteScheduler"}"#, Linspace, true, false, Linear);
    check(r#"{"_class_name": "LCMScheduler"}"#, Leading, true, false, ScaledLinear);
    check(
        r#"{"_class_name": "DDIMScheduler", "timestep_spacing": "trailing", "beta_schedule": "squaredcos_cap_v2",
            "clip_sample": false, "trained_betas": null}"#,
        Trailing,
        true,
        false,
        SquaredcosCapV2,
    );
    let stable = SchedulerConfig::stable_diffusion(PredictionType::VPrediction);
    assert_eq!((stable.beta_start, stable.beta_end, stable.steps_offset), (0.00085, 0.012, 1));
}

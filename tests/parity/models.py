"""Makes small models with random weights under tests/goldens/models, with what the reference computes with them.

Each is a whole diffusers folder; its `io.safetensors` holds inputs and outputs of text encoder, UNet and VAE in float32.
Weights are rounded to float16, so that a copy of a model in half precision is the same model. `single-files.json` says
how single files name the tensors of three of them, `shapes.json` which tensors models of true size have.

Run by `cargo xtask parity`, or: python tests/parity/models.py [NAME...]
"""

import hashlib
import json
import shutil
import sys

import torch
from diffusers import AutoencoderKL, DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

import common
import full_models
import ldm

MERGES = 200
CROSS_DOWN, DOWN, CROSS_UP, UP = "CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"
UNET = {
    "sample_size": 8, "block_out_channels": [8, 16], "norm_num_groups": 8, "layers_per_block": 1,
    "down_block_types": [CROSS_DOWN, DOWN], "up_block_types": [UP, CROSS_UP], "cross_attention_dim": 16,
    "attention_head_dim": 8,
}  # fmt: skip
TEXT = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 1}
STABLE = common.STABLE_DIFFUSION_SCHEDULER
VELOCITY = STABLE | {"prediction_type": "v_prediction", "clip_sample": False}


def vae(*widths, **options):
    levels = len(widths)
    types = {"down_block_types": ["DownEncoderBlock2D"] * levels, "up_block_types": ["UpDecoderBlock2D"] * levels}
    return {"block_out_channels": list(widths), "norm_num_groups": min(widths), "scaling_factor": 0.18215, **types, **options}


MODELS = {
    # As Stable Diffusion 1, true to its factor of 8 between pixels and latents.
    "sd1": {"unet": UNET, "vae": vae(4, 8, 8, 8), "dtype": torch.float32,
            "scheduler": PNDMScheduler(**STABLE, skip_prk_steps=True)},
    # As Stable Diffusion 2 for 768 pixels.
    "sd2-v": {"unet": {**UNET, "attention_head_dim": [2, 4], "use_linear_projection": True, "upcast_attention": True},
              "vae": vae(4, 8, 8, 8), "text": {"hidden_act": "gelu", "num_hidden_layers": 3},
              "scheduler": DDIMScheduler(**VELOCITY), "pad": "!"},
    "inpainting": {"unet": {**UNET, "in_channels": 9}, "vae": vae(4, 8, 8, 8), "scheduler": PNDMScheduler(**STABLE, skip_prk_steps=True),
                   "pipeline": "StableDiffusionInpaintPipeline"},
    "pix2pix": {"unet": {**UNET, "in_channels": 8}, "vae": vae(4, 8, 8, 8), "scheduler": EulerDiscreteScheduler(
                    **{k: v for k, v in STABLE.items() if k != "set_alpha_to_one"}, timestep_spacing="leading"),
                "pipeline": "StableDiffusionInstructPix2PixPipeline"},
    # One level and no middle; three layers.
    "one-level": {"unet": {**UNET, "block_out_channels": [12], "norm_num_groups": 4, "layers_per_block": 3,
                           "down_block_types": [CROSS_DOWN], "up_block_types": [CROSS_UP], "mid_block_type": None,
                           "attention_head_dim": 3},
                  "vae": vae(6, layers_per_block=3), "scheduler": DDIMScheduler(**STABLE, clip_sample=False)},
    # Uneven widths, two layers, a level in the middle that does not attend, deeper transformers.
    "three-levels": {"unet": {**UNET, "block_out_channels": [8, 12, 16], "norm_num_groups": 4, "layers_per_block": 2,
                              "down_block_types": [CROSS_DOWN, DOWN, CROSS_DOWN],
                              "up_block_types": [CROSS_UP, UP, CROSS_UP], "transformer_layers_per_block": [1, 1, 2],
                              "attention_head_dim": 4, "cross_attention_dim": 24},
                     "vae": vae(4, 8, 12, layers_per_block=2, norm_num_groups=4), "text": {"hidden_size": 24},
                     "scheduler": DDIMScheduler(**STABLE, clip_sample=False)},
    # As the starter model: the prompt is pooled into the time embedding, and the last timestep is pure noise.
    "text-time": {"unet": {**UNET, "addition_embed_type": "text", "addition_embed_type_num_heads": 4},
                  "vae": vae(4, 8, 8, force_upcast=False),
                  "scheduler": DDIMScheduler(**VELOCITY | {"set_alpha_to_one": True, "steps_offset": 0},
                                             rescale_betas_zero_snr=True, timestep_spacing="trailing")},
}  # fmt: skip
SINGLE_FILES = ["sd1", "sd2-v", "three-levels"]


def build(name, vocabulary):
    """The three networks of a model, in float32."""
    parts, seed = MODELS[name], 100 * (1 + list(MODELS).index(name))
    text = {"vocab_size": vocabulary, "bos_token_id": vocabulary - 2, "eos_token_id": vocabulary - 1,
            "pad_token_id": vocabulary - 1, "projection_dim": 16}  # fmt: skip
    unet = common.draw(UNet2DConditionModel(**parts["unet"]), seed)
    autoencoder = common.draw(AutoencoderKL(**parts["vae"]), seed + 1)
    text_encoder = common.draw(CLIPTextModel(CLIPTextConfig(**text, **TEXT | parts.get("text", {}))), seed + 2)
    with torch.no_grad():
        # Pictures within -1 to 1 for the most part.
        autoencoder.decoder.conv_out.weight.copy_((0.4 * autoencoder.decoder.conv_out.weight).half().float())
    return unet, autoencoder, text_encoder


@torch.no_grad()
def outputs(unet, autoencoder, text_encoder, seed):
    """Inputs, and what the reference makes of them."""
    generator = torch.Generator().manual_seed(seed)
    vocabulary = text_encoder.config.vocab_size
    ids = torch.randint(0, vocabulary - 2, (2, 77), generator=generator)
    ids[:, 0] = vocabulary - 2
    ids[0, 9:] = ids[1, 76:] = vocabulary - 1
    text = text_encoder(ids, output_hidden_states=True)
    norm = getattr(text_encoder, "text_model", text_encoder).final_layer_norm
    factor = 2 ** (len(autoencoder.config.block_out_channels) - 1)
    sample = torch.randn(2, unet.config.in_channels, 8, 6, generator=generator)
    timesteps = torch.tensor([981.0, 24.0])
    picture = 2 * torch.rand(1, 3, 4 * factor, 6 * factor, generator=generator) - 1
    latents = torch.randn(1, 4, 6, 5, generator=generator)
    posterior = autoencoder.encode(picture).latent_dist
    return {
        "text.ids": ids, "text.hidden": text.last_hidden_state, "text.hidden_skip2": norm(text.hidden_states[-2]),
        "text.pooled": text.pooler_output,
        "unet.sample": sample, "unet.timesteps": timesteps, "unet.context": text.last_hidden_state,
        "unet.output": unet(sample, timesteps, text.last_hidden_state).sample,
        "vae.picture": picture, "vae.mean": posterior.mean, "vae.logvar": posterior.logvar, "vae.latents": latents,
        "vae.decoded": autoencoder.decode(latents).sample,
    }  # fmt: skip


def make(name):
    folder, parts = common.MODELS / name, MODELS[name]
    shutil.rmtree(folder, ignore_errors=True)
    vocabulary = common.save_tokenizer(folder / "tokenizer", MERGES, parts.get("pad", common.END))
    networks = build(name, vocabulary)
    io = outputs(*networks, seed=1 + list(MODELS).index(name))
    lively = {key: f"{io[key].std():.2f}" for key in ["text.hidden", "unet.output", "vae.mean", "vae.decoded"]}
    assert all(tensor.float().isfinite().all() for tensor in io.values()), name
    common.save_tensors(folder / "io.safetensors", io)
    if name in SINGLE_FILES:
        names = ldm.single_file_names(*networks)
        ldm.check_with_diffusers(names, *networks)
    half = [network.to(parts.get("dtype", torch.float16)) for network in networks]
    common.save_model(folder, *half, parts["scheduler"], parts.get("pipeline", "StableDiffusionPipeline"))
    print(name, sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) // 1024, "KB", lively)


def single_files():
    """How single files name the tensors: by part and diffusers' name."""
    vocabulary = len(common.clip_vocabulary(MERGES)[0])
    return {name: ldm.single_file_names(*build(name, vocabulary)) for name in SINGLE_FILES}


def shapes():
    """Number of tensors, and SHA-256 of lines `name [shape]` sorted by name, of models of true size."""
    found = {}
    for shape, parts in full_models.SHAPES.items():
        with torch.device("meta"):
            networks = {
                "unet": UNet2DConditionModel(**parts["unet"]).state_dict(),
                "vae": AutoencoderKL(**full_models.VAE).state_dict(),
                "text_encoder": ldm.text_names(CLIPTextModel(CLIPTextConfig(**parts["text"]))),
            }
        for part, tensors in networks.items():
            lines = "".join(f"{name} {list(tensor.shape)}\n" for name, tensor in sorted(tensors.items()))
            digest = hashlib.sha256(lines.encode()).hexdigest()
            found[f"{shape} {part}"] = {"tensors": len(tensors), "sha256": digest}
    return found


def main():
    torch.set_num_threads(1)
    for name in sys.argv[1:] or MODELS:
        make(name)
    names = json.dumps({"versions": common.versions(), **single_files()}, separators=(",", ":"))
    (common.MODELS / "single-files.json").write_text(names + "\n")
    common.write_json(common.MODELS / "shapes.json", {"versions": common.versions(), **shapes()})


if __name__ == "__main__":
    main()

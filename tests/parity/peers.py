"""Compares `tarim render` with diffusers-rs 0.3.1 (`tests/peers`), live, on a small model with random weights.

    python tests/parity/peers.py PEER TARIM

Whatever that engine can render of a recipe, Tarim must render alike, at 45 dB PSNR (the reference, which is held to
50 dB elsewhere, keeps its levels in float64 where this engine rounds them). The peer gets the encoded prompt and the
noise, which are not its part, and a model whose norms have 32 groups, because it writes that number down.
Run by `cargo xtask parity --peers`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import safetensors.torch
import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel

import common

PROMPT, NEGATIVE, SEED, STEPS, GUIDANCE = "a red fox", "blurry", 7, 6, 5.0
# The peer's scheduler, and Tarim's sampler and schedule that are meant to give the same.
CASES = [
    ("ddim", "DDIM", "Leading"), ("euler", "Euler", "Linspace"), ("heun", "Heun", "Linspace"),
    ("dpm2", "DPM2", "Linspace"), ("lms", "LMS", "Linspace"), ("pndm", "PNDM", "Leading"),
    ("dpm++2m", "DPM++ 2M", "Linspace"),
]  # fmt: skip
OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def make_model(folder):
    """A Stable Diffusion 1 in small."""
    vocabulary = common.save_tokenizer(folder / "tokenizer", 120)
    unet = common.draw(UNet2DConditionModel(
        sample_size=8, block_out_channels=[32, 64], layers_per_block=1, cross_attention_dim=32, attention_head_dim=8,
        down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"],
    ), 1)  # fmt: skip
    unet.conv_out.weight.data = (unet.conv_out.weight.data * 0.6).half().float()
    vae = common.draw(AutoencoderKL(
        block_out_channels=[32] * 4, layers_per_block=1, latent_channels=4, scaling_factor=0.5, sample_size=64,
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
    ), 2)  # fmt: skip
    vae.decoder.conv_out.weight.data = (vae.decoder.conv_out.weight.data * 0.25).half().float()
    ids = {"vocab_size": vocabulary, "bos_token_id": vocabulary - 2, "eos_token_id": vocabulary - 1, "pad_token_id": 1}
    text = CLIPTextConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, **ids)
    scheduler = PNDMScheduler(**common.STABLE_DIFFUSION_SCHEDULER | {"skip_prk_steps": True})
    common.save_model(folder, unet, vae, common.draw(CLIPTextModel(text), 3), scheduler)


def peers_copy(pipe, folder, overrides):
    """The model as the peer reads it: in float32, and with the autoencoder's attention named as in 2023."""
    for name, part in [("unet", pipe.unet), ("vae", pipe.vae)]:
        tensors = {key: value.float().contiguous() for key, value in part.state_dict().items()}
        if name == "vae":
            tensors = {rename(key): value for key, value in tensors.items()}
        (folder / name).mkdir()
        safetensors.torch.save_file(tensors, folder / name / "diffusion_pytorch_model.safetensors")
        common.write_json(folder / name / "config.json", dict(part.config))
    (folder / "scheduler").mkdir()
    common.write_json(folder / "scheduler" / "scheduler_config.json", {**pipe.scheduler.config, **overrides})


def rename(key):
    for new, old in OLD_NAMES.items():
        key = key.replace(f".attentions.0.{new}.", f".attentions.0.{old}.")
    return key


def context(pipe):
    ids = pipe.tokenizer([NEGATIVE, PROMPT], padding="max_length", max_length=77, return_tensors="pt").input_ids
    return pipe.text_encoder(ids).last_hidden_state.contiguous()


def ours(tarim, model, sampler, schedule, picture):
    words = ["render", PROMPT, "--negative", NEGATIVE, "--seed", SEED, "--steps", STEPS, "--guidance", GUIDANCE]
    words += ["--sampler", sampler, "--schedule", schedule, "--width", 64, "--height", 64, "--precision", "fp32"]
    words += ["--device", "cpu", "--model", model, "--out", picture]
    subprocess.run([tarim, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    with Image.open(picture) as image:
        pixels = torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8)
    return pixels.view(64, 64, 3).double()


def theirs(peer, copy, scheduler, inputs, output):
    words = [copy, inputs, output, "--scheduler", scheduler, "--steps", STEPS, "--guidance", GUIDANCE]
    subprocess.run([peer, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    image = safetensors.torch.load_file(output)["image"][0]
    return (image * 255).round().permute(1, 2, 0).double()


@torch.no_grad()
def main():
    peer, tarim = sys.argv[1:3]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        model, copy = folder / "model", folder / "copy"
        make_model(model)
        pipe = common.open_pipeline(model, StableDiffusionPipeline)
        copy.mkdir()
        peers_copy(pipe, copy, {})
        noise = torch.randn((1, 4, 8, 8), generator=torch.Generator("cpu").manual_seed(SEED))
        inputs = folder / "inputs.safetensors"
        safetensors.torch.save_file({"noise": noise, "context": context(pipe)}, inputs)
        for scheduler, sampler, schedule in CASES:
            found = ours(tarim, model, sampler, schedule, folder / f"{scheduler}.png")
            error = (found - theirs(peer, copy, scheduler, inputs, folder / "output.safetensors")).square().mean().item()
            decibels = float("inf") if error == 0 else 10 * torch.log10(torch.tensor(255**2 / error)).item()
            failed |= decibels < 45
            print(f"{sampler}, {schedule}: {decibels:.1f} dB, deviation of the picture {found.std():.0f}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""Compares whole pictures at the shapes of SD 1.5 and SD 2.1, live: `tarim render` beside diffusers' pipelines.

    python tests/parity/full.py MODELS --tarim PROGRAM [--size 256] [--steps 3]

MODELS holds `sd15` and `sd21` as `full_models.py` makes them. Fails below 50 dB PSNR. Run by `cargo xtask parity --full`.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import diffusers
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, StableDiffusionPipeline
from PIL import Image

import common

PROMPT, NEGATIVE, SEED, GUIDANCE = "a ruined tower in the desert, neon sun, 楼兰", "blurry", 5, 7.0
# Tarim's sampler, its schedule, and the same of diffusers.
SAMPLERS = [
    ("Euler", "Leading", EulerDiscreteScheduler, {"timestep_spacing": "leading"}),
    ("DDIM", "Leading", DDIMScheduler, {"timestep_spacing": "leading", "clip_sample": False}),
]


def reference(pipe, scheduler, options, size, steps):
    pipe.scheduler = scheduler.from_config(pipe.scheduler.config, **options)
    call = {"num_inference_steps": steps, "guidance_scale": GUIDANCE, "width": size, "height": size}
    generator = torch.Generator("cpu").manual_seed(SEED)
    return pipe(PROMPT, negative_prompt=NEGATIVE, generator=generator, **call).images[0]


def ours(program, model, sampler, schedule, size, steps, folder):
    picture = folder / f"{model.name}-{sampler}.png"
    words = ["render", PROMPT, "--negative", NEGATIVE, "--seed", SEED, "--guidance", GUIDANCE, "--steps", steps]
    words += ["--sampler", sampler, "--schedule", schedule, "--width", size, "--height", size, "--precision", "fp32"]
    words += ["--device", "cpu", "--model", model, "--out", picture]
    subprocess.run([program, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    return Image.open(picture)


def psnr(a, b):
    a, b = (torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8).double() for image in (a, b))
    error = (a - b).square().mean().item()
    return float("inf") if error == 0 else 10 * torch.log10(torch.tensor(255**2 / error)).item()


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path)
    parser.add_argument("--tarim", required=True)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    diffusers.utils.logging.disable_progress_bar()
    failed = False
    for name in ("sd15", "sd21"):
        model = options.models / name
        for sampler, schedule, scheduler, overrides in SAMPLERS:
            with tempfile.TemporaryDirectory() as folder:
                mine = ours(options.tarim, model, sampler, schedule, options.size, options.steps, Path(folder))
                mine.load()
            pipe = common.open_pipeline(model, StableDiffusionPipeline)
            theirs = reference(pipe, scheduler, overrides, options.size, options.steps)
            del pipe  # neither program's memory beside the other's
            decibels = psnr(mine, theirs)
            failed |= decibels < 50
            print(f"{name}, {sampler}, {schedule}: {decibels:.1f} dB", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

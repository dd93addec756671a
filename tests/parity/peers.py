"""Compares diffusers-rs 0.3.1 (`tests/peers`) with the recorded pictures that Tarim is held to.

    python tests/parity/peers.py PEER

Whatever that engine can render of the recorded cases, it must render alike: the recordings are then confirmed by an
engine that shares no code with the reference. It gets the encoded prompt and the noise, which are not its part.
Run by `cargo xtask parity --peers`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import safetensors.torch
import torch
from diffusers import StableDiffusionPipeline

import common

PICTURES = common.GOLDENS / "pictures"
# The recorded case and the peer's scheduler that is meant to give the same.
CASES = {
    "ddim": "ddim", "v-prediction-ddim": "ddim", "euler-linspace": "euler", "heun": "heun", "dpm2": "dpm2", "lms": "lms",
    "pndm": "pndm",
}  # fmt: skip
OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


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


def context(pipe, recipe):
    ids = pipe.tokenizer(
        [recipe["negative_prompt"], recipe["prompt"]], padding="max_length", max_length=77, return_tensors="pt"
    ).input_ids
    return pipe.text_encoder(ids).last_hidden_state


@torch.no_grad()
def main():
    peer = sys.argv[1]
    recorded = {case["name"]: case for case in json.loads((PICTURES / "cases.json").read_text("utf-8"))["cases"]}
    expected = safetensors.torch.load_file(PICTURES / "expected.safetensors")
    failed = False
    for name, scheduler in CASES.items():
        case = recorded[name]
        recipe = case["recipe"]
        pipe = common.open_pipeline(PICTURES / "models" / "base", StableDiffusionPipeline)
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            peers_copy(pipe, folder, case["scheduler"])
            size = recipe["size"]
            shape = (1, 4, size["height"] // 8, size["width"] // 8)
            noise = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(int(recipe["seed"])))
            inputs, output = folder / "inputs.safetensors", folder / "output.safetensors"
            safetensors.torch.save_file({"noise": noise, "context": context(pipe, recipe).contiguous()}, inputs)
            words = [folder, inputs, output, "--scheduler", scheduler, "--steps", recipe["steps"]]
            words += ["--guidance", recipe["guidance_scale"]]
            subprocess.run([peer, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
            found = safetensors.torch.load_file(output)
        wanted = expected[f"{name}.latents"]
        error = ((found["latents"][0] - wanted).abs().max() / wanted.square().mean().sqrt()).item()
        failed |= error > 1e-3
        print(f"{name}: largest error of the latents {error:.1e} of their size", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

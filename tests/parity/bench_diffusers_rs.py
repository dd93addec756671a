"""Times diffusers-rs 0.3.1 (`tests/peers`) on a model folder and prints one line of JSON with the keys of `engine_bench`.

    python tests/parity/bench_diffusers_rs.py --peer PROGRAM --model DIR [--size 512] [--steps 3]

In float32, the only arithmetic it has on a CPU. The encoded prompt is given to it, so it tells nothing of text encoders.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import safetensors.torch
import torch
from diffusers import StableDiffusionPipeline

import common
from peers import peers_copy


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--precision", choices=["fp32"], default="fp32")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    pipe = common.open_pipeline(options.model, StableDiffusionPipeline)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        peers_copy(pipe, folder, {})
        cells, width = options.size // 8, pipe.unet.config.cross_attention_dim
        del pipe
        inputs = {"noise": torch.randn(1, 4, cells, cells), "context": torch.randn(2, 77, width)}
        safetensors.torch.save_file(inputs, folder / "inputs.safetensors")
        words = [options.peer, folder, folder / "inputs.safetensors", folder / "output.safetensors"]
        words += ["--scheduler", "ddim", "--steps", options.steps, "--guidance", "7.5"]
        print(subprocess.run(map(str, words), check=True, capture_output=True, text=True).stdout.strip())


if __name__ == "__main__":
    main()

"""Times Hugging Face diffusers on a model folder and prints one line of JSON with the keys of `engine_bench`.

    python tests/parity/bench_diffusers.py --model DIR [--precision bf16|fp32|fp16] [--device cpu] [--size 512]
        [--steps 3] [--threads N]
"""

import time

START = time.perf_counter()

import argparse
import json
import statistics

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel

KINDS = {"bf16": torch.bfloat16, "fp32": torch.float32, "fp16": torch.float16}


def peak_rss():
    """Most memory that this process ever held, in bytes; known on Linux only."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
    except OSError:
        return None
    return int(line.split()[1]) * 1024


def timed(run, *arguments):
    start = time.perf_counter()
    result = run(*arguments)
    result.float().mean().item()  # Reading a number makes an asynchronous device finish.
    return result, time.perf_counter() - start


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--precision", choices=KINDS, default="fp32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    kind, device = KINDS[options.precision], options.device

    def load(cls, part):
        # transformers and diffusers take the variant where the plain file is not there.
        return cls.from_pretrained(options.model, subfolder=part, torch_dtype=kind).to(device).eval()

    clip, unet, vae = load(CLIPTextModel, "text_encoder"), load(UNet2DConditionModel, "unet"), load(AutoencoderKL, "vae")
    loaded, loaded_cpu = time.perf_counter() - START, time.process_time()

    ids = torch.full((2, 77), 49407, device=device)
    ids[:, 0] = 49406
    encode = lambda: clip(ids).last_hidden_state
    context, _ = timed(encode)
    side = options.size // 2 ** (len(vae.config.block_out_channels) - 1)
    latents = torch.randn(2, unet.config.in_channels, side, side, dtype=kind, device=device)
    step = lambda: unet(latents, 500, context).sample
    _, first_step = timed(step)
    cold_start = time.perf_counter() - START
    before_steps = time.process_time()
    steps = [timed(step)[1] for _ in range(options.steps)]
    before_decode = time.process_time()
    _, decode = timed(lambda: vae.decode(latents[:1, :4]).sample)
    decode_cpu = time.process_time() - before_decode
    _, text = timed(encode)
    print(json.dumps({
        "engine": "diffusers", "device": device, "precision": options.precision, "threads": torch.get_num_threads(),
        "size": options.size, "load_seconds": loaded, "text_seconds": text, "first_step_seconds": first_step,
        "load_cpu_seconds": loaded_cpu, "step_cpu_seconds": (before_decode - before_steps) / options.steps,
        "decode_cpu_seconds": decode_cpu, "cold_start_seconds": cold_start, "step_seconds": statistics.median(steps), "steps_seconds": steps,
        "decode_seconds": decode, "peak_rss_bytes": peak_rss(),
    }))


if __name__ == "__main__":
    main()

"""Makes models of true Stable Diffusion shapes with random weights, for `parity --full` and for the benchmark.

    python tests/parity/full_models.py FOLDER [sd15 | sd21]

Writes a diffusers folder in float16, about 2 GB (sd15, the default) or 2.6 GB (sd21: v-prediction, 768 pixels).
"""

import sys
from pathlib import Path

import diffusers
import torch
from diffusers import AutoencoderKL, DDIMScheduler, PNDMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

import common

UNET = {
    "sample_size": 64, "block_out_channels": [320, 640, 1280, 1280], "layers_per_block": 2, "in_channels": 4,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
}  # fmt: skip
VAE = {
    "block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "latent_channels": 4, "sample_size": 512,
    "down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4,
    "scaling_factor": 0.18215,
}  # fmt: skip
SHAPES = {
    "sd15": {
        "unet": {**UNET, "attention_head_dim": 8, "cross_attention_dim": 768},
        "text": {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
                 "hidden_act": "quick_gelu"},
        "scheduler": PNDMScheduler(**common.STABLE_DIFFUSION_SCHEDULER | {"skip_prk_steps": True}),
        "pad": common.END,
    },
    "sd21": {
        "unet": {**UNET, "attention_head_dim": [5, 10, 20, 20], "cross_attention_dim": 1024, "sample_size": 96,
                 "use_linear_projection": True, "upcast_attention": True},
        "text": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23, "num_attention_heads": 16,
                 "hidden_act": "gelu"},
        "scheduler": DDIMScheduler(
            **common.STABLE_DIFFUSION_SCHEDULER | {"prediction_type": "v_prediction", "clip_sample": False}
        ),
        "pad": "!",
    },
}  # fmt: skip


def build(make, seed):
    """A module in float16, without ever holding it in float32."""
    with torch.device("meta"):
        model = make()
    model = model.half().to_empty(device="cpu")
    for name, buffer in model.named_buffers():
        if name.endswith("position_ids"):
            buffer.copy_(torch.arange(buffer.shape[-1]).expand(buffer.shape))
    return common.draw(model, seed, torch.float16, gain=0.7)


def main():
    folder, shape = Path(sys.argv[1]), SHAPES[sys.argv[2] if len(sys.argv) > 2 else "sd15"]
    torch.set_num_threads(1)
    vocabulary = common.save_tokenizer(folder / "tokenizer", pad=shape["pad"])
    text = {"vocab_size": vocabulary, "bos_token_id": vocabulary - 2, "eos_token_id": vocabulary - 1, "pad_token_id": 1}
    common.save_model(
        folder,
        build(lambda: UNet2DConditionModel(**shape["unet"]), 1),
        build(lambda: AutoencoderKL(**VAE), 2),
        build(lambda: CLIPTextModel(CLIPTextConfig(**text, **shape["text"])), 3),
        shape["scheduler"],
    )
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder}: {size / 1e9:.2f} GB with diffusers {diffusers.__version__}")


if __name__ == "__main__":
    main()

"""Records small networks with random weights and what the reference implementation computes with them.

Each case under tests/goldens/nets/ holds `config.json`, `weights.safetensors` (float16, so that they are small; the
reference computes with the same rounded values in float32) and `io.safetensors` with inputs and outputs.

Run by `cargo xtask parity`, or: python tests/parity/nets.py [OUTPUT FOLDER]
"""

import json
import sys
from pathlib import Path

import torch
from common import save_tensors
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "goldens" / "nets")


def draw(model, seed):
    """Gives every parameter, norms included, values that change the result, and rounds them to float16."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() > 1:
            fan_in = parameter[0].numel()
            value = noise / fan_in**0.5
        else:
            value = 0.2 * noise + (1.0 if "norm" in name and name.endswith("weight") else 0.0)
        parameter.data = value.half().float()
    return model.eval()


def save(case, config, model, io):
    folder = OUT / case
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    weights = {k.removeprefix("text_model."): v.half().contiguous() for k, v in model.state_dict().items()}
    weights = {k: v for k, v in weights.items() if not k.endswith("position_ids")}
    save_tensors(folder / "weights.safetensors", weights, format="pt")
    save_tensors(folder / "io.safetensors", io)
    print(f"{case}: {sum(f.stat().st_size for f in folder.iterdir()) // 1024} KB")


def unet(case, seed, size, timesteps, tokens=5, **config):
    # diffusers warns about attention_head_dim, which its own configurations use: it is the number of heads.
    model = draw(UNet2DConditionModel(**config), seed)
    generator = torch.Generator().manual_seed(seed + 1)
    context_dim = config.get("encoder_hid_dim") or config["cross_attention_dim"]
    sample = torch.randn(len(timesteps), config.get("in_channels", 4), *size, generator=generator)
    context = torch.randn(len(timesteps), tokens, context_dim, generator=generator)
    times = torch.tensor(timesteps, dtype=torch.float64)
    output = model(sample, times, context).sample
    save(case, {"_class_name": "UNet2DConditionModel", **config}, model,
         {"sample": sample, "timesteps": times, "context": context, "output": output})


def vae(case, seed, size, **config):
    model = draw(AutoencoderKL(**config), seed)
    factor = 2 ** (len(config["block_out_channels"]) - 1)
    generator = torch.Generator().manual_seed(seed + 1)
    picture = torch.rand(2, 3, size[0] * factor, size[1] * factor, generator=generator) * 2 - 1
    posterior = model.encode(picture).latent_dist
    latents = torch.randn(2, config.get("latent_channels", 4), *size, generator=generator)
    save(case, {"_class_name": "AutoencoderKL", **config}, model,
         {"picture": picture, "mean": posterior.mean, "logvar": posterior.logvar, "latents": latents,
          "decoded": model.decode(latents).sample})


def clip(case, seed, ids, **config):
    model = draw(CLIPTextModel(CLIPTextConfig(**config)), seed)
    ids = torch.tensor(ids)
    result = model(ids, output_hidden_states=True)
    norm = getattr(model, "text_model", model).final_layer_norm
    io = {"ids": ids, "pooled": result.pooler_output, "skip1": result.last_hidden_state}
    for skip in range(2, config["num_hidden_layers"] + 1):
        io[f"skip{skip}"] = norm(result.hidden_states[-skip])
    save(case, {"architectures": ["CLIPTextModel"], **config}, model, io)


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    cross, plain = ["CrossAttnDownBlock2D", "CrossAttnUpBlock2D"], ["DownBlock2D", "UpBlock2D"]
    unet("unet-conv-projection", 1, (8, 12), [981.0, 1.0], block_out_channels=[8, 16], norm_num_groups=4,
         down_block_types=[cross[0], plain[0]], up_block_types=[plain[1], cross[1]], layers_per_block=1,
         cross_attention_dim=12, attention_head_dim=2)
    unet("unet-linear-projection-inpainting", 2, (7, 10), [500.5], block_out_channels=[4, 8, 8], in_channels=9,
         norm_num_groups=2, down_block_types=[cross[0], cross[0], plain[0]],
         up_block_types=[plain[1], cross[1], cross[1]], layers_per_block=[1, 2, 1], cross_attention_dim=10,
         attention_head_dim=[1, 2, 4], use_linear_projection=True, upcast_attention=True)
    unet("unet-text-time", 3, (8, 8), [3.0, 700.0], tokens=77, block_out_channels=[16, 8], norm_num_groups=8,
         down_block_types=[plain[0], cross[0]], up_block_types=[cross[1], plain[1]], layers_per_block=1,
         cross_attention_dim=16, attention_head_dim=4, addition_embed_type="text", addition_embed_type_num_heads=4,
         only_cross_attention=[False, True], transformer_layers_per_block=2, act_fn="gelu",
         mid_block_scale_factor=1.4, flip_sin_to_cos=False, freq_shift=1, norm_eps=1e-3, downsample_padding=0)
    unet("unet-one-block", 4, (5, 6), [40.0], block_out_channels=[16], norm_num_groups=4, in_channels=8,
         down_block_types=[plain[0]], up_block_types=[plain[1]], mid_block_type="UNetMidBlock2D", layers_per_block=2,
         cross_attention_dim=8, attention_head_dim=2, encoder_hid_dim=6, encoder_hid_dim_type="text_proj",
         resnet_time_scale_shift="scale_shift", center_input_sample=True, conv_in_kernel=1, conv_out_kernel=5,
         time_embedding_act_fn="silu", timestep_post_act="mish", time_embedding_dim=20)
    levels = lambda n: {"down_block_types": ["DownEncoderBlock2D"] * n, "up_block_types": ["UpDecoderBlock2D"] * n}
    vae("vae", 5, (5, 7), block_out_channels=[8, 16], layers_per_block=1, norm_num_groups=4, **levels(2))
    vae("vae-no-attention", 6, (3, 3), block_out_channels=[8, 8, 16], layers_per_block=2, norm_num_groups=8,
        latent_channels=3, use_quant_conv=False, use_post_quant_conv=False, mid_block_add_attention=False, **levels(3))
    vae("vae-one-level", 7, (6, 4), block_out_channels=[16], layers_per_block=1, norm_num_groups=2, act_fn="mish",
        **levels(1))
    clip("clip-quick-gelu", 8, [[98, 5, 6, 7, 99, 99, 99], [98, 1, 2, 3, 4, 50, 99]], vocab_size=100, hidden_size=16,
         intermediate_size=40, num_hidden_layers=3, num_attention_heads=2, max_position_embeddings=8,
         hidden_act="quick_gelu", eos_token_id=2, bos_token_id=0, pad_token_id=1)
    clip("clip-gelu", 9, [[98, 5, 6, 97, 0, 0, 97, 0], [98, 97, 2, 3, 4, 99, 0, 0]], vocab_size=100, hidden_size=24,
         intermediate_size=24, num_hidden_layers=2, num_attention_heads=6, max_position_embeddings=8,
         hidden_act="gelu", eos_token_id=97, bos_token_id=98, pad_token_id=0, layer_norm_eps=1e-4)


if __name__ == "__main__":
    main()

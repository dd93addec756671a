"""Names that the original repositories (and so single files) give to a diffusers model's tensors, checked against
diffusers' own conversion, which goes the other way."""

import re

import torch
from diffusers.loaders import single_file_utils

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}  # fmt: skip
UNET = {"conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2", "conv_norm_out": "out.0", "conv_out": "out.2"}  # fmt: skip
MIDDLE = {"resnets.0": "0", "attentions.0": "1", "resnets.1": "2"}
OPENCLIP = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
            "self_attn.out_proj": "attn.out_proj"}  # fmt: skip


def replace_start(name, table):
    for new, old in table.items():
        if name.startswith(new + "."):
            return old + name[len(new) :]
    return name


def unet_name(name, config):
    layers, levels = config["layers_per_block"], len(config["block_out_channels"])
    layers = [layers] * levels if isinstance(layers, int) else layers
    if not (match := re.match(r"(down_blocks|up_blocks|mid_block)\.(?:(\d+)\.)?(\w+)\.(\d+)\.(.*)", name)):
        return replace_start(name, UNET)
    side, block, kind, layer, rest = match.groups()
    if side == "mid_block":
        at = f"middle_block.{MIDDLE[f'{kind}.{layer}']}"
    else:
        block, layer = int(block), int(layer)
        if side == "down_blocks":
            first, size = 1 + sum(n + 1 for n in layers[:block]), layers[block]
            at = f"input_blocks.{first + (size if kind == 'downsamplers' else layer)}"
        else:
            counts = [n + 1 for n in reversed(layers)]
            first, size = sum(counts[:block]), counts[block]
            at = f"output_blocks.{first + (size - 1 if kind == 'upsamplers' else layer)}"
        attends = config["up_block_types"][block].startswith("Cross")
        at += {"resnets": ".0", "attentions": ".1", "downsamplers": ".0", "upsamplers": ".2" if attends else ".1"}[kind]
    if kind == "resnets":
        rest = replace_start(rest, RESNET)
    elif kind == "downsamplers":
        rest = rest.replace("conv.", "op.")
    return f"{at}.{rest}"


def vae_name(name, config):
    levels = len(config["block_out_channels"])
    name = re.sub(r"up_blocks\.(\d+)", lambda match: f"up.{levels - 1 - int(match[1])}", name)
    for new, old in [("down_blocks", "down"), ("mid_block.resnets.0", "mid.block_1"), ("mid_block.resnets.1", "mid.block_2"),
                     ("mid_block.attentions.0.", "mid.attn_1."), ("resnets", "block"), ("downsamplers.0", "downsample"),
                     ("upsamplers.0", "upsample"), ("conv_shortcut", "nin_shortcut"), ("conv_norm_out", "norm_out"),
                     ("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")]:  # fmt: skip
        name = name.replace(new, old)
    return name


def openclip_name(name):
    """The name, and for thirds of a matrix which third."""
    fixed = {"embeddings.token_embedding.weight": "token_embedding.weight", "final_layer_norm.weight": "ln_final.weight",
             "embeddings.position_embedding.weight": "positional_embedding", "final_layer_norm.bias": "ln_final.bias"}  # fmt: skip
    if name in fixed:
        return fixed[name], None
    at, rest = re.match(r"encoder\.layers\.(\d+)\.(.*)", name).groups()
    if match := re.match(r"self_attn\.([qkv])_proj\.(.*)", rest):
        return f"transformer.resblocks.{at}.attn.in_proj_{match[2]}", "qkv".index(match[1])
    return f"transformer.resblocks.{at}.{replace_start(rest, OPENCLIP)}", None


def single_file_names(unet, vae, text_encoder):
    """For each part a table from diffusers' name to the name in a single file and, where it is one of three matrices in
    one, which."""
    openclip = text_encoder.config.hidden_act == "gelu"
    names = {"text_encoder": {}, "unet": {}, "vae": {}}
    for name in unet.state_dict():
        names["unet"][name] = ["model.diffusion_model." + unet_name(name, unet.config), None]
    for name in vae.state_dict():
        names["vae"][name] = ["first_stage_model." + vae_name(name, vae.config), None]
    for name in text_names(text_encoder):
        if openclip:
            old, third = openclip_name(name)
            names["text_encoder"][name] = ["cond_stage_model.model." + old, third]
        else:
            names["text_encoder"][name] = ["cond_stage_model.transformer.text_model." + name, None]
    return names


def text_names(text_encoder):
    """The text encoder's tensors without the prefix that transformers had until version 5."""
    return {name.removeprefix("text_model."): tensor for name, tensor in text_encoder.state_dict().items()
            if not name.endswith("position_ids")}  # fmt: skip


def check_with_diffusers(names, unet, vae, text_encoder):
    """diffusers' conversion of a single file with these names must give the model back."""
    checkpoint = {}
    for part, tensors in [("unet", unet.state_dict()), ("vae", vae.state_dict()), ("text_encoder", text_names(text_encoder))]:
        for name, tensor in tensors.items():
            old, third = names[part][name]
            if part == "vae" and ".attn_1." in old and tensor.dim() == 2:
                tensor = tensor[:, :, None, None]
            checkpoint.setdefault(old, []).append((third, tensor))
    checkpoint = {name: torch.cat([tensor for _, tensor in sorted(parts, key=lambda part: part[0] or 0)])
                  for name, parts in checkpoint.items()}  # fmt: skip
    converted = single_file_utils.convert_ldm_unet_checkpoint(dict(checkpoint), unet.config)
    compare("unet", converted, unet.state_dict())
    converted = single_file_utils.convert_ldm_vae_checkpoint(dict(checkpoint), vae.config)
    compare("vae", converted, vae.state_dict())
    if text_encoder.config.hidden_act == "gelu":
        converted = single_file_utils.convert_open_clip_checkpoint(text_encoder, dict(checkpoint))
    else:
        converted = single_file_utils.convert_ldm_clip_checkpoint(dict(checkpoint))
    converted = {name.removeprefix("text_model."): tensor for name, tensor in converted.items()}
    compare("text_encoder", converted, text_names(text_encoder))


def compare(part, converted, expected):
    assert converted.keys() == expected.keys(), (part, sorted(converted.keys() ^ expected.keys())[:6])
    for name, tensor in expected.items():
        assert torch.equal(converted[name].reshape(tensor.shape), tensor), (part, name)

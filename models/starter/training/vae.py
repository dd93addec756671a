"""An AutoencoderKL whose weights are written down instead of trained.

The pictures are 32x32 sprites shown at eight times their size, so an exact f8 autoencoder exists:
the encoder averages 8x8 pixels and maps their colour to four latents, the decoder maps back and
repeats. Everything else in the network is made to do nothing:

* residual blocks have a zero second convolution, the attention a zero output projection;
* the encoder's stride-2 convolutions average 2x2, the decoder's convolutions pass the centre tap;
* the last GroupNorm is made linear by constant channels +K and -K in its group: with K far above the
  signal its mean is 0 and its standard deviation is a known constant, which the affine weight undoes;
* the SiLU after it is undone by carrying each signal as +a and -a, since silu(a) - silu(-a) = a.

The latents are the three whitened colour channels seen along the four axes of a tetrahedron: unit
variance each, and a decoder that averages the error of four numbers over three.
"""

import random

import numpy as np
import torch

import drawings

K = 64.0  # the constant channels; a power of two, exact in every float type
SCALING = 0.18215
TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5


def colour_map(count=3000):
    """(matrix 4x3, offset 4, inverse 3x4, mean 3): RGB in -1..1 to unit-variance latents and back."""
    rng = random.Random(0)
    pixels = np.stack([drawings.draw(drawings.sample(rng)) for _ in range(count)]).reshape(-1, 3) / 127.5 - 1
    mean, cov = pixels.mean(0), np.cov(pixels.T)
    values, vectors = np.linalg.eigh(cov)
    whiten = vectors @ np.diag(values**-0.5) @ vectors.T
    unwhiten = vectors @ np.diag(values**0.5) @ vectors.T
    matrix = TETRAHEDRON @ whiten
    return matrix, -matrix @ mean, unwhiten @ TETRAHEDRON.T * 0.75, mean


class ColourMap:
    """The autoencoder's arithmetic on sprites, without the network: what training uses."""

    def __init__(self):
        m, o, inv, mean = colour_map()
        self.matrix, self.offset = torch.tensor(m).float(), torch.tensor(o).float()
        self.inverse, self.mean = torch.tensor(inv).float(), torch.tensor(mean).float()

    def encode(self, sprites):
        """uint8 (n, 32, 32, 3) -> scaled latents (n, 4, 32, 32)."""
        x = torch.as_tensor(sprites).float() / 127.5 - 1
        return (x @ self.matrix.T + self.offset).permute(0, 3, 1, 2).contiguous()

    def decode(self, latents):
        """Scaled latents (n, 4, 32, 32) -> uint8 (n, 32, 32, 3)."""
        x = latents.float().permute(0, 2, 3, 1) @ self.inverse.T + self.mean
        return ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy()


@torch.no_grad()
def build(colours=None):
    """The diffusers AutoencoderKL with its weights written in."""
    from diffusers import AutoencoderKL

    colours = colours or ColourMap()
    vae = AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=256,
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[16, 16, 16, 64], layers_per_block=1, norm_num_groups=2, act_fn="silu",
        scaling_factor=SCALING, force_upcast=False,
    )  # fmt: skip
    for name, p in vae.named_parameters():
        p.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)

    def centre(conv, pairs, bias=()):
        """The 3x3 (or 1x1) convolution that sends input channel i to output channel o times w."""
        c = conv.weight.shape[-1] // 2
        for o, i, w in pairs:
            conv.weight[o, i, c, c] = w
        for o, b in bias:
            conv.bias[o] = b

    carry = [(2 * c + s, c, 1.0 - 2 * s) for c in range(3) for s in range(2)]  # r -r g -g b -b
    merge = [(c, 2 * c + s, 1.0 - 2 * s) for c in range(3) for s in range(2)]
    constants = [(6, K), (7, -K)]
    keep = [(c, c, 1.0) for c in range(8)]

    def output(norm, conv, channels):
        per_group = channels // 2
        norm.weight[:6] = (2 * K * K / per_group) ** 0.5
        centre(conv, merge)

    enc, dec = vae.encoder, vae.decoder
    centre(enc.conv_in, carry, constants)
    for block in enc.down_blocks:
        for resnet in block.resnets:
            if resnet.conv_shortcut is not None:
                centre(resnet.conv_shortcut, keep)
        for down in block.downsamplers or []:
            for c in range(8):
                down.conv.weight[c, c, :2, :2] = 0.25
    output(enc.conv_norm_out, enc.conv_out, 64)
    # The first three channels of the encoder's output are the mean colour; 4..7 the log-variance.
    vae.quant_conv.weight[:4, :3, 0, 0] = colours.matrix / SCALING
    vae.quant_conv.bias[:4] = colours.offset / SCALING
    vae.quant_conv.bias[4:] = -20.0  # log-variance: sampling the posterior adds nothing visible
    vae.post_quant_conv.weight[:3, :, 0, 0] = colours.inverse * SCALING
    vae.post_quant_conv.bias[:3] = colours.mean
    centre(dec.conv_in, carry, constants)
    for block in dec.up_blocks:
        for resnet in block.resnets:
            if resnet.conv_shortcut is not None:
                centre(resnet.conv_shortcut, keep)
        for up in block.upsamplers or []:
            centre(up.conv, keep)
    output(dec.conv_norm_out, dec.conv_out, 16)
    return vae.eval()


@torch.no_grad()
def check(vae, count=16):
    """PSNR in dB of sprites through the network, by number format."""
    rng = random.Random(5)
    sprites = np.stack([drawings.draw(drawings.sample(rng)) for _ in range(count)])
    big = torch.tensor(sprites.repeat(8, 1).repeat(8, 2)).permute(0, 3, 1, 2).float() / 127.5 - 1
    result = {}
    state = {k: v.clone() for k, v in vae.state_dict().items()}
    for name, stored, compute in [
        ("fp32", torch.float32, torch.float32), ("fp16 weights", torch.float16, torch.float32),
        ("bf16", torch.bfloat16, torch.bfloat16), ("fp16", torch.float16, torch.float16),
    ]:  # fmt: skip
        vae.load_state_dict({k: v.to(stored).float() for k, v in state.items()})
        vae.to(compute)
        z = vae.encode(big.to(compute)).latent_dist.mode()
        out = vae.decode(z).sample.float()
        result[name] = round(float(10 * torch.log10(4 / ((out - big) ** 2).mean())), 1)
        vae.float()
    vae.load_state_dict(state)
    return result


if __name__ == "__main__":
    torch.set_num_threads(1)
    model = build()
    print(sum(p.numel() for p in model.parameters()), "parameters")
    print(check(model))
    maps = ColourMap()
    r = random.Random(6)
    s = np.stack([drawings.draw(drawings.sample(r)) for _ in range(64)])
    z = maps.encode(s)
    print("latent mean/std", z.mean((0, 2, 3)), z.std((0, 2, 3)), "map error", np.abs(maps.decode(z).astype(int) - s).max())

"""Trains the starter model from nothing, or goes on where it stopped: one command, one process.

    python models/starter/training/train.py --work target/starter

Stages: tokenizer, autoencoder (both written down in seconds), text encoder (minutes), UNet (hours).
The state is saved in the work folder every few minutes; start the command again to resume. The
pipeline is exported to `<work>/pipeline` at the end, or at any time with `--export`.
"""

import argparse
import json
import math
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import torch

import captions
import drawings
import text
import vae as autoencoder
from muon import Muon

UNET = dict(
    sample_size=32, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=[64, 96, 192],
    down_block_types=["DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"],
    mid_block_type="UNetMidBlock2DCrossAttn",
    up_block_types=["CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"],
    attention_head_dim=6, cross_attention_dim=text.WIDTH, norm_num_groups=8,
    addition_embed_type="text", addition_embed_type_num_heads=4,
)  # fmt: skip
SCHEDULER = dict(
    num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
    prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing",
    clip_sample=False, set_alpha_to_one=True, steps_offset=1,
)  # fmt: skip


# ---------------------------------------------------------------- diffusion


def alphas_cumprod():
    """The zero-terminal-SNR schedule, 1000 values from about 1 to 0."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(**SCHEDULER).alphas_cumprod


@torch.no_grad()
def ddim(unet, hidden, empty, noise, alphas, steps=20, guidance=4.0):
    """Deterministic DDIM with trailing spacing; hidden (n, 77, w), empty (1, 77, w)."""
    x = noise
    times = [round(999 + 1 - i * 1000 / steps) - 1 for i in range(steps)]
    for i, t in enumerate(times):
        both = torch.cat([empty.expand_as(hidden), hidden])
        with torch.autocast("cpu", torch.bfloat16):
            v = unet(torch.cat([x, x]), t, both).sample
        v0, v1 = v.float().chunk(2)
        v = v0 + guidance * (v1 - v0)
        a = alphas[t]
        b = alphas[times[i + 1]] if i + 1 < steps else torch.tensor(1.0)
        x0 = a.sqrt() * x - (1 - a).sqrt() * v
        eps = a.sqrt() * v + (1 - a).sqrt() * x
        x = b.sqrt() * x0 + (1 - b).sqrt() * eps
    return x


# ---------------------------------------------------------------- optimizers


def optimizers(unet):
    """Muon for the inner matrices; AdamW for the rest, gently for the pre-trained text pooling."""
    muon, adam, gentle = [], [], []
    for name, p in unet.named_parameters():
        if name.startswith("add_embedding"):
            gentle.append(p)
        elif p.ndim >= 2 and not name.startswith(("conv_in", "conv_out", "time_embedding")):
            muon.append(p)
        else:
            adam.append(p)
    return [
        Muon([dict(params=muon, base=0.02)]),
        torch.optim.AdamW(
            [dict(params=adam, base=1.5e-3), dict(params=gentle, base=2e-4)], betas=(0.9, 0.98), weight_decay=0.0
        ),
    ]


# ---------------------------------------------------------------- stages


class Run:
    """The work folder and what is in it."""

    def __init__(self, work):
        self.work = Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.log_file = self.work / "log.txt"
        self.colours = autoencoder.ColourMap()
        folder = self.work / "tokenizer"
        if not (folder / "tokenizer_config.json").exists():
            text.build_tokenizer(folder)
        self.tokenizer = text.Tokenizer(folder)
        self.vocab_size = len(json.loads((folder / "vocab.json").read_text()))
        self.encoder = text.build_encoder(self.vocab_size)

    def log(self, line):
        line = f"{time.strftime('%H:%M:%S')} {line}"
        print(line, flush=True)
        with self.log_file.open("a") as f:
            f.write(line + "\n")

    def save(self, name, value):
        temporary = self.work / (name + ".tmp")
        torch.save(value, temporary)
        os.replace(temporary, self.work / name)

    def train_text(self, seconds):
        """The text encoder, from the work folder or trained now; returns the readout's pooling weights."""
        path = self.work / "text.pt"
        if path.exists():
            state = torch.load(path)
        else:
            torch.manual_seed(1)
            readout, scores = text.pretrain(self.tokenizer, self.encoder, seconds, log=self.log)
            self.log(f"text accuracy (pooled, mean): {scores}")
            state = {"encoder": self.encoder.state_dict(), "pool": readout.pool.state_dict()}
            self.save("text.pt", state)
        self.encoder.load_state_dict(state["encoder"])
        self.encoder.requires_grad_(False).eval()
        return state["pool"]

    @torch.no_grad()
    def encode(self, texts):
        ids = self.tokenizer(texts)
        with torch.autocast("cpu", torch.bfloat16):
            return self.encoder(ids).last_hidden_state.float()

    def build_unet(self, pool=None):
        from diffusers import UNet2DConditionModel
        from diffusers.models.attention_processor import AttnProcessor

        torch.manual_seed(2)
        unet = UNet2DConditionModel(**UNET)
        unet.set_attn_processor(AttnProcessor())
        if pool is not None:
            unet.add_embedding.load_state_dict(pool)
        return unet

    def export(self, unet, folder):
        """The diffusers folder, weights in fp16."""
        from diffusers import DDIMScheduler, StableDiffusionPipeline

        unet = unet.to(torch.float16)
        encoder = text.build_encoder(self.vocab_size)
        encoder.load_state_dict(self.encoder.state_dict())
        pipeline = StableDiffusionPipeline(
            vae=autoencoder.build(self.colours).to(torch.float16), text_encoder=encoder.to(torch.float16),
            tokenizer=self.tokenizer.inner, unet=unet, scheduler=DDIMScheduler(**SCHEDULER),
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip
        pipeline.save_pretrained(folder, safe_serialization=True)
        # Stored in fp16, but a library that follows the config's type should compute as the others do: in fp32.
        config = Path(folder) / "text_encoder" / "config.json"
        config.write_text(config.read_text().replace('"dtype": "float16"', '"dtype": "float32"'))
        # The tokenizer as CLIP's own two files, whichever form the library prefers today.
        (Path(folder) / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
        text_files = self.work / "tokenizer"
        for name in ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"):
            (Path(folder) / "tokenizer" / name).write_bytes((text_files / name).read_bytes())


FIXED = [  # the prompts of every quick sheet; several name combinations kept out of training
    "a blue fox with a crown, smiling, black hoodie, teal background",
    "purple cat wearing sunglasses, red t-shirt, yellow background",
    "green bear in a space helmet, blue armor, black background",
    "pink robot with headphones, black suit, blue background",
    "orange alien with a wizard hat, yellow hoodie, purple background",
    "a girl with pink hair, round glasses, light skin, red hoodie, green background",
    "white cat, neon visor, black armor, red background",
    "red fox in a beanie, surprised, blue t-shirt, orange background",
    "ruined towers in the desert, violet neon night, pink sun, starry sky",
    "a stupa, crimson, cyan moon, a camel",
    "a gate at loulan, jade, white moon, neon grid",
    "pyramids, sunset, red sun, a lone camel",
    "a walled city, midnight, crescent moon, stars",
    "empty dunes, golden, yellow sun",
    "一只橙色的猫，戴墨镜，蓝色背景，黑色连帽衫",
    "赛博楼兰，佛塔，紫色霓虹，青色月亮，繁星",
]


class Trainer:
    """The UNet's training: model, average, optimizers and the position in the data."""

    def __init__(self, run, batch, steps, drop, scenes):
        self.run, self.batch, self.steps, self.drop, self.scenes = run, batch, steps, drop, scenes
        self.alphas = alphas_cumprod()
        self.unet = run.build_unet(run.pool)
        self.ema = run.build_unet(run.pool).requires_grad_(False)
        self.optimizers = optimizers(self.unet)
        self.step, self.samples = 0, 0
        self.deadline, self.decay_seconds = math.inf, 1.0
        self.empty = run.encode([""])
        path = run.work / "unet.pt"
        if path.exists():
            state = torch.load(path)
            self.unet.load_state_dict(state["unet"])
            self.ema.load_state_dict(state["ema"])
            for o, s in zip(self.optimizers, state["optimizers"], strict=True):
                base = [g["base"] for g in o.param_groups]
                o.load_state_dict(s)
                for g, b in zip(o.param_groups, base, strict=True):
                    g["base"] = b
            self.step, self.samples = state["step"], state["samples"]
            run.log(f"resumed at step {self.step}, {self.samples} samples")

    def save(self):
        self.run.save(
            "unet.pt",
            {
                "unet": self.unet.state_dict(), "ema": self.ema.state_dict(), "step": self.step, "samples": self.samples,
                "optimizers": [o.state_dict() for o in self.optimizers],
            },  # fmt: skip
        )

    def rate(self):
        """Learning-rate factor: short warm-up, constant, linear decay at the end (of the steps or of the time)."""
        left = (self.steps - self.step) / (self.steps / 3)
        if self.deadline < math.inf:
            left = min(left, (self.deadline - time.time()) / self.decay_seconds)
        return min(1, (self.step + 1) / 40) * min(1, max(0.01, left))

    def data(self, rng, count):
        """(latents, text states): fresh drawings with captions."""
        batch = [drawings.sample(rng, scenes=self.scenes) for _ in range(count)]
        latents = self.run.colours.encode(np.stack([drawings.draw(a) for a in batch]))
        texts = ["" if rng.random() < 0.1 else captions.caption(a, rng, drop=self.drop) for a in batch]
        return latents, self.run.encode(texts)

    def train_step(self):
        rng = random.Random(1_000_003 * (self.step + 1))
        generator = torch.Generator().manual_seed(self.step)
        x0, hidden = self.data(rng, self.batch)
        u = torch.rand(self.batch, generator=generator)
        # More of the steep end, where the caption decides; a twelfth at pure noise.
        t = (1000 * u**0.75).long().clamp(max=999)
        t[torch.rand(self.batch, generator=generator) < 0.08] = 999
        a = self.alphas[t].view(-1, 1, 1, 1)
        noise = torch.randn(x0.shape, generator=generator)
        x = a.sqrt() * x0 + (1 - a).sqrt() * noise
        target = a.sqrt() * noise - (1 - a).sqrt() * x0
        snr = (a / (1 - a)).flatten()
        with torch.autocast("cpu", torch.bfloat16):
            v = self.unet(x, t, hidden).sample
        loss = ((v.float() - target) ** 2).mean((1, 2, 3))
        (loss * 5 / (5 + snr)).mean().backward()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["base"] * self.rate()
            optimizer.step()
        self.unet.zero_grad(set_to_none=True)
        self.step += 1
        self.samples += self.batch
        decay = min(0.995, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.ema.parameters()), list(self.unet.parameters()), 1 - decay)
        return loss.mean().item()

    @torch.no_grad()
    def validate(self, count=48):
        """x0 error of the average at high noise: with the caption and with somebody else's."""
        rng = random.Random(77)
        batch = [drawings.sample(rng, held_out=i % 3 == 0) for i in range(count)]
        x0 = self.run.colours.encode(np.stack([drawings.draw(a) for a in batch]))
        hidden = self.run.encode([captions.caption(a, rng, plain=True) for a in batch])
        noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(7))
        line = []
        for t in (999, 800, 500):
            a = self.alphas[t]
            x = a.sqrt() * x0 + (1 - a).sqrt() * noise
            scores = []
            for h in (hidden, hidden.roll(1, 0))[: 2 if t == 999 else 1]:
                with torch.autocast("cpu", torch.bfloat16):
                    v = self.ema(x, t, h).sample.float()
                scores.append(((a.sqrt() * x - (1 - a).sqrt() * v - x0) ** 2).mean().item())
            line.append(f"x0@{t} " + "/".join(f"{s:.3f}" for s in scores))
        return " ".join(line)

    def sheet(self, path, prompts=FIXED, steps=14, guidance=3.0, columns=8):
        from PIL import Image

        noise = torch.randn((len(prompts), 4, 32, 32), generator=torch.Generator().manual_seed(5))
        z = ddim(self.ema, self.run.encode(prompts), self.empty, noise, self.alphas, steps, guidance)
        Image.fromarray(drawings.sheet(list(self.run.colours.decode(z)), columns, 4)).save(path)

    def fit(self, seconds, decay_seconds, save_every=240, sheet_every=720):
        start = saved = sheeted = time.time()
        self.deadline, self.decay_seconds = start + seconds, decay_seconds
        stop = []
        signal.signal(signal.SIGTERM, lambda *_: stop.append(True))  # save, then end
        signal.signal(signal.SIGINT, lambda *_: stop.append(True))
        window, mark = [], time.time()
        while not stop and self.step < self.steps and time.time() - start < seconds:
            window.append(self.train_step())
            now = time.time()
            if len(window) == 25:
                speed = 25 * self.batch / (now - mark)
                mean = sum(window) / len(window)
                self.run.log(f"step {self.step} samples {self.samples} v-mse {mean:.4f} {speed:.1f}/s lr x{self.rate():.2f}")
                window = []
                mark = time.time()
            if self.step % 150 == 0:
                self.run.log(f"step {self.step} {self.validate()}")
                mark += time.time() - now
            if now - saved > save_every:
                self.save()
                saved = time.time()
            if now - sheeted > sheet_every:
                self.sheet(self.run.work / f"sheet-{self.step:06}.png")
                sheeted = time.time()
        self.save()
        if stop:
            raise SystemExit(f"stopped at step {self.step}; start again to go on")
        self.sheet(self.run.work / f"sheet-{self.step:06}.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", default="target/starter", help="folder of the training state")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--text-seconds", type=float, default=600)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=4500, help="UNet steps in all; the rate decays over the last third")
    parser.add_argument("--drop", type=float, default=0.08, help="how likely a caption leaves an attribute out")
    parser.add_argument("--scenes", type=float, default=0.35, help="share of scenes among the drawings")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop the UNet after this long")
    parser.add_argument("--decay-seconds", type=float, default=1500, help="with --seconds: how long the rate decays")
    parser.add_argument("--export", metavar="FOLDER", help="write the pipeline of the saved state and stop")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    run = Run(args.work)
    run.pool = run.train_text(args.text_seconds)
    trainer = Trainer(run, args.batch, args.steps, args.drop, args.scenes)
    if not args.export:
        trainer.fit(args.seconds, args.decay_seconds)
    run.export(trainer.ema, args.export or run.work / "pipeline")


if __name__ == "__main__":
    main()

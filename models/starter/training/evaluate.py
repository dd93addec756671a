"""Does the model follow its prompts? Scored by a probe trained on the generator's own drawings.

    python evaluate.py --pipeline FOLDER [--prompts 300] [--seeds 3] [--report report.json]

Every prompt names a combination kept out of training. The probe reads each attribute off the
rendered picture; beside the share that is right stands the same share against another prompt's
attributes (the shuffled baseline: what a model that ignores its prompt would get).
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from torch import nn

import captions
import drawings
import text

SCORED = ["species", "colour", "background", "headwear", "palette", "structure"]


class Probe(nn.Module):
    """A small CNN: 32x32 picture to every attribute."""

    def __init__(self):
        super().__init__()
        conv = lambda i, o, s: [nn.Conv2d(i, o, 3, s, 1), nn.BatchNorm2d(o), nn.ReLU()]  # noqa: E731
        self.body = nn.Sequential(*conv(3, 24, 1), *conv(24, 48, 2), *conv(48, 64, 2), nn.Flatten(), nn.Linear(4096, 192), nn.ReLU())
        self.heads = nn.ModuleDict({n: nn.Linear(192, len(v)) for n, v in text.ATTRIBUTES.items()})

    def forward(self, x):
        h = self.body(x)
        return {n: head(h) for n, head in self.heads.items()}


def _pictures(batch):
    return torch.tensor(np.stack([drawings.draw(a) for a in batch])).permute(0, 3, 1, 2).float() / 127.5 - 1


def train_probe(path, steps=700, batch=64, log=print):
    """The probe from `path`, or trained now on drawings (a little noise added) and saved there."""
    path = Path(path)
    probe = Probe()
    if path.exists():
        probe.load_state_dict(torch.load(path))
        return probe.eval()
    torch.manual_seed(0)
    rng = random.Random(21)
    optimizer = torch.optim.AdamW(probe.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for step in range(steps):
        chosen = [drawings.sample(rng, held_out=rng.random() < 0.3) for _ in range(batch)]
        x = _pictures(chosen)
        x = x + torch.randn_like(x) * torch.rand(batch, 1, 1, 1) * 0.12
        out, truth = probe(x), text.labels(chosen)
        loss = sum(nn.functional.cross_entropy(out[n], truth[n]) for n in out if (truth[n] != -100).any())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            log(f"probe step {step + 1} loss {loss.item():.3f}")
    probe.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(probe.state_dict(), path)
    return probe


@torch.no_grad()
def read(probe, pictures):
    """Attribute name -> class indices, of uint8 (n, 32, 32, 3) pictures."""
    x = torch.as_tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    return {n: v.argmax(-1) for n, v in probe(x).items()}


def score(found, wanted):
    """Attribute name -> share right, over the pictures the attribute applies to."""
    truth, result = text.labels(wanted), {}
    for name, t in truth.items():
        known = t != -100
        if known.any():
            result[name] = round(float((found[name] == t)[known].float().mean()), 3)
    return result


def shuffled(wanted):
    """Each picture's attributes exchanged for those of the next one of its kind."""
    result = list(wanted)
    for kind in ("avatar", "scene"):
        places = [i for i, a in enumerate(wanted) if a["kind"] == kind]
        for here, there in zip(places, places[1:] + places[:1], strict=True):
            result[here] = wanted[there]
    return result


class Renderer:
    """The exported pipeline on the CPU: UNet in bfloat16 autocast, decoder in float32."""

    def __init__(self, folder, sampler, steps, guidance):
        import diffusers

        self.pipe = diffusers.StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, torch_dtype=torch.float32)
        self.pipe.set_progress_bar_config(disable=True)
        config = self.pipe.scheduler.config
        if sampler == "dpmpp_2m":
            self.pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(config, algorithm_type="dpmsolver++", use_lu_lambdas=False)
        elif sampler == "euler":
            self.pipe.scheduler = diffusers.EulerDiscreteScheduler.from_config(config)
        elif sampler == "euler_a":
            self.pipe.scheduler = diffusers.EulerAncestralDiscreteScheduler.from_config(config)
        self.steps, self.guidance = steps, guidance

    @torch.no_grad()
    def __call__(self, prompts, seeds, batch=30):
        """uint8 (n, 32, 32, 3): the 256-pixel pictures averaged over 8x8 blocks."""
        out = []
        for i in range(0, len(prompts), batch):
            generators = [torch.Generator().manual_seed(s) for s in seeds[i : i + batch]]
            with torch.autocast("cpu", torch.bfloat16):
                z = self.pipe(
                    prompts[i : i + batch], num_inference_steps=self.steps, guidance_scale=self.guidance,
                    generator=generators, height=256, width=256, output_type="latent",
                ).images  # fmt: skip
            x = self.pipe.vae.decode(z.float() / self.pipe.vae.config.scaling_factor).sample
            x = nn.functional.avg_pool2d(x.clamp(-1, 1), 8)
            out.append(((x + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())
        return np.concatenate(out)


def prompts_of(count, seed, held_out=True, **how):
    """(attributes, prompts): half avatars, half scenes, each with a held-out combination (or none with one)."""
    rng = random.Random(seed)
    wanted = [drawings.sample(rng, held_out=held_out, scenes=float(i % 2)) for i in range(count)]
    return wanted, [captions.caption(a, rng, **{"plain": True, "language": "en", **how}) for a in wanted]


SHEET = [  # the contact sheet: one seed each, nothing picked; half of them name combinations never trained
    "a blue fox with a crown, smiling, black hoodie, teal background",
    "purple cat wearing sunglasses, red t-shirt, yellow background",
    "green bear in a space helmet, blue armor, black background",
    "pink robot with headphones, black suit, blue background",
    "orange alien with a wizard hat, yellow hoodie, purple background",
    "a girl with pink hair, round glasses, light skin, red hoodie, green background",
    "white cat, neon visor, black armor, red background",
    "red fox in a beanie, surprised, blue t-shirt, orange background",
    "yellow robot, smiling, a cap, red hoodie, purple background",
    "pink bear with round glasses, black suit, teal background",
    "green alien, no hat, no glasses, red armor, yellow background",
    "man with red hair, tan skin, beanie, sunglasses, black suit, orange background",
    "ruined towers in the desert, violet neon night, pink sun, starry sky",
    "a stupa, crimson, cyan moon, a camel",
    "a gate at loulan, jade, white moon, neon grid",
    "pyramids, sunset, red sun, a lone camel",
    "a walled city, midnight, crescent moon, stars",
    "empty dunes, golden, yellow sun",
    "a stupa in cyber loulan, violet, pink sun, neon grid, stars",
    "a domed city, golden day, yellow sun, a camel",
    "一只橙色的猫，戴墨镜，蓝色背景，黑色连帽衫",
    "粉色的熊，戴皇冠，红色西装，青色背景",
    "赛博楼兰，佛塔，紫色霓虹，青色月亮，繁星",
    "masterpiece, best quality, a cheerful ginger kitten in headphones, azure backdrop, trending",
]


def contact_sheet(render, path):
    """Renders SHEET with seeds 1, 2, 3, ... and saves the sheet."""
    from PIL import Image

    pictures = render(SHEET, list(range(1, len(SHEET) + 1)))
    Image.fromarray(drawings.sheet(list(pictures), 6, 5, gap=4)).save(path, optimize=True)


def _add_unknown(prompt, rng):
    words = "Lorem ipsum zebra quixotic by Greg Rutkowski, octane render, f/1.8, :: --ar 1:1, schnitzel, 你好世界".split(", ")
    return ", ".join([rng.choice(words), prompt, rng.choice(words)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default=str(Path(__file__).parent.parent))
    parser.add_argument("--probe", default="target/starter/probe.pt")
    parser.add_argument("--prompts", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--extra", type=int, default=60, help="prompts of each further check")
    parser.add_argument("--sampler", default="ddim", choices=["ddim", "dpmpp_2m", "euler", "euler_a"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=1.75)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--report", help="write the scores as JSON")
    parser.add_argument("--sheet", help="only render the contact sheet to this file")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    render = Renderer(args.pipeline, args.sampler, args.steps, args.guidance)
    if args.sheet:
        return contact_sheet(render, args.sheet)
    probe = train_probe(args.probe)

    rng = random.Random(1234)
    unseen = [drawings.sample(rng, held_out=i % 2 == 0) for i in range(1000)]
    ceiling = score(read(probe, np.stack([drawings.draw(a) for a in unseen])), unseen)
    print("probe on 1000 unseen drawings:", ceiling)

    report = {"sampler": args.sampler, "steps": args.steps, "guidance": args.guidance, "probe": ceiling}

    def check(name, wanted, prompts, seeds):
        wanted, prompts = wanted * seeds, prompts * seeds
        found = read(probe, render(prompts, [1000 * (i // (len(prompts) // seeds)) + i for i in range(len(prompts))]))
        right, chance = score(found, wanted), score(found, shuffled(wanted))
        mean, base = (float(np.mean([s[n] for n in SCORED])) for s in (right, chance))
        report[name] = {"n": len(wanted), "mean": round(mean, 3), "baseline": round(base, 3), "right": right, "shuffled": chance}
        print(f"\n{name}: {len(wanted)} pictures, mean of the six {mean:.3f}, shuffled {base:.3f}")
        for n in right:
            print(f"  {'*' if n in SCORED else ' '} {n:15} {right[n]:.3f}   shuffled {chance[n]:.3f}   drawings {ceiling.get(n, 0):.3f}", flush=True)
        if args.report:
            Path(args.report).write_text(json.dumps(report, indent=1) + "\n")

    if args.prompts:
        check("held-out combinations", *prompts_of(args.prompts, 310), args.seeds)
    if args.extra:
        check("combinations seen in training", *prompts_of(args.extra, 304, held_out=False), 1)
        wanted, prompts = prompts_of(args.extra, 301)
        check("the same kind of prompts with unknown words", wanted, [_add_unknown(p, rng) for p in prompts], 1)
        check("with filler words and made-up words", *prompts_of(args.extra, 302, plain=False, drop=0.0), 1)
        check("in Chinese", *prompts_of(args.extra, 303, language="zh"), 1)


if __name__ == "__main__":
    main()

"""A last stage for the text encoder: words it has never met must not disturb what it understands.

    python models/starter/training/harden.py --pipeline target/starter/pipeline --out target/starter/hardened

The encoder as trained is the teacher and reads a caption; the pupil reads the same caption with
unknown words, numbers, signs and foreign letters put between its words, and learns to give the known
words, the padding, the mean and the UNet's pooled text the teacher's values. Captions without such
words must stay as they are, so the UNet needs no further training. The result is a copy of the
pipeline with the pupil for its text encoder.
"""

import argparse
import copy
import random
import re
import shutil
import time
from pathlib import Path

import safetensors.torch
import torch

import captions
import drawings
import text


def _foreign_words():
    """English words of the Python manual that no caption uses."""
    from pydoc_data.topics import topics

    rng, known = random.Random(0), set()
    for _ in range(3000):
        known.update(re.findall(r"\w+", captions.caption(drawings.sample(rng), rng).lower()))
    words = {w for topic in topics.values() for w in re.findall(r"[a-z]{2,12}", topic.lower())}
    return sorted(words - known)


WORDS = _foreign_words()


def unknown(rng):
    """Something that means nothing to the model."""
    kind = rng.random()
    if kind < 0.55:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 4)))
    if kind < 0.7:
        return "".join(rng.choice("etaoinshrdlcumwfgypbvkjxqz") for _ in range(rng.randint(2, 9)))
    if kind < 0.8:
        return "".join(rng.choice("0123456789.:/-") for _ in range(rng.randint(1, 5)))
    if kind < 0.87:
        return rng.choice([",", ".", "!", "::", "--", "(", ")", "[", "]", "#", "*", "...", "?", "&", "<", ">", "_", "=", "'", '"', ";", "/", "|"])
    if kind < 0.97:
        return "".join(chr(rng.randint(0x4E00, 0x9FA5)) for _ in range(rng.randint(1, 4)))
    return "".join(chr(rng.choice([rng.randint(0xC0, 0x24F), rng.randint(0x410, 0x44F), rng.randint(0x3041, 0x30FE), rng.randint(0x1F300, 0x1F6FF)])) for _ in range(rng.randint(1, 4)))


class Mixer:
    """Puts unknown words between the tokens of a caption and remembers where its own tokens went."""

    def __init__(self, tokenizer):
        self.inner = tokenizer.inner
        self.end = {i for token, i in self.inner.get_vocab().items() if token.endswith("</w>")}

    def __call__(self, caption, rng):
        """(ids without, ids with, positions of the caption's tokens within the latter), start included."""
        own = self.inner(caption).input_ids[:-1]
        gaps = [i for i in range(1, len(own) + 1) if i == 1 or own[i - 1] in self.end]
        inserts = {}
        for _ in range(rng.randint(1, 4)):
            inserts[rng.choice((1, len(own), rng.choice(gaps)))] = self.inner(unknown(rng)).input_ids[1:-1]
        mixed, places = [], []
        for i in range(len(own) + 1):
            mixed += inserts.get(i, [])
            if i < len(own):
                places.append(len(mixed))
                mixed.append(own[i])
        return (own, mixed, places) if len(mixed) < text.LENGTH else (own, own, list(range(len(own))))


def open_pipeline(folder):
    """The text encoder and the pooling that the UNet adds to its time embedding, in float32 and fixed."""
    from transformers import CLIPTextModel

    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    unet = safetensors.torch.load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")
    pool = text.Readout().pool
    prefix = "add_embedding."
    pool.load_state_dict({k.removeprefix(prefix): v.float() for k, v in unet.items() if k.startswith(prefix)})
    return encoder.requires_grad_(False).eval(), pool.requires_grad_(False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default=str(Path(__file__).parent.parent), help="whose text encoder to harden")
    parser.add_argument("--out", default="target/starter/hardened", help="folder of the new pipeline")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=24)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(6)
    teacher, pool = open_pipeline(Path(args.pipeline))
    tokenizer = text.Tokenizer(Path(args.pipeline) / "tokenizer")
    pupil = copy.deepcopy(teacher).requires_grad_(True)
    mixer, rng, eos = Mixer(tokenizer), random.Random(17), teacher.config.vocab_size - 1
    optimizer = torch.optim.AdamW(pupil.parameters(), lr=1e-3, weight_decay=0.0)
    start, n = time.time(), args.batch
    for step in range(args.steps):
        rate = min(1, (step + 1) / 30) * max(0.01, 1 - step / args.steps)
        batch = [mixer("" if rng.random() < 0.02 else captions.caption(drawings.sample(rng), rng), rng) for _ in range(n)]
        pad = lambda ids: ids + [eos] * (text.LENGTH - len(ids))  # noqa: E731
        clean, mixed = (torch.tensor([pad(b[i]) for b in batch]) for i in (0, 1))
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                wanted = teacher(clean).last_hidden_state.float()
            given = pupil(torch.cat([clean, mixed])).last_hidden_state.float()
        kept, found = given[:n], given[n:]
        target, mask = torch.zeros_like(wanted), torch.zeros(n, text.LENGTH, 1)
        for i, (own, with_, places) in enumerate(batch):
            target[i, places], mask[i, places] = wanted[i, : len(own)], 1.0
            target[i, len(with_) :], mask[i, len(with_) :] = wanted[i, len(with_) :], 1.0
        mse = torch.nn.functional.mse_loss
        words = (((found - target) ** 2) * mask).sum() / mask.sum() / text.WIDTH
        mean = mse(found.mean(1), wanted.mean(1))
        pooled = mse(pool(given), pool(wanted).repeat(2, 1))
        same = mse(kept, wanted)
        loss = words + 4 * mean + pooled + 2 * same
        loss.backward()
        torch.nn.utils.clip_grad_norm_(pupil.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * rate
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % 50 == 0:
            print(
                f"step {step + 1} words {words:.4f} mean {mean:.5f} pooled {pooled:.4f} same {same:.4f} "
                f"of {wanted.var():.2f} {time.time() - start:.0f}s",
                flush=True,
            )
    shutil.copytree(args.pipeline, args.out, ignore=shutil.ignore_patterns("training", "*.png", "README.md"), dirs_exist_ok=True)
    weights = {name: value.half().contiguous() for name, value in pupil.state_dict().items()}
    file = Path(args.out) / "text_encoder" / "model.safetensors"
    safetensors.torch.save_file(weights, file, metadata={"format": "pt"})


if __name__ == "__main__":
    main()

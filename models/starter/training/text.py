"""The text side: a small BPE vocabulary in CLIP's format and a small CLIPTextModel.

The encoder is trained alone, before the UNet, to say what a caption says: every attribute of the
drawing from (i) the very pooling the UNet will add to its time embedding (`TextTimeEmbedding`) and
(ii) the mean over all 77 positions, so that even untrained, uniform cross-attention delivers them.
"""

import json
import random
import re
import time
from collections import Counter
from pathlib import Path

import torch
from torch import nn

import captions
import drawings
from muon import Muon

VOCAB_MERGES = 1200
WIDTH, LAYERS, HEADS, LENGTH = 128, 3, 4, 77
TIME_WIDTH = 256  # of the UNet's time embedding: four times its first channel count


def _bytes_to_unicode():
    """CLIP's (GPT-2's) printable stand-ins for the 256 bytes."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {b: chr(b) for b in keep}
    for n, b in enumerate(b for b in range(256) if b not in table):
        table[b] = chr(256 + n)
    return dict(sorted(table.items(), key=lambda kv: (keep.index(kv[0]) if kv[0] in keep else 999, kv[0])))


def build_tokenizer(folder, corpus=20000):
    """Learns merges from captions and writes CLIP tokenizer files into `folder`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(11)
    units = _bytes_to_unicode()
    words = Counter()
    for _ in range(corpus):
        text = captions.caption(drawings.sample(rng), rng).lower()
        words.update(re.findall(r"[^\W\d_]+|\d|[^\s\w]+", text))
    vocab = {}
    for word, count in words.items():
        if count >= 12:
            symbols = [units[b] for b in word.encode()]
            symbols[-1] += "</w>"
            vocab[tuple(symbols)] = count
    merges = []
    while len(merges) < VOCAB_MERGES:
        pairs = Counter()
        for symbols, count in vocab.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        merged = {}
        for symbols, count in vocab.items():
            out, i = [], 0
            while i < len(symbols):
                if symbols[i : i + 2] == best:
                    out.append(symbols[i] + symbols[i + 1])
                    i += 2
                else:
                    out.append(symbols[i])
                    i += 1
            merged[tuple(out)] = count
        vocab = merged
    tokens = [*units.values(), *(u + "</w>" for u in units.values()), *("".join(m) for m in merges)]
    tokens = list(dict.fromkeys(tokens)) + ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    config = {
        "tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, "do_lower_case": True, "add_prefix_space": False,
        "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    special = {k: v for k, v in config.items() if k.endswith("_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    return len(tokens)


class Tokenizer:
    """The CLIP tokenizer of `folder`, padded to 77."""

    def __init__(self, folder):
        from transformers import CLIPTokenizer

        self.inner = CLIPTokenizer.from_pretrained(str(folder))

    def __call__(self, texts):
        return self.inner(texts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids


def build_encoder(vocab_size):
    """An untrained CLIPTextModel of our size."""
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocab_size, hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=LAYERS,
            num_attention_heads=HEADS, max_position_embeddings=LENGTH, hidden_act="quick_gelu", projection_dim=WIDTH,
            bos_token_id=vocab_size - 2, eos_token_id=vocab_size - 1, pad_token_id=vocab_size - 1,
        )  # fmt: skip
    )


ATTRIBUTES = {**drawings.AVATAR, **drawings.SCENE, "kind": ["avatar", "scene"]}


def labels(batch):
    """Attribute name -> class index a picture, -100 where it does not apply."""
    return {
        name: torch.tensor([values.index(a[name]) if a.get(name) is not None else -100 for a in batch])
        for name, values in ATTRIBUTES.items()
    }


class Readout(nn.Module):
    """Two linear readers of all attributes; `pool` later becomes the UNet's `add_embedding`."""

    def __init__(self):
        super().__init__()
        from diffusers.models.embeddings import TextTimeEmbedding

        self.pool = TextTimeEmbedding(WIDTH, TIME_WIDTH, num_heads=4)
        self.pooled = nn.ModuleDict({n: nn.Linear(TIME_WIDTH, len(v)) for n, v in ATTRIBUTES.items()})
        self.mean = nn.ModuleDict({n: nn.Linear(WIDTH, len(v)) for n, v in ATTRIBUTES.items()})

    def forward(self, hidden):
        pooled, mean = nn.functional.silu(self.pool(hidden)), hidden.mean(1)
        return {n: (self.pooled[n](pooled), self.mean[n](mean)) for n in ATTRIBUTES}


ALWAYS = {"species", "kind"}  # what a caption tells without being asked
BINDING = {"species": 2, "colour": 2, "background": 3, "clothes_colour": 2}  # weights: whose colour is it?


def pretrain(tokenizer, encoder, seconds=600, batch=64, log=print, seed=3, readout=None):
    """Trains encoder and readout together; returns (readout, accuracy on fresh captions).

    Half of the captions leave out half of the attributes, and only what is told counts, so that a
    word is understood by itself and not by the company it keeps.
    """
    readout = readout or Readout()
    rng = random.Random(seed)
    inner = [p for n, p in encoder.named_parameters() if p.ndim == 2 and "embedding" not in n]
    chosen = {id(p) for p in inner}
    rest = [p for p in [*encoder.parameters(), *readout.parameters()] if id(p) not in chosen]
    optimizers = [Muon([dict(params=inner, base=0.01)]), torch.optim.AdamW([dict(params=rest, base=2e-3)], weight_decay=0.01, betas=(0.9, 0.98))]
    start, step = time.time(), 0
    while (used := time.time() - start) < seconds:
        rate = min(1, (step + 1) / 40) * max(0.02, 1 - (used / seconds) ** 2)
        truths, texts = [], []
        for _ in range(batch):
            a, said = drawings.sample(rng), set(ALWAYS)
            language = "zh" if rng.random() < 0.2 else "en"
            texts.append(captions.caption(a, rng, drop=rng.choice((0.04, 0.5)), language=language, said=said))
            truths.append({n: v if n in said else None for n, v in a.items()})
        with torch.autocast("cpu", torch.bfloat16):
            hidden = encoder(tokenizer(texts)).last_hidden_state
        outputs, truth = readout(hidden.float()), labels(truths)
        loss = 0
        for name, (pooled, mean) in outputs.items():
            for logits in (pooled, mean):
                if (truth[name] != -100).any():
                    loss = loss + BINDING.get(name, 1) * nn.functional.cross_entropy(logits, truth[name])
        loss.backward()
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["base"] * rate
            optimizer.step()
            optimizer.zero_grad()
        step += 1
        if step % 50 == 0:
            log(f"text step {step} captions {step * batch} loss {loss.item() / 2 / len(ATTRIBUTES):.4f} {used:.0f}s")
    return readout, accuracy(tokenizer, encoder, readout)


@torch.no_grad()
def accuracy(tokenizer, encoder, readout, count=300):
    """Share of complete captions, held-out combinations only, whose attributes are read right: (pooled, mean)."""
    rng = random.Random(99)
    batch = [drawings.sample(rng, held_out=True) for _ in range(count)]
    outputs = readout(encoder(tokenizer([captions.caption(a, rng, drop=0) for a in batch])).last_hidden_state)
    truth, result = labels(batch), {}
    for name, pair in outputs.items():
        known = truth[name] != -100
        result[name] = tuple(round(float((p.argmax(-1) == truth[name])[known].float().mean()), 2) for p in pair)
    return result

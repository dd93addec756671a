"""Quick tests of the pieces: python -m pytest models/starter/training (half a minute)."""

import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import captions  # noqa: E402
import drawings  # noqa: E402
import evaluate  # noqa: E402
import muon  # noqa: E402
import text  # noqa: E402
import vae  # noqa: E402


def test_a_drawing_depends_on_its_attributes_alone():
    rng = random.Random(0)
    for _ in range(50):
        a = drawings.sample(rng)
        picture = drawings.draw(a)
        assert picture.shape == (32, 32, 3) and picture.dtype == np.uint8
        assert (picture == drawings.draw(dict(a))).all()


@pytest.mark.parametrize("kind", ["avatar", "scene"])
def test_every_attribute_can_be_seen(kind):
    rng = random.Random(1)
    table = drawings.AVATAR if kind == "avatar" else drawings.SCENE
    for name, values in table.items():
        a = drawings.sample(rng, scenes=float(kind == "scene"))
        a.update(species="person", skin="tan", headwear="none", eyewear="none") if kind == "avatar" else None
        seen = {drawings.draw({**a, name: v, **({"skin": None} if name == "species" and v != "person" else {})}).tobytes() for v in values}
        assert len(seen) == len(values), name


@pytest.mark.parametrize("held_out", [False, True])
def test_held_out_combinations_stay_out(held_out):
    rng = random.Random(2)
    assert all(drawings.is_held_out(drawings.sample(rng, held_out)) == held_out for _ in range(300))


def test_a_plain_caption_names_every_attribute():
    rng = random.Random(3)
    for language in ("en", "zh"):
        for _ in range(100):
            a, said = drawings.sample(rng), set()
            words = captions.caption(a, rng, plain=True, language=language, said=said)
            told = {n for n, v in a.items() if v is not None and n not in ("kind", "species")}
            assert told == said and words


def test_dropped_attributes_are_not_told():
    said = set()
    captions.caption(drawings.sample(random.Random(4)), random.Random(4), drop=1.0, said=said)
    assert not said


def test_the_autoencoder_is_nearly_exact_in_every_number_format():
    psnr = vae.check(vae.build(), count=4)
    assert psnr["fp32"] > 60 and psnr["fp16 weights"] > 60, psnr
    assert psnr["bf16"] > 45 and psnr["fp16"] > 45, psnr


def test_the_colour_map_is_the_autoencoder():
    colours = vae.ColourMap()
    sprite = drawings.draw(drawings.sample(random.Random(5)))[None]
    assert (colours.decode(colours.encode(sprite)) == sprite).all()
    big = torch.tensor(sprite.repeat(8, 1).repeat(8, 2)).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.no_grad():
        z = vae.build(colours).encode(big).latent_dist.mode() * vae.SCALING
    assert torch.allclose(z, colours.encode(sprite), atol=2e-3)


def test_muon_makes_updates_orthogonal():
    x = muon.orthogonalize(torch.randn(24, 90, generator=torch.Generator().manual_seed(0)))
    values = torch.linalg.svdvals(x)
    assert 0.6 < values.min() and values.max() < 1.3


def test_the_tokenizer_takes_any_text(tmp_path):
    size = text.build_tokenizer(tmp_path, corpus=500)
    ids = text.Tokenizer(tmp_path)(["a red fox", "赛博楼兰 🙂 Ünïcode \x00", ""])
    assert ids.shape == (3, 77) and int(ids.max()) == size - 1 and (ids[:, 0] == size - 2).all()


def test_a_perfect_reader_scores_one_and_the_shuffled_baseline_less():
    wanted, _ = evaluate.prompts_of(60, 1)
    found = {n: t.clamp(min=0) for n, t in text.labels(wanted).items()}
    assert all(v == 1 for v in evaluate.score(found, wanted).values())
    assert evaluate.score(found, evaluate.shuffled(wanted))["background"] < 0.5

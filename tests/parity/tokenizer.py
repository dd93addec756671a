"""Records tests/goldens/tokenizer: ids of transformers' CLIPTokenizer, and chunks by A1111's and ComfyUI's rules.

The ids are transformers' own. The chunks are computed from them here, independently of the Rust code that is compared
with it. The many strings are made by a small generator that the Rust test has too, so that only a digest of their ids
needs recording. Run it with the reference environment's Python.
"""

import hashlib
import itertools
import json
import random
import struct
from pathlib import Path

import tokenizers
import transformers
from transformers import CLIPTokenizer

import prompt as language

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "tests" / "goldens" / "tokenizer"
START, END = "<|startoftext|>", "<|endoftext|>"
STRINGS, BLOCK = 10_000, 100

WORDS = """
a the of masterpiece best quality 1girl cyberpunk loulan Desert DUNES ruins stupa neon-lit sunset, portrait: (detailed:1.2)
it's DON'T we'll I've they're he'd 'S 's 's's 8k 4K 1024x768 f/1.8 50mm c++ C# #tag @artist http://example.org/a?b=c&d=e
!! !!! ?! ... … -- — – _under_score_ [x] <lora:y:0.8> {a|b} 100% $9.99 1,234,567 3.14159 ½ ² ⅷ Ⅳ ㊙ ①
supercalifragilisticexpialidocious antidisestablishmentarianism aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa xXx_YyY_zZz
楼兰 赛博朋克 沙漠 古城遗址 霓虹灯 夕阳西下， 一只可爱的猫。 最高質量 少女は砂漠に立つ カタカナ ひらがな 서울의봄 هەمراھ ئۇيغۇر
Ünïcödé ÉCOLE naïve Straße İstanbul ıssız ΣΊΣΥΦΟΣ ὈΔΥΣΣΕΎΣ Москва ЁЖИК नमस्ते ภาษาไทย עברית ﬁne ﬀ Ǆ ǅ
🏜️ 🐫 👩‍🚀 👨‍👩‍👧‍👦 🇨🇳 ☀️ ❤️‍🔥 1️⃣ ✨✨✨ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 𝓯𝓪𝓷𝓬𝔂 𝟙𝟚𝟛 ａｂｃ１２３（：）
é e\u0301 Å A\u030a a\u0323\u0307 a\u0307\u0323 각 각 豈 \u2126 \u212b \ufeff \u200b \u00ad
<|startoftext|> <|endoftext|> <|EndOfText|> <|endoftext| </w> cat</w>
""".split()
SPACES = [" "] * 6 + ["", "", ", ", "\n", "\t", "  ", "\u3000", "\u00a0", "\r\n"]
# First and last character of ranges without holes that are in every version of Unicode in use.
RANGES = [
    (0x20, 0x7E), (0x20, 0x7E), (0x01, 0x1F), (0xA1, 0xFF), (0x100, 0x17F), (0x300, 0x36F), (0x3A3, 0x3C9), (0x410, 0x44F),
    (0x5D0, 0x5EA), (0x621, 0x64A), (0x671, 0x6D3), (0x905, 0x94D), (0xE01, 0xE3A), (0x1100, 0x1112), (0x1161, 0x1175),
    (0x1E00, 0x1E99), (0x2010, 0x2027), (0x2150, 0x2188), (0x2460, 0x24FF), (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FA5),
    (0x4E00, 0x9FA5), (0xAC00, 0xD7A3), (0xF900, 0xFA2D), (0xFF01, 0xFF5E), (0x1D400, 0x1D454), (0x1F300, 0x1F64F),
]  # fmt: skip


def generated(index):
    """String `index`: splitmix64 from there on, as in crates/tokenizer/tests/recordings.rs."""
    state = index

    def below(bound):
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) % 2**64
        return (mixed ^ (mixed >> 31)) % bound

    text = ""
    for _ in range(1000 if index % 500 == 0 else 1 + below(30)):
        if below(4):
            text += WORDS[below(len(WORDS))]
        else:
            first, last = RANGES[below(len(RANGES))]
            text += "".join(chr(first + below(last - first + 1)) for _ in range(1 + below(4)))
        text += SPACES[below(len(SPACES))]
    return text


def digests(tokenizer, count):
    """A digest for each block of strings: of the number of ids and the ids, little-endian, one string after another."""
    found = []
    for block in range(0, count, BLOCK):
        data = b""
        for text in map(generated, range(block, block + BLOCK)):
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            data += struct.pack(f"<{len(ids) + 1}I", len(ids), *ids)
        found.append(hashlib.sha256(data).hexdigest()[:16])
    return found


def clip_vocabulary():
    merges = (ROOT / "assets/clip/merges.txt").read_text(encoding="utf-8").splitlines()[1:]
    printing = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    characters = [chr(byte) for byte in printing] + [chr(256 + n) for n in range(256 - len(printing))]
    return characters, [tuple(merge.split(" ")) for merge in merges]


def tokenizer_of(merges, **options):
    characters, _ = clip_vocabulary()
    tokens = [*characters, *(c + "</w>" for c in characters), *map("".join, merges), START, END]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, **options), vocabulary


# --- Chunks -----------------------------------------------------------------------------------------------------------


class Chunker:
    """A chunk is a list of (id, weight), at most 75."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.comma = tokenizer.get_vocab()[",</w>"]

    def ids(self, text):
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def a1111(self, items, backtrack):
        # Stretches between breaks are cut each by itself.
        stretches = [[]]
        for item in items:
            if item is None:
                stretches.append([])
            else:
                stretches[-1] += [(id, item[1]) for id in self.ids(item[0])]
        if len(stretches) > 1 and not stretches[-1]:
            stretches.pop()
        chunks = []
        for stretch in stretches:
            while len(stretch) > 75:
                cut = 75
                if stretch[75][0] != self.comma:
                    near = [at for at in range(max(0, 75 - backtrack), 75) if stretch[at][0] == self.comma]
                    cut = near[-1] + 1 if near else 75
                chunks.append(stretch[:cut])
                stretch = stretch[cut:]
            chunks.append(stretch)
        return chunks

    def comfy(self, items):
        chunks = [[]]
        for text, weight in items:
            for word in text.replace("\n", " ").split(" "):
                tokens = [(id, weight) for id in self.ids(word)] if word else []
                room = 75 - len(chunks[-1])
                if len(tokens) <= room:
                    chunks[-1] += tokens
                elif len(tokens) < 8:
                    chunks.append(tokens)
                else:
                    chunks[-1] += tokens[:room]
                    rest = tokens[room:]
                    chunks += [rest[at : at + 75] for at in range(0, len(rest), 75)]
        return chunks

    def padded(self, chunk):
        """All 77 ids and weights."""
        start, end, pad = (self.tokenizer.convert_tokens_to_ids(t) for t in (START, END, self.tokenizer.pad_token))
        ids = [start, *(id for id, _ in chunk)]
        ids += [end] * (77 - len(ids))
        first_end = ids.index(end)
        ids[first_end + 1 :] = [pad] * (76 - first_end)
        weights = [1.0, *(weight for _, weight in chunk)]
        return ids, weights + [1.0] * (77 - len(weights))


def shortened(values):
    """Without the repetition of the last value at the end."""
    while len(values) > 1 and values[-2] == values[-1]:
        values = values[:-1]
    return values


def run_lengths(values):
    """[value, count, value, count, ...]"""
    return [field for value, run in itertools.groupby(values) for field in (value, len(list(run)))]


def chunk_cases(sd1, sd2):
    draw = random.Random(77)
    texts = [
        "", "a cat", "BREAK", "a BREAK b", "BREAK BREAK", "a BREAK", "(a:1.3) [b]", ", ".join(["dune"] * 75), " ".join(["dune"] * 75),
        " ".join(["dune"] * 76), " ".join(["dune"] * 55) + ", " + " ".join(["sand"] * 40), " ".join(["dune"] * 54) + ", " + " ".join(["sand"] * 40),
        " ".join(["dune"] * 75) + ", sand", " ".join(["dune"] * 74) + ", sand", "," * 200, " ".join(["dune"] * 70) + " 楼兰古城遗址霓虹灯",
        "hello! !! world!", "a <|endoftext|> b", " ".join(["dune"] * 70) + " " + "楼" * 100 + " end",
    ]  # fmt: skip
    words = [word for word in WORDS if "#" not in word]
    while len(texts) < 70:
        pieces = draw.choices([*words, ", ", ", ", "(sun:1.2)", "((sky))", "[low]", " BREAK "], k=draw.randint(1, 80))
        texts.append(" ".join(pieces))
    cases = []
    for index, text in enumerate(texts):
        case = {"text": text}
        items, comfy_items = language.a1111_items(text), language.comfy_items(text)
        for name, chunker in (("sd1", Chunker(sd1)), ("sd2", Chunker(sd2))):
            for rule, chunks in (
                ("20", chunker.a1111(items, 20)),
                ("0", chunker.a1111(items, 0)),
                ("74", chunker.a1111(items, 74)),
                ("comfy", chunker.comfy(comfy_items)),
            ):
                padded = [chunker.padded(chunk) for chunk in chunks]
                case[f"{name} {rule}"] = [[shortened(ids), run_lengths(weights)] for ids, weights in padded]
        # Mostly all comma rules agree, and the two models differ only where there is padding or a `!`.
        for rule in ("sd1 0", "sd1 74", "sd1 comfy"):
            if case[rule] == case["sd1 20"]:
                del case[rule]
        for rule in ("sd2 0", "sd2 74", *(("sd2 20", "sd2 comfy") if index > 25 else ())):
            del case[rule]
        cases.append(case)
    return cases


def write(name, value):
    lines = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path = GOLDENS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lines.replace(',{"', ',\n{"') + "\n", encoding="utf-8", newline="\n")


def main():
    made_by = f"tests/parity/tokenizer.py, transformers {transformers.__version__}, tokenizers {tokenizers.__version__}"
    _, merges = clip_vocabulary()
    sd1, _ = tokenizer_of(merges)
    sd2, _ = tokenizer_of(merges, pad_token="!")
    small, small_vocabulary = tokenizer_of(merges[:569])

    hand = [*WORDS, *language.HAND_WRITTEN, " ".join(WORDS), "a" * 1000, "猫" * 300, "🏜" * 100, "!" * 50, " ".join(["dune"] * 1000)]
    hand += [text for text in map(generated, range(1, 600)) if len(text) < 60]
    explicit = [{"text": text, "ids": sd1(text, add_special_tokens=False)["input_ids"]} for text in hand]
    write("explicit.json", {"made_by": made_by, "cases": explicit})
    write(
        "generated.json",
        {
            "made_by": made_by,
            "words": WORDS,
            "spaces": SPACES,
            "ranges": RANGES,
            "block": BLOCK,
            "sd1": digests(sd1, STRINGS),
            "sd2": digests(sd2, STRINGS // 10),
            "small": digests(small, STRINGS // 10),
        },
    )
    write("chunks.json", {"made_by": made_by, "cases": chunk_cases(sd1, sd2)})

    # A vocabulary of 1,083 tokens, in the layouts of old and new model folders.
    small.save_pretrained(GOLDENS / "small-json")
    write("small-pair/vocab.json", small_vocabulary)
    write("small-pair/merges.txt", "\n".join(["#version: 0.2", *map(" ".join, merges[:569])]))


if __name__ == "__main__":
    main()

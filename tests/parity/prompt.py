"""Records tests/goldens/prompt: what A1111's and ComfyUI's rules make of prompts.

Written from the documented rules (the regular expressions and the grammar that define A1111 1.10's language, and
ComfyUI's rule of brackets), independently of the Rust code that is compared with it. Needs only Python; `--count` makes
more prompts.
"""

import argparse
import json
import random
import re
from pathlib import Path

GOLDENS = Path(__file__).resolve().parents[1] / "goldens" / "prompt"
STEPS = 10

# --- What is taken out first ------------------------------------------------------------------------------------------


def without_comments(text):
    text = re.sub(r"(^|\n)#[^\n]*(\n|$)", "\n", text)
    return re.sub(r"#[^\n]*(\n|$)", "\n", text)


def without_networks(text):
    networks = [[name, *arguments.split(":")] for name, arguments in re.findall(r"<(\w+):([^>]+)>", text)]
    return re.sub(r"<(\w+):([^>]+)>", "", text), networks


def conditionings(text):
    for part in re.split(r"\bAND\b", text):
        match = re.match(r"^((?:\s|.)*?)(?:\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+)))?\s*$", part)
        yield match[1], float(match[2] or 1.0)


# --- Schedules --------------------------------------------------------------------------------------------------------
#
# A1111's grammar, for Lark's Earley parser:
#
#     start: (prompt | /[][():]/+)*
#     prompt: (emphasized | scheduled | alternate | plain | WHITESPACE)*
#     emphasized: "(" prompt ")" | "(" prompt ":" prompt ")" | "[" prompt "]"
#     scheduled: "[" [prompt ":"] prompt ":" [WHITESPACE] NUMBER [WHITESPACE] "]"
#     alternate: "[" prompt ("|" [prompt])+ "]"
#     plain: /([^\\\[\]():|]|\\.)+/
#
# It is ambiguous: next to stray punctuation a schedule can be read as text too, and which of the two Lark picks depends
# on the order of a hash table (lark 1.1.2, as A1111 pins it, answers differently from run to run). So here the same
# rules are tried in order, by recursive descent, and what can be a schedule is one.

PLAIN = re.compile(r"(?:[^\\\[\]():|]|\\.)+")
WHEN = re.compile(r":\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\]")


class Ungrammatical(Exception):
    pass


class Schedules:
    """A node is text, or ("scheduled", before, after, number), or ("alternate", options...); a prompt is a list."""

    def __init__(self, text):
        self.text = text
        self.brackets = {}
        self.nodes = []
        at = 0
        while at < len(text):
            nodes, at = self.prompt(at)
            self.nodes += nodes
            if at < len(text):
                if text[at] not in "[]():":
                    raise Ungrammatical
                self.nodes.append(text[at])
                at += 1

    def prompt(self, at):
        nodes = []
        while True:
            if plain := PLAIN.match(self.text, at):
                nodes.append(plain[0])
                at = plain.end()
            elif bracket := self.bracket(at):
                nodes += bracket[0]
                at = bracket[1]
            else:
                return nodes, at

    def bracket(self, at):
        if self.text[at : at + 1] not in ("(", "["):
            return None
        if at not in self.brackets:
            read = self.round if self.text[at] == "(" else self.square
            self.brackets[at] = read(at + 1)
        return self.brackets[at]

    def round(self, at):
        first, at = self.prompt(at)
        if self.text.startswith(")", at):
            return ["(", *first, ")"], at + 1
        if self.text.startswith(":", at):
            second, at = self.prompt(at + 1)
            if self.text.startswith(")", at):
                return ["(", *first, ":", *second, ")"], at + 1
        return None

    def square(self, at):
        first, at = self.prompt(at)
        if self.text.startswith("]", at):
            return ["[", *first, "]"], at + 1
        if when := WHEN.match(self.text, at):
            return [("scheduled", [], first, when[1])], when.end()
        if self.text.startswith(":", at):
            second, at = self.prompt(at + 1)
            when = WHEN.match(self.text, at)
            return when and ([("scheduled", first, second, when[1])], when.end())
        options = [first]
        while self.text.startswith("|", at):
            option, at = self.prompt(at + 1)
            options.append(option)
        return ([("alternate", *options)], at + 1) if self.text.startswith("]", at) else None


def last_step(number, steps, first_pass, old):
    value = float(number)
    if old:
        value = value * steps if value < 1 else value
    elif "." in number:
        value = (value - (1.0 if first_pass else 0)) * steps
    else:
        value -= first_pass or 0
    return min(steps, int(value))


def runs(text, steps, first_pass=None, old=False):
    """[[last step, text], ...]"""
    try:
        nodes = Schedules(text).nodes
    except Ungrammatical:
        return [[steps, text]]
    ends = {steps}

    def end(node):
        return last_step(node[3], steps, first_pass, old)

    def collect(nodes):
        for node in nodes:
            if node[0] == "scheduled":
                ends.update({end(node)} if end(node) >= 1 else ())
                collect(node[1] + node[2])
            elif node[0] == "alternate":
                ends.update(range(1, steps + 1))
                collect(sum(node[1:], []))

    def at(step, nodes):
        out = ""
        for node in nodes:
            if node[0] == "scheduled":
                out += at(step, node[1] if step <= end(node) else node[2])
            elif node[0] == "alternate":
                out += at(step, node[1 + (step - 1) % (len(node) - 1)])
            else:
                out += node
        return out

    collect(nodes)
    return [[last, at(last, nodes)] for last in sorted(ends)]


# --- Emphasis ---------------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"(?P<escape>\\[()\[\]\\]?)|(?P<open>[(\[])|:\s*(?P<weight>[+-]?[.\d]+)\s*\)|(?P<close>[)\]])|[^\\()\[\]:]+|:"
)


def a1111_items(text):
    """[[text, weight], ...], None for a break. ValueError where A1111 stops with one."""
    pieces, opened = [], {"(": [], "[": []}

    def weigh(start, weight):
        for piece in pieces[start:]:
            piece[1] *= weight

    for token in TOKEN.finditer(text):
        here = token[0]
        bracket = {")": "(", "]": "["}.get(token["close"])
        if token["escape"]:
            pieces.append([here[1:], 1.0])
        elif token["open"]:
            opened[here].append(len(pieces))
        elif token["weight"] and opened["("]:
            weigh(opened["("].pop(), float(token["weight"]))
        elif bracket and opened[bracket]:
            weigh(opened[bracket].pop(), 1.1 if bracket == "(" else 1 / 1.1)
        else:
            first, *others = re.split(r"\s*\bBREAK\b\s*", here)
            pieces.append([first, 1.0])
            for other in others:
                pieces.extend([["BREAK", -1.0], [other, 1.0]])
    for bracket, weight in (("(", 1.1), ("[", 1 / 1.1)):
        for start in opened[bracket]:
            weigh(start, weight)
    merged = []
    for piece, weight in pieces:
        if merged and merged[-1][1] == weight:
            merged[-1][0] += piece
        else:
            merged.append([piece, weight])
    items = [None if item == ["BREAK", -1.0] else item for item in merged]
    return [item for item in items if item is None or item[0]]


def comfy_items(text):
    # Escaped brackets cannot be brackets while we look for them.
    text = text.replace("\\)", "\0\1").replace("\\(", "\0\2")

    def groups(text):
        level, group = 0, ""
        for char in text:
            if char == "(" and level == 0 and group:
                yield group
                group = ""
            level += {"(": 1, ")": -1}.get(char, 0)
            group += char
            if char == ")" and level == 0:
                yield group
                group = ""
        if group:
            yield group

    def weighed(text, weight):
        for group in groups(text):
            if len(group) < 2 or (group[0], group[-1]) != ("(", ")"):
                yield [group, weight]
                continue
            inner, inner_weight = group[1:-1], weight * 1.1
            before, colon, after = inner.rpartition(":")
            if before:
                try:
                    inner, inner_weight = before, float(after)
                except ValueError:
                    pass
            yield from weighed(inner, inner_weight)

    items = [[group.replace("\0\1", ")").replace("\0\2", "("), weight] for group, weight in weighed(text, 1.0)]
    return [item for item in items if item[0]]


# --- The recording ----------------------------------------------------------------------------------------------------


def recorded(prompt):
    text, networks = without_networks(without_comments(prompt))
    passes = {"first": {}, "second": {"first_pass": STEPS}, "old": {"old": True}}
    parts = []
    for part, weight in conditionings(text):
        part_runs = {name: runs(part, STEPS, **options) for name, options in passes.items()}
        if part_runs["second"] == part_runs["first"]:
            del part_runs["second"]
        if part_runs["old"] == part_runs["first"]:
            del part_runs["old"]
        texts = sorted({text for runs in part_runs.values() for _, text in runs})
        parts.append([weight, part_runs, {text: a1111_items(text) for text in texts}])
    return {"prompt": prompt, "networks": networks, "parts": parts, "comfy": comfy_items(prompt)}


HAND_WRITTEN = r"""
test
a [b:3]
a [b: 3]
a [[[b]]:2]
[(a:2):3]
a [b : c : 1] d
a[b:[c:d:2]:1]e
a [unbalanced
a [b:.5] c
a [{b|d{:.5] c
((a][:b:c [d:3]
[a|(b:1.1)]
[fe|]male
[fe|||]male
a [b:1.5] c
normal text
an (important) word
(unbalanced
\(literal\]
(unnecessary)(parens)
a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).
fantasy landscape with a [mountain:lake:0.25] and [an oak:a christmas tree:0.75][ in foreground::0.6][: in background:0.25] [shoddy:masterful:0.5]
a BREAK b
(a BREAK b)
(a BREAK b:0)
(BREAK:-1)
BREAKBREAK BREAK
a cat AND a dog
a cat :1.2 AND a dog AND a penguin :2.2
猫AND狗
cat:2
(猫:1.3)，[夕阳:1.2]
一只[黑|白]猫，楼兰废墟，(霓虹灯:1.4)
（全角括号：1.2）
<lora:cyber loulan:0.8> dunes <hypernet:a:b=c:1>, <lora:open
1girl # a comment (with [brackets
# a whole line
# another
best quality # end
\\(a\\) \a \
(a:1e1) (a:+.5) (a: 1.2 ) (a:-0.5)
(a))) b]] ([c)]
x[a:1]):b
[a:1][[b|c]
""".strip("\n").split("\n") + ["", " ", "\n", "a\\", "a \\\nb [c:d:2]", "# only a comment", "a #x\n#y\n#z\nb\n#c", "\t[a\n:b\n:3\n]\n"]

WORDS = "dune sand AND SAND BREAK break gold-leaf it's 1girl 8k c++ 猫 沙漠 楼兰古城 夕阳， 赛博 , . ; é ñandú 🏜️ 👩‍🚀 _ ﬁ".split() + [" "] * 8
MARKS = ["(", ")", "[", "]", ":", "|", "\\", "\\(", "\\]", "\\\\", "<", ">", "#", "\n", "0.5", "3", "1.3", ":1.2)", "-1", "1e1", ":0.5]", ": 4 ]"]
NUMBERS = ["0.5", ".25", "3", "1.5", "12", "0", "1.", "-1", "+2", " 7 ", "1e1", "0.29"]


def text(draw, depth=0):
    """A prompt in order, mostly."""
    out = ""
    for _ in range(draw.randint(1, 4)):
        kind = draw.randrange(9) if depth < 4 else 0
        inner = lambda: text(draw, depth + 1)  # noqa: E731
        if kind <= 2:
            out += "".join(draw.choices(WORDS, k=draw.randint(1, 4)))
        elif kind == 3:
            out += f"({inner()})"
        elif kind == 4:
            out += f"({inner()}:{draw.choice(['1.3', '0.7', '1.05', ' 1.2 ', '.9'])})"
        elif kind == 5:
            out += f"[{inner()}]"
        elif kind == 6:
            out += f"[{inner()}:{inner()}:{draw.choice(NUMBERS)}]"
        elif kind == 7:
            out += draw.choice([f"[{inner()}:{draw.choice(NUMBERS)}]", f"[{inner()}::{draw.choice(NUMBERS)}]"])
        else:
            out += "[" + "|".join(draw.choice([inner, str])() for _ in range(draw.randint(2, 4))) + "]"
    return out


def heap(draw):
    """A prompt in disorder."""
    return "".join(draw.choices(WORDS + MARKS * 2, k=draw.randint(2, 14)))


def damaged(draw):
    """A prompt in order, with one character missing or doubled."""
    prompt = text(draw)
    at = draw.randrange(len(prompt))
    return prompt[:at] + draw.choice(["", prompt[at] * 2, draw.choice(MARKS)]) + prompt[at + 1 :]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=300)
    count = arguments.parse_args().count
    draw = random.Random(2026)
    cases = [recorded(prompt) for prompt in HAND_WRITTEN]
    while len(cases) < len(HAND_WRITTEN) + count:
        prompt = draw.choice([text, heap, damaged])(draw)
        if len(prompt) > 160:
            continue
        try:
            cases.append(recorded(prompt))
        except (ValueError, OverflowError):
            pass  # A1111 stops with an error there, and Tarim does not.
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    made_by = "tests/parity/prompt.py, rules of A1111 1.10.1"
    GOLDENS.mkdir(parents=True, exist_ok=True)
    file = GOLDENS / "prompts.json"
    file.write_text(f'{{"made_by":"{made_by}","steps":{STEPS},"cases":[\n{lines}\n]}}\n', encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

"""Records tests/goldens/templates: what the package `dynamicprompts` makes of templates.

The templates are the examples of its guide, the cases of its own tests, and others that cover every piece of syntax
alone and nested; what the Rust code does differently on purpose is left out (see its documentation). Combinatorial and cyclic runs are recorded as lists, random runs as how often each prompt came.
Needs `dynamicprompts` 0.31 and PyYAML (`pip install dynamicprompts pyyaml`); `--draws` makes more draws.
"""

import argparse
import json
import logging
import random
import tempfile
import warnings
from collections import Counter
from functools import cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import dynamicprompts.parser.parse
from dynamicprompts.enums import SamplingMethod
from dynamicprompts.parser.config import ParserConfig
from dynamicprompts.sampling_context import SamplingContext
from dynamicprompts.wildcards import WildcardManager

GOLDENS = Path(__file__).resolve().parents[1] / "goldens" / "templates"
MOST = 300

FILES = {
    "season.txt": "# seasons\nsummer\nautumn\nwinter\nspring\n",
    "halves.txt": "summer\n{autumn|fall}\nwinter\nspring\n",
    "flavours.txt": "chocolate\nvanilla\nstrawberry\n",
    "colours-cold.txt": "# cold\nblue\ngreen\n",
    "colours-warm.txt": "# warm\nred\nyellow\n",
    "people.txt": "__africa__\n__asia__\n",
    "africa.txt": "Zimbabwean\nNamibian\nBasotho\n",
    "asia.txt": "  Uyghur  \n\nKazakh\n",
    "clothes.txt": "In ${season:summer}, I wear ${season:summer} shirts and ${season:summer} trousers\n",
    "wrappers.txt": "Art Deco, ..., sleek\nPop Art, ....., vivid\n",
    "animals/mammals/canine.txt": "dog\nwolf\n",
    "animals/mammals/feline.txt": "cat\nlynx\n",
    "animals/reptiles/snakes.txt": "cobra\npython\n",
    "animals/neighbours.txt": "__mammals/canine__\n__reptiles/snakes__\n",
    "animal.txt": "__animals/${genus:*}/*__\n",
    "example.yaml": """
clothing:
  - T-shirt
  - Pants
artists:
  finnish:
    - Akseli Gallen-Kallela
    - Eero Järnefelt
  dutch:
    - Piet Mondrian
  moonbase: john madden
  flurp: 12345
  flem: ""
toys:
  plush:
    - |
      # Usage: __toys/plush(figure=elephant)__
      cute ${figure} plush toy,
      soft lighting
drink:
  hot:
    - tea
    - coffee
  cold:
    - soda
""",
    "weights.yaml": "weighted:\n  heavy:\n    - 50::elephant\n    - 20.5::rhino\n    - 10::hippo\n  light:\n"
    "    - { weight: 1, text: mouse }\n    - { weight: 2, text: rabbit }\n    - { weight: 3, content: cat }\n",
    "shapes.yaml": "- circle\n- square\n- triangle\n",
    "flavors/pantry.json": '{"bitter": ["coffee", "dark chocolate"], "deep": {"er": ["x", "y"]}}',
}

COMBINATORIAL = r"""
A literal sentence
Test [low emphasis]
{summer|autumn|winter|spring} is coming
{0.5::summer|0.1::autumn|0.3::winter|0.1::spring}
My favourite ice-cream flavours are {2$$chocolate|vanilla|strawberry}
My favourite ice-cream flavours are {2$$ and $$chocolate|vanilla|strawberry}
My favourite ice-cream flavours are {1-2$$ and $$chocolate|vanilla|strawberry}
{-2$$chocolate|vanilla|strawberry}
{1-$$chocolate|vanilla|strawberry}
{4$$chocolate|vanilla|strawberry}
{0-1$$a|b|c|d}
{0$$a|b}
{3-1$$a|b|c}
__season__ is coming
My favourite ice-cream flavours are {2$$__flavours__}
{1-2$$ and $$__flavours__}
__halves__ is coming
__people__
The colour of my shirt is __colours*__
{__colours*__}
{2$$__colours*__|black}
{2$$__colours*__}
__clothes__
__clothes(season=winter)__
__clothes(season={winter|spring})__
__example__
__artists/**__
__artists/finnish__
__artists/*__
__clothing__ by __artists/**__
__shapes__
__bitter__
__flavors/bitter__
__flavors/deep/er__
__toys/plush(figure=elephant)__
__animals/neighbours__
__animals/**__
__animals/*/*__
__animals/mammals/?anine__
__animals/[mr]*/[cs]*__
__animal(genus=mammals)__
__animal__
${genus=reptiles}__animal__
${season={summer|autumn}} __clothes__
${person={blond|redhead}, {green|blue} eyes} A ${person} man and a ${person} woman
${x=a} ${x}
${x={a|b}} ${x} ${x}
${x:foo}
${x: foo bar }
${x={a|b}}${x:c}
${y?=b}${y}
${animal = cat} the animal is ${animal:dog}
A {red|green|blue} {square|circle}
A {red|blue|} rose
A {red|green} {square|circle}
A {2$$red|green} {square|circle}
A {1-2$$red|green|blue} square
A {2$$|$$red|green|blue} square
A {1::red|2::green|3::blue} square
A {red|green {square|circle}}
A red {3$$square|circle}
(__colours*__:2.3)
%{something wrapping ..., very cool, neat$$this internal prompt}
%{__wrappers__$${fox|cow}}
%{happy … on a meadow$${fox|cow}}
%{happy ......... on a meadow$${fox|cow}}
%{happy $${fox|cow}}
%{... in jail$${fox|cow}}
%{ {cool|hot} ...$${fox|cow}}
%{{p|q} ... b$$ {c|d} }
{a|a|b}
{2$$a|a|b}
{a|{a|b}}
{2$${a|b}|{b|c}}
{2$${a|b}|c|d}
{1-3$${a|b}|c|{d|e|f}}
{1-2$$; $${a|b}{c|d}|x}
{{a|b}{c|d}|e}
{a|b}{a|b}
{a||b}
{2$$a||b}
{1-3$$, $$a||b}
{}
{a}
{2$$a}
 {a|b} 
{a | b}
x { a b | c } y
{0.5:: a|b}
{.5::a|1.::b}
[a|b] {c|d}
{(x:1.2)|[a:b:0.5]}
(a:1.2) {a:1.2|b} BREAK [c:d:0.5] AND e :0.7
<lora:x:{0.5|0.8}>, {\(a\)|b\\}
a|b } c
{a::b|c}
{new york|washing-ton!|änder}
{一只|两只}{黑|白}猫，（{雪山|沙漠}:1.2）
{__season__|monsoon} and {__africa__|__asia__}
{__season__, {a|b}|c} __shapes__
__colours-cold(x=1)__
{2$$ $$b|c}
{1-2$$ , $$a|b}
{2$$a b|c}
{!a|b} {c|d}
{!2$$a|b}
A {@red|green} ball
A {red|green} {@ball|car}
A {@red|green} {ball|car}
A {@red|green} {ball|car} {at night|in the morning}
A {red|{@green|blue}} {@ball|car}
A {red|blue|green|yellow|purple|black|white} {@ball|{!car|bike}}
test __@colours-cold__
{test1|test2} __@colours-cold__
{@embedding1|embedding2} and {a|b|c} {@embedding3|embedding4}
""".strip("\n").split("\n") + [
    "a # c\nb",
    "a # c\n# d\n  b {c|d} # e\n  f",
    "{a\n|b # x\n|c}",
    "# only\n",
    "\n    # Set the season variable\n    ${season={\n        summer\n        |autumn\n        # | fall    # commented out\n        |winter\n    }\n    }\n\n"
    "   In ${season:summer}, I wear {x|y} trousers\n",
    "\n        one\n        two\n        three # comment\n        # A comment\n        {cat|dog} # another comment\n"
    "        __shapes__# another comment\n        five\n        ",
    "a\r\n{b|c}",
]  # fmt: skip

CYCLIC = r"""
A literal sentence
A red {square|circle}
A {red|blue|} rose
A {red|green} {square|circle}
A {2$$red|green} {square|circle}
A {1-2$$red|green|blue} square
A {2$$|$$red|green|blue} square
A {1::red|2::green|3::blue} square
A {red|green {square|circle}}
A __shapes__ {a|b}
{__colours*__}
{2$$__colours*__}
{a|a|b} {x|y|z}
{!red|green}
${x={a|b}} ${x} {c|d|e}
{a|{b|{c|d}}}
""".strip("\n").split("\n")

RANDOM = r"""
{summer|autumn|winter|spring}
{0.5::summer|0.1::autumn|0.3::winter|0.1::spring}
{2$$chocolate|vanilla|strawberry}
{1-2$$a|b|c}
{-2$$ and $$a|b|c}
{0-1$$a|b|c}
{2$$5::a|1::b|2::c}
{3$$5::a|1::b|2::c}
{4$$a|b}
__season__
__halves__
__people__
{2$$__flavours__}
__heavy__
__weighted/heavy__
__weighted/light__
{a|{b|c}}
{a|b} {c|d}
A {red|green|blue} {~square|circle}
${x={a|b}} ${x} ${x}
%{__wrappers__$${fox|cow}}
{3::__colours*__|a}
{0.1::a|0.2::{b|2::c}|}
__clothes(season={winter|spring})__
""".strip("\n").split("\n")

MARKS = [
    ({"variant_start": "<", "variant_end": ">"}, "some literal string <A|B|__shapes__>"),
    ({"variant_start": "[", "variant_end": "]"}, "some literal string [A|B|__shapes__]"),
    ({"wildcard_wrap": "&"}, "some literal string {A|B|&shapes&}"),
    ({"wildcard_wrap": "@@"}, "some literal string {A|B|@@shapes@@}"),
    ({"wildcard_wrap": ".."}, "some literal string {A|B|..shapes..}"),
    ({"wildcard_wrap": "**"}, "some literal string {A|B|**shapes**}"),
    ({"wildcard_wrap": "___"}, "some literal string {A|B|___shapes___}"),
]


def context(folder, method, marks=None):
    config = ParserConfig(**(marks or {}))
    manager = WildcardManager(folder, wildcard_wrap=config.wildcard_wrap)
    return SamplingContext(
        default_sampling_method=method, wildcard_manager=manager, parser_config=config, rand=random.Random(2026)
    )


def prompts(folder, method, template, most, marks=None):
    return [str(prompt) for prompt in islice(context(folder, method, marks).sample_prompts(template), most)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--draws", type=int, default=4_000)
    draws = arguments.parse_args().draws
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    # The values of wildcards are read at every use; reading them once gives the same and takes a hundredth of the time.
    dynamicprompts.parser.parse.parse = cache(dynamicprompts.parser.parse.parse)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for path, text in FILES.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        combinatorial = [
            {"template": it, "prompts": prompts(folder, SamplingMethod.COMBINATORIAL, it, MOST)}
            for it in COMBINATORIAL
            if it != "__example__"
        ]
        cyclic = [{"template": it, "prompts": prompts(folder, SamplingMethod.CYCLICAL, it, 20)} for it in CYCLIC]
        marks = [
            {"marks": marks, "template": it, "prompts": prompts(folder, SamplingMethod.COMBINATORIAL, it, MOST, marks)}
            for marks, it in MARKS
        ]
        lots = [
            {"template": it, "counts": dict(Counter(prompts(folder, SamplingMethod.RANDOM, it, draws)).most_common())}
            for it in RANDOM
        ]
    groups = {"combinatorial": combinatorial, "cyclic": cyclic, "marks": marks, "random": lots}
    GOLDENS.mkdir(parents=True, exist_ok=True)
    with (GOLDENS / "templates.json").open("w", encoding="utf-8", newline="\n") as file:
        made_by = f"tests/parity/templates.py, dynamicprompts {version('dynamicprompts')}"
        file.write(f'{{"made_by":{json.dumps(made_by)},"draws":{draws},\n')
        file.write(f'"files":{json.dumps(FILES, ensure_ascii=False, indent=0)}')
        for name, cases in groups.items():
            lines = ",\n".join(json.dumps(it, ensure_ascii=False, separators=(",", ":")) for it in cases)
            file.write(f',\n"{name}":[\n{lines}\n]')
        file.write("}\n")


if __name__ == "__main__":
    main()

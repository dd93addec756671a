"""The procedural pictures the starter model learns from: 32x32 pixel-art sprites.

Two kinds: busts of characters ("avatar") and desert scenes of a neon Loulan ("scene"). A picture is
a function of its attributes alone: the same attributes always give the same pixels, so everything
a caption can name is everything there is to know. `captions.py` turns attributes into text.

Run it to look at the drawings:  python drawings.py sheet.png
"""

import functools
import random

import numpy as np

SIZE = 32  # sprite pixels a side; one latent cell each
INK = (22, 16, 36)

# ---------------------------------------------------------------- attributes

SPECIES = ["cat", "fox", "bear", "robot", "alien", "person"]
COLOURS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "white"]
BACKGROUNDS = ["red", "orange", "yellow", "green", "teal", "blue", "purple", "black"]
HEADWEAR = ["none", "crown", "cap", "beanie", "wizard hat", "headphones", "space helmet"]
EYEWEAR = ["none", "sunglasses", "visor", "round glasses"]
EXPRESSION = ["smile", "serious", "surprised"]
CLOTHES = ["hoodie", "suit", "t-shirt", "armor"]
CLOTHES_COLOURS = ["red", "blue", "yellow", "black"]
SKIN = ["light", "tan", "dark"]  # persons only; their main colour is the hair's

PALETTES = ["midnight", "violet", "crimson", "jade", "golden", "sunset"]
STRUCTURES = ["towers", "stupa", "gate", "pyramids", "city", "dunes"]
ORBS = ["pink sun", "red sun", "yellow sun", "white moon", "cyan moon", "crescent moon"]
STARS = ["stars", "clear"]
FOREGROUND = ["sand", "camel", "grid"]

AVATAR = {
    "species": SPECIES,
    "colour": COLOURS,
    "background": BACKGROUNDS,
    "headwear": HEADWEAR,
    "eyewear": EYEWEAR,
    "expression": EXPRESSION,
    "clothes": CLOTHES,
    "clothes_colour": CLOTHES_COLOURS,
    "skin": SKIN,
}
SCENE = {
    "palette": PALETTES,
    "structure": STRUCTURES,
    "orb": ORBS,
    "stars": STARS,
    "foreground": FOREGROUND,
}

# Combinations no training picture shows: what the evaluation asks for.
HELD_OUT_AVATAR = {
    ("fox", "blue"), ("cat", "purple"), ("bear", "green"), ("robot", "pink"), ("alien", "orange"), ("person", "yellow"),
}  # fmt: skip
HELD_OUT_HEADWEAR = {("cat", "wizard hat"), ("robot", "crown"), ("bear", "space helmet"), ("fox", "beanie")}
HELD_OUT_SCENE = {
    ("stupa", "violet"), ("towers", "golden"), ("gate", "jade"), ("pyramids", "midnight"), ("city", "crimson"),
}  # fmt: skip


def is_held_out(a):
    """Whether the attributes contain a combination kept out of training."""
    if a["kind"] == "avatar":
        pair = (a["species"], a["colour"])
        return pair in HELD_OUT_AVATAR or (a["species"], a["headwear"]) in HELD_OUT_HEADWEAR
    return (a["structure"], a["palette"]) in HELD_OUT_SCENE


def sample(rng, held_out=False, scenes=0.35):
    """Random attributes; with or without a held-out combination, as asked."""
    scene = rng.random() < scenes
    while True:
        table = SCENE if scene else AVATAR
        a = {"kind": "scene" if scene else "avatar"}
        a.update({name: rng.choice(values) for name, values in table.items()})
        if not scene:
            if a["species"] != "person":
                a["skin"] = None
            if rng.random() < 0.10:
                a["headwear"] = "none"  # a bare head and bare eyes are the commonest request
            if rng.random() < 0.25:
                a["eyewear"] = "none"
        if is_held_out(a) == held_out:
            return a


# ---------------------------------------------------------------- colours

FUR = {  # base, shadow, light
    "red": ((222, 52, 60), (160, 28, 56), (255, 132, 112)),
    "orange": ((248, 136, 36), (196, 84, 24), (255, 196, 104)),
    "yellow": ((252, 212, 60), (212, 150, 28), (255, 242, 150)),
    "green": ((76, 184, 80), (36, 128, 72), (156, 230, 116)),
    "blue": ((60, 120, 232), (36, 72, 172), (124, 184, 255)),
    "purple": ((144, 84, 216), (96, 48, 160), (196, 144, 255)),
    "pink": ((255, 128, 188), (208, 76, 148), (255, 190, 220)),
    "white": ((244, 242, 248), (186, 186, 210), (255, 255, 255)),
}
BACKDROP = {  # backdrop, disc behind the head
    "red": ((168, 36, 60), (196, 56, 72)),
    "orange": ((236, 116, 52), (250, 146, 76)),
    "yellow": ((240, 196, 72), (250, 216, 108)),
    "green": ((48, 140, 96), (72, 168, 112)),
    "teal": ((52, 176, 184), (92, 204, 204)),
    "blue": ((52, 84, 184), (76, 116, 212)),
    "purple": ((92, 52, 148), (120, 72, 180)),
    "black": ((28, 26, 44), (48, 44, 72)),
}
CLOTH = {
    "red": ((208, 44, 64), (148, 24, 56), (240, 96, 96)),
    "blue": ((48, 92, 208), (28, 56, 148), (96, 148, 244)),
    "yellow": ((244, 192, 44), (196, 136, 20), (255, 226, 116)),
    "black": ((56, 52, 72), (34, 30, 50), (92, 88, 116)),
}
SKIN_TONES = {
    "light": ((255, 214, 180), (230, 166, 136)),
    "tan": ((220, 158, 108), (178, 114, 76)),
    "dark": ((140, 88, 60), (100, 58, 44)),
}
WHITE, CREAM = (255, 255, 255), (250, 240, 226)
GOLD, GOLD_DARK, GOLD_LIGHT = (255, 204, 48), (208, 138, 20), (255, 240, 150)
CYAN, MAGENTA, RED = (72, 236, 255), (255, 64, 180), (232, 48, 72)

# ---------------------------------------------------------------- drawing primitives


def _mask(rows):
    """A mask symmetric about the middle column from {y: half width}."""
    m = np.zeros((SIZE, SIZE), bool)
    for y, half in rows.items():
        m[y, 16 - half : 16 + half] = True
    return m


def _rows(top, halves):
    return {top + i: h for i, h in enumerate(halves)}


def _outline(m):
    """The pixels that touch the mask from outside (four neighbours)."""
    grown = np.zeros_like(m)
    grown[1:] |= m[:-1]
    grown[:-1] |= m[1:]
    grown[:, 1:] |= m[:, :-1]
    grown[:, :-1] |= m[:, 1:]
    return grown & ~m


def _shape(img, m, base, shadow=None, light=None, ink=INK):
    """Fills a mask: ink outline, shadow on its right and lower edge, light on its upper left."""
    img[_outline(m)] = ink
    img[m] = base
    if shadow is not None:
        right = np.zeros_like(m)
        right[:, :-2] = m[:, 2:]
        below = np.zeros_like(m)
        below[:-1] = m[1:]
        img[m & ~(right & below)] = shadow
    if light is not None:
        left = np.zeros_like(m)
        left[:, 1:] = m[:, :-1]
        above = np.zeros_like(m)
        above[1:] = m[:-1]
        img[m & ~left & above] = light
        img[m & ~above & _mask(dict.fromkeys(range(SIZE), 5))] = light


def _stamp(img, x, y, art, colours, mirror=False):
    """Draws ASCII art at (x, y); '.' is transparent. `mirror` draws the other half about the middle."""
    for dy, line in enumerate(art):
        for dx, ch in enumerate(line):
            if ch in ". ":
                continue
            for px in (x + dx, 31 - x - dx) if mirror else (x + dx,):
                if 0 <= px < SIZE and 0 <= y + dy < SIZE:
                    img[y + dy, px] = colours[ch]


def _disc(cx, cy, r):
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    return (x - cx) ** 2 + (y - cy) ** 2 <= r * r


# ---------------------------------------------------------------- avatars

HEADS = {
    "cat": _rows(9, [6, 7, 8, 8, 8, 8, 8, 8, 8, 7, 6, 5]),
    "fox": _rows(9, [6, 7, 8, 8, 9, 9, 9, 8, 7, 6, 4, 3]),
    "bear": _rows(8, [5, 7, 8, 8, 9, 9, 9, 9, 9, 9, 8, 7, 5]),
    "robot": _rows(9, [8] * 12),
    "alien": _rows(7, [5, 7, 9, 9, 9, 9, 9, 9, 8, 7, 6, 6, 5, 4]),
    "person": _rows(8, [5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 6, 5, 4]),
}
BODY = _rows(24, [7, 10, 12, 13, 13, 14, 14, 14])


def _draw_clothes(img, clothes, colours):
    base, shadow, light = colours
    key = {"b": base, "s": shadow, "l": light, "k": INK, "w": WHITE, "c": CYAN, "r": RED, "g": (150, 156, 180)}
    _shape(img, _mask(BODY), base, shadow, light)
    if clothes == "hoodie":
        _stamp(img, 9, 24, ["ssss...", ".ssssss", "...w.ss", "...w...", "...w..."], key, mirror=True)
        _stamp(img, 10, 29, ["ssssss", "sbbbbb", "sbbbbb"], key, mirror=True)
    elif clothes == "suit":
        _stamp(img, 11, 24, ["sswww", ".swww", ".sswr", "..swr", "..ssr", "...sr", "...sr", "...sr"], key, mirror=True)
        _stamp(img, 5, 28, ["kkk"], key)
        _stamp(img, 6, 27, ["w"], key)
    elif clothes == "t-shirt":
        _stamp(img, 11, 24, ["wwwww", ".wwww"], key, mirror=True)
        _stamp(img, 7, 29, ["k", "k", "k"], key, mirror=True)
        _stamp(img, 13, 27, ["lll", ".ll", "..l"], key, mirror=True)
    else:  # armor
        _stamp(img, 3, 24, ["..gggg", ".gwwggk", "kgwgggk", "kggggkk", "kggggk.", "kkkkkk."], key, mirror=True)
        _stamp(img, 12, 24, ["kggg", "kkkk"], key, mirror=True)
        _stamp(img, 14, 27, ["kk", "kc", "kc", "kk"], key, mirror=True)


def _draw_ears(img, species, colours):
    base, shadow, light = colours
    key = {"b": base, "s": shadow, "l": light, "k": INK, "p": (255, 160, 180), "r": RED, "w": WHITE, "g": (150, 156, 180)}
    if species == "cat":
        _stamp(img, 6, 3, [".kk....", "kbbk...", "kbpbk..", "kbppbk.", "kbpppbk", "kbbpppb", "kbbbppb"], key, mirror=True)
    elif species == "fox":
        _stamp(img, 5, 1, ["..k....", ".kkk...", ".kkkk..", "kbkkbk.", "kbwkbbk", "kbwwwbb", "kbbwwwb", "kbbbwwb", ".kbbbbb"], key, mirror=True)
    elif species == "bear":
        _stamp(img, 5, 5, [".kkkk...", "kbbbbk..", "kblllbk.", "kblllbb.", "kbllbbb.", ".kbbbb.."], key, mirror=True)
    elif species == "robot":
        _stamp(img, 15, 2, ["kk", "rr", "rr", "kk", "gg", "gg"], key)
        _stamp(img, 14, 3, ["k", "k"], key, mirror=True)
        _stamp(img, 4, 13, ["kkk", "kgg", "kgg", "kgg", "kkk"], key, mirror=True)
    elif species == "alien":
        _stamp(img, 7, 1, [".kk...", "kllk..", "kllk..", ".kkk..", "...kk.", "....k.", "....kk"], key, mirror=True)


def _draw_head(img, species, colours, skin):
    base, shadow, light = colours
    key = {"b": base, "s": shadow, "l": light, "k": INK, "w": CREAM, "p": (255, 150, 172), "n": (44, 38, 66), "d": (34, 40, 72)}
    if species == "person":
        tone, tone_dark = SKIN_TONES[skin]
        _shape(img, _mask(_rows(6, [6, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 8, 8])), shadow)  # hair behind
        _shape(img, _mask(HEADS["person"]), tone, tone_dark)
        key.update({"t": tone, "u": tone_dark})
        _stamp(img, 7, 13, [".kk", "ktt", "ktu", ".kk"], key, mirror=True)
        hair = ["....kkkkkkkk", "..kkbbllllbb", ".kbbblllbbbb", "kbbbllbbbbbb", "kbbblbbbbbbb", "kbbbbbb.bb.b", "kbbbb....b..", "kbbb........", "kbbb........"]  # fmt: skip
        _stamp(img, 6, 4, [row[:10] for row in hair], key, mirror=True)
        _stamp(img, 15, 17, ["u"], key, mirror=True)
        return
    m = _mask(HEADS[species])
    _shape(img, m, base, shadow, light)
    if species == "cat":
        _stamp(img, 13, 9, ["s.s", "s.s", "..s"], key, mirror=True)  # stripes
        _stamp(img, 12, 16, ["..ww", ".www", "wwww", ".www"], key, mirror=True)
        _stamp(img, 15, 16, ["p"], key, mirror=True)
        _stamp(img, 4, 16, ["kkkk.", ".....", "kkkk."], key, mirror=True)  # whiskers
    elif species == "fox":
        _stamp(img, 7, 14, ["www......", "wwww.....", ".wwwww..w", "..wwwwwww", "...wwwwww", ".....wwww", "......www"], key, mirror=True)
        _stamp(img, 14, 16, ["kk", ".k"], key, mirror=True)
    elif species == "bear":
        _stamp(img, 11, 15, ["..lll", ".llll", "lllll", "lllll", ".llll", "..lll"], key, mirror=True)
        _stamp(img, 14, 15, ["kk", ".k"], key, mirror=True)
    elif species == "robot":
        _stamp(img, 9, 11, ["kkkkkkk", "kdddddd", "kdddddd", "kdddddd", "kdddddd", "kkkkkkk"], key, mirror=True)
        _stamp(img, 8, 9, ["l"], key)
        _stamp(img, 8, 19, ["k"], key, mirror=True)
    elif species == "alien":
        _stamp(img, 13, 8, ["l.l"], key, mirror=True)


def _draw_eyes(img, species, eyewear):
    key = {"k": INK, "w": WHITE, "c": CYAN, "m": MAGENTA, "g": GOLD, "s": (58, 54, 84), "h": (190, 200, 230), "v": (110, 120, 255), "a": (196, 232, 255)}
    if eyewear == "sunglasses":
        _stamp(img, 7, 12, ["kkkkkkkkk", ".khhskkk.", ".khsskk..", "..kkkk..."], key, mirror=True)
        return
    if eyewear == "visor":
        _stamp(img, 6, 11, ["kkkkkkkkkkkkkkkkkkkk", "kwwccccccvvvvmmmmmmk", "kwccccccvvvvmmmmmmmk", "kcccccvvvvmmmmmmmmmk", ".kkkkkkkkkkkkkkkkkk."], key)
        return
    if species == "robot":
        _stamp(img, 11, 13, ["ccc", "ccc"], key, mirror=True)
    elif species == "alien":
        _stamp(img, 8, 12, ["kkk...", "kwwkk.", "kwkkkk", ".kkkkk", "..kkkk"], key, mirror=True)
    else:
        _stamp(img, 10, 13, ["www", "wkk", "wkk"], key)
        _stamp(img, 19, 13, ["www", "wkk", "wkk"], key)
    if eyewear == "round glasses":
        _stamp(img, 8, 11, ["..ggg...", ".g...g..", "g.....gg", "g.....g.", "g.....g.", ".g...g..", "..ggg..."], key, mirror=True)


def _draw_mouth(img, species, expression):
    key = {"k": INK, "r": (208, 48, 72), "w": WHITE, "c": CYAN}
    y = {"fox": 18, "alien": 18, "robot": 18}.get(species, 18)
    if species == "robot":
        art = {"smile": ["c....", ".cccc"], "serious": [".....", "ccccc"], "surprised": ["..ccc", "..ccc"]}[expression]
        _stamp(img, 11, y, art, key, mirror=True)
    else:
        art = {"smile": ["k...", ".kkk"], "serious": ["....", ".kkk"], "surprised": ["..kk", "..kr", "..kk"]}[expression]
        _stamp(img, 12, y, art, key, mirror=True)


def _draw_headwear(img, headwear):
    key = {
        "k": INK, "g": GOLD, "d": GOLD_DARK, "l": GOLD_LIGHT, "r": RED, "c": CYAN, "w": WHITE, "m": MAGENTA,
        "R": (216, 40, 60), "Q": (150, 20, 52), "P": (250, 104, 104),
        "B": (56, 108, 224), "A": (32, 64, 160), "C": (236, 238, 250), "D": (178, 186, 216),
        "V": (112, 56, 184), "U": (76, 32, 132), "W": (156, 100, 228),
        "h": (60, 58, 82), "i": (98, 98, 130),
    }  # fmt: skip
    if headwear == "crown":
        _stamp(img, 7, 2, ["kk.....kk", "kgk...kgg", "kgk...kgg", "kggk.kglg", "kgggkgllg", "kgglggggr", "kglgggcgr", "kgggggggg", "kdddddddd", ".kkkkkkkk"], key, mirror=True)
    elif headwear == "cap":
        _stamp(img, 7, 3, ["......kkkkkk......", "....kkPPRRRRkk....", "..kkPPRRRRRRRRkk..", ".kRPRRRRRRRRRRRQk.", ".kPRRRRwwRRRRRRQk.", "kRPRRRRwwRRRRRRQQk", "kRRRRRRRRRRRRRRQQk", "kkkkkkkkkRRRRRRRRRkkkk", "........kPRRRRRRRRRRRQk", ".........kkkkkkkkkkkkk"], key)
    elif headwear == "beanie":
        _stamp(img, 7, 0, ["......kkk", ".....kCCC", ".....kCCD", "....kkkCC", "..kkBBBkk", ".kBBBABBB", "kBBBABBBA", "kBBBABBBA", "kCCDCCDCC", "kCCDCCDCC", "kkkkkkkkk"], key, mirror=True)
    elif headwear == "wizard hat":
        _stamp(img, 3, 0, ["...............kkk........", "..............kWVUk.......", ".............kWVVUk.......", "............kWVVVVUk......", "............kWVVgVUk......", "...........kWVVgggVUk.....", "..........kWVVVVgVVUk.....", ".........kWVVVVVVVVVUk....", "....kkkkkkggggggggggggkkk.", "..kkWVVVVVVVVVVVVVVVVVVUUk", "...kkkkkkkkkkkkkkkkkkkkkk."], key)
        _stamp(img, 27, 8, ["kk", "k", "k"], {"k": INK})
    elif headwear == "headphones":
        _stamp(img, 4, 3, ["........kkkk", "......kkhhhh", "....kkhhiiii", "...khhikkkkk", "..khhkk.....", "..khk.......", ".kkhk.......", "kkkkk.......", "kiihk.......", "kchhk.......", "kchhk.......", "kchhk.......", "kchhk.......", "khhhk.......", "kkkkk......."], key, mirror=True)
    elif headwear == "space helmet":
        y, x = np.mgrid[0:SIZE, 0:SIZE]
        dist = np.sqrt((x - 15.5) ** 2 + (y - 12.5) ** 2)
        above = y <= 23
        glass = (dist < 11) & above
        img[glass] = (img[glass] * 0.72 + np.array((150, 214, 255)) * 0.28).astype(np.uint8)
        img[(dist >= 11) & (dist < 12.9) & above] = (226, 230, 246)
        img[(dist >= 11) & (dist < 12.9) & above & (x > 17) & (y > 11)] = (166, 174, 206)
        img[(dist >= 12.9) & (dist < 13.8) & above] = INK
        _stamp(img, 8, 6, ["..ww", ".w..", "w...", "w..."], {"w": WHITE})
        _stamp(img, 6, 22, ["kkkkkkkkkk", "kggggggggg", "kkkkkkkkkk"], {"k": INK, "g": (166, 174, 206)}, mirror=True)


def draw_avatar(a):
    """The bust of one character, 32x32x3 uint8."""
    backdrop, disc = BACKDROP[a["background"]]
    img = np.empty((SIZE, SIZE, 3), np.uint8)
    img[:] = backdrop
    img[_disc(15.5, 14.5, 14.2)] = disc
    fur = FUR[a["colour"]]
    species = a["species"]
    neck = SKIN_TONES[a["skin"]] if species == "person" else fur[:2]
    if a["clothes"] == "hoodie":  # the hood, behind everything
        _shape(img, _mask(_rows(18, [8, 10, 11, 11, 11, 10])), CLOTH[a["clothes_colour"]][1])
    _draw_ears(img, species, fur)
    _shape(img, _mask(_rows(20, [4, 4, 4, 4, 4])), neck[1])
    _draw_clothes(img, a["clothes"], CLOTH[a["clothes_colour"]])
    _draw_head(img, species, fur, a["skin"])
    _draw_mouth(img, species, a["expression"])
    if a["headwear"] not in ("space helmet",):
        _draw_headwear(img, a["headwear"])
    _draw_eyes(img, species, a["eyewear"])
    if a["headwear"] == "space helmet":
        _draw_headwear(img, "space helmet")
    return img


# ---------------------------------------------------------------- scenes

# Five sky bands from the top, far dune, middle dune, near sand, silhouette, rim light, neon.
SCENE_COLOURS = {
    "midnight": [(10, 12, 44), (16, 24, 72), (24, 40, 104), (36, 64, 140), (60, 100, 176), (36, 52, 108), (24, 36, 84), (14, 22, 56), (8, 10, 30), (92, 140, 224), (80, 232, 255)],
    "violet": [(28, 10, 60), (60, 16, 96), (108, 24, 132), (172, 40, 156), (240, 80, 176), (96, 28, 116), (64, 18, 92), (40, 12, 66), (20, 6, 40), (240, 100, 220), (72, 236, 255)],
    "crimson": [(44, 6, 24), (88, 12, 28), (140, 24, 32), (196, 48, 36), (244, 96, 48), (128, 28, 36), (92, 18, 32), (56, 10, 24), (28, 4, 14), (255, 132, 72), (255, 220, 80)],
    "jade": [(4, 36, 48), (8, 64, 76), (16, 104, 108), (40, 152, 140), (112, 208, 176), (24, 104, 100), (14, 76, 80), (8, 48, 56), (4, 24, 32), (132, 240, 196), (255, 240, 128)],
    "golden": [(240, 164, 72), (246, 184, 88), (250, 204, 108), (253, 222, 136), (255, 238, 176), (224, 152, 68), (196, 116, 48), (160, 84, 40), (116, 56, 36), (255, 220, 120), (64, 208, 208)],
    "sunset": [(68, 48, 116), (120, 64, 140), (188, 84, 140), (244, 120, 116), (255, 176, 120), (172, 84, 112), (128, 60, 104), (84, 40, 84), (48, 22, 60), (255, 176, 140), (255, 92, 164)],
}  # fmt: skip

STRUCTURE_ART = {
    "towers": [
        "...........#.#........",
        "...........####.......",
        "..#.#......####.......",
        "..####.....####.......",
        "..####.....#nn#...#...",
        "..#nn#.....####...###.",
        "..####.....####...###.",
        "..####.#...#nn#..####.",
        "..####.##..####..#nn#.",
        "..#nn#.###.####..####.",
        "..####.####.###..####.",
        ".#####.#n##.#nn#.####.",
        ".#####.####.####.#nn##",
        "######################",
        "######################",
    ],
    "stupa": [
        "..........##..........",
        "..........##..........",
        ".........####.........",
        "..........##..........",
        ".........####.........",
        "..........##..........",
        ".........nnnn.........",
        ".......########.......",
        ".....############.....",
        "....##############....",
        "....######nn######....",
        "....#####nnnn#####....",
        "...######nnnn######...",
        "..##################..",
        ".#nn##nn##nn##nn##nn#.",
    ],
    "gate": [
        "....#..............#..",
        "..#####..........#####",
        "...###............###.",
        ".#####################",
        "..nnnnnnnnnnnnnnnnnnn.",
        ".#####################",
        "..####..........####..",
        "..####..........####..",
        "..#n##..........##n#..",
        "..####..........####..",
        "..####..........####..",
        "..#n##..........##n#..",
        "..####..........####..",
        ".######........######.",
        ".######........######.",
    ],
    "pyramids": [
        ".......n..............",
        "......n##.............",
        ".....n####............",
        ".....n#####...........",
        "....n#######..........",
        "...n#########....n....",
        "...n##########..n##...",
        "..n############n####..",
        ".n#############n#####.",
        ".n############n#######",
        "n############n########",
        "n############n########",
        "############n#########",
        "############n#########",
        "######################",
    ],
    "city": [
        "......................",
        "..........n...........",
        "..........#...........",
        "........#####.........",
        ".......#######........",
        "......#########.......",
        "......#########.......",
        "..##..##n###n##..##...",
        "..##..#########..##...",
        "#.##.#.#.#.#.#.#.##.#.",
        "######################",
        "##n###n###nn###n###n##",
        "#########nnnn#########",
        "#########nnnn#########",
        "######################",
    ],
}  # fmt: skip
STAR_PIXELS = [(2, 2), (6, 5), (9, 1), (13, 4), (3, 9), (28, 2), (30, 7), (25, 4), (16, 1), (1, 13), (29, 12), (11, 8), (21, 1)]
CAMEL = [
    "....##....##.",
    "...####..####",
    "#.##########.",
    "###########..",
    ".#########...",
    "..#.#..#.#...",
    "..#.#..#.#...",
    "..#.#..#.#...",
]  # fmt: skip
ORB_COLOURS = {
    "pink sun": ((255, 84, 172), (255, 160, 204)),
    "red sun": ((240, 44, 52), (255, 110, 84)),
    "yellow sun": ((255, 214, 60), (255, 242, 150)),
    "white moon": ((240, 240, 250), (198, 200, 222)),
    "cyan moon": ((72, 224, 255), (40, 168, 222)),
    "crescent moon": ((255, 246, 204), (255, 246, 204)),
}


@functools.cache
def _ridge(kind):
    """Rows where a dune begins, one for each column."""
    x = np.arange(SIZE)
    if kind == "far":
        return np.round(20.5 + 1.6 * np.sin(x * 0.28 + 0.6)).astype(int)
    if kind == "middle":
        return np.round(23.6 + 1.4 * np.sin(x * 0.22 + 3.4)).astype(int)
    return np.round(27.8 + 1.3 * np.sin(x * 0.19 + 1.2)).astype(int)


def draw_scene(a):
    """A desert scene, 32x32x3 uint8."""
    colours = SCENE_COLOURS[a["palette"]]
    sky, (far, middle, near, ink, rim, neon) = colours[:5], colours[5:]
    img = np.empty((SIZE, SIZE, 3), np.uint8)
    for y in range(SIZE):
        img[y] = sky[min(4, (0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3)[y] if y < 18 else 4)]
    if a["stars"] == "stars":
        for i, (x, y) in enumerate(STAR_PIXELS):
            img[y, x] = WHITE if i % 3 else rim
    base, second = ORB_COLOURS[a["orb"]]
    orb = _disc(22.5, 8.5, 5.6)
    if a["orb"] == "crescent moon":
        orb &= ~_disc(20, 7.2, 5.2)
    img[orb] = base
    yy, _ = np.mgrid[0:SIZE, 0:SIZE]
    if a["orb"].endswith("sun"):
        img[orb & (yy < 7)] = second
        for y in (10, 12):
            img[orb & (yy == y)] = sky[1 if y == 10 else 2]
    elif a["orb"] != "crescent moon":
        for dx, dy in ((20, 6), (21, 6), (20, 7), (24, 9), (25, 9), (24, 10), (25, 10), (21, 11)):
            img[dy, dx] = second
    columns = np.arange(SIZE)
    img[yy >= _ridge("far")[columns]] = far
    if a["structure"] != "dunes":
        art = STRUCTURE_ART[a["structure"]]
        _stamp(img, 3, 8, art, {"#": ink, "n": neon})
        for dy, line in enumerate(art):  # light on the side of the orb
            for dx in range(1, len(line)):
                if line[dx - 1 : dx + 1] == "##" and line[dx + 1 : dx + 2] in ("", "."):
                    img[8 + dy, 3 + dx] = rim
    else:
        for x in range(SIZE):
            img[_ridge("far")[x], x] = rim
    img[yy >= _ridge("middle")[columns]] = middle
    for x in range(SIZE):
        if 4 <= x % 16 <= 13:
            img[_ridge("middle")[x], x] = far
    img[yy >= _ridge("near")[columns]] = near
    if a["foreground"] == "camel":
        art = [line[::-1] for line in CAMEL]
        _stamp(img, 16, 20, art, {"#": ink})
        for x in range(13):  # moonlit back
            top = next(y for y in range(8) if art[y][x] == "#")
            img[20 + top, 16 + x] = rim
        img[23:25, 21:26] = neon  # saddle cloth
    elif a["foreground"] == "grid":
        img[25:] = ink
        line = tuple((2 * i + n) // 3 for i, n in zip(ink, neon, strict=True))
        for y in range(26, SIZE):
            for k in range(-4, 6):
                x = round(15.5 + (k - 0.5) * (4.0 + 1.3 * (y - 25)))
                if 0 <= x < SIZE:
                    img[y, x] = line
        img[25] = neon
        img[28] = line
    return img


def draw(a):
    """The picture of the attributes, 32x32x3 uint8."""
    return draw_avatar(a) if a["kind"] == "avatar" else draw_scene(a)


def sheet(pictures, columns, scale=4, gap=2, ground=255):
    """A contact sheet of equally sized pictures, nearest-neighbour enlarged."""
    h, w = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    out = np.full((rows * (h * scale + gap) + gap, columns * (w * scale + gap) + gap, 3), ground, np.uint8)
    for i, p in enumerate(pictures):
        y, x = gap + i // columns * (h * scale + gap), gap + i % columns * (w * scale + gap)
        out[y : y + h * scale, x : x + w * scale] = p.repeat(scale, 0).repeat(scale, 1)
    return out


if __name__ == "__main__":
    import sys

    from PIL import Image

    rng = random.Random(4)
    avatars = [sample(rng, scenes=0) for _ in range(40)]
    for i, species in enumerate(SPECIES):
        avatars[i] |= {"species": species, "headwear": "none", "eyewear": "none", "skin": "tan" if species == "person" else None}
    scenes = [sample(rng, scenes=1) for _ in range(24)]
    for i, structure in enumerate(STRUCTURES):
        scenes[i] |= {"structure": structure, "palette": PALETTES[i]}
    Image.fromarray(sheet([draw(a) for a in avatars + scenes], 8, 5)).save(sys.argv[1])

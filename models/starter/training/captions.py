"""Captions for the drawings: attributes in, a line of English or Chinese out.

Each attribute is named by one of several synonyms, parts come in varying order, may be left out,
and are mixed with words that say nothing about the picture, so that such words do no harm later.
"""

COLOUR_WORDS = {
    "red": ["red", "red", "red", "scarlet", "crimson"],
    "orange": ["orange", "orange", "orange", "ginger"],
    "yellow": ["yellow", "yellow", "yellow", "golden"],
    "green": ["green", "green", "green", "emerald"],
    "blue": ["blue", "blue", "blue", "azure"],
    "teal": ["teal", "teal", "turquoise", "cyan"],
    "purple": ["purple", "purple", "purple", "violet"],
    "pink": ["pink", "pink", "pink", "rose"],
    "white": ["white", "white", "white", "snow white"],
    "black": ["black", "black", "black", "dark"],
}
COLOUR_ZH = {
    "red": "红色", "orange": "橙色", "yellow": "黄色", "green": "绿色", "blue": "蓝色",
    "teal": "青色", "purple": "紫色", "pink": "粉色", "white": "白色", "black": "黑色",
}  # fmt: skip

WORDS = {
    "species": {
        "cat": ["cat", "cat", "kitty", "kitten", "feline"],
        "fox": ["fox", "fox", "foxy"],
        "bear": ["bear", "bear", "teddy bear", "grizzly"],
        "robot": ["robot", "robot", "android", "bot"],
        "alien": ["alien", "alien", "extraterrestrial"],
        "person": ["person", "human", "man", "woman", "girl", "boy", "guy"],
    },
    "headwear": {
        "none": ["no hat", "bareheaded", "nothing on the head"],
        "crown": ["a crown", "a golden crown", "a gold crown", "a king's crown"],
        "cap": ["a cap", "a red cap", "a baseball cap"],
        "beanie": ["a beanie", "a blue beanie", "a knitted hat", "a woolly hat"],
        "wizard hat": ["a wizard hat", "a purple wizard hat", "a witch hat", "a magician hat"],
        "headphones": ["headphones", "a headset", "headphones"],
        "space helmet": ["a space helmet", "an astronaut helmet", "a glass helmet"],
    },
    "eyewear": {
        "none": ["no glasses", "bare eyes"],
        "sunglasses": ["sunglasses", "black sunglasses", "dark glasses", "shades"],
        "visor": ["a visor", "a neon visor", "vr goggles", "a cyber visor"],
        "round glasses": ["round glasses", "glasses", "golden glasses", "spectacles"],
    },
    "expression": {
        "smile": ["smiling", "happy", "with a smile", "cheerful"],
        "serious": ["serious", "neutral face", "calm", "straight face"],
        "surprised": ["surprised", "open mouth", "shocked", "amazed"],
    },
    "clothes": {
        "hoodie": ["hoodie", "hoodie", "hooded sweater"],
        "suit": ["suit", "suit and tie", "business suit", "jacket and tie"],
        "t-shirt": ["t-shirt", "shirt", "tee"],
        "armor": ["armor", "armour", "space armor", "space suit"],
    },
    "skin": {
        "light": ["light skin", "pale skin", "fair skin"],
        "tan": ["tan skin", "tanned skin", "brown skin"],
        "dark": ["dark skin", "deep skin", "black skin"],
    },
    "palette": {
        "midnight": ["midnight", "blue night", "deep blue night", "midnight blue"],
        "violet": ["violet", "purple synthwave", "violet neon night", "magenta"],
        "crimson": ["crimson", "blood red sky", "red dusk", "crimson red"],
        "jade": ["jade", "jade green", "teal green sky", "emerald green"],
        "golden": ["golden", "golden day", "amber", "sandy yellow daylight"],
        "sunset": ["sunset", "pink sunset", "pastel sunset", "dusk in pink and orange"],
    },
    "structure": {
        "towers": ["ruined towers", "ruins", "broken towers", "ancient ruined towers"],
        "stupa": ["a stupa", "a buddhist stupa", "a pagoda"],
        "gate": ["a gate", "a great gate", "a city gate", "an archway"],
        "pyramids": ["pyramids", "two pyramids", "a pyramid"],
        "city": ["a walled city", "a domed city", "a palace with a dome", "a fortress city"],
        "dunes": ["empty dunes", "only dunes", "bare sand dunes", "nothing but dunes"],
    },
    "orb": {
        "pink sun": ["a pink sun", "a neon pink sun", "a magenta sun"],
        "red sun": ["a red sun", "a blood red sun", "a scarlet sun"],
        "yellow sun": ["a yellow sun", "a golden sun", "a bright yellow sun"],
        "white moon": ["a white moon", "a full moon", "a pale full moon"],
        "cyan moon": ["a cyan moon", "a blue moon", "a neon cyan moon"],
        "crescent moon": ["a crescent moon", "a crescent", "a thin moon"],
    },
    "stars": {"stars": ["stars", "starry sky", "many stars"], "clear": ["no stars", "clear sky", "starless sky"]},
    "foreground": {
        "sand": ["plain sand", "bare sand in front"],
        "camel": ["a camel", "a lone camel", "a camel walking by"],
        "grid": ["a neon grid", "a glowing grid", "a synthwave grid floor"],
    },
}

WORDS_ZH = {
    "species": {"cat": ["猫", "小猫"], "fox": ["狐狸"], "bear": ["熊", "小熊"], "robot": ["机器人"], "alien": ["外星人"], "person": ["人", "人物", "女孩", "男孩"]},
    "headwear": {"none": ["不戴帽子"], "crown": ["戴皇冠", "金色皇冠", "王冠"], "cap": ["戴棒球帽", "鸭舌帽"], "beanie": ["戴毛线帽", "针织帽"], "wizard hat": ["戴巫师帽", "魔法帽"], "headphones": ["戴耳机", "耳机"], "space helmet": ["宇航头盔", "戴太空头盔"]},
    "eyewear": {"none": ["不戴眼镜"], "sunglasses": ["戴墨镜", "太阳镜"], "visor": ["霓虹护目镜", "戴护目镜"], "round glasses": ["戴眼镜", "圆框眼镜"]},
    "expression": {"smile": ["微笑", "开心"], "serious": ["严肃", "平静"], "surprised": ["惊讶", "张嘴"]},
    "clothes": {"hoodie": ["连帽衫", "卫衣"], "suit": ["西装", "西服"], "t-shirt": ["T恤", "短袖"], "armor": ["盔甲", "太空服"]},
    "skin": {"light": ["浅色皮肤"], "tan": ["棕色皮肤"], "dark": ["深色皮肤"]},
    "palette": {"midnight": ["午夜", "蓝色夜晚"], "violet": ["紫罗兰色", "紫色霓虹"], "crimson": ["深红色", "血色天空"], "jade": ["翡翠色", "碧绿色"], "golden": ["金色", "白天"], "sunset": ["日落", "晚霞"]},
    "structure": {"towers": ["残塔", "废墟"], "stupa": ["佛塔"], "gate": ["城门", "大门"], "pyramids": ["金字塔"], "city": ["古城", "城池"], "dunes": ["空旷沙丘", "只有沙丘"]},
    "orb": {"pink sun": ["粉色太阳"], "red sun": ["红色太阳", "红日"], "yellow sun": ["黄色太阳"], "white moon": ["白色月亮", "满月"], "cyan moon": ["青色月亮", "蓝月亮"], "crescent moon": ["弯月", "月牙"]},
    "stars": {"stars": ["星空", "繁星"], "clear": ["没有星星"]},
    "foreground": {"sand": ["沙地"], "camel": ["骆驼"], "grid": ["霓虹网格"]},
}  # fmt: skip

FILLER = [
    "masterpiece", "best quality", "pixel art", "highly detailed", "8k", "trending on artstation", "sharp", "nft",
    "profile picture", "avatar", "cute", "cool", "beautiful", "retro game", "sprite", "16-bit", "digital art", "4k",
    "cyberpunk", "vivid colors", "portrait", "high resolution", "professional", "award winning", "concept art",
]  # fmt: skip
FILLER_SCENE = ["landscape", "cyber loulan", "desert", "cyberpunk desert", "silk road", "wallpaper", "loulan", "taklamakan desert"]
FILLER_ZH = ["像素画", "杰作", "高质量", "头像", "精美", "可爱", "数字艺术", "酷"]
FILLER_SCENE_ZH = ["赛博楼兰", "沙漠", "丝绸之路", "楼兰", "塔克拉玛干"]
_SYLLABLES = "ka mo ri ten sha lu vo pra zin el dor um bi qua st er no ly ing ed th oo gra ble".split()


def _noise_word(rng):
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 4)))


def colour_word(rng, name):
    """A word for the colour."""
    return rng.choice(COLOUR_WORDS[name])


def _article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def _avatar(a, say, rng, every=False):
    """Groups of phrases of an avatar; `say(name)` tells whether to name an attribute, `every` to name even what is absent."""
    word = lambda name: rng.choice(WORDS[name][a[name]])  # noqa: E731
    species = word("species")
    head, parts = species, []
    if say("colour"):
        colour = colour_word(rng, a["colour"])
        if a["species"] == "person":
            parts.append(rng.choice(["with {} hair", "{} hair", "{} haired"]).format(colour))
        else:
            head = f"{colour} {species}"
    if say("expression"):
        word_ = word("expression")
        if rng.random() < 0.4 and " " not in word_:
            head = f"{word_} {head}"
        else:
            parts.append(word_)
    if say("headwear"):
        phrase = word("headwear")
        if a["headwear"] == "none":
            if every or rng.random() < 0.5:
                parts.append(phrase)
        else:
            parts.append(rng.choice(["with ", "wearing ", "in ", ""]) + phrase)
    if say("eyewear"):
        phrase = word("eyewear")
        if a["eyewear"] == "none":
            if every or rng.random() < 0.4:
                parts.append(phrase)
        else:
            parts.append(rng.choice(["with ", "wearing ", ""]) + phrase)
    if say("clothes"):
        clothes = word("clothes")
        if say("clothes_colour"):
            clothes = f"{colour_word(rng, a['clothes_colour'])} {clothes}"
        parts.append(rng.choice(["in a ", "wearing a ", "with a ", ""]) + clothes)
    if a["skin"] and say("skin"):
        parts.append(rng.choice(["with ", ""]) + word("skin"))
    if say("background"):
        colour = colour_word(rng, a["background"])
        template = ["{} background", "on a {} background", "{} backdrop", "against {}", "on {}"]
        parts.append(rng.choice(template).format(colour))
    if rng.random() < 0.6:
        head = _article(head)
    return head, parts


def _scene(a, say, rng, every=False):
    word = lambda name: rng.choice(WORDS[name][a[name]])  # noqa: E731
    head, parts = word("structure") if say("structure") else "desert", []
    if say("palette"):
        template = ["{} palette", "{}", "in {}", "{} colors", "{} mood", "{} light"]
        parts.append(rng.choice(template).format(word("palette")))
    if say("orb"):
        parts.append(rng.choice(["under ", "with ", "", "below "]) + word("orb"))
    if say("stars"):
        parts.append(word("stars"))
    if say("foreground") and (a["foreground"] != "sand" or every or rng.random() < 0.4):
        parts.append(rng.choice(["with ", "and ", ""]) + word("foreground"))
    if rng.random() < 0.5:
        head += rng.choice([" in the desert", " in cyber loulan", " at loulan", " among the dunes"]) if a["structure"] != "dunes" else " of loulan"
    return head, parts


def _chinese(a, say, rng, every=False):
    word = lambda name: rng.choice(WORDS_ZH[name][a[name]])  # noqa: E731
    parts = []
    if a["kind"] == "avatar":
        species = word("species")
        if a["species"] == "person":
            head = species
            if say("colour"):
                parts.append(COLOUR_ZH[a["colour"]] + rng.choice(["头发", "的头发"]))
        else:
            head = (COLOUR_ZH[a["colour"]] + rng.choice(["", "的"]) if say("colour") else "") + species
        if say("clothes"):
            parts.append((COLOUR_ZH[a["clothes_colour"]] if say("clothes_colour") else "") + word("clothes"))
        if say("background"):
            parts.append(COLOUR_ZH[a["background"]] + "背景")
        names = ["expression", "headwear", "eyewear"] + (["skin"] if a["skin"] else [])
    else:
        head = word("structure") if say("structure") else "沙漠"
        names = ["palette", "orb", "stars", "foreground"]
    parts += [word(name) for name in names if say(name) and (a[name] not in ("none", "sand") or every or rng.random() < 0.4)]
    return head, parts


def caption(a, rng, drop=0.1, plain=False, language=None, said=None):
    """One caption of the attributes. `drop`: how likely each is left out; `plain`: every attribute named, nothing added.

    `said`: a set that receives the names of the attributes the caption tells.
    """

    def say(name):
        told = plain or rng.random() >= drop
        if told and said is not None:
            said.add(name)
        return told

    chinese = language == "zh" or (language is None and rng.random() < 0.12)
    make = _chinese if chinese else _avatar if a["kind"] == "avatar" else _scene
    head, parts = make(a, say, rng, plain)
    if rng.random() < 0.6:
        rng.shuffle(parts)
    if not plain:
        extra = []
        if rng.random() < 0.5:
            pool = (FILLER_ZH if chinese else FILLER) + (
                [] if a["kind"] == "avatar" else FILLER_SCENE_ZH if chinese else FILLER_SCENE
            )
            extra += rng.sample(pool, rng.randint(1, 3))
        if rng.random() < 0.1:
            extra += [_noise_word(rng) for _ in range(rng.randint(1, 3))]
        for e in extra:
            parts.insert(rng.randint(0, len(parts)), e)
    parts.insert(0 if rng.random() < 0.75 else rng.randint(0, len(parts)), head)
    glue = rng.choice(["，", "，", "、", " "]) if chinese else rng.choice([", ", ", ", ", ", " "])
    return glue.join(parts)


if __name__ == "__main__":
    import random

    import drawings

    r = random.Random(1)
    for _ in range(30):
        print(caption(drawings.sample(r), r))

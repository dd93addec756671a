"""Records tests/goldens/infotext: what A1111's rules, Pillow and RFC 8785 make of infotexts, pictures and recipes.

Everything here is written from the documented formats (the regular expression and the order of keys of A1111 1.10,
docs of Pillow), independently of the Rust code that is compared with it. Run it with the reference environment's Python.
"""

import hashlib
import io
import json
import platform
import random
import re
from pathlib import Path
from xml.etree import ElementTree

import PIL
from PIL import Image, PngImagePlugin

GOLDENS = Path(__file__).resolve().parents[1] / "goldens" / "infotext"
VERSION = "Tarim 0.1.0"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

PARAMETER = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


# --- A1111's reader ---------------------------------------------------------------------------------------------------


def unquoted(value):
    if value.startswith('"') and value.endswith('"'):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def read_line(line):
    # A1111 drops a parameter without a value (it looks at the value's first character).
    return [[key, unquoted(value)] for key, value in PARAMETER.findall(line) if value]


def read(text):
    *lines, last = text.strip().split("\n")
    if len(PARAMETER.findall(last)) < 3:
        lines, last = [*lines, last], ""
    prompts = {"prompt": "", "negative_prompt": ""}
    part = "prompt"
    for line in map(str.strip, lines):
        if line.startswith("Negative prompt:"):
            part, line = "negative_prompt", line.removeprefix("Negative prompt:").strip()
        prompts[part] += line if prompts[part] == "" else "\n" + line
    return {**prompts, "parameters": read_line(last)}


# --- texts that people have --------------------------------------------------------------------------------------------

SAMPLES = {
    "the example of A1111's documentation": """girl with an artist's beret, determined, blue eyes, desert scene, computer monitors, heavy makeup, by Alphonse Mucha and Charlie Bowater, ((eyeshadow)), (coquettish), detailed, intricate
Negative prompt: ugly, fat, obese, chubby, (((deformed))), [blurry], bad anatomy, disfigured, poorly drawn face, mutation, mutated, (extra_limb), (ugly), (poorly drawn hands), messy drawing
Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 965400086, Size: 512x512, Model hash: 45dee52b""",
    "schedule in the sampler's name": """a lighthouse at dusk, <lora:coast:0.8>
Negative prompt: lowres, (bad hands:1.2)
Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 3344556677, Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Denoising strength: 0.55, Clip skip: 2, Hires upscale: 2, Hires upscaler: Latent, Lora hashes: "coast: 1a2b3c4d5e6f, other: 0f0f0f0f0f0f", Version: v1.6.0""",
    "schedule of its own, quoted values, variation": """masterpiece, 1girl,
multi line prompt

with an empty line
Negative prompt: worst quality,
second line of it
Steps: 30, Sampler: DPM++ 2M SDE, Schedule type: Exponential, CFG scale: 5, Seed: 1, Size: 832x1216, Model hash: e3edb8a26f, Model: "a, b: c", Variation seed: 2, Variation seed strength: 0.1, ENSD: 31337, RNG: CPU, Emphasis: No norm, TI hashes: "EasyNegative: c74b4e810b03", Template: "a {red|green} \\"fox\\"\\nin two lines", Version: v1.10.1""",
    "inpainting": """a red hat
Steps: 20, Sampler: Euler, Schedule type: Automatic, CFG scale: 7, Seed: 5, Size: 512x512, Model: sd-v1-5-inpainting, Denoising strength: 0.75, Conditional mask weight: 1.0, Mask blur: 4, Mask mode: Inpaint not masked, Inpaint area: Only masked, Masked area padding: 32, Masked content: fill, Version: f2.0.1v1.10.1-previous-635""",
    "SD.Next": """旗袍少女，水墨风格
Negative prompt: 模糊
Steps: 20, Size: 1024x1024, Sampler: Euler a, Seed: 1709843, CFG scale: 6, CFG true: 6, Model: juggernautXL, Model hash: d91d35736d, App: SD.Next, Version: 54ee6d9, Parser: full, Operations: txt2img""",
    "Civitai": """a portrait
Negative prompt: text
Steps: 25, CFG scale: 7, Sampler: Euler a, Seed: 2037845, Size: 832x1216, Clip skip: 2, Created Date: 2024-10-05T1823:41.7Z, Model: x""",
    "stable-diffusion.cpp": """a lovely cat
Negative prompt: dog
Steps: 20, CFG scale: 7.000000, Guidance: 3.500000, Eta: 0.000000, Seed: 42, Size: 512x512, Model: sd-v1-4.ckpt, RNG: cuda, Sampler: euler_a karras, Version: stable-diffusion.cpp""",
    "no negative prompt": "x\nSteps: 1, Sampler: DDIM, CFG scale: 1, Seed: 0, Size: 64x64",
    "no prompt": "Steps: 1, Sampler: DDIM, CFG scale: 1, Seed: 0, Size: 64x64",
    "only a negative prompt": "Negative prompt: y\nSteps: 1, Sampler: DDIM, CFG scale: 1, Seed: 0",
    "no parameters": "just a prompt\nNegative prompt: and what not",
    "two parameters are prompt": "a fox\nsetting: night, mood: calm",
    "three parameters in a prompt alone": "place: desert, time: night, mood: calm",
    "negative twice": "a\nNegative prompt: b\nNegative prompt: c\nd\nSteps: 1, Seed: 2, Size: 64x64",
    "Windows line ends": "a \r\n b\r\nNegative prompt: c\r\nSteps: 1, Seed: 2, Size: 64x64\r\n",
    "broken quotes": 'a\nSteps: 1, Model: "a, b, Seed: 2, Size: 64x64, Note: "x" y, Other: "z"',
    "backslashes": r'a\nSteps: 1, Path: "C:\\models\\x", Raw: C:\models, Odd: "\x", Seed: 2',
    "keys": "a\nSteps: 1, A: 2, Ab: 3, Some-thing/else 2: 4, 键: 5, 键名: 6, _x: 7, -y: 8, ., z z: 9",
    "empty values": "a\nSteps: 1, Model: , Hash:, Seed: 2, Last:",
    "empty": "",
    "spaces": " \n\t ",
}

PIECES = [
    "a", "fox", " ", "  ", ",", ", ", ":", ": ", '"', '\\', '\\"', "\n", "\n", "Negative prompt:", "Negative prompt: ",
    "Seed: 1", "Size: 64x64, ", "Steps", "Sampler: Euler a, ", "key", "k-e/y 2", "_", "-", "/", "楼兰", "：", "\t", "1", ".",
    '"quoted, value"', '"a\\nb"', '""', "é", "🦊", "\u3000", "\u00a0", "\x1c", "(x:1.2)", "<lora:a:1>", "^",
]  # fmt: skip


def random_texts(count, longest):
    source = random.Random(20)
    return ["".join(source.choices(PIECES, k=source.randint(1, longest))) for _ in range(count)]


# --- the strict writer -------------------------------------------------------------------------------------------------

A1111_NAMES = {"no_norm": "No norm", "ignore": "Ignore", "none": "None", "comfy_ui": "ComfyUI"}
FILL_NAMES = {"fill": "fill", "latent_noise": "latent noise", "latent_nothing": "latent nothing"}


def quoted(value):
    special = "," in value or ":" in value or any(ord(c) < 32 or 127 <= ord(c) < 160 for c in value)
    special = special or value[:1] in ('"', "[", "{") or value.strip() != value
    return json.dumps(value, ensure_ascii=False) if special else value


def shown(prompt):
    def line(text):
        text = "".join(" " if (ord(c) < 32 and c != "\t") or 127 <= ord(c) < 160 else c for c in text)
        words = text.lstrip()
        return "\\" + words if words.startswith(("Negative prompt:", "Steps:")) else text

    return "\n".join(map(line, prompt.split("\n")))


def number(value):
    return str(int(value)) if float(value).is_integer() else repr(value)


def texts_of(prompt):
    return (prompt, None) if isinstance(prompt, str) else (prompt["text"], prompt["template"])


def written(recipe):
    prompt, template = texts_of(recipe["prompt"])
    negative, negative_template = texts_of(recipe.get("negative_prompt", ""))
    init = recipe.get("init") or {}
    mask = init.get("mask") or {}
    variation = recipe.get("variation") or {}
    area = mask.get("area") or "whole_picture"
    parameters = {
        "Steps": number(recipe["steps"]),
        "Sampler": recipe["sampler"],
        "Schedule type": recipe.get("schedule", "Automatic"),
        "CFG scale": number(recipe["guidance_scale"]),
        "Image CFG scale": number(init["image_guidance_scale"]) if "image_guidance_scale" in init else None,
        "Seed": recipe["seed"],
        "Size": f"{recipe['size']['width']}x{recipe['size']['height']}",
        "Model hash": recipe["model"]["hash"][:10] if "hash" in recipe["model"] else None,
        "Model": recipe["model"]["name"],
        "Variation seed": variation.get("seed"),
        "Variation seed strength": number(variation["strength"]) if variation else None,
        "Denoising strength": number(init["strength"]) if init else None,
        "Clip skip": number(recipe["clip_skip"]) if "clip_skip" in recipe else None,
        "Init image hash": init.get("picture"),
        "RNG": recipe.get("noise_source", "cpu").upper(),
        "Emphasis": A1111_NAMES[recipe["emphasis"]] if "emphasis" in recipe else None,
        "Eta DDIM" if recipe["sampler"] == "DDIM" else "Eta": number(recipe["eta"]) if "eta" in recipe else None,
        "CFG Rescale": number(recipe["guidance_rescale"]) if "guidance_rescale" in recipe else None,
        "Mask image hash": mask.get("picture"),
        "Mask blur": number(mask.get("blur", 4)) if mask else None,
        "Mask mode": "Inpaint not masked" if mask.get("invert") else None,
        "Masked content": FILL_NAMES[mask["fill"]] if "fill" in mask else None,
        "Inpaint area": None if area == "whole_picture" else "Only masked",
        "Masked area padding": None if area == "whole_picture" else number(area["only_masked"]["padding"]),
        "Template": template,
        "Negative Template": negative_template,
        "Exact prompt": None,
        "Exact negative prompt": None,
        "Version": VERSION,
    }
    text = shown(prompt) + (f"\nNegative prompt: {shown(negative)}" if negative else "")
    seen = read(text + "\nSteps: 1, Seed: 1, Size: 64x64")
    if seen["prompt"] != prompt:
        parameters["Exact prompt"] = prompt
    if seen["negative_prompt"] != negative:
        parameters["Exact negative prompt"] = negative
    parameters = [[key, value] for key, value in parameters.items() if value is not None]
    text = (text + "\n" + ", ".join(f"{key}: {quoted(value)}" for key, value in parameters)).strip()

    # What A1111 makes of it: exactly these parameters, and the prompts as they are shown.
    again = read(text)
    assert again["parameters"] == [pair for pair in parameters if pair[1]], text
    for part in ("prompt", "negative_prompt"):
        assert again[part] == seen[part], text
    return text


def canonical(recipe):
    """RFC 8785, for ASCII keys and plain numbers."""

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return json.dumps(plain(recipe), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


PROMPTS = [
    ("a fox", ""), ("", ""), ("", "blurry"), ("a fox", "blurry"), ("two\nlines", "of\neach"), ("a, ", " b"),
    ("Negative prompt: x", "Negative prompt: y"), ("a\n  Negative prompt: x\nb", ""), ("Steps: 20, Seed: 1, Size: 8x8", ""),
    ("a\nSteps: 20, Sampler: x, Seed: 1", "Steps: 1"), ("place: desert, time: night, mood: calm", ""), ("\n\na\n\n", "\n"),
    ("tab\tand\r\nreturn", "\x00\x01\x1b\x7f\x85"), ("楼兰，飞天", "模糊，低质量"), ('"quoted", [a:b:0.5], (c:1.2)', "\\"),
    ("🦊👩‍👩‍👧 e\u0301", "\u3000"), ("\u2028\u2029\u0085", "\ufeff"), ("Exact prompt: \"x\"", "Version: 1"),
    ('x"\\', "\\\\n"), ("a <lora:b:1>, BREAK\nAND c :0.5", "é ü ß"), ("Ã©", ""),
]  # fmt: skip


def recipes():
    base = {
        "tarim_recipe": 1,
        "model": {"name": "starter", "hash": hashlib.sha256(b"starter").hexdigest()},
        "prompt": "a fox",
        "size": {"width": 512, "height": 768},
        "sampler": "DPM++ 2M",
        "steps": 20,
        "guidance_scale": 7.0,
        "seed": "18446744073709551615",
        "precision": "bf16",
    }
    for prompt, negative in PROMPTS:
        yield {**base, "prompt": prompt} | ({"negative_prompt": negative} if negative else {})
    picture, mask = (hashlib.sha256(name).hexdigest() for name in (b"picture", b"mask"))
    yield {**base, "model": {"name": "a, b: \"c\""}, "guidance_scale": 6.5, "clip_skip": 2, "noise_source": "nv"}
    yield {**base, "model": {"name": "[x]"}, "sampler": "DDIM", "eta": 0.3, "emphasis": "no_norm"}
    yield {**base, "sampler": "Euler a", "eta": 0.0, "emphasis": "comfy_ui", "schedule": "Karras"}
    yield {**base, "prompt": {"text": "a red fox", "template": "a {red|blue, \"x\"}\nfox"}, "guidance_rescale": 0.7}
    yield {**base, "negative_prompt": {"text": "", "template": " t "}, "variation": {"seed": "3", "strength": 0.05}}
    yield {**base, "init": {"picture": picture, "strength": 0.75, "resize_mode": "crop"}}
    yield {**base, "init": {"picture": picture, "strength": 1.0, "image_guidance_scale": 2.25}}
    inpaint = {"picture": mask, "fill": "latent_noise", "area": {"only_masked": {"padding": 32}}, "invert": True, "blur": 0}
    yield {**base, "init": {"picture": picture, "strength": 0.0, "mask": inpaint}}
    yield {**base, "init": {"picture": picture, "strength": 0.375, "mask": {"picture": mask}}}


# --- pictures of other programs ----------------------------------------------------------------------------------------


def pictures():
    """Files as Pillow users (A1111 among them) write them: name, bytes, and what they hold."""
    image = Image.new("RGB", (8, 16), (10, 20, 30))
    text = SAMPLES["inpainting"]
    for name, infotext in (("latin1", text + " é"), ("unicode", "楼兰\n" + text)):
        info = PngImagePlugin.PngInfo()
        info.add_text("parameters", infotext)
        info.add_itxt("Comment", "合成", zip=True)
        info.add_text("Software", "x" * 1000, zip=True)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", pnginfo=info)
        yield f"{name}.png", buffer.getvalue(), infotext
    for name, format, order in (("big.jpg", "JPEG", "utf-16-be"), ("little.webp", "WEBP", "utf-16-le")):
        infotext = "楼兰 🦊\n" + text
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + infotext.encode(order)
        buffer = io.BytesIO()
        block = exif.tobytes()
        if format == "JPEG":
            # Pillow gives the comment the type BYTE; A1111, through piexif, the standard's UNDEFINED.
            block = block.replace(b"\x92\x86\x00\x01", b"\x92\x86\x00\x07")
        image.save(buffer, format, exif=block)
        yield name, buffer.getvalue(), infotext


def check_ours():
    """Pillow reads from Tarim's own file what Tarim says it wrote."""
    path = GOLDENS / "tarim.png"
    if not path.exists():
        print("tests/goldens/infotext/tarim.png is not there yet: TARIM_RECORD=1 cargo test -p tarim-library")
        return
    expected = json.loads((GOLDENS / "tarim.json").read_text("utf-8"))
    with Image.open(path) as image:
        image.load()
        assert {key: image.info[key] for key in expected["texts"]} == expected["texts"]
        assert image.size == (expected["width"], expected["height"])
        assert hashlib.sha256(image.convert("RGB").tobytes()).hexdigest() == expected["pixels"]
        packet = image.info["xmp"].decode("utf-8")
        assert packet == expected["texts"]["XML:com.adobe.xmp"]
    description = next(ElementTree.fromstring(packet.strip("\ufeff")).iter("{%s}Description" % RDF))
    assert description.findtext("{http://ns.adobe.com/xap/1.0/}CreatorTool") == VERSION
    source = description.findtext("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType")
    assert source == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def save(name, **content):
    references = {"a1111 format": "1.10.1", "python": platform.python_version(), "pillow": PIL.__version__}
    text = json.dumps({"references": references, **content}, ensure_ascii=False, indent=1)
    (GOLDENS / name).write_text(text + "\n", "utf-8")


def main():
    GOLDENS.mkdir(parents=True, exist_ok=True)
    texts = {**SAMPLES, **{f"random {index}": text for index, text in enumerate(random_texts(250, 25))}}
    save("texts.json", cases=[{"name": name, "text": text, **read(text)} for name, text in texts.items()])
    lines = [text.replace("\n", " ") for text in random_texts(400, 40)]
    lines += ["Skip layers: [7, 8, 9, ], Next: 1", 'Hashes: {"vae": "1"}, Civitai resources: [{"a":1}], Z z: 3']
    save("lines.json", cases=[{"line": line, "parameters": read_line(line)} for line in lines])
    cases = [
        {
            "recipe": recipe,
            "infotext": written(recipe),
            "canonical": canonical(recipe),
            "hash": hashlib.sha256(canonical(recipe).encode()).hexdigest(),
        }
        for recipe in recipes()
    ]
    save("recipes.json", version=VERSION, cases=cases)
    held = {}
    for name, content, infotext in pictures():
        (GOLDENS / name).write_bytes(content)
        held[name] = infotext
    save("pictures.json", infotexts=held)
    check_ours()


if __name__ == "__main__":
    main()

"""Models with random weights for comparison: drawing weights, tokenizer files, saving and opening whole models."""

import json
from pathlib import Path

import diffusers
import safetensors.torch
import torch
import transformers

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "tests" / "goldens"
MODELS = GOLDENS / "models"
START, END = "<|startoftext|>", "<|endoftext|>"

STABLE_DIFFUSION_SCHEDULER = {
    "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "set_alpha_to_one": False, "steps_offset": 1,
}  # fmt: skip


def versions():
    """The reference's versions, as metadata of recorded files."""
    return {"torch": torch.__version__, "diffusers": diffusers.__version__, "transformers": transformers.__version__}


@torch.no_grad()
def draw(model, seed, dtype=torch.float32, gain=1.0):
    """Gives every parameter, norms included, values that change the result: drawn in float32, rounded to float16 (so
    that a model loses nothing when it is saved in half precision) and then kept as `dtype`."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() > 1 and "embedding" not in name:
            value = gain * noise / parameter[0].numel() ** 0.5
        elif parameter.dim() > 1:
            value = noise
        else:
            value = 0.2 * noise + (1.0 if "norm" in name and name.endswith("weight") else 0.0)
        parameter.data = value.half().to(dtype)
    return model.eval()


def clip_vocabulary(merges=None):
    """CLIP's tokens in order of their ids, with only the first `merges` of its merges; and those merges' lines."""
    lines = (ROOT / "assets" / "clip" / "merges.txt").read_text(encoding="utf-8").splitlines()[1:]
    lines = [line for line in lines if line][:merges]
    # GPT-2's byte characters: printable bytes stand for themselves, the others follow from U+0100 on.
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    characters = [chr(b) for b in printable] + [chr(256 + n) for n in range(len(others))]
    tokens = characters + [c + "</w>" for c in characters] + [line.replace(" ", "") for line in lines] + [START, END]
    return tokens, lines


def save_tokenizer(folder, merges=None, pad=END):
    """Writes a `tokenizer` folder as diffusers models have it; returns the size of its vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens, lines = clip_vocabulary(merges)
    vocabulary = json.dumps({token: i for i, token in enumerate(tokens)}, ensure_ascii=False, separators=(",", ":"))
    (folder / "vocab.json").write_text(vocabulary + "\n", encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]) + "\n", encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "pad_token": pad, "unk_token": END}
    write_json(folder / "special_tokens_map.json", special)
    config = {**special, "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    write_json(folder / "tokenizer_config.json", config)
    return len(tokens)


def save_model(folder, unet, vae, text_encoder, scheduler, pipeline="StableDiffusionPipeline"):
    """Writes a whole diffusers folder but for its tokenizer, which is there already, in the models' own types."""
    for name, part in [("unet", unet), ("vae", vae), ("text_encoder", text_encoder), ("scheduler", scheduler)]:
        part.save_pretrained(folder / name)
    for config in folder.glob("*/*config.json"):
        tidy(config)
    scheduler_class = type(scheduler).__name__
    write_json(folder / "model_index.json", {
        "_class_name": pipeline, "_diffusers_version": diffusers.__version__, "feature_extractor": [None, None],
        "requires_safety_checker": False, "safety_checker": [None, None], "scheduler": ["diffusers", scheduler_class],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
    })  # fmt: skip


def open_pipeline(name, cls=None):
    """The recorded model `name` (or a folder) as a float32 pipeline of this class, diffusers' own choice without one."""
    folder = name if isinstance(name, Path) else MODELS / name
    cls = cls or diffusers.DiffusionPipeline
    pipeline = cls.from_pretrained(str(folder), torch_dtype=torch.float32, safety_checker=None, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def save_tensors(path, tensors, **metadata):
    """Recorded tensors with the versions that they come from, the same bytes each time: safetensors itself writes
    metadata in the order of a hash map."""
    path.parent.mkdir(parents=True, exist_ok=True)
    contiguous = {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    metadata = dict(sorted((metadata | versions()).items()))
    data = safetensors.torch.save(contiguous, metadata)
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end]) | {"__metadata__": metadata}
    ordered = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode().ljust(end - 8)
    assert len(ordered) == end - 8
    path.write_bytes(data[:8] + ordered + data[end:])


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def tidy(path):
    """Removes from a saved configuration what depends on where it was saved."""
    value = json.loads(path.read_text(encoding="utf-8"))
    value.pop("_name_or_path", None)
    write_json(path, value)

"""Records whole pictures: the latents and pixels that diffusers makes of recipes with the models of models.py.

Writes under tests/goldens/pictures/: `cases.json` (each case's model, changes to its scheduler configuration, and
recipe) and `expected.safetensors` (`<case>.latents`, `<case>.picture`, and the initial picture and mask).

Prompts in the prompt language are encoded by `a1111_context`, an independent computation from the segments written
beside them. All else goes through diffusers' pipelines, in float32 on the CPU, with one generator a picture.

Run by `cargo xtask parity`, or: python tests/parity/pictures.py [OUTPUT FOLDER]
"""

import hashlib
import sys
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import (
    DDIMScheduler, DDPMScheduler, DEISMultistepScheduler, DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler, EulerDiscreteScheduler, HeunDiscreteScheduler, KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler, LCMScheduler, LMSDiscreteScheduler, PNDMScheduler, StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline, StableDiffusionInstructPix2PixPipeline, StableDiffusionPipeline, TCDScheduler,
    UniPCMultistepScheduler,
)  # fmt: skip
from diffusers.pipelines.stable_diffusion import pipeline_stable_diffusion_img2img as img2img_module
from diffusers.pipelines.stable_diffusion import pipeline_stable_diffusion_inpaint as inpaint_module

import common

OUT = Path(sys.argv[1]) if len(sys.argv) > 1 else common.GOLDENS / "pictures"

PROMPT, NEGATIVE = "a red fox, 飞天", "blurry"


def pipeline(cls, model, overrides, scheduler, options):
    pipe = common.open_pipeline(model, cls)
    pipe.scheduler = scheduler.from_config({**pipe.scheduler.config, **overrides}, **options)
    return pipe


def init_picture(height=64, width=64):
    """Waves of colour, as bytes."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    waves = [torch.sin(x / 7.0), torch.cos(y / 9.0), torch.sin((x + y) / 11.0)]
    return ((torch.stack(waves, -1) * 0.4 + 0.5) * 255).round().to(torch.uint8)


def mask_picture():
    """White on whole latents, so that no way of shrinking it matters."""
    mask = torch.zeros(64, 64, dtype=torch.uint8)
    mask[16:48, 8:40] = 255
    return mask


def as_image(pixels):
    return pixels.permute(2, 0, 1)[None].float() / 127.5 - 1


def mode(encoded, generator=None, sample_mode="sample"):
    """Tarim takes the most likely latents of an initial picture; diffusers draws some, before the noise."""
    return encoded.latent_dist.mode()


img2img_module.retrieve_latents = mode
inpaint_module.retrieve_latents = mode

CASES, TENSORS = [], {}


def picture_of(pipe, latents):
    decoded = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample[0]
    return ((decoded / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)


def record(name, pipe, latents, recipe, model="sd1", overrides=None, paste=False):
    picture = picture_of(pipe, latents)
    shown = ((picture > 0) & (picture < 255)).float().mean().item()
    assert torch.isfinite(latents).all() and shown > 0.7, f"{name}: {shown:.0%} of the pixels tell anything"
    if paste:
        drawn = mask_picture()[..., None] >= 128
        picture = torch.where(drawn, picture, init_picture())
    base = {
        "tarim_recipe": 1, "model": {"name": model}, "size": {"width": picture.shape[1], "height": picture.shape[0]},
        "precision": "fp32", "prompt": PROMPT, "negative_prompt": NEGATIVE, "guidance_scale": 5.0, "seed": "7",
    }  # fmt: skip
    recipe = {key: value for key, value in {**base, **recipe}.items() if value is not None}
    CASES.append({"name": name, "model": model, "scheduler": overrides or {}, "recipe": recipe})
    TENSORS[f"{name}.latents"], TENSORS[f"{name}.picture"] = latents[0], picture
    print(f"{name}: latents {latents.std():.2f}, {shown:.0%} of the picture within range")


def generator(seed=7):
    return torch.Generator("cpu").manual_seed(seed)


def txt2img(name, sampler, schedule, scheduler, options=None, steps=6, recipe=None, call=None, overrides=None,
            model="sd1"):
    overrides = overrides or {}
    spacing = {"timestep_spacing": schedule.lower()} if schedule in ("Leading", "Trailing", "Linspace") else {}
    pipe = pipeline(StableDiffusionPipeline, model, overrides, scheduler, {**spacing, **(options or {})})
    call = {"prompt": PROMPT, "negative_prompt": NEGATIVE, "guidance_scale": 5.0, "height": 64, "width": 64,
            **(call or {})}  # fmt: skip
    latents = pipe(**call, num_inference_steps=steps, generator=generator(), output_type="latent").images
    recipe = {"sampler": sampler, "schedule": schedule, "steps": steps, **(recipe or {})}
    record(name, pipe, latents, recipe, model, overrides)


def every_sampler():
    txt2img("euler", "Euler", "Leading", EulerDiscreteScheduler)
    txt2img("euler-trailing", "Euler", "Trailing", EulerDiscreteScheduler)
    txt2img("euler-linspace", "Euler", "Linspace", EulerDiscreteScheduler)
    txt2img("euler-ancestral", "EulerAncestral", "Linspace", EulerAncestralDiscreteScheduler)
    txt2img("heun", "Heun", "Linspace", HeunDiscreteScheduler)
    txt2img("dpm2", "Dpm2", "Linspace", KDPM2DiscreteScheduler)
    txt2img("dpm2-ancestral", "Dpm2Ancestral", "Linspace", KDPM2AncestralDiscreteScheduler)
    txt2img("dpmpp-2m", "DpmPp2M", "Leading", DPMSolverMultistepScheduler)
    sde = {"algorithm_type": "sde-dpmsolver++"}
    txt2img("dpmpp-2m-sde", "DpmPp2MSde", "Leading", DPMSolverMultistepScheduler, sde)
    heun = {**sde, "solver_type": "heun"}
    txt2img("dpmpp-2m-sde-heun", "DpmPp2MSdeHeun", "Leading", DPMSolverMultistepScheduler, heun)
    txt2img("dpmpp-3m-sde", "DpmPp3MSde", "Leading", DPMSolverMultistepScheduler, {**sde, "solver_order": 3})
    txt2img("lms", "Lms", "Linspace", LMSDiscreteScheduler)
    txt2img("ddim", "Ddim", "Leading", DDIMScheduler, {"clip_sample": False})
    txt2img("ddim-eta", "Ddim", "Leading", DDIMScheduler, {"clip_sample": False}, recipe={"eta": 0.7}, call={"eta": 0.7})
    txt2img("ddpm", "Ddpm", "Leading", DDPMScheduler, {"clip_sample": False})
    txt2img("pndm", "Pndm", "Leading", PNDMScheduler)
    txt2img("unipc", "UniPc", "Leading", UniPCMultistepScheduler)
    txt2img("deis", "Deis", "Leading", DEISMultistepScheduler)
    txt2img("lcm", "Lcm", "Leading", LCMScheduler, steps=4)
    txt2img("tcd", "Tcd", "Leading", TCDScheduler, steps=4, recipe={"eta": 0.3}, call={"eta": 0.3})


def variants():
    ddim = {"clip_sample": False}
    v = {"prediction_type": "v_prediction"}
    txt2img("v-prediction", "Euler", "Leading", EulerDiscreteScheduler, overrides=v)
    txt2img("v-prediction-ddim", "Ddim", "Leading", DDIMScheduler, ddim, overrides=v)
    sample = {"prediction_type": "sample"}
    txt2img("sample-prediction", "Ddim", "Leading", DDIMScheduler, ddim, overrides=sample)
    zero = {**v, "rescale_betas_zero_snr": True}
    txt2img("zero-snr", "Euler", "Trailing", EulerDiscreteScheduler, overrides=zero)
    txt2img("guidance-rescale", "Euler", "Trailing", EulerDiscreteScheduler, overrides=zero,
            recipe={"guidance_rescale": 0.7}, call={"guidance_rescale": 0.7})  # fmt: skip
    # diffusers skips layers for the prompt only; A1111, and Tarim, for both.
    pipe = common.open_pipeline("sd1", StableDiffusionPipeline)
    skipped = {"prompt": None, "negative_prompt": None, "prompt_embeds": one_layer_less(pipe, PROMPT),
               "negative_prompt_embeds": one_layer_less(pipe, NEGATIVE)}  # fmt: skip
    txt2img("clip-skip", "Euler", "Leading", EulerDiscreteScheduler, recipe={"clip_skip": 2}, call=skipped)
    txt2img("no-guidance", "Euler", "Leading", EulerDiscreteScheduler, recipe={"guidance_scale": 1.0},
            call={"guidance_scale": 1.0})  # fmt: skip
    for model in ["sd2-v", "text-time", "three-levels"]:
        txt2img(model, "Euler", "Trailing", EulerDiscreteScheduler, model=model)
        txt2img(f"{model}-ddim", "Ddim", "Leading", DDIMScheduler, ddim, model=model)
    txt2img("text-time-ddim-trailing", "Ddim", "Trailing", DDIMScheduler, ddim, model="text-time")
    size = {"size": {"width": 96, "height": 72}}
    txt2img("odd-size", "Euler", "Leading", EulerDiscreteScheduler, recipe=size, call={"width": 96, "height": 72})


def one_layer_less(pipe, text):
    ids = pipe.tokenizer(text, padding="max_length", max_length=77, return_tensors="pt").input_ids
    encoder = getattr(pipe.text_encoder, "text_model", pipe.text_encoder)
    return encoder.final_layer_norm(pipe.text_encoder(ids, output_hidden_states=True).hidden_states[-2])


def hash_of(pixels):
    return hashlib.sha256(bytes(pixels.flatten().tolist())).hexdigest()


def from_pictures():
    init, mask = init_picture(), mask_picture()
    ddim = {"clip_sample": False, "timestep_spacing": "leading"}
    call = {"prompt": PROMPT, "negative_prompt": NEGATIVE, "guidance_scale": 5.0, "output_type": "latent"}
    picture = {"picture": hash_of(init)}
    masked = {"picture": hash_of(mask), "blur": 0}
    euler = {"timestep_spacing": "leading"}

    def img2img(name, sampler, scheduler, options, strength):
        pipe = pipeline(StableDiffusionImg2ImgPipeline, "sd1", {}, scheduler, options)
        latents = pipe(**call, image=as_image(init), strength=strength, num_inference_steps=8, generator=generator())
        record(name, pipe, latents.images, {"sampler": sampler, "schedule": "Leading", "steps": 8,
                                            "init": {**picture, "strength": strength}})  # fmt: skip

    img2img("img2img", "Euler", EulerDiscreteScheduler, euler, 0.6)
    img2img("img2img-ancestral", "EulerAncestral", EulerAncestralDiscreteScheduler, euler, 0.75)
    img2img("img2img-ddim", "Ddim", DDIMScheduler, ddim, 0.5)
    img2img("img2img-pndm", "Pndm", PNDMScheduler, {"timestep_spacing": "leading"}, 0.5)
    img2img("img2img-dpmpp-2m", "DpmPp2M", DPMSolverMultistepScheduler, euler, 0.8)
    img2img("img2img-full", "Euler", EulerDiscreteScheduler, euler, 1.0)

    def inpaint(name, model, sampler, scheduler, options, strength):
        pipe = pipeline(StableDiffusionInpaintPipeline, model, {}, scheduler, options)
        latents = pipe(**call, image=as_image(init), mask_image=mask[None, None].float() / 255, strength=strength,
                       height=64, width=64, num_inference_steps=8, generator=generator())  # fmt: skip
        recipe = {"sampler": sampler, "schedule": "Leading", "steps": 8,
                  "init": {**picture, "strength": strength, "mask": masked}}  # fmt: skip
        record(name, pipe, latents.images, recipe, model, paste=True)

    inpaint("inpaint-plain", "sd1", "Euler", EulerDiscreteScheduler, euler, 0.75)
    inpaint("inpaint-plain-ancestral", "sd1", "EulerAncestral", EulerAncestralDiscreteScheduler, euler, 0.75)
    inpaint("inpaint-plain-ddim-full", "sd1", "Ddim", DDIMScheduler, ddim, 1.0)
    inpaint("inpaint-plain-dpmpp-2m", "sd1", "DpmPp2M", DPMSolverMultistepScheduler, euler, 0.5)
    inpaint("inpainting-model", "inpainting", "Euler", EulerDiscreteScheduler, euler, 0.75)
    inpaint("inpainting-model-full", "inpainting", "Ddim", DDIMScheduler, ddim, 1.0)

    def pix2pix(name, sampler, scheduler, options, image_guidance):
        pipe = pipeline(StableDiffusionInstructPix2PixPipeline, "pix2pix", {}, scheduler, options)
        latents = pipe(**call, image=as_image(init), image_guidance_scale=image_guidance, num_inference_steps=6,
                       generator=generator()).images  # fmt: skip
        recipe = {"sampler": sampler, "schedule": "Leading", "steps": 6,
                  "init": {**picture, "strength": 1.0, "image_guidance_scale": image_guidance}}  # fmt: skip
        record(name, pipe, latents, recipe, "pix2pix")

    pix2pix("pix2pix", "Euler", EulerDiscreteScheduler, euler, 1.5)
    pix2pix("pix2pix-ancestral", "EulerAncestral", EulerAncestralDiscreteScheduler, euler, 1.2)


def a1111_chunks(tokenizer, segments):
    """Chunks of 77 ids with weights from (text, weight) segments; None closes a chunk. No comma within 20 tokens of
    a chunk's end in what is recorded here, so nothing is moved over."""
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    runs = [[]]
    for segment in segments:
        if segment is None:
            runs.append([])
            continue
        text, weight = segment
        for token in tokenizer(text, add_special_tokens=False).input_ids:
            if len(runs[-1]) == 75:
                runs.append([])
            runs[-1].append((token, weight))
    chunks = []
    for run in runs:
        filled = run + [(end, 1.0)] * (75 - len(run))
        chunks.append(([start, *[token for token, _ in filled], end], [1.0, *[weight for _, weight in filled], 1.0]))
    return chunks


def a1111_context(pipe, texts, rule="original"):
    """The contexts of one prompt's texts (several where it has a schedule), which A1111 encodes in one batch."""
    empty = a1111_chunks(pipe.tokenizer, [])[0]
    all_chunks = [a1111_chunks(pipe.tokenizer, segments) for segments in texts]
    length = max(len(chunks) for chunks in all_chunks)
    parts = []
    for place in range(length):
        row = [chunks[place] if place < len(chunks) else empty for chunks in all_chunks]
        z = pipe.text_encoder(torch.tensor([ids for ids, _ in row])).last_hidden_state
        weights = torch.tensor([weights for _, weights in row])[..., None]
        if rule == "original":
            before = z.mean()
            z = z * weights
            z = z * (before / z.mean())
        elif rule == "no_norm":
            z = z * weights
        elif rule == "comfy_ui":
            origin = pipe.text_encoder(torch.tensor([empty[0]])).last_hidden_state
            z = (z - origin) * weights + origin
        parts.append(z)
    return list(torch.cat(parts, dim=1).split(1))


def by_hand(name, prompt, positive, negative=None, rule="original", recipe=None, steps=6, model="sd1"):
    """Euler with A1111's combination. `positive` holds (weight, texts, text of each step) for each part."""
    pipe = pipeline(StableDiffusionPipeline, model, {}, EulerDiscreteScheduler, {"timestep_spacing": "leading"})
    scheduler = pipe.scheduler
    scheduler.set_timesteps(steps)
    side = 64 // pipe.vae_scale_factor
    latents = torch.randn(1, 4, side, side, generator=generator()) * scheduler.init_noise_sigma
    parts = [(weight, a1111_context(pipe, texts, rule), at) for weight, texts, at in positive]
    uncond = a1111_context(pipe, [negative or [(NEGATIVE, 1.0)]], rule)[0]
    for step, t in enumerate(scheduler.timesteps):
        model_input = scheduler.scale_model_input(latents, t)
        contexts = [contexts[at[step]] for _, contexts, at in parts]
        longest = max(context.shape[1] for context in contexts)
        contexts = [torch.cat([c, c[:, -1:].repeat(1, longest - c.shape[1], 1)], dim=1) for c in contexts]
        base = pipe.unet(model_input, t, uncond).sample
        out = base.clone()
        for (weight, _, _), context in zip(parts, contexts):
            out += 5.0 * weight * (pipe.unet(model_input, t, context).sample - base)
        latents = scheduler.step(out, t, latents).prev_sample
    record(name, pipe, latents, {"sampler": "Euler", "schedule": "Leading", "steps": steps, "prompt": prompt,
                                 **(recipe or {})}, model)  # fmt: skip


def prompts():
    still = [0] * 6
    weighted = [("a ", 1.0), ("red", 1.3), (" fox ", 1.0), ("in dunes", 1 / 1.1)]
    text = "a (red:1.3) fox [in dunes]"
    by_hand("weights", text, [(1.0, [weighted], still)])
    by_hand("weights-no-norm", text, [(1.0, [weighted], still)], rule="no_norm", recipe={"emphasis": "no_norm"})
    by_hand("weights-ignored", text, [(1.0, [weighted], still)], rule="ignore", recipe={"emphasis": "ignore"})
    comfy = [("a ", 1.0), ("red", 1.3), (" fox (in dunes)", 1.0)]
    by_hand("weights-comfy", r"a (red:1.3) fox \(in dunes\)", [(1.0, [comfy], still)], rule="comfy_ui",
            recipe={"emphasis": "comfy_ui"})  # fmt: skip
    # Two chunks, the negative prompt in one; and more than 75 tokens without a comma.
    by_hand("break", "a fox BREAK (dunes:1.2)", [(1.0, [[("a fox", 1.0), None, ("dunes", 1.2)]], still)])
    long = "red fox " * 30
    by_hand("long", f"{long}(dunes:1.4)", [(1.0, [[(long, 1.0), ("dunes", 1.4)]], still)],
            negative=[("blurry ", 1.0), ("dark", 1.1)], recipe={"negative_prompt": "blurry (dark)"})  # fmt: skip
    # A model that pools the prompt sees how long it is.
    by_hand("long-pooled", f"{long}(dunes:1.4)", [(1.0, [[(long, 1.0), ("dunes", 1.4)]], still)], model="text-time")
    by_hand("and", "a fox :0.7 AND red dunes :0.4",
            [(0.7, [[("a fox", 1.0)]], still), (0.4, [[(" red dunes", 1.0)]], still)])  # fmt: skip
    by_hand("and-lengths", "a fox AND red BREAK dunes :0.5",
            [(1.0, [[("a fox", 1.0)]], still), (0.5, [[(" red", 1.0), None, ("dunes", 1.0)]], still)])  # fmt: skip
    by_hand("schedule", "a [fox:(owl:1.5) BREAK dunes:0.5]",
            [(1.0, [[("a fox", 1.0)], [("a ", 1.0), ("owl", 1.5), None, ("dunes", 1.0)]], [0, 0, 0, 1, 1, 1])],
            recipe={"prompt": "a [fox:(owl:1.5) BREAK dunes:0.5]"})  # fmt: skip
    # Alternation: A1111 has one text for each step.
    texts = [[("a fox", 1.0)], [("a ", 1.0), ("owl", 1.5)]] * 3
    by_hand("alternation", "a [fox|(owl:1.5)]", [(1.0, texts, list(range(6)))])


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    every_sampler()
    variants()
    from_pictures()
    prompts()
    TENSORS["init"], TENSORS["mask"] = init_picture(), mask_picture()
    common.write_json(OUT / "cases.json", {"versions": common.versions(), "cases": CASES})
    common.save_tensors(OUT / "expected.safetensors", TENSORS)
    size = sum(file.stat().st_size for file in OUT.rglob("*") if file.is_file())
    print(f"{len(CASES)} cases, {size / 1e6:.2f} MB, with diffusers {diffusers.__version__}")


if __name__ == "__main__":
    main()

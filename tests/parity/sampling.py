"""Records what diffusers' schedulers, k-diffusion's samplers and torch's generators do, for crates/sampling.

A toy network stands in for the UNet: any function of its input and its timestep shows whether levels, timesteps and
coefficients agree. Recorded are the network's timesteps and inputs (the whole trajectory, in a form that does not
depend on a library's own scaling of latents) and the final latents. Noise is a fixed function of the number of the
draw. Everything runs in float64 but where a library insists on float32.
"""

import inspect
import json
import math

import diffusers
import k_diffusion
import numpy as np
import torch
from common import GOLDENS
from scipy import stats

FOLDER = GOLDENS / "sampling"
SIZE = 4
BETAS = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def noise(draw):
    """Stands for a draw of noise; the test has the same."""
    return torch.tensor([1.7 * math.sin(1.3 * draw + 2.1 * i + 0.5) for i in range(SIZE)], dtype=torch.float64)


class Network:
    """The toy network, which takes down what it is asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, x, timestep):
        t = float(timestep)
        self.asked.append([t, *x.tolist()])
        phase = torch.tensor([math.cos(0.003 * t + i) for i in range(SIZE)], dtype=torch.float64)
        return torch.tanh(0.8 * x + 0.3 * torch.roll(x, 1) + 0.2 * phase)


class Noises:
    """Draws in order."""

    def __init__(self):
        self.count = 0

    def __call__(self, *args, **kwargs):
        self.count += 1
        return noise(self.count - 1)


def scheduler_of(name, config):
    """The scheduler with float64 `alphas_cumprod`."""
    scheduler = getattr(diffusers, name).from_config({**BETAS, **config})
    count, start, end = (config.get(k, BETAS[k]) for k in ("num_train_timesteps", "beta_start", "beta_end"))
    kind = config.get("beta_schedule", BETAS["beta_schedule"])
    if kind == "scaled_linear":
        betas = np.linspace(start**0.5, end**0.5, count) ** 2
    elif kind == "linear":
        betas = np.linspace(start, end, count)
    else:
        bar = [math.cos((t / count + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(count + 1)]
        betas = np.array([min(1 - bar[t + 1] / bar[t], 0.999) for t in range(count)])
    assert np.allclose(betas, diffusers_betas(kind, config), rtol=2e-4), kind
    if config.get("rescale_betas_zero_snr"):
        root = np.sqrt(np.cumprod(1 - betas))
        bar = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
        bar[-1] = 2.0**-24
    else:
        bar = np.cumprod(1 - betas)
    assert np.allclose(bar[:-1], scheduler.alphas_cumprod.numpy()[:-1], rtol=1e-3, atol=1e-6)
    scheduler.alphas_cumprod = torch.tensor(bar, dtype=torch.float64)
    if hasattr(scheduler, "final_alpha_cumprod"):
        one = config.get("set_alpha_to_one", True)
        scheduler.final_alpha_cumprod = torch.tensor(1.0).double() if one else scheduler.alphas_cumprod[0]
    return scheduler


def diffusers_betas(kind, config):
    return diffusers.DDPMScheduler.from_config({**BETAS, **config, "rescale_betas_zero_snr": False}).betas.numpy()


def diffusers_case(sampler, schedule, name, steps, config=None, strength=None, **step_options):
    config = {"timestep_spacing": schedule.lower(), **(config or {})}
    case = {"sampler": sampler, "schedule": schedule, "steps": steps, "convention": "diffusers", **step_options}
    for key, value in (("Karras", "karras"), ("Exponential", "exponential"), ("Beta", "beta")):
        if config.get(f"use_{value}_sigmas"):
            case |= {"schedule": key, "spacing": schedule}
    for key in ("steps_offset", "prediction_type", "rescale_betas_zero_snr", "beta_schedule", "set_alpha_to_one", "solver_type"):
        if key in config:
            case[key] = config[key]
    scheduler = scheduler_of(name, config)
    module = __import__(type(scheduler).__module__, fromlist=["randn_tensor"])
    noises, network = Noises(), Network()
    module.randn_tensor = lambda *args, **kwargs: noises()[None]
    scheduler.set_timesteps(steps)
    if name == "DPMSolverSDEScheduler":
        scheduler.noise_sampler = lambda *args: noises()[None]
    timesteps = scheduler.timesteps
    if strength is None:
        x = noise(100)[None] * float(scheduler.init_noise_sigma)
    else:
        case["strength"] = strength
        start = max(steps - min(int(steps * strength), steps), 0)
        timesteps = timesteps[start * scheduler.order :]
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(start * scheduler.order)
        x = scheduler.add_noise(noise(200)[None], noise(100)[None], timesteps[:1]).double()
    for t in timesteps:
        out = network(scheduler.scale_model_input(x, t).double()[0], t)[None]
        x = scheduler.step(out, t, x, **step_options).prev_sample.double()
    finish(case, network, x[0])
    case["reference"] = name
    return case


def finish(case, network, x):
    case["asked"] = [[float(f"{v:.9g}") for v in row] for row in network.asked]
    case["final"] = [float(f"{v:.9g}") for v in x.tolist()]
    assert all(map(math.isfinite, case["final"])), case


class Levels:
    """k-diffusion's discrete schedule over Stable Diffusion's betas, in float64."""

    def __init__(self):
        betas = np.linspace(BETAS["beta_start"] ** 0.5, BETAS["beta_end"] ** 0.5, 1000) ** 2
        bar = torch.tensor(np.cumprod(1 - betas), dtype=torch.float64)
        self.discrete = k_diffusion.external.DiscreteSchedule(((1 - bar) / bar) ** 0.5, quantize=False)

    def sigmas(self, schedule, n):
        discrete, sampling = self.discrete, k_diffusion.sampling
        low, high = float(discrete.sigmas[0]), float(discrete.sigmas[-1])
        if schedule == "Uniform" or schedule == "Normal":
            found = discrete.t_to_sigma(torch.linspace(999, 0, n, dtype=torch.float64))
        elif schedule == "SGM Uniform":
            found = discrete.t_to_sigma(torch.linspace(999, 0, n + 1, dtype=torch.float64)[:-1])
        elif schedule == "Karras":
            ramp = torch.linspace(0, 1, n, dtype=torch.float64)
            found = (high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7
            assert np.allclose(found, sampling.get_sigmas_karras(n, low, high)[:-1], rtol=1e-4)
        elif schedule == "Exponential":
            found = torch.linspace(math.log(high), math.log(low), n, dtype=torch.float64).exp()
            assert np.allclose(found, sampling.get_sigmas_exponential(n, low, high)[:-1], rtol=1e-4)
        elif schedule == "Polyexponential":
            found = (torch.linspace(1, 0, n, dtype=torch.float64) * math.log(high / low) + math.log(low)).exp()
            assert np.allclose(found, sampling.get_sigmas_polyexponential(n, low, high)[:-1], rtol=1e-4)
        elif schedule == "KL Optimal":
            share = np.arange(n + 1) / n
            return torch.tensor(np.tan(share * math.atan(low) + (1 - share) * math.atan(high)))
        elif schedule == "Align Your Steps":
            table = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029]
            found = np.exp(np.interp(np.linspace(0, 1, n), np.linspace(0, 1, 11), np.log(table)))
        elif schedule == "Simple":
            found = [float(discrete.sigmas[-(1 + int(i * (1000 / n)))]) for i in range(n)]
        elif schedule == "DDIM":
            found = [float(discrete.sigmas[i]) for i in reversed(range(1, 1000, max(1000 // n, 1)))]
        elif schedule == "Beta":
            found = low + stats.beta.ppf(1 - np.linspace(0, 1, n), 0.6, 0.6) * (high - low)
        return torch.cat([torch.as_tensor(np.asarray(found)).double(), torch.zeros(1).double()])


def k_diffusion_case(levels, sampler, schedule, function, steps, discard=False, **options):
    case = {"sampler": sampler, "schedule": schedule, "steps": steps, "convention": "a1111", **options}
    sigmas = levels.sigmas(schedule, steps + discard)
    if discard:
        sigmas = torch.cat([sigmas[:-2], sigmas[-1:]])
    network, noises = Network(), Noises()

    def model(x, sigma, **kwargs):
        sigma = sigma.double()
        scaled = (x / (sigma**2 + 1) ** 0.5)[0]
        t = levels.discrete.sigma_to_t(sigma)
        return x - sigma * network(scaled, t)[None]

    options = dict(options)
    if "noise_sampler" in inspect.signature(function).parameters:
        options["noise_sampler"] = lambda *args: noises()[None]
    plain, torch.randn_like = torch.randn_like, lambda x: noises()[None]
    try:
        x = function(model, noise(100)[None] * sigmas[0], sigmas, disable=True, **options)[0]
    finally:
        torch.randn_like = plain
    finish(case, network, x)
    case["reference"] = function.__name__
    return case


def restart(model, x, sigmas, disable=None):
    """Xu et al.'s sampler as A1111 sets it up, written from its description: Heun steps over Karras levels; after
    the level nearest 0.1, go back to the one nearest 2 and down again."""

    def karras(n, low, high):
        ramp = torch.linspace(0, 1, n, dtype=torch.float64)
        return (high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7

    n = len(sigmas) - 1
    again, times = (n // 4, 2) if n >= 36 else (9, 1) if n >= 20 else (0, 0)
    path = [sigmas]
    if times:
        base = torch.cat([karras(n - again * times, sigmas[-2], sigmas[0]), torch.zeros(1).double()])
        bottom, top = int((base - 0.1).abs().argmin()), int((base - 2).abs().argmin())
        path = [base[: bottom + 1], *[karras(again + 1, base[bottom], base[top])] * times, base[bottom:]]
    one = x.new_ones(1)
    for number, part in enumerate(path):
        before = path[number - 1][-1] if number else part[0]
        if part[0] > before:
            x = x + torch.randn_like(x) * (part[0] ** 2 - before**2) ** 0.5
        for a, b in zip(part[:-1], part[1:]):
            slope = (x - model(x, a * one)) / a
            ahead = x + slope * (b - a)
            if b > 0:
                slope = (slope + (ahead - model(ahead, b * one)) / b) / 2
            x = x + slope * (b - a)
    return x


def diffusers_cases():
    sd = {"steps_offset": 1}
    vp = {**sd, "set_alpha_to_one": False, "clip_sample": False}
    sde = {**sd, "algorithm_type": "sde-dpmsolver++"}
    spacings = ("Leading", "Trailing", "Linspace")
    fractional = (
        ("Euler", "EulerDiscreteScheduler"), ("Heun", "HeunDiscreteScheduler"),
        ("DPM2", "KDPM2DiscreteScheduler"), ("DPM2 a", "KDPM2AncestralDiscreteScheduler"),
        ("LMS", "LMSDiscreteScheduler"),
    )  # fmt: skip
    multistep = (
        ("DPM++ 2M", "DPMSolverMultistepScheduler"), ("UniPC", "UniPCMultistepScheduler"),
        ("DEIS", "DEISMultistepScheduler"),
    )  # fmt: skip
    for sampler, name in (*fractional, ("Euler a", "EulerAncestralDiscreteScheduler"), *multistep):
        for spacing in spacings:
            yield diffusers_case(sampler, spacing, name, 12 if spacing == "Leading" else 17, sd)
        # LMS weighs slopes there as if it had those of the steps that img2img leaves out.
        if sampler != "LMS":
            yield diffusers_case(sampler, "Leading", name, 10, sd, strength=0.6)
        yield diffusers_case(sampler, "Leading", name, 8, {**sd, "prediction_type": "v_prediction"})
    for sampler, name in (*fractional, *multistep):
        for curve in ("karras", "exponential", "beta"):
            config = {**sd, f"use_{curve}_sigmas": True}
            yield diffusers_case(sampler, "Leading" if curve == "beta" else "Linspace", name, 10, config)
    for spacing in spacings:
        yield diffusers_case("DPM++ 2M SDE", spacing, "DPMSolverMultistepScheduler", 16, sde)
        heun = {**sde, "solver_type": "heun"}
        yield diffusers_case("DPM++ 2M SDE Heun", spacing, "DPMSolverMultistepScheduler", 16, heun)
        yield diffusers_case("DPM++ 3M SDE", spacing, "DPMSolverMultistepScheduler", 10, {**sde, "solver_order": 3})
        yield diffusers_case("DDIM", spacing, "DDIMScheduler", 13, vp)
        yield diffusers_case("DDPM", spacing, "DDPMScheduler", 13, {**sd, "clip_sample": False})
    yield diffusers_case("DPM++ 3M SDE", "Leading", "DPMSolverMultistepScheduler", 20, {**sde, "solver_order": 3})
    yield diffusers_case("DDIM", "Leading", "DDIMScheduler", 10, vp, eta=0.7)
    yield diffusers_case("DDIM", "Leading", "DDIMScheduler", 10, {**vp, "set_alpha_to_one": True}, strength=0.45)
    yield diffusers_case("DDIM", "Trailing", "DDIMScheduler", 10, {**vp, "prediction_type": "v_prediction"})
    yield diffusers_case("DDPM", "Leading", "DDPMScheduler", 10, {**sd, "clip_sample": False, "prediction_type": "sample"})
    yield diffusers_case("PLMS", "Leading", "PNDMScheduler", 1, {**vp, "skip_prk_steps": True})
    for steps, strength in ((10, None), (13, None), (10, 0.95), (10, 0.6)):
        yield diffusers_case("PLMS", "Leading", "PNDMScheduler", steps, {**vp, "skip_prk_steps": True}, strength)
    plms_v = {**vp, "skip_prk_steps": True, "prediction_type": "v_prediction"}
    yield diffusers_case("PLMS", "Leading", "PNDMScheduler", 10, plms_v)
    yield diffusers_case("PLMS", "Trailing", "PNDMScheduler", 10, {**vp, "skip_prk_steps": True})
    for steps in (1, 4, 7):
        yield diffusers_case("LCM", "Leading", "LCMScheduler", steps, {"clip_sample": False})
        yield diffusers_case("TCD", "Leading", "TCDScheduler", steps, {})
    yield diffusers_case("TCD", "Leading", "TCDScheduler", 5, {}, eta=1.0)
    zero = {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}
    for sampler, name in (
        ("Euler", "EulerDiscreteScheduler"), ("Euler a", "EulerAncestralDiscreteScheduler"),
        ("DDIM", "DDIMScheduler"), ("DPM++ 2M", "DPMSolverMultistepScheduler"), ("UniPC", "UniPCMultistepScheduler"),
    ):  # fmt: skip
        yield diffusers_case(sampler, "Trailing", name, 10, {**zero, "set_alpha_to_one": False, "clip_sample": False})
    for betas in ("linear", "squaredcos_cap_v2"):
        yield diffusers_case("Euler", "Leading", "EulerDiscreteScheduler", 10, {**sd, "beta_schedule": betas})
        yield diffusers_case("DDIM", "Leading", "DDIMScheduler", 10, {**vp, "beta_schedule": betas})
    yield diffusers_case("DPM++ SDE", "Linspace", "DPMSolverSDEScheduler", 9, sd)


def k_diffusion_cases(levels):
    sampling = k_diffusion.sampling
    rows = (
        ("Euler", sampling.sample_euler, {}), ("Euler a", sampling.sample_euler_ancestral, {}),
        ("Heun", sampling.sample_heun, {}), ("DPM2", sampling.sample_dpm_2, {"discard": True}),
        ("DPM2 a", sampling.sample_dpm_2_ancestral, {"discard": True}),
        ("DPM++ 2S a", sampling.sample_dpmpp_2s_ancestral, {}), ("DPM++ 2M", sampling.sample_dpmpp_2m, {}),
        ("DPM++ SDE", sampling.sample_dpmpp_sde, {}), ("DPM++ 2M SDE", sampling.sample_dpmpp_2m_sde, {}),
        ("DPM++ 2M SDE Heun", sampling.sample_dpmpp_2m_sde, {"solver_type": "heun"}),
        ("DPM++ 3M SDE", sampling.sample_dpmpp_3m_sde, {}), ("LMS", sampling.sample_lms, {}),
    )  # fmt: skip
    for sampler, function, options in rows:
        for schedule in ("Karras", "Uniform", "KL Optimal"):
            yield k_diffusion_case(levels, sampler, schedule, function, 12, **options)
    for function, sampler in ((sampling.sample_euler, "Euler"), (sampling.sample_heun, "Heun")):
        yield k_diffusion_case(levels, sampler, "Karras", function, 8, s_churn=3.0, s_noise=1.01)
    yield k_diffusion_case(levels, "DPM2", "Exponential", sampling.sample_dpm_2, 8, discard=True, s_churn=3.0)
    for sampler, function in (("Euler a", sampling.sample_euler_ancestral), ("DPM++ SDE", sampling.sample_dpmpp_sde),
                              ("DPM++ 3M SDE", sampling.sample_dpmpp_3m_sde)):  # fmt: skip
        yield k_diffusion_case(levels, sampler, "Karras", function, 8, eta=0.4, s_noise=1.02)
    yield k_diffusion_case(
        levels, "DPM++ 2M SDE Heun", "Karras", sampling.sample_dpmpp_2m_sde, 8, solver_type="heun", eta=0.4, s_noise=1.02
    )
    for steps in (8, 22, 40):
        yield k_diffusion_case(levels, "Restart", "Karras", restart, steps)


def noise_cases():
    for seed in (0, 1, 1234567890, 2**32 + 5):
        generator = torch.Generator().manual_seed(seed)
        for count in (3, 4, 15, 16, 17, 24, 40, 64, 5, 100):
            values = torch.randn(count, generator=generator).tolist()
            yield {"seed": str(seed), "count": count, "values": [float(f"{v:.9g}") for v in values]}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    versions = {"torch": torch.__version__, "diffusers": diffusers.__version__, "k_diffusion": "0.1.1.post1"}
    levels = Levels()
    names = ["Uniform", "Karras", "Exponential", "Polyexponential", "SGM Uniform", "KL Optimal", "Align Your Steps",
             "Simple", "Normal", "DDIM", "Beta"]  # fmt: skip
    schedules = [
        {"schedule": name, "steps": n, "sigmas": [float(f"{s:.12g}") for s in levels.sigmas(name, n).tolist()]}
        for name in names for n in (2, 7, 11, 20, 30)
    ]  # fmt: skip
    write("schedules", versions, schedules)
    write("diffusers", versions, list(diffusers_cases()))
    write("k_diffusion", versions, list(k_diffusion_cases(levels)))
    write("torch_cpu", versions, list(noise_cases()))


def write(name, versions, cases):
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    text = f'{{"made_by":"tests/parity/sampling.py","versions":{json.dumps(versions)},"cases":[\n{lines}\n]}}\n'
    (FOLDER / f"{name}.json").write_text(text)
    print(f"{name}: {len(cases)} cases, {len(text) // 1024} KB")


if __name__ == "__main__":
    main()

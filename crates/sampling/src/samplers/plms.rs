//! PNDM with linear multistep alone (Liu et al. 2022, arXiv:2202.09778; diffusers' `skip_prk_steps=true`, "PLMS").

use crate::{
    Denoiser, Latents, NoiseSampler, Prediction,
    sample::{Arithmetic, Run},
};

/// The first step is done twice, the second time with the mean of the slopes at its ends.
pub(crate) fn plms<L: Latents, D: Denoiser<L>, N: NoiseSampler<L>>(
    run: &mut Run<'_, L, D, N>,
    x: L,
) -> Result<L, D::Error> {
    let steps = run.grid.steps();
    let evaluations = steps + usize::from(run.grid.repeat.is_some());
    // Which level an evaluation belongs to.
    let place = |evaluation: usize| match run.grid.repeat {
        Some(repeat) if evaluation > repeat => evaluation - 1,
        _ => evaluation,
    };
    // Variance preserving here: with rounded timesteps a sample's level depends on who asks.
    let mut sample = x.times(1.0 / run.grid.sigma(0).hypot(1.0));
    let mut start = sample.clone();
    let mut outputs: Vec<L> = Vec::new();
    for evaluation in 0..evaluations {
        let step = place(evaluation);
        let sigma = run.grid.sigma(step);
        let x = sample.times(sigma.hypot(1.0));
        let info_step = evaluation.saturating_sub(evaluations - steps);
        let denoised = run.denoise_at(&x, sigma, run.grid.timestep(step), info_step)?;
        let output = network_output(run.options.prediction, &x, &denoised, sigma);

        let (from, to) = interval(run, evaluation, step, evaluations);
        let slope = if evaluation == 1 {
            sample = start.clone();
            outputs.first().map_or_else(|| output.clone(), |first| output.mix(0.5, 0.5, first))
        } else {
            outputs.insert(0, output);
            outputs.truncate(4);
            if evaluation == 0 {
                start = sample.clone();
            }
            extrapolate(&outputs)
        };
        let x = sample.times(from.hypot(1.0));
        let noise = match run.options.prediction {
            Prediction::VPrediction => slope.mix(1.0 / from.hypot(1.0), from / from.hypot(1.0), &sample),
            Prediction::Epsilon | Prediction::Sample => slope,
        };
        let x = x.mix(1.0, to - from, &noise);
        let x = run.end_at(x, info_step, steps, to)?;
        sample = x.times(1.0 / to.hypot(1.0));
        if evaluation + 1 == evaluations {
            return Ok(x);
        }
    }
    Ok(x)
}

/// What the network must have said: its velocity, or for the others the noise.
fn network_output<L: Latents>(prediction: Prediction, x: &L, denoised: &L, sigma: f64) -> L {
    let scalings = match prediction {
        Prediction::VPrediction => prediction.scalings(sigma),
        Prediction::Epsilon | Prediction::Sample => Prediction::Epsilon.scalings(sigma),
    };
    let inverse = if scalings.c_out == 0.0 { 0.0 } else { 1.0 / scalings.c_out };
    denoised.mix(inverse, -scalings.c_skip * inverse, x)
}

/// The levels an evaluation leads from and to.
fn interval<L, D, N>(
    run: &Run<'_, L, D, N>,
    evaluation: usize,
    step: usize,
    evaluations: usize,
) -> (f64, f64) {
    let grid = run.grid;
    match grid.stride {
        // As diffusers counts: down by a stride, the second evaluation from a stride above.
        Some(stride) => {
            let timestep = grid.timestep(step);
            if evaluation == 1 {
                let above = timestep + stride as f64;
                (run.schedule.t_to_sigma_linear(above), grid.sigma(step))
            } else if evaluation + 1 == evaluations || timestep < stride as f64 {
                (grid.sigma(step), grid.targets.last().copied().unwrap_or_default())
            } else {
                (grid.sigma(step), run.schedule.t_to_sigma_linear(timestep - stride as f64))
            }
        }
        None if evaluation == 1 && grid.repeat.is_some() => {
            (grid.sigma(step.saturating_sub(1)), grid.sigma(step))
        }
        None => (grid.sigma(step), grid.sigma(step + 1)),
    }
}

/// Adams-Bashforth over even steps, of up to fourth order.
fn extrapolate<L: Latents>(outputs: &[L]) -> L {
    const WEIGHTS: [&[f64]; 4] = [
        &[1.0],
        &[3.0 / 2.0, -1.0 / 2.0],
        &[23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0],
        &[55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0],
    ];
    let weights = WEIGHTS[outputs.len().clamp(1, 4) - 1];
    let terms: Vec<(f64, &L)> = weights.iter().copied().zip(outputs).collect();
    L::linear(&terms)
}

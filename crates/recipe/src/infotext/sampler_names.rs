//! Samplers and schedules as infotexts name them.

use crate::names::{Sampler, Schedule};

/// A1111's names; those of diffusers where A1111 has no such sampler.
const SAMPLERS: [(Sampler, &str); 19] = [
    (Sampler::Euler, "Euler"),
    (Sampler::EulerAncestral, "Euler a"),
    (Sampler::Heun, "Heun"),
    (Sampler::Dpm2, "DPM2"),
    (Sampler::Dpm2Ancestral, "DPM2 a"),
    (Sampler::DpmPp2SAncestral, "DPM++ 2S a"),
    (Sampler::DpmPp2M, "DPM++ 2M"),
    (Sampler::DpmPpSde, "DPM++ SDE"),
    (Sampler::DpmPp2MSde, "DPM++ 2M SDE"),
    (Sampler::DpmPp3MSde, "DPM++ 3M SDE"),
    (Sampler::Lms, "LMS"),
    (Sampler::Ddim, "DDIM"),
    (Sampler::Ddpm, "DDPM"),
    (Sampler::Pndm, "PLMS"),
    (Sampler::UniPc, "UniPC"),
    (Sampler::Deis, "DEIS"),
    (Sampler::Lcm, "LCM"),
    (Sampler::Tcd, "TCD"),
    (Sampler::Restart, "Restart"),
];

const SCHEDULES: [(Schedule, &str); 15] = [
    (Schedule::Automatic, "Automatic"),
    (Schedule::Uniform, "Uniform"),
    (Schedule::Karras, "Karras"),
    (Schedule::Exponential, "Exponential"),
    (Schedule::Polyexponential, "Polyexponential"),
    (Schedule::SgmUniform, "SGM Uniform"),
    (Schedule::KlOptimal, "KL Optimal"),
    (Schedule::AlignYourSteps, "Align Your Steps"),
    (Schedule::Simple, "Simple"),
    (Schedule::Normal, "Normal"),
    (Schedule::Ddim, "DDIM"),
    (Schedule::Beta, "Beta"),
    (Schedule::Leading, "Leading"),
    (Schedule::Trailing, "Trailing"),
    (Schedule::Linspace, "Linspace"),
];

pub(super) fn sampler_name(sampler: Sampler) -> &'static str {
    SAMPLERS.iter().find(|(known, _)| *known == sampler).map_or("", |(_, name)| name)
}

pub(super) fn schedule_name(schedule: Schedule) -> &'static str {
    SCHEDULES.iter().find(|(known, _)| *known == schedule).map_or("", |(_, name)| name)
}

/// A sampler, with the schedule that older programs write behind its name: `DPM++ 2M Karras`, `euler_a karras`.
pub(super) fn find_sampler(name: &str) -> Option<(Sampler, Option<Schedule>)> {
    let name = plain(name);
    let alone =
        |name: &str| SAMPLERS.iter().find(|(_, known)| plain(known) == name).map(|(sampler, _)| *sampler);
    alone(&name).map(|sampler| (sampler, None)).or_else(|| {
        SCHEDULES.iter().find_map(|(schedule, known)| {
            let sampler = alone(name.strip_suffix(&plain(known))?)?;
            Some((sampler, Some(*schedule)))
        })
    })
}

pub(super) fn find_schedule(name: &str) -> Option<Schedule> {
    let name = plain(name);
    SCHEDULES.iter().find(|(_, known)| plain(known) == name).map(|(schedule, _)| *schedule)
}

/// A name without what programs write differently: case, spaces, `++` for `pp`, `k_` before and `ancestral` for `a`.
fn plain(name: &str) -> String {
    let name = name.trim().to_lowercase().replace("++", "pp").replace("ancestral", "a");
    let name = name.strip_prefix("k_").unwrap_or(&name);
    name.chars().filter(|c| c.is_alphanumeric()).collect()
}

//! Names of samplers and schedules as the field's tools write them.

use tarim_recipe::{Sampler, Schedule};

#[test]
fn names_of_other_tools_are_known() {
    use Sampler::{
        Ddim, Ddpm, Dpm2Ancestral, DpmPp2M, DpmPp2MSde, DpmPp2MSdeHeun, DpmPp2SAncestral, DpmPp3MSde,
        DpmPpSde, Euler, EulerAncestral, Lms, Pndm, UniPc,
    };
    let rows = [
        ("Euler", Euler, None),
        ("  euler A ", EulerAncestral, None),
        ("euler_a", EulerAncestral, None),
        ("euler_a karras", EulerAncestral, Some(Schedule::Karras)),
        ("k_dpm_2_a", Dpm2Ancestral, None),
        ("k_dpm_2_a_ka", Dpm2Ancestral, Some(Schedule::Karras)),
        ("DPM++ 2M", DpmPp2M, None),
        ("dpm++2m", DpmPp2M, None),
        ("DPM++ 2M Karras", DpmPp2M, Some(Schedule::Karras)),
        ("DPM++ 2M SDE Exponential", DpmPp2MSde, Some(Schedule::Exponential)),
        ("DPM++ 2M SDE Heun", DpmPp2MSdeHeun, None),
        ("DPM++ 2M SDE Heun Karras", DpmPp2MSdeHeun, Some(Schedule::Karras)),
        ("k_dpmpp_2m_sde_heun_exp", DpmPp2MSdeHeun, Some(Schedule::Exponential)),
        ("DPM++ 2M SGM Uniform", DpmPp2M, Some(Schedule::SgmUniform)),
        ("DPM++ 2S a Karras", DpmPp2SAncestral, Some(Schedule::Karras)),
        ("sample_dpmpp_3m_sde", DpmPp3MSde, None),
        ("DPMSolverMultistepScheduler", DpmPp2M, None),
        ("DPMSolverSDEScheduler", DpmPpSde, None),
        ("EulerAncestralDiscreteScheduler", EulerAncestral, None),
        ("DDIM", Ddim, None),
        ("DDPMScheduler", Ddpm, None),
        ("LMS Karras", Lms, Some(Schedule::Karras)),
        ("pndm", Pndm, None),
        ("uni_pc_bh2", UniPc, None),
    ];
    for (text, sampler, schedule) in rows {
        assert_eq!(Sampler::parse(text), Ok((sampler, schedule)), "{text}");
    }
    let rows = [
        ("karras", Schedule::Karras),
        ("sgm_uniform", Schedule::SgmUniform),
        ("SGMUniform", Schedule::SgmUniform),
        ("Align Your Steps", Schedule::AlignYourSteps),
        ("ddim_uniform", Schedule::Ddim),
        ("trailing", Schedule::Trailing),
    ];
    for (text, schedule) in rows {
        assert_eq!(text.parse(), Ok(schedule), "{text}");
    }
}

#[test]
fn names_read_back() {
    for sampler in Sampler::all() {
        assert_eq!(Sampler::parse(sampler.name()), Ok((sampler, None)));
        let json = serde_json::to_string(&sampler).unwrap();
        assert_eq!(json, format!("{:?}", sampler.name()));
        assert_eq!(serde_json::from_str::<Sampler>(&json).unwrap(), sampler);
        for schedule in Schedule::all() {
            let both = format!("{sampler} {schedule}");
            assert_eq!(Sampler::parse(&both), Ok((sampler, Some(schedule))), "{both}");
        }
    }
    for schedule in Schedule::all() {
        assert_eq!(schedule.name().parse(), Ok(schedule));
        assert_ne!(schedule.resolve(Sampler::Euler), Schedule::Automatic);
    }
}

#[test]
fn unknown_names_get_suggestions() {
    let rows =
        [("DPM+ 2M", "DPM++ 2M"), ("Eular", "Euler"), ("heunn", "Heun"), ("采样器", "LMS"), ("", "LMS")];
    for (text, nearest) in rows {
        let error = Sampler::parse(text).unwrap_err();
        assert_eq!((error.name.as_str(), error.nearest.len()), (text, 3));
        assert!(error.nearest.contains(&nearest) || nearest == "LMS", "{text}: {error}");
    }
    let error = "karas".parse::<Schedule>().unwrap_err();
    assert_eq!(error.to_string(), "unknown schedule `karas`; the nearest are `Karras`, `Normal`, `Beta`");
    let long = "x".repeat(100_000);
    assert!(Sampler::parse(&long).unwrap_err().name.len() <= 80);
}

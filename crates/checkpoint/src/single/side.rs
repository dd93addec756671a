//! The `.yaml` beside a single file, which A1111, Forge and ComfyUI honour too.

use std::path::Path;

use crate::config::PredictionType;
use crate::error::{CheckpointError, Result};

const MAX_BYTES: u64 = 1 << 20;

/// What a side file says and the weights do not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SideFile {
    pub(crate) prediction: Option<PredictionType>,
    pub(crate) num_heads: Option<u32>,
    pub(crate) num_head_channels: Option<u32>,
    pub(crate) scale_factor: Option<f64>,
    pub(crate) linear_start: Option<f64>,
    pub(crate) linear_end: Option<f64>,
}

impl SideFile {
    /// Reads `model.yaml` beside `model.safetensors`; says nothing where there is none.
    pub(crate) fn beside(path: &Path) -> Result<(Self, Option<std::path::PathBuf>)> {
        let side = path.with_extension("yaml");
        if !side.is_file() {
            return Ok((Self::default(), None));
        }
        let io = |error| CheckpointError::io(&side, error);
        let size = std::fs::metadata(&side).map_err(io)?.len();
        if size > MAX_BYTES {
            let problem = format!("it has {size} bytes, far too many for a configuration");
            return Err(CheckpointError::Config { path: side, problem });
        }
        let text = String::from_utf8_lossy(&std::fs::read(&side).map_err(io)?).into_owned();
        Ok((Self::parse(&text), Some(side)))
    }

    /// These files are short lists of `key: value` in known words; each word is looked for wherever it stands, so that
    /// neither indentation nor the several dialects matter.
    fn parse(text: &str) -> Self {
        let mut side = Self::default();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let key = key.trim().trim_start_matches("- ").trim();
            let value = value.trim().trim_matches(['"', '\'']);
            match key {
                "parameterization" => {
                    side.prediction = match value {
                        "v" => Some(PredictionType::VPrediction),
                        "eps" => Some(PredictionType::Epsilon),
                        "x0" => Some(PredictionType::Sample),
                        _ => side.prediction,
                    }
                }
                "target" if value.ends_with("VScaling") => {
                    side.prediction = Some(PredictionType::VPrediction);
                }
                "target" if value.ends_with("EpsScaling") => side.prediction = Some(PredictionType::Epsilon),
                // −1 means that the other of the two counts.
                "num_heads" => side.num_heads = value.parse().ok(),
                "num_head_channels" => side.num_head_channels = value.parse().ok(),
                "scale_factor" => side.scale_factor = value.parse().ok(),
                "linear_start" => side.linear_start = value.parse().ok(),
                "linear_end" => side.linear_end = value.parse().ok(),
                _ => {}
            }
        }
        side
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_count_wherever_they_stand() {
        let check = |text: &str, expected: SideFile| assert_eq!(SideFile::parse(text), expected, "{text}");
        let v = Some(PredictionType::VPrediction);
        check("", SideFile::default());
        check(
            "model:\n  params:\n    parameterization: \"v\"\n",
            SideFile { prediction: v, ..SideFile::default() },
        );
        check("a: b\r\nparameterization: v # for 768\r\n", SideFile { prediction: v, ..SideFile::default() });
        check(
            "target: sgm.modules.diffusionmodules.denoiser_scaling.VScaling",
            SideFile { prediction: v, ..SideFile::default() },
        );
        check("# parameterization: v\n", SideFile::default());
        check(
            "num_heads: -1\nnum_head_channels: 64 # need to fix for flash-attn\nscale_factor: 0.18215",
            SideFile { num_head_channels: Some(64), scale_factor: Some(0.18215), ..SideFile::default() },
        );
        check("parameterization: flow\n\u{0}: :\n:::\n", SideFile::default());
    }
}

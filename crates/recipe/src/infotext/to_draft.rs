//! What of an infotext Tarim can use.

use std::str::FromStr;

use super::{
    Infotext,
    InfotextWarning::{self, OldPromptEditing, Unreadable, Unsupported},
    POSTPROCESS,
    write::{emphasis_name, mask_fill_name},
};
use crate::{
    draft::Draft,
    names::{Sampler, Schedule},
    postprocess::{Postprocess, ResizeFilter, read_postprocess},
    recipe::{Emphasis, MaskArea, MaskFill, ModelRef, NoiseSource, Prompt},
    seed::Seed,
};

impl Infotext {
    /// The draft that this text describes, and what of it was left out and why.
    ///
    /// Parameters that an infotext leaves out mean A1111's defaults: no clip skip, and the GPU's noise, which the
    /// philox generator reproduces. The model is named, not found, and its hash is a beginning of one.
    pub fn to_draft(&self) -> (Draft, Vec<InfotextWarning>) {
        let mut reader = Reader { infotext: self, warnings: Vec::new() };
        let draft = reader.draft();
        reader.unsupported();
        reader.old_prompt_editing();
        (draft, reader.warnings)
    }
}

struct Reader<'a> {
    infotext: &'a Infotext,
    warnings: Vec<InfotextWarning>,
}

impl Reader<'_> {
    fn draft(&mut self) -> Draft {
        let mut draft = Draft {
            prompt: Some(self.prompt(&self.infotext.prompt, "Template")),
            negative_prompt: Some(self.prompt(&self.infotext.negative_prompt, "Negative Template")),
            ..Draft::default()
        };
        if self.infotext.parameters.is_empty() {
            return draft;
        }
        let model =
            self.any(&["Model", "Stable Diffusion model", "use_stable_diffusion_model", "base_model"]);
        let model_hash = self.infotext.get("Model hash");
        if model.is_some() || model_hash.is_some() {
            draft.model = Some(ModelRef {
                name: model.map(|(_, name)| name).unwrap_or_default(),
                hash: model_hash.map(str::to_owned),
            });
        }
        (draft.width, draft.height) = self.size();
        self.sampler(&mut draft);
        draft.steps = self.parse(&["Steps", "num_inference_steps"]);
        draft.guidance_scale = self.parse(&["CFG scale", "Guidance Scale", "guidance_scale", "cfgscale"]);
        draft.guidance_rescale = self.parse(&["CFG Rescale"]);
        draft.seed = self.seed("Seed");
        draft.variation_strength = self.parse(&["Variation seed strength"]);
        draft.variation_seed = self.seed("Variation seed");
        // Only programs of A1111's kind are known to draw their noise on the GPU unless they say otherwise.
        let like_a1111 = self.infotext.parameters.iter().any(|(key, _)| key == "Steps");
        draft.noise_source = self.named("RNG", noise_source).or(like_a1111.then_some(NoiseSource::Nv));
        draft.clip_skip = self.parse::<u8>(&["Clip skip"]).map(|skip| skip.max(1)).or(Some(1));
        draft.emphasis = self.named("Emphasis", emphasis);
        // stable-diffusion.cpp writes an eta of 0 for samplers that do not read it.
        if self.infotext.get("Version") != Some("stable-diffusion.cpp") {
            draft.eta = self.parse(&["Eta", "Eta DDIM"]);
        }
        draft.image_guidance_scale = self.parse(&["Image CFG scale"]);
        // With hires fix it is the second pass's, which starts from the first one and not from a picture.
        if self.infotext.get("Hires upscale").is_none() && self.infotext.get("Hires resize").is_none() {
            draft.strength = self.parse(&["Denoising strength", "Prompt Strength", "prompt_strength"]);
        }
        draft.init_picture = self.sha256("Init image hash");
        draft.mask_picture = self.sha256("Mask image hash");
        draft.mask_blur = self.parse(&["Mask blur"]);
        draft.mask_fill = self.named("Masked content", mask_fill);
        draft.mask_invert = self.infotext.get("Mask mode").map(|mode| mode == "Inpaint not masked");
        if self.infotext.get("Inpaint area").is_some_and(|area| area.eq_ignore_ascii_case("Only masked")) {
            let padding = self.parse(&["Masked area padding"]).unwrap_or(32);
            draft.mask_area = Some(MaskArea::OnlyMasked { padding });
        }
        draft.postprocess = self.postprocess(draft.width, draft.height);
        draft
    }

    /// The steps after drawing; else the one that A1111's Extras tab made, where it is one that is known here.
    fn postprocess(&mut self, width: Option<u32>, height: Option<u32>) -> Option<Vec<Postprocess>> {
        if let Some((key, value)) = self.any(&[POSTPROCESS]) {
            return match read_postprocess(&value) {
                Ok(steps) => Some(steps).filter(|steps| !steps.is_empty()),
                Err(reason) => {
                    self.warnings.push(Unreadable { key, value, reason: reason.to_owned() });
                    None
                }
            };
        }
        let (key, upscaler) = self.any(&["Postprocess upscaler"])?;
        let filter = ResizeFilter::of_upscaler(&upscaler);
        let target = match self.any(&["Postprocess upscale to"]) {
            Some((_, size)) => {
                let sides = size.split_once('x');
                sides.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)))
            }
            None => self.parse::<f64>(&["Postprocess upscale by"]).and_then(|factor| {
                let side = |side: u32| (f64::from(side) * factor) as u32;
                Some((side(width?), side(height?)))
            }),
        };
        if let (Some(filter), Some((width, height))) = (filter, target) {
            return Some(vec![Postprocess::Resize { width, height, filter }]);
        }
        self.warnings.push(Unsupported { key, value: upscaler });
        None
    }

    fn prompt(&self, text: &str, template_key: &str) -> Prompt {
        Prompt { text: text.to_owned(), template: self.infotext.get(template_key).map(str::to_owned) }
    }

    /// The first of some names that has a value.
    fn any(&self, keys: &[&str]) -> Option<(String, String)> {
        let named = |key: &&str| Some(((*key).to_owned(), self.infotext.get(key)?.trim().to_owned()));
        keys.iter().filter_map(named).find(|(_, value)| !value.is_empty())
    }

    fn parse<T: FromStr<Err: ToString>>(&mut self, keys: &[&str]) -> Option<T> {
        let (key, value) = self.any(keys)?;
        // `20.0` is a whole number to most programs that write it.
        let whole = value.strip_suffix(".0").unwrap_or(&value);
        match value.parse().or_else(|_| whole.parse()) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.warnings.push(Unreadable { key, value, reason: error.to_string() });
                None
            }
        }
    }

    /// A seed; -1 stands for a random one.
    fn seed(&mut self, key: &str) -> Option<Seed> {
        if self.infotext.get(key).is_some_and(|value| value.trim() == "-1") {
            return None;
        }
        self.parse(&[key])
    }

    /// A picture's hash, if it is of the kind that a recipe holds. A1111 writes an MD5, which names no file here.
    fn sha256(&self, key: &str) -> Option<String> {
        let hash = self.infotext.get(key)?;
        (hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| hash.to_ascii_lowercase())
    }

    fn named<T>(&mut self, key: &str, find: fn(&str) -> Option<T>) -> Option<T> {
        let value = self.infotext.get(key)?;
        let found = find(&value.trim().to_ascii_lowercase());
        if found.is_none() {
            self.warnings.push(Unsupported { key: key.to_owned(), value: value.to_owned() });
        }
        found
    }

    fn size(&mut self) -> (Option<u32>, Option<u32>) {
        if let Some(size) = self.infotext.get("Size") {
            if let Some((width, height)) = size.split_once(['x', 'X', '×'])
                && let (Ok(width), Ok(height)) = (width.trim().parse(), height.trim().parse())
            {
                return (Some(width), Some(height));
            }
            let (key, value) = ("Size".to_owned(), size.to_owned());
            self.warnings.push(Unreadable { key, value, reason: "not of the form 512x768".to_owned() });
        }
        (self.parse(&["Width"]), self.parse(&["Height"]))
    }

    /// The sampler, with the schedule that older programs wrote behind its name, and the schedule of newer ones.
    fn sampler(&mut self, draft: &mut Draft) {
        if let Some((key, value)) = self.any(&["Sampler", "sampler_name"]) {
            match Sampler::parse(&value) {
                Ok((sampler, schedule)) => (draft.sampler, draft.schedule) = (Some(sampler), schedule),
                Err(_) => self.warnings.push(Unsupported { key, value }),
            }
        }
        if let Some((key, value)) = self.any(&["Schedule type", "Scheduler"]) {
            match value.parse::<Schedule>() {
                Ok(schedule) => draft.schedule = Some(schedule),
                Err(_) => self.warnings.push(Unsupported { key, value }),
            }
        }
        if draft.sampler.is_some() && draft.schedule.is_none() {
            draft.schedule = Some(Schedule::Automatic);
        }
    }

    /// Before 1.6.0, A1111 took `[a:b:1.0]` for a step and not for a share of all steps.
    fn old_prompt_editing(&mut self) {
        let Some(version) = self.infotext.get("Version") else { return };
        let minor = version.strip_prefix("v1.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
        let edited = self.infotext.prompt.contains('[') || self.infotext.negative_prompt.contains('[');
        if edited && minor.is_some_and(|minor| minor < 6) {
            self.warnings.push(OldPromptEditing { version: version.to_owned() });
        }
    }

    /// Warns of what changes the picture and has no equal here.
    fn unsupported(&mut self) {
        const KEYS: [&str; 14] = [
            "Hires upscale",
            "Hires resize",
            "Tiling",
            "Face restoration",
            "Seed resize from",
            "ENSD",
            "Refiner",
            "Lora hashes",
            "TI hashes",
            "Hypernet",
            "ControlNet 0",
            "VAE",
            "Sigma churn",
            "NGMS",
        ];
        for key in KEYS {
            let Some(value) = self.infotext.get(key) else { continue };
            let off = ["", "0", "0x0", "None", "False", "Automatic"];
            if !off.iter().any(|off| value.eq_ignore_ascii_case(off)) {
                self.warnings.push(Unsupported { key: key.to_owned(), value: value.to_owned() });
            }
        }
    }
}

fn noise_source(name: &str) -> Option<NoiseSource> {
    match name {
        "cpu" => Some(NoiseSource::Cpu),
        // `cuda` is stable-diffusion.cpp's name.
        "nv" | "gpu" | "cuda" => Some(NoiseSource::Nv),
        _ => None,
    }
}

fn emphasis(name: &str) -> Option<Emphasis> {
    let all = [Emphasis::Original, Emphasis::NoNorm, Emphasis::Ignore, Emphasis::None, Emphasis::ComfyUi];
    all.into_iter().find(|emphasis| emphasis_name(*emphasis).unwrap_or("Original").eq_ignore_ascii_case(name))
}

fn mask_fill(name: &str) -> Option<MaskFill> {
    let all = [MaskFill::Original, MaskFill::Fill, MaskFill::LatentNoise, MaskFill::LatentNothing];
    all.into_iter().find(|fill| mask_fill_name(*fill).unwrap_or("original").eq_ignore_ascii_case(name))
}

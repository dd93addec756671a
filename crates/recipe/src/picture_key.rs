//! What a picture is recognised by: whether it was drawn before.

use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    json::write_canonical,
    recipe::{Precision, Recipe},
};

/// The arithmetics that a device may choose.
const PRECISIONS: [Precision; 3] = [Precision::Fp32, Precision::Bf16, Precision::Fp16];

/// The first 16 bytes of a SHA-256 over everything that determines a picture, and nothing else.
///
/// Unlike [`Recipe::hash`] it does not know the template that a prompt was resolved from, nor the model's name where the
/// model's content is known: another option in a template, or a renamed file, makes no new pictures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PictureKey(pub [u8; 16]);

impl fmt::Display for PictureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PictureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PictureKey({self})")
    }
}

impl Recipe {
    /// What the picture of this recipe is recognised by.
    pub fn picture_key(&self) -> PictureKey {
        key(&self.to_value(), Some(self.precision))
    }

    /// The same for a recipe whose arithmetic the device is still to choose. No finished picture has this key.
    pub fn open_picture_key(&self) -> PictureKey {
        key(&self.to_value(), None)
    }

    /// All keys that a picture of this recipe may have, whichever arithmetic the device chooses; the open one first.
    pub fn possible_picture_keys(&self) -> [PictureKey; 4] {
        let value = self.to_value();
        let [fp32, bf16, fp16] = PRECISIONS.map(|precision| key(&value, Some(precision)));
        [key(&value, None), fp32, bf16, fp16]
    }
}

fn key(recipe: &Value, precision: Option<Precision>) -> PictureKey {
    let mut value = recipe.clone();
    if let Some(members) = value.as_object_mut() {
        for prompt in ["prompt", "negative_prompt"] {
            if let Some(prompt) = members.get_mut(prompt)
                && let Some(text) = prompt.get_mut("text").map(Value::take)
            {
                *prompt = text;
            }
        }
        // An empty text is none, and is left out where there is no template.
        if members.get("negative_prompt").is_some_and(|prompt| prompt == "") {
            members.remove("negative_prompt");
        }
        if let Some(model) = members.get_mut("model").and_then(Value::as_object_mut)
            && model.get("hash").is_some_and(Value::is_string)
        {
            model.remove("name");
        }
        match precision {
            // A unit variant, which always has a JSON value.
            Some(precision) => {
                let name = serde_json::to_value(precision).unwrap_or_default();
                members.insert("precision".to_owned(), name);
            }
            None => {
                members.remove("precision");
            }
        }
    }
    let mut text = String::with_capacity(512);
    write_canonical(&value, &mut text);
    let digest = Sha256::digest(text.as_bytes());
    PictureKey(std::array::from_fn(|index| digest[index]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Prompt, Seed};

    fn recipe() -> Recipe {
        let json = r#"{"tarim_recipe":1,"model":{"name":"starter"},"prompt":"a fox","size":{"width":64,"height":64},
            "sampler":"DPM++ 2M","steps":20,"guidance_scale":7,"seed":7,"precision":"fp32"}"#;
        Recipe::from_json(json).unwrap()
    }

    #[test]
    fn a_key_knows_what_determines_the_picture_and_nothing_else() {
        let base = recipe();
        let same = |change: fn(&mut Recipe), expected: bool| {
            let mut other = base.clone();
            change(&mut other);
            assert_eq!(other.picture_key() == base.picture_key(), expected, "{other:?}");
        };
        same(|_| {}, true);
        same(|r| r.prompt = Prompt { text: "a fox".into(), template: Some("a {fox|hare}".into()) }, true);
        same(|r| r.negative_prompt.template = Some("{}".into()), true);
        same(|r| r.prompt = "a hare".into(), false);
        same(|r| r.seed = Seed(8), false);
        same(|r| r.steps = 21, false);
        same(|r| r.precision = Precision::Bf16, false);
        same(|r| r.clip_skip = 2, false);
        same(|r| r.model.name = "other".into(), false);
        same(|r| r.model.hash = Some("0".repeat(64)), false);
        let named = |name: &str| {
            let mut recipe = base.clone();
            recipe.model = crate::ModelRef { name: name.into(), hash: Some("1".repeat(64)) };
            recipe.picture_key()
        };
        assert_eq!(named("a"), named("b"));
    }

    #[test]
    fn an_open_precision_is_any_of_them() {
        let [open, rest @ ..] = recipe().possible_picture_keys();
        assert_eq!(open, recipe().open_picture_key());
        for (precision, key) in PRECISIONS.into_iter().zip(rest) {
            let mut other = recipe();
            other.precision = precision;
            assert_eq!(other.picture_key(), key);
            assert_eq!(other.open_picture_key(), open);
            assert_ne!(key, open);
        }
        // Keys are kept in libraries: this one must never change.
        assert_eq!(recipe().picture_key().to_string().len(), 32);
    }
}

//! The recipe's JSON: versioned, checked, and with one canonical form.
//!
//! ```json
//! {"tarim_recipe":1,"model":{"name":"starter"},"prompt":"a fox","size":{"width":256,"height":256}, …}
//! ```
//!
//! What has its default value is left out, so a field that is added later, with a default that means what older
//! versions did, changes no recipe that does not use it. A recipe determines a picture, so nothing in it is ever
//! skipped: a field or a version that this program does not know is an error that says so, not a different picture.
//!
//! The canonical form is that of RFC 8785 (JCS): members sorted, no spaces, numbers as ECMAScript writes them.

use std::fmt::Write;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::Value;

use crate::{
    hash::sha256,
    names::{Sampler, Schedule},
    postprocess::Postprocess,
    recipe::{
        Emphasis, Init, ModelRef, NoiseSource, Precision, Prompt, Recipe, Variation, first_clip_skip,
        is_default, is_first_clip_skip,
    },
    seed::Seed,
    size::Size,
    validate::FieldError,
};

/// The version of the recipe's JSON that this crate writes, and the newest that it reads.
///
/// It moves only when an existing field changes its meaning.
pub const RECIPE_VERSION: u64 = 1;
const VERSION_KEY: &str = "tarim_recipe";

/// The members of a recipe on the wire, in a type of their own so that nobody reads or writes them unchecked.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Recipe", deny_unknown_fields)]
struct Members {
    model: ModelRef,
    prompt: Prompt,
    #[serde(default, skip_serializing_if = "is_default")]
    negative_prompt: Prompt,
    size: Size,
    sampler: Sampler,
    #[serde(default, skip_serializing_if = "is_default")]
    schedule: Schedule,
    steps: u32,
    guidance_scale: f64,
    #[serde(default, skip_serializing_if = "is_default")]
    guidance_rescale: f64,
    seed: Seed,
    #[serde(default, skip_serializing_if = "is_default")]
    variation: Option<Variation>,
    #[serde(default, skip_serializing_if = "is_default")]
    noise_source: NoiseSource,
    #[serde(default = "first_clip_skip", skip_serializing_if = "is_first_clip_skip")]
    clip_skip: u8,
    #[serde(default, skip_serializing_if = "is_default")]
    emphasis: Emphasis,
    #[serde(default, skip_serializing_if = "is_default")]
    eta: Option<f64>,
    precision: Precision,
    #[serde(default, skip_serializing_if = "is_default")]
    init: Option<Init>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    postprocess: Vec<Postprocess>,
}

#[derive(Deserialize)]
struct Unchecked(#[serde(with = "Members")] Recipe);

/// Why a text is not a recipe.
#[derive(Debug, thiserror::Error)]
pub enum RecipeJsonError {
    /// It is not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is JSON without the mark of a recipe.
    #[error("not a Tarim recipe: the JSON has no `tarim_recipe` version number")]
    NotARecipe,
    /// It was written by a newer program.
    #[error(
        "the recipe has version {version} and this Tarim reads up to version {RECIPE_VERSION}; update Tarim to use it"
    )]
    NewerVersion {
        /// The version it names.
        version: u64,
    },
    /// A field is missing, unknown, or of the wrong type.
    #[error(
        "the recipe does not fit version {RECIPE_VERSION}: {0}; an unknown field may come from a newer Tarim"
    )]
    Shape(#[source] serde_json::Error),
    /// A field holds a value that no recipe can have.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl Recipe {
    /// Reads a recipe's JSON, whatever the order of its members, and checks it.
    pub fn from_json(json: &str) -> Result<Self, RecipeJsonError> {
        Self::from_value(serde_json::from_str(json)?)
    }

    fn from_value(mut value: Value) -> Result<Self, RecipeJsonError> {
        let members = value.as_object_mut().ok_or(RecipeJsonError::NotARecipe)?;
        let version = members.remove(VERSION_KEY).and_then(|version| version.as_u64());
        match version {
            None | Some(0) => return Err(RecipeJsonError::NotARecipe),
            Some(version) if version > RECIPE_VERSION => {
                return Err(RecipeJsonError::NewerVersion { version });
            }
            Some(_) => {}
        }
        let Unchecked(recipe) = serde_json::from_value(value).map_err(RecipeJsonError::Shape)?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// The one canonical text of this recipe: equal recipes give equal bytes on every machine.
    pub fn canonical_json(&self) -> Result<String, FieldError> {
        self.validate()?;
        let mut text = String::new();
        write_canonical(&self.to_value(), &mut text);
        Ok(text)
    }

    /// SHA-256 of the canonical JSON, 64 lower-case hex digits: the recipe's identity.
    pub fn hash(&self) -> Result<String, FieldError> {
        Ok(sha256(self.canonical_json()?.as_bytes()))
    }

    /// The JSON value of a recipe that was validated.
    pub(crate) fn to_value(&self) -> Value {
        // Only non-string map keys and failing `Serialize` implementations make this fail; a recipe has neither.
        let mut value = Members::serialize(self, serde_json::value::Serializer).unwrap_or_default();
        if let Some(members) = value.as_object_mut() {
            members.insert(VERSION_KEY.to_owned(), RECIPE_VERSION.into());
        }
        value
    }
}

impl Serialize for Recipe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.validate().map_err(ser::Error::custom)?;
        Serialize::serialize(&self.to_value(), serializer)
    }
}

impl<'de> Deserialize<'de> for Recipe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Deserialize::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

pub(crate) fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64() {
            Some(value) if number.is_f64() => write_number(value, text),
            _ => text.push_str(&number.to_string()),
        },
        // serde_json escapes exactly what JCS wants escaped.
        Value::String(string) => text.push_str(&Value::from(string.as_str()).to_string()),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            // Sorted here, because a feature of serde_json that another crate may turn on keeps insertion order.
            // The keys are ours and ASCII, for which byte order and JCS's UTF-16 order agree.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.as_str());
            text.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
    }
}

/// A finite number as ECMAScript's `Number::toString` writes it.
fn write_number(value: f64, text: &mut String) {
    let size = value.abs();
    let _ = if size == 0.0 {
        write!(text, "0")
    } else if (1e-6..1e21).contains(&size) {
        write!(text, "{value}")
    } else if size < 1.0 {
        write!(text, "{value:e}")
    } else {
        write!(text, "{}", format!("{value:e}").replace('e', "e+"))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of RFC 8785, appendix B.
    #[test]
    fn numbers_as_ecmascript_writes_them() {
        let check = |bits: u64, expected: &str| {
            let mut text = String::new();
            write_canonical(&Value::from(f64::from_bits(bits)), &mut text);
            assert_eq!(text, expected);
        };
        check(0x0000_0000_0000_0000, "0");
        check(0x8000_0000_0000_0000, "0");
        check(0x0000_0000_0000_0001, "5e-324");
        check(0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308");
        check(0x4340_0000_0000_0000, "9007199254740992");
        check(0x4430_0000_0000_0000, "295147905179352830000");
        check(0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22");
        check(0x444b_1ae4_d6e2_ef50, "1e+21");
        check(0x444b_1ae4_d6e2_ef4f, "999999999999999900000");
        check(0x3eb0_c6f7_a0b5_ed8d, "0.000001");
        check(0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7");
        check(0x41b3_de43_5555_5553, "333333333.3333332");
        check(0xbecb_f647_612f_3696, "-0.0000033333333333333333");
    }
}

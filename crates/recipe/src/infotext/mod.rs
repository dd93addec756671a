//! The infotext: what A1111 and its kin write into pictures and paste from them.
//!
//! ```text
//! a fox, (neon:1.2)
//! Negative prompt: blurry
//! Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1, Size: 512x512, …
//! ```
//!
//! The writer, [`infotext`], keeps to that format and makes what it writes read back equal. The format has no
//! escapes for prompts, so a prompt that readers would take apart (a line that begins with `Negative prompt:`,
//! spaces at a line's end, control characters) appears in a form that is safe for them, and once more, exactly, as
//! a quoted parameter named [`EXACT_PROMPT`] or [`EXACT_NEGATIVE_PROMPT`], which other programs ignore. The safe
//! form puts a backslash before such a line's first word; A1111 drops a lone backslash, so it draws the same.
//!
//! The reader, [`Infotext::read`], never fails: it follows A1111's rules where they give a result and a few
//! rules of its own for what other programs write.

mod json_object;
mod pairs;
mod read;
mod to_draft;
mod write;

#[cfg(test)]
mod tests;

pub use write::infotext;

/// The parameter that holds a prompt which the prompt lines cannot.
pub const EXACT_PROMPT: &str = "Exact prompt";
/// The parameter that holds a negative prompt which the prompt lines cannot.
pub const EXACT_NEGATIVE_PROMPT: &str = "Exact negative prompt";

/// The parameter that holds all steps after drawing, in their order: `crop 512x384+64+0; resize 1024x768 Lanczos`.
pub const POSTPROCESS: &str = "Postprocess steps";

/// An infotext, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Infotext {
    /// The prompt.
    pub prompt: String,
    /// The negative prompt.
    pub negative_prompt: String,
    /// All parameters, known or not, in their order, values without their quotes.
    pub parameters: Vec<(String, String)>,
    /// What was odd about the text.
    pub warnings: Vec<InfotextWarning>,
}

impl Infotext {
    /// The value of a parameter by its name in any case; the last one where there are several, as in A1111.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.parameters.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(key));
        found.map(|(_, value)| value.as_str())
    }
}

/// Something odd about an infotext.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InfotextWarning {
    /// There is no line of parameters, so all of it is prompt.
    #[error("there are no parameters in the text; all of it was read as a prompt")]
    NoParameters,
    /// Lines follow the parameters; they were read as part of the last one.
    #[error("lines follow the parameters; they were read as part of the last parameter")]
    TextAfterParameters,
    /// The exact prompt does not belong to the prompt lines, which someone must have edited.
    #[error("the parameter `{key}` does not match the prompt lines and was left out")]
    StaleExactPrompt {
        /// [`EXACT_PROMPT`] or [`EXACT_NEGATIVE_PROMPT`].
        key: &'static str,
    },
    /// A value cannot be read.
    #[error("{key} is {value:?}, which cannot be read ({reason}); it was left out")]
    Unreadable {
        /// The parameter.
        key: String,
        /// Its value.
        value: String,
        /// Why.
        reason: String,
    },
    /// Prompt editing meant something else in the version that made the picture.
    #[error(
        "made with A1111 {version}: `[from:to:when]` is read as it has been since 1.6.0, and a `when` of 1 or more with \
         a decimal point meant a step before"
    )]
    OldPromptEditing {
        /// The version.
        version: String,
    },
    /// The picture was made with something that Tarim does not do.
    #[error("{key}: {value} was used to make the picture and is not supported; the picture will differ")]
    Unsupported {
        /// The parameter.
        key: String,
        /// Its value.
        value: String,
    },
}

//! Parameters as a JSON object, which SwarmUI, Fooocus and Easy Diffusion write where others have an infotext.

use serde_json::{Map, Value};

use super::Infotext;

/// Reads a text that is one JSON object with a prompt.
pub(super) fn read(text: &str) -> Option<Infotext> {
    if !text.starts_with('{') {
        return None;
    }
    let outer: Map<String, Value> = serde_json::from_str(text).ok()?;
    // SwarmUI keeps its parameters apart from dates and hashes.
    let members = match outer.get("sui_image_params") {
        Some(Value::Object(inner)) => inner,
        _ => &outer,
    };
    let text_of = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut infotext = Infotext { prompt: text_of(members.get("prompt")?), ..Infotext::default() };
    for (key, value) in members {
        match key.as_str() {
            "prompt" => {}
            "negative_prompt" | "negativeprompt" => infotext.negative_prompt = text_of(value),
            _ if value.is_null() => {}
            _ => infotext.parameters.push((key.clone(), text_of(value))),
        }
    }
    Some(infotext)
}

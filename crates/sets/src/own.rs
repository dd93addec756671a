//! Cells of models, LoRAs, counts and names of files.

use tarim_recipe::ModelRef;

use crate::{
    problem::{Code, Problem, shown},
    row::{MAX_COUNT, TemplateMode},
    value,
};

#[allow(clippy::needless_pass_by_value)] // to be handed to `map_err`
pub(crate) fn unknown_name(error: tarim_recipe::UnknownName) -> Problem {
    let names: Vec<String> = error.nearest.iter().map(|name| format!("`{name}`")).collect();
    let problem = Problem::error(Code::UnknownName, format!("unknown {} {}", error.kind, shown(&error.name)))
        .hint(format!("did you mean {}?", names.join(", ")));
    match error.nearest.first() {
        Some(nearest) => problem.fix(*nearest),
        None => problem,
    }
}

pub(crate) fn sha256(text: &str) -> Option<String> {
    (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_ascii_lowercase())
}

/// `folder/name.safetensors [6ce0161689]`, as A1111 names models.
pub(crate) fn model(text: &str) -> ModelRef {
    let (name, hash) = match text.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        Some((name, hash)) if hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            (name.trim_end(), Some(hash.to_ascii_lowercase()))
        }
        _ => (text, None),
    };
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let lower = name.to_ascii_lowercase();
    let ending = [".safetensors", ".ckpt", ".pth", ".pt"].into_iter().find(|ending| lower.ends_with(ending));
    let stem = ending.and_then(|ending| name.get(..name.len() - ending.len())).unwrap_or(name);
    ModelRef { name: stem.to_owned(), hash }
}

/// `name`, `name:0.8`, `<lora:name:0.8>`, several of them apart by commas, as tags.
pub(crate) fn loras(text: &str) -> Result<Vec<String>, Problem> {
    let spaced = text.replace("><", ">,<");
    let one = |part: &str| {
        let inner = part.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let inner = inner.map_or(part, |tag| tag.strip_prefix("lora:").unwrap_or(tag));
        let inner = inner.replace('：', ":");
        let (name, weights) = inner.split_once(':').unwrap_or((&inner, "1"));
        let (name, weights) = (name.trim(), weights.trim());
        let readable = |weight: &str| {
            let weight = weight.split_once('=').map_or(weight, |(_, value)| value);
            value::number(weight).is_ok()
        };
        if name.is_empty() || name.contains(['<', '>']) || !weights.split(':').all(readable) {
            return Err(Problem::error(
                Code::NotANumber,
                format!("{} is not a LoRA and its weight", shown(part)),
            )
            .hint("write name:0.8, several of them apart by commas"));
        }
        Ok(format!("<lora:{name}:{weights}>"))
    };
    value::list(&spaced).map(one).collect()
}

pub(crate) fn count(text: &str) -> Result<u32, Problem> {
    check_count(u64::from(value::whole(text)?))
}

pub(crate) fn check_count(count: u64) -> Result<u32, Problem> {
    match u32::try_from(count) {
        Ok(0) => Err(Problem::error(Code::OutOfRange, "the count is 0, which makes no picture")
            .hint("write 1 or more, or switch the row off in a column `enabled`")
            .fix("1")),
        Ok(count) if count <= MAX_COUNT => Ok(count),
        _ => Err(Problem::error(
            Code::OutOfRange,
            format!("the count is {count}; a row makes at most {MAX_COUNT} pictures"),
        )
        .hint("spread them over several rows")
        .fix(MAX_COUNT.to_string())),
    }
}

pub(crate) fn rating(text: &str) -> Result<u8, Problem> {
    let stars = text.chars().filter(|c| matches!(c, '★' | '⭐' | '*')).count();
    let rating = if stars > 0 { u32::try_from(stars).unwrap_or(u32::MAX) } else { value::whole(text)? };
    u8::try_from(rating).ok().filter(|rating| *rating <= 5).ok_or_else(|| {
        Problem::error(Code::OutOfRange, format!("the rating is {rating}; allowed are 0 to 5")).fix("5")
    })
}

pub(crate) fn template_mode(text: &str) -> Result<TemplateMode, Problem> {
    value::named(
        "template mode",
        text,
        &[
            (TemplateMode::Off, &["off", "none", "no", "false", "关", "关闭", "關閉", "否"]),
            (TemplateMode::Random, &["random", "~", "随机", "隨機"]),
            (TemplateMode::Combinatorial, &["combinatorial", "all", "!", "组合", "全部", "排列组合", "組合"]),
            (TemplateMode::Cyclic, &["cyclic", "cyclical", "cycle", "@", "循环", "循環", "轮流", "輪流"]),
        ],
    )
}

/// Whether a text can be a file's name on every system.
pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];
    const FORBIDDEN: [char; 9] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let device = DEVICES.iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|rest| match *device {
            "com" | "lpt" => rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()),
            _ => rest.is_empty(),
        })
    });
    let wrong = |c: char| c.is_control() || FORBIDDEN.contains(&c);
    let reason = if let Some(c) = name.chars().find(|c| wrong(*c)) {
        format!("the character {c:?} may not be in a file's name")
    } else if device {
        "Windows keeps that name for a device".to_owned()
    } else if name.len() > 200 {
        format!("it is {} bytes long, and 200 are the most", name.len())
    } else if name.starts_with('.') || name.ends_with('.') {
        "a file's name may not begin or end with a full stop".to_owned()
    } else {
        return Ok(());
    };
    let mut fixed: String = name.chars().map(|c| if wrong(c) { '_' } else { c }).collect();
    if device {
        fixed.push('_');
    }
    while fixed.len() > 200 {
        fixed.pop();
    }
    let fixed = fixed.trim_matches('.').trim();
    let problem = Problem::error(Code::BadName, format!("{} is no name for a file: {reason}", shown(name)));
    Err(if fixed.is_empty() { problem } else { problem.fix(fixed) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models() {
        let check = |text: &str, name: &str, hash: Option<&str>| {
            let expected = ModelRef { name: name.to_owned(), hash: hash.map(str::to_owned) };
            assert_eq!(model(text), expected, "{text}");
        };
        check("v1-5-pruned", "v1-5-pruned", None);
        check("sd/v1-5.safetensors [6CE0161689]", "v1-5", Some("6ce0161689"));
        check(r"sd\模型.ckpt", "模型", None);
        check("model [anime]", "model [anime]", None);
    }

    #[test]
    fn lora_cells() {
        let read = |text: &str| loras(text).map(|tags| tags.join(" ")).map_err(|problem| problem.code);
        assert_eq!(read("detail:0.8, ink").as_deref(), Ok("<lora:detail:0.8> <lora:ink:1>"));
        assert_eq!(read("<lora:a:0.5:0.7><lora:b:1>").as_deref(), Ok("<lora:a:0.5:0.7> <lora:b:1>"));
        assert_eq!(read("墨：0.6；细节").as_deref(), Ok("<lora:墨:0.6> <lora:细节:1>"));
        assert_eq!(read("a:te=0.5:unet=1").as_deref(), Ok("<lora:a:te=0.5:unet=1>"));
        assert_eq!(read("a:strong"), Err(Code::NotANumber));
    }

    #[test]
    fn names_of_files() {
        let fix = |name: &str| check_name(name).err().map(|problem| problem.fix.unwrap_or_default());
        assert_eq!(fix("avatar 001"), None);
        assert_eq!(fix("头像"), None);
        assert_eq!(fix("a/b:c").as_deref(), Some("a_b_c"));
        assert_eq!(fix("con").as_deref(), Some("con_"));
        assert_eq!(fix("com1.png").as_deref(), Some("com1.png_"));
        assert_eq!(fix("console"), None);
        assert_eq!(fix(".."), Some(String::new()));
    }
}

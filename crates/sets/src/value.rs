//! What people write in cells: numbers in any width of digits, sizes, seeds, words for yes and no.

use tarim_recipe::{Emphasis, MaskFill, NoiseSource, Precision, ResizeMode, Seed};
use unicode_normalization::UnicodeNormalization;

use crate::{
    field::fold,
    problem::{Code, Problem, shown},
};

type Read<T> = Result<T, Problem>;

/// Full-width characters as their usual ones (`５１２，５` is `512,5`), without space at the ends.
pub(crate) fn plain(text: &str) -> String {
    let text = text.trim();
    if text.is_ascii() { text.to_owned() } else { text.nfkc().collect::<String>().trim().to_owned() }
}

fn not_a_number(text: &str, wanted: &str) -> Problem {
    if is_date(text) {
        return Problem::error(
            Code::ChangedBySpreadsheet,
            format!("{} is a date, not {wanted}", shown(text)),
        )
        .hint("the spreadsheet took what was typed for a date; format the column as text and type it again");
    }
    if text.starts_with('=') {
        return Problem::error(Code::NotANumber, format!("{} is a formula, not {wanted}", shown(text)))
            .hint("put its result there instead");
    }
    Problem::error(Code::NotANumber, format!("{} is not {wanted}", shown(text)))
}

/// `2024-01-05`, `2024/1/5`, `Jan-05`, `1月5日`: what spreadsheets make of `1-5`.
fn is_date(text: &str) -> bool {
    let short = text.chars().count() <= 30;
    let parts: Vec<&str> = text.split(['-', '/', ' ', 'T', ':', '.']).collect();
    let numbers = parts.iter().filter(|part| part.parse::<u32>().is_ok()).count();
    let month = parts.iter().any(|part| {
        let lower = part.to_lowercase();
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
            .contains(&lower.as_str())
    });
    let chinese = text.contains('月') && text.chars().any(|c| c.is_ascii_digit());
    short && ((numbers >= 3 && parts.len() >= 3) || (month && numbers >= 1) || chinese)
}

/// Digits with or without separators between thousands, and a fraction of zeros, as integer digits.
fn integer_digits(text: &str) -> Option<String> {
    let text = text.strip_suffix("px").or_else(|| text.strip_suffix("PX")).unwrap_or(text).trim_end();
    let text = match text.split_once('.') {
        Some((whole, zeros)) if !whole.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let mut groups = digits.split([',', ' ', '\'']);
    let first = groups.next()?;
    let mut joined = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return None;
        }
        joined.push_str(group);
    }
    let good = !joined.is_empty() && joined.len() <= 40 && joined.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| format!("{sign}{joined}"))
}

/// A whole number of at least 0.
pub(crate) fn whole(text: &str) -> Read<u32> {
    let text = plain(text);
    let Some(digits) = integer_digits(&text) else {
        let float = text.parse::<f64>().ok().filter(|value| value.is_finite());
        let problem = not_a_number(&text, "a whole number");
        return Err(match float {
            Some(value) if value.fract() != 0.0 => problem.fix(format!("{}", value.round())),
            _ => problem,
        });
    };
    digits.parse().map_err(|_| {
        let what = if digits.starts_with('-') { "below 0" } else { "too large" };
        Problem::error(Code::OutOfRange, format!("{} is {what}", shown(&text)))
    })
}

/// A number, also a percentage and one with a decimal comma.
pub(crate) fn number(text: &str) -> Read<f64> {
    let text = plain(text);
    let (digits, factor) = match text.strip_suffix('%') {
        Some(digits) => (digits.trim_end(), 0.01),
        None => (text.as_str(), 1.0),
    };
    let with_point = if digits.contains('.') { digits.to_owned() } else { digits.replacen(',', ".", 1) };
    // `inf` and `nan` are words to a person.
    let numeric = with_point.bytes().any(|byte| byte.is_ascii_digit());
    let parsed = if numeric { with_point.parse::<f64>().ok() } else { None };
    match parsed.filter(|value| value.is_finite()) {
        Some(value) if factor < 1.0 => Ok((value * 1e9).round() / 1e11),
        Some(value) => Ok(value),
        None => Err(not_a_number(&text, "a number")),
    }
}

/// A seed; `None` for a random one.
pub(crate) fn seed(text: &str) -> Read<Option<Seed>> {
    let text = plain(text);
    let lower = text.to_lowercase();
    if matches!(lower.as_str(), "" | "-1" | "-1.0" | "random" | "rand" | "随机" | "隨機" | "?") {
        return Ok(None);
    }
    if let Some(hex) = lower.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).map(|seed| Some(Seed(seed))).map_err(|_| {
            Problem::error(Code::NotANumber, format!("{} is not a hexadecimal seed", shown(&text)))
        });
    }
    if let Some(digits) = integer_digits(&text) {
        return digits.parse().map(Some).map_err(|_| {
            Problem::error(
                Code::OutOfRange,
                format!(
                    "seed is {text}; allowed are whole numbers from 0 to {}, and -1 for a random one",
                    u64::MAX
                ),
            )
        });
    }
    if let Ok(value) = text.parse::<f64>()
        && lower.contains('e')
    {
        // `1E+05` is exact, `4.29497E+09` is what is left of a longer number.
        let mantissa = lower.split('e').next().unwrap_or_default();
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
        if value >= 0.0 && value.fract() == 0.0 && value < 1e15 && digits <= 3 {
            return Ok(Some(Seed(value as u64)));
        }
        return Err(Problem::error(
            Code::ChangedBySpreadsheet,
            format!("{} has lost digits of the seed", shown(&text)),
        )
        .hint("format the column as text in the spreadsheet, and put the seed in again"));
    }
    Err(not_a_number(&text, "a seed").hint("write a whole number, or -1 for a random one"))
}

/// Two sides: `512x768`, `512×768`, `512*768`, or one for a square.
pub(crate) fn size(text: &str) -> Read<(u32, u32)> {
    let text = plain(text);
    let malformed = || not_a_number(&text, "a size").hint("write width and height as in 512x768");
    let separators = ['x', 'X', '×', '*', '✕', '✖', 'х', '乘', ';', ':', '|'];
    let mut sides = text.splitn(2, separators);
    let (width, height) = match (sides.next(), sides.next()) {
        (Some(width), Some(height)) => (width, height),
        _ => match text.split_once([',', ' ']) {
            Some((width, height)) if !width.is_empty() => (width, height),
            _ => (text.as_str(), text.as_str()),
        },
    };
    let side = |text: &str| {
        let digits = integer_digits(text.trim()).ok_or_else(malformed)?;
        digits.parse::<u32>().map_err(|_| {
            Problem::error(Code::OutOfRange, format!("size is {}; sides are 64 to 8192 pixels", shown(text)))
        })
    };
    Ok((side(width)?, side(height)?))
}

/// Yes or no.
pub(crate) fn truth(text: &str) -> Read<bool> {
    match plain(text).to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "on" | "t" | "是" | "真" | "对" | "對" | "开" | "開" | "√" | "✓"
        | "✔" | "x" => Ok(true),
        "false" | "no" | "n" | "0" | "off" | "f" | "否" | "假" | "错" | "錯" | "关" | "關" | "×" | "✗"
        | "✘" | "" => Ok(false),
        _ => Err(Problem::error(Code::UnknownName, format!("{} is neither yes nor no", shown(text)))
            .hint("write true or false, yes or no, 是 or 否")),
    }
}

/// One of some names; for each value all of its names, the canonical one first.
pub(crate) fn named<T: Copy>(what: &str, text: &str, names: &[(T, &[&'static str])]) -> Read<T> {
    let folded = fold(text);
    let found = names.iter().find(|(_, all)| all.iter().any(|name| fold(name) == folded));
    if let Some((value, _)) = found {
        return Ok(*value);
    }
    let canonical: Vec<&str> = names.iter().filter_map(|(_, all)| all.first().copied()).collect();
    let problem = Problem::error(Code::UnknownName, format!("unknown {what} {}", shown(text)))
        .hint(format!("allowed are {}", canonical.join(", ")));
    // Names are short; what is longer is no misspelling.
    let near = |(_, all): &&(T, &[&'static str])| {
        let best = all
            .iter()
            .map(|name| strsim::normalized_damerau_levenshtein(&folded, &fold(name)))
            .fold(0.0, f64::max);
        (best * 1000.0) as u32
    };
    let nearest = if folded.len() <= 100 { names.iter().max_by_key(near) } else { None };
    Err(match nearest.filter(|entry| near(entry) >= 600).and_then(|(_, all)| all.first()) {
        Some(name) => problem.fix(*name),
        None => problem,
    })
}

pub(crate) fn noise_source(text: &str) -> Read<NoiseSource> {
    named("noise source", text, &[(NoiseSource::Cpu, &["cpu"]), (NoiseSource::Nv, &["nv", "gpu", "cuda"])])
}

pub(crate) fn emphasis(text: &str) -> Read<Emphasis> {
    named(
        "emphasis",
        text,
        &[
            (Emphasis::Original, &["original"]),
            (Emphasis::NoNorm, &["no_norm"]),
            (Emphasis::Ignore, &["ignore"]),
            (Emphasis::None, &["none"]),
            (Emphasis::ComfyUi, &["comfy_ui", "comfy"]),
        ],
    )
}

pub(crate) fn precision(text: &str) -> Read<Precision> {
    named(
        "precision",
        text,
        &[
            (Precision::Fp32, &["fp32", "float32", "float", "full"]),
            (Precision::Bf16, &["bf16", "bfloat16"]),
            (Precision::Fp16, &["fp16", "float16", "half"]),
        ],
    )
}

pub(crate) fn resize_mode(text: &str) -> Read<ResizeMode> {
    named(
        "resize mode",
        text,
        &[
            (ResizeMode::Stretch, &["stretch", "just resize", "0", "拉伸"]),
            (ResizeMode::Crop, &["crop", "crop and resize", "1", "裁剪", "裁切"]),
            (ResizeMode::Fill, &["fill", "resize and fill", "2", "填充"]),
        ],
    )
}

pub(crate) fn mask_fill(text: &str) -> Read<MaskFill> {
    named(
        "mask fill",
        text,
        &[
            (MaskFill::Fill, &["fill", "0", "填充"]),
            (MaskFill::Original, &["original", "1", "原图", "原圖"]),
            (MaskFill::LatentNoise, &["latent_noise", "2", "潜空间噪声", "潛空間雜訊"]),
            (MaskFill::LatentNothing, &["latent_nothing", "3", "空白潜空间", "潛空間空白"]),
        ],
    )
}

/// Whether only the surroundings of the mask are rendered.
pub(crate) fn only_masked(text: &str) -> Read<bool> {
    named(
        "mask area",
        text,
        &[
            (false, &["whole_picture", "whole image", "false", "0", "整张图片", "全图", "整張圖片"]),
            (true, &["only_masked", "true", "1", "仅蒙版区域", "仅蒙版", "僅遮罩區域"]),
        ],
    )
}

pub(crate) fn mask_invert(text: &str) -> Read<bool> {
    match fold(text).as_str() {
        "inpaintmasked" => Ok(false),
        "inpaintnotmasked" => Ok(true),
        _ => truth(text),
    }
}

/// The parts of a list, apart by commas, semicolons, line ends and their Chinese forms.
pub(crate) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '\n', '，', '；', '、', '|']).map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let whole = |text| whole(text).ok();
        assert_eq!(whole("20"), Some(20));
        assert_eq!(whole(" ２０ "), Some(20));
        assert_eq!(whole("20.0"), Some(20));
        assert_eq!(whole("1,024"), Some(1024));
        assert_eq!(whole("１，０２４"), Some(1024));
        assert_eq!(whole("512px"), Some(512));
        assert_eq!(whole("1,02"), None);
        assert_eq!(whole("20.5"), None);
        assert_eq!(whole("-3"), None);
        assert_eq!(whole(""), None);
        let number = |text| number(text).ok();
        assert_eq!(number("7.5"), Some(7.5));
        assert_eq!(number("７．５"), Some(7.5));
        assert_eq!(number("7,5"), Some(7.5));
        assert_eq!(number("75%"), Some(0.75));
        assert_eq!(number("-.5"), Some(-0.5));
        assert_eq!(number("nan"), None);
        assert_eq!(number("inf"), None);
        assert_eq!(number("seven"), None);
    }

    #[test]
    fn seeds() {
        let good = |text: &str, expected: Option<u64>| {
            assert_eq!(seed(text), Ok(expected.map(Seed)), "{text}");
        };
        good("", None);
        good("-1", None);
        good("随机", None);
        good("Random", None);
        good("18446744073709551615", Some(u64::MAX));
        good("１２３", Some(123));
        good("0xff", Some(255));
        good("4,294,967,295", Some(u64::from(u32::MAX)));
        good("42.0", Some(42));
        let code = |text: &str| seed(text).unwrap_err().code;
        assert_eq!(code("18446744073709551616"), Code::OutOfRange);
        assert_eq!(code("-2"), Code::OutOfRange);
        assert_eq!(code("4.29497E+09"), Code::ChangedBySpreadsheet);
        assert_eq!(code("2024-01-05"), Code::ChangedBySpreadsheet);
        assert_eq!(code("abc"), Code::NotANumber);
    }

    #[test]
    fn sizes() {
        for text in ["512x768", "512×768", "５１２×７６８", "512 * 768", "512X768px", "512,768", "512＊768"]
        {
            assert_eq!(size(text).ok(), Some((512, 768)), "{text}");
        }
        assert_eq!(size("640").ok(), Some((640, 640)));
        assert_eq!(size("100000x512").ok(), Some((100_000, 512)));
        assert!(size("wide").is_err());
        assert!(size("512x").is_err());
        assert!(size("x").is_err());
    }

    #[test]
    fn names() {
        assert_eq!(precision("FP16"), Ok(Precision::Fp16));
        assert_eq!(mask_fill("latent noise"), Ok(MaskFill::LatentNoise));
        assert_eq!(precision("fp61").unwrap_err().fix.as_deref(), Some("fp16"));
        assert_eq!(truth("是"), Ok(true));
        assert_eq!(mask_invert("Inpaint not masked"), Ok(true));
        assert!(truth("perhaps").is_err());
    }
}

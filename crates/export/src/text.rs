//! Text on pictures, with the font that ships: Latin, Greek, Cyrillic, kana and Chinese.

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};
use image::{Rgb, RgbImage};

const FONT: &[u8] = include_bytes!("../../../assets/fonts/NotoSansSC-Tarim.otf");
const CLOSING: &str = "，。、；：？！）】》」』”’％,.;:?!)]}%";
/// The height of a line, in sizes of the font.
const LINE: f32 = 1.35;

/// The font, at any size.
pub struct Pen {
    font: FontRef<'static>,
}

/// Why the font that ships cannot be used, which a test rules out.
#[derive(Debug, thiserror::Error)]
#[error("the font of this program is damaged")]
pub struct NoFont;

impl Pen {
    /// Takes the font.
    pub fn new() -> Result<Self, NoFont> {
        Ok(Self { font: FontRef::try_from_slice(FONT).map_err(|_| NoFont)? })
    }

    /// The height of a line, in pixels.
    pub fn line_height(size: f32) -> u32 {
        (size * LINE).ceil() as u32
    }

    /// The width of a line of text, in pixels.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        let font = self.font.as_scaled(PxScale::from(size));
        text.chars().map(|c| font.h_advance(font.glyph_id(c))).sum()
    }

    /// Whether the font has a character.
    pub fn has(&self, c: char) -> bool {
        self.font.glyph_id(c) != GlyphId(0)
    }

    /// Breaks a text into lines of at most `width` pixels, and at most `lines` of them; what does not fit is cut, with an
    /// ellipsis.
    pub fn wrap(&self, text: &str, size: f32, width: u32, lines: usize) -> Vec<String> {
        let width = width as f32;
        let mut wrapped: Vec<String> = Vec::new();
        let mut line = String::new();
        let mut words = words(text).into_iter().peekable();
        let mut cut = false;
        while let Some(word) = words.next() {
            let joined = format!("{line}{word}");
            if self.width(joined.trim_end(), size) <= width {
                line = joined;
                continue;
            }
            if !line.trim().is_empty() {
                wrapped.push(line.trim_end().to_owned());
            }
            word.trim_start().clone_into(&mut line);
            // A word that is wider than the line is broken wherever it must.
            while self.width(line.trim_end(), size) > width && wrapped.len() <= lines {
                let mut head = String::new();
                for c in line.chars() {
                    head.push(c);
                    if self.width(&head, size) > width && head.chars().nth(1).is_some() {
                        head.pop();
                        break;
                    }
                }
                line = line[head.len()..].to_owned();
                wrapped.push(head);
                if line.is_empty() {
                    break;
                }
            }
            if wrapped.len() >= lines {
                cut = !line.trim().is_empty() || words.peek().is_some();
                break;
            }
        }
        if wrapped.len() < lines && !line.trim().is_empty() {
            wrapped.push(line.trim_end().to_owned());
        } else if wrapped.len() > lines {
            cut = true;
        }
        wrapped.truncate(lines);
        if cut && let Some(last) = wrapped.last_mut() {
            while !last.is_empty() && self.width(&format!("{last}…"), size) > width {
                last.pop();
            }
            last.push('…');
        }
        wrapped
    }

    /// Writes one line; `x` and `y` are its left upper corner. What stands over the edge is cut.
    pub fn write(&self, picture: &mut RgbImage, text: &str, size: f32, x: f32, y: f32, colour: Rgb<u8>) {
        let font = self.font.as_scaled(PxScale::from(size));
        let mut at = x;
        let baseline = y + size * 0.08 + font.ascent().min(size * 1.1);
        for c in text.chars() {
            let id = font.glyph_id(c);
            let glyph = id.with_scale_and_position(PxScale::from(size), point(at, baseline));
            at += font.h_advance(id);
            let Some(outline) = self.font.outline_glyph(glyph) else { continue };
            let bounds = outline.px_bounds();
            outline.draw(|dx, dy, coverage| {
                let (x, y) = (bounds.min.x + dx as f32, bounds.min.y + dy as f32);
                if x < 0.0 || y < 0.0 {
                    return;
                }
                if let Some(pixel) = picture.get_pixel_mut_checked(x as u32, y as u32) {
                    let coverage = coverage.clamp(0.0, 1.0);
                    for (old, new) in pixel.0.iter_mut().zip(colour.0) {
                        *old = (f32::from(*old) * (1.0 - coverage) + f32::from(new) * coverage).round() as u8;
                    }
                }
            });
        }
    }

    /// Writes lines into a box, each in its middle.
    pub fn write_centred(
        &self,
        picture: &mut RgbImage,
        lines: &[String],
        size: f32,
        area: (u32, u32, u32, u32),
        colour: Rgb<u8>,
    ) {
        let (x, y, width, height) = area;
        let line = Self::line_height(size);
        let top = y as f32 + (height as f32 - (line * lines.len() as u32) as f32) / 2.0;
        for (index, text) in lines.iter().enumerate() {
            let left = x as f32 + (width as f32 - self.width(text, size)) / 2.0;
            self.write(picture, text, size, left, top + (index as u32 * line) as f32, colour);
        }
    }
}

/// The parts between which a line may be broken, spaces at their ends.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut free = true;
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        let single = ('\u{2e80}'..='\u{ffef}').contains(&c);
        match words.last_mut() {
            // What closes a phrase never begins a line.
            Some(word) if c == ' ' || CLOSING.contains(c) || !(free || single) => word.push(c),
            _ => words.push(c.to_string()),
        }
        free = c == ' ' || single;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_latin_and_both_kinds_of_chinese() {
        let pen = Pen::new().unwrap();
        for c in "Prompt S/R ×→…äЖΩ 提示词采样步数模型種子採樣「」，。￥１Ａ".chars().filter(|c| *c != ' ')
        {
            assert!(pen.has(c), "{c}");
        }
    }

    #[test]
    fn lines_are_broken_at_spaces_and_between_chinese_characters_and_cut_at_last() {
        let pen = Pen::new().unwrap();
        let wrap = |text: &str, width, lines| pen.wrap(text, 20.0, width, lines);
        assert_eq!(wrap("a red fox", 1000, 3), ["a red fox"]);
        let too_narrow = pen.width("a red fox in", 20.0) as u32 - 1;
        assert_eq!(wrap("a red fox in snow", too_narrow, 3), ["a red fox", "in snow"]);
        let three = pen.width("一只在", 20.0) as u32 + 1;
        assert_eq!(wrap("一只在雪地里的狐狸", three, 9), ["一只在", "雪地里", "的狐狸"]);
        let cut = wrap("一只在雪地里的狐狸", three, 2);
        assert!(cut.len() == 2 && cut[1].ends_with('…'), "{cut:?}");
        let long = wrap(&"x".repeat(500), 100, 3);
        assert!(long.len() == 3 && long[2].ends_with('…'), "{long:?}");
        for line in long {
            assert!(pen.width(&line, 20.0) <= 100.0);
        }
        assert!(wrap("", 50, 3).is_empty());
    }
}

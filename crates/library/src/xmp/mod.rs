//! The XMP packet: that the picture is made by a machine, said so that platforms read it, and what people think of it,
//! said so that other programs show it.

mod read;
mod walk;
mod write;

pub(crate) use read::read;
pub(crate) use write::{packet, with_metadata};

use tarim_recipe::Recipe;

/// How a picture came to be, a term of IPTC's vocabulary <http://cv.iptc.org/newscodes/digitalsourcetype/>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DigitalSourceType {
    /// Drawn by a trained model from text.
    TrainedAlgorithmicMedia,
    /// Drawn by a trained model from, or into, an existing picture.
    CompositeWithTrainedAlgorithmicMedia,
}

impl DigitalSourceType {
    /// The term for what a recipe draws.
    pub fn of(recipe: &Recipe) -> Self {
        match recipe.init {
            None => Self::TrainedAlgorithmicMedia,
            Some(_) => Self::CompositeWithTrainedAlgorithmicMedia,
        }
    }

    /// The term's address, the value of `Iptc4xmpExt:DigitalSourceType`.
    pub fn uri(self) -> &'static str {
        match self {
            Self::TrainedAlgorithmicMedia => {
                "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
            }
            Self::CompositeWithTrainedAlgorithmicMedia => {
                "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
            }
        }
    }
}

/// Namespaces, with the prefixes that they usually have.
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";
const XMP_MM: &str = "http://ns.adobe.com/xap/1.0/mm/";
const DC: &str = "http://purl.org/dc/elements/1.1/";
/// What no standard has a name for.
const TARIM: &str = "https://tarim.studio/ns/1.0/";
/// What `xmpMM:DocumentID` and its kin begin with when they hold one of our ids.
const UUID: &str = "uuid:";

/// Text for an XML element. Characters that XML 1.0 cannot hold at all become U+FFFD.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' => escaped.push(c),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quick_xml::{Reader, events::Event};

    /// The text of every element, which a reader that checks end names gives only for well-formed XML.
    fn texts(xml: &str) -> Vec<String> {
        let mut reader = Reader::from_str(xml);
        let (mut texts, mut open) = (Vec::new(), String::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(_) => open.clear(),
                Event::Text(text) => open.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let name = reference.xml10_content();
                    open.push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap());
                }
                Event::End(_) => texts.push(std::mem::take(&mut open)),
                Event::Eof => return texts,
                _ => {}
            }
        }
    }

    #[test]
    fn well_formed() {
        for tool in ["Tarim 0.1.0", "<&>\"' ]]>", "塔里木 🐫", "a\u{0}b"] {
            let xml = packet(tool, DigitalSourceType::CompositeWithTrainedAlgorithmicMedia);
            let texts = texts(&xml);
            assert_eq!(texts[0], tool.replace('\u{0}', "\u{fffd}"));
            assert_eq!(texts[1], DigitalSourceType::CompositeWithTrainedAlgorithmicMedia.uri());
        }
    }
}

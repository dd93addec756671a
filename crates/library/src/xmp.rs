//! The XMP packet: that the picture is made by a machine, said so that platforms read it.

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

/// An XMP packet (ISO 16684-1, 7.3.2: UTF-8, no padding, since nobody edits it in place).
pub(crate) fn packet(creator_tool: &str, source: DigitalSourceType) -> String {
    let tool = escape(creator_tool);
    let source = source.uri();
    format!(
        r#"<?xpacket begin="{bom}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <xmp:CreatorTool>{tool}</xmp:CreatorTool>
   <Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"#,
        bom = '\u{feff}',
    )
}

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

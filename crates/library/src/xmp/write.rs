//! Writing packets.

use std::{fmt::Write, ops::Range};

use super::{
    DC, DigitalSourceType, RDF, TARIM, UUID, XMP, XMP_MM, escape,
    walk::{Property, Walk, walk},
};
use crate::{metadata::Metadata, pictures::Flag};

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

/// A packet with these metadata in place of those that it had. Everything else in it, of other programs too, stays as it
/// is; a packet that is no XML gives way to a new one.
pub(crate) fn with_metadata(packet: Option<&str>, metadata: &Metadata) -> String {
    const EMPTY: &str = "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>
<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">
 <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end=\"r\"?>";
    let packet = packet.unwrap_or(EMPTY).trim_start_matches('\u{feff}');
    let Walk { properties, descriptions, rdf_end: Some(rdf_end) } = walk(packet) else {
        return with_metadata(None, metadata);
    };
    let mut foreign_id = false;
    // Ranges of the packet, and what takes their place.
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for (index, description) in descriptions.iter().enumerate() {
        let own = properties.iter().filter(|property| property.description == index);
        let (ours, others): (Vec<_>, Vec<_>) = own.partition(|property| is_ours(property));
        foreign_id |= others.iter().any(|property| property.is(XMP_MM, "DocumentID"));
        if ours.is_empty() {
            continue;
        }
        if others.is_empty() {
            edits.push((with_space_before(packet, description.all.clone()), String::new()));
            continue;
        }
        for property in &ours {
            if let Some(element) = &property.element {
                edits.push((with_space_before(packet, element.clone()), String::new()));
            } else {
                let without = |name: &str| !ours.iter().any(|p| p.element.is_none() && p.raw_name == name);
                edits.push((description.tag.clone(), description.tag_with(without)));
            }
        }
    }
    edits.push((with_space_before(packet, rdf_end..rdf_end), block(metadata, foreign_id)));
    edits.sort_by_key(|(range, _)| range.start);
    edits.dedup_by(|later, earlier| later.0 == earlier.0 && later.1 == earlier.1);
    let mut result = String::with_capacity(packet.len() + 1024);
    let mut at = 0;
    for (range, text) in edits {
        result.push_str(packet.get(at..range.start).unwrap_or_default());
        result.push_str(&text);
        at = range.end.max(at);
    }
    result.push_str(packet.get(at..).unwrap_or_default());
    result
}

/// Whether a property is replaced by what the metadata say.
fn is_ours(property: &Property) -> bool {
    let uuid = |text: &str| text.strip_prefix(UUID).is_some_and(|id| id.parse::<crate::id::Id>().is_ok());
    match (property.namespace.as_str(), property.name.as_str()) {
        (TARIM, _) | (XMP, "Rating" | "CreateDate") | (DC, "subject") => true,
        // Another program's ids stay; ours stands beside them then.
        (XMP_MM, "DocumentID") => property.values.first().is_some_and(|value| uuid(value)),
        (XMP_MM, "DerivedFrom") => property.inner("documentID").is_some_and(uuid),
        _ => false,
    }
}

fn with_space_before(packet: &str, range: Range<usize>) -> Range<usize> {
    let before = packet.get(..range.start).unwrap_or_default();
    before.trim_end().len()..range.end
}

/// The description that holds what is ours; nothing, if that is nothing.
fn block(metadata: &Metadata, foreign_id: bool) -> String {
    let mut lines = String::new();
    let mut element = |name: &str, text: &str| {
        let _ = write!(lines, "\n   <{name}>{}</{name}>", escape(text));
    };
    let Metadata { id, created, parent, derivation, request, rating, flag, .. } = *metadata;
    if let Some(created) = created {
        element("xmp:CreateDate", &created.iso());
    }
    match flag {
        // As Lightroom and Bridge say it; the stars, which it hides, stand in a property of ours.
        Flag::Reject => element("xmp:Rating", "-1"),
        _ if rating > 0 => element("xmp:Rating", &rating.to_string()),
        _ => {}
    }
    if flag == Flag::Reject && rating > 0 {
        element("tarim:rating", &rating.to_string());
    }
    if flag != Flag::None {
        element("tarim:flag", flag.name());
    }
    if let Some(id) = id {
        element(if foreign_id { "tarim:id" } else { "xmpMM:DocumentID" }, &format!("{UUID}{id}"));
    }
    if let Some(derivation) = derivation {
        element("tarim:derivation", derivation.name());
    }
    if let Some(request) = request {
        element("tarim:request", &format!("{UUID}{request}"));
    }
    if let Some(project) = &metadata.project {
        element("tarim:project", project);
    }
    if let Some(parent) = parent {
        let _ = write!(
            lines,
            "\n   <xmpMM:DerivedFrom rdf:parseType=\"Resource\">\n    \
             <stRef:documentID>{UUID}{parent}</stRef:documentID>\n   </xmpMM:DerivedFrom>"
        );
    }
    list(&mut lines, "dc:subject", "Bag", metadata.tags.iter().map(String::as_str));
    list(&mut lines, "tarim:collections", "Seq", metadata.collections.iter().map(|(name, _)| name.as_str()));
    let positions: Vec<_> = metadata.collections.iter().map(|(_, position)| position.to_string()).collect();
    list(&mut lines, "tarim:collectionPositions", "Seq", positions.iter().map(String::as_str));
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "\n  <rdf:Description rdf:about=\"\"\n    xmlns:rdf=\"{RDF}\"\n    xmlns:xmp=\"{XMP}\"\n    \
         xmlns:xmpMM=\"{XMP_MM}\"\n    xmlns:stRef=\"http://ns.adobe.com/xap/1.0/sType/ResourceRef#\"\n    \
         xmlns:dc=\"{DC}\"\n    xmlns:tarim=\"{TARIM}\">{lines}\n  </rdf:Description>"
    )
}

fn list<'a>(lines: &mut String, name: &str, kind: &str, items: impl Iterator<Item = &'a str>) {
    let items = items.fold(String::new(), |mut items, item| {
        let _ = write!(items, "\n     <rdf:li>{}</rdf:li>", escape(item));
        items
    });
    if !items.is_empty() {
        let _ = write!(lines, "\n   <{name}>\n    <rdf:{kind}>{items}\n    </rdf:{kind}>\n   </{name}>");
    }
}

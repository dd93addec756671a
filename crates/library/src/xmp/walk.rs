//! The properties of a packet, with their places in its text.

use std::ops::Range;

use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesStart, Event},
    name::{QName, ResolveResult},
};

use super::RDF;

/// The deepest nesting that is followed. XMP needs 10 or so.
const MAX_DEPTH: usize = 64;
/// The most properties and list items that are looked at.
const MAX_ITEMS: usize = 20_000;

/// What was found up to the packet's end, or up to where it stops being XML.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) properties: Vec<Property>,
    pub(super) descriptions: Vec<Description>,
    /// Where `</rdf:RDF>` begins.
    pub(super) rdf_end: Option<usize>,
}

/// An `rdf:Description` directly below `rdf:RDF`.
#[derive(Debug)]
pub(super) struct Description {
    /// Its start tag's place.
    pub(super) tag: Range<usize>,
    /// The place of all of it.
    pub(super) all: Range<usize>,
    name: String,
    attributes: Vec<(String, String)>,
    is_empty: bool,
}

/// A property of a description.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) namespace: String,
    pub(super) name: String,
    /// Its name as it stands there, with a prefix.
    pub(super) raw_name: String,
    /// The text of a simple one, or the items of a list.
    pub(super) values: Vec<String>,
    /// The fields of a structure, by local name.
    fields: Vec<(String, String)>,
    /// Index of its description.
    pub(super) description: usize,
    /// Its place, unless it is an attribute.
    pub(super) element: Option<Range<usize>>,
}

impl Property {
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// A field of a structure.
    pub(super) fn inner(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

impl Description {
    /// The start tag with some of its attributes.
    pub(super) fn tag_with(&self, keep: impl Fn(&str) -> bool) -> String {
        let mut tag = format!("<{}", self.name);
        for (name, value) in self.attributes.iter().filter(|(name, _)| keep(name)) {
            let quote = if value.contains('"') { '\'' } else { '"' };
            tag.push_str(&format!(" {name}={quote}{value}{quote}"));
        }
        tag.push_str(if self.is_empty { "/>" } else { ">" });
        tag
    }
}

/// Reads a packet. It never fails: what is broken ends it. Entities other than XML's own five are left out, so nothing
/// can be made to grow.
pub(super) fn walk(packet: &str) -> Walk {
    let mut reader = NsReader::from_str(packet);
    reader.config_mut().expand_empty_elements = true;
    let mut walk = Walk::default();
    let mut depth = 0;
    let mut rdf_depth = None;
    // Texts of the elements that are open inside a property, outermost first.
    let mut texts: Vec<String> = Vec::new();
    let mut property_start = 0;
    loop {
        let start = reader.buffer_position() as usize;
        let Ok(event) = reader.read_event() else { break };
        let end = reader.buffer_position() as usize;
        match event {
            Event::Start(tag) => {
                depth += 1;
                if depth > MAX_DEPTH || walk.properties.len() > MAX_ITEMS {
                    break;
                }
                let (namespace, name) = element_name(&reader, tag.name());
                let level = rdf_depth.map(|rdf: usize| depth - rdf);
                match level {
                    None if namespace == RDF && name == "RDF" => rdf_depth = Some(depth),
                    Some(1) if namespace == RDF && name == "Description" => {
                        let is_empty = packet.get(start..end).is_some_and(|tag| tag.ends_with("/>"));
                        begin_description(&reader, &tag, start..end, is_empty, &mut walk);
                    }
                    // A typed node instead of a description: nothing of it is ours.
                    Some(1) => walk.descriptions.push(Description {
                        tag: start..end,
                        all: start..end,
                        name: String::new(),
                        attributes: Vec::new(),
                        is_empty: false,
                    }),
                    Some(2) => {
                        property_start = start;
                        texts = vec![String::new()];
                        walk.properties.push(Property {
                            namespace,
                            name,
                            raw_name: tag.name().as_ref().to_owned(),
                            values: Vec::new(),
                            fields: attributes(&reader, &tag)
                                .into_iter()
                                .map(|(_, _, n, v)| (n, v))
                                .collect(),
                            description: walk.descriptions.len().saturating_sub(1),
                            element: None,
                        });
                    }
                    Some(3..) => {
                        texts.push(String::new());
                        if let Some(property) = walk.properties.last_mut() {
                            property
                                .fields
                                .extend(attributes(&reader, &tag).into_iter().map(|(_, _, n, v)| (n, v)));
                        }
                    }
                    _ => {}
                }
            }
            Event::Text(text) => push(&mut texts, &text.xml10_content()),
            Event::CData(text) => push(&mut texts, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(c)) => c.to_string(),
                    _ => quick_xml::escape::resolve_predefined_entity(&reference.xml10_content())
                        .unwrap_or_default()
                        .to_owned(),
                };
                push(&mut texts, &resolved);
            }
            Event::End(tag) => {
                let (_, name) = element_name(&reader, tag.name());
                match rdf_depth.map(|rdf: usize| depth - rdf) {
                    Some(0) => {
                        // An `<rdf:RDF/>` has no place for anything.
                        walk.rdf_end = (start < end).then_some(start);
                        rdf_depth = None;
                    }
                    Some(1) => {
                        if let Some(description) = walk.descriptions.last_mut() {
                            description.all.end = end;
                        }
                    }
                    Some(2) => end_property(&mut walk, texts.pop().unwrap_or_default(), property_start..end),
                    Some(3..) => {
                        let text = texts.pop().unwrap_or_default();
                        if let Some(property) = walk.properties.last_mut() {
                            if name == "li" && property.values.len() < MAX_ITEMS {
                                property.values.push(text);
                            } else if property.fields.len() < MAX_ITEMS && !text.trim().is_empty() {
                                property.fields.push((name, text));
                            }
                        }
                    }
                    None => {}
                }
                depth = depth.saturating_sub(1);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    walk
}

fn begin_description(
    reader: &NsReader<&[u8]>,
    tag: &BytesStart<'_>,
    place: Range<usize>,
    is_empty: bool,
    walk: &mut Walk,
) {
    let attributes = attributes(reader, tag);
    for (raw_name, namespace, name, value) in &attributes {
        if *namespace == RDF || raw_name.starts_with("xmlns") {
            continue;
        }
        walk.properties.push(Property {
            namespace: namespace.clone(),
            name: name.clone(),
            raw_name: raw_name.clone(),
            values: vec![value.clone()],
            fields: Vec::new(),
            description: walk.descriptions.len(),
            element: None,
        });
    }
    let mut raw = tag.attributes();
    let raw = raw.with_checks(false).flatten();
    let raw = raw.map(|attribute| (attribute.key.as_ref().to_owned(), attribute.value.clone().into_owned()));
    walk.descriptions.push(Description {
        tag: place.clone(),
        all: place,
        name: tag.name().as_ref().to_owned(),
        attributes: raw.collect(),
        is_empty,
    });
}

fn end_property(walk: &mut Walk, text: String, place: Range<usize>) {
    if let Some(property) = walk.properties.last_mut() {
        property.element = Some(place);
        if property.values.is_empty() {
            property.values.push(text);
        }
    }
}

fn push(texts: &mut [String], text: &str) {
    if let Some(open) = texts.last_mut() {
        open.push_str(text);
    }
}

fn element_name(reader: &NsReader<&[u8]>, name: QName<'_>) -> (String, String) {
    let (namespace, local) = reader.resolver().resolve_element(name);
    (uri(&namespace), local.as_ref().to_owned())
}

/// Raw name, namespace, local name and value of each attribute that is well-formed.
fn attributes(reader: &NsReader<&[u8]>, tag: &BytesStart<'_>) -> Vec<(String, String, String, String)> {
    let mut attributes = tag.attributes();
    let attributes = attributes.with_checks(false).flatten().take(MAX_ITEMS);
    attributes
        .filter_map(|attribute| {
            let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
            Some((attribute.key.as_ref().to_owned(), uri(&namespace), local.as_ref().to_owned(), value))
        })
        .collect()
}

fn uri(namespace: &ResolveResult<'_>) -> String {
    match namespace {
        ResolveResult::Bound(namespace) => namespace.as_ref().to_owned(),
        _ => String::new(),
    }
}

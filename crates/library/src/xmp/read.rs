//! Reading packets.

use super::{
    DC, TARIM, UUID, XMP, XMP_MM,
    walk::{Property, walk},
};
use crate::{
    id::Id,
    metadata::Metadata,
    moment::Moment,
    names,
    pictures::{Derivation, Flag},
};

/// The most tags or collections that are taken from one file.
const MAX_NAMES: usize = 500;

/// What a packet says. What it does not say, or says in a way that cannot be understood, is left out.
pub(crate) fn read(packet: &str) -> Metadata {
    let properties = walk(packet.trim_start_matches('\u{feff}')).properties;
    let find = |namespace, name| properties.iter().find(|property| property.is(namespace, name));
    let text = |namespace, name| find(namespace, name).and_then(|property| property.values.first());
    let number = |namespace, name| text(namespace, name).and_then(|text| text.trim().parse::<f64>().ok());
    let names = |property: &Property| -> Vec<String> {
        property.values.iter().filter_map(|name| names::cleaned(name)).take(MAX_NAMES).collect()
    };

    let rating = number(XMP, "Rating").unwrap_or_default();
    let flag = text(TARIM, "flag").and_then(|flag| Flag::from_name(flag.trim())).unwrap_or_default();
    let mut tags = find(DC, "subject").map(names).unwrap_or_default();
    tags.sort();
    tags.dedup();
    let collections = find(TARIM, "collections").map(names).unwrap_or_default();
    let positions = find(TARIM, "collectionPositions").map(|list| list.values.clone()).unwrap_or_default();
    let mut positions =
        positions.iter().map(|position| position.trim().parse().ok().filter(|p: &f64| p.is_finite()));
    Metadata {
        id: text(TARIM, "id").and_then(id).or_else(|| text(XMP_MM, "DocumentID").and_then(id)),
        created: text(XMP, "CreateDate").and_then(|text| Moment::from_iso(text)),
        parent: find(XMP_MM, "DerivedFrom").and_then(|from| from.inner("documentID")).and_then(id),
        derivation: text(TARIM, "derivation").and_then(|name| Derivation::from_name(name.trim())),
        request: text(TARIM, "request").and_then(id),
        rating: if rating < 0.0 { number(TARIM, "rating").unwrap_or_default() } else { rating }
            .clamp(0.0, 5.0) as u8,
        flag: if rating < 0.0 { Flag::Reject } else { flag },
        tags,
        project: text(TARIM, "project").and_then(|name| names::cleaned(name)),
        collections: collections
            .into_iter()
            .map(|name| (name, positions.next().flatten().unwrap_or_default()))
            .collect(),
    }
}

fn id(text: impl AsRef<str>) -> Option<Id> {
    text.as_ref().trim().strip_prefix(UUID)?.parse().ok()
}

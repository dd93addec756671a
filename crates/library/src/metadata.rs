//! What a picture's file says of itself besides its recipe: identity, lineage, and what people think of it.

use crate::{
    id::Id,
    moment::Moment,
    pictures::{Derivation, Flag},
};

/// Metadata that live in the XMP packet. The default is none at all, and then nothing of it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// The picture's id.
    pub id: Option<Id>,
    /// When it was made.
    pub created: Option<Moment>,
    /// The picture that it came from.
    pub parent: Option<Id>,
    /// How it came from there.
    pub derivation: Option<Derivation>,
    /// The request that asked for it.
    pub request: Option<Id>,
    /// 0 (none) to 5.
    pub rating: u8,
    /// The culling decision.
    pub flag: Flag,
    /// Tags.
    pub tags: Vec<String>,
    /// The project's name.
    pub project: Option<String>,
    /// Collections, with the picture's position in each.
    pub collections: Vec<(String, f64)>,
}

//! Pictures: looked at, sorted, judged.

use serde::{Deserialize, Serialize};
use tarim_recipe::{Draft, ResizeFilter};
use ts_rs::TS;

use super::{Millis, Remark, create::Derivation};
use crate::error::WireError;

/// Ask for the layout of a gallery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GalleryQuery {
    /// The query language: `fox rating:>=4 -blurry "exact words" tag:winter`.
    #[serde(default)]
    pub query: String,
    /// Order.
    #[serde(default)]
    pub sort: Sort,
    /// Only this collection, by its id; `sort: "collection"` is its own order.
    #[ts(optional)]
    #[serde(default)]
    pub collection: Option<String>,
    /// The trash instead of the rest.
    #[serde(default)]
    pub trashed: bool,
}

/// Orders of pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Latest first.
    #[default]
    Newest,
    /// Earliest first.
    Oldest,
    /// Best rating first, then latest.
    Rating,
    /// By file name.
    Name,
    /// In the order of the collection that is shown.
    Collection,
}

/// Everything that a virtual grid needs to place pictures: small enough for 100,000 of them at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GalleryLayout {
    /// Keys of the pictures in order: numbers below 2^53 that stay valid until the index is rebuilt.
    #[ts(type = "Array<number>")]
    pub keys: Vec<i64>,
    /// Width over height in thousandths, for each key.
    pub aspects: Vec<u32>,
    /// Runs of pictures of one day, in order, when sorted by time; empty otherwise.
    pub days: Vec<DayGroup>,
    /// Remarks on the query.
    pub remarks: Vec<Remark>,
}

/// Pictures of one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DayGroup {
    /// `2026-11-24`, local time.
    pub day: String,
    /// How many.
    pub count: u32,
}

/// Ask for pictures by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Keys {
    /// At most 1,000.
    #[ts(type = "Array<number>")]
    pub keys: Vec<i64>,
}

/// Pictures, in the order of the keys; a key that nothing has any more is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Pictures {
    /// The pictures.
    pub pictures: Vec<PictureSummary>,
}

/// What a cell of the grid shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct PictureSummary {
    /// The picture's id.
    pub id: String,
    /// Its key in layouts.
    #[ts(type = "number")]
    pub key: i64,
    /// Changes with the file's pixels; part of its addresses, so that caches notice.
    pub version: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// When it was made.
    pub created: Millis,
    /// 0 (none) to 5.
    pub rating: u8,
    /// Picked, rejected or neither.
    pub flag: Flag,
    /// The prompt.
    pub prompt: String,
    /// The seed, where there is one.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// In the trash.
    pub trashed: bool,
    /// Its file is gone.
    pub missing: bool,
}

/// A judgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// None yet.
    #[default]
    None,
    /// To be used.
    Pick,
    /// Not to be used.
    Reject,
}

/// Everything about a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct PictureDetail {
    /// What the grid shows.
    pub summary: PictureSummary,
    /// Its settings, to be used again; `None` for a picture that tells none.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft>,
    /// Its infotext, as A1111 would paste it.
    pub infotext: String,
    /// The recipe's canonical JSON, where it has one.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe_json: Option<String>,
    /// File name below the library's folder.
    pub file: String,
    /// The file's size.
    pub bytes: f64,
    /// The project it belongs to.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Ids of the collections that hold it.
    pub collections: Vec<String>,
    /// The request that made it.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The picture it was made of.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// How.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derivation: Option<Derivation>,
}

/// Change what people say about pictures. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UpdatePictures {
    /// Which pictures.
    pub ids: Vec<String>,
    /// 0 (none) to 5.
    #[ts(optional)]
    #[serde(default)]
    pub rating: Option<u8>,
    /// Picked, rejected or neither.
    #[ts(optional)]
    #[serde(default)]
    pub flag: Option<Flag>,
    /// Tags to add.
    #[serde(default)]
    pub add_tags: Vec<String>,
    /// Tags to take away.
    #[serde(default)]
    pub remove_tags: Vec<String>,
    /// The project; an empty name takes it away.
    #[ts(optional)]
    #[serde(default)]
    pub project: Option<String>,
}

/// A named number: tags, projects, models in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NamedCount {
    /// The name.
    pub name: String,
    /// Pictures that have it.
    pub count: u32,
}

/// What filters can offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Facets {
    /// Tags, most used first.
    pub tags: Vec<NamedCount>,
    /// Projects.
    pub projects: Vec<NamedCount>,
    /// Models.
    pub models: Vec<NamedCount>,
    /// Samplers.
    pub samplers: Vec<NamedCount>,
}

/// A collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Collection {
    /// Its id, which is its name: another one when it is renamed.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Pictures in it.
    pub count: u32,
    /// The picture that stands for it.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover: Option<String>,
}

/// All collections.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Collections {
    /// By name.
    pub collections: Vec<Collection>,
}

/// Give a collection another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RenameCollection {
    /// Which one.
    pub id: String,
    /// Its new name.
    pub name: String,
}

/// Put pictures into a collection, or take them out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CollectionMembers {
    /// Which collection.
    pub id: String,
    /// Which pictures.
    pub pictures: Vec<String>,
}

/// A picture's family: where it comes from and what was made of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Lineage {
    /// All members, parents before children.
    pub members: Vec<LineageMember>,
}

/// A member of a family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct LineageMember {
    /// The picture; `None` when only the input's content is kept.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureSummary>,
    /// The input's SHA-256 where there is no picture.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Index of its parent among the members.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// How it was made of it.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derivation: Option<Derivation>,
}

/// Crop pictures, each by the same rectangle of its own pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CropPictures {
    /// The pictures, 1 to 100.
    pub ids: Vec<String>,
    /// Pixels that are cut off at the left.
    pub x: u32,
    /// Pixels that are cut off at the top.
    pub y: u32,
    /// Width of what is kept, 16 or more.
    pub width: u32,
    /// Height of what is kept, 16 or more.
    pub height: u32,
}

/// Enlarge pictures: by a factor, or to a size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(optional_fields)]
pub struct UpscalePictures {
    /// The pictures, 1 to 100.
    pub ids: Vec<String>,
    /// Each side times this: more than 1, at most 8.
    #[serde(default)]
    pub factor: Option<f64>,
    /// The new width in pixels; without a height it keeps the shape.
    #[serde(default)]
    pub width: Option<u32>,
    /// The new height in pixels; without a width it keeps the shape.
    #[serde(default)]
    pub height: Option<u32>,
    /// How new pixels are computed; `lanczos3` when absent.
    #[serde(default)]
    pub filter: Option<ResizeFilter>,
}

/// What became of several pictures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Derived {
    /// Ids of the new pictures, in the order of those that they come from.
    pub pictures: Vec<String>,
    /// Those of which there is no new picture, and why.
    pub failed: Vec<NotDerived>,
}

/// A picture of which no new one was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct NotDerived {
    /// Its id.
    pub id: String,
    /// Why.
    pub error: WireError,
}

/// Ask what to submit so that a picture is drawn again, larger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(optional_fields)]
pub struct PrepareRedraw {
    /// The picture's id.
    pub picture: String,
    /// Each side times this; the size becomes a multiple of 8.
    #[serde(default)]
    pub factor: Option<f64>,
    /// The new width in pixels; without a height it keeps the shape.
    #[serde(default)]
    pub width: Option<u32>,
    /// The new height in pixels; without a width it keeps the shape.
    #[serde(default)]
    pub height: Option<u32>,
    /// How much is drawn anew, 0 to 1; 0.35 when absent. 0.2 to 0.5 keeps the picture.
    #[serde(default)]
    pub strength: Option<f64>,
    /// The seed; the picture's own when absent.
    #[serde(default)]
    pub seed: Option<tarim_recipe::Seed>,
}

//! What a picture's file gives for its row in the index.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use rusqlite::Connection;

use crate::{
    collections::{self, Membership},
    error::{LibraryError, Result},
    facts::Facts,
    id::Id,
    metadata::Metadata,
    metadata_chunks,
    moment::Moment,
    picture::{self, PictureInfo},
    pictures::{self, Flag, NewPicture},
    tags, xmp,
};

/// A file, read.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Relative to the library's folder, with `/` between its parts.
    pub(crate) path: String,
    /// What the file says its id is.
    pub(crate) id: Option<Id>,
    pub(crate) bytes: u64,
    pub(crate) modified_ns: i64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) created: Moment,
    pub(crate) facts: Facts,
    pub(crate) recipe: Option<String>,
    pub(crate) recipe_hash: Option<String>,
    pub(crate) infotext: Option<String>,
    pub(crate) metadata: Metadata,
}

/// Reads the file at a path relative to the library's folder.
pub(crate) fn read(root: &Path, path: &str) -> Result<Entry> {
    let file = root.join(path);
    let info = picture::read(&file)?;
    let stat = std::fs::metadata(&file).map_err(|error| LibraryError::io(&file, error))?;
    let inside = info.xmp.as_deref().map(xmp::read).unwrap_or_default();
    let metadata = match metadata_chunks::read_sidecar(&file) {
        Some(sidecar) => beside(xmp::read(&sidecar), inside),
        None => inside,
    };
    let made_ns = crate::files::modified_ns(&stat);
    let mut entry = of(path, info, metadata, stat.len(), made_ns);
    entry.modified_ns = metadata_chunks::modified_ns(&file, &stat);
    Ok(entry)
}

/// What a sidecar says, which is newer than what the file says. One of another program knows nothing of identity and
/// lineage, and need not speak of everything else: there the file's word stands.
fn beside(sidecar: Metadata, inside: Metadata) -> Metadata {
    if sidecar.id.is_some() {
        return sidecar;
    }
    let judged = sidecar.rating > 0 || sidecar.flag != Flag::None;
    let (rating, flag) = if judged { (sidecar.rating, sidecar.flag) } else { (inside.rating, inside.flag) };
    Metadata {
        rating,
        flag,
        tags: if sidecar.tags.is_empty() { inside.tags } else { sidecar.tags },
        created: inside.created.or(sidecar.created),
        ..inside
    }
}

fn of(path: &str, info: PictureInfo, metadata: Metadata, bytes: u64, modified_ns: i64) -> Entry {
    let recipe = info.recipe.and_then(Result::ok);
    let infotext = info.infotext.filter(|_| recipe.is_none());
    let facts = match (&recipe, &infotext) {
        (Some(recipe), _) => Facts::from(recipe),
        (None, Some(text)) => Facts::of_infotext(text),
        (None, None) => Facts::default(),
    };
    Entry {
        path: path.to_owned(),
        id: metadata.id,
        bytes,
        modified_ns,
        width: if info.turned { info.height } else { info.width },
        height: if info.turned { info.width } else { info.height },
        created: metadata.created.unwrap_or_else(|| Moment::new(modified_ns.div_euclid(1_000_000), 0)),
        facts,
        recipe: recipe.as_ref().and_then(|recipe| recipe.canonical_json().ok()),
        recipe_hash: recipe.as_ref().and_then(|recipe| recipe.hash().ok()),
        infotext,
        metadata,
    }
}

/// How much of a file's beginning and end tells it from others.
const FINGERPRINT_BYTES: u64 = 64 << 10;

/// The id of a file that names none: the same wherever it lies, for as long as nobody changes it.
pub(crate) fn fingerprint(root: &Path, entry: &Entry) -> Result<Id> {
    let path = root.join(&entry.path);
    let read = || -> io::Result<Id> {
        let mut file = File::open(&path)?;
        let mut ends = Vec::new();
        file.by_ref().take(FINGERPRINT_BYTES).read_to_end(&mut ends)?;
        file.seek(SeekFrom::Start(entry.bytes.saturating_sub(FINGERPRINT_BYTES)))?;
        file.take(FINGERPRINT_BYTES).read_to_end(&mut ends)?;
        Ok(Id::derived(&[b"file", &entry.bytes.to_le_bytes(), &ends]))
    };
    read().map_err(|source| LibraryError::io(&path, source))
}

/// Makes the row of a file, with tags and collections, and returns its key.
pub(crate) fn insert(db: &Connection, id: Id, entry: &Entry) -> Result<i64> {
    let metadata = &entry.metadata;
    let key = pictures::insert(
        db,
        &NewPicture {
            id,
            path: &entry.path,
            bytes: entry.bytes,
            modified_ns: entry.modified_ns,
            width: entry.width,
            height: entry.height,
            created: entry.created,
            facts: &entry.facts,
            recipe: entry.recipe.as_deref(),
            recipe_hash: entry.recipe_hash.as_deref(),
            infotext: entry.infotext.as_deref(),
            rating: metadata.rating,
            flag: metadata.flag,
            project: metadata.project.as_deref(),
            parent: metadata.parent,
            derivation: metadata.derivation,
            request: metadata.request,
            trashed_at: None,
            dirty: false,
        },
    )?;
    for tag in &metadata.tags {
        tags::add(db, key, tag)?;
    }
    for (name, position) in &metadata.collections {
        collections::join(db, key, &Membership { name: name.clone(), position: *position })?;
    }
    Ok(key)
}

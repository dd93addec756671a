//! The table of pictures: one row a file.

mod rows;

use rusqlite::Row;

use crate::{facts::Facts, id::Id, moment::Moment};

pub(crate) use rows::{
    NewPicture, details, first_key, free_key, insert, key_of, mark_dirty, model_of, remove,
};

/// `picture` counts upwards with `created` (see [`free_key`]), so that the newest come first without sorting, here and
/// in the full-text index, which has the same keys. What is long and rarely read lies in `recipes`; what repeats a
/// thousand times lies in `models` and `negatives` once.
pub(crate) const CREATE: &str = "
CREATE TABLE models (
    model INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    folded TEXT NOT NULL,
    UNIQUE (name, hash)
) STRICT;
CREATE TABLE negatives (
    negative INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE,
    folded TEXT NOT NULL
) STRICT;
CREATE TABLE pictures (
    picture INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    -- Relative to the library's folder, with '/' between its parts; in the trash, where the picture was before.
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    -- `modified_ns` when the pixels may have changed last; writing metadata does not count.
    version INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    created INTEGER NOT NULL,
    created_offset INTEGER NOT NULL,
    day INTEGER NOT NULL,
    prompt TEXT NOT NULL,
    negative INTEGER REFERENCES negatives,
    model INTEGER REFERENCES models,
    sampler TEXT,
    schedule TEXT,
    steps INTEGER,
    guidance REAL,
    seed INTEGER,
    rating INTEGER NOT NULL DEFAULT 0,
    flag INTEGER NOT NULL DEFAULT 0,
    project INTEGER REFERENCES projects,
    parent BLOB,
    derivation INTEGER,
    inpaint INTEGER NOT NULL DEFAULT 0,
    request BLOB,
    trashed_at INTEGER,
    missing INTEGER NOT NULL DEFAULT 0,
    -- Whether the file does not say yet what the row says.
    dirty INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE recipes (
    picture INTEGER PRIMARY KEY REFERENCES pictures ON UPDATE CASCADE ON DELETE CASCADE,
    -- Canonical JSON, or of other programs' pictures the infotext.
    recipe TEXT,
    recipe_hash TEXT,
    infotext TEXT,
    init_hash TEXT,
    -- SHA-256 of the file, where it was needed once.
    file_hash TEXT
) STRICT;
-- A path is free again when its picture is in the trash or gone.
CREATE UNIQUE INDEX pictures_path ON pictures (path) WHERE trashed_at IS NULL AND missing = 0;
CREATE INDEX pictures_trash_path ON pictures (path) WHERE trashed_at IS NOT NULL;
-- All that the gallery's layout and most filters need, in its order, without touching the rows.
CREATE INDEX pictures_layout ON pictures (picture DESC, day, width, height, id, rating, flag, model, sampler, schedule,
    steps, guidance, project, trashed_at, missing) WHERE trashed_at IS NULL AND missing = 0;
CREATE INDEX pictures_model ON pictures (model, picture);
CREATE INDEX pictures_sampler ON pictures (sampler, picture);
CREATE INDEX pictures_size ON pictures (width, height, picture);
CREATE INDEX pictures_best ON pictures (rating DESC, picture DESC) WHERE trashed_at IS NULL AND missing = 0;
-- Few pictures have a flag, a project, a parent or a mask, so these stay small.
CREATE INDEX pictures_flag ON pictures (flag, picture) WHERE flag <> 0;
CREATE INDEX pictures_project ON pictures (project, picture) WHERE project IS NOT NULL;
CREATE INDEX pictures_parent ON pictures (parent) WHERE parent IS NOT NULL;
CREATE INDEX pictures_inpaint ON pictures (picture) WHERE inpaint = 1;
CREATE INDEX pictures_request ON pictures (request, picture) WHERE request IS NOT NULL;
CREATE INDEX pictures_seed ON pictures (seed) WHERE seed IS NOT NULL;
CREATE INDEX pictures_trash ON pictures (trashed_at) WHERE trashed_at IS NOT NULL;
CREATE INDEX pictures_missing ON pictures (picture) WHERE missing = 1;
CREATE INDEX pictures_dirty ON pictures (picture) WHERE dirty = 1;
CREATE INDEX recipes_init ON recipes (init_hash) WHERE init_hash IS NOT NULL;
CREATE INDEX recipes_file ON recipes (file_hash) WHERE file_hash IS NOT NULL;
";

/// A culling decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flag {
    /// Undecided.
    #[default]
    None,
    /// Wanted.
    Pick,
    /// Not wanted.
    Reject,
}

/// How a picture came from its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Derivation {
    Variation,
    Img2Img,
    Inpaint,
    Outpaint,
    Upscale,
    Crop,
    /// The same recipe, run again.
    Rerun,
}

impl Flag {
    pub(crate) fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Pick,
            2 => Self::Reject,
            _ => Self::None,
        }
    }

    /// `none`, `pick` or `reject`.
    pub fn name(self) -> &'static str {
        ["none", "pick", "reject"][self as usize]
    }

    /// The flag of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::None, Self::Pick, Self::Reject].into_iter().find(|flag| flag.name() == name)
    }
}

impl Derivation {
    /// All of them; a derivation's number in the database is its place here.
    pub const ALL: [Self; 7] = [
        Self::Variation,
        Self::Img2Img,
        Self::Inpaint,
        Self::Outpaint,
        Self::Upscale,
        Self::Crop,
        Self::Rerun,
    ];

    /// Its name in files: `variation`, `img2img`, …
    pub fn name(self) -> &'static str {
        ["variation", "img2img", "inpaint", "outpaint", "upscale", "crop", "rerun"][self as usize]
    }

    /// The derivation of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|derivation| derivation.name() == name)
    }

    /// `None` also for the number of a derivation that only a newer program knows.
    pub(crate) fn from_number(number: Option<i64>) -> Option<Self> {
        Self::ALL.get(usize::try_from(number?).ok()?).copied()
    }
}

/// A picture as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureSummary {
    /// Its key in the index, for [`Library::summaries_by_key`](crate::Library::summaries_by_key); below 2^53.
    pub key: i64,
    /// Its id.
    pub id: Id,
    /// Its path, relative to the library's folder, with `/` between the parts. In the trash: where it was.
    pub path: String,
    /// The file's size in bytes.
    pub bytes: u64,
    /// Another number whenever the pixels may have changed.
    pub version: i64,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// When it was made.
    pub created: Moment,
    /// What it should show.
    pub prompt: String,
    /// The model's name.
    pub model: Option<String>,
    /// The seed.
    pub seed: Option<u64>,
    /// 0 (none) to 5.
    pub rating: u8,
    /// The culling decision.
    pub flag: Flag,
    /// The project's name.
    pub project: Option<String>,
    /// The picture that this one came from.
    pub parent: Option<Id>,
    /// How it came from there.
    pub derivation: Option<Derivation>,
    /// The request that asked for it.
    pub request: Option<Id>,
    /// When it was moved to the trash, in milliseconds since 1970.
    pub trashed_at: Option<i64>,
    /// Whether the file is not where it was.
    pub missing: bool,
    /// Tags, by name.
    pub tags: Vec<String>,
}

/// All that is known of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureDetails {
    /// What lists show.
    pub summary: PictureSummary,
    /// The searchable values.
    pub facts: Facts,
    /// The recipe's canonical JSON, for [`Recipe::from_json`](tarim_recipe::Recipe::from_json).
    pub recipe: Option<String>,
    /// The infotext of another program, where there is no recipe.
    pub infotext: Option<String>,
    /// Collections, by name.
    pub collections: Vec<String>,
    /// Whether the file does not say all of this yet.
    pub dirty: bool,
}

/// The columns of [`summary`], in its order.
pub(crate) const SUMMARY: &str = "
    p.id, p.path, p.bytes, p.version, p.width, p.height, p.created, p.created_offset, p.prompt,
    (SELECT name FROM models WHERE models.model = p.model), p.seed, p.rating, p.flag,
    (SELECT name FROM projects WHERE projects.project = p.project), p.parent, p.derivation, p.request,
    p.trashed_at, p.missing, p.picture,
    (SELECT group_concat(name, char(10)) FROM picture_tags JOIN tags USING (tag) WHERE picture = p.picture)";

pub(crate) fn summary(row: &Row<'_>) -> rusqlite::Result<PictureSummary> {
    Ok(PictureSummary {
        id: row.get(0)?,
        path: row.get(1)?,
        bytes: row.get(2)?,
        version: row.get(3)?,
        width: row.get(4)?,
        height: row.get(5)?,
        created: Moment { ms: row.get(6)?, offset_minutes: row.get(7)? },
        prompt: row.get(8)?,
        model: row.get(9)?,
        // SQLite's integers are signed, seeds are not; the bits are the same.
        seed: row.get::<_, Option<i64>>(10)?.map(i64::cast_unsigned),
        rating: row.get(11)?,
        flag: Flag::from_number(row.get(12)?),
        project: row.get(13)?,
        parent: row.get(14)?,
        derivation: Derivation::from_number(row.get(15)?),
        request: row.get(16)?,
        trashed_at: row.get(17)?,
        missing: row.get(18)?,
        key: row.get(19)?,
        // Names hold no line feeds.
        tags: {
            let names: Option<String> = row.get(20)?;
            let mut tags: Vec<_> = names.unwrap_or_default().lines().map(str::to_owned).collect();
            tags.sort();
            tags
        },
    })
}

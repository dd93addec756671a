//! The library: picture files and what they carry, and the index, history and queue over them.
//!
//! What belongs here: writing a picture with its recipe inside so that it is on the disk whole or not at all; reading
//! pictures, ours and others', without trusting them; and one SQLite file that finds them again, remembers what was asked
//! for, and holds what is still to be rendered. Truth is in the files: the index of pictures can be made anew from them.
//! What does not belong here: drawing, and deciding what is drawn and when.

mod batches;
mod collections;
mod database;
mod derive;
mod diagnostic;
mod edit;
mod entry;
mod error;
mod exif;
mod facts;
mod files;
mod id;
mod jobs;
mod kept;
mod library;
mod lineage;
mod metadata;
mod metadata_chunks;
mod moment;
mod names;
mod naming;
pub mod picture;
mod pictures;
pub mod pixels;
mod png_chunks;
mod postprocess;
mod projects;
mod requests;
mod save;
mod scan;
pub mod search;
mod sets;
#[doc(hidden)]
pub mod synthetic;
mod tags;
mod thumbnails;
mod trash;
mod xmp;

pub use batches::{
    Batch, BatchCounts, BatchFailure, BatchModel, BatchPicture, BatchRow, Conditions, Existing,
    ExistingPlace, Hold, NewBatch,
};
pub use collections::Collection;
pub use derive::Derive;
pub use diagnostic::Diagnostic;
pub use edit::{Totals, WriteBack};
pub use error::{LibraryError, Result};
pub use facts::Facts;
pub use id::{Id, InvalidId};
pub use jobs::{
    Cancelled, Claim, Fit, Job, JobError, JobFilter, Lease, NewJob, Place, QueueState, QueueTotals,
    Recovered, Recovery, State,
};
pub use library::{DamagedIndex, INTERNAL_FOLDER, Library, OpenReport};
pub use lineage::{Lineage, Node};
pub use metadata::Metadata;
pub use metadata_chunks::{WrittenTo, update_metadata};
pub use moment::Moment;
pub use naming::{DEFAULT_NAME_TEMPLATE, NameParts, NameTemplate};
pub use picture::{IfExists, Labels, Picture, PictureInfo};
pub use pictures::{Derivation, Flag, PictureDetails, PictureSummary};
pub use pixels::Pixels;
pub use postprocess::postprocess;
pub use projects::NameCount;
pub use requests::{NewRequest, Outcome, Request};
pub use save::{Save, SaveStep, Saved};
pub use scan::{Observer, Progress, ScanProblem, ScanReport};
pub use sets::{NewSet, RowPlace, Set, SetEdit, SetRow};
pub use thumbnails::ThumbnailSize;
pub use trash::Emptied;
pub use xmp::DigitalSourceType;

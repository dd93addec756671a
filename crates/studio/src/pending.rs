//! Stand-ins for what the library does not have yet.
#![allow(dead_code, missing_docs, clippy::all, clippy::pedantic)]
use tarim_library::{Id, Library, LibraryError, Moment};
pub(crate) struct Progress {
    pub done: u64,
    pub total: Option<u64>,
}
#[derive(Default)]
pub(crate) struct ScanReport {
    pub added: u64,
    pub moved: u64,
    pub changed: u64,
    pub missing: u64,
    pub returned: u64,
    pub problems: Vec<String>,
}
pub(crate) struct WriteBack {
    pub written: u64,
    pub left: u64,
    pub problems: Vec<String>,
}
pub(crate) enum ThumbnailSize {
    Small,
    Large,
}
type R<T> = Result<T, LibraryError>;
pub(crate) trait Pending {
    fn rebuild(&self, _: Moment, _: &mut dyn FnMut(Progress) -> bool) -> R<ScanReport> {
        Ok(ScanReport::default())
    }
    fn reconcile(&self, _: Moment, _: &mut dyn FnMut(Progress) -> bool) -> R<ScanReport> {
        Ok(ScanReport::default())
    }
    fn write_back(&self, _: u32) -> R<WriteBack> {
        Ok(WriteBack { written: 0, left: 0, problems: vec![] })
    }
    fn thumbnail(&self, _: Id, _: ThumbnailSize) -> R<std::path::PathBuf> {
        Ok(Default::default())
    }
    fn clear_failed(&self, _: Option<&[Id]>) -> R<usize> {
        Ok(0)
    }
}
impl Pending for Library {}

//! The program as a whole.

use super::{Answer, settings};
use crate::convert;
use crate::dispatch::Door;
use crate::wire::Empty;
use crate::wire::app::{Hello, LibraryInfo};

pub(crate) fn hello(door: &Door<'_>, _: Empty) -> Answer<Hello> {
    let settings = door.studio.settings();
    Ok(Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        first_run: !settings.welcomed,
        settings: settings::wire(&settings),
        library: info(door),
        problems: door.studio.problems().into_iter().map(Into::into).collect(),
        allowed: door.caller.allowed,
    })
}

/// The library in numbers; `None` when there is none, or it does not answer, which a problem then says.
fn info(door: &Door<'_>) -> Option<LibraryInfo> {
    let library = door.studio.library().ok()?;
    let totals = library.totals().ok()?;
    Some(LibraryInfo {
        folder: convert::shown(library.root()),
        pictures: convert::count(totals.pictures),
        trashed: convert::count(totals.trashed),
        requests: convert::count(totals.requests),
        free_bytes: fs4::available_space(library.root()).ok().map(|bytes| bytes as f64),
    })
}

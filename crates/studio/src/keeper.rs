//! Small work in the background, on a thread of its own: thumbnails of new pictures, and edits into their files.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tarim_library::{Id, Library, ThumbnailSize};

use crate::core::Core;
use crate::error::Problem;

/// Something to do.
pub(crate) enum Chore {
    /// A picture is new: its thumbnail will be asked for soon.
    Thumbnail(Arc<Library>, Id),
    /// Rows say something that their files do not say yet.
    WriteBack,
    /// The studio closes.
    Stop,
}

/// How long edits gather before they are written: culling changes a picture several times in a row.
const GATHER: Duration = Duration::from_secs(2);
/// Pictures written at once, so that other chores get their turn.
const AT_ONCE: u32 = 50;
/// How long closing may take to write what is left; the next start goes on.
const AT_THE_END: Duration = Duration::from_secs(5);

/// Works until it is told to stop.
pub(crate) fn run(core: &Core, chores: &Receiver<Chore>) {
    let mut due: Option<Instant> = None;
    loop {
        let chore = match due {
            None => chores.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => chores.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match chore {
            Ok(Chore::Thumbnail(library, picture)) => {
                // One that cannot be made now is made when it is asked for, and says then what is wrong.
                let _ = library.thumbnail(picture, ThumbnailSize::Small);
            }
            Ok(Chore::WriteBack) => {
                due.get_or_insert_with(|| Instant::now() + GATHER);
            }
            Err(RecvTimeoutError::Timeout) => {
                due = (write_back(core) > 0).then(Instant::now);
            }
            Ok(Chore::Stop) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if core.owner() || due.is_some() {
        let deadline = Instant::now() + AT_THE_END;
        while Instant::now() < deadline && write_back(core) > 0 {}
    }
    if core.owner()
        && let Ok(library) = core.library()
    {
        let _ = library.tidy();
    }
}

/// Writes some, and returns how many are left that can be written.
fn write_back(core: &Core) -> u64 {
    let Ok(library) = core.library() else { return 0 };
    match library.write_back(AT_ONCE) {
        // Those that cannot be written stay as they are: no progress means to try again another time.
        Ok(report) if report.written == 0 => 0,
        Ok(report) => report.left,
        Err(error) => {
            core.notice(Problem::of("not_written_back", error.into()));
            0
        }
    }
}

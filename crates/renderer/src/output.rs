//! The pipe to whoever started us.

use std::fs::File;
use std::io;
use std::process::exit;
use std::sync::{Arc, Mutex, PoisonError};

use tarim_render::frame;
use tarim_render::messages::Event;

/// Where messages go. Clones share it; each message is written whole.
#[derive(Clone)]
pub(crate) struct Output(Arc<Mutex<File>>);

impl Output {
    /// Takes stdout for messages alone: what libraries print to it goes to stderr from now on.
    #[cfg(unix)]
    pub(crate) fn take_stdout() -> io::Result<Self> {
        use std::os::fd::AsFd;
        let pipe = io::stdout().as_fd().try_clone_to_owned()?;
        rustix::stdio::dup2_stdout(io::stderr().as_fd())?;
        Ok(Self(Arc::new(Mutex::new(File::from(pipe)))))
    }

    /// Takes stdout for messages.
    #[cfg(windows)]
    pub(crate) fn take_stdout() -> io::Result<Self> {
        use std::os::windows::io::AsHandle;
        let pipe = io::stdout().as_handle().try_clone_to_owned()?;
        Ok(Self(Arc::new(Mutex::new(File::from(pipe)))))
    }

    /// Sends a message. When nobody takes it any more, the process ends.
    pub(crate) fn send(&self, event: &Event, payload: &[u8]) {
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if frame::write(&mut *pipe, event, &[payload]).is_err() {
            exit(0);
        }
    }
}

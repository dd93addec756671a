//! Holding on to a job while it is in work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::message::Acker;
use tokio::task::JoinHandle;

/// A job that this worker has claimed. Dropping it lets the server hand it to somebody else in time.
pub(super) struct Lease {
    acker: Arc<Acker>,
    beating: JoinHandle<()>,
    ended: AtomicBool,
}

impl Lease {
    /// Begins to say that the job is in work.
    pub(super) fn start(acker: Acker, ack_wait: Duration) -> Self {
        let acker = Arc::new(acker);
        let beating = Arc::clone(&acker);
        let every = (ack_wait / 3).max(Duration::from_millis(20));
        let beating = tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                // Without a connection it cannot be said; the server then does what it must.
                let _ = beating.ack_with(AckKind::Progress).await;
            }
        });
        Self { acker, beating, ended: AtomicBool::new(false) }
    }

    /// The job has ended: it leaves the queue.
    pub(super) async fn done(&self) {
        self.end(AckKind::Ack).await;
    }

    /// The job goes back into the queue, for now or for later.
    pub(super) async fn give_back(&self, after: Option<Duration>) {
        self.end(AckKind::Nak(after)).await;
    }

    async fn end(&self, kind: AckKind) {
        self.beating.abort();
        if !self.ended.swap(true, Ordering::Relaxed) {
            // Asked for confirmation once; when that fails the job is delivered again, and found to have ended.
            if self.acker.double_ack_with(kind).await.is_err() {
                let _ = self.acker.ack_with(kind).await;
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

//! The studio's events as server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use tarim_api::StudioEvent;
use tarim_studio::Studio;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// How often a listener's thread looks whether the browser has gone.
const LOOK: Duration = Duration::from_secs(2);
/// Events on their way to one browser. More of them wait in the studio, which drops progress and merges changes.
const ON_THE_WAY: usize = 16;
/// Proxies and browsers give up on lines that stay silent for longer.
const SILENCE: Duration = Duration::from_secs(15);

/// One browser's stream, until the server stops. The studio's events wait on a thread of their own, which ends with the
/// stream or the studio.
pub(crate) fn stream(
    studio: &Arc<Studio>,
    stopping: CancellationToken,
) -> std::io::Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>> {
    let events = tarim_api::subscribe(studio);
    let (sender, receiver) = mpsc::channel(ON_THE_WAY);
    thread::Builder::new().name("events".to_owned()).spawn(move || {
        while !sender.is_closed() && !events.closed() {
            if let Some(event) = events.next(LOOK)
                && sender.blocking_send(Ok(spelled(&event))).is_err()
            {
                break;
            }
        }
    })?;
    let events = Until { events: ReceiverStream::new(receiver), end: Box::pin(stopping.cancelled_owned()) };
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SILENCE)))
}

/// Events until something else happens. Without an end of its own a stream would hold up a server that is to stop.
struct Until {
    events: ReceiverStream<Result<Event, Infallible>>,
    end: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Stream for Until {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.events).poll_next(context)
    }
}

fn spelled(event: &StudioEvent) -> Event {
    // Plain values always become JSON, on one line.
    Event::default().data(serde_json::to_string(event).unwrap_or_default())
}

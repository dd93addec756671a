//! The browser's door: the same UI, commands, events and pictures over HTTP.
//!
//! What belongs here: transport, and keeping strangers out. What does not: what commands do, and any path of this
//! machine: pictures go by id, the UI is part of the program, and nothing else is read from the disk.
//!
//! | address | what |
//! |---|---|
//! | `GET /`, `/assets/…` | the UI |
//! | `POST /rpc/<command>` | a command; JSON in, JSON out, errors as `{code, message, hint}` |
//! | `GET /events` | server-sent events |
//! | `GET /resource/<kind>/<id>` | bytes by id |
//! | `POST /upload` | a picture to start from |
//! | `GET /login?token=…` | exchanges the token for a cookie, where one is needed |

mod answer;
mod assets;
mod events;
mod guard;
mod routes;
mod token;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tarim_studio::Studio;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use guard::Access;
pub use routes::router;
pub use token::Token;

/// How long requests in work may take to end once the server is told to stop.
const LAST_MOMENTS: Duration = Duration::from_secs(3);

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// It stopped by itself.
    #[error("the server stopped: {0}")]
    Stopped(#[source] io::Error),
}

impl ServerError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                "another program, perhaps another Tarim, uses this port; choose another with `--listen`"
            }
            Self::Listen { .. } => "choose an address of this machine with `--listen`",
            Self::Stopped(_) => "start it again",
        }
    }
}

/// A server that listens and does not answer yet.
pub struct Server {
    listener: TcpListener,
    access: Access,
}

impl Server {
    /// Listens on an address; port 0 takes any free one. An address that other machines can reach is guarded by `token`,
    /// whatever it is; one of this machine alone is not.
    pub async fn bind(address: SocketAddr, token: Token) -> Result<Self, ServerError> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| ServerError::Listen { address, source })?;
        let bound = listener.local_addr().map_err(|source| ServerError::Listen { address, source })?;
        Ok(Self { listener, access: Access::new(bound, token) })
    }

    /// Where a browser finds it, with the token where one is needed.
    pub fn url(&self) -> String {
        self.access.url()
    }

    /// Whether a token is needed.
    pub fn is_guarded(&self) -> bool {
        self.access.is_guarded()
    }

    /// Answers until `stop` is ready. The studio stays open.
    pub async fn run(
        self,
        studio: Arc<Studio>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServerError> {
        let stopping = CancellationToken::new();
        let app = router(studio, self.access, stopping.clone());
        let told = stopping.clone();
        let stopped = async move {
            stop.await;
            told.cancel();
        };
        let serving = axum::serve(self.listener, app).with_graceful_shutdown(stopped);
        let late = async move {
            stopping.cancelled().await;
            tokio::time::sleep(LAST_MOMENTS).await;
        };
        tokio::select! {
            result = serving.into_future() => result.map_err(ServerError::Stopped),
            () = late => Ok(()),
        }
    }
}

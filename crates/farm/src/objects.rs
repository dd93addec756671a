//! Pictures and other bytes in the object stores.

use std::time::Duration;

use async_nats::jetstream::object_store::{GetErrorKind, InfoErrorKind};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use tokio::io::AsyncReadExt;

use crate::error::FarmError;
use crate::shelves::{Shelf, Shelves};

/// How long a part of an object may take to come. A missing one would be waited for without end.
const SLOWEST: Duration = Duration::from_mins(1);
/// The same at the first try: a server that restarts forgets who was reading, and the reader waits in vain. Asking again
/// is then enough.
const QUICKLY: Duration = Duration::from_secs(3);

impl Shelves {
    /// Puts an object, whole, in place of one of the same name.
    pub(crate) async fn put_object(
        &self,
        shelf: &Shelf,
        what: &str,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), FarmError> {
        self.patiently(&format!("store {what}"), || async {
            let mut reader = bytes;
            match shelf.store.put(name, &mut reader).await {
                Ok(_) => Ok(()),
                Err(error) => Err(FarmError::server(format!("store {what}"), &error)),
            }
        })
        .await
    }

    /// Gets an object. The client library compares its digest.
    pub(crate) async fn get_object(
        &self,
        shelf: &Shelf,
        what: &str,
        name: &str,
    ) -> Result<Vec<u8>, FarmError> {
        let mut next = QUICKLY;
        self.patiently(&format!("fetch {what}"), || {
            let limit = std::mem::replace(&mut next, SLOWEST);
            async move {
                let mut object = shelf.store.get(name).await.map_err(|error| match error.kind() {
                    GetErrorKind::NotFound => FarmError::Missing(what.to_owned()),
                    _ => FarmError::server(format!("fetch {what}"), &error),
                })?;
                let mut bytes = Vec::new();
                let reading = loop {
                    match tokio::time::timeout(limit, object.read_buf(&mut bytes)).await {
                        Ok(Ok(1..)) => {}
                        end => break end,
                    }
                };
                match reading {
                    Ok(Ok(_)) if bytes.len() == object.info.size => Ok(bytes),
                    Ok(Ok(_)) => Err(FarmError::Server {
                        what: format!("fetch {what}"),
                        reason: "the connection closed in its middle".to_owned(),
                    }),
                    Ok(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                        Err(FarmError::Damaged { what: what.to_owned(), reason: error.to_string() })
                    }
                    Ok(Err(error)) => Err(FarmError::Server {
                        what: format!("fetch {what}"),
                        reason: format!("the connection closed: {error}"),
                    }),
                    Err(_) => Err(FarmError::Server {
                        what: format!("fetch {what}"),
                        reason: "it timed out".to_owned(),
                    }),
                }
            }
        })
        .await
    }

    /// Whether an object is there, and for how long.
    pub(crate) async fn object_age(&self, shelf: &Shelf, name: &str) -> Result<Option<Duration>, FarmError> {
        match shelf.store.info(name).await {
            Ok(info) if info.deleted => Ok(None),
            Ok(info) => {
                let stored = if let Some(at) = info.modified { at.unix_timestamp() } else { 0 };
                let age = jiff::Timestamp::now().as_second().saturating_sub(stored);
                Ok(Some(Duration::from_secs(age.max(0) as u64)))
            }
            Err(error) if error.kind() == InfoErrorKind::NotFound => Ok(None),
            Err(error) => Err(FarmError::server("look something up", &error)),
        }
    }

    /// Removes an object without a trace; the library's own way leaves a marker for each.
    pub(crate) async fn remove_object(&self, shelf: &Shelf, name: &str) -> Result<(), FarmError> {
        let wrong = |error: &(dyn std::error::Error + 'static)| FarmError::server("remove an object", error);
        let info = match shelf.store.info(name).await {
            Ok(info) => info,
            Err(error) if error.kind() == InfoErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(wrong(&error)),
        };
        let meta = format!("$O.{}.M.{}", shelf.name, URL_SAFE.encode(name));
        shelf.stream.purge().filter(meta).await.map_err(|error| wrong(&error))?;
        let chunks = format!("$O.{}.C.{}", shelf.name, info.nuid);
        shelf.stream.purge().filter(chunks).await.map_err(|error| wrong(&error))?;
        Ok(())
    }
}

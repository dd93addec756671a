//! Pictures and other bytes in the object stores.

use std::time::Duration;

use async_nats::jetstream::object_store::InfoErrorKind;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest, Sha256};

use crate::error::FarmError;
use crate::shelves::{Shelf, Shelves};

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

    /// Gets an object, whole, and compares its digest.
    ///
    /// Part by part, each asked for by itself: the client library's own reader hangs on a consumer, which a server that
    /// restarts forgets, and then waits without end.
    pub(crate) async fn get_object(
        &self,
        shelf: &Shelf,
        what: &str,
        name: &str,
    ) -> Result<Vec<u8>, FarmError> {
        let doing = format!("fetch {what}");
        self.patiently(&doing, || async {
            let info = match shelf.store.info(name).await {
                Ok(info) if !info.deleted => info,
                Ok(_) => return Err(FarmError::Missing(what.to_owned())),
                Err(error) if error.kind() == InfoErrorKind::NotFound => {
                    return Err(FarmError::Missing(what.to_owned()));
                }
                Err(error) => return Err(FarmError::server(&doing, &error)),
            };
            let parts = format!("$O.{}.C.{}", shelf.name, info.nuid);
            let mut bytes = Vec::new();
            let mut next = None;
            while bytes.len() < info.size {
                let part = shelf.stream.direct_get_next_for_subject(parts.as_str(), next).await;
                let part = part.map_err(|error| FarmError::server(&doing, &error))?;
                bytes.extend_from_slice(&part.payload);
                next = Some(part.sequence + 1);
            }
            let digest = format!("SHA-256={}", URL_SAFE.encode(Sha256::digest(&bytes)));
            if bytes.len() == info.size && info.digest == Some(digest) {
                Ok(bytes)
            } else {
                Err(FarmError::Damaged {
                    what: what.to_owned(),
                    reason: "its digest is another one".to_owned(),
                })
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

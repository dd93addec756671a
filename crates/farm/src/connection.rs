//! How to reach the server: address, sign-in, encryption; and the first words with it.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::{ConnectErrorKind, ConnectOptions};
use serde::Deserialize;

use crate::error::{FarmError, words};
use crate::protocol::{DEFAULT_NAMESPACE, Token};

/// The oldest server that does what the farm needs.
const OLDEST: (u32, u32) = (2, 10);
/// The largest settings or secrets file that is read.
const MOST_BYTES: u64 = 1 << 20;

/// A text that is never shown: a password, a token.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// How to reach a farm. The same names are members of a settings file (see [`Connection::read`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Connection {
    /// `nats://HOST:PORT`, `tls://HOST:PORT` where all is encrypted; several of a cluster separated by commas.
    pub url: String,
    /// The farm's namespace on the server; [`DEFAULT_NAMESPACE`] when empty.
    pub namespace: Option<String>,
    /// Sign-in by name.
    pub user: Option<String>,
    /// The password that goes with it.
    pub password: Option<Secret>,
    /// Sign-in by token.
    pub token: Option<Secret>,
    /// Sign-in by NKey: a file with its seed.
    pub nkey: Option<PathBuf>,
    /// Sign-in by a creds file (JWT and seed).
    pub creds: Option<PathBuf>,
    /// Certificates (PEM) of authorities to trust besides the system's.
    pub ca: Option<PathBuf>,
    /// The client's own certificate (PEM), where the server asks for one.
    pub cert: Option<PathBuf>,
    /// Its key (PEM).
    pub key: Option<PathBuf>,
}

impl Connection {
    /// A connection without sign-in.
    pub fn to(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// Reads a settings file in TOML, so that secrets need not be on a command line. Relative paths in it start at its folder.
    pub fn read(path: &Path) -> Result<Self, FarmError> {
        let text = small_file("the farm's settings file", path)?;
        // The parser's message quotes the line, and with it perhaps a password.
        let mut read: Self = toml::from_str(&text).map_err(|error| FarmError::File {
            what: "the farm's settings file",
            path: path.to_owned(),
            reason: error.message().to_owned(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in [&mut read.nkey, &mut read.creds, &mut read.ca, &mut read.cert, &mut read.key] {
            if let Some(file) = file.as_mut().filter(|file| file.is_relative()) {
                *file = folder.join(&*file);
            }
        }
        Ok(read)
    }

    /// What `other` says, and where it says nothing, what `self` does.
    #[must_use]
    pub fn overridden_by(self, other: Self) -> Self {
        // A sign-in is taken whole: a token given on top of a file with user and password replaces them.
        let signs_in =
            other.user.is_some() || other.token.is_some() || other.nkey.is_some() || other.creds.is_some();
        let (user, password, token, nkey, creds) = if signs_in {
            (other.user, other.password.or(self.password), other.token, other.nkey, other.creds)
        } else {
            (self.user, other.password.or(self.password), self.token, self.nkey, self.creds)
        };
        Self {
            url: if other.url.is_empty() { self.url } else { other.url },
            namespace: other.namespace.or(self.namespace),
            user,
            password,
            token,
            nkey,
            creds,
            ca: other.ca.or(self.ca),
            cert: other.cert.or(self.cert),
            key: other.key.or(self.key),
        }
    }

    pub(crate) fn namespace(&self) -> Result<Token, FarmError> {
        let named = self.namespace.as_deref().filter(|name| !name.is_empty());
        Ok(Token::new(named.unwrap_or(DEFAULT_NAMESPACE))?)
    }

    fn urls(&self) -> Result<Vec<url::Url>, FarmError> {
        let list = self.url.split(',').map(str::trim).filter(|one| !one.is_empty());
        let urls: Vec<url::Url> = list
            .map(|one| {
                let spelled = if one.contains("://") { one.to_owned() } else { format!("nats://{one}") };
                let wrong = |reason: String| FarmError::Address { url: hide(one), reason };
                let url = url::Url::parse(&spelled).map_err(|error| wrong(error.to_string()))?;
                if !matches!(url.scheme(), "nats" | "tls") {
                    return Err(wrong(format!("it begins with `{}://`", url.scheme())));
                }
                if url.host_str().is_none_or(str::is_empty) {
                    return Err(wrong("it names no host".to_owned()));
                }
                Ok(url)
            })
            .collect::<Result<_, _>>()?;
        if urls.is_empty() {
            return Err(FarmError::Address { url: String::new(), reason: "it is empty".to_owned() });
        }
        Ok(urls)
    }

    /// The address without secrets, for people.
    pub fn shown(&self) -> String {
        self.url.split(',').map(|one| hide(one.trim())).collect::<Vec<_>>().join(",")
    }

    /// Whether everything is encrypted.
    fn encrypted(&self, urls: &[url::Url]) -> bool {
        self.ca.is_some() || self.cert.is_some() || urls.iter().all(|url| url.scheme() == "tls")
    }

    /// What a user should know before the first job leaves this machine.
    pub fn warnings(&self) -> Vec<String> {
        let Ok(urls) = self.urls() else { return Vec::new() };
        let mut warnings = Vec::new();
        if !self.encrypted(&urls) && !urls.iter().all(is_loopback) {
            warnings.push(format!(
                "the connection to {} is not encrypted: prompts, pictures and the sign-in can be read on the way; \
                 use `tls://` and a server with TLS",
                self.shown()
            ));
        }
        warnings
    }

    fn options(&self, urls: &[url::Url]) -> Result<ConnectOptions, FarmError> {
        let mut options = ConnectOptions::new()
            .name("Tarim")
            .connection_timeout(Duration::from_secs(5))
            .request_timeout(Some(Duration::from_secs(10)))
            // Also notices a peer that vanished without a word.
            .ping_interval(Duration::from_secs(10))
            .reconnect_delay_callback(|tries| {
                Duration::from_millis((50 * 2_u64.saturating_pow(tries.min(7) as u32)).min(4_000))
            })
            .require_tls(self.encrypted(urls));
        let ways = [self.user.is_some(), self.token.is_some(), self.nkey.is_some(), self.creds.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            let message = "more than one way to sign in to the farm is given: choose user and password, token, NKey or creds file";
            return Err(FarmError::Options(message.to_owned()));
        }
        if let Some(user) = &self.user {
            let password = self.password.as_ref().map_or("", |secret| &secret.0);
            options = options.user_and_password(user.clone(), password.to_owned());
        } else if let Some((user, password)) = urls.iter().find_map(inside).filter(|_| !ways.contains(&true))
        {
            options = match password {
                Some(password) => options.user_and_password(user, password),
                None => options.token(user),
            };
        }
        if let Some(Secret(token)) = &self.token {
            options = options.token(token.clone());
        }
        if let Some(path) = &self.nkey {
            options = options.nkey(seed(path)?);
        }
        if let Some(path) = &self.creds {
            let text = small_file("the creds file", path)?;
            options = options.credentials(&text).map_err(|error| FarmError::File {
                what: "the creds file",
                path: path.clone(),
                reason: error.to_string(),
            })?;
        }
        if let Some(ca) = &self.ca {
            small_file("the authority's certificate", ca)?;
            options = options.add_root_certificates(ca.clone());
        }
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                small_file("the client's certificate", cert)?;
                small_file("the client's key", key)?;
                options = options.add_client_certificate(cert.clone(), key.clone());
            }
            (None, None) => {}
            _ => {
                return Err(FarmError::Options(
                    "a client certificate needs both its file and its key's file".to_owned(),
                ));
            }
        }
        Ok(options)
    }

    /// Connects and checks that the server can be a farm. `heard` is told when the connection comes and goes.
    pub(crate) async fn open(
        &self,
        heard: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<async_nats::Client, FarmError> {
        let urls = self.urls()?;
        let encrypted = self.encrypted(&urls);
        let heard = std::sync::Arc::new(heard);
        let options = self.options(&urls)?.event_callback(move |event| {
            match event {
                async_nats::Event::Connected => heard(true),
                async_nats::Event::Disconnected | async_nats::Event::Closed => heard(false),
                _ => {}
            }
            std::future::ready(())
        });
        let addresses: Vec<async_nats::ServerAddr> = urls
            .iter()
            .map(|url| {
                async_nats::ServerAddr::from_url(url.clone())
                    .map_err(|error| FarmError::Address { url: self.shown(), reason: error.to_string() })
            })
            .collect::<Result<_, _>>()?;
        let client = options.connect(addresses).await.map_err(|error| {
            let (url, reason) = (self.shown(), words(&error));
            match error.kind() {
                ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                    FarmError::Refused { url }
                }
                ConnectErrorKind::ServerParse => FarmError::Address { url, reason },
                ConnectErrorKind::Tls => FarmError::Tls { url, reason },
                // A handshake that fails is reported as I/O.
                _ if encrypted && tells_of_tls(&reason) => FarmError::Tls { url, reason },
                _ if reason.to_lowercase().contains("authorization") => FarmError::Refused { url },
                _ => FarmError::Unreachable { url, reason },
            }
        })?;
        let found = client.server_info().version;
        if version(&found).is_none_or(|version| version < OLDEST) {
            return Err(FarmError::TooOld { url: self.shown(), found });
        }
        Ok(client)
    }
}

fn tells_of_tls(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    ["certificate", "tls", "handshake", "corrupt message", "peer"].iter().any(|word| reason.contains(word))
}

/// Major and minor of `2.10.1`, `2.11.0-RC.1`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim_start_matches('v').split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn is_loopback(url: &url::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// User and password in an address, or a token in the user's place.
fn inside(url: &url::Url) -> Option<(String, Option<String>)> {
    // The form of a query is percent-encoding too, but for `+`.
    let plain = |text: &str| {
        let pairs = url::form_urlencoded::parse(
            text.replace('+', "%2B").replace('=', "%3D").replace('&', "%26").as_bytes(),
        )
        .map(|(name, _)| name.into_owned())
        .next();
        pairs.unwrap_or_default()
    };
    let user = Some(url.username()).filter(|user| !user.is_empty())?;
    Some((plain(user), url.password().map(plain)))
}

/// Takes user, password and token out of an address.
fn hide(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if scheme.is_empty() { rest.to_owned() } else { format!("{scheme}://{rest}") }
}

fn small_file(what: &'static str, path: &Path) -> Result<String, FarmError> {
    let wrong = |reason: String| FarmError::File { what, path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if size > MOST_BYTES {
        return Err(wrong(format!("it has {size} bytes, which is too much for such a file")));
    }
    std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))
}

/// The seed in a file: the line that begins with `SU`, whatever comments and frames are around it.
fn seed(path: &Path) -> Result<String, FarmError> {
    let text = small_file("the NKey file", path)?;
    let seed = text.lines().map(str::trim).find(|line| line.starts_with('S') && line.len() >= 58);
    seed.map(str::to_owned).ok_or_else(|| FarmError::File {
        what: "the NKey file",
        path: path.to_owned(),
        reason: "no line in it is a seed (a user's begins with `SU`)".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        let connection = Connection {
            password: Some(Secret::new("hunter2")),
            token: Some(Secret::new("t0ken")),
            ..Connection::to("nats://me:hunter2@farm.example:4222,tls://x@b:1")
        };
        let shown = format!("{} {:?}", connection.shown(), connection.password);
        assert_eq!(shown, "nats://farm.example:4222,tls://b:1 Some(***)");
        assert!(!format!("{:?}", connection.token).contains("t0ken"));
    }

    #[test]
    fn only_what_leaves_the_machine_unencrypted_is_warned_of() {
        let warned = |url: &str| !Connection::to(url).warnings().is_empty();
        assert!(!warned("nats://127.0.0.1:4222"));
        assert!(!warned("localhost:4222"));
        assert!(!warned("nats://[::1]:4222"));
        assert!(!warned("tls://farm.example:4222"));
        assert!(warned("nats://farm.example:4222"));
        assert!(warned("192.168.0.7"));
        assert!(warned("nats://127.0.0.1,nats://192.168.0.7"));
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(version("2.9.10"), Some((2, 9)));
        assert_eq!(version("2.10.0-beta.1"), Some((2, 10)));
        assert!(version("2.9.10") < Some(OLDEST));
        assert!(version("2.15.1") > Some(OLDEST));
        assert_eq!(version("soon"), None);
    }

    #[test]
    fn a_settings_file_is_overridden_option_by_option_and_sign_ins_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("farm.toml");
        std::fs::write(&path, "url = 'tls://farm:4222'\nuser = 'a'\npassword = 'b'\nca = 'ca.pem'\n")
            .unwrap();
        let file = Connection::read(&path).unwrap();
        assert_eq!(file.ca, Some(folder.path().join("ca.pem")));
        let token = Connection { token: Some(Secret::new("t")), ..Connection::default() };
        let both = file.clone().overridden_by(token);
        assert_eq!((both.url.as_str(), &both.user), ("tls://farm:4222", &None));
        assert_eq!(both.token, Some(Secret::new("t")));
        assert_eq!(file.clone().overridden_by(Connection::default()), file);

        std::fs::write(&path, "url = 'x'\npasword = 'hunter2'\n").unwrap();
        let error = Connection::read(&path).unwrap_err().to_string();
        assert!(error.contains("pasword") && !error.contains("hunter2"), "{error}");
    }
}

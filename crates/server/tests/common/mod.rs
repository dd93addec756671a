//! A server on a studio of a test's own: a temporary folder and a renderer that only pretends.
#![allow(dead_code, clippy::unwrap_used)] // not every test uses all of it, and a test that cannot begin has failed

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::{Router, body};
use serde_json::{Value, json};
use tarim_render::Renderer;
use tarim_render::fake::{FakeRenderer, Script};
use tarim_server::{Access, Token, router};
use tarim_studio::{How, Origin, Role, Studio, Surroundings, Timing};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// An address of this machine alone, and one that others reach.
pub(crate) const HERE: &str = "127.0.0.1:7860";
pub(crate) const EVERYWHERE: &str = "192.168.1.7:7860";

pub(crate) struct Home {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) studio: Arc<Studio>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// An error with this status and code, worded for people.
    #[track_caller]
    pub(crate) fn refused(&self, status: StatusCode, code: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        let error = self.json();
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().is_some_and(|it| it.len() > 10), "{error}");
    }
}

pub(crate) fn token() -> Token {
    Token::new([0x5a; 32])
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let drawn = AtomicU8::new(0);
        let studio = Studio::open(Surroundings {
            config_folder: folder.path().join("config"),
            default_library: folder.path().join("library"),
            library: None,
            starter_model: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/starter")),
            model_folders: Vec::new(),
            renderers: Arc::new(|| Ok(Arc::new(FakeRenderer::new(Script::default())) as Arc<dyn Renderer>)),
            clock: Arc::new(SystemTime::now),
            random: Arc::new(move |bytes| {
                for byte in bytes.iter_mut() {
                    *byte = drawn.fetch_add(1, Ordering::Relaxed);
                }
            }),
            utc_offset_minutes: Arc::new(|_| 0),
            machine: "here".to_owned(),
            presence: tarim_studio::sets::Presence::default(),
            origin: Origin::Browser,
            role: Role::Owner,
            timing: Timing::default(),
        })
        .unwrap();
        Self { folder, studio }
    }

    pub(crate) fn router(&self, address: &str) -> Router {
        let access = Access::new(address.parse::<SocketAddr>().unwrap(), token());
        router(self.studio.clone(), access, CancellationToken::new())
    }

    pub(crate) async fn send_to(&self, address: &str, request: Request<Body>) -> Answer {
        let response = self.router(address).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
        hardened(&parts.headers);
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// As a page of this server asks.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_to(HERE, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(get(path)).await
    }

    pub(crate) async fn rpc(&self, command: &str, request: &Value) -> Answer {
        self.send(rpc(command, request)).await
    }

    /// Has one picture made and returns its id.
    pub(crate) async fn picture(&self) -> String {
        let draft = json!({"prompt": "a fox", "steps": 2, "width": 64, "height": 64});
        let made = self.rpc("submit", &json!({"draft": draft, "count": 1})).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        let request = made.json()["request"].clone();
        for _ in 0..3000 {
            let strip = self.rpc("get_request", &json!({"id": request})).await.json();
            if let Some(id) = strip["pictures"][0]["id"].as_str() {
                return id.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no picture was made");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.studio.close(How::StopNow);
    }
}

/// Every answer, errors among them, says what browsers may do with it.
#[track_caller]
pub(crate) fn hardened(headers: &HeaderMap) {
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    for part in ["default-src 'self'", "script-src 'self';", "frame-ancestors 'none'", "object-src 'none'"] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY");
    assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
    assert!(!headers.contains_key("access-control-allow-origin"));
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).header(header::HOST, HERE).body(Body::empty()).unwrap()
}

pub(crate) fn rpc(command: &str, request: &Value) -> Request<Body> {
    Request::post(format!("/rpc/{command}"))
        .header(header::HOST, HERE)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(request.to_string()))
        .unwrap()
}

/// The same request with another header, in place of one of that name.
pub(crate) fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

pub(crate) fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

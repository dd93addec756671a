//! What is answered: the UI, commands, bytes, events; and how it ends.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use common::{HERE, Home, get, png, rpc, token, with};
use serde_json::json;
use tarim_server::{Server, ServerError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tower::ServiceExt;

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_machine_is_an_address() {
    let home = Home::new();
    let secret = home.folder.path().join("secret.txt");
    std::fs::write(&secret, "a secret").unwrap();
    let whole = secret.to_str().unwrap();
    let up = "../".repeat(20);
    let encoded = up.replace("../", "%2e%2e%2f");
    for path in [
        "/../Cargo.toml".to_owned(),
        "/../../Cargo.toml".to_owned(),
        "/assets/../../package.json".to_owned(),
        "/%2e%2e/package.json".to_owned(),
        "/assets/..%2f..%2fpackage.json".to_owned(),
        "/..%5cpackage.json".to_owned(),
        format!("/{up}{whole}"),
        format!("/{encoded}{}", whole.trim_start_matches('/')),
        format!("/{whole}"),
        format!("//{whole}"),
        format!("/resource/picture/{up}{whole}"),
        format!("/resource/picture/{encoded}{whole}"),
        format!("/resource/input/{encoded}{whole}"),
        format!("/resource/input/{}", whole.replace('/', "%2F")),
        format!("/resource/thumbnail/{whole}"),
        "/resource/../Cargo.toml".to_owned(),
        "/resource/input/..%00".to_owned(),
        "/resource/picture/%FF%FE".to_owned(),
        "/resource/settings/settings.json".to_owned(),
        "/config/settings.json".to_owned(),
    ] {
        let answer = home.get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text());
        assert!(!answer.text().contains("a secret"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_told_what_is_wrong() {
    let home = Home::new();
    home.rpc("open_sesame", &json!({})).await.refused(StatusCode::NOT_FOUND, "unknown_command");
    home.get("/rpc/hello").await.refused(StatusCode::METHOD_NOT_ALLOWED, "bad_input");
    let posted = Request::post("/").header(header::HOST, HERE).body(Body::empty()).unwrap();
    home.send(posted).await.refused(StatusCode::METHOD_NOT_ALLOWED, "bad_input");
    home.send(rpc("%FF", &json!({}))).await.refused(StatusCode::NOT_FOUND, "not_found");
    home.rpc("submit", &json!({"count": "many"})).await.refused(StatusCode::BAD_REQUEST, "bad_input");
    let mut broken = rpc("hello", &json!({}));
    *broken.body_mut() = Body::from("{\"a\": ");
    home.send(broken).await.refused(StatusCode::BAD_REQUEST, "bad_input");
    let mut large = rpc("hello", &json!({}));
    *large.body_mut() = Body::from(vec![b' '; tarim_api::MOST_REQUEST_BYTES + 1]);
    home.send(large).await.refused(StatusCode::PAYLOAD_TOO_LARGE, "bad_input");
    // One that does not say how large it is.
    let mut endless = rpc("hello", &json!({}));
    let chunk = Bytes::from(vec![b' '; 1 << 20]);
    let chunks = std::iter::repeat_n(chunk, 80).map(Ok::<_, std::convert::Infallible>);
    *endless.body_mut() = Body::from_stream(tokio_stream::iter(chunks));
    home.send(endless).await.refused(StatusCode::PAYLOAD_TOO_LARGE, "bad_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_come_in_by_upload_and_go_out_by_id() {
    let home = Home::new();
    let upload = |body: Body| Request::post("/upload").header(header::HOST, HERE).body(body).unwrap();
    let kept = home.send(upload(png().into())).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.text());
    let kept = kept.json();
    assert_eq!((&kept["width"], &kept["height"]), (&json!(8), &json!(8)));
    let back = home.get(&format!("/resource/input/{}", kept["sha256"].as_str().unwrap())).await;
    assert_eq!((back.status, back.body), (StatusCode::OK, png()));
    home.send(upload("<svg onload=alert(1)>".into())).await.refused(StatusCode::BAD_REQUEST, "bad_input");
    home.send(upload(Body::empty())).await.refused(StatusCode::BAD_REQUEST, "bad_input");
    let most = tarim_studio::inputs::MOST_BYTES;
    let large = Body::from(vec![0; most + 1]);
    home.send(upload(large)).await.refused(StatusCode::PAYLOAD_TOO_LARGE, "bad_input");
    home.send(with(upload(png().into()), "origin", "http://evil.example"))
        .await
        .refused(StatusCode::FORBIDDEN, "not_allowed");

    let id = home.picture().await;
    let picture = home.get(&format!("/resource/picture/{id}?v=1")).await;
    assert_eq!((picture.status, picture.header("content-type")), (StatusCode::OK, "image/png"));
    assert_eq!(&picture.body[1..4], b"PNG");
    assert!(picture.header("cache-control").contains("immutable"));
    assert!(picture.header("content-disposition").starts_with("inline; filename*=UTF-8''"));
    let thumbnail = home.get(&format!("/resource/thumbnail/{id}?size=320")).await;
    assert_eq!((thumbnail.status, thumbnail.header("content-type")), (StatusCode::OK, "image/webp"));
    home.get("/resource/picture/0190163d-8694-739b-aea5-966c26f8ad90")
        .await
        .refused(StatusCode::NOT_FOUND, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ui_is_answered() {
    let home = Home::new();
    let page = home.get("/").await;
    assert!(page.header("content-type").starts_with("text/html"), "{:?}", page.headers);
    // Built or not, there is a page that says what to do.
    assert!(matches!(page.status, StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE));
    assert!(page.text().contains("Tarim"));
    assert_eq!(home.get("/assets/nothing.js").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_as_it_happens() {
    let home = Home::new();
    let response = home.router(HERE).oneshot(get("/events")).await.unwrap();
    common::hardened(response.headers());
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let id = home.picture().await;
    let mut heard = String::new();
    let told = async {
        while !(heard.contains("job_ended") && heard.contains(&id)) {
            heard.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told).await.unwrap();
    for event in heard.lines().filter_map(|line| line.strip_prefix("data: ")) {
        assert!(serde_json::from_str::<serde_json::Value>(event).unwrap().is_object(), "{event}");
    }
}

/// Everything that a connection says until it ends.
async fn spoken(address: &str, request: &str) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_port_answers_and_closes_when_told() {
    let home = Home::new();
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), token()).await.unwrap();
    assert!(!server.is_guarded());
    let url = server.url();
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let taken = Server::bind(address.parse().unwrap(), token()).await;
    assert!(matches!(taken, Err(error @ ServerError::Listen { .. }) if error.hint().contains("--listen")));

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let studio = home.studio.clone();
    let serving = tokio::spawn(server.run(studio, async move {
        let _ = stopped.await;
    }));
    let asked = format!(
        "POST /rpc/hello HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    let answer = spoken(&address, &asked).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("\"version\""), "{answer}");
    let rebound = spoken(&address, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").await;
    assert!(rebound.starts_with("HTTP/1.1 403 "), "{rebound}");
    let raw = "GET /../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let raw = spoken(&address, raw).await;
    assert!(raw.starts_with("HTTP/1.1 404 "), "{raw}");

    // A browser that listens does not keep it from ending: its stream ends too, whole, while the studio stays open.
    let listener = tokio::spawn({
        let address = address.clone();
        async move { spoken(&address, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let told = Instant::now();
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(10), listener).await.unwrap().unwrap();
    assert!(told.elapsed() < Duration::from_secs(1), "{:?}", told.elapsed());
    assert!(heard.starts_with("HTTP/1.1 200 OK\r\n") && heard.ends_with("0\r\n\r\n"), "{heard}");
    assert!(TcpStream::connect(&address).await.is_err());
}

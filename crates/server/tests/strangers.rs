//! Who is let in, and who is not.
#![allow(clippy::unwrap_used)]

mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use common::{EVERYWHERE, HERE, Home, get, rpc, token, with};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_not_this_machines_get_nothing() {
    let home = Home::new();
    for host in [
        "evil.example",
        "evil.example:7860",
        "127.0.0.1.evil.example:7860",
        "localhost.evil.example",
        "rebind.localtest.me:7860",
        "192.168.1.7:7860",
        "0.0.0.0:7860",
        "localhost@evil.example",
        "",
    ] {
        for request in [get("/"), get("/events"), get("/resource/picture/x"), rpc("hello", &json!({}))] {
            home.send(with(request, "host", host)).await.refused(StatusCode::FORBIDDEN, "not_allowed");
        }
    }
    let nameless = Request::get("/").body(Body::empty()).unwrap();
    home.send(nameless).await.refused(StatusCode::FORBIDDEN, "not_allowed");
    for host in ["127.0.0.1:7860", "localhost:7860", "LocalHost", "[::1]:7860", "127.1.2.3"] {
        let answer = home.send(with(rpc("hello", &json!({})), "host", host)).await;
        assert_eq!(answer.status, StatusCode::OK, "{host}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_get_nothing() {
    let home = Home::new();
    let hello = || rpc("hello", &json!({}));
    for origin in [
        "http://evil.example",
        "https://evil.example",
        "null",
        "http://127.0.0.1:3000",
        "http://localhost:7860",
        "x",
    ] {
        home.send(with(hello(), "origin", origin)).await.refused(StatusCode::FORBIDDEN, "not_allowed");
        home.send(with(get("/events"), "origin", origin)).await.refused(StatusCode::FORBIDDEN, "not_allowed");
    }
    let bytes = Request::post("/rpc/hello").header(header::HOST, HERE).header(header::ORIGIN, &b"\xff"[..]);
    home.send(bytes.body(Body::empty()).unwrap()).await.refused(StatusCode::FORBIDDEN, "not_allowed");
    for own in ["http://127.0.0.1:7860", "https://127.0.0.1:7860"] {
        assert_eq!(home.send(with(hello(), "origin", own)).await.status, StatusCode::OK);
    }
    for site in ["cross-site", "same-site"] {
        for request in [hello(), get("/"), get("/events"), get("/resource/picture/x"), get("/assets/x.js")] {
            home.send(with(request, "sec-fetch-site", site))
                .await
                .refused(StatusCode::FORBIDDEN, "not_allowed");
        }
    }
    // A link to the UI may stand anywhere; one to a picture or a frame may not.
    let followed = |path| with(with(get(path), "sec-fetch-site", "cross-site"), "sec-fetch-mode", "navigate");
    assert_ne!(home.send(followed("/")).await.status, StatusCode::FORBIDDEN);
    home.send(followed("/resource/picture/x")).await.refused(StatusCode::FORBIDDEN, "not_allowed");
    for site in ["same-origin", "none"] {
        assert_eq!(home.send(with(hello(), "sec-fetch-site", site)).await.status, StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_form_can_send_is_no_command() {
    let home = Home::new();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
    ] {
        let answer = home.send(with(rpc("hello", &json!({})), "content-type", kind)).await;
        answer.refused(StatusCode::BAD_REQUEST, "bad_input");
    }
    let typeless = Request::post("/rpc/hello").header(header::HOST, HERE).body(Body::from("{}")).unwrap();
    home.send(typeless).await.refused(StatusCode::BAD_REQUEST, "bad_input");
    let named = with(rpc("hello", &json!({})), "content-type", "Application/JSON; charset=utf-8");
    assert_eq!(home.send(named).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_machines_need_the_token() {
    let home = Home::new();
    let secret = token().as_str().to_owned();
    let hello = || with(rpc("hello", &json!({})), "host", "studio.lan:7860");
    for request in [
        hello(),
        with(hello(), "authorization", "Bearer wrong"),
        with(hello(), "authorization", &format!("Basic {secret}")),
        with(hello(), "authorization", &format!("Bearer {secret}0")),
        with(hello(), "authorization", "Bearer "),
        with(hello(), "cookie", "tarim_token="),
        with(hello(), "cookie", "tarim_token=wrong; other=1"),
        with(hello(), "cookie", &format!("other={secret}")),
        get("/"),
        get("/events"),
        get("/assets/x.js"),
        get("/resource/picture/x"),
        get(&format!("/?token={secret}")),
    ] {
        let answer = home.send_to(EVERYWHERE, request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text());
        assert!(!answer.text().contains(&secret));
    }
    for request in [
        with(hello(), "authorization", &format!("Bearer {secret}")),
        with(hello(), "cookie", &format!("other=1; tarim_token={secret}")),
    ] {
        let answer = home.send_to(EVERYWHERE, request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.json()["allowed"], json!({"choose_folders": false, "reveal": false}));
    }
    // The token does not make another site's page welcome.
    let foreign = with(hello(), "cookie", &format!("tarim_token={secret}"));
    let foreign = with(foreign, "origin", "http://evil.example");
    home.send_to(EVERYWHERE, foreign).await.refused(StatusCode::FORBIDDEN, "not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_exchanged_for_a_cookie() {
    let home = Home::new();
    let secret = token().as_str().to_owned();
    let answer = home.send_to(EVERYWHERE, get(&format!("/login?token={secret}"))).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "./"));
    let cookie = answer.header("set-cookie").to_owned();
    for part in [&*format!("tarim_token={secret};"), "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let kept = cookie.split(';').next().unwrap();
    let hello = with(rpc("hello", &json!({})), "cookie", kept);
    assert_eq!(home.send_to(EVERYWHERE, hello).await.status, StatusCode::OK);
    for wrong in
        ["/login", "/login?token=", "/login?token=wrong", "/login?token=a&token=b", "/login?token=%FF"]
    {
        let answer = home.send_to(EVERYWHERE, get(wrong)).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::UNAUTHORIZED, ""), "{wrong}");
    }
    // Nothing to log in to on one's own machine.
    let here = home.get("/login").await;
    assert_eq!((here.status, here.header("set-cookie")), (StatusCode::SEE_OTHER, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_elsewhere_chooses_no_folders() {
    let home = Home::new();
    let secret = format!("Bearer {}", token().as_str());
    for (command, request) in [
        ("change_settings", json!({"library_folder": "/etc"})),
        ("add_model_folder", json!({"path": "/etc"})),
    ] {
        let asked = with(rpc(command, &request), "authorization", &secret);
        let answer = home.send_to(EVERYWHERE, asked).await;
        answer.refused(StatusCode::FORBIDDEN, "not_allowed");
    }
}

//! Bytes by id, pictures that come in, and events.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Home, png};
use serde_json::json;
use tarim_api::{Body, ErrorCode, Resource, StudioEvent, picture_file, resource, subscribe, upload};

fn bytes(resource: &Resource) -> Vec<u8> {
    match &resource.body {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::File(path) => std::fs::read(path).unwrap(),
    }
}

#[test]
fn pictures_thumbnails_and_inputs_by_id() {
    let home = Home::new();
    let made = home.make("a fox", 1);
    let id = made["jobs"][0].as_str().unwrap();
    let get = |address: String| resource(&home.studio, &address).unwrap();

    let picture = get(format!("picture/{id}"));
    assert_eq!((picture.content_type, picture.cacheable), ("image/png", false));
    assert!(bytes(&picture).starts_with(b"\x89PNG"));
    assert!(get(format!("/picture/{id}?v=1f")).cacheable);
    assert_eq!(picture_file(&home.studio, id).unwrap().file_name().unwrap(), picture.file_name.as_str());
    for (address, versioned) in
        [("", false), ("?size=480&v=1", true), ("?v=1&size=2000", true), ("?x", false)]
    {
        let thumbnail = get(format!("thumbnail/{id}{address}"));
        assert_eq!((thumbnail.content_type, thumbnail.cacheable), ("image/webp", versioned));
        assert_eq!(&bytes(&thumbnail)[8..12], b"WEBP");
    }

    let file = png(24, 16);
    let input = upload(&home.studio, &file).unwrap();
    assert_eq!((input.width, input.height), (24, 16));
    let kept = get(format!("input/{}", input.sha256));
    assert_eq!((kept.cacheable, bytes(&kept)), (true, file));

    // The picture's file goes away behind our back.
    std::fs::remove_file(picture_file(&home.studio, id).unwrap()).unwrap();
    assert_eq!(resource(&home.studio, &format!("picture/{id}")).unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(picture_file(&home.studio, id).unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn nothing_else_has_an_address() {
    let home = Home::new();
    let made = home.make("a fox", 1);
    let id = made["jobs"][0].as_str().unwrap();
    let secret = home.folder.path().join("library/.tarim/inputs");
    std::fs::create_dir_all(&secret).unwrap();
    std::fs::write(secret.join("secret.png"), png(8, 8)).unwrap();
    let hostile = [
        String::new(),
        "/".to_owned(),
        "picture".to_owned(),
        "picture/".to_owned(),
        "settings/settings.json".to_owned(),
        format!("picture/{id}/"),
        format!("picture/{id}.png"),
        format!("picture/../{id}"),
        format!("picture/%2e%2e/{id}"),
        format!("picture/{{{id}}}"),
        format!("picture/urn:uuid:{id}"),
        format!("picture/{}", id.replace('-', "")),
        format!("thumbnail/{id}?size=large"),
        format!("thumbnail/{id}?size=-1"),
        format!("preview/{id}"),
        format!("input/{id}"),
        "input/secret".to_owned(),
        "input/../inputs/secret".to_owned(),
        "picture/../../../../etc/passwd".to_owned(),
        "picture//etc/passwd".to_owned(),
        "picture/C:\\windows\\win.ini".to_owned(),
        "picture/\0".to_owned(),
        format!("picture/{}", "a".repeat(1_000_000)),
        "picture/00000000-0000-0000-0000-000000000000".to_owned(),
        format!("input/{}", "0".repeat(64)),
        format!("input/{}", "A".repeat(64)),
    ];
    for address in hostile {
        match resource(&home.studio, &address) {
            Ok(found) => panic!("{address:.80}: {found:?}"),
            Err(error) => {
                assert_eq!(error.code, ErrorCode::NotFound, "{address:.80}");
                assert!(error.message.len() < 200);
            }
        }
    }
    for id in ["", "../x", "/etc/passwd", "\0"] {
        assert_eq!(picture_file(&home.studio, id).unwrap_err().code, ErrorCode::BadInput);
    }
}

#[test]
fn what_is_no_picture_is_not_kept() {
    let home = Home::new();
    let mut broken = png(40, 40);
    broken.truncate(100);
    for file in [&b""[..], b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", b"GIF89a", &broken] {
        let error = upload(&home.studio, file).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadInput);
        assert!(error.hint.is_some(), "{error:?}");
    }
}

#[test]
fn listeners_hear_what_happens() {
    let home = Home::new();
    let events = subscribe(&home.studio);
    let made = home.make("a fox", 1);
    let mut ended = false;
    let mut changed = false;
    home.wait_until("the picture's end was told", || {
        while let Some(event) = events.next(Duration::from_millis(50)) {
            match event {
                StudioEvent::JobEnded { job, .. } => ended |= json!(job) == made["jobs"][0],
                StudioEvent::Changed { .. } => changed = true,
                _ => {}
            }
        }
        ended && changed
    });
    assert!(!events.closed());
    home.studio.close(tarim_studio::How::StopNow);
    while events.next(Duration::from_millis(50)).is_some() {}
    assert!(events.closed());
}

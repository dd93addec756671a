//! What holds of messages whatever process they pass.

use super::*;
use crate::pixels::Channels;

fn frame(header: &str) -> Frame {
    Frame { header: header.into(), payload: Vec::new() }
}

#[test]
fn messages_of_a_later_version_are_tolerated() {
    assert_eq!(event(&frame(r#"{"kind":"telepathy","x":[1]}"#)).unwrap(), Event::Unknown);
    assert_eq!(request(&frame(r#"{"kind":"dance"}"#)).unwrap(), Request::Unknown);
    assert_eq!(
        event(&frame(r#"{"kind":"stage","job":3,"stage":"dreaming","mood":"good"}"#)).unwrap(),
        Event::Stage { job: JobId(3), stage: Stage::Other, pictures: Vec::new() }
    );
    assert_eq!(greeting_version(&frame(r#"{"kind":"hello","protocol":9,"news":true}"#)), Some(9));
    assert_eq!(greeting_version(&frame(r#"{"kind":"pong","token":1}"#)), None);
    assert!(event(&frame("{}")).is_err());
    assert!(event(&frame(r#"{"kind":"pong"}"#)).is_err());
}

#[test]
fn payloads_are_cut_into_the_pictures_they_hold() {
    let shape = |channels| PixelShape { width: 1, height: 1, channels };
    let check = |images: &[PixelShape], mask, payload: &[u8], expected: Option<&[&[u8]]>| {
        let text = r#"{"job":1,"pictures":[{"recipe":{"tarim_recipe":1,"model":{"name":"m"},"prompt":"",
            "sampler":"Euler","size":{"width":64,"height":64},"steps":1,"guidance_scale":1,"seed":"1",
            "precision":"fp32"}}],"model":"m","device":"cpu","preview_every":0}"#;
        let mut request: RenderRequest = serde_json::from_str(text).unwrap();
        assert_eq!(request.together, 1);
        request.images = images.to_vec();
        request.pictures[0].mask = mask;
        let found = request.cut(payload.to_vec()).ok();
        let found = found.as_ref().map(|images| images.iter().map(Pixels::bytes).collect::<Vec<_>>());
        assert_eq!(found.as_deref(), expected, "{payload:?}");
    };
    let (rgb, grey) = (shape(Channels::Rgb), shape(Channels::Grey));
    check(&[], None, b"", Some(&[]));
    check(&[rgb], None, b"abc", Some(&[b"abc"]));
    check(&[rgb, grey], Some(1), b"abcd", Some(&[b"abc", b"d"]));
    check(&[rgb, grey], Some(2), b"abcd", None);
    check(&[rgb], None, b"ab", None);
    check(&[rgb, grey], None, b"abc", None);
    check(&[rgb, grey], None, b"abcde", None);
}

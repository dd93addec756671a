use image::{ImageFormat, Rgb, RgbImage};

use super::*;

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn gradient(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 4) as u8, (y * 4) as u8, 128]))
}

#[test]
fn kept_by_content_once() {
    let library = tempfile::tempdir().unwrap();
    for (format, ending) in
        [(ImageFormat::Png, "png"), (ImageFormat::Jpeg, "jpg"), (ImageFormat::WebP, "webp")]
    {
        let bytes = encoded(&gradient(40, 24), format);
        let input = keep(library.path(), &bytes).unwrap();
        assert_eq!(input.sha256, tarim_recipe::sha256(&bytes));
        assert_eq!((input.width, input.height), (40, 24));
        assert_eq!(input.path.extension().unwrap(), ending);
        assert_eq!(keep(library.path(), &bytes).unwrap(), input);
        assert_eq!(info(library.path(), &input.sha256).unwrap(), input);
        let pixels = load(library.path(), &input.sha256).unwrap();
        assert_eq!(pixels.shape().bytes(), Some(40 * 24 * 3));
        assert_eq!(load_mask(library.path(), &input.sha256).unwrap().shape().bytes(), Some(40 * 24));
    }
    assert_eq!(fs::read_dir(folder(library.path())).unwrap().count(), 3);
}

#[test]
fn what_is_no_picture_is_refused_and_leaves_nothing() {
    let library = tempfile::tempdir().unwrap();
    let png = encoded(&gradient(40, 24), ImageFormat::Png);
    let mut wrong_checksum = png.clone();
    wrong_checksum[29] ^= 1;
    let cases: [(&[u8], &str); 6] = [
        (b"", "empty"),
        (b"hello", "not a picture"),
        (b"GIF89a\x01\0\x01\0\0\0\0;", "GIF"),
        (&png[..png.len() / 2], "damaged"),
        (&wrong_checksum, "damaged"),
        (b"%PDF-1.7 and so on", "not a picture"),
    ];
    for (bytes, expected) in cases {
        let error = keep(library.path(), bytes).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadInput);
        assert!(error.message.contains(expected), "{expected}: {error}");
        assert!(!error.message.contains(".tarim"), "{error}");
    }
    assert_eq!(fs::read_dir(folder(library.path())).unwrap().count(), 0);
    for id in
        ["", "..", "../../etc/passwd", &"g".repeat(64), &"A".repeat(64), &"a".repeat(63), &"a".repeat(64)]
    {
        assert_eq!(load(library.path(), id).unwrap_err().kind, ErrorKind::NotFound, "{id}");
    }
}

#[test]
fn a_file_that_was_changed_is_noticed() {
    let library = tempfile::tempdir().unwrap();
    let input = keep(library.path(), &encoded(&gradient(40, 24), ImageFormat::Png)).unwrap();
    fs::write(&input.path, encoded(&gradient(16, 16), ImageFormat::Png)).unwrap();
    assert!(load(library.path(), &input.sha256).unwrap_err().message.contains("changed"));
}

#[test]
fn canvases() {
    let library = tempfile::tempdir().unwrap();
    let old = gradient(64, 72);
    let input = keep(library.path(), &encoded(&old, ImageFormat::Png)).unwrap();
    let extend = |left, top, right, bottom, overlap| {
        outpaint(library.path(), &input.sha256, Margins { left, top, right, bottom }, overlap)
    };
    let made = extend(30, 0, 0, 16, 4).unwrap();
    assert_eq!(made.margins, Margins { left: 32, top: 0, right: 0, bottom: 16 });
    assert_eq!((made.init.width, made.init.height), (96, 88));
    assert_eq!(extend(30, 0, 0, 16, 4).unwrap(), made);

    let canvas = read(library.path(), &made.init.sha256).unwrap();
    let mask = load_mask(library.path(), &made.mask.sha256).unwrap();
    let at = |x: u32, y: u32| ((y * 96 + x) * 3) as usize;
    for (x, y, pixel) in old.enumerate_pixels() {
        let place = at(x + 32, y);
        assert_eq!(canvas.rgb[place..place + 3], pixel.0, "the old picture is untouched");
    }
    let white = |x: u32, y: u32| mask.bytes()[(y * 96 + x) as usize] == 255;
    assert!(white(0, 0) && white(35, 0) && !white(36, 0), "new area and overlap at the left");
    assert!(!white(95, 67) && white(95, 68) && white(95, 87), "at the bottom");
    assert!(!white(95, 0), "no overlap beside a side that did not grow");
    // Rows differ from each other and along themselves: no stripes.
    let row = |y: u32| (0..32).map(|x| canvas.rgb[at(x, y)]).collect::<Vec<_>>();
    let spread = |row: &[u8]| row.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert!(spread(&row(10)) > 5, "{:?}", row(10));

    for wrong in [extend(0, 0, 0, 0, 8), extend(9000, 0, 0, 0, 8), extend(u32::MAX, 1, 1, 1, 8)] {
        assert_eq!(wrong.unwrap_err().kind, ErrorKind::BadInput);
    }
    // An overlap wider than the picture leaves something of it.
    let made = extend(8, 8, 8, 8, 1000).unwrap();
    assert!(load_mask(library.path(), &made.mask.sha256).unwrap().bytes().contains(&0));
}

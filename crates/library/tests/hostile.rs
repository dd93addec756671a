//! Files made to harm whoever reads them.

#![allow(clippy::unwrap_used)]

use std::{fs, io::Write, path::Path};

use proptest::prelude::*;
use tarim_library::{
    picture::{self, ReadError},
    pixels,
};

fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind);
    hasher.update(data);
    [&(data.len() as u32).to_be_bytes(), kind, data, &hasher.finalize().to_be_bytes()].concat()
}

fn header(width: u32, height: u32) -> Vec<u8> {
    chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat())
}

fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n".to_vec(), header(8, 8), chunks.concat(), chunk(b"IEND", b"")].concat()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn with_file<T>(bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.png");
    fs::write(&path, bytes).unwrap();
    read(&path)
}

/// The texts and problems of a PNG with some chunks, one a line.
fn check(chunks: &[Vec<u8>], expected: &[&str]) {
    let info = with_file(&png(chunks), picture::read).unwrap();
    let mut found: Vec<String> =
        info.texts.iter().map(|text| format!("{}: {}", text.keyword, text.text)).collect();
    found.extend(info.infotext.map(|text| format!("infotext: {text}")));
    found.extend(info.recipe.map(|recipe| format!("recipe: {}", recipe.unwrap_err())));
    found.extend(info.problems);
    assert_eq!(found, expected);
}

#[test]
fn texts() {
    let bomb = deflated(&vec![b'a'; 20 << 20]);
    assert!(bomb.len() < 1 << 20);
    let after_pixels = [chunk(b"IDAT", b"no pixels"), chunk(b"tEXt", b"parameters\0late")];
    check(&after_pixels, &["infotext: late"]);
    check(&[chunk(b"zTXt", &[b"a\0\0", &deflated(b"b")[..]].concat())], &["a: b"]);
    check(
        &[chunk(b"zTXt", &[b"a\0\0", &bomb[..]].concat())],
        &[&format!(
            "a zTXt chunk of {} bytes unpacks to more than any text needs and was skipped",
            bomb.len() + 3
        )],
    );
    check(
        &[chunk(b"iTXt", &[b"a\0\x01\0\0\0", &bomb[..]].concat())],
        &[&format!(
            "a iTXt chunk of {} bytes unpacks to more than any text needs and was skipped",
            bomb.len() + 6
        )],
    );
    check(
        &[chunk(b"tEXt", &[b"a\0", &vec![b'x'; 9 << 20][..]].concat()), chunk(b"tEXt", b"b\0c")],
        &["b: c", "a tEXt chunk of 9437186 bytes is too large and was skipped"],
    );
    check(&[chunk(b"iTXt", b"a\0\0\0\0\0\xff")], &["a iTXt chunk of 7 bytes is not UTF-8 and was skipped"]);
    check(&[chunk(b"iTXt", b"a\0\x01")], &["a iTXt chunk of 3 bytes is cut short and was skipped"]);
    check(&[chunk(b"tEXt", b"no zero")], &["a tEXt chunk of 7 bytes is cut short and was skipped"]);
    check(&[chunk(b"zTXt", b"a\0\0junk")], &["a zTXt chunk of 7 bytes cannot be unpacked and was skipped"]);
    let mut wrong = chunk(b"tEXt", b"a\0b");
    wrong[9] ^= 1;
    check(&[wrong], &["a tEXt chunk of 3 bytes does not have the checksum that it names and was skipped"]);
    // UTF-8 where the standard says Latin-1, as stable-diffusion.cpp writes it, and real Latin-1.
    check(&[chunk(b"tEXt", "a\0楼兰".as_bytes())], &["a: 楼兰"]);
    check(&[chunk(b"tEXt", b"a\0caf\xe9")], &["a: café"]);
    check(
        &[chunk(b"iTXt", b"tarim\0\0\0\0\0{}")],
        &["recipe: not a Tarim recipe: the JSON has no `tarim_recipe` version number"],
    );
    let many: Vec<_> = (0..30).map(|_| chunk(b"tEXt", b"x")).collect();
    check(&many, &["a tEXt chunk of 1 bytes is cut short and was skipped"; 20]);
}

#[test]
fn cut_short() {
    let whole = png(&[chunk(b"tEXt", b"parameters\0here"), chunk(b"IDAT", &[0; 100])]);
    let cut = with_file(&whole[..whole.len() - 40], picture::read).unwrap();
    assert_eq!(cut.infotext.as_deref(), Some("here"));
    assert_eq!(cut.problems, ["the file ends in the middle; the picture is not whole"]);
    let lying = [&png(&[])[..33], &[0xff, 0xff, 0xff, 0xff], b"tEXt"].concat();
    assert_eq!(with_file(&lying, picture::read).unwrap().problems.len(), 1);
    for length in 0..whole.len() {
        // Whatever comes of it, something does.
        drop(with_file(&whole[..length], picture::read));
        drop(with_file(&whole[..length], pixels::load));
    }
}

fn load_error(bytes: &[u8]) -> String {
    let error = with_file(bytes, pixels::load).unwrap_err().to_string();
    error.rsplit_once(": ").map(|(what, _path)| what.to_owned()).unwrap()
}

#[test]
fn bombs_and_strangers() {
    let huge = [b"\x89PNG\r\n\x1a\n".to_vec(), header(30_000, 30_000), chunk(b"IDAT", &deflated(&[0; 100]))]
        .concat();
    assert_eq!(
        load_error(&huge),
        "the picture is too large: it has 30000x30000 pixels and 128 megapixels are allowed; make it smaller first"
    );
    let wide = [b"\x89PNG\r\n\x1a\n".to_vec(), header(2_000_000_000, 1), chunk(b"IDAT", b"")].concat();
    assert!(load_error(&wide).starts_with("the picture is too large: "), "{}", load_error(&wide));
    assert_eq!(load_error(b""), "the file is empty; PNG, JPEG and WebP pictures can be read");
    assert_eq!(load_error(b"GIF89a"), "the file is a GIF picture; PNG, JPEG and WebP pictures can be read");
    assert_eq!(
        load_error(b"hello"),
        "the file is not a picture that is known here; PNG, JPEG and WebP pictures can be read"
    );
    assert_eq!(
        load_error(b"\0\0\0\x18ftypheic"),
        "the file is a HEIC picture or a video; PNG, JPEG and WebP pictures can be read"
    );
    assert!(load_error(&png(&[chunk(b"IDAT", b"junk")])).starts_with("the picture is damaged ("));
    let missing = pixels::load(Path::new("/no/such/picture.png")).unwrap_err();
    assert!(matches!(missing, ReadError::NotFound { .. }));
    assert!(matches!(pixels::load(Path::new(env!("CARGO_MANIFEST_DIR"))), Err(ReadError::Io { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_bytes_after_a_true_beginning(kind in 0_usize..4, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let beginnings: [&[u8]; 4] =
            [&png(&[])[..33], b"\xff\xd8\xff\xe1", b"RIFF\0\0\0\x20WEBPVP8X", b"\x89PNG\r\n\x1a\n"];
        let file = [beginnings[kind], &bytes].concat();
        drop(with_file(&file, picture::read));
        drop(with_file(&file, pixels::load));
    }

    #[test]
    fn true_files_with_wrong_bytes(
        file in 0_usize..5,
        wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let name = ["big.jpg", "little.webp", "latin1.png", "unicode.png", "tarim.png"][file];
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/infotext");
        let mut bytes = fs::read(folder.join(name)).unwrap();
        for (index, byte) in wrong {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        drop(with_file(&bytes, picture::read));
        drop(with_file(&bytes, pixels::load));
    }
}

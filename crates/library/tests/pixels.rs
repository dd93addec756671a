//! Pictures to start from.

#![allow(clippy::unwrap_used)]

use std::{fs, io::Cursor, path::Path};

use image::{
    DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, Rgba, RgbaImage, codecs::jpeg::JpegEncoder,
};
use tarim_library::pixels::{self, Pixels};

fn load(bytes: &[u8]) -> Pixels {
    let folder = tempfile::tempdir().unwrap();
    // The name says nothing about the format.
    let path = folder.path().join("图片.txt");
    fs::write(&path, bytes).unwrap();
    pixels::load(&path).unwrap()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Red, half-transparent blue, and nothing.
fn three() -> DynamicImage {
    let pixels = vec![255, 0, 0, 255, 0, 0, 255, 128, 9, 9, 9, 0];
    RgbaImage::from_raw(3, 1, pixels).unwrap().into()
}

#[test]
fn transparency_lies_on_white() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let pixels = load(&encoded(&three(), format));
        assert_eq!((pixels.width, pixels.height), (3, 1));
        assert_eq!(pixels.rgb, [255, 0, 0, 127, 127, 255, 255, 255, 255]);
        assert_eq!(pixels.alpha, Some(vec![255, 128, 0]));
        assert_eq!(pixels.mask(), [255, 128, 0]);
    }
}

#[test]
fn opaque_pictures_have_no_alpha_and_their_brightness_is_the_mask() {
    let opaque = RgbaImage::from_pixel(2, 2, Rgba([200, 100, 50, 255]));
    let pixels = load(&encoded(&opaque.into(), ImageFormat::Png));
    assert_eq!(pixels.alpha, None);
    // Pillow: Image.new("RGB", (1, 1), (200, 100, 50)).convert("L").getpixel((0, 0)) == 124
    assert_eq!(pixels.mask(), [124; 4]);
}

#[test]
fn all_depths() {
    let sixteen = DynamicImage::from(three().into_rgba16());
    assert_eq!(load(&encoded(&sixteen, ImageFormat::Png)).rgb, [255, 0, 0, 127, 127, 255, 255, 255, 255]);
    let grey = DynamicImage::from(image::GrayImage::from_raw(2, 1, vec![0, 77]).unwrap());
    assert_eq!(load(&encoded(&grey, ImageFormat::Png)).rgb, [0, 0, 0, 77, 77, 77]);
}

#[test]
fn upright_as_the_camera_says() {
    // Exif with the one entry `Orientation` = 6: turn clockwise by a quarter.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let image = image::RgbImage::from_fn(32, 16, |x, _| image::Rgb(if x < 16 { [250; 3] } else { [5; 3] }));
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 100);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(&image, 32, 16, ExtendedColorType::Rgb8).unwrap();
    let pixels = load(&bytes);
    assert_eq!((pixels.width, pixels.height), (16, 32));
    // What was left is on top.
    assert!(pixels.rgb[0] > 200 && pixels.rgb[pixels.rgb.len() - 1] < 50);
}

#[test]
fn known_by_content() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/infotext/big.jpg");
    let pixels = pixels::load(&path).unwrap();
    assert_eq!((pixels.width, pixels.height, pixels.alpha.as_ref()), (8, 16, None));
    assert_eq!(pixels.sha256.len(), 64);
    assert_eq!(pixels.sha256, load(&fs::read(&path).unwrap()).sha256);
    // printf '' | sha256sum would be e3b0…; a file of other bytes is another picture.
    assert_ne!(pixels.sha256, load(&encoded(&three(), ImageFormat::Png)).sha256);
}

//! The steps of a recipe that come after drawing, done to pixels.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use tarim_recipe::{FieldError, Postprocess, ResizeFilter};

use crate::picture::Picture;

/// Does a recipe's steps after drawing, one after the other. Whoever saves what a renderer drew calls this first.
///
/// # Errors
/// A step that does not fit the picture.
pub fn postprocess(mut picture: Picture, steps: &[Postprocess]) -> Result<Picture, FieldError> {
    for step in steps {
        step.check((picture.width, picture.height))?;
        picture = match *step {
            Postprocess::Crop { x, y, width, height } => crop(&picture, (x, y), (width, height)),
            Postprocess::Resize { width, height, filter } => resize(picture, (width, height), filter),
        };
    }
    Ok(picture)
}

fn crop(picture: &Picture, (x, y): (u32, u32), (width, height): (u32, u32)) -> Picture {
    let (x, bytes) = (x as usize * 3, width as usize * 3);
    let rows = picture.rgb.chunks_exact(picture.width as usize * 3);
    let kept = rows.skip(y as usize).take(height as usize);
    let mut rgb = Vec::with_capacity(bytes * height as usize);
    // A picture with fewer bytes than pixels gives too few rows, which writing it then says.
    kept.for_each(|row| rgb.extend_from_slice(&row[x..x + bytes]));
    Picture { width, height, rgb }
}

fn resize(picture: Picture, (width, height): (u32, u32), filter: ResizeFilter) -> Picture {
    if (width, height) == (picture.width, picture.height) {
        return picture;
    }
    let mut scaled = Image::new(width, height, PixelType::U8x3);
    let algorithm = match filter {
        ResizeFilter::Lanczos3 => ResizeAlg::Convolution(FilterType::Lanczos3),
        ResizeFilter::Nearest => ResizeAlg::Nearest,
    };
    let options = ResizeOptions::new().resize_alg(algorithm);
    let done = ImageRef::new(picture.width, picture.height, &picture.rgb, PixelType::U8x3)
        .ok()
        .and_then(|source| Resizer::new().resize(&source, &mut scaled, &options).ok());
    let rgb = match done {
        Some(()) => scaled.into_vec(),
        // Fewer bytes than pixels, which writing the picture then says.
        None => Vec::new(),
    };
    Picture { width, height, rgb }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pixel says where it is.
    fn map(width: u32, height: u32) -> Picture {
        let pixel = |n: u32| [(n % width) as u8, (n / width) as u8, 7];
        Picture { width, height, rgb: (0..width * height).flat_map(pixel).collect() }
    }

    #[test]
    fn a_crop_is_exact() {
        let step = Postprocess::Crop { x: 5, y: 9, width: 20, height: 16 };
        let cropped = postprocess(map(40, 30), &[step]).unwrap();
        assert_eq!((cropped.width, cropped.height, cropped.rgb.len()), (20, 16, 20 * 16 * 3));
        assert_eq!(cropped.rgb[..6], [5, 9, 7, 6, 9, 7]);
        assert_eq!(cropped.rgb[cropped.rgb.len() - 3..], [24, 24, 7]);
        let outside = Postprocess::Crop { x: 30, y: 0, width: 20, height: 16 };
        assert!(postprocess(map(40, 30), &[outside]).is_err());
    }

    #[test]
    fn nearest_repeats_pixels_and_lanczos_keeps_what_is_even() {
        let resize = |filter| Postprocess::Resize { width: 80, height: 60, filter };
        let large = postprocess(map(40, 30), &[resize(ResizeFilter::Nearest)]).unwrap();
        assert_eq!(large.rgb[..12], [0, 0, 7, 0, 0, 7, 1, 0, 7, 1, 0, 7]);
        let smooth = postprocess(map(40, 30), &[resize(ResizeFilter::Lanczos3)]).unwrap();
        assert_eq!((smooth.width, smooth.height), (80, 60));
        // The blue of all pixels, and the red in the middle of a slope.
        assert!(smooth.rgb.chunks_exact(3).all(|pixel| pixel[2] == 7));
        let middle = smooth.rgb[(30 * 80 + 40) * 3];
        assert!((19..=21).contains(&middle), "{middle}");
    }
}

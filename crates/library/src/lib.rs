//! The library: picture files and what they carry.
//!
//! What belongs here: writing a picture with its recipe inside so that it is on the disk whole or not at all, and
//! reading pictures, ours and others', without trusting them. What does not: drawing, and deciding what is drawn.

mod exif;
mod files;
pub mod picture;
pub mod pixels;
mod png_chunks;
mod xmp;

pub use picture::{IfExists, Labels, Picture, PictureInfo};
pub use pixels::Pixels;
pub use xmp::DigitalSourceType;

//! Options of `tarim gallery`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tarim_recipe::{Postprocess, Seed};

use super::SearchOptions;

/// Find pictures, such as `fox rating:>=4 -blurry "exact words"`; crop or enlarge them
///
/// To look for the words `crop` or `upscale`, put `--` before them.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct GalleryOptions {
    #[command(subcommand)]
    pub(crate) command: Option<GalleryCommand>,
    #[command(flatten)]
    pub(crate) search: SearchOptions,
}

impl GalleryOptions {
    pub(crate) fn json(&self) -> bool {
        match &self.command {
            None => self.search.json,
            Some(GalleryCommand::Crop(options)) => options.common.json,
            Some(GalleryCommand::Upscale(options)) => options.common.json,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum GalleryCommand {
    /// Crop pictures to new files beside them; prints their paths
    Crop(CropOptions),
    /// Enlarge pictures to new files beside them, or have them drawn again, larger
    Upscale(UpscaleOptions),
}

#[derive(Args)]
pub(crate) struct CropOptions {
    #[command(flatten)]
    pub(crate) common: PicturesOptions,
    /// What is kept: width, height, and the place of its upper left corner, such as 512x384+64+0
    #[arg(long, value_name = "WxH+X+Y", value_parser = area)]
    pub(crate) area: Area,
}

#[derive(Args)]
pub(crate) struct UpscaleOptions {
    #[command(flatten)]
    pub(crate) common: PicturesOptions,
    /// Each side times this, more than 1 and at most 8; 2 when no size is given either
    #[arg(long, conflicts_with_all = ["width", "height"])]
    pub(crate) factor: Option<f64>,
    /// The new width in pixels; alone it keeps the shape
    #[arg(long, value_name = "PIXELS")]
    pub(crate) width: Option<u32>,
    /// The new height in pixels; alone it keeps the shape
    #[arg(long, value_name = "PIXELS")]
    pub(crate) height: Option<u32>,
    /// Repeat pixels as they are, for pixel art
    #[arg(long, conflicts_with = "redraw")]
    pub(crate) nearest: bool,
    /// Queue a drawing at the larger size that starts from the picture; 0.2 to 0.5 keeps it and adds detail
    #[arg(long, value_name = "STRENGTH", num_args = 0..=1, default_missing_value = "0.35")]
    pub(crate) redraw: Option<f64>,
    /// Seed of the drawing; the picture's own when not given
    #[arg(long, requires = "redraw", allow_negative_numbers = true)]
    pub(crate) seed: Option<Seed>,
}

#[derive(Args)]
pub(crate) struct PicturesOptions {
    /// Ids of pictures
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// The folder of pictures; else `TARIM_LIBRARY`, else the one in the settings
    #[arg(long, value_name = "FOLDER")]
    pub(crate) library: Option<PathBuf>,
    /// Print a line of JSON for each
    #[arg(long)]
    pub(crate) json: bool,
}

/// A rectangle of a picture.
#[derive(Clone, Copy)]
pub(crate) struct Area {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

fn area(text: &str) -> Result<Area, String> {
    match format!("crop {text}").parse() {
        Ok(Postprocess::Crop { x, y, width, height }) => Ok(Area { x, y, width, height }),
        _ => Err("a rectangle is written like 512x384+64+0".to_owned()),
    }
}

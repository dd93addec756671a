//! The grid as one PNG, written strip by strip, so that memory holds one row of cells and not the whole.

use std::io::{self, Write};

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use png::{BitDepth, ColorType, Encoder};

use super::{Grid, GridError};
use crate::text::Pen;

/// The longest side of the picture, in pixels: what browsers and viewers open.
pub const MOST_SIDE: u32 = 16_384;
/// The most pixels.
pub const MOST_PIXELS: u64 = 150_000_000;
/// Smaller cells are of no use to anybody.
const SMALLEST_CELL: u32 = 48;
const PAPER: Rgb<u8> = Rgb([255, 255, 255]);
const INK: Rgb<u8> = Rgb([24, 24, 27]);
const FAINT: Rgb<u8> = Rgb([113, 113, 122]);
const NOTHING: Rgb<u8> = Rgb([228, 228, 231]);
const LABEL_LINES: usize = 4;
const CAPTION_LINES: usize = 3;

/// How large a grid became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PngSize {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Width and height of a cell: smaller than its picture where the whole would be too large.
    pub cell: (u32, u32),
}

struct Layout {
    cell: (u32, u32),
    gap: u32,
    font: f32,
    /// Width of the rows' labels.
    left: u32,
    /// Height of the columns' labels.
    top: u32,
    /// Height of a block's label.
    block: u32,
    /// Height of title and caption.
    head: u32,
    width: u32,
    height: u32,
}

/// Writes the grid. `cell` is the size of its pictures, `picture` gives them, x fastest and z slowest; what is `None` stays
/// grey. A grid that would be too large has smaller cells.
pub fn write_png(
    grid: &Grid,
    cell: (u32, u32),
    picture: &mut dyn FnMut(usize) -> Option<RgbImage>,
    out: impl Write,
) -> Result<PngSize, GridError> {
    grid.check()?;
    let pen = Pen::new()?;
    let layout = layout(grid, &pen, cell)?;
    let mut encoder = Encoder::new(out, layout.width, layout.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(io)?;
    let mut stream = writer.stream_writer().map_err(io)?;
    if layout.head > 0 {
        stream.write_all(&head(grid, &pen, &layout))?;
    }
    for z in 0..grid.count(2) {
        stream.write_all(&columns(grid, &pen, &layout, z))?;
        for y in 0..grid.count(1) {
            stream.write_all(&row(grid, &pen, &layout, (y, z), picture))?;
        }
    }
    stream.finish().map_err(io)?;
    Ok(PngSize { width: layout.width, height: layout.height, cell: layout.cell })
}

fn io(error: png::EncodingError) -> GridError {
    GridError::Write(match error {
        png::EncodingError::IoError(error) => error,
        other => io::Error::other(other),
    })
}

fn layout(grid: &Grid, pen: &Pen, cell: (u32, u32)) -> Result<Layout, GridError> {
    let (columns, rows) = (grid.count(0), grid.count(1) * grid.count(2));
    let shape = (cell.0.max(1), cell.1.max(1));
    let mut scale = 1.0_f64;
    loop {
        let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
        let cell = (side(shape.0), side(shape.1));
        let layout = sized(grid, pen, cell);
        let pixels = u64::from(layout.width) * u64::from(layout.height);
        if layout.width <= MOST_SIDE && layout.height <= MOST_SIDE && pixels <= MOST_PIXELS {
            return Ok(layout);
        }
        if cell.0.min(cell.1) <= SMALLEST_CELL {
            return Err(GridError::TooLarge { columns, rows, smallest: SMALLEST_CELL });
        }
        scale *= 0.9;
    }
}

fn sized(grid: &Grid, pen: &Pen, cell: (u32, u32)) -> Layout {
    let font = (cell.0.min(cell.1) as f32 / 16.0).clamp(11.0, 40.0);
    let line = Pen::line_height(font);
    let gap = (cell.0.min(cell.1) / 64).clamp(2, 12);
    let widest = |axis: usize| {
        let labels = (0..grid.count(axis)).map(|value| pen.width(&grid.label(axis, value), font));
        labels.fold(0.0, f32::max).ceil() as u32
    };
    let left = match widest(1) {
        0 => 0,
        width => width.min((cell.0 / 2).max(line * 8)) + 2 * gap,
    };
    let lines = |axis: usize, width: u32| {
        let lines = (0..grid.count(axis))
            .map(|value| pen.wrap(&grid.label(axis, value), font, width, LABEL_LINES).len());
        lines.max().unwrap_or(0) as u32
    };
    let columns = grid.count(0) as u32;
    let width = left.saturating_add(columns.saturating_mul(cell.0 + gap)).saturating_add(gap);
    let top = match lines(0, cell.0) {
        0 => gap,
        lines => lines * line + gap,
    };
    let block = match lines(2, width.saturating_sub(2 * gap).max(line)) {
        0 => 0,
        lines => lines * line + 2 * gap,
    };
    let caption =
        pen.wrap(&grid.caption, font, width.saturating_sub(4 * gap).max(line), CAPTION_LINES).len() as u32;
    let title = if grid.title.trim().is_empty() { 0 } else { Pen::line_height(font * 1.4) };
    let head = match title + caption * line {
        0 => 0,
        height => height + 2 * gap,
    };
    let rows = (grid.count(1) * grid.count(2)) as u32;
    let blocks = grid.count(2) as u32;
    let height = head
        .saturating_add(rows.saturating_mul(cell.1 + gap))
        .saturating_add(blocks.saturating_mul(top + block));
    Layout { cell, gap, font, left, top, block, head, width, height }
}

fn head(grid: &Grid, pen: &Pen, layout: &Layout) -> Vec<u8> {
    let mut strip = RgbImage::from_pixel(layout.width, layout.head, PAPER);
    let (gap, mut y) = (layout.gap as f32, layout.gap as f32);
    let room = layout.width.saturating_sub(4 * layout.gap);
    if !grid.title.trim().is_empty() {
        let size = layout.font * 1.4;
        for line in pen.wrap(&grid.title, size, room, 1) {
            pen.write(&mut strip, &line, size, 2.0 * gap, y, INK);
        }
        y += Pen::line_height(size) as f32;
    }
    for line in pen.wrap(&grid.caption, layout.font, room, CAPTION_LINES) {
        pen.write(&mut strip, &line, layout.font, 2.0 * gap, y, FAINT);
        y += Pen::line_height(layout.font) as f32;
    }
    strip.into_raw()
}

/// The label of a block and of its columns.
fn columns(grid: &Grid, pen: &Pen, layout: &Layout, z: usize) -> Vec<u8> {
    let mut strip = RgbImage::from_pixel(layout.width, layout.block + layout.top, PAPER);
    let room = layout.width.saturating_sub(2 * layout.gap);
    let lines = pen.wrap(&grid.label(2, z), layout.font, room, LABEL_LINES);
    pen.write_centred(&mut strip, &lines, layout.font, (layout.gap, 0, room, layout.block), INK);
    for x in 0..grid.count(0) {
        let lines = pen.wrap(&grid.label(0, x), layout.font, layout.cell.0, LABEL_LINES);
        let area = (column(layout, x), layout.block, layout.cell.0, layout.top);
        pen.write_centred(&mut strip, &lines, layout.font, area, INK);
    }
    strip.into_raw()
}

fn row(
    grid: &Grid,
    pen: &Pen,
    layout: &Layout,
    (y, z): (usize, usize),
    picture: &mut dyn FnMut(usize) -> Option<RgbImage>,
) -> Vec<u8> {
    let (width, height) = layout.cell;
    let mut strip = RgbImage::from_pixel(layout.width, height + layout.gap, PAPER);
    if layout.left > 0 {
        let room = layout.left.saturating_sub(2 * layout.gap);
        let most = (height / Pen::line_height(layout.font)).max(1) as usize;
        let lines = pen.wrap(&grid.label(1, y), layout.font, room, most);
        pen.write_centred(&mut strip, &lines, layout.font, (layout.gap, 0, room, height), INK);
    }
    for x in 0..grid.count(0) {
        let left = i64::from(column(layout, x));
        if let Some(found) = picture(grid.index(x, y, z)) {
            let fitted = fit(found, width, height);
            let dx = i64::from(width - fitted.width()) / 2;
            let dy = i64::from(height - fitted.height()) / 2;
            imageops::replace(&mut strip, &fitted, left + dx, dy);
        } else {
            let grey = RgbImage::from_pixel(width, height, NOTHING);
            imageops::replace(&mut strip, &grey, left, 0);
        }
    }
    strip.into_raw()
}

fn column(layout: &Layout, x: usize) -> u32 {
    layout.left + layout.gap + x as u32 * (layout.cell.0 + layout.gap)
}

/// A picture of at most this size, its shape kept.
fn fit(picture: RgbImage, width: u32, height: u32) -> RgbImage {
    if picture.width() <= width && picture.height() <= height {
        return picture;
    }
    let scale = f64::min(
        f64::from(width) / f64::from(picture.width()),
        f64::from(height) / f64::from(picture.height()),
    );
    let side = |side: u32, most: u32| ((f64::from(side) * scale).round() as u32).clamp(1, most);
    let (width, height) = (side(picture.width(), width), side(picture.height(), height));
    imageops::resize(&picture, width, height, FilterType::Triangle)
}

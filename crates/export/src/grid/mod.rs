//! The labelled grid of a comparison: columns are the first axis, rows the second, blocks the third.

mod html;
mod picture;

use std::io;

pub use html::{HtmlCell, MOST_HTML_BYTES, write_html};
pub use picture::{MOST_PIXELS, MOST_SIDE, PngSize, write_png};

/// The most cells of a grid.
pub const MOST_CELLS: usize = 100_000;

/// An axis: its name and its values' labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// The labels; one empty one where there is no axis.
    pub labels: Vec<String>,
}

/// A comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// Its name.
    pub title: String,
    /// What is the same in all pictures, such as the prompt.
    pub caption: String,
    /// At most three: x, y, z.
    pub axes: Vec<Axis>,
}

impl Grid {
    /// Values along an axis; 1 where there is none.
    pub fn count(&self, axis: usize) -> usize {
        self.axes.get(axis).map_or(1, |axis| axis.labels.len())
    }

    /// How many cells there are.
    pub fn cells(&self) -> usize {
        (0..3).map(|axis| self.count(axis)).fold(1, usize::saturating_mul)
    }

    /// A cell's place in the order of cells: x fastest, z slowest.
    pub fn index(&self, x: usize, y: usize, z: usize) -> usize {
        (z * self.count(1) + y) * self.count(0) + x
    }

    /// `name: label` of a value, nothing where there is no axis.
    fn label(&self, axis: usize, value: usize) -> String {
        let Some(found) = self.axes.get(axis) else { return String::new() };
        let label = found.labels.get(value).map_or("", String::as_str);
        match (found.name.is_empty(), label.is_empty()) {
            (true, _) => label.to_owned(),
            (false, true) => found.name.clone(),
            (false, false) => format!("{}: {label}", found.name),
        }
    }

    fn check(&self) -> Result<(), GridError> {
        match self.cells() {
            0 => Err(GridError::Empty),
            cells if cells > MOST_CELLS => Err(GridError::TooMany { cells }),
            _ => Ok(()),
        }
    }
}

/// Why there is no grid.
#[derive(Debug, thiserror::Error)]
pub enum GridError {
    /// An axis without values.
    #[error("the grid is empty: an axis has no values")]
    Empty,
    /// More than anybody can look at.
    #[error("the grid has {cells} cells; {MOST_CELLS} are possible. Take values away from an axis")]
    TooMany {
        /// How many it has.
        cells: usize,
    },
    /// Too large for one picture.
    #[error(
        "a picture of {columns} × {rows} cells would be too large even with cells of {smallest} pixels. Use the page that zooms, or take values away from an axis"
    )]
    TooLarge {
        /// Cells side by side.
        columns: usize,
        /// Cells one below the other.
        rows: usize,
        /// The smallest cells that are of use.
        smallest: u32,
    },
    /// Too large for one page.
    #[error("the page would be larger than {} MiB. Use smaller pictures, or take values away from an axis", MOST_HTML_BYTES >> 20)]
    PageTooLarge,
    /// It cannot be written.
    #[error("the grid cannot be written: {0}")]
    Write(#[from] io::Error),
    /// The font is damaged.
    #[error(transparent)]
    Font(#[from] crate::text::NoFont),
}

//! The cells of a comparison.

use serde::{Deserialize, Serialize};
use tarim_recipe::{ModelRef, Seed};

use super::{Axis, AxisKind};
use crate::{
    check::check_row,
    field::Field,
    problem::{Code, Problem, Severity},
    row::RowDraft,
};

/// Whether the seed moves on along an axis, A1111's "Vary seeds for X", Y and Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(default)]
#[allow(missing_docs)] // each is the axis of that name
pub struct VarySeeds {
    pub x: bool,
    pub y: bool,
    pub z: bool,
}

/// A comparison: a row, and up to three axes along which it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    base: RowDraft,
    axes: [Option<Axis>; 3],
    vary: VarySeeds,
}

/// A picture of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct GridCell {
    /// Its number: along x first, then y, then z.
    pub index: u64,
    /// Its place along x.
    pub x: usize,
    /// Its place along y.
    pub y: usize,
    /// Its place along z.
    pub z: usize,
    /// What stands beside it, for each axis; empty where there is none.
    pub labels: [String; 3],
    /// What it asks for.
    pub row: RowDraft,
}

impl Grid {
    /// A comparison of x, y and z. Where the row has no seed, or an axis asks for a random one, it is `fresh` and those
    /// that follow from it: the pictures of a comparison must not differ by chance.
    pub fn new(
        mut base: RowDraft,
        axes: [Option<Axis>; 3],
        vary: VarySeeds,
        fresh: Seed,
    ) -> Result<Self, Problem> {
        base.draft.seed = base.draft.seed.or(Some(fresh));
        let mut axes = axes;
        let mut drawn = 0;
        for axis in axes.iter_mut().flatten() {
            if let AxisKind::Field(field @ (Field::Seed | Field::VariationSeed)) = axis.kind {
                for value in &mut axis.values {
                    let mut row = RowDraft::default();
                    row.apply(field, value)?;
                    if row.draft.seed.or(row.draft.variation_seed).is_none() {
                        drawn += 1;
                        *value = fresh.nth(drawn).to_string();
                    }
                }
            }
        }
        let kinds: Vec<AxisKind> = axes.iter().flatten().map(|axis| axis.kind).collect();
        for (index, kind) in kinds.iter().enumerate() {
            let twice =
                matches!(kind, AxisKind::Field(_)) && kinds.iter().skip(index + 1).any(|other| other == kind);
            if let (true, Some(axis)) = (twice, axes.iter().flatten().nth(index)) {
                let message = format!("two axes change {}", axis.name());
                return Err(Problem::error(Code::Conflict, message).hint("take one of them away"));
            }
        }
        Ok(Self { base, axes, vary })
    }

    /// The number of values along x, y and z; 1 where there is no axis.
    pub fn size(&self) -> [usize; 3] {
        self.axes.each_ref().map(|axis| axis.as_ref().map_or(1, Axis::len))
    }

    /// The axes.
    pub fn axes(&self) -> &[Option<Axis>; 3] {
        &self.axes
    }

    /// The number of cells.
    pub fn count(&self) -> u64 {
        self.size().iter().fold(1_u64, |count, length| count.saturating_mul(*length as u64))
    }

    /// One cell by its number, or why it cannot be rendered.
    pub fn cell(&self, index: u64) -> Result<GridCell, Problem> {
        let size = self.size().map(|length| length as u64);
        let [x, y, z] = [index % size[0], index / size[0] % size[1], index / size[0] / size[1]];
        let places = [x, y, z].map(|place| place as usize);
        let mut row = self.base.clone();
        // What is searched for, or changes places, is the prompt after all other changes.
        let mut later = Vec::new();
        for (axis, place) in self.axes.iter().zip(places) {
            match axis {
                Some(axis) if matches!(axis.kind, AxisKind::Field(_)) => axis.apply(place, &mut row)?,
                Some(axis) => later.push((axis, place)),
                None => {}
            }
        }
        for (axis, place) in later {
            axis.apply(place, &mut row)?;
        }
        let columns = if self.vary.x { size[0] } else { 1 };
        let lines = if self.vary.y { size[1] } else { 1 };
        let offset = u64::from(self.vary.x) * x
            + u64::from(self.vary.y) * y * columns
            + u64::from(self.vary.z) * z * columns * lines;
        row.draft.seed = row.draft.seed.map(|seed| seed.nth(offset));
        if let Some(problem) = check_row(&row).into_iter().find(|problem| problem.severity == Severity::Error)
        {
            return Err(problem);
        }
        let mut labels = [const { String::new() }; 3];
        for (label, (axis, place)) in labels.iter_mut().zip(self.axes.iter().zip(places)) {
            *label = axis.as_ref().map_or_else(String::new, |axis| axis.label(place));
        }
        let [x, y, z] = places;
        Ok(GridCell { index, x, y, z, labels, row })
    }

    /// The numbers of all cells in the order to render them: what is dear to change, first of all the model, changes
    /// least often; else row by row.
    pub fn order(&self) -> impl Iterator<Item = u64> + use<> {
        let size = self.size().map(|length| length as u64);
        let strides = [1, size[0], size[0] * size[1]];
        // From the innermost to the outermost.
        let mut inner = [0_usize, 1, 2];
        let cost = |axis: &usize| self.axes.get(*axis).and_then(Option::as_ref).map_or(0, Axis::cost);
        inner.sort_by_key(cost);
        (0..self.count()).map(move |turn| {
            let mut rest = turn;
            let mut index = 0;
            for axis in inner {
                let length = size.get(axis).copied().unwrap_or(1);
                index += rest % length * strides.get(axis).copied().unwrap_or(0);
                rest /= length;
            }
            index
        })
    }
}

/// An order of rows in which each model is loaded once: models in the order in which they come first, and the rows of
/// each in theirs.
pub fn by_model<'a>(models: impl IntoIterator<Item = Option<&'a ModelRef>>) -> Vec<usize> {
    let mut ranks = std::collections::HashMap::new();
    let ranked = models.into_iter().map(|model| {
        let next = ranks.len();
        *ranks.entry(model).or_insert(next)
    });
    let mut order: Vec<(usize, usize)> = ranked.enumerate().map(|(index, rank)| (rank, index)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, index)| index).collect()
}

//! Prompt sets: tables whose rows become pictures, kept in the library, edited, planned and run.

mod batch;
mod check;
pub(crate) mod conditions;
mod edit;
mod expand;
mod grid;
mod plan;
mod report;
mod run;
mod transfer;
mod view;
mod wildcards;

pub use batch::{BatchState, BatchView};
pub use check::{RowsCheck, TemplatePreview};
pub use conditions::Presence;
pub use edit::{Edit, Edited};
pub use grid::{AxisView, GridView};
pub use plan::{Plan, PlannedModel, SecondsRange};
pub use report::Report;
pub use run::RunOptions;
pub use transfer::{Imported, Into};
pub use view::{AxisText, NewTable, RowsPage, SetColumn, SetKind, SetRow, SetSettings, SetSummary, SetView};
pub use wildcards::read_wildcards;

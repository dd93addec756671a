//! Finding pictures and requests: the query language, and the index of words behind it.

mod conditions;
pub(crate) mod index;
mod parse;
mod query;
mod run;
mod sql;
mod values;

pub use parse::parse;
pub use query::{Days, Filter, Is, Numbers, Query, Size, Term};
pub use run::{Cell, Count, Layout, Sort};

pub(crate) use index::{CREATE, add_functions, fold};

#[cfg(test)]
mod tests;

//! Finding pictures and requests: the query language, and the index of words behind it.

pub(crate) mod index;

pub(crate) use index::{CREATE, fold};

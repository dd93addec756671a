//! Prompt sets: tables of recipes, the files they come from and go to, comparisons and expansion.
//!
//! What belongs here: the [`Table`] and its formats (bytes in, values out), the meaning of columns and cells, what is wrong
//! with them and where, the axes of a comparison, and the drafts that a row or a grid stands for. What does not: files,
//! folders, models that exist or do not, the queue.
#![warn(missing_docs)]

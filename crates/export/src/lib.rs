//! Deliverables: what is made of pictures for people elsewhere.
//!
//! What belongs here: laying pictures out, writing labels, and the files that come of it, from values to bytes. What does
//! not: finding the pictures, and where the files go.

pub mod grid;
pub mod text;

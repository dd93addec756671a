//! The renderer process.

fn main() {}

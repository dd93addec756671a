//! Styles: named pairs of prompts, A1111's `styles.csv`.

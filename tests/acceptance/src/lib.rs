//! Helpers for driving the real programs.

//! How a prompt is read: tokens and remarks.

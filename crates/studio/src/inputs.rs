//! Pictures kept to start from, by their content.

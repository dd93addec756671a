//! Presets: settings under a name.

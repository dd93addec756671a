//! What people choose once, kept in `settings.json`.

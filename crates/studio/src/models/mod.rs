//! Models on this machine: found, described, hashed.

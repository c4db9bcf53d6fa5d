//! What SWIFT output means.

//! **nodes**.

//! **scenario**.

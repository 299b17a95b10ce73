//! **checks**.

//! A value with a comment on it.

use std::ops::Deref;

/// A value with a comment on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted<T> {
    /// The value.
    pub value: T,
    /// The comment.
    pub note: Option<String>,
}

impl<T> Deref for Noted<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

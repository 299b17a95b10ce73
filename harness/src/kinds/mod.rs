//! The kinds of node whose implementation is not in this process. Each is a file, and a line in
//! [`complete`]. Knows their options and how they are made; no plan and no run.

pub mod guest;
pub mod linux;

use nodes::Registry;

/// The kinds of the crate `nodes`, and those of here.
#[must_use]
pub fn standard() -> Registry {
    complete(Registry::standard())
}

/// A registry with the kinds of here too. The machines of its guests are kept as long as it is.
#[must_use]
pub fn complete(mut registry: Registry) -> Registry {
    registry.register(linux::kind());
    registry.register(guest::kind(::guest::Pool::default()));
    registry
}

//! A scenario as values: every name that the file itself defines has been looked up, and names of
//! kinds, checks and wires are still names. Knows no syntax: what a reader makes of a text, and a
//! program without one, is the same.

mod file;
mod noted;
mod notes;
mod packet;
mod pattern;
mod refs;
mod steps;
mod value;

pub use file::*;
pub use noted::*;
pub use packet::*;
pub use pattern::*;
pub use refs::*;
pub use steps::*;
pub use value::*;

//! Scenarios as JSON: the keys of every object as tables, and what stands on them: the reader, the
//! writer and the JSON Schema. Knows the model and its names; another syntax needs nothing of it.

mod keys;
mod read;
mod schema;
mod tree;
mod write;

pub use read::{MAX_FILE_BYTES, parse};
pub use schema::schema;
pub use write::write;

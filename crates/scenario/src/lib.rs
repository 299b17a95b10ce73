//! **scenario**: what was asked. A file's text becomes a [`Scenario`], with line and column in
//! every error. Knows packets by the tables of `wire`; does not know which node kinds, checks or
//! wires exist: those names stay names, with the place where they were written.

mod decode;
mod diagnostic;
mod expr;
mod faults;
mod json;
mod keys;
mod model;
mod packet;
mod pattern;
mod quantity;
mod schema;
mod span;

pub use decode::{MAX_FILE_BYTES, parse};
pub use diagnostic::{Diagnostic, line_and_column, nearest, suggestion};
pub use expr::{Bindings, Expr, ExprError, ExprSyntax, is_name};
pub use model::*;
pub use packet::{FieldTemplate, LayerTemplate, OptionTemplate, PacketTemplate, ValueTemplate};
pub use pattern::{LayerPattern, Pattern, ResolvedLayer, ResolvedPattern};
pub use quantity::duration;
pub use schema::schema;
pub use span::{Span, Spanned};

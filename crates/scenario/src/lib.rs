//! **scenario**: what was asked. A file's text becomes a [`Scenario`], with line and column in
//! every error. Knows packets by the tables of `wire`; does not know which node kinds, checks or
//! wires exist: those names stay names, with the place where they were written.
//!
//! | floor | holds | uses |
//! |---|---|---|
//! | [`Span`], [`Diagnostic`], [`Expr`] | places, what is wrong there, small values | |
//! | `model` | a scenario as values | the floor above |
//! | `resolve` | names of nodes, ports, links, fields and bound values: no syntax | `model` |
//! | `json` | the keys as tables, the reader, the writer, the schema | `model`, `resolve` |

mod diagnostic;
mod expr;
mod faults;
mod json;
mod model;
mod quantity;
mod resolve;
mod span;

pub use diagnostic::{Diagnostic, line_and_column, nearest, suggestion};
pub use expr::{Bindings, Expr, ExprError, ExprSyntax, is_name};
pub use json::{MAX_FILE_BYTES, parse, schema, write};
pub use model::*;
pub use quantity::duration;
pub use span::{Span, Spanned};

//! Named values of any type: options, arguments, fields of events.

use crate::expr::{Bindings, Expr, ExprError};
use crate::span::Spanned;

/// A named value: a node's option, a command's argument, an event's field.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value.
    pub value: Spanned<Scalar>,
}

/// The value of an [`Argument`].
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A number.
    Num(u64),
    /// Text.
    Text(String),
    /// Several values.
    List(Vec<Scalar>),
    /// A number computed from bound names; never in a node's option. See [`Scalar::resolve`].
    Expr(Expr),
}

impl Scalar {
    /// The same with every expression computed, mod 2^64: no [`Scalar::Expr`] is left in it.
    ///
    /// # Errors
    /// When a name is not bound.
    pub fn resolve(&self, bindings: &Bindings) -> Result<Self, ExprError> {
        Ok(match self {
            Self::Expr(expr) => Self::Num(expr.eval(bindings, 64)?),
            Self::List(items) => {
                let items = items.iter().map(|item| item.resolve(bindings));
                Self::List(items.collect::<Result<_, _>>()?)
            }
            known => known.clone(),
        })
    }
}

//! What a frame must look like, as written in an `expect`. Says what to compare; comparing is the
//! judge's work.

use wire::{Field, Proto, TcpOption, Value};

use super::packet::{FieldTemplate, OptionTemplate, resolve_fields, resolve_options};
use crate::expr::{Bindings, ExprError};
use crate::span::Span;

/// A partial frame: what is given must match, the rest is free. Empty, it matches any frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pattern {
    /// Layers that must be there, from the outside in.
    pub layers: Vec<LayerPattern>,
    /// Protocols that must not be there.
    pub absent: Vec<Proto>,
    /// The payload's bytes, all of them.
    pub payload: Option<Vec<u8>>,
    /// The frame's length in bytes.
    pub length: Option<usize>,
    /// The whole frame.
    pub raw: Option<Vec<u8>>,
    /// A comment.
    pub note: Option<String>,
}

/// One layer of a [`Pattern`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayerPattern {
    /// Its protocol.
    pub proto: Proto,
    /// Which layer of its protocol, from 0.
    pub occurrence: usize,
    /// Where it stands in the file.
    pub span: Span,
    /// Fields that must have these values, in the order of the protocol's table.
    pub fields: Vec<FieldTemplate>,
    /// The TCP options it must have, all of them and in this order; padding is no option.
    pub tcp_options: Option<Vec<OptionTemplate>>,
    /// What the packet quoted by an ICMP error must look like.
    pub quote: Option<Box<Pattern>>,
    /// A comment.
    pub note: Option<String>,
}

/// A [`Pattern`] with every value known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResolvedPattern {
    /// Layers that must be there, from the outside in.
    pub layers: Vec<ResolvedLayer>,
    /// Protocols that must not be there.
    pub absent: Vec<Proto>,
    /// The payload's bytes, all of them.
    pub payload: Option<Vec<u8>>,
    /// The frame's length in bytes.
    pub length: Option<usize>,
    /// The whole frame.
    pub raw: Option<Vec<u8>>,
}

/// One layer of a [`ResolvedPattern`].
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedLayer {
    /// Its protocol.
    pub proto: Proto,
    /// Which layer of its protocol, from 0.
    pub occurrence: usize,
    /// Fields that must have these values.
    pub fields: Vec<(&'static Field, Value)>,
    /// The TCP options it must have.
    pub tcp_options: Option<Vec<TcpOption>>,
    /// What the packet quoted by an ICMP error must look like.
    pub quote: Option<Box<ResolvedPattern>>,
}

impl Pattern {
    /// The pattern with every expression computed.
    ///
    /// # Errors
    /// When a name is not bound.
    pub fn resolve(&self, bindings: &Bindings) -> Result<ResolvedPattern, ExprError> {
        let resolve = |layer: &LayerPattern| {
            let quote = match &layer.quote {
                Some(quote) => Some(Box::new(quote.resolve(bindings)?)),
                None => None,
            };
            Ok(ResolvedLayer {
                proto: layer.proto,
                occurrence: layer.occurrence,
                fields: resolve_fields(&layer.fields, bindings)?,
                tcp_options: resolve_options(layer.tcp_options.as_deref(), bindings)?,
                quote,
            })
        };
        Ok(ResolvedPattern {
            layers: self.layers.iter().map(resolve).collect::<Result<_, _>>()?,
            absent: self.absent.clone(),
            payload: self.payload.clone(),
            length: self.length,
            raw: self.raw.clone(),
        })
    }

    /// Nothing is asked: any frame matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { layers, absent, payload, length, raw, note: _ } = self;
        layers.is_empty() && absent.is_empty() && (payload, length, raw) == (&None, &None, &None)
    }
}

//! A packet as written in a `send` or a `quote`: values may still be expressions over bound names.

use wire::{Field, Layer, Packet, Proto, TcpOption, Value};

use crate::expr::{Bindings, Expr, ExprError};
use crate::span::Span;

/// A packet to build once the names in it are bound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacketTemplate {
    /// The layers from the outside in.
    pub layers: Vec<LayerTemplate>,
    /// The whole frame instead of layers.
    pub raw: Option<Vec<u8>>,
    /// Split the IP payload into fragments of this many bytes.
    pub fragment: Option<u16>,
    /// Pad with zero bytes to this length.
    pub pad: Option<usize>,
    /// Cut to this length.
    pub truncate: Option<usize>,
    /// A comment.
    pub note: Option<String>,
}

/// One layer of a [`PacketTemplate`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTemplate {
    /// Its protocol.
    pub proto: Proto,
    /// Where it stands in the file.
    pub span: Span,
    /// The fields given, in the order of the protocol's table.
    pub fields: Vec<FieldTemplate>,
    /// TCP options by name.
    pub tcp_options: Option<Vec<OptionTemplate>>,
    /// The packet that an ICMP error quotes.
    pub quote: Option<Box<PacketTemplate>>,
    /// A comment.
    pub note: Option<String>,
}

/// A field and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldTemplate {
    /// The field.
    pub field: &'static Field,
    /// Its value.
    pub value: ValueTemplate,
    /// Where the value stands in the file.
    pub span: Span,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueTemplate {
    /// Known.
    Fixed(Value),
    /// A number to compute, mod 2^width of the field.
    Expr(Expr),
}

/// One TCP option; the numbers in it are expressions, a literal being the simplest.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionTemplate {
    /// Known.
    Fixed(TcpOption),
    /// Maximum segment size, 16 bits.
    Mss(Expr),
    /// Window scale, 8 bits.
    WindowScale(Expr),
    /// Blocks of left and right edge, 32 bits each.
    Sack(Vec<(Expr, Expr)>),
    /// TSval and TSecr, 32 bits each.
    Timestamps(Expr, Expr),
}

impl PacketTemplate {
    /// The packet, with every expression computed.
    ///
    /// # Errors
    /// When a name is not bound.
    pub fn resolve(&self, bindings: &Bindings) -> Result<Packet, ExprError> {
        let layers = self.layers.iter().map(|layer| layer.resolve(bindings));
        Ok(Packet {
            layers: layers.collect::<Result<_, _>>()?,
            raw: self.raw.clone(),
            fragment: self.fragment,
            pad: self.pad,
            truncate: self.truncate,
        })
    }
}

impl LayerTemplate {
    fn resolve(&self, bindings: &Bindings) -> Result<Layer, ExprError> {
        let quote = match &self.quote {
            Some(quote) => Some(Box::new(quote.resolve(bindings)?)),
            None => None,
        };
        Ok(Layer {
            proto: self.proto,
            set: resolve_fields(&self.fields, bindings)?,
            tcp_options: resolve_options(self.tcp_options.as_deref(), bindings)?,
            quote,
        })
    }
}

/// The values of fields, each reduced to its field's width.
pub(crate) fn resolve_fields(
    fields: &[FieldTemplate],
    bindings: &Bindings,
) -> Result<Vec<(&'static Field, Value)>, ExprError> {
    let resolve = |given: &FieldTemplate| {
        let value = match &given.value {
            ValueTemplate::Fixed(value) => value.clone(),
            ValueTemplate::Expr(expr) => Value::Num(expr.eval(bindings, given.field.width)?),
        };
        Ok((given.field, value))
    };
    fields.iter().map(resolve).collect()
}

/// The options, each number reduced to its width.
pub(crate) fn resolve_options(
    options: Option<&[OptionTemplate]>,
    bindings: &Bindings,
) -> Result<Option<Vec<TcpOption>>, ExprError> {
    let Some(options) = options else { return Ok(None) };
    let word = |expr: &Expr| Ok(expr.eval(bindings, 32)? as u32);
    let resolve = |option: &OptionTemplate| {
        Ok(match option {
            OptionTemplate::Fixed(option) => option.clone(),
            OptionTemplate::Mss(mss) => TcpOption::Mss(mss.eval(bindings, 16)? as u16),
            OptionTemplate::WindowScale(shift) => {
                TcpOption::WindowScale(shift.eval(bindings, 8)? as u8)
            }
            OptionTemplate::Sack(blocks) => {
                let edges = |(left, right): &(Expr, Expr)| Ok((word(left)?, word(right)?));
                TcpOption::Sack(blocks.iter().map(edges).collect::<Result<_, _>>()?)
            }
            OptionTemplate::Timestamps(value, echo) => {
                TcpOption::Timestamps(word(value)?, word(echo)?)
            }
        })
    };
    options.iter().map(resolve).collect::<Result<_, _>>().map(Some)
}

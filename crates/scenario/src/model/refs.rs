//! What names stand for: a node's port, a field of a layer.

use std::fmt;

use wire::Field;

use crate::span::Spanned;

/// A node of the file, and one of its ports where it was written: `middle:left`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRef {
    /// The node's name.
    pub node: Spanned<String>,
    /// Its place in [`Scenario::nodes`](crate::Scenario::nodes).
    pub index: usize,
    /// The port's name; one of the node's `ports` where it has them.
    pub port: Option<Spanned<String>>,
}

/// As the file writes it: `node` or `node:port`.
impl fmt::Display for PortRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.port {
            Some(port) => write!(f, "{}:{}", self.node.value, port.value),
            None => f.write_str(&self.node.value),
        }
    }
}

/// A field of one of a frame's layers: `tcp.seq`, or `vlan#2.id` for the second of that protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldPath {
    /// The field.
    pub field: &'static Field,
    /// Which layer of its protocol, from 0.
    pub occurrence: usize,
}

/// As the file writes it: `tcp.seq`, or `vlan#2.id`.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (layer, key) = (self.field.proto.key(), self.field.key);
        match self.occurrence {
            0 => write!(f, "{layer}.{key}"),
            before => write!(f, "{layer}#{}.{key}", before + 1),
        }
    }
}

//! How a node translated so far: between which ends a flow came in, and between which it left. The
//! first datagram makes the binding; what comes later is recognised by it even where its content
//! was changed, and answers are translated back. Knows ends, not rules.

use std::collections::BTreeMap;

use super::kin::{Datagram, Kin};

/// More flows than this are forgotten, so that a capture of many cannot fill the memory.
const MOST: usize = 1 << 16;

/// Both ends of a flow with its protocol: IPv4 addresses are mapped as RFC 4291 2.5.5.2 maps them.
type Ends = (u8, u128, u128, u32);

/// The bindings of every node.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// By node and the ends with which a flow leaves, the ends with which it comes in.
    bindings: BTreeMap<(u16, Ends), Ends>,
}

fn wide(address: &[u8]) -> u128 {
    match *address {
        [a, b, c, d] => 0xffff_0000_0000 | u128::from(u32::from_be_bytes([a, b, c, d])),
        _ => address.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes)),
    }
}

fn ends(datagram: &Datagram<'_>) -> Option<Ends> {
    let (src, dst) = (wide(datagram.src), wide(datagram.dst));
    datagram.ports.map(|ports| (datagram.protocol(), src, dst, ports))
}

fn swapped((protocol, src, dst, ports): Ends) -> Ends {
    (protocol, dst, src, ports.rotate_left(16))
}

impl History {
    pub(crate) fn clear(&mut self) {
        self.bindings.clear();
    }

    /// Notes that `node` made one datagram into the other.
    pub(crate) fn learn(&mut self, node: u16, before: &Datagram<'_>, now: &Datagram<'_>) {
        let (Some(came), Some(left)) = (ends(before), ends(now)) else { return };
        if self.bindings.len() >= MOST {
            self.bindings.clear();
        }
        self.bindings.insert((node, left), came);
        self.bindings.insert((node, swapped(came)), swapped(left));
    }

    /// `node` translates the flow of the one into that of the other. A reset that it makes itself
    /// goes between the same ends, so of resets this says nothing.
    pub(crate) fn translates(
        &self,
        node: u16,
        before: &Datagram<'_>,
        now: &Datagram<'_>,
    ) -> Option<Kin> {
        if now.is_verdict() {
            return None;
        }
        let (came, left) = (ends(before)?, ends(now)?);
        (self.bindings.get(&(node, left)) == Some(&came)).then_some(Kin::Flow)
    }
}

//! The walk from header to header that both views share.

use super::{Fault, HeaderError, LaxFrame, LayerView, raw_options};
use crate::Frame;
use crate::field::{Field, Proto};
use crate::fields::{arp, dest_opts, hop_by_hop, ip4, ip6, routing, tcp, udp};
use crate::segment::is_offloaded;

mod jumbo;
mod link;
mod tunnels;

/// Layers of one frame that are taken apart; what stands within is its payload. Headers of four
/// bytes, end to end, would make thousands of layers.
pub(super) const MAX_LAYERS: usize = 64;

/// What stands next: which header, and its first byte.
type Next = Option<(Kind, usize)>;

#[derive(Clone, Copy)]
enum Kind {
    /// By an Ethernet type.
    Type(u16),
    /// By an IP protocol number.
    Protocol(u8),
    /// A whole frame of Ethernet in a tunnel.
    Ethernet,
    /// IEEE 802.2.
    Llc,
    Vxlan,
    Ppp,
    Payload,
}

struct Walk<'a> {
    /// What was captured.
    bytes: &'a [u8],
    /// The byte after what the innermost length so far accounts for, on the wire: the capture may
    /// have less.
    limit: usize,
    layers: Vec<LayerView>,
    faults: Vec<HeaderError>,
    stop: Option<HeaderError>,
    truncated: bool,
    fragment: bool,
    /// Only what a scenario can name is told apart.
    as_sent: bool,
}

impl Kind {
    /// No scenario can write it there: a header that is only shown, or Ethernet within a packet.
    const fn is_only_shown(self, at: usize) -> bool {
        match self {
            Self::Type(0..0x600 | 0x6558 | 0x8035 | 0x8863 | 0x8864) | Self::Protocol(47 | 51) => {
                true
            }
            Self::Ethernet | Self::Protocol(143) => at > 0,
            Self::Type(_) | Self::Protocol(_) | Self::Payload => false,
            Self::Llc | Self::Vxlan | Self::Ppp => true,
        }
    }
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8], limit: usize, as_sent: bool) -> Self {
        Self {
            bytes,
            limit,
            layers: Vec::new(),
            faults: Vec::new(),
            stop: None,
            truncated: false,
            fragment: false,
            as_sent,
        }
    }
}

pub(super) fn walk(frame: Frame<'_>, as_sent: bool) -> LaxFrame<'_> {
    let bytes = frame.bytes;
    let wire_len = frame.original_len.max(bytes.len());
    let mut walk = Walk::new(bytes, wire_len.saturating_sub(frame.fcs_len), as_sent);
    let first = walk.link(frame.link, frame.fcs_len);
    let body = walk.limit;
    walk.follow(first);
    let mut view = LaxFrame {
        frame,
        layers: walk.layers,
        quote: Vec::new(),
        trailer: walk.limit.min(bytes.len())..body.min(bytes.len()),
        truncated: walk.truncated,
        fragment: walk.fragment,
        stop: walk.stop,
        faults: walk.faults,
    };
    if let Some((kind, start, end)) = quoted(&view) {
        let mut quote = Walk::new(&bytes[..end.min(bytes.len())], end, as_sent);
        quote.follow(Some((kind, start)));
        view.quote = quote.layers;
    }
    view
}

/// The packet that an ICMP error quotes: what it is and where it stands.
fn quoted(view: &LaxFrame<'_>) -> Option<(Kind, usize, usize)> {
    let payload = view.find(Proto::Payload)?;
    let icmp = view.layers.iter().find(|layer| layer.end == payload.start)?;
    let kind = match (icmp.proto, *view.frame.bytes.get(icmp.start)?) {
        (Proto::Icmp4, 3 | 4 | 5 | 11 | 12) => Kind::Type(0x0800),
        (Proto::Icmp6, 1..=4) => Kind::Type(0x86dd),
        _ => return None,
    };
    Some((kind, payload.start, payload.end))
}

impl<'a> Walk<'a> {
    fn follow(&mut self, mut next: Next) {
        while let Some((kind, at)) = next {
            let opaque =
                self.layers.len() >= MAX_LAYERS || (self.as_sent && kind.is_only_shown(at));
            let kind = if opaque { Kind::Payload } else { kind };
            next = match kind {
                Kind::Type(0x8100 | 0x88a8 | 0x9100) => self.vlan(at),
                Kind::Type(0x0800) | Kind::Protocol(4) => self.ip4(at),
                Kind::Type(0x86dd) | Kind::Protocol(41) => self.ip6(at),
                Kind::Type(0x0806 | 0x8035) => self.arp(at),
                Kind::Type(0x8863) => self.pppoe(at, true),
                Kind::Type(0x8864) => self.pppoe(at, false),
                Kind::Protocol(number) => self.upper(number, at),
                Kind::Ethernet | Kind::Type(0x6558) => self.ethernet(at),
                Kind::Type(length @ 0..0x600) => Some((self.ieee(length.into(), at), at)),
                Kind::Llc => self.llc(at),
                Kind::Vxlan => self.vxlan(at),
                Kind::Ppp => self.ppp(at),
                Kind::Type(_) | Kind::Payload => self.payload(at),
            };
        }
    }

    /// What is left from `offset` on when the header's fixed part was captured; else the walk ends
    /// here, and that is a fault only where the frame itself had less.
    fn claim(&mut self, layer: Proto, offset: usize, needed: usize) -> Option<Rest<'a>> {
        let len = self.limit.saturating_sub(offset);
        let rest = self.bytes.get(offset..).unwrap_or(&[]);
        let bytes = &rest[..rest.len().min(len)];
        if bytes.len() >= needed {
            return Some(Rest { bytes, len });
        }
        let lost = len >= needed;
        let had = if lost { bytes.len() } else { len };
        let fault = Fault::Short;
        self.stop(HeaderError { layer, offset, needed, had, claimed_by: None, fault }, lost);
        None
    }

    /// Ends the walk with what there is of the header. What the capture lost is no fault.
    fn stop(&mut self, error: HeaderError, lost: bool) {
        if error.had > 0 {
            self.push(error.layer, error.offset, self.limit);
        }
        if !lost {
            self.faults.push(error);
        }
        self.stop = Some(error);
    }

    fn push(&mut self, proto: Proto, start: usize, end: usize) {
        self.layers.push(LayerView { proto, start, end: end.min(self.limit), limit: self.limit });
    }

    fn fault(&mut self, fault: Fault, field: &'static Field, at: usize, numbers: (usize, usize)) {
        self.faults.push(HeaderError {
            layer: field.proto,
            offset: at,
            needed: numbers.0,
            had: numbers.1,
            claimed_by: Some(field),
            fault,
        });
    }

    fn must_be(&mut self, field: &'static Field, at: usize, right: usize, found: u8) {
        if usize::from(found) != right {
            self.fault(Fault::Value, field, at, (right, usize::from(found)));
        }
    }

    /// A header whose length a field tells, put as a layer; `None` when it does not fit.
    fn header(
        &mut self,
        field: &'static Field,
        at: usize,
        least: usize,
        claimed: usize,
    ) -> Option<usize> {
        if claimed < least {
            self.fault(Fault::Small, field, at, (least, claimed));
        }
        let (needed, had) = (claimed.max(least), self.limit - at);
        if needed <= had {
            return Some(at + needed);
        }
        let error = HeaderError {
            layer: field.proto,
            offset: at,
            needed,
            had,
            claimed_by: Some(field),
            fault: Fault::Short,
        };
        self.stop(error, false);
        None
    }

    fn options(&mut self, field: &'static Field, start: usize, end: usize) {
        let captured = end.min(self.bytes.len());
        let list = self.bytes.get(start..captured).unwrap_or(&[]);
        for option in raw_options(list) {
            // An option that goes on behind what was captured need not lie.
            let lost = |claimed: &usize| {
                captured < end
                    && (option.range.len() == 1 || *claimed >= 2)
                    && start + option.range.start + claimed <= end
            };
            if let Some(claimed) = option.lies.filter(|claimed| !lost(claimed)) {
                let numbers = (claimed, option.range.len());
                self.fault(Fault::Option, field, start + option.range.start, numbers);
            }
        }
    }

    fn ethernet(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Eth, at, 14)?;
        self.push(Proto::Eth, at, at + 14);
        Some((Kind::Type(u16_at(head, 12)), at + 14))
    }

    fn vlan(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Vlan, at, 4)?;
        self.push(Proto::Vlan, at, at + 4);
        Some((Kind::Type(u16_at(head, 2)), at + 4))
    }

    /// ARP as long as its sizes say. Where there is no room for that, and for Ethernet and IPv4,
    /// the sizes have to be those of the table.
    fn arp(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Arp, at, 8)?;
        let sized = 8 + 2 * (usize::from(head[4]) + usize::from(head[5]));
        let lies = sized > head.len() && head.len() >= 28;
        if lies || head.starts_with(&[0, 1, 8, 0]) {
            self.must_be(&arp::HW_SIZE, at, 6, head[4]);
            self.must_be(&arp::PROTO_SIZE, at, 4, head[5]);
        }
        let length = if lies { 28 } else { sized };
        self.claim(Proto::Arp, at, length)?;
        self.limit = at + length;
        self.push(Proto::Arp, at, at + length);
        None
    }

    fn ip4(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Ip4, at, 20)?;
        self.must_be(&ip4::VERSION, at, 4, head[0] >> 4);
        let end = self.header(&ip4::IHL, at, 20, usize::from(head[0] & 15) * 4)?;
        let total = usize::from(u16_at(head, 2));
        if total == 0 && is_offloaded(head[9], head.len()) {
            // The sender's card was to write the length; the frame has it.
        } else if total < end - at {
            self.fault(Fault::Small, &ip4::TOTAL_LENGTH, at, (end - at, total));
        } else if total > head.len() {
            self.fault(Fault::Short, &ip4::TOTAL_LENGTH, at, (total, head.len()));
            self.truncated = true;
        } else {
            self.limit = at + total;
        }
        self.options(&ip4::OPTIONS, at + 20, end);
        self.push(Proto::Ip4, at, end);
        let offset = u16_at(head, 6);
        self.fragment |= offset & 0x3fff != 0;
        let kind = if offset & 0x1fff == 0 { Kind::Protocol(head[9]) } else { Kind::Payload };
        Some((kind, end))
    }

    fn ip6(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Ip6, at, 40)?;
        self.must_be(&ip6::VERSION, at, 6, head[0] >> 4);
        let (length, had) = (usize::from(u16_at(head, 4)), head.len() - 40);
        if length > had {
            self.fault(Fault::Short, &ip6::PAYLOAD_LENGTH, at, (40 + length, head.len()));
            self.truncated = true;
        } else if length > 0 {
            self.limit = at + 40 + length;
        } else if head[6] == 0 {
            self.jumbogram(at, &head[40..], had);
        } else if !(head[6] == 6 && had >= 20) {
            self.limit = at + 40;
        }
        self.push(Proto::Ip6, at, at + 40);
        Some((Kind::Protocol(head[6]), at + 40))
    }

    /// What follows an IP header, by its protocol number.
    fn upper(&mut self, number: u8, at: usize) -> Next {
        match number {
            0 => self.extension(&hop_by_hop::LENGTH, at),
            43 => self.extension(&routing::LENGTH, at),
            60 => self.extension(&dest_opts::LENGTH, at),
            44 => self.fragment_header(at),
            47 => self.gre(at),
            51 => self.ah(at),
            143 => self.ethernet(at),
            6 => self.tcp(at),
            17 => self.udp(at),
            1 => self.fixed(Proto::Icmp4, at, 8),
            58 => self.fixed(Proto::Icmp6, at, 8),
            _ => self.payload(at),
        }
    }

    fn extension(&mut self, length: &'static Field, at: usize) -> Next {
        let head = self.claim(length.proto, at, 8)?;
        let end = self.header(length, at, 8, (usize::from(head[1]) + 1) * 8)?;
        self.push(length.proto, at, end);
        Some((Kind::Protocol(head[0]), end))
    }

    fn fragment_header(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Fragment, at, 8)?;
        self.push(Proto::Fragment, at, at + 8);
        let offset = u16_at(head, 2);
        self.fragment |= offset & 0xfff9 != 0;
        let kind = if offset & 0xfff8 == 0 { Kind::Protocol(head[0]) } else { Kind::Payload };
        Some((kind, at + 8))
    }

    fn tcp(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Tcp, at, 20)?;
        let end = self.header(&tcp::DATA_OFFSET, at, 20, usize::from(head[12] >> 4) * 4)?;
        self.options(&tcp::OPTIONS, at + 20, end);
        self.push(Proto::Tcp, at, end);
        Some((Kind::Payload, end))
    }

    fn udp(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Udp, at, 8)?;
        let (length, had) = (usize::from(u16_at(head, 4)), head.len());
        if length == 0 && had > 0xffff {
            // A jumbogram's length, RFC 2675 section 4.
        } else if length < 8 {
            self.fault(Fault::Small, &udp::LENGTH, at, (8, length));
        } else if length > had && !self.fragment {
            self.fault(Fault::Short, &udp::LENGTH, at, (length, had));
        } else if length < had {
            self.fault(Fault::Disagrees, &udp::LENGTH, at, (length, had));
            self.limit = at + length;
        }
        self.push(Proto::Udp, at, at + 8);
        let kind = if self.is_vxlan(&head) { Kind::Vxlan } else { Kind::Payload };
        Some((kind, at + 8))
    }

    fn fixed(&mut self, proto: Proto, at: usize, length: usize) -> Next {
        self.claim(proto, at, length)?;
        self.push(proto, at, at + length);
        Some((Kind::Payload, at + length))
    }

    fn payload(&mut self, at: usize) -> Next {
        if at < self.limit {
            self.push(Proto::Payload, at, self.limit);
        }
        None
    }
}

/// What is left from a header's first byte on: the bytes that were captured, at least those of the
/// header's fixed part.
#[derive(Clone, Copy)]
struct Rest<'a> {
    bytes: &'a [u8],
    len: usize,
}

impl Rest<'_> {
    /// How many bytes there were on the wire.
    const fn len(self) -> usize {
        self.len
    }
}

impl std::ops::Deref for Rest<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

fn u16_at(bytes: impl std::ops::Deref<Target = [u8]>, at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

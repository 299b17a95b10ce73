//! Headers that carry another packet, and what no header accounts for, in one line's words.

use super::line::Line;
use super::{capped_hex, group, names, printable};
use crate::field::{Proto, Value};
use crate::fields::{ah, eth, fragment, gre, ip4, ip6, llc, ppp, pppoe, snap, vlan, vxlan};
use crate::view::LayerView;

/// Tags of PPPoE discovery that are told in one line.
const MAX_TAGS: usize = 12;

impl Line<'_> {
    pub(super) fn carrier(&mut self, index: usize, layer: &LayerView, stopped: bool) {
        if stopped {
            // That the frame's own header is cut has been told.
            if index > 0 {
                self.put(format_args!("[|{}]", layer.proto.key()));
            }
            return;
        }
        match layer.proto {
            Proto::Eth => self.inner_ethernet(index, layer),
            Proto::Llc => self.llc(index, layer),
            Proto::Snap => self.snap(index, layer),
            Proto::Ah => self.ah(index, layer),
            Proto::Gre => self.gre(index, layer),
            Proto::Vxlan => {
                let flags = self.number(layer, &vxlan::FLAGS);
                let vni = self.text(layer, &vxlan::VNI);
                self.put(format_args!("VXLAN, flags [I] (0x{flags:02x}), vni {vni}, "));
            }
            Proto::Pppoe => self.pppoe(layer),
            _ => {}
        }
    }

    fn next(&self, index: usize) -> Option<Proto> {
        self.view.layers().get(index + 1).map(|next| next.proto)
    }

    /// Shows a tunnelled frame's addresses only where nothing within says more.
    fn inner_ethernet(&mut self, index: usize, layer: &LayerView) {
        let opaque = matches!(self.next(index), None | Some(Proto::Payload | Proto::Llc));
        if index > 0 && opaque {
            let (src, dst) = (self.text(layer, &eth::SRC), self.text(layer, &eth::DST));
            self.put(format_args!("{src} > {dst}, "));
        }
    }

    fn llc(&mut self, index: usize, layer: &LayerView) {
        if !matches!(self.next(index), None | Some(Proto::Payload)) {
            return;
        }
        let (dsap, ssap) = (self.number(layer, &llc::DSAP), self.number(layer, &llc::SSAP));
        let length = layer.limit - layer.start;
        if dsap == 0x42 {
            let version = match self.view.payload() {
                [0, 0, 0, 0, ..] => " 802.1d, Config",
                [0, 0, 0, 0x80, ..] => " 802.1d, Topology Change",
                [0, 0, 2, 2, ..] => " 802.1w, Rapid STP",
                [0, 0, 3, 2, ..] => " 802.1s, Rapid STP",
                [0, 0, 4, 2, ..] => " 802.1aq, SPT BPDU",
                _ => "",
            };
            self.put(format_args!("STP{version}, length {}", layer.limit - layer.end));
            return;
        }
        let control = self.text(layer, &llc::CONTROL);
        let (to, from) = (names::access_point(dsap), names::access_point(ssap));
        self.put(format_args!(
            "LLC, dsap {to} (0x{dsap:02x}), ssap {from} (0x{ssap:02x}), ctrl 0x{control}, \
             length {length}"
        ));
    }

    fn snap(&mut self, index: usize, layer: &LayerView) {
        if !matches!(self.next(index), None | Some(Proto::Payload)) {
            return;
        }
        let (oui, kind) = (self.number(layer, &snap::OUI), self.number(layer, &snap::TYPE));
        let name = names::snap_type(oui, kind).unwrap_or("Unknown");
        let length = layer.limit - layer.end;
        self.put(format_args!("SNAP, oui 0x{oui:06x}, {name} (0x{kind:04x}), length {length}"));
    }

    fn ah(&mut self, index: usize, layer: &LayerView) {
        let (spi, seq) = (self.text(layer, &ah::SPI), self.number(layer, &ah::SEQ));
        let icv = self.view.header(layer).get(12..).unwrap_or(&[]);
        let icv = capped_hex(icv);
        let colon = if self.next(index).is_some() { ": " } else { "" };
        self.put(format_args!("AH(spi={spi},seq=0x{seq:x},icv=0x{icv}){colon}"));
    }

    fn gre(&mut self, index: usize, layer: &LayerView) {
        let bit = |field| self.number(layer, field) == 1;
        let version = self.number(layer, &gre::VERSION);
        if version > 1 {
            self.put(format_args!("GREv{version}, unknown version, "));
            return;
        }
        let [checksum, routing, key] =
            [&gre::HAS_CHECKSUM, &gre::HAS_ROUTING, &gre::HAS_KEY].map(bit);
        let [seq, ack] = [&gre::HAS_SEQ, &gre::HAS_ACK].map(bit);
        let mut words = self.view.header(layer).get(4..).unwrap_or(&[]).chunks_exact(4);
        let mut word = || {
            let bytes = words.next().and_then(|word| word.first_chunk::<4>());
            bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
        };
        self.put(format_args!("GREv{version}, "));
        if checksum || routing {
            let offset = word() & 0xffff;
            self.checksum(layer, ", ");
            self.put(format_args!("off 0x{offset:x}, "));
        }
        if key {
            let key = word();
            match version {
                0 => self.put(format_args!("key=0x{key:x}, ")),
                _ => self.put(format_args!("call {}, ", key & 0xffff)),
            }
        }
        if seq {
            let seq = word();
            self.put(format_args!("seq {seq}, "));
        }
        if version == 1 && ack {
            let ack = word();
            self.put(format_args!("ack {ack}, "));
        }
        if version == 1 && !seq {
            self.put(format_args!("no-payload, "));
        }
        let length = layer.limit - layer.start;
        let colon = if self.next(index).is_some() { ": " } else { "" };
        self.put(format_args!("length {length}{colon}"));
    }

    fn pppoe(&mut self, layer: &LayerView) {
        let (code, session) =
            (self.number(layer, &pppoe::CODE), self.number(layer, &pppoe::SESSION));
        let word = match code {
            0x00 => "",
            0x07 => "PADO",
            0x09 => "PADI",
            0x19 => "PADR",
            0x65 => "PADS",
            0xa7 => "PADT",
            _ => "PAD",
        };
        self.put(format_args!("PPPoE {word}"));
        if word == "PAD" {
            self.put(format_args!("-{code:02x}"));
        }
        if session != 0 {
            self.put(format_args!(" [ses 0x{session:x}]"));
        }
        let tags = self.view.header(layer).get(6..).unwrap_or(&[]);
        let mut shown = 0;
        for (kind, value) in tags_of(tags) {
            shown += 1;
            if shown > MAX_TAGS {
                continue;
            }
            self.put(format_args!(" [{}]", tag(kind, value)));
        }
        if shown > MAX_TAGS {
            self.put(format_args!(" … and {} more", shown - MAX_TAGS));
        }
        if code == 0 {
            self.put(format_args!(" "));
        }
    }

    /// Names what no header above accounts for; a transport has told its payload's length already.
    pub(super) fn payload(&mut self, index: usize, layer: &LayerView) {
        let view = self.view;
        let Some(around) = index.checked_sub(1).map(|index| view.layers()[index]) else { return };
        let length = layer.end - layer.start;
        let kind = match around.proto {
            Proto::Eth => &eth::TYPE,
            Proto::Vlan => &vlan::TYPE,
            Proto::Gre => &gre::TYPE,
            Proto::Ip4 => &ip4::PROTOCOL,
            Proto::Ip6 => &ip6::NEXT_HEADER,
            Proto::Ppp => return self.ppp(&around, layer),
            Proto::HopByHop | Proto::Routing | Proto::Fragment | Proto::DestOpts | Proto::Ah => {
                around.proto.fields()[0]
            }
            _ => return,
        };
        let number = self.number(&around, kind);
        match around.proto {
            Proto::Eth | Proto::Vlan if number < 0x600 => {
                let raw = view.payload().starts_with(&[0xff, 0xff]) && self.named;
                let what = if raw { "IPX (802.3 raw)" } else { "802.3" };
                self.put(format_args!("{what}, length {length}"));
            }
            Proto::Eth | Proto::Vlan if self.named => {
                let name = names::ether_type(number).unwrap_or("Unknown");
                self.put(format_args!("ethertype {name} (0x{number:04x}), length {length}"));
            }
            Proto::Eth | Proto::Vlan => {
                self.put(format_args!("ethertype 0x{number:04x}, length {length}"));
            }
            Proto::Gre => {
                let name = names::ether_type(number).unwrap_or("Unknown");
                self.put(format_args!("gre-proto-0x{number:x} ({name})"));
            }
            _ if number == 59 => self.put(format_args!("no next header, length {length}")),
            _ if self.named => self.protocol(&around, number, length),
            _ => self.put(format_args!("ip-proto-{number}, length {length}")),
        }
    }

    fn protocol(&mut self, around: &LayerView, number: u64, length: usize) {
        let later = match around.proto {
            Proto::Ip4 => self.number(around, &ip4::FRAGMENT_OFFSET) > 0,
            Proto::Fragment => self.number(around, &fragment::OFFSET) > 0,
            _ => false,
        };
        match (number, self.view.payload()) {
            (50, [a, b, c, d, e, f, g, h, ..]) if !later => {
                let spi = u32::from_be_bytes([*a, *b, *c, *d]);
                let seq = u32::from_be_bytes([*e, *f, *g, *h]);
                self.put(format_args!("ESP(spi=0x{spi:08x},seq=0x{seq:x}), length {length}"));
            }
            (2, message) if !later && message.len() >= 8 => {
                let words = group::igmp(message);
                self.put(format_args!("igmp {words}, length {length}"));
            }
            _ => {
                let name = names::ip_protocol(number).unwrap_or("unassigned");
                self.put(format_args!("ip-proto-{number} ({name}), length {length}"));
            }
        }
    }

    /// A control message of PPP, or what its number says.
    fn ppp(&mut self, around: &LayerView, layer: &LayerView) {
        let number = match self.view.read_in(around, &ppp::PROTOCOL) {
            Some(Value::Num(number)) => number,
            _ => self.view.header(around).first().map_or(0, |byte| u64::from(*byte)),
        };
        let length = layer.end - around.start;
        let Some(name) = names::ppp(number) else {
            self.put(format_args!("unknown PPP protocol (0x{number:04x}), length {length}"));
            return;
        };
        self.put(format_args!("{name}, "));
        let control = number & 0xc000 >= 0x8000;
        if let [code, id, ..] = self.view.payload()
            && control
        {
            let word = ppp_code(number, *code);
            self.put(format_args!("{word} (0x{code:02x}), id {id}, "));
        }
        self.put(format_args!("length {length}"));
    }
}

/// The tags of PPPoE discovery; one that runs over the end is not told.
fn tags_of(mut list: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = list.split_first_chunk::<4>()?;
        let length = u16::from_be_bytes([head[2], head[3]]);
        let (value, rest) = rest.split_at_checked(length.into())?;
        list = rest;
        Some((u16::from_be_bytes([head[0], head[1]]), value))
    })
}

fn tag(kind: u16, value: &[u8]) -> String {
    let name = match kind {
        0x0000 => "EOL".into(),
        0x0101 => "Service-Name".into(),
        0x0102 => "AC-Name".into(),
        0x0103 => "Host-Uniq".into(),
        0x0104 => "AC-Cookie".into(),
        0x0105 => "Vendor-Specific".into(),
        0x0110 => "Relay-Session-ID".into(),
        0x0120 => "PPP-Max-Payload".into(),
        0x0201 => "Service-Name-Error".into(),
        0x0202 => "AC-System-Error".into(),
        0x0203 => "Generic-Error".into(),
        _ => format!("TAG-0x{kind:x}"),
    };
    if value.is_empty() {
        return name;
    }
    match kind {
        0x0103 | 0x0104 | 0x0105 | 0x0110 | 0x0120 => format!("{name} 0x{}", capped_hex(value)),
        _ => format!("{name} \"{}\"", printable(value)),
    }
}

/// The codes of PPP's control protocols, RFC 1661 5, RFC 1334 and RFC 1994.
fn ppp_code(protocol: u64, code: u8) -> &'static str {
    const CONTROL: [&str; 13] = [
        "Vendor-Ext",
        "Conf-Request",
        "Conf-Ack",
        "Conf-Nack",
        "Conf-Reject",
        "Term-Request",
        "Term-Ack",
        "Code-Reject",
        "Prot-Reject",
        "Echo-Request",
        "Echo-Reply",
        "Disc-Req",
        "Ident",
    ];
    match (protocol, code) {
        (0xc023, 1) => "Auth-Req",
        (0xc023, 2) => "Auth-ACK",
        (0xc023, 3) => "Auth-NACK",
        (0xc223, 1) => "Challenge",
        (0xc223, 2) => "Response",
        (0xc223, 3) => "Success",
        (0xc223, 4) => "Failure",
        (0xc227, 1) => "Request",
        (0xc227, 2) => "Response",
        (0xc227, 3) => "Success",
        (0xc227, 4) => "Failure",
        (0xc023 | 0xc223 | 0xc227, _) => "Unknown",
        _ => CONTROL.get(usize::from(code)).copied().unwrap_or("Unknown"),
    }
}

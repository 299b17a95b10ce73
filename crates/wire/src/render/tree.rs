//! A frame field by field: where each stands, Wireshark's name and the RFC's, its value, and what
//! can be told by computing. Nothing is left out: what no header claims is dumped in hex.

use std::fmt::Write;

use super::{arp, count, hexdump, icmp, icmp6, names, options};
use crate::field::{Field, Form, Proto, Value};
use crate::view::{Fault, HeaderError, LaxFrame, LayerView, lax};
use crate::{Frame, LinkType};

/// A frame as lines of fields; every byte of it is in one of them.
#[must_use]
pub fn tree<'a>(frame: impl Into<Frame<'a>>) -> String {
    let frame = frame.into();
    let view = lax(frame);
    let mut tree = Tree { view: &view, out: String::new(), margin: "" };
    if frame.link != LinkType::Ethernet {
        let _ = writeln!(tree.out, "Link type {}", frame.link);
    }
    if frame.is_cut() {
        let (had, of) = (frame.bytes.len(), frame.original_len);
        let _ = writeln!(tree.out, "{had} of {of} bytes were captured");
    }
    let quoted = view.quote().first().map(|layer| layer.start);
    for layer in view.layers() {
        if layer.proto == Proto::Payload && quoted == Some(layer.start) {
            tree.head("Quoted packet", layer.start, layer.end);
            tree.margin = "  ";
            for layer in view.quote() {
                tree.layer(layer);
            }
            tree.margin = "";
        } else {
            tree.layer(layer);
        }
    }
    let trailer = view.trailer();
    if !trailer.is_empty() {
        tree.head("Padding or trailer", trailer.start, trailer.end);
        tree.dump(&frame.bytes[trailer]);
    }
    let fcs = view.fcs();
    if !fcs.is_empty() {
        tree.head("Frame check sequence", fcs.start, fcs.end);
        tree.dump(&frame.bytes[fcs]);
    }
    for fault in view.faults().iter().filter(|fault| fault.claimed_by.is_none()) {
        let _ = writeln!(tree.out, "! {fault}");
    }
    tree.out
}

struct Tree<'a> {
    view: &'a LaxFrame<'a>,
    out: String,
    margin: &'static str,
}

impl Tree<'_> {
    fn head(&mut self, title: &str, start: usize, end: usize) {
        let bytes = count(end - start, "byte");
        let _ = writeln!(self.out, "{}{title}, {bytes} at {start}..{end}", self.margin);
    }

    fn dump(&mut self, bytes: &[u8]) {
        for line in hexdump(bytes).lines() {
            let _ = writeln!(self.out, "{}    {line}", self.margin);
        }
    }

    fn layer(&mut self, layer: &LayerView) {
        self.head(layer.proto.title(), layer.start, layer.end);
        if layer.proto == Proto::Payload {
            self.dump(self.view.header(layer));
            return;
        }
        let mut text = 0;
        for field in layer.proto.fields().iter().filter(|field| !field.alias) {
            if let Some(value) = self.view.read_in(layer, field)
                && value != Value::Bytes(Vec::new())
            {
                self.field(layer, field, &value);
                text = field.bytes().end.min(self.view.header(layer).len());
            }
        }
        // The rest of a header that ends within a field.
        let rest = &self.view.header(layer)[text..];
        if !rest.is_empty() {
            self.dump(rest);
        }
    }

    fn field(&mut self, layer: &LayerView, field: &'static Field, value: &Value) {
        let bytes = field.bytes();
        let start = layer.start + bytes.start;
        let end = if field.form == Form::Bytes { layer.end } else { layer.start + bytes.end };
        let place = format!("{start}..{end}");
        let (abbrev, title) = (field.abbrev, field.title);
        let words = match (field.proto, field.key, value) {
            (Proto::Tcp, "options", Value::Bytes(bytes)) => {
                options::tcp(bytes, self.view.number(layer, &crate::fields::tcp::FLAGS))
            }
            (Proto::Ip4, "options", Value::Bytes(bytes)) => options::ip4(bytes),
            (Proto::HopByHop | Proto::DestOpts, "options", Value::Bytes(bytes)) => {
                options::ip6(bytes)
            }
            _ => String::new(),
        };
        let text = match words.as_str() {
            "" => field.text(value),
            words => format!("{value}  {words}"),
        };
        let _ = write!(self.out, "{}  {place:<9} {abbrev:<24} {title}: {text}", self.margin);
        if let Some(meaning) = meaning(field, value) {
            let _ = write!(self.out, " ({meaning})");
        }
        if self.margin.is_empty() {
            self.marks(layer, field, value);
        }
        self.out.push('\n');
    }

    /// What computing tells of a field: its checksum's right value, and each lie it is part of.
    fn marks(&mut self, layer: &LayerView, field: &'static Field, value: &Value) {
        if field.key == "checksum" {
            let mark = match self.view.checksum(layer) {
                Some(sum) if sum.ok => "correct".into(),
                Some(sum) => format!("incorrect, should be 0x{:04x}", sum.right),
                None if field.proto == Proto::Udp && *value == Value::Num(0) => "none".into(),
                None => "not checked: it covers more than is here".into(),
            };
            let _ = write!(self.out, " [{mark}]");
        }
        let own = |fault: &&HeaderError| {
            let place = match fault.fault {
                Fault::Option => layer.start..layer.end,
                _ => layer.start..layer.start + 1,
            };
            fault.claimed_by == Some(field) && place.contains(&fault.offset)
        };
        for fault in self.view.faults().iter().filter(own) {
            let _ = write!(self.out, " [{fault}]");
        }
    }
}

/// A number in words, where it has any.
pub(crate) fn meaning(field: &Field, value: &Value) -> Option<String> {
    let Value::Num(number) = *value else { return None };
    let word = match (field.proto, field.key, number) {
        (Proto::Eth | Proto::Vlan | Proto::Gre, "type", 0x600..)
        | (Proto::Arp, "proto-type", _) => names::ether_type(number)?,
        (Proto::Eth | Proto::Vlan, "type", _) => "length",
        (Proto::Null, "family", _) => return family(number as u32),
        (Proto::Chdlc, "type", 0x8035) => "SLARP",
        (Proto::Sll | Proto::Sll2 | Proto::Chdlc, "type", 0x600..) => names::ether_type(number)?,
        (Proto::Sll | Proto::Sll2, "hw-type", _) => names::hardware(number)?,
        (Proto::Arp, "hw-type", _) => names::hardware(number)?,
        (Proto::Arp, "opcode", _) => match arp::operation(number) {
            "Unknown" => return None,
            name => return Some(name.to_lowercase()),
        },
        (Proto::Llc, "dsap" | "ssap", _) => names::access_point(number),
        (Proto::Ppp, "protocol", _) => names::ppp(number)?,
        (_, "protocol" | "next-header", _) => names::ip_protocol(number)?,
        (Proto::Ip4, "ihl", _) | (Proto::Tcp, "data-offset", _) => {
            return Some(format!("{} bytes", number * 4));
        }
        (Proto::Ip4, "fragment-offset", 1..) | (Proto::Fragment, "offset", 1..) => {
            return Some(format!("{} bytes", number * 8));
        }
        (Proto::Icmp4, "type", _) => icmp::name(number)?,
        (Proto::Icmp6, "type", _) => icmp6::name(number)?,
        _ => return None,
    };
    Some(word.into())
}

/// A loopback header's address family, in either byte order.
fn family(number: u32) -> Option<String> {
    let family = crate::link_type::loopback_family(number.to_be_bytes());
    let order = if family == number { "" } else { ", low byte first" };
    match family {
        2 => Some(format!("IPv4{order}")),
        24 | 28 | 30 => Some(format!("IPv6{order}")),
        _ => None,
    }
}

//! One frame, one line, in tcpdump's words (`-n -S`): addresses and ports in front, sequence
//! numbers absolute. Beyond tcpdump it names bad checksums and each length that lies.

use std::fmt::Write;

use super::{icmp, icmp6, options};
use crate::field::{Field, Proto, TCP_FLAG_LETTERS, Value};
use crate::fields::{eth, fragment, ip4, ip6, routing, tcp, udp, vlan};
use crate::view::{Fault, HeaderError, LaxFrame, LayerView, lax, whole_options};
use crate::{Frame, LinkType};

/// A frame in one line, without its end of line.
#[must_use]
pub fn line<'a>(frame: impl Into<Frame<'a>>) -> String {
    write(&lax(frame), true)
}

/// The same line as the renderings of goldens have it: numbers that had no name when goldens were
/// first reviewed have none in it, and no tunnel is opened, so that what is shown one day
/// changes no golden.
#[must_use]
pub fn accepted_line<'a>(frame: impl Into<Frame<'a>>) -> String {
    write(&LaxFrame::as_sent(frame), false)
}

fn write(view: &LaxFrame<'_>, named: bool) -> String {
    let mut line = Line { view, named, out: String::with_capacity(120) };
    line.link();
    for (index, layer) in view.layers().iter().enumerate() {
        line.layer(index, layer);
    }
    line.notes();
    line.out
}

pub(super) struct Line<'a> {
    pub(super) view: &'a LaxFrame<'a>,
    /// Every number that has a name is named.
    pub(super) named: bool,
    pub(super) out: String,
}

impl Line<'_> {
    pub(super) fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.out.write_fmt(text);
    }

    pub(super) fn number(&self, layer: &LayerView, field: &Field) -> u64 {
        self.view.number(layer, field)
    }

    /// The value as text, `?` where the header ends before it.
    pub(super) fn text(&self, layer: &LayerView, field: &Field) -> String {
        self.view.read_in(layer, field).map_or_else(|| "?".into(), |value| field.text(&value))
    }

    /// Shows Ethernet's own header only where nothing within says more.
    fn link(&mut self) {
        let view = self.view;
        if view.frame().link != LinkType::Ethernet {
            self.out += &super::link::words(view);
            return;
        }
        let known = |layer: &LayerView| {
            !matches!(
                layer.proto,
                Proto::Eth | Proto::Vlan | Proto::Llc | Proto::Snap | Proto::Payload
            )
        };
        let Some(link) = view.find(Proto::Eth).filter(|link| link.end == 14) else {
            self.put(format_args!("[|ether]"));
            return;
        };
        if view.layers().iter().any(known) {
            return;
        }
        let (src, dst) = (self.text(link, &eth::SRC), self.text(link, &eth::DST));
        self.put(format_args!("{src} > {dst}, "));
    }

    fn layer(&mut self, index: usize, layer: &LayerView) {
        // A header whose fixed part is there can be told, also when it claims more than there is.
        let stopped = self
            .view
            .stop()
            .is_some_and(|stop| stop.offset == layer.start && stop.claimed_by.is_none());
        match layer.proto {
            Proto::Vlan => self.tag(layer),
            Proto::Arp => self.arp(layer, stopped),
            Proto::Ip4 | Proto::Ip6 => self.ip(index, layer, stopped),
            Proto::HopByHop => self.put(format_args!("HBH ")),
            Proto::DestOpts => self.put(format_args!("DSTOPT ")),
            Proto::Routing => self.route(layer),
            Proto::Fragment => self.fragment_header(layer),
            Proto::Tcp | Proto::Udp | Proto::Icmp4 | Proto::Icmp6 if stopped => {
                let name = match layer.proto {
                    Proto::Tcp => "tcp",
                    Proto::Udp => "udp",
                    Proto::Icmp4 => "icmp",
                    _ => "icmp6",
                };
                self.put(format_args!("[|{name}]"));
            }
            Proto::Tcp => self.tcp(layer),
            Proto::Udp => self.udp(layer),
            Proto::Icmp4 | Proto::Icmp6 => self.icmp(layer),
            Proto::Payload => self.payload(index, layer),
            _ => self.carrier(index, layer, stopped),
        }
    }

    fn tag(&mut self, layer: &LayerView) {
        let (id, priority) = (self.text(layer, &vlan::ID), self.text(layer, &vlan::PRIORITY));
        let dei = if self.number(layer, &vlan::DEI) == 1 { "DEI, " } else { "" };
        self.put(format_args!("vlan {id}, p {priority}, {dei}"));
    }

    fn ip(&mut self, index: usize, layer: &LayerView, stopped: bool) {
        let four = layer.proto == Proto::Ip4;
        self.put(format_args!("{}", if four { "IP " } else { "IP6 " }));
        self.checksum(layer, " ");
        let (src, dst) = if four { (&ip4::SRC, &ip4::DST) } else { (&ip6::SRC, &ip6::DST) };
        let (src, dst) = (self.text(layer, src), self.text(layer, dst));
        let ports = self.ports(index);
        let [from, to] = ports
            .map_or([String::new(), String::new()], |ports| ports.map(|port| format!(".{port}")));
        self.put(format_args!("{src}{from} > {dst}{to}: "));
        if stopped {
            self.put(format_args!("[|{}]", if four { "ip" } else { "ip6" }));
            return;
        }
        if !four {
            return;
        }
        if self.named && layer.end > layer.start + 20 {
            let words = options::ip4(self.view.header(layer).get(20..).unwrap_or(&[]));
            self.put(format_args!("options ({words}), "));
        }
        let (offset, more) =
            (self.number(layer, &ip4::FRAGMENT_OFFSET), self.number(layer, &ip4::MF));
        if offset > 0 || more > 0 {
            let id = self.text(layer, &ip4::ID);
            let (length, plus) = (self.carried(layer), if more > 0 { "+" } else { "" });
            self.put(format_args!("frag ({id}:{}|{length}{plus}) ", offset * 8));
        }
    }

    /// The ports of the TCP or UDP header that this IP header carries.
    fn ports(&self, index: usize) -> Option<[u64; 2]> {
        let within = &self.view.layers()[index + 1..];
        let upper = within.iter().find(|layer| {
            !matches!(
                layer.proto,
                Proto::HopByHop | Proto::Routing | Proto::Fragment | Proto::DestOpts | Proto::Ah
            )
        })?;
        let (src, dst) = match upper.proto {
            Proto::Tcp => (&tcp::SRC, &tcp::DST),
            Proto::Udp => (&udp::SRC, &udp::DST),
            _ => return None,
        };
        let port = |field| match self.view.read_in(upper, field) {
            Some(Value::Num(number)) => Some(number),
            _ => None,
        };
        Some([port(src)?, port(dst)?])
    }

    fn route(&mut self, layer: &LayerView) {
        let [length, kind, left] = [&routing::LENGTH, &routing::TYPE, &routing::SEGMENTS_LEFT]
            .map(|field| self.text(layer, field));
        self.put(format_args!("RT6 (len={length}, type={kind}, segleft={left}) "));
    }

    fn fragment_header(&mut self, layer: &LayerView) {
        let (id, offset) = (self.text(layer, &fragment::ID), self.number(layer, &fragment::OFFSET));
        let plus = if self.number(layer, &fragment::MORE) > 0 { "+" } else { "" };
        let length = if self.named {
            self.claimed_end(layer).saturating_sub(layer.start + 8)
        } else {
            layer.limit - layer.end
        };
        self.put(format_args!("frag ({id}:{}|{length}{plus}) ", offset * 8));
    }

    fn tcp(&mut self, layer: &LayerView) {
        let flags = self.number(layer, &tcp::FLAGS);
        let length = self.carried(layer) as u64;
        self.put(format_args!("Flags [{}], ", flags_text(flags)));
        self.checksum(layer, ", ");
        let seq = self.number(layer, &tcp::SEQ);
        // As tcpdump: a number that counts nothing and asks for nothing is not shown.
        if length > 0 {
            let end = (seq + length) & 0xffff_ffff;
            self.put(format_args!("seq {seq}:{end}, "));
        } else if flags & 0b111 != 0 {
            self.put(format_args!("seq {seq}, "));
        }
        if flags & 0x10 != 0 {
            let ack = self.number(layer, &tcp::ACK);
            self.put(format_args!("ack {ack}, "));
        }
        let window = self.number(layer, &tcp::WINDOW);
        self.put(format_args!("win {window}, "));
        if flags & 0x20 != 0 {
            let urgent = self.number(layer, &tcp::URGENT);
            self.put(format_args!("urg {urgent}, "));
        }
        let reserved = self.number(layer, &tcp::RESERVED);
        if reserved != 0 {
            self.put(format_args!("res {reserved:#x}, "));
        }
        if let Some(Value::Bytes(bytes)) = self.view.read_in(layer, &tcp::OPTIONS)
            && (!bytes.is_empty() || self.view.is_lost(layer))
        {
            let lost = self.view.is_lost(layer);
            let whole = if lost { whole_options(&bytes) } else { &bytes[..] };
            let named = self.named;
            let text = if named { options::tcp(whole, flags) } else { accepted(whole) };
            let comma = if text.is_empty() { "" } else { "," };
            let rest = if lost { format!("{comma}[|tcp]") } else { String::new() };
            self.put(format_args!("options [{text}{rest}], "));
        }
        self.put(format_args!("length {length}"));
    }

    fn udp(&mut self, layer: &LayerView) {
        let view = self.view;
        let next = view.layers().iter().find(|next| next.start == layer.end);
        if next.is_some_and(|next| next.proto == Proto::Vxlan) {
            self.checksum(layer, " ");
            return;
        }
        self.put(format_args!("UDP, "));
        self.checksum(layer, ", ");
        let (stated, carried) = (self.number(layer, &udp::LENGTH) as usize, self.carried(layer));
        let length = match stated.checked_sub(8) {
            // A first fragment has less than the datagram whose length it states.
            Some(stated) if self.named && view.is_fragment() => stated.max(carried),
            Some(stated) if self.named => stated.min(carried),
            _ => carried,
        };
        self.put(format_args!("length {length}"));
    }

    fn icmp(&mut self, layer: &LayerView) {
        let four = layer.proto == Proto::Icmp4;
        let named = self.named;
        let words = if four {
            icmp::icmp4(self.view, layer, named)
        } else {
            icmp6::icmp6(self.view, layer, named)
        };
        self.put(format_args!("{}{words}, ", if four { "ICMP " } else { "ICMP6, " }));
        self.checksum(layer, ", ");
        self.put(format_args!("length {}", self.claimed_end(layer) - layer.start));
    }

    /// Where IP says that the packet of this layer ends. A frame that was shortened before it was
    /// captured has less, which is a note; lengths and sequence ranges are those of the headers.
    pub(super) fn claimed_end(&self, layer: &LayerView) -> usize {
        if !self.named {
            return layer.limit;
        }
        let short = |fault: &&HeaderError| {
            fault.fault == Fault::Short
                && matches!(fault.layer, Proto::Ip4 | Proto::Ip6)
                && fault.claimed_by.is_some_and(|field| !std::ptr::eq(field, &ip4::IHL))
                && fault.offset <= layer.start
                && fault.offset + fault.had == layer.limit
        };
        let claims = self.view.faults().iter().filter(short);
        claims.map(|fault| fault.offset + fault.needed).max().unwrap_or(layer.limit)
    }

    /// How many bytes the layer carries, by the headers.
    fn carried(&self, layer: &LayerView) -> usize {
        let stated = match layer.proto {
            Proto::Tcp if self.named => {
                layer.start + self.number(layer, &tcp::DATA_OFFSET) as usize * 4
            }
            _ => layer.end,
        };
        self.claimed_end(layer).saturating_sub(stated.max(layer.end))
    }

    pub(super) fn checksum(&mut self, layer: &LayerView, after: &str) {
        if let Some(sum) = self.view.checksum(layer).filter(|sum| !sum.ok) {
            let (stored, right) = (sum.stored, sum.right);
            self.put(format_args!("(bad cksum 0x{stored:04x} -> 0x{right:04x}){after}"));
        }
    }

    /// What the headers claim wrongly, and which header is missing altogether.
    fn notes(&mut self) {
        let view = self.view;
        if let Some(stop) = view.stop().filter(|stop| stop.had == 0 && stop.layer != Proto::Eth) {
            self.put(format_args!("[|{}]", stop.layer.key()));
        }
        for (index, fault) in view.faults().iter().enumerate() {
            let (open, close) = (
                if index == 0 { " (" } else { "; " },
                if index + 1 == view.faults().len() { ")" } else { "" },
            );
            let text = if self.named { fault.to_string() } else { accepted_fault(fault) };
            self.put(format_args!("{open}{text}{close}"));
        }
        let end = self.out.trim_end().len();
        self.out.truncate(end);
    }
}

/// tcpdump's letters: `.` for ACK, `none` for no flag.
fn flags_text(flags: u64) -> String {
    if flags == 0 {
        return "none".into();
    }
    let letter = |bit: usize| if bit == 4 { '.' } else { TCP_FLAG_LETTERS[bit] };
    (0..9).filter(|bit| flags & (1 << bit) != 0).map(letter).collect()
}

/// TCP options as goldens have them.
fn accepted(bytes: &[u8]) -> String {
    crate::options::text(&crate::options::decode(bytes))
}

/// A note as goldens have it, in which one byte is `1 bytes`.
fn accepted_fault(fault: &HeaderError) -> String {
    let text = fault.to_string().replace(" 1 byte ", " 1 bytes ").replace(" 1 byte,", " 1 bytes,");
    text.replace(", 1 is ", ", 1 are ")
}

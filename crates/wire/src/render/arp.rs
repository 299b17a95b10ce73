//! ARP, RARP and inverse ARP in tcpdump's words, for any hardware. Knows no frame around them.

use super::line::Line;
use super::{colons, names};
use crate::fields::arp;
use crate::view::LayerView;

/// The four addresses of a message, as long as its sizes say.
struct Addresses<'a> {
    hardware: u64,
    sender_hw: &'a [u8],
    sender: &'a [u8],
    target_hw: &'a [u8],
    target: &'a [u8],
}

impl Line<'_> {
    pub(super) fn arp(&mut self, layer: &LayerView, stopped: bool) {
        if stopped {
            self.put(format_args!("ARP, [|arp]"));
            return;
        }
        let length = layer.end - layer.start;
        let text = if self.named { self.message(layer) } else { self.accepted_message(layer) };
        self.put(format_args!("ARP, {text}, length {length}"));
    }

    fn accepted_message(&self, layer: &LayerView) -> String {
        let [sender, target, mac] = [&arp::SENDER_IP, &arp::TARGET_IP, &arp::SENDER_MAC]
            .map(|field| self.text(layer, field));
        match self.number(layer, &arp::OPCODE) {
            1 => format!("Request who-has {target} tell {sender}"),
            2 => format!("Reply {sender} is-at {mac}"),
            other => format!("opcode {other} from {sender} to {target}"),
        }
    }

    fn message(&self, layer: &LayerView) -> String {
        let number = |field| self.number(layer, field);
        let (hardware, kind) = (number(&arp::HW_TYPE), number(&arp::PROTO_TYPE));
        let (hw_size, size) = (number(&arp::HW_SIZE), number(&arp::PROTO_SIZE));
        let known = kind == 0x0800 && size == 4 && hw_size > 0;
        let Some(it) = self.addresses(layer, hardware).filter(|_| known) else {
            let hardware = named(names::hardware(hardware), "Hardware", hardware);
            let kind = named(names::ether_type(kind), "Protocol", kind);
            return format!("{hardware} (len {hw_size}), {kind} (len {size})");
        };
        let [sender, target] = [it.sender, it.target].map(ip4);
        let (sender_hw, target_hw) = (it.link(it.sender_hw), it.link(it.target_hw));
        match number(&arp::OPCODE) {
            1 if it.target_hw.iter().all(|byte| *byte == 0) => {
                format!("Request who-has {target} tell {sender}")
            }
            1 => format!("Request who-has {target} ({target_hw}) tell {sender}"),
            2 => format!("Reply {sender} is-at {sender_hw}"),
            3 => format!("Reverse Request who-is {target_hw} tell {sender_hw}"),
            4 => format!("Reverse Reply {target_hw} at {target}"),
            8 => format!("Inverse Request who-is {target_hw} tell {sender_hw}"),
            9 => format!("Inverse Reply {sender_hw} at {sender}"),
            10 => "NACK Reply".into(),
            other => format!("{} ({other}) from {sender} to {target}", operation(other)),
        }
    }

    fn addresses(&self, layer: &LayerView, hardware: u64) -> Option<Addresses<'_>> {
        let header = self.view.header(layer);
        let (hw, proto) = (usize::from(*header.get(4)?), usize::from(*header.get(5)?));
        let (sender_hw, rest) = header.get(8..)?.split_at_checked(hw)?;
        let (sender, rest) = rest.split_at_checked(proto)?;
        let (target_hw, rest) = rest.split_at_checked(hw)?;
        let target = rest.get(..proto)?;
        Some(Addresses { hardware, sender_hw, sender, target_hw, target })
    }
}

impl Addresses<'_> {
    /// Frame Relay's address is a number in two bytes, Q.922.
    fn link(&self, address: &[u8]) -> String {
        match (self.hardware, address) {
            (15, [high, low]) => {
                format!("DLCI {}", u16::from(high & 0xfc) << 2 | u16::from(low >> 4))
            }
            _ => colons(address),
        }
    }
}

fn ip4(address: &[u8]) -> String {
    let bytes = <[u8; 4]>::try_from(address).unwrap_or_default();
    std::net::Ipv4Addr::from(bytes).to_string()
}

fn named(name: Option<&str>, what: &str, number: u64) -> String {
    name.map_or_else(|| format!("Unknown {what} (0x{number:04x})"), Into::into)
}

/// IANA's names of ARP's operations.
pub(super) fn operation(number: u64) -> &'static str {
    match number {
        0 => "Reserved",
        1 => "Request",
        2 => "Reply",
        3 => "Reverse Request",
        4 => "Reverse Reply",
        5 => "DRARP-Request",
        6 => "DRARP-Reply",
        7 => "DRARP-Error",
        8 => "Inverse Request",
        9 => "Inverse Reply",
        10 => "NACK Reply",
        11 => "MARS-Request",
        12 => "MARS-Multi",
        13 => "MARS-MServ",
        14 => "MARS-Join",
        15 => "MARS-Leave",
        16 => "MARS-NAK",
        17 => "MARS-Unserv",
        18 => "MARS-SJoin",
        19 => "MARS-SLeave",
        20 => "MARS-Grouplist-Request",
        21 => "MARS-Grouplist-Reply",
        22 => "MARS-Redirect-Map",
        23 => "MAPOS-UNARP",
        24 => "OP_EXP1",
        25 => "OP_EXP2",
        _ => "Unknown",
    }
}

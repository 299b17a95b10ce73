//! What is told of a link header other than Ethernet's: nothing where it carries IP or ARP, else
//! what kind of frame it is, by tcpdump's words where it has any.

use std::fmt::Write;

use crate::LinkType;
use crate::field::{Field, Proto};
use crate::fields::{chdlc, null, sll, sll2, wlan, wlan_qos};
use crate::view::{LaxFrame, LayerView};

/// What stands in front of the words for the layers within.
pub(super) fn words(view: &LaxFrame<'_>) -> String {
    let mut out = String::new();
    if let Some(stop) = view.stop().filter(|stop| stop.had > 0 && is_link(stop.layer)) {
        let _ = write!(out, "[|{}]", stop.layer.key());
        return out;
    }
    let known = |layer: &&LayerView| !is_link(layer.proto) && layer.proto != Proto::Payload;
    let carried = view.layers().iter().find(known);
    let ends = |proto| matches!(proto, Proto::Vlan | Proto::Llc | Proto::Snap | Proto::Payload);
    if view.layers().iter().any(|layer| !is_link(layer.proto) && !ends(layer.proto)) {
        return out;
    }
    let Some(first) = view.layers().first() else { return out };
    let last = view.layers().iter().rev().find(|layer| is_link(layer.proto)).unwrap_or(first);
    let length = last.limit - last.end.min(last.limit);
    let number = |field: &Field| view.number(last, field);
    // Where another header follows, that one is told behind this.
    let unknown = |kind: u64| match carried {
        None => format!("ethertype 0x{kind:04x}, length {length}"),
        Some(_) => String::new(),
    };
    let _ = match last.proto {
        Proto::Sll => {
            let (way, kind) = (number(&sll::PACKET_TYPE), number(&sll::TYPE));
            write!(out, "{} {}", direction(way), unknown(kind))
        }
        Proto::Sll2 => {
            let (way, kind) = (number(&sll2::PACKET_TYPE), number(&sll2::TYPE));
            write!(out, "{} {}", direction(way), unknown(kind))
        }
        Proto::Null => {
            let family = number(&null::FAMILY) as u32;
            let family = crate::link_type::loopback_family(family.to_be_bytes());
            write!(out, "AF {family}, length {length}")
        }
        Proto::Chdlc if number(&chdlc::TYPE) == 0x8035 => write!(out, "SLARP, length {length}"),
        Proto::Chdlc => write!(out, "CHDLC, {}", unknown(number(&chdlc::TYPE))),
        Proto::Wlan | Proto::WlanQos => write!(out, "{}", wireless(view, last, length)),
        Proto::Payload if view.frame().link == LinkType::Raw => {
            let version = view.bytes().first().map_or(0, |byte| byte >> 4);
            write!(out, "unknown IP version {version}, length {}", first.end)
        }
        _ => Ok(()),
    };
    out
}

/// A header that only captures have, and that stands before what is carried.
fn is_link(proto: Proto) -> bool {
    matches!(
        proto,
        Proto::Null
            | Proto::Sll
            | Proto::Sll2
            | Proto::Chdlc
            | Proto::Radiotap
            | Proto::Wlan
            | Proto::WlanQos
    )
}

/// Whom a cooked frame was for, as tcpdump writes it.
fn direction(packet_type: u64) -> &'static str {
    match packet_type {
        0 => "In",
        1 => "B",
        2 => "M",
        3 => "P",
        4 => "Out",
        _ => "?",
    }
}

/// `802.11 Beacon, length 96`.
fn wireless(view: &LaxFrame<'_>, last: &LayerView, length: usize) -> String {
    const MANAGEMENT: [&str; 16] = [
        "Assoc Request",
        "Assoc Response",
        "ReAssoc Request",
        "ReAssoc Response",
        "Probe Request",
        "Probe Response",
        "Timing Advertisement",
        "Reserved",
        "Beacon",
        "ATIM",
        "Disassociation",
        "Authentication",
        "DeAuthentication",
        "Action",
        "Action No Ack",
        "Reserved",
    ];
    const CONTROL: [&str; 16] = [
        "Control",
        "Control",
        "Trigger",
        "TACK",
        "Beamforming Report Poll",
        "NDP Announcement",
        "Control Frame Extension",
        "Control Wrapper",
        "BAR",
        "BA",
        "PS-Poll",
        "RTS",
        "CTS",
        "Acknowledgment",
        "CF-End",
        "CF-End+CF-Ack",
    ];
    let Some(header) = view.find(Proto::Wlan) else { return String::new() };
    let number = |field: &Field| view.number(header, field);
    let subtype = number(&wlan::SUBTYPE) as usize & 15;
    let mut out = String::from("802.11 ");
    out += match number(&wlan::TYPE) {
        0 => MANAGEMENT[subtype],
        1 => CONTROL[subtype],
        2 if subtype & 4 != 0 => "Null Data",
        2 => "Data",
        _ => "Extension",
    };
    if number(&wlan::TYPE) == 2 {
        let aggregated =
            last.proto == Proto::WlanQos && view.number(last, &wlan_qos::CONTROL) & 0x80 != 0;
        for (holds, word) in [
            (number(&wlan::FLAGS) & 0x40 != 0, "protected"),
            (aggregated, "A-MSDU"),
            (number(&wlan::SEQUENCE_CONTROL) & 15 != 0, "fragment"),
        ] {
            if holds {
                let _ = write!(out, ", {word}");
            }
        }
    }
    let _ = write!(out, ", length {length}");
    out
}

//! Every key that a scenario file may have, once: the reader refuses what is not here, the writer
//! writes in this order, and the JSON Schema is written from here. Layers' fields come from the
//! tables of `wire`.

use wire::link_settings::{self, SettingShape};
use wire::{Field, LINK_SETTINGS, Proto};

mod steps;
mod table;

pub(crate) use steps::STEPS;
use table::Shape::{Bool, Def, List, Map, MapOrScalar, Text, Unlimited, Whole};
pub(crate) use table::{Key, Others, Shape, Table};
use table::{NOTE, may, must, table};

pub(crate) const MAX_FRAME: u64 = link_settings::MAX_FRAME as u64;
/// A file from anywhere may ask for so much memory and no more.
const MAX_BYTES: u64 = 1 << 30;
const U32: u64 = 0xffff_ffff;
const U64: u64 = u64::MAX;

/// The file.
pub(crate) static SCENARIO: Table = table(
    "scenario",
    "a scenario",
    "What happens on a wire, and what must hold.",
    &[
        may("$schema", Text, "Where the JSON Schema is, for editors."),
        must("title", Text, "What happens, in one line."),
        NOTE,
        may("cites", List("text"), "Clauses and requirement ids that it is about."),
        may("seed", Whole(0, U64), "Seed of the wire's random choices."),
        may("limits", Def("limits"), "Limits of the run."),
        may("end", Def("duration"), "Virtual time at which the run stops; until idle otherwise."),
        must("nodes", Map("node"), "The nodes by name."),
        may("links", List("link"), "The links between their ports."),
        must("steps", List("step"), "What happens, in order."),
        may("masks", List("mask"), "Which fields may differ from the golden, and why."),
        may("finds", List("text"), "Ids of the checks that must bite, and no others."),
        may(
            "not-on",
            Map("reason"),
            "Wires on which it cannot run, each with the reason: sim, veth, nic; \
             linux: any of them with a kernel in a node's place; \
             other: with an implementation in a node's place that is not held to the golden.",
        ),
        may(
            "any-host",
            Text,
            "The clause that fixes all that it asks, where any host must do it: --any-host.",
        ),
    ],
);

/// `limits`.
pub(crate) static LIMITS: Table = table(
    "limits",
    "`limits`",
    "Limits of the run; to reach one is an error.",
    &[
        may("frames", Whole(1, U32), "Frames captured."),
        may("bytes", Whole(1, MAX_BYTES), "Bytes of the frames captured."),
        may("steps", Whole(1, U64), "Events handled by the wire."),
        may("queue", Whole(1, U32), "Frames in flight at once."),
        may("duration", Def("duration"), "Virtual time."),
        NOTE,
    ],
);

/// One of `nodes`.
pub(crate) static NODE: Table = Table {
    def: "node",
    title: "a node",
    about: "One implementation. Keys that are not named here are options of its kind.",
    keys: &[
        must("kind", Text, "What it is; `wireproof nodes` lists the kinds and their options."),
        may("mac", Def("mac"), "Ethernet address of its first port."),
        may("ip", Def("addresses"), "Addresses of its first port; an empty list: it has none."),
        may("ports", MapOrScalar("port"), "Its ports by name; what is no object is an option."),
        NOTE,
    ],
    others: Others::Scalars,
    mark: "",
};

/// One of a node's `ports`.
pub(crate) static PORT: Table = table(
    "port",
    "a port",
    "A port of a node.",
    &[
        may("mac", Def("mac"), "Its Ethernet address."),
        may("ip", Def("addresses"), "Its addresses; an empty list: it has none."),
        NOTE,
    ],
);

/// The keys of a link's settings, from the table of `wire`, between some of one's own.
const fn with_settings<const N: usize>(own: &[Key], more: &[Key]) -> [Key; N] {
    let mut all = [NOTE; N];
    let mut at = 0;
    while at < own.len() {
        all[at] = own[at];
        at += 1;
    }
    let mut row = 0;
    while row < LINK_SETTINGS.len() {
        let setting = &LINK_SETTINGS[row];
        let shape = match setting.shape {
            SettingShape::Time => Def("duration"),
            SettingShape::Rate => Def("rate"),
            SettingShape::Count(least, most) => Unlimited(least as u64, most as u64),
            SettingShape::Chance => Def("chance"),
            SettingShape::Flag => Bool,
        };
        all[at + row] = may(setting.key, shape, setting.about);
        row += 1;
    }
    let mut last = 0;
    while last < more.len() {
        all[at + row + last] = more[last];
        last += 1;
    }
    all
}

const LINK_KEYS: [Key; 2] = [
    may("name", Text, "Its name, for steps that change it; `a-b` serves without."),
    must("ends", Def("ends"), "The two ports: `node`, or `node:port`."),
];
const TOWARD: Key =
    may("toward", Map("link-settings"), "What is otherwise toward an end, by that end.");

/// One of `links`.
pub(crate) static LINK: Table = table("link", "a link", "Joins two ports.", {
    const KEYS: [Key; LINK_KEYS.len() + LINK_SETTINGS.len() + 2] =
        with_settings(&LINK_KEYS, &[TOWARD]);
    &KEYS
});
/// `set` of a step that changes a link.
pub(crate) static SETTINGS: Table =
    table("link-settings", "settings of a link", "What changes; the rest stays.", {
        const KEYS: [Key; LINK_SETTINGS.len() + 1] = with_settings(&[], &[]);
        &KEYS
    });

/// `tolerance` of an `expect`, as an object.
pub(crate) static TOLERANCE: Table = table(
    "tolerance-object",
    "`tolerance`",
    "By how much a time may be missed, to either side.",
    &[
        may("early", Def("duration"), "By how much too early; 0 where left out."),
        may("late", Def("duration"), "By how much too late; 0 where left out."),
    ],
);

/// One of `masks`.
pub(crate) static MASK: Table = table(
    "mask",
    "a mask",
    "A field that may differ from the golden.",
    &[
        must("field", Def("field-paths"), "The field, or a list of fields: `ip4.id`."),
        may("from", Def("port-ref"), "Only what this port emits."),
        may("kind", Text, "Only what a node of this kind emits: `linux` for a running kernel."),
        may("frames", List("frame-number"), "Numbers of the frames, from 1; all otherwise."),
        must("reason", Def("reason"), "Why it may differ; the report shows it."),
        NOTE,
    ],
);

/// A packet.
pub(crate) static PACKET: Table = Table {
    def: "packet",
    title: "a packet",
    about: "A stack of layers. What is left out is computed, or takes the node's default.",
    keys: &[
        may("stack", List("layer"), "Layers in any order and number, instead of by name."),
        may("raw", Def("hex"), "The whole frame in hex, instead of layers."),
        may("pad", Whole(1, MAX_FRAME), "Add zero bytes until the frame has this length."),
        may("truncate", Whole(0, MAX_FRAME), "Cut the frame to this length."),
        may("fragment", Whole(1, 0xffff), "Split the IP payload into fragments of this size."),
        NOTE,
    ],
    others: Others::Layers,
    mark: "",
};

/// A pattern.
pub(crate) static PATTERN: Table = Table {
    def: "pattern",
    title: "a pattern",
    about: "What a frame must look like: fields given must match, the rest is free. A layer \
            given as {} must be there, as false must not.",
    keys: &[
        may("stack", List("layer-pattern"), "Layers in any order and number."),
        may("raw", Def("hex"), "The whole frame in hex."),
        may("length", Whole(0, MAX_FRAME), "The frame's length in bytes."),
        NOTE,
    ],
    others: Others::Layers,
    mark: "",
};

/// A payload as an object: one of these.
pub(crate) static PAYLOAD: Table = table(
    "payload-object",
    "a payload",
    "Bytes, written in one of four ways.",
    &[
        may("hex", Def("hex"), "Bytes in hex."),
        may("text", Text, "The UTF-8 bytes of a text."),
        may("count", Whole(0, MAX_FRAME), "So many bytes that count up: 00 01 02 …"),
        may("from", Whole(0, 255), "The byte at which `count` begins, 0 otherwise."),
        may("zero", Whole(0, MAX_FRAME), "So many zero bytes."),
    ],
);

/// A TCP option as an object: one of these (`kind` with `data`).
pub(crate) static TCP_OPTION: Table = table(
    "tcp-option-object",
    "a TCP option",
    "One TCP option; its length byte is computed, except in `raw`.",
    &[
        may("mss", Def("number"), "Kind 2, maximum segment size (RFC 9293 3.7.1)."),
        may("window-scale", Def("number"), "Kind 3, the shift (RFC 7323 2.2)."),
        may("sack", List("sack-block"), "Kind 5, blocks of left and right edge (RFC 2018 3)."),
        may("timestamps", Def("number-pair"), "Kind 8, TSval and TSecr (RFC 7323 3)."),
        may("user-timeout", Def("user-timeout"), "Kind 28 (RFC 5482)."),
        may("fast-open", Def("hex"), "Kind 34, the cookie; empty as a request (RFC 7413)."),
        may("kind", Whole(0, 255), "Any kind, with `data`."),
        may("data", Def("hex"), "What follows the length byte of `kind`."),
        may("raw", Def("hex"), "Bytes as they are, also with a wrong length."),
    ],
);

/// `user-timeout` as an object.
pub(crate) static USER_TIMEOUT: Table = table(
    "user-timeout",
    "`user-timeout`",
    "The timeout and its granularity: one of both.",
    &[
        may("seconds", Whole(0, 0x7fff), "The timeout in seconds."),
        may("minutes", Whole(0, 0x7fff), "The timeout in minutes."),
    ],
);

/// TCP options that are a word.
pub(crate) const TCP_OPTION_WORDS: [(&str, &str); 3] = [
    ("nop", "Kind 1, no operation."),
    ("eol", "Kind 0, end of the option list."),
    ("sack-permitted", "Kind 4 (RFC 2018 2)."),
];

/// All tables, for the schema.
pub(crate) static TABLES: [&Table; 13] = [
    &TOLERANCE,
    &USER_TIMEOUT,
    &SCENARIO,
    &LIMITS,
    &NODE,
    &PORT,
    &LINK,
    &SETTINGS,
    &MASK,
    &PACKET,
    &PATTERN,
    &PAYLOAD,
    &TCP_OPTION,
];

/// What a layer's object may have beside its fields.
pub(crate) fn layer_extras(proto: Proto) -> &'static [&'static str] {
    match proto {
        Proto::Icmp4 | Proto::Icmp6 => &["quote", "note"],
        _ => &["note"],
    }
}

/// Every key of a layer's object.
pub(crate) fn layer_names(proto: Proto) -> Vec<&'static str> {
    let fields = proto.fields().iter().map(|field: &&'static Field| field.key);
    fields.chain(layer_extras(proto).iter().copied()).collect()
}

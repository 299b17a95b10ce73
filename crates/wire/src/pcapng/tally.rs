//! What a reader passed over, counted, and the sentences for it. Knows no block.

use std::collections::BTreeMap;

use crate::LinkType;

/// Counted while reading.
#[derive(Default)]
pub(super) struct Tally {
    /// Frames handed out.
    pub(super) shown: u64,
    /// Of these: only their first bytes were captured.
    pub(super) cut: u64,
    /// Blocks of other kinds.
    pub(super) blocks: u64,
    /// Frames whose time does not fit.
    pub(super) odd_times: u64,
    /// Bytes of the interfaces' names.
    pub(super) names: usize,
    /// Frames of link types that cannot be taken apart, and the interface that first had one.
    passed: BTreeMap<LinkType, (u64, String)>,
}

/// A link type that cannot be taken apart.
pub(super) struct Passed {
    pub(super) link: LinkType,
    /// The interface that had it; empty where the file has one only.
    pub(super) interface: String,
}

impl Passed {
    /// Why nothing is shown, and what would help.
    pub(super) fn refused(&self) -> String {
        let Self { link, interface } = self;
        let of = if interface.is_empty() { String::new() } else { format!(" of {interface}") };
        format!(
            "frames{of} of link type {link}, which cannot be taken apart; capture on one Ethernet \
             interface (`tcpdump -i eth0`, with `-y EN10MB` where it offers that), or give frames \
             that are Ethernet their right type with `editcap -T ether`"
        )
    }
}

impl Tally {
    pub(super) fn pass(&mut self, link: LinkType, interface: &str) {
        let (count, _) = self.passed.entry(link).or_insert_with(|| (0, interface.to_owned()));
        *count += 1;
    }

    /// Why a file is refused of which no frame could be shown.
    pub(super) fn refusal(&self) -> Option<String> {
        let (link, (_, interface)) = self.passed.first_key_value().filter(|_| self.shown == 0)?;
        Some(Passed { link: *link, interface: interface.clone() }.refused())
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |count: u64, one: &str, many: &str| match count {
            0 => {}
            1 => notes.push(format!("1 {one}")),
            _ => notes.push(format!("{count} {many}")),
        };
        note(
            self.cut,
            "frame was cut by the capture that took it",
            "frames were cut by the capture that took them",
        );
        for (link, (count, interface)) in &self.passed {
            let why = format!("of link type {link} ({interface}), which cannot be taken apart");
            let (one, many) = (
                format!("frame was passed over: it is {why}"),
                format!("frames were passed over: they are {why}"),
            );
            note(*count, &one, &many);
        }
        note(
            self.blocks,
            "block of another kind was passed over",
            "blocks of other kinds were passed over",
        );
        note(
            self.odd_times,
            "frame has a time that does not fit 64 bits of nanoseconds",
            "frames have times that do not fit 64 bits of nanoseconds",
        );
        notes
    }
}

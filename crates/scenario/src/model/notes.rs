//! The comments of a scenario, all of them together, as the report shows them.

use super::file::Scenario;
use super::packet::PacketTemplate;
use super::pattern::Pattern;
use super::steps::{Action, Step};

impl Scenario {
    /// The comment on the whole, and those on its limits, on directions of links and on masks: a
    /// line each.
    #[must_use]
    pub fn notes(&self) -> Option<String> {
        let toward = self.links.iter().flat_map(|link| &link.toward);
        let toward = toward.filter_map(|(_, settings)| settings.note.as_deref());
        let mut before = None;
        let masks = self.masks.iter().filter_map(|mask| {
            let again = before.replace(mask).is_some_and(|before| mask.is_beside(before));
            mask.note.as_deref().filter(|_| !again)
        });
        joined(
            self.note
                .as_deref()
                .into_iter()
                .chain(self.limits.note.as_deref())
                .chain(toward)
                .chain(masks),
        )
    }
}

impl Step {
    /// The comment on the step and those on its packet or pattern, on layers and on settings: a
    /// line each.
    #[must_use]
    pub fn notes(&self) -> Option<String> {
        let mut notes = Vec::from_iter(self.note.as_deref());
        match &self.action {
            Action::Send { packet, .. } => of_packet(packet, &mut notes),
            Action::Expect { pattern, .. } | Action::ExpectNothing { pattern, .. } => {
                of_pattern(pattern, &mut notes);
            }
            Action::SetLink { set, .. } => notes.extend(set.note.as_deref()),
            Action::Do { .. } | Action::ExpectEvent { .. } | Action::Wait(_) => {}
        }
        joined(notes)
    }
}

fn of_packet<'a>(packet: &'a PacketTemplate, notes: &mut Vec<&'a str>) {
    notes.extend(packet.note.as_deref());
    for layer in &packet.layers {
        notes.extend(layer.note.as_deref());
        if let Some(quote) = &layer.quote {
            of_packet(quote, notes);
        }
    }
}

fn of_pattern<'a>(pattern: &'a Pattern, notes: &mut Vec<&'a str>) {
    notes.extend(pattern.note.as_deref());
    for layer in &pattern.layers {
        notes.extend(layer.note.as_deref());
        if let Some(quote) = &layer.quote {
            of_pattern(quote, notes);
        }
    }
}

fn joined<'a>(notes: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let notes: Vec<&str> = notes.into_iter().collect();
    (!notes.is_empty()).then(|| notes.join("\n"))
}

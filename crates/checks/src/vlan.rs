//! A reply goes into the VLAN that its trigger came by: in another one nobody waits for it.

use wire::{Capture, Deliberate, FrameId};

use crate::check::{Answers, Check, Finding, Level, PortFacts};
use crate::context::{FrameContext, delivered_to};
use crate::layout::{HeaderLayout, be16};

pub(crate) static VLAN_REPLY: Check = Check {
    id: "vlan-reply",
    clause: "IEEE 802.1Q 9.6",
    requirement: "8021Q-9.6",
    level: Level::Must,
    title: "a reply leaves in the VLAN of the frame that it answers",
    about: "The VLAN identifier in a frame's tag says to which virtual LAN it belongs, and \
            different ones are as far apart as different cables. A reply without the tag, or with \
            another, never gets to who asked. An identifier of 0 gives a priority and no VLAN.",
};

/// Holds a frame against the one that it answers, by the wire's word or by what checks found.
#[inline]
pub(crate) fn judge(
    context: &FrameContext<'_>,
    found: Option<FrameId>,
    capture: &Capture,
    ports: &[PortFacts],
    out: &mut Vec<Finding>,
) {
    let trigger = context.cause().or(found);
    if let Some(trigger) = trigger {
        reply(context, trigger, capture, ports, out);
    }
}

#[inline(never)]
fn reply(
    context: &FrameContext<'_>,
    trigger: FrameId,
    capture: &Capture,
    ports: &[PortFacts],
    out: &mut Vec<Finding>,
) {
    let record = capture.record(trigger);
    // What a router or a switch does with tags is its configuration.
    let simple =
        context.facts.is_some_and(|facts| !matches!(facts.answers, Answers::Forwards { .. }))
            && !context.between
            && delivered_to(ports, record) == Some(context.record.port.0);
    if !simple || record.altered || context.spares(Deliberate::SEGMENT) {
        return;
    }
    let (layout, asked) = HeaderLayout::of(capture, trigger);
    let readable =
        layout.ethernet && context.layout.ethernet && asked.len().min(context.bytes.len()) > 13;
    // It goes back to the station that asked, or it is no reply.
    if !readable || context.bytes[..6] != asked[6..12] {
        return;
    }
    let (want, is) = (identifiers(&layout, asked), identifiers(context.layout, context.bytes));
    if want.clone().eq(is.clone()) {
        return;
    }
    let message = "the reply leaves in another VLAN than the frame that it answers came by";
    let mut finding = context.finding(&VLAN_REPLY, message, words(want), words(is));
    finding.trigger = Some(trigger);
    out.push(finding);
}

/// The VLANs that a frame's tags name, from the outermost; a priority tag names none.
fn identifiers<'a>(
    layout: &HeaderLayout,
    frame: &'a [u8],
) -> impl Iterator<Item = u16> + Clone + 'a {
    let tags = usize::from(layout.vlans);
    let identifiers = (0..tags).filter_map(|tag| {
        let at = 14 + 4 * tag;
        (at + 2 <= frame.len()).then(|| be16(frame, at) & 0x0fff)
    });
    identifiers.filter(|identifier| *identifier != 0)
}

fn words(identifiers: impl Iterator<Item = u16>) -> String {
    let named: Vec<String> = identifiers.map(|number| format!("VLAN {number}")).collect();
    if named.is_empty() { "no VLAN".to_owned() } else { named.join(" in ") }
}

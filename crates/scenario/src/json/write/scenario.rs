//! The file's outermost object: nodes, links, limits, masks.

use super::members::Members;
use super::piece::Piece;
use super::settings::{put_settings, settings};
use super::was::Was;
use super::{steps, values};
use crate::json::keys::{LIMITS, LINK, MASK, NODE, PORT, SCENARIO};
use crate::model::{Limits, Link, Mask, Node, Noted, Port, Scenario};

pub(super) fn members(scenario: &Scenario, was: Was<'_>) -> Vec<(String, Piece)> {
    let mut file = Members::new(&SCENARIO, was);
    file.text("$schema", scenario.schema.as_deref());
    file.text("title", Some(&scenario.title));
    file.text("note", scenario.note.as_deref());
    file.put("cites", texts(scenario.cites.iter().map(|cite| cite.as_str())));
    file.text("any-host", scenario.any_host.as_ref().map(|clause| clause.as_str()));
    file.number("seed", scenario.seed.as_ref().map(|seed| seed.value));
    file.put("limits", limits(&scenario.limits, was.at("limits")));
    file.duration("end", scenario.end.as_ref().map(|end| end.value));
    let nodes = scenario.nodes.iter();
    let nodes = nodes.map(|one| (one.name.value.clone(), node(one, was.at("nodes"))));
    file.put("nodes", Piece::Object(nodes.collect()));
    let links = scenario.links.iter().map(|one| link(one, was.at("links").around(one.span)));
    file.put("links", list(links.collect()));
    let all = was.at("steps");
    let all = scenario.steps.iter().map(|step| steps::step(step, all.around(step.span)));
    file.put("steps", Piece::List(all.collect()));
    file.put("masks", list(masks(&scenario.masks)));
    file.put("finds", texts(scenario.finds.iter().map(|id| id.as_str())));
    let not_on = scenario.not_on.iter();
    let not_on = not_on.map(|on| (on.wire.value.clone(), Piece::text(&on.reason)));
    let not_on: Vec<_> = not_on.collect();
    file.put("not-on", (!not_on.is_empty()).then_some(Piece::Object(not_on)));
    file.finish()
}

/// A list, where it has something in it.
fn list(items: Vec<Piece>) -> Option<Piece> {
    (!items.is_empty()).then_some(Piece::List(items))
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Piece> {
    list(texts.map(Piece::text).collect())
}

fn limits(limits: &Noted<Limits>, was: Was<'_>) -> Option<Piece> {
    let mut object = Members::new(&LIMITS, was);
    object.number("frames", limits.frames.as_ref().map(|limit| limit.value));
    object.number("bytes", limits.bytes.as_ref().map(|limit| limit.value));
    object.number("steps", limits.steps.as_ref().map(|limit| limit.value));
    object.number("queue", limits.queue.as_ref().map(|limit| limit.value));
    object.duration("duration", limits.duration.as_ref().map(|limit| limit.value));
    object.text("note", limits.note.as_deref());
    let members = object.finish();
    (!members.is_empty()).then_some(Piece::Object(members))
}

fn node(node: &Node, nodes: Was<'_>) -> Piece {
    let was = nodes.at(&node.name);
    let mut object = Members::new(&NODE, was);
    object.text("kind", Some(&node.kind));
    object.put("mac", node.mac.as_ref().map(|mac| values::mac(was, &NODE, mac.value)));
    let addresses = node.addresses.as_deref();
    object.put("ip", addresses.map(|all| values::addresses(was.at("ip"), all)));
    for option in &node.options {
        object.put(&option.name, values::argument(was, option, false));
    }
    let ports = node.ports.iter();
    let ports = ports.map(|one| (one.name.value.clone(), port(one, was.at("ports"))));
    let ports: Vec<_> = ports.collect();
    object.put("ports", (!ports.is_empty()).then_some(Piece::Object(ports)));
    object.text("note", node.note.as_deref());
    object.object()
}

fn port(port: &Port, ports: Was<'_>) -> Piece {
    let was = ports.at(&port.name);
    let mut object = Members::new(&PORT, was);
    object.put("mac", port.mac.as_ref().map(|mac| values::mac(was, &PORT, mac.value)));
    let addresses = port.addresses.as_deref();
    object.put("ip", addresses.map(|all| values::addresses(was.at("ip"), all)));
    object.text("note", port.note.as_deref());
    object.object()
}

fn link(link: &Link, was: Was<'_>) -> Piece {
    let mut object = Members::new(&LINK, was);
    object.text("name", link.name.as_ref().map(|name| name.as_str()));
    let ends = link.ends.each_ref().map(|end| Piece::text(&end.to_string()));
    object.put("ends", Piece::List(ends.into()));
    put_settings(&mut object, &LINK, &link.settings);
    let toward = link.toward.iter().map(|(end, change)| {
        let end = end.to_string();
        let was = was.at("toward").at(&end);
        (end, settings(change, was))
    });
    let toward: Vec<_> = toward.collect();
    object.put("toward", (!toward.is_empty()).then_some(Piece::Object(toward)));
    object.text("note", link.note.as_deref());
    object.object()
}

/// An entry for each set of masks that differ in nothing but their field.
fn masks(masks: &[Mask]) -> Vec<Piece> {
    let entries = masks.chunk_by(|one, next| next.is_beside(one));
    entries.map(|fields| mask(&fields[0], fields)).collect()
}

fn mask(mask: &Mask, fields: &[Mask]) -> Piece {
    let mut object = Members::new(&MASK, Was::of("", None));
    let paths = fields.iter().map(|mask| Piece::text(&mask.field.value.to_string()));
    object.put("field", Piece::one_or_list(paths.collect()));
    let frames = mask
        .frames
        .as_ref()
        .map(|frames| Piece::List(frames.iter().map(|frame| Piece::number(frame.value)).collect()));
    object.put("frames", frames);
    object.text("from", mask.from.as_ref().map(ToString::to_string).as_deref());
    object.text("kind", mask.kind.as_ref().map(|kind| kind.as_str()));
    object.text("reason", Some(&mask.reason));
    object.text("note", mask.note.as_deref());
    object.object()
}

//! Nodes, ports and links, and the names that refer to them.

use wire::link_settings::{SettingShape, SettingValue};
use wire::{LINK_SETTINGS, LinkChange};

use super::decoder::{Decoder, Object};
use crate::json::keys::{LINK, NODE, PORT, SETTINGS, Shape};
use crate::json::tree::{Json, Kind, Member};
use crate::model::{Link, Node, Noted, Port, PortRef};
use crate::resolve;
use crate::span::Spanned;

/// Looking a port up takes time in their number.
const MAX_PORTS: usize = 1024;

impl Decoder<'_, '_> {
    pub(super) fn read_nodes(&mut self, file: &Object<'_>) {
        self.not_empty(file, "nodes", "a scenario needs a node: {\"a\": {\"kind\": …}}");
        for member in self.map(file, "nodes") {
            resolve::name(self.faults, &member.key, "a node's name");
            let node = self.node(member);
            self.names.add_node(node);
        }
    }

    /// A node is kept also when it is faulty, so that steps that name it are not faulty too.
    fn node(&mut self, member: &Member) -> Node {
        let mut node = Node {
            name: member.key.clone(),
            kind: Spanned::default(),
            mac: None,
            addresses: None,
            ports: Vec::new(),
            options: Vec::new(),
            note: None,
        };
        let Some(object) = self.object(&member.value, &NODE) else { return node };
        node.kind = self.text(&object, "kind").unwrap_or_default();
        node.mac = self.mac(&object);
        node.addresses = self.addresses(&object);
        node.note = self.note(&object);
        // What is no object there is the option of that name.
        let has_ports = matches!(object.get("ports"), Some(Json { kind: Kind::Object(_), .. }));
        let ports = if has_ports { self.map(&object, "ports") } else { &[] };
        if let Some(port) = ports.get(MAX_PORTS) {
            let message = format!("{} ports", ports.len());
            self.fault(port.key.span, message, format!("a node has at most {MAX_PORTS}"));
        }
        for port in ports.iter().take(MAX_PORTS) {
            resolve::name(self.faults, &port.key, "a port's name");
            let read = self.port(port);
            node.ports.push(read);
        }
        let is_option = |member: &&Member| match NODE.key(&member.key).map(|key| key.shape) {
            Some(Shape::MapOrScalar(_)) => !has_ports,
            Some(_) => false,
            None => true,
        };
        let options = object.members.iter().filter(is_option);
        node.options = options.filter_map(|option| self.argument(option, false)).collect();
        node
    }

    fn port(&mut self, member: &Member) -> Port {
        let object = self.object(&member.value, &PORT);
        let (mut mac, mut addresses, mut note) = (None, None, None);
        if let Some(object) = object {
            mac = self.mac(&object);
            addresses = self.addresses(&object);
            note = self.note(&object);
        }
        Port { name: member.key.clone(), mac, addresses, note }
    }

    /// `node` or `node:port`, each known.
    pub(super) fn port_ref(&mut self, json: &Json, what: &str) -> Option<PortRef> {
        let text = self.plain_text(json, what)?;
        self.names.port_ref(self.faults, &text)
    }

    pub(super) fn read_links(&mut self, file: &Object<'_>) {
        for json in self.list(file, "links") {
            if let Some(link) = self.link(json) {
                self.names.add_link(self.faults, link);
            }
        }
        self.names.name_links();
    }

    fn link(&mut self, json: &Json) -> Option<Link> {
        let object = self.object(json, &LINK)?;
        let name = self.text(&object, "name");
        if let Some(name) = &name {
            resolve::name(self.faults, name, "a link's name");
        }
        let Noted { value: settings, note } = self.settings(&object);
        let ends = self.ends(&object)?;
        let toward = self.toward(&object, &ends);
        Some(Link { name, ends, settings, toward, note, span: object.span })
    }

    /// Settings for one direction, by the end that frames travel toward.
    fn toward(
        &mut self,
        link: &Object<'_>,
        ends: &[PortRef; 2],
    ) -> Vec<(PortRef, Noted<LinkChange>)> {
        let mut all: Vec<(PortRef, Noted<LinkChange>)> = Vec::new();
        for Member { key, value } in self.map(link, "toward") {
            let name = Json { kind: Kind::Text(key.value.clone()), span: key.span };
            let end = self.port_ref(&name, "an end");
            let Some(object) = self.object(value, &SETTINGS) else { continue };
            let settings = self.settings(&object);
            if object.members.is_empty() {
                self.fault(value.span, "no setting", "say what is otherwise: {\"loss\": 1}");
            }
            let Some(end) = end else { continue };
            resolve::is_end_of(self.faults, ends, &end);
            all.push((end, settings));
        }
        all
    }

    fn ends(&mut self, object: &Object<'_>) -> Option<[PortRef; 2]> {
        let json = object.get("ends")?;
        let ends = match &json.kind {
            Kind::List(ends) if ends.len() == 2 => ends,
            Kind::List(ends) => {
                let message = format!("`ends` has {} ports", ends.len());
                self.fault(json.span, message, "a link joins two: [\"a\", \"b:port\"]");
                return None;
            }
            _ => return self.wrong(json, "`ends`", "a list of two ports: [\"a\", \"b:port\"]"),
        };
        let (a, b) = (self.port_ref(&ends[0], "an end"), self.port_ref(&ends[1], "an end"));
        let ends = [a?, b?];
        resolve::joins_two(self.faults, &ends, json.span);
        Some(ends)
    }

    /// The keys that a link and a step that changes it share.
    pub(super) fn settings(&mut self, object: &Object<'_>) -> Noted<LinkChange> {
        let mut change = LinkChange::default();
        for row in LINK_SETTINGS {
            let value = match row.shape {
                SettingShape::Time => {
                    self.duration(object, row.key).map(|time| SettingValue::Time(time.value))
                }
                SettingShape::Rate => {
                    self.rate(object, row.key).map(|rate| SettingValue::Rate(rate.value))
                }
                SettingShape::Count(..) => {
                    self.unlimited(object, row.key).map(|count| SettingValue::Count(count.value))
                }
                SettingShape::Chance => {
                    self.chance(object, row.key).map(|chance| SettingValue::Chance(chance.value))
                }
                SettingShape::Flag => {
                    self.flag(object, row.key).map(|flag| SettingValue::Flag(flag.value))
                }
            };
            if let Some(value) = value {
                let fits = (row.set)(&mut change, value);
                debug_assert!(fits, "{} does not take its own shape", row.key);
            }
        }
        Noted { value: change, note: self.note(object) }
    }
}

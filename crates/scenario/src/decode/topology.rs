//! Nodes, ports and links, and the names that refer to them.

use std::collections::BTreeSet;

use wire::link_settings::{SettingShape, SettingValue};
use wire::{LINK_SETTINGS, LinkChange};

use super::{Decoder, Object};
use crate::json::{Json, Kind, Member};
use crate::keys::{LINK, NODE, PORT, SETTINGS, Shape};
use crate::{Link, Node, Port, PortRef, Spanned, suggestion};

/// A name stands in the capture's interfaces and in each line of a report.
const MAX_NAME: usize = 256;

/// Looking a port up takes time in their number.
const MAX_PORTS: usize = 1024;

impl Decoder<'_, '_> {
    pub(super) fn read_nodes(&mut self, file: &Object<'_>) {
        self.not_empty(file, "nodes", "a scenario needs a node: {\"a\": {\"kind\": …}}");
        for member in self.map(file, "nodes") {
            self.name(&member.key, "a node's name");
            let node = self.node(member);
            self.node_index.entry(member.key.value.clone()).or_insert(self.nodes.len());
            self.nodes.push(node);
        }
    }

    /// Names stand in `node:port` and in `a-b`, so they cannot hold every character.
    fn name(&mut self, name: &Spanned<String>, what: &str) {
        let right = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == '.';
        if name.is_empty() || !name.chars().all(right) {
            self.faults.add_with(name.span, |_| {
                let message = format!("`{}` cannot be {what}", name.value);
                (message, "letters, digits, `-`, `_` and `.`".to_owned())
            });
        } else if name.len() > MAX_NAME {
            let message = format!("{what} has {} bytes", name.len());
            self.fault(name.span, message, format!("at most {MAX_NAME}"));
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
            self.name(&port.key, "a port's name");
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
        let (node, port) = match text.split_once(':') {
            Some((node, port)) => (node, Some(port.to_owned())),
            None => (text.as_str(), None),
        };
        let Some(index) = self.node_index.get(node).copied() else {
            let nodes = &self.nodes;
            self.faults.add_with(json.span, |_| {
                let known: Vec<&str> = nodes.iter().take(100).map(|n| n.name.as_str()).collect();
                (format!("unknown node `{node}`"), suggestion(node, &known))
            });
            return None;
        };
        let node = Spanned::new(node.to_owned(), json.span);
        let port = match port {
            Some(port) => Some(self.known_port(index, Spanned::new(port, json.span))?),
            None => None,
        };
        Some(PortRef { node, index, port })
    }

    /// The port, which is one of the node's `ports` where the file names them.
    pub(super) fn known_port(
        &mut self,
        node: usize,
        port: Spanned<String>,
    ) -> Option<Spanned<String>> {
        let node = &self.nodes[node];
        let known: Vec<&str> = node.ports.iter().map(|port| port.name.as_str()).collect();
        if known.is_empty() {
            // A port that only links name has its name from here.
            self.name(&port, "a port's name");
            return Some(port);
        }
        if known.contains(&port.as_str()) {
            return Some(port);
        }
        let message = format!("the node `{}` has no port `{}`", node.name.value, port.value);
        let help = suggestion(&port, &known);
        self.fault(port.span, message, help);
        None
    }

    pub(super) fn read_links(&mut self, file: &Object<'_>) {
        for json in self.list(file, "links") {
            if let Some(link) = self.link(json) {
                self.twice(&link);
                self.enter(&link);
                self.links.push(link);
            }
        }
        for (index, link) in self.links.iter().enumerate() {
            if let Some(name) = &link.name {
                self.link_index.insert(name.value.clone(), (index, 1));
            }
        }
    }

    fn link(&mut self, json: &Json) -> Option<Link> {
        let object = self.object(json, &LINK)?;
        let name = self.text(&object, "name");
        if let Some(name) = &name {
            self.name(name, "a link's name");
        }
        let settings = self.settings(&object);
        let note = self.note(&object);
        let ends = self.ends(&object)?;
        let toward = self.toward(&object, &ends);
        Some(Link { name, ends, settings, toward, note, span: object.span })
    }

    /// Settings for one direction, by the end that frames travel toward.
    fn toward(&mut self, link: &Object<'_>, ends: &[PortRef; 2]) -> Vec<(PortRef, LinkChange)> {
        let mut all: Vec<(PortRef, LinkChange)> = Vec::new();
        for Member { key, value } in self.map(link, "toward") {
            let name = Json { kind: Kind::Text(key.value.clone()), span: key.span };
            let end = self.port_ref(&name, "an end");
            let Some(object) = self.object(value, &SETTINGS) else { continue };
            self.inner_note(&object);
            let settings = self.settings(&object);
            if object.members.is_empty() {
                self.fault(value.span, "no setting", "say what is otherwise: {\"loss\": 1}");
            }
            let Some(end) = end else { continue };
            self.is_end_of(ends, &end);
            all.push((end, settings));
        }
        all
    }

    /// `toward` names one of two ends.
    pub(super) fn is_end_of(&mut self, ends: &[PortRef; 2], toward: &PortRef) {
        let port = |end: &PortRef| end.port.as_ref().map(|port| port.value.clone());
        let meant = |end: &PortRef| {
            end.index == toward.index && (toward.port.is_none() || port(end) == port(toward))
        };
        if !ends.iter().any(meant) {
            let help = format!("its ends are `{}` and `{}`", ends[0], ends[1]);
            let message = format!("`{toward}` is no end of this link");
            self.fault(toward.node.span, message, help);
        }
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
        let (a, b) = (a?, b?);
        if a.to_string() == b.to_string() {
            let message = format!("`{a}` is linked to itself");
            self.fault(json.span, message, "a link joins two different ports");
        }
        Some([a, b])
    }

    /// Notes a name or a port that another link has already.
    fn twice(&mut self, link: &Link) {
        let name = link.name.iter().map(|name| (format!("link {}", name.value), name.span));
        let ends = link.ends.iter().filter(|end| end.port.is_some());
        let ends = ends.map(|end| (format!("port {end}"), end.node.span));
        for (taken, span) in name.chain(ends) {
            let Some(first) = self.linked.get(&taken).copied() else {
                self.linked.insert(taken, span);
                continue;
            };
            self.faults.add_with(span, |faults| {
                let (what, name) = taken.split_once(' ').unwrap_or_default();
                let message = match what {
                    "link" => format!("two links named `{name}`"),
                    _ => format!("the port `{name}` has a link already"),
                };
                (message, format!("the first is in line {}", faults.line(first.start)))
            });
        }
    }

    /// Enters a link under its ends, in both orders; its name is entered after all ends.
    fn enter(&mut self, link: &Link) {
        let keys: BTreeSet<String> = both_ways(link).into();
        for key in keys {
            self.link_index.entry(key).or_insert((self.links.len(), 0)).1 += 1;
        }
    }

    /// The keys that a link and a step that changes it share.
    pub(super) fn settings(&mut self, object: &Object<'_>) -> LinkChange {
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
        change
    }

    /// The link of that name, or between those ends in either order.
    pub(super) fn link_named(&mut self, text: &Spanned<String>) -> Option<usize> {
        match self.link_index.get(&text.value) {
            Some((index, 1)) => Some(*index),
            Some((_, count)) => {
                let message = format!("{count} links join `{}`", text.value);
                self.fault(text.span, message, "give them a `name` each");
                None
            }
            None => {
                let links = &self.links;
                self.faults.add_with(text.span, |_| {
                    let known: Vec<String> = links.iter().take(100).map(shown).collect();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    (format!("unknown link `{}`", text.value), suggestion(text, &known))
                });
                None
            }
        }
    }
}

/// `a-b` and `b-a`, with ports where they were written and without.
fn both_ways(link: &Link) -> [String; 4] {
    let [a, b] = &link.ends;
    let (full_a, full_b) = (a.to_string(), b.to_string());
    [
        format!("{full_a}-{full_b}"),
        format!("{full_b}-{full_a}"),
        format!("{}-{}", a.node.value, b.node.value),
        format!("{}-{}", b.node.value, a.node.value),
    ]
}

/// How a help text names a link.
fn shown(link: &Link) -> String {
    match &link.name {
        Some(name) => name.value.clone(),
        None => both_ways(link)[0].clone(),
    }
}

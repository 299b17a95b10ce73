//! What the names of a scenario mean: nodes and their ports, links and their ends, and the names
//! that steps bind. Knows no syntax: a reader of any enters what it reads and asks for what it
//! meets. Layers and fields are looked up in [`fields`].

pub(crate) mod fields;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::suggestion;
use crate::expr::{Expr, is_name};
use crate::faults::Faults;
use crate::model::{Link, Node, PortRef};
use crate::span::{Span, Spanned};

/// A name stands in the capture's interfaces and in each line of a report.
const MAX_NAME: usize = 256;
/// Names listed in a help text.
const LISTED: usize = 100;

/// The names that have been read so far.
#[derive(Default)]
pub(crate) struct Names {
    nodes: Vec<Node>,
    node_index: BTreeMap<String, usize>,
    links: Vec<Link>,
    /// Links by name and by their ends, with how many links each means.
    link_index: BTreeMap<String, (usize, usize)>,
    /// Ports that have a link and names of links, with the place of each.
    linked: BTreeMap<String, Span>,
    /// Names bound by the steps before the one that is read.
    bound: BTreeSet<String>,
    /// Every name counts as bound: a value is read out of its place.
    any_bound: bool,
    /// The place of every binding in the file, to tell "bound later" from "never bound".
    binds: BTreeMap<String, Span>,
}

/// Names stand in `node:port` and in `a-b`, so they cannot hold every character.
pub(crate) fn name(faults: &mut Faults<'_>, name: &Spanned<String>, what: &str) {
    let right = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == '.';
    if name.is_empty() || !name.chars().all(right) {
        faults.add_with(name.span, |_| {
            let message = format!("`{}` cannot be {what}", name.value);
            (message, "letters, digits, `-`, `_` and `.`".to_owned())
        });
    } else if name.len() > MAX_NAME {
        let message = format!("{what} has {} bytes", name.len());
        faults.add(name.span, message, format!("at most {MAX_NAME}"));
    }
}

impl Names {
    /// Names of which none has been read, and every one counts as bound.
    pub(crate) fn with_all_bound() -> Self {
        Self { any_bound: true, ..Self::default() }
    }

    /// The nodes and links that were entered, in their order.
    pub(crate) fn into_parts(self) -> (Vec<Node>, Vec<Link>) {
        (self.nodes, self.links)
    }

    /// Enters a node; the first of a name is the one that is meant.
    pub(crate) fn add_node(&mut self, node: Node) {
        self.node_index.entry(node.name.value.clone()).or_insert(self.nodes.len());
        self.nodes.push(node);
    }

    /// The node of `node` or `node:port`, and the port.
    pub(crate) fn port_ref(
        &self,
        faults: &mut Faults<'_>,
        text: &Spanned<String>,
    ) -> Option<PortRef> {
        let (node, port) = match text.split_once(':') {
            Some((node, port)) => (node, Some(port.to_owned())),
            None => (text.as_str(), None),
        };
        let Some(index) = self.node_index.get(node).copied() else {
            faults.add_with(text.span, |_| {
                let nodes = self.nodes.iter().take(LISTED);
                let known: Vec<&str> = nodes.map(|node| node.name.as_str()).collect();
                (format!("unknown node `{node}`"), suggestion(node, &known))
            });
            return None;
        };
        let node = Spanned::new(node.to_owned(), text.span);
        let port = match port {
            Some(port) => Some(self.port(faults, index, Spanned::new(port, text.span))?),
            None => None,
        };
        Some(PortRef { node, index, port })
    }

    /// The port, which is one of the node's `ports` where the file names them.
    pub(crate) fn port(
        &self,
        faults: &mut Faults<'_>,
        node: usize,
        port: Spanned<String>,
    ) -> Option<Spanned<String>> {
        let node = &self.nodes[node];
        let known: Vec<&str> = node.ports.iter().map(|port| port.name.as_str()).collect();
        if known.is_empty() {
            // A port that only links name has its name from here.
            name(faults, &port, "a port's name");
            return Some(port);
        }
        if known.contains(&port.as_str()) {
            return Some(port);
        }
        let message = format!("the node `{}` has no port `{}`", node.name.value, port.value);
        faults.add(port.span, message, suggestion(&port, &known));
        None
    }

    /// Enters a link under its ends, in both orders, and notes a name or a port that another link
    /// has already.
    pub(crate) fn add_link(&mut self, faults: &mut Faults<'_>, link: Link) {
        self.twice(faults, &link);
        let keys: BTreeSet<String> = both_ways(&link).into();
        for key in keys {
            self.link_index.entry(key).or_insert((self.links.len(), 0)).1 += 1;
        }
        self.links.push(link);
    }

    /// Enters the links under their names, once all are there: a name goes before any ends.
    pub(crate) fn name_links(&mut self) {
        for (index, link) in self.links.iter().enumerate() {
            if let Some(name) = &link.name {
                self.link_index.insert(name.value.clone(), (index, 1));
            }
        }
    }

    fn twice(&mut self, faults: &mut Faults<'_>, link: &Link) {
        let name = link.name.iter().map(|name| (format!("link {}", name.value), name.span));
        let ends = link.ends.iter().filter(|end| end.port.is_some());
        let ends = ends.map(|end| (format!("port {end}"), end.node.span));
        for (taken, span) in name.chain(ends) {
            let Some(first) = self.linked.get(&taken).copied() else {
                self.linked.insert(taken, span);
                continue;
            };
            faults.add_with(span, |faults| {
                let (what, name) = taken.split_once(' ').unwrap_or_default();
                let message = match what {
                    "link" => format!("two links named `{name}`"),
                    _ => format!("the port `{name}` has a link already"),
                };
                (message, format!("the first is in line {}", faults.line(first.start)))
            });
        }
    }

    /// The link of that name, or between those ends in either order.
    pub(crate) fn link(&self, faults: &mut Faults<'_>, text: &Spanned<String>) -> Option<usize> {
        match self.link_index.get(&text.value) {
            Some((index, 1)) => Some(*index),
            Some((_, count)) => {
                let message = format!("{count} links join `{}`", text.value);
                faults.add(text.span, message, "give them a `name` each");
                None
            }
            None => {
                faults.add_with(text.span, |_| {
                    let known: Vec<String> = self.links.iter().take(LISTED).map(shown).collect();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    (format!("unknown link `{}`", text.value), suggestion(text, &known))
                });
                None
            }
        }
    }

    /// `toward` names one of the two ends of a link.
    pub(crate) fn is_end(&self, faults: &mut Faults<'_>, link: usize, toward: &PortRef) {
        is_end_of(faults, &self.links[link].ends, toward);
    }

    /// Enters the place of a binding before any step is read.
    pub(crate) fn will_bind(&mut self, name: &str, span: Span) {
        self.binds.entry(name.to_owned()).or_insert(span);
    }

    /// Binds a name for the steps that follow.
    pub(crate) fn bind(&mut self, faults: &mut Faults<'_>, name: &Spanned<String>) {
        self.bound.insert(name.value.clone());
        if !is_name(name) {
            let message = format!("`{}` cannot be a bound name", name.value);
            faults.add(name.span, message, "a letter or `_`, then letters, digits or `_`");
        }
    }

    /// Whether every name of an expression is bound by an earlier step; a fault if one is not.
    pub(crate) fn all_bound(&self, faults: &mut Faults<'_>, expr: &Expr, span: Span) -> bool {
        let unbound = |name: &&str| !self.any_bound && !self.bound.contains(*name);
        let Some(name) = expr.names().find(unbound) else {
            return true;
        };
        faults.add_with(span, |faults| {
            let bound: Vec<&str> = self.bound.iter().take(20).map(String::as_str).collect();
            let help = match self.binds.get(name) {
                Some(bind) => format!("it is bound later, in line {}", faults.line(bind.start)),
                None if bound.is_empty() => "no name is bound yet: `bind` in an `expect`".into(),
                None => format!("bound here are: ${}", bound.join(", $")),
            };
            (format!("unbound name `${name}`"), help)
        });
        false
    }
}

/// Notes that a link joins a port to itself.
pub(crate) fn joins_two(faults: &mut Faults<'_>, ends: &[PortRef; 2], span: Span) {
    let [a, b] = ends;
    if a.to_string() == b.to_string() {
        let message = format!("`{a}` is linked to itself");
        faults.add(span, message, "a link joins two different ports");
    }
}

/// `toward` names one of two ends.
pub(crate) fn is_end_of(faults: &mut Faults<'_>, ends: &[PortRef; 2], toward: &PortRef) {
    let port = |end: &PortRef| end.port.as_ref().map(|port| port.value.clone());
    let meant = |end: &PortRef| {
        end.index == toward.index && (toward.port.is_none() || port(end) == port(toward))
    };
    if !ends.iter().any(meant) {
        let help = format!("its ends are `{}` and `{}`", ends[0], ends[1]);
        let message = format!("`{toward}` is no end of this link");
        faults.add(toward.node.span, message, help);
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

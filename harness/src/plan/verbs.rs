//! The verbs of a scenario: each command is one that its node takes and each event one that its
//! node reports, with arguments that the kind knows. Knows the registry; gives no command.

use nodes::{NodeConfig, Registry, VerbSpec};
use scenario::{Action, Argument, Spanned, nearest};

use super::{Planner, topology};

/// What a kind offers, and how a message names it.
struct Offer {
    /// `command` or `event`.
    noun: &'static str,
    /// `takes` or `reports`.
    does: &'static str,
    /// `argument` or `field`.
    part: &'static str,
    verbs: Vec<VerbSpec>,
}

impl Planner<'_> {
    /// Holds every `do` and `expect-event` against the kind that the scenario gives its node: with
    /// another kind in the node's place the scenario means the same.
    pub(super) fn verbs(&mut self, registry: &Registry) {
        let scenario = self.scenario;
        let mut offers: Vec<Option<(Offer, Offer)>> = Vec::new();
        for node in &scenario.nodes {
            offers.push(offers_of(node, registry));
        }
        for step in &scenario.steps {
            match &step.action {
                Action::Do { node, verb, args, .. } => {
                    if let Some((commands, _)) = &offers[node.index] {
                        self.verb(commands, &scenario.nodes[node.index].kind, verb, args);
                    }
                }
                Action::ExpectEvent { from, kind, fields, .. } => {
                    if let Some((_, events)) = &offers[from.index] {
                        self.verb(events, &scenario.nodes[from.index].kind, kind, fields);
                    }
                }
                _ => {}
            }
        }
    }

    fn verb(&mut self, offer: &Offer, kind: &str, verb: &Spanned<String>, with: &[Argument]) {
        let Offer { noun, does, part, verbs } = offer;
        let Some(spec) = verbs.iter().find(|spec| spec.name == verb.value) else {
            self.faults.add(verb.span, || {
                let message = format!("the kind `{kind}` {does} no {noun} `{}`", verb.value);
                let names: Vec<&str> = verbs.iter().map(|spec| spec.name).collect();
                (message, help(&verb.value, &names, &format!("{noun}s")))
            });
            return;
        };
        for argument in with {
            if !spec.with.contains(&argument.name.value.as_str()) {
                self.faults.add(argument.name.span, || {
                    let (name, verb) = (&argument.name.value, &verb.value);
                    let message = format!("the {noun} `{verb}` has no {part} `{name}`");
                    (message, help(name, spec.with, &format!("{part}s")))
                });
            }
        }
    }
}

/// What the node that the scenario describes offers; `None` where its kind is not known, which is
/// reported at the kind.
fn offers_of(node: &scenario::Node, registry: &Registry) -> Option<(Offer, Offer)> {
    let options = node.options.iter();
    let options = options
        .map(|option| (option.name.value.clone(), topology::datum(&option.value.value)))
        .collect();
    let config = NodeConfig { options, ..NodeConfig::default() };
    let kind = node.kind.value.as_str();
    let commands = registry.commands(kind, &config)?;
    let events = registry.events(kind, &config)?;
    Some((
        Offer { noun: "command", does: "takes", part: "argument", verbs: commands },
        Offer { noun: "event", does: "reports", part: "field", verbs: events },
    ))
}

/// The word that was probably meant, and all that there are.
fn help(word: &str, known: &[&str], nouns: &str) -> String {
    let all = match known {
        [] => format!("it has no {nouns}"),
        known => format!("its {nouns}: {}", known.join(", ")),
    };
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? {all}"),
        None => all,
    }
}

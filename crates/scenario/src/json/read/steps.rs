//! Steps: which kind each is, and what it says.

use super::decoder::{Decoder, Object};
use crate::diagnostic::nearest;
use crate::json::keys::{SETTINGS, STEPS, Table};
use crate::json::tree::{Json, Kind, Member};
use crate::model::{Action, Bind, PortRef, Step};
use crate::resolve::fields::field_path;
use crate::span::{Span, Spanned};

impl Decoder<'_, '_> {
    pub(super) fn steps(&mut self, file: &Object<'_>) -> Vec<Step> {
        self.not_empty(file, "steps", "a scenario without steps proves nothing");
        let steps = self.list(file, "steps");
        self.find_binds(steps);
        steps.iter().filter_map(|step| self.step(step)).collect()
    }

    /// The places of all `bind`s, so that a name used too early can be told from an unknown one.
    fn find_binds(&mut self, steps: &[Json]) {
        let members = |json: &Json| -> Option<Vec<(String, Span)>> {
            let Kind::Object(step) = &json.kind else { return None };
            let bind = step.iter().find(|member| member.key.value == "bind")?;
            let Kind::Object(names) = &bind.value.kind else { return None };
            Some(names.iter().map(|name| (name.key.value.clone(), name.key.span)).collect())
        };
        for (name, span) in steps.iter().filter_map(members).flatten() {
            self.names.will_bind(&name, span);
        }
    }

    fn step(&mut self, json: &Json) -> Option<Step> {
        let Kind::Object(members) = &json.kind else {
            return self.wrong(json, "a step", "an object");
        };
        let table = self.kind(members, json.span)?;
        let step = self.object(json, table)?;
        let action = match table.mark {
            "send" => self.send(&step),
            "do" => self.command(&step),
            "expect" => self.expect(&step),
            "expect-nothing" => self.expect_nothing(&step),
            "expect-event" => self.expect_event(&step),
            "link" => self.set_link(&step),
            _ => self.duration(&step, "wait").map(Action::Wait),
        };
        let tolerance = self.tolerance(&step);
        let note = self.note(&step);
        Some(Step { action: action?, tolerance, note, span: json.span })
    }

    /// The kind of step, by the one key that tells it.
    fn kind(&mut self, members: &[Member], span: Span) -> Option<&'static Table> {
        let tells =
            |table: &&&'static Table| members.iter().any(|member| member.key.value == table.mark);
        let kinds: Vec<&'static Table> = STEPS.iter().filter(tells).copied().collect();
        let names = |tables: &[&Table]| {
            let names: Vec<_> = tables.iter().map(|t| format!("`{}`", t.mark)).collect();
            names.join(", ")
        };
        match kinds.as_slice() {
            [kind] => return Some(kind),
            [] => {
                let known = STEPS.map(|table| table.mark);
                let near = members.iter().find_map(|member| {
                    let known = nearest(&member.key, known)?;
                    Some((member.key.span, format!("did you mean `{known}`?")))
                });
                let (place, help) = near.unwrap_or_else(|| {
                    (Span::new(span.start, span.start + 1), format!("one of {}", names(&STEPS)))
                });
                self.fault(place, "a step of no kind", help);
            }
            several => {
                let message = format!("a step of several kinds: {}", names(several));
                self.fault(Span::new(span.start, span.start + 1), message, "make them steps each");
            }
        }
        None
    }

    /// The value of a key that names a node or a port.
    fn who(&mut self, step: &Object<'_>, name: &str) -> Option<PortRef> {
        let json = step.get(name)?;
        self.port_ref(json, &format!("`{name}`"))
    }

    fn send(&mut self, step: &Object<'_>) -> Option<Action> {
        let when = self.when(step);
        let mut from = self.who(step, "node");
        if let (Some(from), Some(port)) = (&mut from, self.text(step, "port")) {
            if from.port.is_some() {
                self.fault(port.span, "two ports for one `send`", "in `node` or in `port`");
            }
            from.port = self.names.port(self.faults, from.index, port);
        }
        let json = step.get("send")?;
        let packet = self.packet(json).map(|packet| Spanned::new(packet, json.span));
        Some(Action::Send { when, from: from?, packet: packet? })
    }

    fn command(&mut self, step: &Object<'_>) -> Option<Action> {
        let (when, node) = (self.when(step), self.who(step, "node"));
        let json = step.get("do")?;
        let (verb, args) = match &json.kind {
            Kind::Text(verb) => (Spanned::new(verb.clone(), json.span), &[][..]),
            Kind::Object(verbs) if verbs.len() == 1 => match &verbs[0].value.kind {
                Kind::Object(args) => (verbs[0].key.clone(), args.as_slice()),
                _ => {
                    let what = format!("`{}`", verbs[0].key.value);
                    return self.wrong(&verbs[0].value, &what, "an object of arguments");
                }
            },
            _ => {
                return self.wrong(
                    json,
                    "`do`",
                    "a verb, or an object with one: {\"listen\": {…}}",
                );
            }
        };
        if verb.is_empty() {
            self.fault(verb.span, "an empty verb", "such as \"close\"");
        }
        let args = args.iter().map(|arg| self.argument(arg, true)).collect::<Vec<_>>();
        Some(Action::Do { when, node: node?, verb, args: args.into_iter().collect::<Option<_>>()? })
    }

    fn expect(&mut self, step: &Object<'_>) -> Option<Action> {
        let (due, from) = (self.due(step), self.who(step, "from"));
        let skip_others = self.flag(step, "skip-others").is_some_and(|flag| flag.value);
        let pattern = self.pattern_at(step, "expect");
        let bind = self.binds(step);
        Some(Action::Expect { due: due?, from: from?, pattern: pattern?, bind, skip_others })
    }

    fn binds(&mut self, step: &Object<'_>) -> Vec<Bind> {
        let mut binds = Vec::new();
        for Member { key, value } in self.map(step, "bind") {
            // Also when its field is wrong: the steps that use the name are right then.
            self.names.bind(self.faults, key);
            let path = self.plain_text(value, "a field to bind");
            let Some(field) = path.and_then(|path| field_path(self.faults, &path)) else {
                continue;
            };
            if field.field.max().is_none() {
                let message = format!("{} is no number", field.field.path());
                self.fault(value.span, message, "names stand for numbers");
            }
            binds.push(Bind { name: key.clone(), field });
        }
        binds
    }

    fn expect_nothing(&mut self, step: &Object<'_>) -> Option<Action> {
        let (during, from) = (self.duration(step, "for"), self.who(step, "from"));
        let pattern = self.pattern_at(step, "expect-nothing");
        Some(Action::ExpectNothing { during: during?, from, pattern: pattern? })
    }

    fn expect_event(&mut self, step: &Object<'_>) -> Option<Action> {
        let (within, from) = (self.duration(step, "within"), self.who(step, "from"));
        let json = step.get("expect-event")?;
        let members = match &json.kind {
            Kind::Object(members) => members.as_slice(),
            _ => return self.wrong(json, "`expect-event`", "an object: {\"kind\": …}"),
        };
        let (mut kind, mut fields) = (None, Vec::new());
        for member in members {
            match member.key.as_str() {
                "kind" => kind = Some(self.plain_text(&member.value, "an event's kind")?),
                _ => fields.extend(self.argument(member, true)),
            }
        }
        if kind.is_none() {
            let help = "such as {\"kind\": \"payload\"}";
            self.fault(json.span, "an event needs the key `kind`", help);
        }
        Some(Action::ExpectEvent { within: within?, from: from?, kind: kind?, fields })
    }

    fn set_link(&mut self, step: &Object<'_>) -> Option<Action> {
        let when = self.when(step);
        let link = self.text(step, "link");
        let index = link.as_ref().and_then(|link| self.names.link(self.faults, link));
        let toward = self.who(step, "toward");
        let json = step.get("set")?;
        let object = self.object(json, &SETTINGS)?;
        let set = Box::new(self.settings(&object));
        if object.members.is_empty() {
            self.fault(json.span, "`set` is empty", "say what changes: {\"up\": false}");
        }
        let (link, index) = (link?, index?);
        if let Some(end) = &toward {
            self.names.is_end(self.faults, index, end);
        }
        Some(Action::SetLink { when, link, index, toward, set })
    }
}

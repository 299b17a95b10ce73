//! From JSON to a [`Scenario`]: what every part of the decoder needs. Goes on after a fault, so
//! that one reading shows several; the result counts only when there was none.

mod options;
mod packet;
mod scenario;
mod steps;
mod timing;
mod topology;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use crate::faults::Faults;
use crate::json::{Json, Kind, Member};
use crate::keys::{Others, Shape, Table};
use crate::{Diagnostic, Link, Node, Scenario, Span, Spanned, nearest, suggestion};

/// Larger files are refused before they are read.
pub const MAX_FILE_BYTES: usize = 16 << 20;

/// Reads a scenario file.
///
/// # Errors
/// All that is wrong with it, in order of place.
pub fn parse(file: &[u8]) -> Result<Scenario, Vec<Diagnostic>> {
    if file.len() > MAX_FILE_BYTES {
        let message = format!("the file has {} bytes", file.len());
        let help = format!("a scenario has at most {MAX_FILE_BYTES} bytes (16 MiB)");
        return Err(vec![Diagnostic::new("", Span::default(), message).help(help)]);
    }
    let text = std::str::from_utf8(file).map_err(|error| {
        let at = error.valid_up_to();
        let before = std::str::from_utf8(&file[..at]).unwrap_or_default();
        let message = format!("byte {at} ({:#04x}) is not UTF-8", file[at]);
        let help = "a scenario is a text in UTF-8";
        vec![Diagnostic::new(before, Span::new(at, at), message).help(help)]
    })?;
    let mut faults = Faults::new(text);
    let json = crate::json::read(text, &mut faults);
    let scenario = json.and_then(|json| Decoder::new(&mut faults).scenario(&json));
    match scenario {
        Some(scenario) if faults.is_empty() => Ok(scenario),
        _ => Err(faults.finish()),
    }
}

struct Decoder<'f, 't> {
    faults: &'f mut Faults<'t>,
    nodes: Vec<Node>,
    node_index: BTreeMap<String, usize>,
    links: Vec<Link>,
    /// Links by name and by their ends, with how many links each means.
    link_index: BTreeMap<String, (usize, usize)>,
    /// Ports that have a link, with the place of its end.
    linked: BTreeMap<String, Span>,
    /// Names bound by the steps before the one that is read.
    bound: BTreeSet<String>,
    /// The place of every `bind` in the file, to tell "bound later" from "never bound".
    binds: BTreeMap<String, Span>,
    /// Notes inside the step that is read: on its packet, on a layer.
    notes: Vec<String>,
    /// Bytes of payloads that were written as a count.
    filled: usize,
    /// Fields that masks name, and frames that they name, once for each field.
    masked: (usize, usize),
}

/// A JSON object whose keys have been held against a table.
#[derive(Clone, Copy)]
struct Object<'j> {
    table: &'static Table,
    members: &'j [Member],
    span: Span,
}

impl<'j> Object<'j> {
    fn get(&self, name: &str) -> Option<&'j Json> {
        debug_assert!(self.table.allows(name), "{name} is in no table");
        self.members.iter().find(|member| member.key.value == name).map(|member| &member.value)
    }

    /// The range that the table gives a number.
    fn range(&self, name: &str) -> (u64, u64) {
        match self.table.key(name).map(|key| key.shape) {
            Some(Shape::Whole(least, most) | Shape::Unlimited(least, most)) => (least, most),
            _ => (0, u64::MAX),
        }
    }
}

impl<'f, 't> Decoder<'f, 't> {
    fn new(faults: &'f mut Faults<'t>) -> Self {
        Self {
            faults,
            nodes: Vec::new(),
            node_index: BTreeMap::new(),
            links: Vec::new(),
            link_index: BTreeMap::new(),
            linked: BTreeMap::new(),
            bound: BTreeSet::new(),
            binds: BTreeMap::new(),
            notes: Vec::new(),
            filled: 0,
            masked: (0, 0),
        }
    }

    fn fault(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.faults.add(span, message, help);
    }

    /// A value of the wrong kind.
    fn wrong<T>(&mut self, json: &Json, what: &str, wants: &str) -> Option<T> {
        let message = format!("{what} is {wants}; here is {}", json.kind);
        self.fault(json.span, message, "");
        None
    }

    /// An object with the keys of a table: unknown ones and missing ones are faults.
    fn object<'j>(&mut self, json: &'j Json, table: &'static Table) -> Option<Object<'j>> {
        let Kind::Object(members) = &json.kind else {
            let message = format!("{} is an object; here is {}", table.title, json.kind);
            self.fault(json.span, message, format!("its keys: {}", table.names().join(", ")));
            return None;
        };
        let names = table.names();
        for Member { key, .. } in members.iter().filter(|member| !table.allows(&member.key)) {
            self.faults.add_with(key.span, |_| {
                let message = format!("unknown key `{}` in {}", key.value, table.title);
                (message, suggestion(key, &names))
            });
        }
        self.missing(members, table, json.span);
        Some(Object { table, members, span: json.span })
    }

    /// Notes required keys that are missing, unless an unknown key was probably meant.
    fn missing(&mut self, members: &[Member], table: &'static Table, span: Span) {
        let has = |name: &str| members.iter().any(|member| member.key.value == name);
        for key in table.keys.iter().filter(|key| key.required && !has(key.name)) {
            let unknown = members.iter().map(|member| member.key.as_str());
            let meant = nearest(key.name, unknown.filter(|name| table.key(name).is_none()));
            let help = match meant {
                Some(_) if table.others != Others::Scalars => continue,
                Some(meant) => format!("is `{meant}` meant to be `{}`?", key.name),
                None => key.about.to_owned(),
            };
            let open = Span::new(span.start, span.start + 1);
            self.fault(open, format!("{} needs the key `{}`", table.title, key.name), help);
        }
    }

    /// The value of a key that is a text.
    fn text(&mut self, object: &Object<'_>, name: &str) -> Option<Spanned<String>> {
        let json = object.get(name)?;
        self.plain_text(json, &format!("`{name}`"))
    }

    /// A text.
    fn plain_text(&mut self, json: &Json, what: &str) -> Option<Spanned<String>> {
        match &json.kind {
            Kind::Text(text) => Some(Spanned::new(text.clone(), json.span)),
            _ => self.wrong(json, what, "a text"),
        }
    }

    /// The value of a key that is true or false.
    fn flag(&mut self, object: &Object<'_>, name: &str) -> Option<Spanned<bool>> {
        let json = object.get(name)?;
        match json.kind {
            Kind::Bool(flag) => Some(Spanned::new(flag, json.span)),
            _ => self.wrong(json, &format!("`{name}`"), "true or false"),
        }
    }

    /// The items of a key that is a list; none where it is left out.
    fn list<'j>(&mut self, object: &Object<'j>, name: &str) -> &'j [Json] {
        match object.get(name) {
            Some(Json { kind: Kind::List(items), .. }) => items,
            Some(json) => {
                self.wrong::<()>(json, &format!("`{name}`"), "a list");
                &[]
            }
            None => &[],
        }
    }

    /// The members of a key that is an object with keys of any name; none where it is left out.
    fn map<'j>(&mut self, object: &Object<'j>, name: &str) -> &'j [Member] {
        match object.get(name) {
            Some(Json { kind: Kind::Object(members), .. }) => members,
            Some(json) => {
                self.wrong::<()>(json, &format!("`{name}`"), "an object");
                &[]
            }
            None => &[],
        }
    }

    /// `note`.
    fn note(&mut self, object: &Object<'_>) -> Option<String> {
        self.text(object, "note").map(|note| note.value)
    }

    /// `note` of an inner object: it is told with the step, or the scenario, that it stands in.
    fn inner_note(&mut self, object: &Object<'_>) {
        if let Some(note) = self.note(object) {
            self.notes.push(note);
        }
    }

    /// An outer note with the inner ones after it.
    fn with_inner_notes(&mut self, outer: Option<String>) -> Option<String> {
        let notes: Vec<String> = outer.into_iter().chain(self.notes.drain(..)).collect();
        (!notes.is_empty()).then(|| notes.join("\n"))
    }
}

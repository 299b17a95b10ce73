//! What every part of the reader needs: the faults and names so far, objects held against their
//! tables, and the plainest values.

use crate::diagnostic::{nearest, suggestion};
use crate::faults::Faults;
use crate::json::keys::{Others, Shape, Table};
use crate::json::tree::{Json, Kind, Member};
use crate::resolve::Names;
use crate::span::{Span, Spanned};

/// The reader of one file.
pub(in crate::json) struct Decoder<'f, 't> {
    pub(super) faults: &'f mut Faults<'t>,
    pub(super) names: Names,
    /// Bytes of payloads that were written as a count.
    pub(super) filled: usize,
    /// Fields that masks name, and frames that they name, once for each field.
    pub(super) masked: (usize, usize),
}

/// A JSON object whose keys have been held against a table.
#[derive(Clone, Copy)]
pub(in crate::json) struct Object<'j> {
    pub(in crate::json) table: &'static Table,
    pub(in crate::json) members: &'j [Member],
    pub(in crate::json) span: Span,
}

impl<'j> Object<'j> {
    pub(super) fn get(&self, name: &str) -> Option<&'j Json> {
        debug_assert!(self.table.allows(name), "{name} is in no table");
        self.members.iter().find(|member| member.key.value == name).map(|member| &member.value)
    }

    /// The range that the table gives a number.
    pub(super) fn range(&self, name: &str) -> (u64, u64) {
        match self.table.key(name).map(|key| key.shape) {
            Some(Shape::Whole(least, most) | Shape::Unlimited(least, most)) => (least, most),
            _ => (0, u64::MAX),
        }
    }
}

impl<'f, 't> Decoder<'f, 't> {
    pub(super) fn new(faults: &'f mut Faults<'t>) -> Self {
        Self { faults, names: Names::default(), filled: 0, masked: (0, 0) }
    }

    /// A reader of one value out of its file: every name counts as bound.
    pub(in crate::json) fn of_value(faults: &'f mut Faults<'t>) -> Self {
        Self { names: Names::with_all_bound(), ..Self::new(faults) }
    }

    pub(super) fn fault(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.faults.add(span, message, help);
    }

    /// A value of the wrong kind.
    pub(super) fn wrong<T>(&mut self, json: &Json, what: &str, wants: &str) -> Option<T> {
        let message = format!("{what} is {wants}; here is {}", json.kind);
        self.fault(json.span, message, "");
        None
    }

    /// An object with the keys of a table: unknown ones and missing ones are faults.
    pub(super) fn object<'j>(
        &mut self,
        json: &'j Json,
        table: &'static Table,
    ) -> Option<Object<'j>> {
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
    pub(super) fn text(&mut self, object: &Object<'_>, name: &str) -> Option<Spanned<String>> {
        let json = object.get(name)?;
        self.plain_text(json, &format!("`{name}`"))
    }

    /// A text.
    pub(super) fn plain_text(&mut self, json: &Json, what: &str) -> Option<Spanned<String>> {
        match &json.kind {
            Kind::Text(text) => Some(Spanned::new(text.clone(), json.span)),
            _ => self.wrong(json, what, "a text"),
        }
    }

    /// The value of a key that is true or false.
    pub(super) fn flag(&mut self, object: &Object<'_>, name: &str) -> Option<Spanned<bool>> {
        let json = object.get(name)?;
        match json.kind {
            Kind::Bool(flag) => Some(Spanned::new(flag, json.span)),
            _ => self.wrong(json, &format!("`{name}`"), "true or false"),
        }
    }

    /// The items of a key that is a list; none where it is left out.
    pub(super) fn list<'j>(&mut self, object: &Object<'j>, name: &str) -> &'j [Json] {
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
    pub(super) fn map<'j>(&mut self, object: &Object<'j>, name: &str) -> &'j [Member] {
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
    pub(super) fn note(&mut self, object: &Object<'_>) -> Option<String> {
        self.text(object, "note").map(|note| note.value)
    }
}

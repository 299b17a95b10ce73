//! What stood in the file where a value is written now, so that it keeps its spelling. A spelling
//! is kept only where the reader reads the value itself from it.

use super::piece::Piece;
use crate::faults::Faults;
use crate::json::keys::Table;
use crate::json::read::{Decoder, Object};
use crate::json::tree::{Json, Kind};
use crate::span::Span;

/// A place of the file; nothing for a value that a program made.
#[derive(Clone, Copy)]
pub(super) struct Was<'a> {
    text: &'a str,
    json: Option<&'a Json>,
}

impl<'a> Was<'a> {
    pub(super) fn of(text: &'a str, json: Option<&'a Json>) -> Self {
        Self { text, json }
    }

    fn with(self, json: Option<&'a Json>) -> Self {
        Self { json, ..self }
    }

    fn items(self) -> &'a [Json] {
        match self.json {
            Some(Json { kind: Kind::List(items), .. }) => items,
            _ => &[],
        }
    }

    /// The member of that name.
    pub(super) fn at(self, name: &str) -> Self {
        let Some(Json { kind: Kind::Object(members), .. }) = self.json else {
            return self.with(None);
        };
        self.with(members.iter().find(|member| member.key.value == name).map(|m| &m.value))
    }

    /// The item of that place.
    pub(super) fn item(self, place: usize) -> Self {
        self.with(self.items().get(place))
    }

    /// The item in which a span lies.
    pub(super) fn around(self, span: Span) -> Self {
        let items = self.items();
        let behind = items.partition_point(|item| item.span.start <= span.start);
        let item = behind.checked_sub(1).and_then(|place| items.get(place));
        self.with(item.filter(|item| span.end <= item.span.end && span.start < span.end))
    }

    pub(super) fn is_there(self) -> bool {
        self.json.is_some()
    }

    pub(super) fn is_list(self) -> bool {
        matches!(self.json, Some(Json { kind: Kind::List(_), .. }))
    }

    pub(super) fn is_text(self, wanted: &str) -> bool {
        matches!(self.json, Some(Json { kind: Kind::Text(text), .. }) if text == wanted)
    }

    /// What stands here, if that is the value.
    pub(super) fn kept<T: PartialEq>(
        self,
        value: &T,
        read: impl FnOnce(&mut Decoder<'_, '_>, &Json) -> Option<T>,
    ) -> Option<Piece> {
        let json = self.json?;
        let mut faults = Faults::new(self.text);
        let found = read(&mut Decoder::of_value(&mut faults), json)?;
        (faults.is_empty() && found == *value).then(|| self.piece(json))
    }

    /// What stands at a key of this object, if that is the value.
    pub(super) fn kept_at<T: PartialEq>(
        self,
        table: &'static Table,
        name: &str,
        value: &T,
        read: impl FnOnce(&mut Decoder<'_, '_>, &Object<'_>) -> Option<T>,
    ) -> Option<Piece> {
        let Some(Json { kind: Kind::Object(members), span }) = self.json else { return None };
        let object = Object { table, members, span: *span };
        self.at(name).kept(value, |decoder, _| read(decoder, &object))
    }

    fn piece(self, json: &Json) -> Piece {
        match &json.kind {
            Kind::Null => Piece::Word("null".to_owned()),
            Kind::Bool(flag) => Piece::flag(*flag),
            Kind::Number => Piece::Word(self.text.get(json.span.range()).unwrap_or("0").to_owned()),
            Kind::Text(text) => Piece::text(text),
            Kind::List(items) => Piece::List(items.iter().map(|item| self.piece(item)).collect()),
            Kind::Object(members) => {
                let member = |member: &crate::json::tree::Member| {
                    (member.key.value.clone(), self.piece(&member.value))
                };
                Piece::Object(members.iter().map(member).collect())
            }
        }
    }
}

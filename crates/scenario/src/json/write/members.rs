//! The members of an object, put in any order and written in that of its table.

use wire::Duration;

use super::piece::Piece;
use super::values;
use super::was::Was;
use crate::json::keys::Table;

/// An object that is being made.
pub(super) struct Members<'a> {
    table: &'static Table,
    pub(super) was: Was<'a>,
    all: Vec<(String, Piece)>,
}

impl<'a> Members<'a> {
    pub(super) fn new(table: &'static Table, was: Was<'a>) -> Self {
        Self { table, was, all: Vec::new() }
    }

    /// A member, where there is a value.
    pub(super) fn put(&mut self, name: &str, value: impl Into<Option<Piece>>) {
        let Some(value) = value.into() else { return };
        debug_assert!(self.table.allows(name), "{name} is in no table");
        self.all.push((name.to_owned(), value));
    }

    pub(super) fn text(&mut self, name: &str, text: Option<&str>) {
        self.put(name, text.map(Piece::text));
    }

    pub(super) fn number(&mut self, name: &str, number: Option<impl Into<u64>>) {
        self.put(name, number.map(Piece::number));
    }

    pub(super) fn duration(&mut self, name: &str, time: Option<Duration>) {
        let (table, was) = (self.table, self.was);
        self.put(name, time.map(|time| values::duration(was, table, name, time)));
    }

    /// The members in the order of the table; those that it does not name in the order given.
    pub(super) fn finish(mut self) -> Vec<(String, Piece)> {
        self.all.sort_by_key(|(name, _)| self.table.rank(name));
        self.all
    }

    pub(super) fn object(self) -> Piece {
        Piece::Object(self.finish())
    }
}

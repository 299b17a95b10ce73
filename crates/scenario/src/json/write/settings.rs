//! The settings of a link, at its beginning and where they change.

use wire::link_settings::SettingValue;
use wire::{LINK_SETTINGS, LinkChange};

use super::members::Members;
use super::piece::Piece;
use super::values;
use super::was::Was;
use crate::json::keys::{SETTINGS, Table};
use crate::model::Noted;

/// What changes at a link.
pub(super) fn settings(change: &Noted<LinkChange>, was: Was<'_>) -> Piece {
    let mut object = Members::new(&SETTINGS, was);
    put_settings(&mut object, &SETTINGS, change);
    object.text("note", change.note.as_deref());
    object.object()
}

/// The settings that are given, by the names of the table.
pub(super) fn put_settings(object: &mut Members<'_>, table: &'static Table, change: &LinkChange) {
    for row in LINK_SETTINGS {
        let was = object.was;
        let value = (row.get)(change).map(|value| match value {
            SettingValue::Time(time) => values::duration(was, table, row.key, time),
            SettingValue::Rate(rate) => values::rate(was, table, row.key, rate),
            SettingValue::Count(count) => values::count(count),
            SettingValue::Chance(chance) => values::chance(was, table, row.key, &chance),
            SettingValue::Flag(flag) => Piece::flag(flag),
        });
        object.put(row.key, value);
    }
}

//! The small values: each as it was written, or as it would be.

use wire::{Address, Chance, Duration, Mac};

use super::piece::Piece;
use super::was::Was;
use crate::expr::{Bindings, Expr};
use crate::json::keys::Table;
use crate::model::{Argument, Scalar};
use crate::quantity;
use crate::span::Spanned;

pub(super) fn duration(was: Was<'_>, table: &'static Table, name: &str, time: Duration) -> Piece {
    let kept = was.kept_at(table, name, &time, |reader, object| {
        reader.duration(object, name).map(|time| time.value)
    });
    kept.unwrap_or_else(|| Piece::text(&quantity::duration_text(time)))
}

pub(super) fn rate(was: Was<'_>, table: &'static Table, name: &str, rate: Option<u64>) -> Piece {
    let kept = was.kept_at(table, name, &rate, |reader, object| {
        reader.rate(object, name).map(|rate| rate.value)
    });
    kept.unwrap_or_else(|| {
        rate.map_or_else(unlimited, |rate| Piece::text(&quantity::rate_text(rate)))
    })
}

pub(super) fn count(count: Option<u32>) -> Piece {
    count.map_or_else(unlimited, Piece::number)
}

fn unlimited() -> Piece {
    Piece::text("unlimited")
}

pub(super) fn chance(was: Was<'_>, table: &'static Table, name: &str, chance: &Chance) -> Piece {
    let kept = was.kept_at(table, name, chance, |reader, object| {
        reader.chance(object, name).map(|chance| chance.value)
    });
    kept.unwrap_or_else(|| match chance {
        Chance::Never | Chance::Every(0) => Piece::number(0u64),
        Chance::Always => Piece::number(1u64),
        Chance::Rate(rate) => Piece::Word(quantity::chance_text(*rate)),
        Chance::Nth(ordinals) => {
            // An ordinal of 0 names no frame.
            let named = ordinals.iter().filter(|ordinal| **ordinal > 0);
            let named = named.map(|ordinal| Piece::number(*ordinal));
            Piece::pair("nth", Piece::List(named.collect()))
        }
        Chance::Every(n) => Piece::pair("every", Piece::number(*n)),
    })
}

pub(super) fn mac(was: Was<'_>, table: &'static Table, mac: Mac) -> Piece {
    let kept =
        was.kept_at(table, "mac", &mac, |reader, object| reader.mac(object).map(|mac| mac.value));
    kept.unwrap_or_else(|| Piece::text(&mac.to_string()))
}

/// One address, or a list of none or several; `was` is what stood at the key.
pub(super) fn addresses(was: Was<'_>, addresses: &[Spanned<Address>]) -> Piece {
    let address = |(place, address): (usize, &Spanned<Address>)| {
        let was = if was.is_list() { was.item(place) } else { was };
        let kept = was
            .kept(&address.value, |reader, json| reader.address(json).map(|address| address.value));
        kept.unwrap_or_else(|| {
            let Address { ip, prefix } = address.value;
            let usual = if ip.is_ipv4() { 24 } else { 64 };
            match prefix == usual {
                true => Piece::text(&ip.to_string()),
                false => Piece::text(&format!("{ip}/{prefix}")),
            }
        })
    };
    Piece::one_or_list(addresses.iter().enumerate().map(address).collect())
}

/// The bytes of a text in hex.
pub(super) fn hex(was: Was<'_>, bytes: &[u8]) -> Piece {
    let kept = was.kept(&bytes.to_vec(), |reader, json| reader.hex(json, "bytes"));
    kept.unwrap_or_else(|| Piece::text(&wire::Value::Bytes(bytes.to_vec()).to_string()))
}

/// A number of a TCP option: computed where it uses a name, which is text.
pub(super) fn expression(was: Was<'_>, expr: &Expr) -> Piece {
    let kept = was.kept(expr, |reader, json| reader.expr_number(json, "a number", u64::MAX));
    kept.unwrap_or_else(|| computed(expr, 64))
}

/// An expression that is made: a number where it uses no name.
pub(super) fn computed(expr: &Expr, width: u16) -> Piece {
    match expr.eval(&Bindings::new(), width) {
        Ok(number) => Piece::number(number),
        Err(_) => Piece::text(&expr.to_string()),
    }
}

/// The value of an argument; `is_computed` where it may be an expression.
pub(super) fn argument(was: Was<'_>, argument: &Argument, is_computed: bool) -> Piece {
    let was = was.at(&argument.name);
    let value = &argument.value.value;
    let kept = was.kept(value, |reader, json| reader.scalar(json, "a value", is_computed));
    kept.unwrap_or_else(|| scalar(value, is_computed))
}

fn scalar(value: &Scalar, is_computed: bool) -> Piece {
    match value {
        Scalar::Bool(flag) => Piece::flag(*flag),
        Scalar::Num(number) => Piece::number(*number),
        // With a `$` it would be an expression.
        Scalar::Text(text) if is_computed && text.contains('$') => {
            Piece::text(&format!("$${text}"))
        }
        Scalar::Text(text) => Piece::text(text),
        Scalar::List(items) => {
            Piece::List(items.iter().map(|item| scalar(item, is_computed)).collect())
        }
        Scalar::Expr(expr) => computed(expr, 64),
    }
}

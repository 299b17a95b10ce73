//! TCP options by name.

use wire::TcpOption;

use super::piece::Piece;
use super::values::{expression, hex};
use super::was::Was;
use crate::expr::Expr;
use crate::model::OptionTemplate;

pub(super) fn tcp_options(options: &[OptionTemplate], was: Was<'_>) -> Piece {
    let options = options.iter().enumerate();
    Piece::List(options.map(|(place, option)| one(option, was.item(place))).collect())
}

fn one(option: &OptionTemplate, was: Was<'_>) -> Piece {
    let named = |name: &str, expr: &Expr| Piece::pair(name, expression(was.at(name), expr));
    match option {
        OptionTemplate::Fixed(option) => fixed(option, was),
        OptionTemplate::Mss(mss) => named("mss", mss),
        OptionTemplate::WindowScale(shift) => named("window-scale", shift),
        OptionTemplate::Timestamps(value, echo) => {
            Piece::pair("timestamps", two(value, echo, was.at("timestamps")))
        }
        OptionTemplate::Sack(blocks) => {
            let was = was.at("sack");
            let blocks = blocks.iter().enumerate();
            let blocks = blocks.map(|(place, (left, right))| two(left, right, was.item(place)));
            Piece::pair("sack", Piece::List(blocks.collect()))
        }
    }
}

fn two(first: &Expr, second: &Expr, was: Was<'_>) -> Piece {
    Piece::List(vec![expression(was.item(0), first), expression(was.item(1), second)])
}

fn fixed(option: &TcpOption, was: Was<'_>) -> Piece {
    let number = |number: u32| Piece::number(number);
    match option {
        TcpOption::Nop => Piece::text("nop"),
        TcpOption::EndOfList => Piece::text("eol"),
        TcpOption::SackPermitted => Piece::text("sack-permitted"),
        TcpOption::Mss(mss) => Piece::pair("mss", number(u32::from(*mss))),
        TcpOption::WindowScale(shift) => Piece::pair("window-scale", number(u32::from(*shift))),
        TcpOption::Sack(blocks) => {
            let block =
                |(left, right): &(u32, u32)| Piece::List(vec![number(*left), number(*right)]);
            Piece::pair("sack", Piece::List(blocks.iter().map(block).collect()))
        }
        TcpOption::Timestamps(value, echo) => {
            Piece::pair("timestamps", Piece::List(vec![number(*value), number(*echo)]))
        }
        TcpOption::UserTimeout { minutes, timeout } => {
            let unit = if *minutes { "minutes" } else { "seconds" };
            Piece::pair("user-timeout", Piece::pair(unit, number(u32::from(*timeout))))
        }
        TcpOption::FastOpen(cookie) => Piece::pair("fast-open", hex(was.at("fast-open"), cookie)),
        TcpOption::Raw(bytes) => Piece::pair("raw", hex(was.at("raw"), bytes)),
        TcpOption::Other { kind, data } => {
            let mut members = vec![("kind".to_owned(), number(u32::from(*kind)))];
            if !data.is_empty() {
                members.push(("data".to_owned(), hex(was.at("data"), data)));
            }
            Piece::Object(members)
        }
    }
}

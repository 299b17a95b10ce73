//! Steps.

use super::members::Members;
use super::piece::Piece;
use super::was::Was;
use super::{packet, settings, values};
use crate::json::keys::{STEPS, TOLERANCE, Table};
use crate::model::{Action, Argument, Bind, Due, PortRef, Step, Tolerance, When};

pub(super) fn step(step: &Step, was: Was<'_>) -> Piece {
    let table = table(&step.action);
    let mut object = Members::new(table, was);
    action(&mut object, &step.action);
    object.put("tolerance", step.tolerance.map(|time| tolerance(was, table, time)));
    object.text("note", step.note.as_deref());
    object.object()
}

fn table(action: &Action) -> &'static Table {
    let mark = match action {
        Action::Send { .. } => "send",
        Action::Do { .. } => "do",
        Action::Expect { .. } => "expect",
        Action::ExpectNothing { .. } => "expect-nothing",
        Action::ExpectEvent { .. } => "expect-event",
        Action::SetLink { .. } => "link",
        Action::Wait(_) => "wait",
    };
    STEPS.into_iter().find(|table| table.mark == mark).unwrap_or(STEPS[0])
}

fn action(object: &mut Members<'_>, action: &Action) {
    let was = object.was;
    match action {
        Action::Send { when: at, from, packet } => {
            when(object, at);
            sender(object, from);
            object.put("send", packet::packet(packet, was.at("send")));
        }
        Action::Do { when: at, node, verb, args } => {
            when(object, at);
            object.text("node", Some(&node.to_string()));
            let command = match args.is_empty() {
                true => Piece::text(verb),
                false => {
                    let was = was.at("do").at(verb);
                    Piece::pair(verb, Piece::Object(arguments(was, args).collect()))
                }
            };
            object.put("do", command);
        }
        Action::Expect { due, from, pattern, bind, skip_others } => {
            match due {
                Due::Within(time) => object.duration("within", Some(*time)),
                Due::After(time) => object.duration("after", Some(*time)),
            }
            object.text("from", Some(&from.to_string()));
            object.put("skip-others", skip_others.then(|| Piece::flag(true)));
            object.put("expect", packet::pattern(pattern, was.at("expect")));
            let named =
                |bind: &Bind| (bind.name.value.clone(), Piece::text(&bind.field.value.to_string()));
            let bind: Vec<_> = bind.iter().map(named).collect();
            object.put("bind", (!bind.is_empty()).then_some(Piece::Object(bind)));
        }
        Action::ExpectNothing { during, from, pattern } => {
            object.duration("for", Some(during.value));
            object.text("from", from.as_ref().map(ToString::to_string).as_deref());
            let was = was.at("expect-nothing");
            object.put("expect-nothing", packet::pattern(pattern, was));
        }
        Action::ExpectEvent { within, from, kind, fields } => {
            object.duration("within", Some(within.value));
            object.text("from", Some(&from.to_string()));
            let kind = ("kind".to_owned(), Piece::text(kind));
            let fields = arguments(was.at("expect-event"), fields);
            object
                .put("expect-event", Piece::Object(std::iter::once(kind).chain(fields).collect()));
        }
        Action::SetLink { when: at, link, index: _, toward, set } => {
            when(object, at);
            object.text("link", Some(link));
            object.text("toward", toward.as_ref().map(ToString::to_string).as_deref());
            object.put("set", settings::settings(set, was.at("set")));
        }
        Action::Wait(time) => object.duration("wait", Some(time.value)),
    }
}

fn when(object: &mut Members<'_>, when: &When) {
    match when {
        When::Now => {}
        When::At(time) => object.duration("at", Some(time.value)),
        When::After(time) => object.duration("after", Some(time.value)),
    }
}

/// `node:port`, or the port in a key of its own where it stood there.
fn sender(object: &mut Members<'_>, from: &PortRef) {
    let apart = from.port.as_ref().filter(|port| object.was.at("port").is_text(port));
    match apart {
        Some(port) => {
            object.text("node", Some(&from.node));
            object.text("port", Some(port));
        }
        None => object.text("node", Some(&from.to_string())),
    }
}

fn arguments<'a>(
    was: Was<'a>,
    arguments: &'a [Argument],
) -> impl Iterator<Item = (String, Piece)> + 'a {
    arguments.iter().map(move |one| (one.name.value.clone(), values::argument(was, one, true)))
}

fn tolerance(was: Was<'_>, table: &'static Table, tolerance: Tolerance) -> Piece {
    let Tolerance { early, late } = tolerance;
    if early == late || table.mark != "expect" {
        return values::duration(was, table, "tolerance", late);
    }
    let mut object = Members::new(&TOLERANCE, was.at("tolerance"));
    let given = |time: wire::Duration| (time != wire::Duration::ZERO).then_some(time);
    object.duration("early", given(early));
    object.duration("late", given(late));
    object.object()
}

//! The layout of a file: what fits in a line stands in it; nodes, steps, several links or masks and
//! what does not fit stand in a line each, names and kinds of nodes in columns. An object that is
//! longer than a line hangs behind its brace, filled line by line, and in it an object or a
//! sentence begins a line. Knows no key but those two.

use super::piece::{Piece, quoted};

/// Columns of a line.
const WIDTH: usize = 100;
/// Members of the file that are never one line.
const ALWAYS_ROWS: [&str; 2] = ["nodes", "steps"];
/// An object does not hang further to the right than this: there it is indented anew.
const MAX_HANG: usize = 60;

/// The file: a line for each member, and rows in those that are too long.
pub(super) fn file(members: &[(String, Piece)]) -> String {
    let mut out = String::from("{\n");
    for (number, (name, value)) in members.iter().enumerate() {
        let comma = if number + 1 == members.len() { "" } else { "," };
        let head = format!("  {}: ", quoted(name));
        let mut flat = String::new();
        write_flat(&mut flat, value);
        let fits = width(&head) + width(&flat) + comma.len() <= WIDTH;
        out.push_str(&head);
        match value {
            Piece::Object(members) if !fits || ALWAYS_ROWS.contains(&name.as_str()) => {
                let rows = members.iter().map(|(name, value)| (Some(name.as_str()), value));
                if !write_columns(&mut out, members) {
                    write_rows(&mut out, ['{', '}'], rows);
                }
            }
            Piece::List(items)
                if !fits || ALWAYS_ROWS.contains(&name.as_str()) || are_objects(items) =>
            {
                write_rows(&mut out, ['[', ']'], items.iter().map(|item| (None, item)));
            }
            _ => out.push_str(&flat),
        }
        out.push_str(comma);
        out.push('\n');
    }
    out.push_str("}\n");
    out
}

fn are_objects(items: &[Piece]) -> bool {
    items.len() > 1 && items.iter().all(|item| matches!(item, Piece::Object(_)))
}

/// An object a line, with their names in a column and, of those that fit in the line, the second
/// members in another; false, and nothing is written, where the values are no objects.
fn write_columns(out: &mut String, members: &[(String, Piece)]) -> bool {
    let mut rows: Vec<[String; 3]> = Vec::new();
    for (name, value) in members {
        let Piece::Object(inner) = value else { return false };
        let Some((first, more)) = inner.split_first() else { return false };
        let mut column = String::from("{ ");
        write_member(&mut column, first);
        column.push_str(if more.is_empty() { "" } else { "," });
        let mut rest = String::new();
        for member in more {
            rest.push_str(if rest.is_empty() { "" } else { ", " });
            write_member(&mut rest, member);
        }
        rows.push([format!("{}:", quoted(name)), column, rest]);
    }
    let most = |part: usize| rows.iter().map(|row| width(&row[part])).max().unwrap_or(0);
    let (names, firsts) = (most(0), most(1));
    for (number, ([name, first, rest], (_, value))) in rows.iter().zip(members).enumerate() {
        let (name_pad, first_pad) = (names - width(name), firsts - width(first));
        let gap = if rest.is_empty() { 0 } else { first_pad + 1 };
        let comma = usize::from(number + 1 < rows.len());
        out.push_str(if number == 0 { "{\n" } else { ",\n" });
        out.push_str(&format!("    {name}{:name_pad$} ", ""));
        let line = format!("{first}{:gap$}{rest} }}", "");
        match 4 + names + 1 + width(&line) + comma <= WIDTH {
            true => out.push_str(&line),
            false => write_at(out, value, 4 + names + 1, comma, 4),
        }
    }
    out.push_str("\n  }");
    true
}

/// A line for each item.
fn write_rows<'a>(
    out: &mut String,
    [open, close]: [char; 2],
    rows: impl ExactSizeIterator<Item = (Option<&'a str>, &'a Piece)>,
) {
    out.push(open);
    let last = rows.len().saturating_sub(1);
    for (number, (name, value)) in rows.enumerate() {
        out.push_str("\n    ");
        let head = name.map_or_else(String::new, |name| format!("{}: ", quoted(name)));
        out.push_str(&head);
        let comma = usize::from(number != last);
        write_at(out, value, 4 + width(&head), comma, 4);
        out.push_str(if comma == 1 { "," } else { "" });
    }
    out.push_str("\n  ");
    out.push(close);
}

/// A value that begins in a column, with so many characters behind it in its last line; `indent`
/// is that of the line.
fn write_at(out: &mut String, value: &Piece, column: usize, behind: usize, indent: usize) {
    let start = out.len();
    write_flat(out, value);
    if column + width(&out[start..]) + behind <= WIDTH {
        return;
    }
    let (brackets, members): (_, Vec<(String, &Piece)>) = match value {
        Piece::Word(_) => return,
        Piece::List(items) => (["[", "]"], items.iter().map(|i| (String::new(), i)).collect()),
        Piece::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (format!("{}: ", quoted(name)), value));
            (["{ ", " }"], members.collect())
        }
    };
    out.truncate(start);
    let (last, before) = match members.split_last() {
        Some((last, before)) if is_sentence(last.1) && !before.is_empty() => (last, before),
        _ => return write_filled(out, brackets, &members, column, behind, indent),
    };
    // All but a sentence at the end may fit in the line.
    let mut flat = brackets[0].to_owned();
    for (head, value) in before {
        flat.push_str(head);
        write_flat(&mut flat, value);
        flat.push_str(", ");
    }
    let flat = flat.trim_end();
    if column + width(flat) > WIDTH {
        return write_filled(out, brackets, &members, column, behind, indent);
    }
    let hang = column + brackets[0].len();
    out.push_str(&format!("{flat}\n{:hang$}{}", "", last.0));
    write_flat(out, last.1);
    out.push_str(brackets[1]);
}

/// Members behind an open bracket, as many in a line as fit.
fn write_filled(
    out: &mut String,
    [open, close]: [&str; 2],
    members: &[(String, &Piece)],
    column: usize,
    behind: usize,
    indent: usize,
) {
    out.push_str(open);
    let mut at = column + open.len();
    let (mut hang, mut behind_lines) = (at, false);
    if column > MAX_HANG && members.len() > 1 {
        hang = indent + 2;
    }
    for (number, (head, value)) in members.iter().enumerate() {
        let last = number + 1 == members.len();
        let after = if last { close.len() + behind } else { 1 };
        let mut flat = head.clone();
        write_flat(&mut flat, value);
        let fits = at + usize::from(number > 0) + width(&flat) + after <= WIDTH;
        let begins = behind_lines || (!head.is_empty() && begins_line(value));
        if number > 0 && fits && !begins {
            out.push(' ');
            at += 1;
        } else if number > 0 || (!fits && hang < at) {
            out.push('\n');
            out.push_str(&" ".repeat(hang));
            at = hang;
        }
        out.push_str(head);
        at += width(head);
        let start = out.len();
        write_at(out, value, at, after, hang);
        at = match out[start..].rfind('\n') {
            Some(newline) => width(&out[start + newline + 1..]),
            None => at + width(&out[start..]),
        };
        behind_lines = !head.is_empty() && out[start..].contains('\n');
        out.push_str(if last { close } else { "," });
        at += 1;
    }
}

/// A text of several words.
fn is_sentence(value: &Piece) -> bool {
    matches!(value, Piece::Word(word) if word.contains(' '))
}

/// A sentence, and an object with more than one value in it, stand for themselves.
fn begins_line(value: &Piece) -> bool {
    match value {
        Piece::Word(_) => is_sentence(value),
        Piece::Object(members) => match members.as_slice() {
            [] => false,
            [(_, only)] => matches!(only, Piece::Object(members) if !members.is_empty()),
            _ => true,
        },
        Piece::List(_) => false,
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn write_member(out: &mut String, (name, value): &(String, Piece)) {
    out.push_str(&quoted(name));
    out.push_str(": ");
    write_flat(out, value);
}

fn write_flat(out: &mut String, value: &Piece) {
    match value {
        Piece::Word(word) => out.push_str(word),
        Piece::List(items) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                out.push_str(if number > 0 { ", " } else { "" });
                write_flat(out, item);
            }
            out.push(']');
        }
        Piece::Object(members) if members.is_empty() => out.push_str("{}"),
        Piece::Object(members) => {
            for (number, member) in members.iter().enumerate() {
                out.push_str(if number > 0 { ", " } else { "{ " });
                write_member(out, member);
            }
            out.push_str(" }");
        }
    }
}

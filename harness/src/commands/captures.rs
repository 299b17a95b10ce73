//! `wireproof show` and `wireproof diff`: captures in words, without any scenario.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use crate::cli::{Diff, Show};
use crate::judge::compare;
use crate::report::{EXIT_FINDING, EXIT_HOLDS, text};
use crate::text::{count, harmless, line};

/// Characters of an interface's name that are shown.
const MOST_NAME: usize = 128;

/// Shows a capture; returns the exit code.
///
/// # Errors
/// When it cannot be read.
pub fn show(words: &Show) -> Result<u8> {
    let bytes = super::read_input(&words.file)?;
    let (file, error) = match wire::pcapng::read(&bytes) {
        Ok(file) => (file, None),
        Err(error) if error.so_far.capture.is_empty() => {
            bail!("{}: {error}", words.file.display())
        }
        // What comes before the place where it breaks off is worth seeing.
        Err(error) => ((*error.so_far).clone(), Some(error)),
    };
    let capture = &file.capture;
    // An interface's name is anybody's text, and stands before each of its frames.
    let names: Vec<String> = capture.interfaces().iter().map(|name| short(&line(name))).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (id, record, frame) in capture.iter() {
        let who = names.get(usize::from(record.port.0)).map_or("?", String::as_str);
        let line = wire::render::line(frame);
        let _ = writeln!(out, "{:>4}  {}  {who:width$}  {line}", id.number(), record.time);
        for comment in file.comments.get(&id).into_iter().flatten() {
            for line in comment.lines() {
                let _ = writeln!(out, "        # {line}");
            }
        }
        if words.verbose {
            indent(&mut out, &wire::render::tree(frame));
        }
        if words.hex {
            indent(&mut out, &wire::render::hexdump(frame));
        }
    }
    for note in &file.notes {
        let _ = writeln!(out, "note: {}", line(note));
    }
    let _ = writeln!(out, "{}", count(capture.len(), "frame"));
    super::print(&harmless(&out))?;
    match error {
        None => Ok(EXIT_HOLDS),
        Some(error) => bail!("{}: {error}", words.file.display()),
    }
}

/// The beginning of a name that is too long to stand in a line.
fn short(name: &str) -> String {
    match name.char_indices().nth(MOST_NAME) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_owned(),
    }
}

fn indent(out: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(out, "        {line}");
    }
}

/// Compares two captures; returns the exit code.
///
/// # Errors
/// When one cannot be read.
pub fn diff(words: &Diff) -> Result<u8> {
    let expected = super::read_capture(&words.expected)?.capture;
    let actual = super::read_capture(&words.actual)?.capture;
    let found = compare::compare(&expected, &actual, &[], words.time);
    if found.differences.is_empty() {
        super::print(&format!("identical: {}\n", count(actual.len(), "frame")))?;
        return Ok(EXIT_HOLDS);
    }
    let name = words.expected.display().to_string();
    let told = text::differences(&found, &line(&name), Some(&expected), &actual);
    let number = count(found.differences.len(), "difference");
    super::print(&format!("{}{number}\n", harmless(&told)))?;
    Ok(EXIT_FINDING)
}

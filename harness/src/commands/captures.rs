//! `wireproof show` and `wireproof diff`: captures in words, without any scenario.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{BufWriter, ErrorKind, Read, Write as _};

use anyhow::{Context, Result, bail};
use wire::pcapng::{Reader, Taken};

use crate::cli::{Diff, Show};
use crate::judge::compare;
use crate::report::{EXIT_FINDING, EXIT_HOLDS, text};
use crate::text::{count, harmless};

/// Shows a capture as it is read; returns the exit code.
///
/// # Errors
/// When it cannot be read to its end.
pub fn show(words: &Show) -> Result<u8> {
    let out = RefCell::new(BufWriter::new(std::io::stdout().lock()));
    let input = Prompt { input: super::open_input(&words.file)?, out: &out };
    let mut reader = Reader::new(input);
    let (mut shown, mut width, mut named) = (0, 0, 0);
    let error = loop {
        let taken = match reader.next_frame() {
            Ok(None) => break None,
            Ok(Some(taken)) => taken,
            // What comes before the place where it breaks off is worth seeing.
            Err(error) => break Some(error),
        };
        let mut text = String::new();
        frame(&mut text, &taken, words);
        let (number, time, port) = (taken.number, taken.time, taken.interface);
        let names = reader.interfaces();
        for interface in &names[named..] {
            width = width.max(interface.name.chars().count());
        }
        named = names.len();
        let who = names.get(usize::from(port.0)).map_or("?", |interface| &interface.name);
        // A name is a part of a line.
        let who: String = who.chars().map(|c| if c == '\n' { '\u{fffd}' } else { c }).collect();
        let text = format!("{number:>4}  {time}  {who:width$}  {text}");
        shown += 1;
        if !written(out.borrow_mut().write_all(harmless(&text).as_bytes()))? {
            return Ok(EXIT_HOLDS);
        }
    };
    if let Some(error) = error.as_ref().filter(|_| shown == 0) {
        bail!("{}: {error}", words.file.display())
    }
    let mut text = String::new();
    for note in &reader.notes() {
        let _ = writeln!(text, "note: {note}");
    }
    let _ = writeln!(text, "{}", count(shown, "frame"));
    let mut out = out.borrow_mut();
    written(out.write_all(harmless(&text).as_bytes()).and_then(|()| out.flush()))?;
    match error {
        None => Ok(EXIT_HOLDS),
        Some(error) => bail!("{}: {error}", words.file.display()),
    }
}

/// A frame in words, from behind the name of its interface on.
fn frame(out: &mut String, taken: &Taken<'_>, words: &Show) {
    let _ = writeln!(out, "{}", wire::render::line(taken.frame));
    for comment in &taken.comments {
        for line in comment.lines() {
            let _ = writeln!(out, "        # {line}");
        }
    }
    if words.verbose {
        indent(out, &wire::render::tree(taken.frame));
    }
    if words.hex {
        indent(out, &wire::render::hexdump(taken.frame.bytes));
    }
}

/// Whether anyone still reads. One who went away has seen enough; that is no failure.
fn written(done: std::io::Result<()>) -> Result<bool> {
    match done {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        done => done.context("cannot write").map(|()| true),
    }
}

/// An input before each of whose reads all that was written so far is handed over: whoever watches
/// a live capture sees each frame when it comes, and a large file costs no write a frame.
struct Prompt<'a, R, W: std::io::Write> {
    input: R,
    out: &'a RefCell<BufWriter<W>>,
}

impl<R: Read, W: std::io::Write> Read for Prompt<'_, R, W> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        // A reader that went away is seen at the next write.
        let _ = self.out.borrow_mut().flush();
        self.input.read(bytes)
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
        anstream::println!("identical: {}", count(actual.len(), "frame"));
        return Ok(EXIT_HOLDS);
    }
    let name = words.expected.display().to_string();
    let told = text::differences(&found, &name, Some(&expected), &actual);
    anstream::print!("{}", harmless(&told));
    anstream::println!("{}", count(found.differences.len(), "difference"));
    Ok(EXIT_FINDING)
}

//! `wireproof show` and `wireproof diff`: captures in words, without any scenario.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{BufWriter, ErrorKind, Read, Write as _};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use wire::pcapng::{Reader, Taken};

use crate::cli::{Diff, Pair, Show};
use crate::judge::beside::{Beside, Held, Pairing, Unlike};
use crate::judge::ignored::Ignored;
use crate::report::{EXIT_FINDING, EXIT_HOLDS, text};
use crate::streams;
use crate::text::{count, harmless, line};

/// Characters of an interface's name that are shown.
const MOST_NAME: usize = 128;

/// Shows a capture as it is read; returns the exit code.
///
/// # Errors
/// When it cannot be read to its end.
pub fn show(words: &Show) -> Result<u8> {
    let out = RefCell::new(BufWriter::new(std::io::stdout().lock()));
    let input = Prompt { input: streams::open_input(&words.file)?, out: &out };
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
            width = width.max(one_line(&interface.name).chars().count());
        }
        named = names.len();
        let who = names.get(usize::from(port.0)).map_or("?", |interface| &interface.name);
        let who = one_line(who);
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
        let _ = writeln!(text, "note: {}", line(note));
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

/// A name of an interface, which is anybody's text and a part of a line.
fn one_line(name: &str) -> String {
    let name = line(name);
    match name.char_indices().nth(MOST_NAME) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name,
    }
}

fn indent(out: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(out, "        {line}");
    }
}

/// Compares two captures as they are read; returns the exit code.
///
/// # Errors
/// When one cannot be read to its end.
pub fn diff(words: &Diff) -> Result<u8> {
    let ignored = Ignored::parse(&words.ignore)?;
    let pairing = match words.pair {
        Pair::Place => Pairing::Place,
        Pair::Flow => Pairing::Flow,
    };
    let mut expected = Side::open(&words.expected, ignored.clone())?;
    let mut actual = Side::open(&words.actual, ignored.clone())?;
    let name = expected.name.clone();
    let (mut differences, mut message) = (0, String::new());
    let mut beside = Beside::new(ignored, words.time, pairing, |unlike| {
        differences += 1;
        if differences <= text::MOST_DIFFERENCES {
            message += &self::unlike(&unlike, &name);
        }
    });
    // One of each in turn, so that none waits longer than it must.
    loop {
        let (ours, theirs) = (expected.next()?, actual.next()?);
        if ours.is_none() && theirs.is_none() {
            break;
        }
        ours.map_or(Ok(()), |held| beside.expected(held))?;
        theirs.map_or(Ok(()), |held| beside.actual(held))?;
    }
    beside.finish();
    let partial = beside.partial;
    drop(beside);
    if let more @ 1.. = differences.saturating_sub(text::MOST_DIFFERENCES) {
        let _ = writeln!(message, "  … and {} more", count(more, "difference"));
    }
    for side in [&expected, &actual] {
        for note in side.reader.notes() {
            let _ = writeln!(message, "note: {}: {}", side.name, line(&note));
        }
    }
    if !words.ignore.is_empty() {
        let _ = writeln!(message, "not compared: {}", words.ignore.join(", "));
    }
    if words.pair == Pair::Flow {
        message += "paired by flow; not compared: the order of flows, interface\n";
    }
    let frames = count(actual.frames, "frame");
    let partial = match partial {
        0 => String::new(),
        1 => ", 1 pair compared by its first bytes only".into(),
        many => format!(", {many} pairs compared by their first bytes only"),
    };
    let (last, code) = match (differences, partial.is_empty()) {
        (0, true) => (format!("identical: {frames}"), EXIT_HOLDS),
        (0, false) => (format!("identical as far as captured: {frames}{partial}"), EXIT_HOLDS),
        _ => (format!("{}{partial}", count(differences, "difference")), EXIT_FINDING),
    };
    streams::print(&format!("{}{last}\n", harmless(&message)))?;
    Ok(code)
}

/// One of the two captures that are compared.
struct Side {
    name: String,
    reader: Reader<Box<dyn Read>>,
    ignored: Ignored,
    frames: usize,
}

impl Side {
    fn open(path: &Path, ignored: Ignored) -> Result<Self> {
        let reader = Reader::new(streams::open_input(path)?);
        Ok(Self { name: crate::text::path(path), reader, ignored, frames: 0 })
    }

    fn next(&mut self) -> Result<Option<Held>> {
        let taken = self.reader.next_frame().map_err(|error| anyhow!("{}: {error}", self.name))?;
        let Some(Taken { number, time, interface, frame, .. }) = taken else { return Ok(None) };
        let mut held = Held::new(number, time, String::new(), frame, &self.ignored);
        let known = self.reader.interfaces().get(usize::from(interface.0));
        held.interface = known.map_or_else(|| "?".into(), |known| known.name.clone());
        self.frames += 1;
        Ok(Some(held))
    }
}

/// A difference in words.
fn unlike(unlike: &Unlike, name: &str) -> String {
    let of = |held: &Held| {
        format!("{}  {}", one_line(&held.interface), wire::render::line(held.frame()))
    };
    match unlike {
        Unlike::Missing(held) => {
            format!("  frame {} of {name} is missing: {}\n", held.number, of(held))
        }
        Unlike::Extra(held) => {
            format!("  frame {} is not in {name}: {}\n", held.number, of(held))
        }
        Unlike::Interface(expected, actual) => format!(
            "  frame {} has another emitter:\n    expected {}\n    got      {}\n",
            actual.number,
            of(expected),
            of(actual)
        ),
        Unlike::Bytes(expected, actual, fields) => {
            let beside = match expected.number == actual.number {
                true => String::new(),
                false => format!(" from frame {}", expected.number),
            };
            let mut text = format!("  frame {} differs{beside}: {}\n", actual.number, of(actual));
            for field in fields {
                let _ = writeln!(text, "    {field}");
            }
            text
        }
        Unlike::Time(expected, actual) => format!(
            "  frame {} has another time: expected {}, got {}\n",
            actual.number, expected.time, actual.time
        ),
    }
}

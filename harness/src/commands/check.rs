//! `wireproof check`: every check over captures from elsewhere.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wire::Frame;
use wire::pcapng::{Reader, Writer};

use crate::check::{self, Checked, HostSpec};
use crate::cli::{Check, Format};
use crate::report::observed::{self, Sums};
use crate::streams;
use crate::text::harmless;

/// Judges captures, each alone; returns the exit code.
///
/// # Errors
/// When the words mean nothing, or a copy cannot be written.
pub fn check(words: &Check) -> Result<u8> {
    let hosts = HostSpec::parse_all(&words.host)?;
    let targets = targets(words)?;
    let (mut all, mut refused) = (Vec::new(), Vec::new());
    for (path, target) in words.files.iter().zip(&targets) {
        match check::check(path, &hosts, words.whole) {
            Ok(checked) => {
                if let Some(target) = target {
                    copy(path, target, &checked)?;
                }
                if words.format == Format::Text {
                    print(words, &observed::describe(&checked, words.verbose))?;
                }
                all.push(checked);
            }
            Err(error) if words.files.len() == 1 && words.format == Format::Text => {
                return Err(error);
            }
            Err(error) => {
                if words.format == Format::Text {
                    anstream::eprintln!("error: {}", harmless(&format!("{error:#}")));
                }
                refused.push(format!("{error:#}"));
            }
        }
    }
    let sums = Sums::of(&all, refused.len());
    match words.format {
        Format::Text if words.files.len() > 1 => print(words, &observed::totals(sums))?,
        Format::Text => {}
        Format::Json => print(words, &observed::json(&all, &refused)?)?,
        Format::Junit => print(words, &observed::junit(&all, &refused)?)?,
    }
    Ok(sums.exit_code())
}

/// The report goes where it is still read when a copy goes to standard output.
fn print(words: &Check, text: &str) -> Result<()> {
    let text = harmless_but_colour(text);
    if words.write.as_deref() == Some(Path::new("-")) {
        streams::say(anstream::stderr().lock(), text.as_bytes())
    } else {
        streams::say(anstream::stdout().lock(), text.as_bytes())
    }
}

/// Names and comments come from strangers; the escape codes are the report's own.
fn harmless_but_colour(text: &str) -> String {
    text.split('\u{1b}').map(harmless).collect::<Vec<_>>().join("\u{1b}")
}

/// Where the copy of each file goes.
fn targets(words: &Check) -> Result<Vec<Option<PathBuf>>> {
    let Some(given) = &words.write else { return Ok(vec![None; words.files.len()]) };
    if let Some(pipe) = words.files.iter().find(|file| *file == Path::new("-")) {
        bail!("-w: the copy is made from the file, and {} can be read once only", pipe.display());
    }
    if given.is_dir() {
        let mut taken = BTreeMap::new();
        let below = |file: &PathBuf| {
            let name = file.file_name().context("a file to read has a name")?;
            let target = given.join(name).with_extension("pcapng");
            if let Some(other) = taken.insert(target.clone(), file.clone()) {
                bail!(
                    "-w {}: {} and {} would be one file there",
                    given.display(),
                    other.display(),
                    file.display()
                );
            }
            Ok(Some(target))
        };
        return words.files.iter().map(below).collect();
    }
    if words.files.len() > 1 {
        bail!(
            "-w {}: {} files are named; name one, or a folder that is there to write one copy each",
            given.display(),
            words.files.len()
        );
    }
    streams::writable(given)?;
    Ok(vec![Some(given.clone())])
}

/// Writes the capture again, frame by frame, with a comment for each finding beside those that it
/// has. Where the file breaks off, so does the copy; the report says so.
fn copy(path: &Path, target: &Path, checked: &Checked) -> Result<()> {
    let cannot = || format!("cannot write {}", target.display());
    let mut said: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for finding in &checked.observed.findings {
        if let (Some(id), text) = check::comment(finding) {
            said.entry(u64::from(id.number())).or_default().push(text);
        }
    }
    let mut reader = Reader::new(streams::open_input(path)?);
    let mut out = Writer::new(output(path, target)?).with_context(cannot)?;
    let mut described = 0;
    while let Ok(Some(mut taken)) = reader.next_frame() {
        let interface = taken.interface;
        let mut comments = std::mem::take(&mut taken.comments);
        comments.extend(said.remove(&taken.number).unwrap_or_default());
        // The frame is lent by the reader, whose interfaces are looked at first.
        let (time, frame) = (taken.time, taken.frame);
        let held = Held { bytes: frame.bytes.to_vec(), frame: Frame { bytes: &[], ..frame } };
        for known in reader.interfaces().iter().skip(described) {
            out.interface(known).with_context(cannot)?;
            described += 1;
        }
        let frame = Frame { bytes: &held.bytes, ..held.frame };
        out.frame(time, interface, frame, &comments).with_context(cannot)?;
    }
    for known in reader.interfaces().iter().skip(described) {
        out.interface(known).with_context(cannot)?;
    }
    out.finish().with_context(cannot)
}

/// A frame that outlives the step of its reader.
struct Held {
    bytes: Vec<u8>,
    frame: Frame<'static>,
}

/// Where a copy goes, which is never the capture itself.
fn output(path: &Path, target: &Path) -> Result<Box<dyn Write>> {
    if target == Path::new("-") {
        return Ok(Box::new(BufWriter::new(std::io::stdout().lock())));
    }
    let same = std::fs::canonicalize(path).ok().zip(std::fs::canonicalize(target).ok());
    if same.is_some_and(|(path, target)| path == target) {
        bail!("-w {}: the copy would be written over the capture itself", target.display());
    }
    let file =
        File::create(target).with_context(|| format!("cannot write {}", target.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}

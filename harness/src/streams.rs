//! What a command reads and writes: files that a user names, and the standard streams. Knows
//! bytes and captures; no scenario, and no file of a repository's.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use wire::pcapng::{Comments, File};
use wire::{Capture, LinkType};

use crate::files::{Real, Within};

/// The bytes of a file or, for `-`, of standard input.
pub(crate) fn read_input(path: &Path) -> Result<Vec<u8>> {
    if path != Path::new("-") {
        return std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
    Ok(bytes)
}

/// A file or, for `-`, standard input, to be read bit by bit.
pub(crate) fn open_input(path: &Path) -> Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let named = || format!("cannot read {}", path.display());
    let file = std::fs::File::open(path).with_context(named)?;
    if file.metadata().with_context(named)?.is_dir() {
        bail!("{}: it is a folder", named());
    }
    Ok(Box::new(file))
}

/// Reads a capture of Ethernet from a file or, for `-`, from standard input.
pub(crate) fn read_capture(path: &Path) -> Result<File> {
    let bytes = read_input(path)?;
    let file = wire::pcapng::read(&bytes)
        .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    let other = file
        .capture
        .iter()
        .position(|(_, record, _)| file.capture.link(record.port) != LinkType::Ethernet);
    if let Some(index) = other {
        let (number, capture) = (file.numbers[index], &file.capture);
        let link = capture.iter().nth(index).map(|(_, record, _)| capture.link(record.port));
        bail!(
            "{}: frame {number} is of link type {}, where a node takes Ethernet; capture on one \
             Ethernet interface",
            path.display(),
            link.unwrap_or_default()
        );
    }
    Ok(file)
}

/// The folder of a file to write is there: one that a slip of the pen named is not made.
pub(crate) fn writable(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            bail!("cannot write {}: {} is no folder", path.display(), folder.display())
        }
        _ if path.is_dir() => bail!("cannot write {}: it is a folder", path.display()),
        _ => Ok(()),
    }
}

/// Writes a capture to a file or, for `-`, to standard output, without holding its encoding.
pub(crate) fn write_capture(path: &Path, capture: &Capture, comments: &Comments) -> Result<()> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        wire::pcapng::write(capture, comments, &mut bytes).context(ENCODE)?;
        return say(std::io::stdout().lock(), &bytes).context("standard output");
    }
    crate::files::write_given(&Real, path, |file| {
        wire::pcapng::write(capture, comments, file).context(ENCODE)
    })
}

/// Writes a capture to a file below a folder, and nowhere else.
pub(crate) fn write_below(
    folder: &Path,
    path: &Path,
    capture: &Capture,
    comments: &Comments,
) -> Result<()> {
    crate::files::write_own(&Real, path, Within(folder), |file| {
        wire::pcapng::write(capture, comments, file).context(ENCODE)
    })
}

const ENCODE: &str = "cannot encode the capture";

/// Writes to a stream. A reader that went away has seen enough; that is no failure.
pub(crate) fn say(mut stream: impl Write, bytes: &[u8]) -> Result<()> {
    match stream.write_all(bytes).and_then(|()| stream.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.context("cannot write"),
    }
}

/// Prints to standard output. Every command prints by this, so that a full disk behind it is an
/// error with words, and no panic.
pub(crate) fn print(text: &str) -> Result<()> {
    say(anstream::stdout().lock(), text.as_bytes()).context("standard output")
}

/// Prints a line to standard error. Where that cannot be written, nobody is left to be told.
pub fn warn(line: &str) {
    let _ = say(anstream::stderr().lock(), format!("{line}\n").as_bytes());
}

//! What a guest's kernel writes to its console, and which of its lines mean that something is
//! wrong with it. Knows no machine.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Error, Tried};

/// What a line reports of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Warning,
    Panic,
    Oops,
}

/// Beginnings of lines, behind the time. A fault that ends in a panic is reported as the fault.
const SIGNS: &[(&str, Kind)] = &[
    ("BUG:", Kind::Oops),
    ("Oops:", Kind::Oops),
    ("kernel BUG at", Kind::Oops),
    ("general protection fault", Kind::Oops),
    ("divide error:", Kind::Oops),
    ("invalid opcode:", Kind::Oops),
    ("stack segment:", Kind::Oops),
    ("int3:", Kind::Oops),
    ("traps: PANIC", Kind::Oops),
    ("Kernel panic - not syncing", Kind::Panic),
    ("WARNING:", Kind::Warning),
    ("INFO: rcu", Kind::Warning),
    ("rcu: INFO:", Kind::Warning),
    ("INFO: task", Kind::Warning),
    ("INFO: possible", Kind::Warning),
    ("UBSAN:", Kind::Warning),
    ("watchdog:", Kind::Warning),
    ("refcount_t:", Kind::Warning),
    ("unregister_netdevice:", Kind::Warning),
    ("kmemleak:", Kind::Warning),
    ("Out of memory:", Kind::Warning),
];

/// The console's file, and how far it was read.
#[derive(Debug)]
pub(crate) struct Console {
    path: PathBuf,
    read: u64,
    /// The beginning of a line whose end is not there yet.
    begun: String,
}

impl Console {
    /// Makes the file, empty; and the file, for QEMU to write into.
    pub(crate) fn new(path: &Path) -> Result<(Self, File), Error> {
        let file = File::create(path);
        let file = file.tried(format!("make the console's file {}", path.display()))?;
        Ok((Self { path: path.to_owned(), read: 0, begun: String::new() }, file))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The worst line of the kernel since the last call, or nothing.
    pub(crate) fn news(&mut self) -> Result<(), Error> {
        self.more().tried(format!("read the console's file {}", self.path.display()))?;
        let (whole, begun) = match self.begun.rsplit_once('\n') {
            Some((whole, begun)) => (whole, begun.to_owned()),
            None => return Ok(()),
        };
        let found = worst(whole).map(|(kind, line)| (kind, line.to_owned()));
        self.begun = begun;
        let Some((kind, line)) = found else { return Ok(()) };
        let shown = self.path.display();
        Err(match kind {
            Kind::Warning => {
                Error::Warning(format!("the guest's kernel warns: {line} (console: {shown})"))
            }
            Kind::Panic => {
                Error::Panic(format!("the guest's kernel panicked: {line} (console: {shown})"))
            }
            Kind::Oops => {
                Error::Oops(format!("a fault in the guest's kernel: {line} (console: {shown})"))
            }
        })
    }

    fn more(&mut self) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        self.read += file.read_to_end(&mut bytes)? as u64;
        self.begun += &String::from_utf8_lossy(&bytes);
        Ok(())
    }

    /// The last line of the guest's first process, or else the last line that is not empty.
    pub(crate) fn last(&self) -> String {
        let bytes = std::fs::read(&self.path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines().rev().filter(|line| !line.trim().is_empty());
        let ours = lines.clone().find(|line| message(line).starts_with("wireproof: "));
        ours.or_else(|| lines.next()).map_or("nothing", str::trim).to_owned()
    }
}

/// The first line of the worst kind.
fn worst(text: &str) -> Option<(Kind, &str)> {
    let mut worst: Option<(Kind, &str)> = None;
    for line in text.lines() {
        let text = message(line);
        let sign = SIGNS.iter().find(|(start, _)| text.starts_with(start));
        if let Some((_, kind)) = sign.filter(|(_, kind)| worst.is_none_or(|(was, _)| *kind > was)) {
            worst = Some((*kind, text));
        }
    }
    worst
}

/// A line without the time before it: `[    1.234567] `.
fn message(line: &str) -> &str {
    let line = line.trim();
    match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((time, text)) if time.trim().parse::<f64>().is_ok() => text.trim(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_worst_line_is_told_once_and_only_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("console");
        let (mut console, _) = Console::new(&path).unwrap();
        let mut file = File::options().append(true).open(&path).unwrap();
        let mut write = |text: &str| file.write_all(text.as_bytes()).unwrap();
        console.news().unwrap();
        write("[    0.100000] Linux version 6.1: no BUG: here\r\n[    1.2] WARNING: CPU: 0 PID: 1");
        console.news().unwrap();
        write(" at net/core/dev.c:1\r\n[    1.3] more\r\n");
        let error = console.news().unwrap_err();
        let Error::Warning(text) = error else { panic!("{error}") };
        assert!(text.contains("WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 (console: "), "{text}");
        console.news().unwrap();
        write(
            "[   2.0] WARNING: x\n[   2.1] BUG: kernel NULL pointer dereference\n[   2.2] \
             Kernel panic - not syncing: Fatal exception\n",
        );
        assert!(matches!(console.news(), Err(Error::Oops(text)) if text.contains("NULL")));
        write("Kernel panic - not syncing: sysrq triggered crash\n");
        assert!(matches!(console.news(), Err(Error::Panic(_))));
        assert_eq!(console.last(), "Kernel panic - not syncing: sysrq triggered crash");
    }
}

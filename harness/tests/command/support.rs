//! A folder to run the command in, and what the command said there.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
pub(crate) use testing::project;
use wireproof::catalog::files_below;

/// The first scenario that `init` makes.
pub(crate) const FIRST: &str = "first/fin-meets-closed-port";

/// What one run of the command came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Told {
    pub(crate) fn out(&self) -> &str {
        std::str::from_utf8(&self.out).expect("text on standard output")
    }

    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.shown());
        self
    }

    /// Both streams, each line under the name of its stream.
    pub(crate) fn shown(&self) -> String {
        let mut shown = format!("exit {}\n", self.code.map_or("?".into(), |code| code.to_string()));
        let out = String::from_utf8_lossy(&self.out);
        for (stream, text) in [("out", out.as_ref()), ("err", &self.err)] {
            for line in text.lines() {
                let line = format!("{stream} | {line}");
                shown += line.trim_end();
                shown.push('\n');
            }
        }
        shown
    }
}

/// A folder that goes when the test ends.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::Builder::new().prefix("wireproof-").tempdir().expect("a folder") }
    }

    /// With the first scenario and its golden.
    pub(crate) fn made() -> Self {
        let place = Self::empty();
        place.run(&["init"]).ends_with(0);
        place
    }

    /// With the first scenario changed and its golden as it was.
    pub(crate) fn changed(from: &str, to: &str) -> Self {
        let place = Self::made();
        place.change(from, to);
        place
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().expect("a file below the folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    pub(crate) fn read(&self, below: &str) -> Vec<u8> {
        fs::read(self.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    pub(crate) fn text(&self, below: &str) -> String {
        String::from_utf8(self.read(below)).expect("a text")
    }

    /// Changes the first scenario.
    #[track_caller]
    pub(crate) fn change(&self, from: &str, to: &str) {
        let file = format!("scenarios/{FIRST}.json");
        let text = self.text(&file);
        assert!(text.contains(from), "`{from}` is not in\n{text}");
        self.write(&file, text.replacen(from, to, 1));
    }

    /// Every file with its bytes: what a command that refuses must not change.
    pub(crate) fn all(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn gather(folder: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    gather(&path, all);
                } else {
                    // A hole of a hundred megabytes need not be held.
                    let large = fs::metadata(&path).expect("a file").len() > 1 << 20;
                    let bytes = if large { Vec::new() } else { fs::read(&path).expect("a file") };
                    all.insert(path, bytes);
                }
            }
        }
        let mut all = BTreeMap::new();
        gather(self.dir.path(), &mut all);
        all
    }

    /// The command with these words, as a user in a terminal of a hundred columns would run it.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(words).current_dir(self.dir.path()).env("COLUMNS", "100");
        for name in ["CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Told {
        told(&mut self.command(words), b"")
    }

    pub(crate) fn run_in(&self, below: &str, words: &[&str]) -> Told {
        told(self.command(words).current_dir(self.path(below)), b"")
    }

    pub(crate) fn feed(&self, words: &[&str], input: &[u8]) -> Told {
        told(&mut self.command(words), input)
    }

    /// What was said, without the name of this folder.
    pub(crate) fn plain(&self, told: &Told) -> String {
        let dir = self.dir.path().to_str().expect("a plain path");
        told.shown().replace(dir, "DIR")
    }
}

/// The command, built beside this test, also when both come out of an archive.
pub(crate) fn binary() -> PathBuf {
    let built = env!("CARGO_BIN_EXE_wireproof");
    std::env::var_os("CARGO_BIN_EXE_wireproof").map_or_else(|| built.into(), PathBuf::from)
}

/// Runs a command to its end. A panic of the command itself is never an answer.
pub(crate) fn told(command: &mut Command, input: &[u8]) -> Told {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A command that streams writes while it reads: both pipes are served at once.
    let done = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A command that reads nothing closes the pipe; that is its right.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("the command ends")
    });
    let err = String::from_utf8(done.stderr).expect("text on standard error");
    let told = Told { code: done.status.code(), out: done.stdout, err };
    assert!(!told.err.contains("panicked at"), "{}", told.shown());
    told
}

/// Files below a folder, by their path in it.
pub(crate) fn below(folder: &Path, extension: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let inside = |path: &Path| path.strip_prefix(folder).expect("below").to_owned();
    let files = files_below(folder, extension).expect("a folder to read");
    files.iter().map(|path| (inside(path), fs::read(path).expect("a file"))).collect()
}

/// Holds a page of words against its snapshot.
#[track_caller]
pub(crate) fn page(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name.replace(' ', "-"), text));
}

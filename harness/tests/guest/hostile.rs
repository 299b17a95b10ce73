//! A repository that wants its commands run: files that kbuild, make and gcc would obey lie
//! wherever a build could meet them, and each writes a canary.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use guest::{Headers, Image};
use libtest_mimic::Failed;
use testing::{Stop, found, told};

use crate::has_built;

const SCENARIO: &str = r#"{
  "title": "A module sends", "cites": ["wireproof"],
  "nodes": { "a": { "kind": "guest", "module": "skb_sender" }, "b": { "kind": "sink" } },
  "links": [{ "ends": ["a", "b"] }],
  "steps": [{ "node": "a", "send": { "tcp": {} } }]
}"#;

/// The repository, and a cache that is outside of it.
struct Hostile {
    repository: tempfile::TempDir,
    caches: tempfile::TempDir,
}

impl Hostile {
    fn new(release: &str) -> Result<Self, Failed> {
        let (repository, caches) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let hostile = Self { repository, caches };
        hostile.write("scenarios/hostile.json", SCENARIO)?;
        hostile.write("golden-pcaps/.gitkeep", "")?;
        // Places at which modules were, are or could be built.
        let targets = ["target", "scenarios/target", ".cache"];
        let built = targets.map(|folder| format!("{folder}/guest-modules/{release}/build"));
        let cache = ["wireproof/modules", ".cache/wireproof/modules"].map(str::to_owned);
        for folder in built.into_iter().chain(cache).chain([".".to_owned(), "scenarios".to_owned()])
        {
            for name in ["Makefile", "Kbuild", "GNUmakefile", ".config", "modules.order"] {
                hostile.write(&format!("{folder}/{name}"), &hostile.make_line())?;
            }
            for module in ["skb_sender", "md5_receiver", "rst_reply", "lockstep", "oops"] {
                for suffix in ["o", "mod", "mod.o", "mod.c", "ko"] {
                    hostile.write(&format!("{folder}/{module}.{suffix}"), "")?;
                    let command = format!("{folder}/.{module}.{suffix}.cmd");
                    hostile.write(&command, &hostile.make_line())?;
                }
            }
            hostile.write(&format!("{folder}/.Module.symvers.cmd"), &hostile.make_line())?;
        }
        for program in ["make", "gcc", "ld", "sh", "setpriv", "busybox", "ldd", "as"] {
            for folder in ["", "bin/"] {
                let script = format!("#!/bin/sh\ntouch {}\n", hostile.canary().display());
                hostile.write(&format!("{folder}{program}"), &script)?;
            }
        }
        Ok(hostile)
    }

    fn path(&self) -> &Path {
        self.repository.path()
    }

    fn canary(&self) -> PathBuf {
        self.caches.path().with_extension("canary")
    }

    /// What a makefile does as soon as it is read.
    fn make_line(&self) -> String {
        format!("$(shell touch {})\n", self.canary().display())
    }

    fn write(&self, below: &str, text: &str) -> Result<(), Failed> {
        let path = self.path().join(below);
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(&path, text)?;
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wireproof"));
        command.args(words).current_dir(self.path());
        command.env("XDG_CACHE_HOME", self.caches.path()).env_remove("CI");
        command
    }

    /// The canary was not written, which the output may explain.
    fn holds(&self, output: &Output) -> String {
        let told = told(output);
        let was_written = self.canary().exists();
        let _ = fs::remove_file(self.canary());
        assert!(!was_written, "a command of the repository was run: {told}");
        told
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => drop(found.insert(path)),
        }
    }
    found
}

/// A run builds nothing and says which command does.
pub(crate) fn run() -> Result<(), Stop> {
    let hostile = Hostile::new(&Image::find()?.release)?;
    let before = files(hostile.path());
    let clock = "a=guest,clock=lockstep";
    for words in [
        &["run", "hostile"][..],
        &["run", "scenarios/hostile.json", "--no-golden"],
        &["run", "hostile", "--swap", clock],
        &["bless", "hostile"],
        &["list"],
        &["doctor"],
        &["modules", "list"],
    ] {
        let output = hostile.command(words).output()?;
        let told = hostile.holds(&output);
        if ["run", "bless"].contains(&words[0]) {
            assert_eq!(output.status.code(), Some(2), "{words:?}: {told}");
            assert!(told.contains("wireproof modules build"), "{words:?}: {told}");
        }
        assert_eq!(files(hostile.path()), before, "{words:?}: files of the repository");
        assert_eq!(files(hostile.caches.path()).len(), 0, "{words:?}: files of the cache");
    }
    // Where the repository is to be the user's own folder, its files are no modules either.
    for (cache, home) in [("", "."), ("", ".cache"), (".cache", "/"), ("target", "/")] {
        for (cache, home) in [
            (cache.to_owned(), home.to_owned()),
            (
                hostile.path().join(cache).display().to_string(),
                hostile.path().join(home).display().to_string(),
            ),
        ] {
            let mut command = hostile.command(&["modules", "build"]);
            let output = command.env("XDG_CACHE_HOME", &cache).env("HOME", &home).output()?;
            let told = hostile.holds(&output);
            assert_eq!(output.status.code(), Some(2), "{cache} {home}: {told}");
            assert!(told.contains("no safe folder"), "{cache} {home}: {told}");
        }
    }
    assert_eq!(files(hostile.path()), before);
    Ok(())
}

/// A build that is asked for takes no word of the surroundings, and what it built is found.
pub(crate) fn build() -> Result<(), Stop> {
    let headers = found(Headers::of(&Image::find()?.release))?;
    let hostile = Hostile::new(&headers.release)?;
    let (here, line) = (hostile.path(), hostile.make_line());
    let before = files(here);
    let path = format!("{0}/bin:.:{0}::{1}", here.display(), std::env::var("PATH")?);
    let mut command = hostile.command(&["modules", "build"]);
    command.env("PATH", &path).env("MAKEFLAGS", format!("--eval={}", line.trim()));
    command.env("GNUMAKEFLAGS", format!("--eval={}", line.trim()));
    command.env("MAKEFILES", here.join("Makefile")).env("KBUILD_EXTMOD", here).env("M", here);
    command.env("CC", here.join("gcc")).env("KCFLAGS", "-no-such-option").env("TMPDIR", here);
    let output = command.env("KBUILD_OUTPUT", here).output()?;
    let told = hostile.holds(&output);
    has_built(&output)?;
    assert!(told.starts_with("built "), "{told}");
    assert_eq!(files(here), before, "files of the repository");
    let again = hostile.holds(&hostile.command(&["modules", "build"]).output()?);
    assert!(again.starts_with("same "), "{again}");
    let listed = hostile.holds(&hostile.command(&["modules", "list"]).output()?);
    for word in
        [&headers.release, "skb_sender", "gcc", &hostile.caches.path().display().to_string()]
    {
        assert!(listed.contains(word), "{word}: {listed}");
    }
    // The same scenario runs now, by the modules of the user's own.
    let output = hostile.command(&["run", "hostile", "--no-golden"]).output()?;
    let told = hostile.holds(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("a: guest module skb_sender"), "{told}");
    Ok(())
}

//! The project's kernel modules, and how kbuild makes them against the headers of a kernel. The
//! sources are part of this library, so that whoever has it can build them for the kernel at hand.
//! Knows kbuild's command line; nothing of what the modules do, and not where they are kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Tried};
use crate::image::{Image, by_version};
use crate::tools;

/// The modules by name, each with its source.
pub const MODULES: [(&str, &str); 5] = [
    ("skb_sender", include_str!("../modules/skb_sender/skb_sender.c")),
    ("md5_receiver", include_str!("../modules/md5_receiver/md5_receiver.c")),
    ("rst_reply", include_str!("../modules/rst_reply/rst_reply.c")),
    ("lockstep", include_str!("../modules/lockstep/lockstep.c")),
    ("oops", include_str!("../modules/tests/oops/oops.c")),
];

/// Lines of make's output that an error shows, from the last back.
const LINES_MAX: usize = 20;

/// What modules are built against: the headers of a kernel, or the tree that it was built in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// The folder that kbuild runs in.
    pub folder: PathBuf,
    /// The release of the kernel that the modules fit: `6.1.0-56-cloud-amd64`.
    pub release: String,
}

impl Headers {
    /// Those of the kernel that guests boot, or else of the newest that has any.
    ///
    /// # Errors
    /// [`Error::Missing`] where there are none, with the command that gives them.
    pub fn wanted() -> Result<Self, Error> {
        Image::find().and_then(|image| Self::of(&image.release)).or_else(|_| Self::find())
    }

    /// Those of the newest kernel that has any.
    ///
    /// # Errors
    /// [`Error::Missing`] where there are none, with the command that gives them.
    pub fn find() -> Result<Self, Error> {
        Self::find_in(Path::new("/lib/modules"))
    }

    fn find_in(modules: &Path) -> Result<Self, Error> {
        let found = fs::read_dir(modules).into_iter().flatten().flatten();
        let all = found.filter_map(|entry| Self::at(&entry.path().join("build")).ok());
        let newest = all.max_by(|a, b| by_version(&a.release, &b.release));
        newest.ok_or_else(|| {
            Error::Missing(format!(
                "there are no kernel headers in {}/*/build, and kernel modules are built against \
                 them: apt-get install linux-headers-cloud-amd64",
                modules.display()
            ))
        })
    }

    /// Those of a release.
    ///
    /// # Errors
    /// [`Error::Missing`] where it has none, with the command that gives them.
    pub fn of(release: &str) -> Result<Self, Error> {
        let folder = Path::new("/lib/modules").join(release).join("build");
        Self::at(&folder).map_err(|_| {
            Error::Missing(format!(
                "{} holds no headers of the kernel {release}, and kernel modules are built \
                 against them: apt-get install linux-headers-{release}",
                folder.display()
            ))
        })
    }

    /// Those in a folder.
    ///
    /// # Errors
    /// [`Error::Missing`] when no kernel was configured and prepared there.
    pub fn at(folder: &Path) -> Result<Self, Error> {
        let says = "include/generated/utsrelease.h";
        let text = fs::read_to_string(folder.join(says)).ok();
        let release = text.as_deref().and_then(|text| text.split('"').nth(1)).map(str::to_owned);
        let Some(release) = release else {
            let shown = folder.display();
            let text = format!("{shown} holds no kernel's headers: {says} names no release there");
            return Err(Error::Missing(text));
        };
        Ok(Self { folder: folder.to_owned(), release })
    }

    /// How the kernel was configured: another configuration makes another module.
    pub(crate) fn configuration(&self) -> Result<String, Error> {
        let file = self.folder.join("include/config/auto.conf");
        fs::read_to_string(&file).map_err(|error| {
            let shown = file.display();
            Error::Missing(format!("{shown}: {error}: the kernel there was not configured whole"))
        })
    }
}

/// What is built: the sources, and kbuild's file.
pub(crate) fn sources() -> Vec<(String, String)> {
    let objects: Vec<String> = MODULES.iter().map(|(name, _)| format!("{name}.o")).collect();
    let kbuild = format!("obj-m := {}\nccflags-y := -Wall\n", objects.join(" "));
    let texts = MODULES.iter().map(|(name, text)| (format!("{name}.c"), (*text).to_owned()));
    texts.chain([("Kbuild".to_owned(), kbuild)]).collect()
}

/// Whether kbuild takes a folder's name as it stands: it is text of a makefile and of a shell.
///
/// # Errors
/// [`Error::Plan`] when it does not.
pub(crate) fn takes(folder: &Path) -> Result<(), Error> {
    let good = |c: char| c.is_alphanumeric() || "/._-+@,".contains(c);
    if folder.to_str().is_some_and(|name| name.chars().all(good)) {
        return Ok(());
    }
    Err(Error::Plan(format!(
        "kbuild works only in a folder whose name has letters, digits and /._-+@, in it, which {} \
         is not: set XDG_CACHE_HOME to one",
        folder.display()
    )))
}

/// A program of the build, which is taken from the system's folders only.
fn program(name: &str) -> Result<PathBuf, Error> {
    let purpose = "kernel modules are built with it";
    tools::needed_of_system(name, purpose, name)
}

/// Whether the programs are there that a build takes.
///
/// # Errors
/// [`Error::Missing`] with the command that gives what is not.
pub(crate) fn programs() -> Result<(), Error> {
    program("gcc").and_then(|_| program("make")).map(drop)
}

/// A program of the build in clean surroundings: no variable of the user's, and of a make that may
/// have called us, is a word to make, gcc or kbuild.
fn clean(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", tools::system_path()).env("LC_ALL", "C");
    command.env("TMPDIR", folder).current_dir(folder);
    command
}

/// The compiler, in a line of its own words.
///
/// # Errors
/// [`Error::Missing`] where there is none.
pub(crate) fn compiler() -> Result<String, Error> {
    let output = clean(&program("gcc")?, Path::new("/")).arg("--version").output();
    let output = output.tried("run gcc")?;
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(said.lines().next().unwrap_or_default().trim().to_owned())
}

/// Makes the modules of the sources in a folder that holds nothing else.
///
/// # Errors
/// [`Error::Missing`] where make or gcc is not installed, [`Error::Plan`] when they refuse, with
/// what they say.
pub(crate) fn make(headers: &Headers, work: &Path) -> Result<(), Error> {
    programs()?;
    let mut command = clean(&program("make")?, work);
    command.arg("-C").arg(&headers.folder);
    // Debug information makes a module many times as large, and each guest carries it.
    command.arg("KCFLAGS=-g0").arg(format!("M={}", work.display())).arg("modules");
    let output = command.output().tried("run make")?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(LINES_MAX)..].join("\n");
    let release = &headers.release;
    Err(Error::Plan(format!("the modules cannot be built for the kernel {release}:\n{last}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(folder: &Path, release: &str) {
        let generated = folder.join("include/generated");
        fs::create_dir_all(&generated).unwrap();
        let text = format!("#define UTS_RELEASE \"{release}\"\n");
        fs::write(generated.join("utsrelease.h"), text).unwrap();
    }

    #[test]
    fn the_newest_headers_are_found_and_none_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = Headers::find_in(folder.path()).unwrap_err().to_string();
        assert!(error.contains("apt-get install linux-headers-cloud-amd64"), "{error}");
        for release in ["6.1.0-9-cloud-amd64", "6.1.0-10-cloud-amd64"] {
            prepared(&folder.path().join(release).join("build"), release);
        }
        fs::create_dir_all(folder.path().join("6.9.0-without-headers")).unwrap();
        assert_eq!(Headers::find_in(folder.path()).unwrap().release, "6.1.0-10-cloud-amd64");
        let error = Headers::of("0.99").unwrap_err().to_string();
        assert!(error.contains("apt-get install linux-headers-0.99"), "{error}");
        let error = Headers::at(folder.path()).unwrap_err().to_string();
        assert!(error.contains("holds no kernel's headers"), "{error}");
    }

    #[test]
    fn a_folder_that_kbuild_reads_otherwise_is_told() {
        for name in ["/my modules", "/a:b", "/$(shell date)", "/a;b", "/a#b", "/a%b", "/a\nb"] {
            let error = takes(Path::new(name)).unwrap_err().to_string();
            assert!(error.contains("XDG_CACHE_HOME"), "{error}");
        }
        takes(Path::new("/home/Zoë_1/.cache/wireproof/modules")).unwrap();
    }

    #[test]
    fn surroundings_of_a_build_are_clean() {
        let mut command = clean(Path::new("/usr/bin/env"), Path::new("/tmp"));
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let mut names: Vec<&str> = said.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["LC_ALL", "PATH", "TMPDIR"]);
    }
}

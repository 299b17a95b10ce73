//! Builds the project's kernel modules against the headers of an installed kernel, in a folder of
//! the caller's. The sources are part of this library, so that whoever has it can build them for
//! the kernel at hand. Knows kbuild's command line; nothing of what the modules do.

use std::fs::{self, File};
use std::path::{self, Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Tried};
use crate::image::by_version;
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
            let told = format!("{shown} holds no kernel's headers: {says} names no release there");
            return Err(Error::Missing(told));
        };
        Ok(Self { folder: folder.to_owned(), release })
    }
}

/// Builds every module into `NAME.ko` in the folder `into`, which is made; their paths, in the
/// order of [`MODULES`]. What is there already and was built from the same sources stays, so that
/// only the first call takes seconds. Two calls at once wait for each other.
///
/// # Errors
/// [`Error::Missing`] where make or gcc is not installed, [`Error::Plan`] when they refuse, with
/// what they say, or would for the folder's name, and [`Error::System`] when a file cannot be
/// written.
pub fn build_modules(headers: &Headers, into: &Path) -> Result<Vec<PathBuf>, Error> {
    // kbuild runs in another folder.
    let into = path::absolute(into).tried(format!("find {}", into.display()))?;
    if into.to_string_lossy().contains([' ', '\t', ':']) {
        let shown = into.display();
        let told =
            format!("kbuild works in no folder with a space or a colon in its name: {shown}");
        return Err(Error::Plan(told));
    }
    let work = into.join("build");
    fs::create_dir_all(&work).tried(format!("make {}", work.display()))?;
    let lock = work.join("lock");
    let lock = File::create(&lock).and_then(|file| file.lock().map(|()| file));
    let lock = lock.tried(format!("lock {}", work.display()))?;
    let built: Vec<PathBuf> =
        MODULES.iter().map(|(name, _)| into.join(format!("{name}.ko"))).collect();
    let sources = sources(headers);
    if !built.iter().all(|file| file.is_file()) || !is_there(&work, &sources) {
        // A build that is broken off must not pass for one that was done.
        for file in &built {
            let _ = fs::remove_file(file);
        }
        for (name, text) in &sources {
            let file = work.join(name);
            fs::write(&file, text).tried(format!("write {}", file.display()))?;
        }
        make(headers, &work)?;
        for (name, to) in MODULES.iter().map(|(name, _)| name).zip(&built) {
            let from = work.join(format!("{name}.ko"));
            fs::rename(&from, to).tried(format!("move {} to {}", from.display(), to.display()))?;
        }
    }
    drop(lock);
    Ok(built)
}

/// What stands in the folder of a build: sources, kbuild's file, and whose headers it is for.
fn sources(headers: &Headers) -> Vec<(String, String)> {
    let objects: Vec<String> = MODULES.iter().map(|(name, _)| format!("{name}.o")).collect();
    let kbuild = format!("obj-m := {}\nccflags-y := -Wall\n", objects.join(" "));
    let of = format!("{} {}\n", headers.release, headers.folder.display());
    let texts = MODULES.iter().map(|(name, text)| (format!("{name}.c"), (*text).to_owned()));
    texts.chain([("Kbuild".to_owned(), kbuild), ("headers".to_owned(), of)]).collect()
}

fn is_there(work: &Path, sources: &[(String, String)]) -> bool {
    sources
        .iter()
        .all(|(name, text)| fs::read_to_string(work.join(name)).is_ok_and(|there| there == *text))
}

fn make(headers: &Headers, work: &Path) -> Result<(), Error> {
    let purpose = "kernel modules are built with it";
    let program = tools::needed("make", purpose, "make")?;
    tools::needed("gcc", purpose, "gcc")?;
    let mut command = Command::new(program);
    // Of a make that may have called us, nothing is to be told to this one.
    for name in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS"] {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").arg("-C").arg(&headers.folder);
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
        let told = Headers::find_in(folder.path()).unwrap_err().to_string();
        assert!(told.contains("apt-get install linux-headers-cloud-amd64"), "{told}");
        for release in ["6.1.0-9-cloud-amd64", "6.1.0-10-cloud-amd64"] {
            prepared(&folder.path().join(release).join("build"), release);
        }
        fs::create_dir_all(folder.path().join("6.9.0-without-headers")).unwrap();
        assert_eq!(Headers::find_in(folder.path()).unwrap().release, "6.1.0-10-cloud-amd64");
        let told = Headers::of("0.99").unwrap_err().to_string();
        assert!(told.contains("apt-get install linux-headers-0.99"), "{told}");
        let told = Headers::at(folder.path()).unwrap_err().to_string();
        assert!(told.contains("holds no kernel's headers"), "{told}");
    }

    #[test]
    fn a_folder_that_kbuild_takes_for_several_is_told() {
        let headers = Headers { folder: "/nowhere".into(), release: "1".into() };
        let told = build_modules(&headers, Path::new("/nowhere/my modules")).unwrap_err();
        assert!(told.to_string().contains("space or a colon"), "{told}");
    }

    #[test]
    fn a_build_for_other_headers_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let headers = Headers { folder: "/nowhere".into(), release: "1".into() };
        let texts = sources(&headers);
        assert!(!is_there(folder.path(), &texts));
        for (name, text) in &texts {
            fs::write(folder.path().join(name), text).unwrap();
        }
        assert!(is_there(folder.path(), &texts));
        let other = Headers { release: "2".into(), ..headers };
        assert!(!is_there(folder.path(), &sources(&other)));
    }
}

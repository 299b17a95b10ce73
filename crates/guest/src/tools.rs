//! The programs that go into a guest: where they are on this machine, and which libraries they
//! need. Libraries are asked of `ldd`, since it is the very loader that will load them, with its
//! rules and its cache, and part of every Debian system's libc. Knows no rule and no kernel.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;

/// Where programs lie, beside the user's own path: an ordinary user's leaves the last ones out.
const FOLDERS: [&str; 6] =
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// A program that a guest may have.
#[derive(Debug)]
pub(crate) struct Tool {
    /// Its file on this machine.
    file: &'static str,
    /// The names by which it is called in the guest.
    pub(crate) names: &'static [&'static str],
    /// The package that brings it.
    package: &'static str,
    /// Files that it opens by itself, beside those that it is linked with: in a folder beside its
    /// first library, those whose names begin so.
    plugins: Option<(&'static str, &'static [&'static str])>,
}

/// What a guest gets where this machine has it.
pub(crate) const TOOLS: &[Tool] = &[
    // Called by its whole path: the shell has one of its own that knows no neighbours.
    Tool { file: "ip", names: &["ip"], package: "iproute2", plugins: None },
    Tool { file: "nft", names: &["nft"], package: "nftables", plugins: None },
    Tool {
        file: "xtables-legacy-multi",
        names: &[
            "iptables",
            "iptables-restore",
            "iptables-save",
            "ip6tables",
            "ip6tables-restore",
            "ip6tables-save",
        ],
        package: "iptables",
        plugins: Some((
            "xtables",
            &[
                "libxt_standard",
                "libxt_tcp",
                "libxt_udp",
                "libxt_conntrack",
                "libxt_state",
                "libxt_multiport",
                "libxt_limit",
                "libxt_LOG",
                "libxt_mark",
                "libxt_comment",
                "libxt_length",
                "libxt_u32",
                "libipt_REJECT",
                "libip6t_REJECT",
                "libipt_icmp",
                "libip6t_icmp6",
            ],
        )),
    },
];

/// A program with all that it needs, by paths that are the same here and in the guest.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The program.
    pub(crate) program: PathBuf,
    /// What it is linked with, its loader among it, and what it opens by itself.
    pub(crate) libraries: BTreeSet<PathBuf>,
}

/// Where the programs of the system lie, as `PATH` has it.
pub(crate) fn system_path() -> String {
    FOLDERS.join(":")
}

/// Looks for a program in the user's path and in the folders of the system.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    program_in(&env::var_os("PATH").unwrap_or_default(), name)
}

/// The same for a path. Folders below the current one, whatever that is, do not count: no program
/// is run because of where somebody stands.
fn program_in(path: &OsStr, name: &str) -> Option<PathBuf> {
    let folders = env::split_paths(path).chain(FOLDERS.iter().map(PathBuf::from));
    let folders = folders.filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Looks for a program that must be there, for a purpose.
pub(crate) fn needed(name: &str, purpose: &str, package: &str) -> Result<PathBuf, Error> {
    program(name).ok_or_else(|| missing(name, purpose, package))
}

/// The same in the folders of the system alone, whatever the user's path says.
pub(crate) fn needed_of_system(name: &str, purpose: &str, package: &str) -> Result<PathBuf, Error> {
    program_in(OsStr::new(""), name).ok_or_else(|| missing(name, purpose, package))
}

fn missing(name: &str, purpose: &str, package: &str) -> Error {
    let text = format!("{name} is not on this machine, and {purpose}: apt-get install {package}");
    Error::Missing(text)
}

/// The tool that is called so in a guest.
pub(crate) fn tool(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.names.contains(&name))
}

impl Tool {
    /// The tool on this machine with its libraries, or what it lacks.
    pub(crate) fn find(&self) -> Result<Found, Error> {
        let purpose = format!("a guest's {} is a copy of it", self.names[0]);
        let program = needed(self.file, &purpose, self.package)?;
        let mut libraries = linked(&program)?;
        if let Some((folder, starts)) = self.plugins {
            let beside: BTreeSet<PathBuf> =
                libraries.iter().filter_map(|file| Some(file.parent()?.join(folder))).collect();
            let files = beside.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
            let named = files.flatten().map(|entry| entry.path()).filter(|path| {
                let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("");
                starts.contains(&name)
            });
            libraries.extend(named.collect::<Vec<_>>());
        }
        Ok(Found { program, libraries })
    }
}

/// What a program is linked with; nothing for one that is linked statically.
fn linked(program: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    let failed = |why: String| {
        Error::Missing(format!("what {} is linked with is not known: {why}", program.display()))
    };
    let ldd = self::program("ldd").ok_or_else(|| failed("there is no ldd".to_owned()))?;
    let output = Command::new(ldd).arg(program).env("LC_ALL", "C").output();
    let output = output.map_err(|error| failed(format!("ldd: {error}")))?;
    libraries(&String::from_utf8_lossy(&output.stdout)).map_err(failed)
}

/// The files in the lines of `ldd`: `name => /path (0x…)`, or `/path (0x…)` for the loader.
fn libraries(lines: &str) -> Result<BTreeSet<PathBuf>, String> {
    let mut found = BTreeSet::new();
    for line in lines.lines() {
        if line.contains("not found") {
            return Err(line.trim().to_owned());
        }
        let file = line.split_once("=>").map_or(line, |(_, file)| file);
        let file = file.split_once(" (").map_or(file, |(file, _)| file).trim();
        if file.starts_with('/') {
            found.insert(PathBuf::from(file));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_ldd_are_read() {
        let lines = "\tlinux-vdso.so.1 (0x00007f)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 \
                     (0x00007f)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let found: Vec<PathBuf> = libraries(lines).unwrap().into_iter().collect();
        assert_eq!(
            found,
            [
                PathBuf::from("/lib/x86_64-linux-gnu/libc.so.6"),
                PathBuf::from("/lib64/ld-linux-x86-64.so.2")
            ]
        );
        assert!(libraries("\tstatically linked\n").unwrap().is_empty());
        assert!(libraries("\tlibx.so => not found\n").is_err());
    }

    #[test]
    fn a_program_that_is_nowhere_is_told_with_the_way_to_get_it() {
        let error = needed("no-such-program", "a guest runs in it", "nothing").unwrap_err();
        assert!(error.to_string().ends_with("apt-get install nothing"), "{error}");
        assert!(program("sh").is_some());
        // The current folder is this package's, and its manifest a file.
        for path in ["", ".", ":", "src/..:"] {
            assert_eq!(program_in(OsStr::new(path), "Cargo.toml"), None, "{path}");
        }
        let here = env::current_dir().unwrap();
        assert!(program_in(here.as_os_str(), "Cargo.toml").is_some());
    }
}

//! Where a user's own files lie that programs are made from, and whether anybody else could have
//! put something there: another user, or a repository. Knows paths, owners and modes; not what is
//! kept.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use rustix::process::geteuid;

/// As many links lie on a way at most, as the kernel has it (`path_resolution(7)`).
const MOST_LINKS: usize = 40;
/// Bits of a file's mode.
const STICKY: u32 = 0o1000;
const WRITE_BY_OTHERS: u32 = 0o022;
const ANYTHING_BY_OTHERS: u32 = 0o077;
const MODE: u32 = 0o7777;

/// The way out of every refusal.
const WAY: &str = "set XDG_CACHE_HOME to an absolute folder of your own outside of any repository";

/// The folder for caches that the user's surroundings name.
///
/// # Errors
/// Says what is wrong with what they name, and how to set it right.
pub(crate) fn caches(cache: Option<OsString>, home: Option<OsString>) -> Result<PathBuf, String> {
    let given = |text: Option<OsString>| text.filter(|text| !text.is_empty());
    let (name, path) = match (given(cache), given(home)) {
        (Some(cache), _) => ("XDG_CACHE_HOME", PathBuf::from(cache)),
        (None, Some(home)) => ("HOME", PathBuf::from(home).join(".cache")),
        (None, None) => return Err(format!("neither XDG_CACHE_HOME nor HOME is set: {WAY}")),
    };
    // Another folder from wherever one stands would be one that a repository can hold.
    if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
        let shown = path.display();
        return Err(format!("{name} gives {shown}, which is no absolute path without ..: {WAY}"));
    }
    Ok(path)
}

/// Who may own what lies on the way.
#[derive(Clone, Copy, Debug)]
struct Trusted {
    us: u32,
    /// Whose files are shown as nobody's, where this process sees one user only: root's among them.
    /// What is at the end of the way is ours all the same.
    unseen: Option<u32>,
}

impl Trusted {
    fn present() -> Self {
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let whole = map.split_whitespace().eq(["0", "0", "4294967295"]);
        let overflow = fs::read_to_string("/proc/sys/fs/overflowuid").unwrap_or_default();
        let overflow = overflow.trim().parse().unwrap_or(65_534);
        Self { us: geteuid().as_raw(), unseen: (!whole).then_some(overflow) }
    }

    fn owns(self, found: &Metadata) -> bool {
        let owner = found.uid();
        owner == 0 || owner == self.us || Some(owner) == self.unseen
    }
}

/// Goes the way to a folder and gives it without links, and how many folders at its end are not
/// there yet.
///
/// # Errors
/// Says which folder or link on the way another user could set, or that it lies in a repository.
pub(crate) fn go(path: &Path) -> Result<(PathBuf, usize), String> {
    let trusted = Trusted::present();
    let mut real = PathBuf::from("/");
    folder(&real, trusted)?;
    let mut pending: VecDeque<OsString> = parts(path);
    let mut links = 0;
    while let Some(name) = pending.pop_front() {
        if name == OsStr::new("..") {
            real.pop();
            continue;
        }
        let next = real.join(&name);
        let found = match fs::symlink_metadata(&next) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if pending.iter().any(|part| part == OsStr::new("..")) {
                    return Err(format!("{} is not there: {WAY}", next.display()));
                }
                let missing = 1 + pending.len();
                let whole = pending.iter().fold(next, |path, part| path.join(part));
                in_no_repository(&whole)?;
                return Ok((whole, missing));
            }
            Err(error) => return Err(format!("{}: {error}: {WAY}", next.display())),
        };
        if found.is_symlink() {
            links += 1;
            if !trusted.owns(&found) || links > MOST_LINKS {
                let shown = next.display();
                return Err(format!("the link {shown} is of another user, or has no end: {WAY}"));
            }
            let to =
                fs::read_link(&next).map_err(|error| format!("{}: {error}", next.display()))?;
            if to.is_absolute() {
                real = PathBuf::from("/");
            }
            let behind = std::mem::take(&mut pending);
            pending = parts(&to);
            pending.extend(behind);
        } else {
            folder(&next, trusted)?;
            real = next;
        }
    }
    in_no_repository(&real)?;
    Ok((real, 0))
}

/// The names on a way, below the root or below where it begins.
fn parts(path: &Path) -> VecDeque<OsString> {
    let part = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    };
    path.components().filter_map(part).collect()
}

/// A folder on the way: nobody but root and us can put another thing in the place of ours in it.
fn folder(path: &Path, trusted: Trusted) -> Result<(), String> {
    let shown = path.display();
    let found = fs::symlink_metadata(path).map_err(|error| format!("{shown}: {error}"))?;
    if !found.is_dir() {
        return Err(format!("{shown} is no folder: {WAY}"));
    }
    if !trusted.owns(&found) {
        return Err(format!("{shown} is user {}'s, not yours: {WAY}", found.uid()));
    }
    let mode = found.mode() & MODE;
    if mode & WRITE_BY_OTHERS != 0 && mode & STICKY == 0 {
        return Err(format!("others can write into {shown} (mode {mode:o}): chmod go-w {shown}"));
    }
    Ok(())
}

/// A repository comes from a stranger, and what lies in it does too.
fn in_no_repository(path: &Path) -> Result<(), String> {
    let is_there = |folder: &Path, name: &str| fs::symlink_metadata(folder.join(name)).is_ok();
    let is_one = |folder: &&Path| {
        is_there(folder, ".git")
            || (is_there(folder, "scenarios") && is_there(folder, "golden-pcaps"))
    };
    match path.ancestors().find(is_one) {
        None => Ok(()),
        Some(folder) => {
            let (shown, folder) = (path.display(), folder.display());
            Err(format!(
                "{shown} lies in the repository {folder}, whose author could have put files \
                 there: {WAY}"
            ))
        }
    }
}

/// A folder that we keep is ours alone.
///
/// # Errors
/// Says what is wrong with it, and how to set it right.
pub(crate) fn is_ours(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let found = fs::symlink_metadata(path).map_err(|error| format!("{shown}: {error}"))?;
    let (us, mode) = (geteuid().as_raw(), found.mode() & MODE);
    if !found.is_dir() || found.uid() != us {
        return Err(format!("{shown} is no folder of yours (user {us}): {WAY}"));
    }
    if mode & ANYTHING_BY_OTHERS != 0 {
        return Err(format!("others can look into {shown} (mode {mode:o}): chmod 700 {shown}"));
    }
    Ok(())
}

/// A file that we keep: a regular one, ours, and nobody else writes it.
pub(crate) fn is_our_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| {
        let others = found.mode() & WRITE_BY_OTHERS;
        found.is_file() && found.uid() == geteuid().as_raw() && others == 0
    })
}

/// Makes folders at the end of a way, each ours alone.
///
/// # Errors
/// When one cannot be made.
pub(crate) fn make(path: &Path, missing: usize) -> Result<(), String> {
    let folders: Vec<&Path> = path.ancestors().take(missing).collect();
    for folder in folders.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => {}
            // Another of our processes was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("cannot make {}: {error}: {WAY}", folder.display())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

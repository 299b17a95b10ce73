//! Kernel modules that were built once, in a folder of the user's own, and are found there again.
//! Built by an explicit word only, from sources that this library carries, in a folder that was
//! empty before. Knows no module and no guest.

use std::env;
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::Builder;

use crate::error::{Error, Tried};
use crate::kbuild::{self, Headers, MODULES};

mod place;

/// Below the folder for caches.
const BELOW: &str = "wireproof/modules";
/// How the names of folders begin in which somebody builds, or did when it was killed.
const WORK: &str = ".build-";
/// The file that says what was built.
const ABOUT: &str = "about";

/// The folder with the modules that a user has built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

/// Modules that are built.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Built {
    /// The release of the kernel that they fit.
    pub release: String,
    /// What compiled them: the first line of `gcc --version`.
    pub compiler: String,
    /// Where they lie.
    pub folder: PathBuf,
    /// They are of the sources that this library carries.
    pub is_present: bool,
}

impl Built {
    /// The file of a module.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.ko"))
    }

    /// All of their files, in the order of [`MODULES`].
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        MODULES.iter().map(|(name, _)| self.file(name)).collect()
    }
}

impl Store {
    /// The user's own: `wireproof/modules` below `$XDG_CACHE_HOME`, or below `~/.cache`. Makes
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Missing`] where these name no absolute folder.
    pub fn of_user() -> Result<Self, Error> {
        let (cache, home) = (env::var_os("XDG_CACHE_HOME"), env::var_os("HOME"));
        place::caches(cache, home).map(|caches| Self::below(&caches)).map_err(refused)
    }

    /// The one below a folder for caches.
    #[must_use]
    pub fn below(caches: &Path) -> Self {
        Self { folder: caches.join(BELOW) }
    }

    /// The modules for a kernel, which are there already: nothing is built, and nothing made.
    ///
    /// # Errors
    /// [`Error::Missing`] where none are, with the command that builds them, and where somebody
    /// else could have put something into the folder.
    pub fn built(&self, release: &str) -> Result<Built, Error> {
        let fits = |built: &Built| built.is_present && built.release == release;
        self.all()?.into_iter().find(fits).ok_or_else(|| Error::Missing(how_to_build(release)))
    }

    /// All that is there, of other sources too.
    ///
    /// # Errors
    /// [`Error::Missing`] where somebody else could have put something into the folder.
    pub fn all(&self) -> Result<Vec<Built>, Error> {
        let Some(folder) = self.checked()? else { return Ok(Vec::new()) };
        let entries = fs::read_dir(&folder).tried(format!("read {}", folder.display()))?;
        let mut all: Vec<Built> =
            entries.flatten().filter_map(|entry| read(&entry.path())).collect();
        all.sort();
        Ok(all)
    }

    /// Builds the modules for a kernel, or finds that they are there; whether they were built now.
    /// Two calls at once wait for each other, and only the first takes seconds.
    ///
    /// # Errors
    /// [`Error::Missing`] where make or gcc is not installed, or no folder of the user's own is to
    /// be had, [`Error::Plan`] when they refuse, with what they say, and [`Error::System`] when a
    /// file cannot be written.
    pub fn build(&self, headers: &Headers) -> Result<(Built, bool), Error> {
        let folder = self.made()?;
        kbuild::takes(&folder)?;
        let compiler = kbuild::compiler()?;
        let _lock = lock(&folder)?;
        let sources = kbuild::sources();
        let configuration = headers.configuration()?;
        let about = format!("{}\n{compiler}\n", headers.release);
        let texts = sources.iter().flat_map(|(name, text)| [name.as_str(), text]);
        let key = key(texts.chain([about.as_str(), &configuration]));
        let path = folder.join(&key);
        if let Some(built) = read(&path).filter(|built| built.is_present) {
            return Ok((built, false));
        }
        // Whoever was killed while it built has left its folder; we alone are here.
        for left in named(&folder, |name| name.starts_with(WORK)) {
            remove(&left);
        }
        let (work, ready) = (empty(&folder)?, empty(&folder)?);
        for (name, text) in &sources {
            write(&work.path().join(name), text)?;
            write(&ready.path().join(name), text)?;
        }
        kbuild::make(headers, work.path())?;
        for (name, _) in MODULES {
            let (from, to) = [&work, &ready].map(|it| it.path().join(format!("{name}.ko"))).into();
            // Whatever mask the user's surroundings have.
            let mode = Permissions::from_mode(0o600);
            fs::set_permissions(&from, mode).tried(format!("keep {}", from.display()))?;
            fs::rename(&from, &to).tried(format!("move {}", from.display()))?;
        }
        write(&ready.path().join(ABOUT), &about)?;
        // What else was built for this kernel of these sources, by another compiler or otherwise
        // configured, would be found in the place of this.
        for old in named(&folder, |name| !name.starts_with('.') && name != LOCK) {
            let same = |old: &Built| old.is_present && old.release == headers.release;
            if old == path || read(&old).is_some_and(|old| same(&old)) {
                remove(&old);
            }
        }
        let ready = ready.keep();
        fs::rename(&ready, &path).tried(format!("move {}", ready.display()))?;
        let text = || Error::Plan(format!("{} was changed meanwhile", path.display()));
        read(&path).map(|built| (built, true)).ok_or_else(text)
    }

    /// The folder, if it is there and nobody else could have put something into it.
    fn checked(&self) -> Result<Option<PathBuf>, Error> {
        let (real, missing) = place::go(&self.folder).map_err(refused)?;
        if missing > 0 {
            return Ok(None);
        }
        place::is_ours(&real).map_err(refused)?;
        Ok(Some(real))
    }

    fn made(&self) -> Result<PathBuf, Error> {
        let (real, missing) = place::go(&self.folder).map_err(refused)?;
        place::make(&real, missing).map_err(refused)?;
        // Once more, for what has changed since.
        self.checked()?.ok_or_else(|| refused(format!("{} is gone", real.display())))
    }
}

fn refused(why: String) -> Error {
    Error::Missing(format!("there is no safe folder for kernel modules: {why}"))
}

/// The command that builds modules for a kernel, with what it lacks.
fn how_to_build(release: &str) -> String {
    let text = format!("no kernel modules are built for the kernel {release}");
    let plain = Headers::wanted().is_ok_and(|headers| headers.release == release);
    match (plain, Headers::of(release)) {
        (true, _) => format!("{text}: wireproof modules build"),
        (false, Ok(headers)) => {
            format!("{text}: wireproof modules build --headers {}", headers.folder.display())
        }
        (false, Err(_)) => format!(
            "{text}: wireproof modules build --headers DIR, with the headers of that kernel \
             (apt-get install linux-headers-{release}) or the tree that it was built in"
        ),
    }
}

/// The file that is locked by whoever builds.
const LOCK: &str = "lock";

fn lock(folder: &Path) -> Result<File, Error> {
    let mut open = OpenOptions::new();
    // The folder is ours alone, and so is what lies in it.
    let file = open.create(true).truncate(false).write(true).mode(0o600).open(folder.join(LOCK));
    let locked = file.and_then(|file| file.lock().map(|()| file));
    locked.tried(format!("lock {}", folder.display()))
}

/// A new folder to build in.
fn empty(folder: &Path) -> Result<tempfile::TempDir, Error> {
    let mode = Permissions::from_mode(0o700);
    let made = Builder::new().prefix(WORK).permissions(mode).tempdir_in(folder);
    made.tried(format!("make a folder in {}", folder.display()))
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    let mut open = OpenOptions::new();
    let file_made = open.create_new(true).write(true).mode(0o600).open(file);
    let written =
        file_made.and_then(|mut made| std::io::Write::write_all(&mut made, text.as_bytes()));
    written.tried(format!("write {}", file.display()))
}

fn named(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let fits = |entry: &fs::DirEntry| entry.file_name().to_str().is_some_and(&wanted);
    entries.filter(fits).map(|entry| entry.path()).collect()
}

/// What stands in the way of a build comes up again as what the build says.
fn remove(path: &Path) {
    let _ = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        _ => fs::remove_file(path),
    };
}

/// What a folder holds, if it holds what was built whole, and all of it is ours alone.
fn read(folder: &Path) -> Option<Built> {
    let name = folder.file_name()?.to_str()?;
    let is_key = name.len() == KEY_DIGITS && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_key || place::is_ours(folder).is_err() {
        return None;
    }
    let ours = |name: &str| {
        let file = folder.join(name);
        place::is_our_file(&file).then(|| fs::read_to_string(file).ok()).flatten()
    };
    let about = ours(ABOUT)?;
    let mut lines = about.lines().map(str::to_owned);
    let (release, compiler) = (lines.next()?, lines.next()?);
    let whole =
        MODULES.iter().all(|(name, _)| place::is_our_file(&folder.join(format!("{name}.ko"))));
    let same = |(name, text): &(String, String)| ours(name).is_some_and(|there| there == *text);
    let is_present = whole && kbuild::sources().iter().all(same);
    Some(Built { release, compiler, folder: folder.to_owned(), is_present })
}

/// Digits of a folder's name.
const KEY_DIGITS: usize = 32;

/// A folder's name by what is built in it: FNV-1a of 128 bits. It only tells builds apart; whether
/// one is what it should be is seen by its sources themselves.
fn key<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for text in texts {
        // Where one text ends and the next begins counts too.
        for byte in text.bytes().chain([0xff]) {
            hash =
                (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests;

//! Which scenarios there are: a root folder, the files below it, and the ids that name them.
//! Knows paths and names; reads no scenario.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files::{self, Within};

/// The folder of scenario files below a root.
pub const SCENARIOS: &str = "scenarios";
/// The folder of goldens below a root.
pub const GOLDENS: &str = "golden-pcaps";

/// A folder that holds `scenarios/` and `golden-pcaps/`.
#[derive(Clone, Debug)]
pub struct Root {
    /// The folder itself.
    pub dir: PathBuf,
}

/// One scenario file and where its golden belongs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// `rst/fin-then-rst`, or the path as it was given for a file outside the root.
    pub id: String,
    /// The scenario file.
    pub path: PathBuf,
    /// The golden, which may not exist yet: `…/rst/fin-then-rst.pcapng`.
    pub golden: PathBuf,
    /// The folder that links of its files may not lead out of.
    pub root: PathBuf,
}

impl Item {
    /// Whether it lies among the scenarios of its root, rather than where a user named it.
    #[must_use]
    pub fn in_root(&self) -> bool {
        self.golden.with_extension("json") != self.path
    }
}

impl Root {
    /// The root at `dir`.
    ///
    /// # Errors
    /// When the folder has no `scenarios/`.
    pub fn at(dir: &Path) -> Result<Self> {
        if !dir.is_dir() {
            bail!("{}: no such folder", dir.display());
        }
        if !dir.join(SCENARIOS).is_dir() {
            bail!(
                "{}: no folder `{SCENARIOS}` here; `wireproof init` makes one with a scenario",
                dir.display()
            );
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// The nearest parent of `start` that has both folders.
    ///
    /// # Errors
    /// When there is none up to the file system's root.
    pub fn find(start: &Path) -> Result<Self> {
        start
            .ancestors()
            .find(|dir| dir.join(SCENARIOS).is_dir() && dir.join(GOLDENS).is_dir())
            .map(|dir| Self { dir: dir.to_owned() })
            .with_context(|| {
                format!(
                    "no folder with `{SCENARIOS}` and `{GOLDENS}` in {} or above; name one with \
                     --root DIR, or make one with `wireproof init`",
                    start.display()
                )
            })
    }

    /// Every scenario file, in order of its id.
    ///
    /// # Errors
    /// When a folder cannot be read, or there is no scenario at all.
    pub fn items(&self) -> Result<Vec<Item>> {
        let folder = self.dir.join(SCENARIOS);
        Within(&self.dir).holds(&folder)?;
        let mut items = Vec::new();
        for path in files_below(&folder, "json")? {
            let relative = path.strip_prefix(&folder).expect("a file below the folder");
            // The schema that editors read may lie among the scenarios; it is none.
            if relative == Path::new("schema.json") {
                continue;
            }
            let golden = self.dir.join(GOLDENS).join(relative).with_extension("pcapng");
            let root = self.dir.clone();
            items.push(Item { id: id_of(relative), path, golden, root });
        }
        if items.is_empty() {
            bail!("{}: no scenario file (*.json)", folder.display());
        }
        items.sort();
        Ok(items)
    }
}

/// The items that the words name: ids, unique last parts, folders (`rst`, `rst/`), patterns with
/// `*`, or paths of files. No word names all items of the root.
///
/// # Errors
/// When a word matches nothing, or a bare last part matches several.
pub fn select(root: Option<&Root>, words: &[String]) -> Result<Vec<Item>> {
    let no_root = || Root::find(&std::env::current_dir()?).map(|_| Vec::new());
    let all = root.map_or_else(no_root, Root::items);
    if words.is_empty() {
        return all;
    }
    let mut chosen = Vec::new();
    for word in words {
        if word.ends_with(".json") {
            chosen.push(by_path(word, root)?);
            continue;
        }
        let all = match &all {
            Ok(all) => all,
            Err(error) => bail!("{error:#}"),
        };
        let found = matching(all, word)?;
        chosen.extend(found.into_iter().cloned());
    }
    let mut seen = std::collections::BTreeSet::new();
    chosen.retain(|item| seen.insert(item.path.clone()));
    Ok(chosen)
}

fn matching<'a>(all: &'a [Item], word: &str) -> Result<Vec<&'a Item>> {
    let wanted = word.trim_end_matches('/');
    if let Some(item) = all.iter().find(|item| item.id == wanted) {
        return Ok(vec![item]);
    }
    let found: Vec<&Item> = if word.contains('*') {
        all.iter().filter(|item| glob(word, &item.id)).collect()
    } else {
        let folder = format!("{wanted}/");
        all.iter().filter(|item| item.id.starts_with(&folder)).collect()
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let last: Vec<&Item> =
        all.iter().filter(|item| item.id.rsplit('/').next() == Some(wanted)).collect();
    match last.as_slice() {
        [one] => Ok(vec![one]),
        [] => {
            let near = near(wanted, all).map(|id| format!("; did you mean `{id}`?"));
            let hint = near.unwrap_or_default();
            bail!("no scenario matches `{word}`{hint} (`wireproof list` shows all {})", all.len())
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|item| item.id.as_str()).collect();
            bail!("`{word}` names several scenarios: {}; give the whole id", ids.join(", "))
        }
    }
}

/// Whether a word names an id: the id itself, its last part, a folder of it, or a pattern.
pub(crate) fn names(word: &str, id: &str) -> bool {
    let wanted = word.trim_end_matches('/');
    id == wanted
        || (word.contains('*') && glob(word, id))
        || id.starts_with(&format!("{wanted}/"))
        || id.rsplit('/').next() == Some(wanted)
}

/// The id or folder that was probably meant.
fn near<'a>(word: &str, all: &'a [Item]) -> Option<&'a str> {
    let folder = |id: &'a str| id.rsplit_once('/').map_or(id, |(folder, _)| folder);
    let last = |id: &'a str| id.rsplit('/').next().unwrap_or(id);
    let ids = || all.iter().map(|item| item.id.as_str());
    let words: Vec<(&str, &str)> = ids()
        .map(|id| (id, id))
        .chain(ids().map(|id| (last(id), id)))
        .chain(ids().map(|id| (folder(id), folder(id))))
        .collect();
    let near = scenario::nearest(word, words.iter().map(|(word, _)| *word))?;
    words.iter().find(|(word, _)| *word == near).map(|(_, meant)| *meant)
}

/// A file given by its path keeps its golden beside it, unless it lies in the root's own folder.
fn by_path(word: &str, root: Option<&Root>) -> Result<Item> {
    let path = Path::new(word);
    if path.is_dir() {
        bail!("{word}: a folder; a scenario is a file");
    }
    if !path.exists() {
        bail!("{word}: no such file");
    }
    let whole = std::path::absolute(path)?;
    if let Some(root) = root {
        let folder = std::path::absolute(root.dir.join(SCENARIOS))?;
        if let Ok(relative) = whole.strip_prefix(&folder) {
            let golden = root.dir.join(GOLDENS).join(relative).with_extension("pcapng");
            let root = root.dir.clone();
            return Ok(Item { id: id_of(relative), path: path.to_owned(), golden, root });
        }
    }
    let id = word.trim_end_matches(".json").to_owned();
    let root = path.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Item { id, path: path.to_owned(), golden: path.with_extension("pcapng"), root })
}

/// All files below a folder with that extension, in order of their paths.
///
/// # Errors
/// When a folder cannot be read, or a link leads out of it.
pub fn files_below(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    files::below(folder, extension)
}

fn id_of(relative: &Path) -> String {
    let parts: Vec<_> = relative
        .with_extension("")
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    parts.join("/")
}

/// `*` stands for any run of characters, `/` included.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(earlier) = last.replace(part) {
            match rest.find(earlier) {
                Some(at) => rest = &rest[at + earlier.len()..],
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run() {
        assert!(glob("rst/*", "rst/fin-then-rst"));
        assert!(glob("*fin*", "rst/fin-then-rst"));
        assert!(glob("rst/*rst", "rst/fin-then-rst"));
        assert!(glob("a*b*c", "a-b-b-c"));
        assert!(!glob("rst/*", "wire/rst"));
        assert!(!glob("*fin", "rst/fin-then-rst"));
        assert!(!glob("ab*ba", "aba"));
    }

    #[test]
    fn a_near_miss_is_named_and_a_far_one_is_not() {
        let none = PathBuf::new;
        let item = |id: &str| Item { id: id.into(), path: none(), golden: none(), root: none() };
        let all = [item("rst/fin-then-rst"), item("wire/vlan")];
        assert_eq!(near("fin-then-rts", &all), Some("rst/fin-then-rst"));
        assert_eq!(near("rst/fin-than-rst", &all), Some("rst/fin-then-rst"));
        assert_eq!(near("wier", &all), Some("wire"));
        assert_eq!(near("something-else", &all), None);
    }
}

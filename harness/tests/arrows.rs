//! Holds which way the modules of each crate lead: no circle in any of them, and in the harness
//! only from a floor to those below it. The compiler holds the same between crates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use testing::project;
use wireproof::catalog::files_below;

/// The floors of the harness, the lowest first. A module uses those of lower floors alone.
const FLOORS: [&[&str]; 13] = [
    &["files", "on", "panics", "spec", "text"],
    &["catalog", "kinds", "streams"],
    &["plan"],
    &["run"],
    &["golden"],
    &["judge"],
    &["outcome"],
    &["bite", "check", "inject", "walk"],
    &["fleet", "report"],
    &["accept"],
    &["cli", "suite"],
    &["commands"],
    &["lib", "main"],
];

/// A module by its path, `run/nic/cables`, with the modules that it names by `crate`, `self` or
/// `super`.
type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The modules of a folder of sources.
fn arrows(src: &Path) -> Arrows {
    let mut texts = BTreeMap::new();
    for path in files_below(src, "rs").expect("sources") {
        let below = path.strip_prefix(src).expect("a file below").with_extension("");
        let name = below.to_string_lossy().trim_end_matches("/mod").to_owned();
        texts.insert(name, fs::read_to_string(&path).expect("a source"));
    }
    arrows_of(&texts)
}

fn arrows_of(texts: &BTreeMap<String, String>) -> Arrows {
    let is_test = |name: &str| name.ends_with("/tests") || name.contains("/tests/");
    let mut arrows = Arrows::new();
    for (name, text) in texts.iter().filter(|(name, _)| !is_test(name)) {
        let here = if name == "lib" { "" } else { name };
        let used = paths(text).into_iter().filter_map(|path| {
            let module = resolved(here, &path, texts)?;
            // A module is made of those inside it, and they of what it holds for all of them.
            (module != *name && !name.starts_with(&format!("{module}/"))).then_some(module)
        });
        arrows.insert(name.clone(), used.collect());
    }
    arrows
}

/// Every path of a text that begins with `crate`, `self` or `super`, trees of `use` spread out; no
/// comments, and nothing behind the module of tests.
fn paths(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut all = Vec::new();
    for root in ["crate::", "self::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            let inside = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
            if !inside {
                spread(String::new(), &code[at..], &mut all);
            }
        }
    }
    all
}

/// Reads one path, or a tree of them; returns what is left of the text.
fn spread<'a>(mut prefix: String, mut text: &'a str, all: &mut Vec<String>) -> &'a str {
    loop {
        text = text.trim_start();
        let word = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (name, rest) = text.split_at(word);
        prefix += name;
        if let Some(rest) = rest.strip_prefix("::{") {
            prefix += "::";
            text = rest;
            loop {
                text = spread(prefix.clone(), text, all).trim_start();
                match text.strip_prefix(',') {
                    Some(rest) if !rest.trim_start().starts_with('}') => text = rest,
                    Some(rest) => return rest.trim_start().strip_prefix('}').unwrap_or(rest),
                    None => return text.strip_prefix('}').unwrap_or(text),
                }
            }
        }
        match rest.strip_prefix("::") {
            Some(rest) => {
                prefix += "::";
                text = rest;
            }
            None => {
                all.push(prefix);
                return rest.trim_start_matches(" as ").trim_start_matches(char::is_alphanumeric);
            }
        }
    }
}

/// The module that a path leads to: the longest beginning of it that is one.
fn resolved(here: &str, path: &str, texts: &BTreeMap<String, String>) -> Option<String> {
    let mut base: Vec<&str> = here.split('/').filter(|part| !part.is_empty()).collect();
    let mut parts: Vec<&str> = path.split("::").filter(|part| !part.is_empty()).collect();
    match parts.remove(0) {
        "crate" => base.clear(),
        "super" => {
            base.pop();
            while parts.first() == Some(&"super") {
                base.pop();
                parts.remove(0);
            }
        }
        _ => {}
    }
    base.extend(parts);
    while !base.is_empty() {
        let name = base.join("/");
        if texts.contains_key(&name) {
            return Some(name);
        }
        base.pop();
    }
    None
}

/// A way from a module back to itself, if there is one.
fn circle(arrows: &Arrows) -> Option<Vec<&str>> {
    fn walk<'a>(
        at: &'a str,
        arrows: &'a Arrows,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<&'a str>> {
        if let Some(from) = way.iter().position(|on| *on == at) {
            return Some(way[from..].to_vec());
        }
        if !done.contains(at) {
            way.push(at);
            for next in arrows.get(at).into_iter().flatten() {
                if let Some(found) = walk(next, arrows, way, done) {
                    return Some(found);
                }
            }
            way.pop();
            done.insert(at);
        }
        None
    }
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|from| walk(from, arrows, &mut Vec::new(), &mut done))
}

/// The arrows of the harness that lead upward, or to another module of the same floor.
fn upward(arrows: &Arrows) -> Vec<String> {
    let floor = |name: &str| {
        let room = name.split('/').next().unwrap_or(name);
        let known = FLOORS.iter().position(|floor| floor.contains(&room));
        (known.unwrap_or_else(|| panic!("the floor of `{room}` is not known")), room.to_owned())
    };
    let mut wrong = Vec::new();
    for (from, to) in arrows.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to))) {
        let ((here, room), (there, other)) = (floor(from), floor(to));
        if there >= here && room != other {
            wrong.push(format!("{from} uses {to}, which is no lower"));
        }
    }
    wrong
}

#[test]
fn no_crate_has_a_circle_of_modules() {
    let mut crates: Vec<PathBuf> = fs::read_dir(project().join("crates"))
        .expect("crates")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    crates.push(project().join("harness"));
    for folder in crates {
        let arrows = arrows(&folder.join("src"));
        assert!(arrows.len() > 4, "{}: no modules were found", folder.display());
        assert_eq!(circle(&arrows), None, "{}", folder.display());
    }
}

#[test]
fn the_harness_uses_what_is_below() {
    let wrong = upward(&arrows(&project().join("harness/src")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_arrow_that_is_planted_is_found() {
    let src = project().join("harness/src");
    let mut texts = BTreeMap::new();
    for (name, text) in [
        ("lib", "mod plan; mod run;"),
        ("plan", "use crate::{\n    run::{self, Run as R},\n    text,\n};"),
        ("run", "mod sim;\nfn f() { crate::text::line() }"),
        ("run/sim", "use super::super::plan;\n// use crate::report;"),
        ("text", "#[cfg(test)]\nmod tests { use crate::report; }"),
        ("report", ""),
    ] {
        texts.insert(name.to_owned(), text.to_owned());
    }
    let planted = arrows_of(&texts);
    let of = |name: &str| planted[name].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("plan"), ["run", "text"]);
    assert_eq!((of("run"), of("run/sim"), of("text")), (vec!["text"], vec!["plan"], vec![]));
    assert_eq!(upward(&planted), ["plan uses run, which is no lower"]);
    texts.insert("run".to_owned(), "use self::sim::Sim;\nmod sim;".to_owned());
    assert_eq!(circle(&arrows_of(&texts)), Some(vec!["plan", "run", "run/sim"]));
    assert!(src.join("lib.rs").is_file());
}

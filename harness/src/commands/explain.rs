//! `wireproof explain`: the checks, and every requirement, in words. Knows the list that is built
//! in; needs no folder but to say which scenarios cite what.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use checks::{CHECKS, Check};
use nodes::Registry;

use crate::catalog::{self, Item};
use crate::cli::Explain;
use crate::report::EXIT_HOLDS;
use crate::streams;
use crate::text::{count, harmless};
use crate::walk::Walk;

/// Every requirement, a row each: id, section, words, how far it shows on a wire.
const REQUIREMENTS: &str = include_str!("../../../docs/requirements.tsv");

/// Requirements that a check covers beside the most telling one, which it names.
const ALSO: &[(&str, &str)] = &[
    ("U9293-RSTGEN-1", "rst-seq"),
    ("U9293-RSTGEN-2", "rst-flags"),
    ("MUST-7", "tcp-options"),
    ("7323-2.2-1", "tcp-options-syn-only"),
    ("2018-2-1", "tcp-options-syn-only"),
    ("1122-3.2.1.2", "bad-checksum-answered"),
];

/// How many ids are near enough to be named.
const MOST_NEAR: usize = 5;

/// A row of the list of requirements.
#[derive(Clone, Copy, Debug)]
struct Requirement {
    id: &'static str,
    section: &'static str,
    words: &'static str,
    shows: &'static str,
}

/// What a scenario says of itself.
#[derive(Clone, Debug)]
pub struct Cited {
    /// Its id.
    pub id: String,
    /// What it cites.
    pub cites: Vec<String>,
    /// The checks that are to find something in it.
    pub finds: Vec<String>,
}

/// Explains all checks, or one check or requirement; returns the exit code.
///
/// # Errors
/// When there is neither a check nor a requirement of that id.
pub fn explain(root: Option<&Path>, words: &Explain, registry: Registry) -> Result<u8> {
    let Some(id) = &words.id else {
        streams::say(anstream::stdout().lock(), all().as_bytes())?;
        return Ok(EXIT_HOLDS);
    };
    let text = in_words(id, &cited(root, registry)?)?;
    streams::say(anstream::stdout().lock(), harmless(&text).as_bytes())?;
    Ok(EXIT_HOLDS)
}

/// One check or requirement in words, with what scenarios say of it.
///
/// # Errors
/// When there is neither of that id.
pub fn in_words(id: &str, scenarios: &[Cited]) -> Result<String> {
    if let Some(check) = CHECKS.iter().find(|check| check.id.eq_ignore_ascii_case(id)) {
        return Ok(check_in_words(check, scenarios));
    }
    match requirements().find(|requirement| requirement.id.eq_ignore_ascii_case(id)) {
        Some(requirement) => Ok(requirement_in_words(requirement, scenarios)),
        None => bail!("{}", unknown(id)),
    }
}

/// Every check, and how many requirements there are.
fn all() -> String {
    let mut out = String::new();
    for check in CHECKS {
        let Check { id, clause, requirement, title, about, .. } = check;
        let level = check.level.to_string();
        let _ =
            writeln!(out, "{id:22} {level:6} {clause} ({requirement})\n    {title}\n    {about}");
    }
    let checks = count(CHECKS.len(), "check");
    let requirements = count(requirements().count(), "requirement");
    let _ =
        writeln!(out, "{checks}, {requirements}; `wireproof explain ID` explains one of either");
    out
}

fn requirements() -> impl Iterator<Item = Requirement> {
    REQUIREMENTS.lines().skip(1).filter_map(|line| {
        let mut columns = line.split('\t');
        Some(Requirement {
            id: columns.next()?,
            section: columns.next()?,
            words: columns.next()?,
            shows: columns.next()?,
        })
    })
}

/// The scenarios of the root, where there is one.
fn cited(root: Option<&Path>, registry: Registry) -> Result<Vec<Cited>> {
    let found = super::root(root)?;
    let Some(found) = found else { return Ok(Vec::new()) };
    let walk = Walk { registry, ..Walk::standard() };
    let items = catalog::select(Some(&found), &[]).unwrap_or_default();
    let cited = |item: Item| {
        let plan = walk.plan(&item).ok()?;
        Some(Cited { id: item.id, cites: plan.cites, finds: plan.finds })
    };
    Ok(items.into_iter().filter_map(cited).collect())
}

fn check_in_words(check: &Check, scenarios: &[Cited]) -> String {
    let mut out = format!("{}: {}\n\n{}\n\n", check.id, check.title, check.about);
    let _ = writeln!(out, "level        {}", check.level);
    let _ = writeln!(out, "clause       {}", check.clause);
    let _ = writeln!(out, "requirement  {}", check.requirement);
    if let Some(requirement) = requirements().find(|r| r.id == check.requirement) {
        let _ = writeln!(out, "             {}", requirement.words);
    }
    let biting = scenarios.iter().filter(|scenario| scenario.finds.iter().any(|f| f == check.id));
    list(&mut out, "seen biting", biting.map(|scenario| scenario.id.as_str()));
    let citing = scenarios.iter().filter(|scenario| {
        let its = |cite: &String| cite == check.requirement;
        scenario.cites.iter().any(its) && !scenario.finds.iter().any(|f| f == check.id)
    });
    list(&mut out, "cited by", citing.map(|scenario| scenario.id.as_str()));
    if scenarios.is_empty() {
        out += "             (scenarios are listed where a folder with scenarios/ is there)\n";
    }
    out
}

fn requirement_in_words(requirement: Requirement, scenarios: &[Cited]) -> String {
    let Requirement { id, section, words, shows } = requirement;
    let mut out = format!("{id}: {words}\n\n");
    let _ = writeln!(out, "section      {}", section_of(id, section));
    if let Some(level) = level(id, words) {
        let _ = writeln!(out, "level        {level}");
    }
    let also = |check: &Check| ALSO.contains(&(id, check.id));
    let covering: Vec<&&Check> =
        CHECKS.iter().filter(|check| check.requirement == id || also(check)).collect();
    for check in &covering {
        let _ = writeln!(out, "check        {} ({}): {}", check.id, check.level, check.title);
    }
    let citing: Vec<&str> = scenarios
        .iter()
        .filter(|scenario| scenario.cites.iter().any(|cite| cite == id))
        .map(|scenario| scenario.id.as_str())
        .collect();
    if covering.is_empty() {
        let _ = writeln!(out, "check        none: {}", why_none(shows));
    }
    let _ = writeln!(out, "on a wire    {}", how_it_shows(shows));
    let biting = scenarios.iter().filter(|scenario| {
        covering.iter().any(|check| scenario.finds.iter().any(|found| found == check.id))
    });
    list(&mut out, "seen biting", biting.map(|scenario| scenario.id.as_str()));
    list(&mut out, "cited by", citing.into_iter());
    if scenarios.is_empty() {
        out += "             (scenarios are listed where a folder with scenarios/ is there)\n";
    }
    out
}

/// A column of words under one name.
fn list<'a>(out: &mut String, name: &str, words: impl Iterator<Item = &'a str>) {
    for (number, word) in words.enumerate() {
        let name = if number == 0 { name } else { "" };
        let _ = writeln!(out, "{name:12} {word}");
    }
}

/// `RFC 9293 3.1`: an id of RFC 9293's own has no number before it.
fn section_of(id: &str, section: &str) -> String {
    let number = id.split('-').next().unwrap_or("");
    match number {
        "8023" => format!("IEEE 802.3 {section}"),
        "U9293" => format!("RFC 9293 {section}"),
        _ if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            format!("RFC {number} {section}")
        }
        _ => format!("RFC 9293 {section}"),
    }
}

/// How binding it is: RFC 9293 tells by the id; of the others a check that covers it tells.
fn level(id: &str, words: &str) -> Option<String> {
    let by_id = [("MUST-", "MUST"), ("SHLD-", "SHOULD"), ("MAY-", "MAY"), ("REC-", "recommended")];
    if let Some((_, level)) = by_id.iter().find(|(prefix, _)| id.starts_with(prefix)) {
        let not = words.starts_with("MUST NOT") || words.starts_with("SHOULD NOT");
        return Some(if not { format!("{level} NOT") } else { (*level).to_owned() });
    }
    let check = CHECKS.iter().find(|check| check.requirement == id)?;
    Some(check.level.to_string())
}

fn how_it_shows(shows: &str) -> &str {
    match shows {
        "yes" => "it shows: a frame proves it or breaks it",
        "partly" => "it shows in part: some of what it asks stays inside the implementation",
        "no" => "it does not show: it is about the inside of an implementation or its interface",
        other => other,
    }
}

fn why_none(shows: &str) -> &'static str {
    match shows {
        "no" => "no frame tells whether it is held",
        _ => {
            "a capture alone does not tell: it takes the state of a connection, or a scenario that \
             puts the question"
        }
    }
}

/// The ids that are near, or have the word in them.
fn unknown(id: &str) -> String {
    let ids: Vec<&str> =
        CHECKS.iter().map(|check| check.id).chain(requirements().map(|r| r.id)).collect();
    let word = id.to_ascii_lowercase();
    let inside = |known: &&&str| word.len() > 2 && known.to_ascii_lowercase().contains(&word);
    let first = scenario::nearest(id, ids.iter().copied());
    let others = ids.iter().filter(inside).copied().filter(|known| Some(*known) != first);
    let mut near: Vec<&str> = first.into_iter().chain(others).collect();
    near.truncate(MOST_NEAR);
    let near: Vec<String> = near.iter().map(|known| format!("`{known}`")).collect();
    let hint = match near.as_slice() {
        [] => "`wireproof explain` lists the checks, docs/requirements.tsv the requirements".into(),
        [one] => format!("did you mean {one}?"),
        several => format!("did you mean one of {}?", several.join(", ")),
    };
    format!("no check and no requirement is called `{id}`; {hint}")
}

//! `wireproof run`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use nodes::Registry;

use crate::catalog::{self, Item};
use crate::cli::{Format, Run};
use crate::fleet;
use crate::golden::{self, Settled};
use crate::on::On;
use crate::outcome::{Entry, Walked};
use crate::plan::Swap;
use crate::report::{self, Totals};
use crate::run::nic::cables::Cables;
use crate::streams;
use crate::walk::Walk;

/// Runs and judges; returns the exit code.
///
/// # Errors
/// When the words mean nothing, or a file cannot be written.
pub fn run(root: Option<&Path>, words: &Run, registry: Registry) -> Result<u8> {
    // Files are read before this process has the rights of a wire; a cable's are asked for first.
    let cables = if words.on == On::Veth { None } else { available(words)? };
    let items = catalog::select(super::root(root)?.as_ref(), &words.ids)?;
    let items = if words.any_host { for_any_host(items)? } else { items };
    let swaps = Swap::parse_all(&words.swap)?;
    let no_golden = words.no_golden.then(|| "--no-golden was given".to_owned());
    // All there is takes milliseconds without them.
    let guests = !words.ids.is_empty();
    let (on, strict) = (words.on, words.strict);
    let walk = Walk { registry, swaps, no_golden, on, cables, strict, guests, ..Walk::standard() };
    follow_reviews(&items)?;
    if words.on == On::Veth {
        walk.read_ahead(&items);
        available(words)?;
    }
    let targets = targets(words.write.as_deref(), &items)?;
    // A cable carries one scenario at a time.
    let jobs = if walk.cables.is_some() { NonZeroUsize::new(1) } else { words.jobs };
    let entries = fleet::walk_all(&walk, items, jobs);
    for (entry, target) in entries.iter().zip(&targets) {
        if let Some(target) = target {
            write_capture(entry, target, folder(words.write.as_deref()))?;
        }
    }
    swapped_somewhere(&entries)?;
    print(root, words, &entries)?;
    Ok(Totals::of(&entries).exit_code())
}

/// Lets the frames follow the renderings that a review accepted: they lie in a file that git
/// ignores until then, and whoever got the rest would have half of a golden.
fn follow_reviews(items: &[Item]) -> Result<()> {
    if golden::in_ci() {
        return Ok(());
    }
    for item in items {
        if golden::follow(item)? == Settled::Accepted {
            streams::warn(&format!("accepted in review: {}", crate::text::path(&item.golden)));
        }
    }
    Ok(())
}

/// Sees to it that this process can run on the wire, and how. While it has a single thread: a veth
/// wire moves it into namespaces of its own.
fn available(words: &Run) -> Result<Option<Cables>> {
    if words.on != On::Nic
        && let Some(flag) = words.nic.flags().first()
    {
        bail!("{flag} goes with --on nic");
    }
    match words.on {
        On::Veth => veth::enter().map(|()| None).map_err(Into::into),
        On::Nic if words.jobs.is_some_and(|jobs| jobs.get() > 1) => {
            bail!("--jobs: a cable carries one scenario at a time")
        }
        On::Nic => Cables::plug(&words.nic.options(), words.any_host).map(Some),
        _ => Ok(None),
    }
}

/// Those that ask what any host must do, by their own word. One that cannot be read stays: why is
/// told where it is run.
fn for_any_host(items: Vec<Item>) -> Result<Vec<Item>> {
    let all = items.len();
    let asks = |item: &Item| match crate::walk::scenario(item) {
        Some(scenario) => scenario.any_host.is_some(),
        None => true,
    };
    let chosen: Vec<Item> = items.into_iter().filter(asks).collect();
    if chosen.is_empty() {
        bail!("--any-host: none of {all} scenarios says `any-host`, which names the clause");
    }
    anstream::eprintln!(
        "--any-host: {} of {all} scenarios ask what any host must do",
        chosen.len()
    );
    Ok(chosen)
}

/// Where each capture is written: a file for one scenario, a folder for several.
fn targets(given: Option<&Path>, items: &[Item]) -> Result<Vec<Option<PathBuf>>> {
    let Some(given) = given else { return Ok(vec![None; items.len()]) };
    if given == Path::new("-") && items.len() > 1 {
        bail!("-w -: {} scenarios are selected; standard output takes one capture", items.len());
    }
    if let Some(folder) = folder(Some(given)) {
        let below = |item: &Item| {
            let id = item.id.trim_start_matches(['/', '.']);
            Some(folder.join(format!("{id}.pcapng")))
        };
        return Ok(items.iter().map(below).collect());
    }
    if items.len() > 1 {
        bail!(
            "-w {}: {} scenarios are selected; name one, or a folder that is there to write one \
             capture each",
            given.display(),
            items.len()
        );
    }
    streams::writable(given)?;
    Ok(vec![Some(given.to_owned())])
}

/// The folder that captures are written to, where it is one.
fn folder(given: Option<&Path>) -> Option<&Path> {
    given.filter(|given| given.is_dir())
}

/// Writes a capture to the file that the user names. What lies below a folder that they name may be
/// a repository's: no link is followed there, and nothing but a regular file replaced.
fn write_capture(entry: &Entry, target: &Path, folder: Option<&Path>) -> Result<()> {
    let Walked::Judged(judged) = &entry.walked else { return Ok(()) };
    let comments = report::comments::comments(judged);
    match folder {
        Some(folder) => {
            streams::write_below(folder, target, &judged.run.transcript.capture, &comments)
        }
        None => streams::write_capture(target, &judged.run.transcript.capture, &comments),
    }
}

/// A swap that no scenario took is a slip of the pen.
fn swapped_somewhere(entries: &[Entry]) -> Result<()> {
    let mut reasons = entries.iter().map_while(|entry| match &entry.walked {
        Walked::NotRun(reason) => {
            let (id, reason) = (crate::text::line(&entry.item.id), crate::text::line(reason));
            Some(format!("{id}: {reason}"))
        }
        _ => None,
    });
    let first = reasons.next();
    match (first, reasons.count() + 1 == entries.len()) {
        (Some(first), true) if entries.len() == 1 => bail!("{first}"),
        (Some(first), true) => bail!("none of {} scenarios was run; {first}", entries.len()),
        _ => Ok(()),
    }
}

fn print(root: Option<&Path>, words: &Run, entries: &[Entry]) -> Result<()> {
    // With the capture on standard output, the report goes where it is still read.
    let to_stderr = words.write.as_deref() == Some(Path::new("-"));
    let hints = report::text::Hints::command(root, &words.swap);
    let hints = hints.on(words.on, &words.nic.flags());
    let hints = hints.judged(words.no_golden, words.strict, words.any_host);
    let text = match words.format {
        Format::Json => report::json::document(entries)?,
        Format::Junit => report::junit::document(entries, &hints)?,
        Format::Text => {
            let colour =
                anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
            let mut text: String = entries
                .iter()
                .map(|entry| report::text::entry(entry, &hints, words.verbose, colour))
                .collect();
            if entries.len() > 1 {
                text += &report::text::summary(entries);
            }
            text
        }
    };
    if to_stderr {
        streams::say(anstream::stderr().lock(), text.as_bytes())
    } else {
        streams::say(anstream::stdout().lock(), text.as_bytes())
    }
}

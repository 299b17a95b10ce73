//! `wireproof run`.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use nodes::Registry;

use crate::cables::Cables;
use crate::catalog::{self, Item};
use crate::cli::{Format, Run, Wire};
use crate::golden::{self, Settled};
use crate::plan::Swap;
use crate::report::{self, Entry, Totals};
use crate::walk::{Walk, Walked};

/// Fewer scenarios than this are not worth a bar.
const BAR_FROM: usize = 20;

/// Runs and judges; returns the exit code.
///
/// # Errors
/// When the words mean nothing, or a file cannot be written.
pub fn run(root: Option<&Path>, words: &Run, registry: Registry) -> Result<u8> {
    // Files are read before this process has the rights of a wire; a cable's are asked for first.
    let cables = if words.on == Wire::Veth { None } else { available(words)? };
    let items = catalog::select(super::root(root)?.as_ref(), &words.ids)?;
    let items = if words.any_host { for_any_host(items)? } else { items };
    let swaps = Swap::parse_all(&words.swap)?;
    let no_golden = words.no_golden.then(|| "--no-golden was given".to_owned());
    // All there is takes milliseconds without them.
    let guests = !words.ids.is_empty();
    let (on, strict) = (words.on, words.strict);
    let walk = Walk { registry, swaps, no_golden, on, cables, strict, guests, ..Walk::standard() };
    follow_reviews(&items)?;
    if words.on == Wire::Veth {
        walk.read_ahead(&items);
        available(words)?;
    }
    let targets = targets(words.write.as_deref(), &items)?;
    // A cable carries one scenario at a time.
    let jobs = if walk.cables.is_some() { NonZeroUsize::new(1) } else { words.jobs };
    let entries = walk_all(&walk, items, jobs);
    for (entry, target) in entries.iter().zip(&targets) {
        if let Some(target) = target {
            write_capture(entry, target)?;
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
            super::warn(&format!("accepted in review: {}", crate::text::path(&item.golden)));
        }
    }
    Ok(())
}

/// Sees to it that this process can run on the wire, and how. While it has a single thread: a veth
/// wire moves it into namespaces of its own.
fn available(words: &Run) -> Result<Option<Cables>> {
    if words.on != Wire::Nic
        && let Some(flag) = words.nic.flags().first()
    {
        bail!("{flag} goes with --on nic");
    }
    match words.on {
        Wire::Sim => Ok(None),
        Wire::Veth => veth::enter().map(|()| None).map_err(Into::into),
        Wire::Nic if words.jobs.is_some_and(|jobs| jobs.get() > 1) => {
            bail!("--jobs: a cable carries one scenario at a time")
        }
        Wire::Nic => Cables::plug(&words.nic, words.any_host).map(Some),
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

/// Walks all items, several at a time; the entries keep the order of the items.
#[must_use]
pub fn walk_all(walk: &Walk, items: Vec<Item>, jobs: Option<NonZeroUsize>) -> Vec<Entry> {
    let walked = each(&items, jobs, |item| walk.item(item));
    items.into_iter().zip(walked).map(|(item, walked)| Entry { item, walked }).collect()
}

/// Does the same with each item, several at a time, behind a bar; the results keep the order of the
/// items.
pub(super) fn each<T: Send>(
    items: &[Item],
    jobs: Option<NonZeroUsize>,
    work: impl Fn(&Item) -> T + Sync,
) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let workers = jobs.map_or(cores, NonZeroUsize::get).min(items.len());
    let bar = bar(items.len());
    let counted = |item: &Item| {
        let done = work(item);
        bar.inc(1);
        done
    };
    if workers <= 1 {
        let done = items.iter().map(counted).collect();
        bar.finish_and_clear();
        return done;
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let result = counted(item);
                    done.lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push((at, result));
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A bar on a terminal, for a run long enough to watch.
fn bar(length: usize) -> ProgressBar {
    if length < BAR_FROM || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} scenarios")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}

/// Where each capture is written: a file for one scenario, a folder for several.
fn targets(given: Option<&Path>, items: &[Item]) -> Result<Vec<Option<PathBuf>>> {
    let Some(given) = given else { return Ok(vec![None; items.len()]) };
    if given == Path::new("-") && items.len() > 1 {
        bail!("-w -: {} scenarios are selected; standard output takes one capture", items.len());
    }
    if given.is_dir() {
        let below = |item: &Item| {
            let id = item.id.trim_start_matches(['/', '.']);
            Some(given.join(format!("{id}.pcapng")))
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
    super::writable(given)?;
    Ok(vec![Some(given.to_owned())])
}

fn write_capture(entry: &Entry, target: &Path) -> Result<()> {
    let Walked::Judged(judged) = &entry.walked else { return Ok(()) };
    let comments = report::comments::comments(judged);
    super::write_capture(target, &judged.run.capture, &comments)
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
        super::say(anstream::stderr().lock(), text.as_bytes())
    } else {
        super::say(anstream::stdout().lock(), text.as_bytes())
    }
}

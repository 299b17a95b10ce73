//! Many scenarios at once: the same work for each, on as many threads as there are cores, behind
//! a bar. Knows items and walks; judges nothing.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::catalog::Item;
use crate::outcome::Entry;
use crate::walk::Walk;

/// Fewer scenarios than this are not worth a bar.
const BAR_FROM: usize = 20;

/// Walks all items, several at a time; the entries keep the order of the items.
#[must_use]
pub(crate) fn walk_all(walk: &Walk, items: Vec<Item>, jobs: Option<NonZeroUsize>) -> Vec<Entry> {
    let walked = each(&items, jobs, |item| walk.item(item));
    items.into_iter().zip(walked).map(|(item, walked)| Entry { item, walked }).collect()
}

/// Does the same with each item, several at a time, behind a bar; the results keep the order of the
/// items.
pub(crate) fn each<T: Send>(
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

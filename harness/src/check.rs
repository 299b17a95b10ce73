//! Judging captures from elsewhere: what is said of their hosts, and a file read frame by frame
//! into the checks. Knows files and words; holds no rule and prints nothing.

use std::path::Path;

use anyhow::{Context, Result};
use checks::observed::{Observed, Observer, Settings};
use wire::FrameId;
use wire::pcapng::Reader;

use crate::streams;

mod host;

pub use host::HostSpec;
pub(crate) use host::part_of;

/// A capture file that was judged.
#[derive(Debug)]
pub struct Checked {
    /// The file, as it was named.
    pub name: String,
    /// What was found in it.
    pub observed: Observed,
    /// What reading it had to pass over.
    pub notes: Vec<String>,
    /// Where it breaks off, if it does.
    pub broken: Option<String>,
}

/// Judges one file or, for `-`, standard input.
///
/// # Errors
/// When it cannot be read at all, or a host that was given is not in it.
pub fn check(path: &Path, hosts: &[HostSpec], whole: bool) -> Result<Checked> {
    let given = hosts.iter().map(|host| host.given.clone()).collect();
    let mut observer = Observer::new(Settings { given, whole, ..Settings::default() });
    let name = path.display().to_string();
    let mut reader = Reader::new(streams::open_input(path)?);
    let mut any = false;
    let broken = loop {
        match reader.next_frame() {
            Ok(None) => break None,
            Ok(Some(taken)) => {
                any = true;
                let place = place(taken.number)?;
                observer.push(place, taken.time, taken.interface, taken.frame);
            }
            Err(error) if !any => anyhow::bail!("{name}: {error}"),
            Err(error) => break Some(error.to_string()),
        }
    };
    let observed = observer.finish();
    present(&name, hosts, &observed)?;
    Ok(Checked { name, observed, notes: reader.notes(), broken })
}

/// The place of a frame by Wireshark's number.
fn place(number: u64) -> Result<FrameId> {
    let place = u32::try_from(number.saturating_sub(1));
    Ok(FrameId(place.context("more than 4,294,967,295 frames")?))
}

/// Every host that was given is in the capture: a slip of the pen would judge nobody.
fn present(name: &str, hosts: &[HostSpec], observed: &Observed) -> Result<()> {
    let Some(index) = observed.absent.first() else { return Ok(()) };
    let word = hosts.get(*index).map_or("", |host| host.word.as_str());
    let mut seen: Vec<&str> = observed.hosts.iter().map(|host| host.name.as_str()).collect();
    let more = seen.len().saturating_sub(10);
    seen.truncate(10);
    let seen = if seen.is_empty() { "no host".to_owned() } else { seen.join(", ") };
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    anyhow::bail!("--host {word}: no frame of {name} is from it or to it; there are {seen}{more}")
}

/// The comments that findings leave in a copy of their capture.
#[must_use]
pub fn comment(finding: &checks::Finding) -> (Option<FrameId>, String) {
    let check = finding.check;
    let (level, clause) = (check.level, check.clause);
    let mut text = format!("{level} {} ({clause}): {}", check.id, finding.message);
    if !finding.expected.is_empty() || !finding.actual.is_empty() {
        text += &format!("; expected {}, got {}", finding.expected, finding.actual);
    }
    (finding.place(), text)
}

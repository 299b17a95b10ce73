//! What is to be known of a guest beside the frames: whether its machine is well, and whether it
//! did something that only its own clock had it do. Knows no run; whoever drives one asks.

use linux::fence;
use wire::{Duration, Instant};

use super::way::{Held, Shared};
use crate::error::Error;
use crate::machine::Clock;

/// Link time that may pass before a guest's own timers would have been heard of: the shortest of
/// TCP's is that of a delayed acknowledgment, 40 ms.
const UNHEARD: Duration = Duration::from_millis(30);

/// What went wrong with a guest, by what it means for the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The guest's kernel is at fault: it panicked, or warned of itself.
    Fault(String),
    /// It did not answer in time, and still may: the machine is busy, or it hangs.
    Late(String),
    /// The guest is no more, or does not do as it is told.
    Broken(String),
}

/// Watches the machine of a node, and gives it back when the run is over.
#[derive(Debug)]
pub struct Watch {
    shared: Shared,
    remarks: Vec<String>,
}

impl Watch {
    pub(super) fn new(shared: Shared, remarks: Vec<String>) -> Self {
        Self { shared, remarks }
    }

    /// What the guest was told, a line each.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Runs a script in the guest meanwhile, as a look into it or to disturb it; what it wrote.
    /// `None` when it failed; what is wrong with the guest then is told at the end.
    #[must_use]
    pub fn run(&self, script: &str) -> Option<String> {
        match self.shared.run(script) {
            Ok(output) => Some(output),
            Err(Error::Refused { .. }) => None,
            Err(error) => {
                self.shared.lock().trouble(error);
                None
            }
        }
    }

    /// The guest's clock is the link's, and it runs only as far as it is [let](Self::let_run).
    #[must_use]
    pub fn is_lockstep(&self) -> bool {
        let mut held = self.shared.lock();
        held.machine().is_ok_and(|machine| machine.clock() == Clock::Lockstep)
    }

    /// Lets a guest in lockstep run until the link's time is `until`, or until it speaks of its own
    /// accord: then, when. What it said it emits when it is woken.
    #[must_use]
    pub fn let_run(&self, until: Instant) -> Option<Instant> {
        let mut held = self.shared.lock();
        let ran = held.machine().and_then(|machine| machine.let_run(until));
        ran.unwrap_or_else(|error| {
            held.trouble(error);
            None
        })
    }

    /// Something went wrong already, and the run cannot go on as it should.
    #[must_use]
    pub fn is_troubled(&self) -> bool {
        self.shared.lock().trouble.is_some()
    }

    /// What it was told to send and its module cannot build, so that the scenario is none for it.
    #[must_use]
    pub fn unable(&self) -> Option<String> {
        self.shared.lock().unable.clone()
    }

    /// Why what the guest said proves nothing when it is `now` on the link: it acted, or would have
    /// acted, by its own clock where the link's should have ruled.
    #[must_use]
    pub fn out_of_turn(&self, now: Instant) -> Option<String> {
        let mut held = self.shared.lock();
        if held.machine.is_some()
            && held.trouble.is_none()
            && let Err(error) = look(&mut held, now)
        {
            held.trouble(error);
        }
        held.out_of_turn.clone()
    }

    /// Ends the run of this guest: its machine goes back where it came from when all is well, and
    /// the file of its console stays when not.
    #[must_use]
    pub fn finish(self) -> Option<Trouble> {
        let mut held = self.shared.lock();
        let mut machine = held.machine.take()?;
        // What a machine says of itself outweighs what came of it, and is said only once.
        let trouble = match (machine.health(), held.trouble.take()) {
            (Ok(()), earlier) => earlier,
            (Err(health), Some(earlier)) if weight(&earlier) >= weight(&health) => Some(earlier),
            (Err(health), _) => Some(health),
        };
        let console = machine.console().display().to_string();
        let told = meaning(trouble?, &console);
        machine.discard();
        Some(told)
    }
}

/// Ends the run of a guest that could not be set up; what was wrong with it, most of all.
pub(super) fn refused(shared: &Shared, error: Error) -> Error {
    let Some(mut machine) = shared.lock().machine.take() else { return error };
    let health = machine.health();
    match (health, error) {
        // What it was told is at fault, and not the guest.
        (Ok(()), error @ (Error::Refused { .. } | Error::Missing(_) | Error::Plan(_))) => error,
        (Ok(()) | Err(Error::Late(_)), error) => {
            machine.discard();
            error
        }
        (Err(health), _) => {
            machine.discard();
            health
        }
    }
}

/// How much an error says about what is wrong with a guest.
fn weight(error: &Error) -> u8 {
    match error {
        Error::Oops(_) | Error::Panic(_) => 3,
        Error::Warning(_) => 2,
        Error::Died(_) => 1,
        _ => 0,
    }
}

fn meaning(error: Error, console: &str) -> Trouble {
    let told = error.to_string();
    let told = match told.contains(console) {
        true => told,
        false => format!("{told} (console: {console})"),
    };
    match error {
        Error::Panic(_) | Error::Oops(_) | Error::Warning(_) => Trouble::Fault(told),
        Error::Late(_) => Trouble::Late(told),
        _ => Trouble::Broken(told),
    }
}

/// Looks for what the guest does of its own accord, when it is `now` on the link: frames that
/// nobody asked it for, and connections whose timers the link's time does not move.
pub(super) fn look(held: &mut Held, now: Instant) -> Result<(), Error> {
    if held.in_step {
        return Ok(());
    }
    let mut frame = Vec::new();
    for port in held.linked.clone() {
        while held.machine()?.port(port).take(&mut frame)? {
            if !fence::is_noise(&frame) {
                let line = wire::render::line(&frame);
                note(held, &format!("it sent of its own accord: {line}"));
            }
        }
    }
    let passed = now - held.heard;
    held.heard = now;
    if held.listens && passed >= UNHEARD {
        let tables = held.machine()?.run("cat /proc/net/tcp /proc/net/tcp6")?;
        if tables.lines().any(is_open) {
            let passed = passed.as_millis();
            note(held, &format!("it has a connection open while {passed} ms pass on the link"));
        }
    }
    Ok(())
}

fn note(held: &mut Held, what: &str) {
    let told = || {
        format!(
            "the guest's timers run by its own clock, and {what}; let the link's clock be the real \
             one (--on veth), or the guest's clock the link's (clock=lockstep)"
        )
    };
    held.out_of_turn.get_or_insert_with(told);
}

/// A line of `/proc/net/tcp` is about a connection that has timers: not about a port that listens
/// (state 0A), one that is closed (07) or one that only waits for its name to be free (06).
fn is_open(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let number = words.next().and_then(|word| word.strip_suffix(':'));
    let is_entry = number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    is_entry && words.nth(2).is_some_and(|state| !["0A", "06", "07"].contains(&state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_connections_are_told_from_listening_ports() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when";
        let listens = "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000";
        let half = "   1: 0200000A:0050 0100000A:0FA0 03 00000000:00000000 01:00000063";
        assert_eq!([head, listens, half].map(is_open), [false, false, true]);
    }

    #[test]
    fn trouble_means_what_its_error_says_and_names_the_console() {
        let fault = meaning(Error::Warning("it warns (console: /c)".into()), "/c");
        assert_eq!(fault, Trouble::Fault("it warns (console: /c)".into()));
        let late = meaning(Error::Late("too late".into()), "/c");
        assert_eq!(late, Trouble::Late("too late (console: /c)".into()));
        assert!(matches!(meaning(Error::Died("gone".into()), "/c"), Trouble::Broken(_)));
    }
}

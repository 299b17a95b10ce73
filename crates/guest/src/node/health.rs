//! What is to be known of a guest beside its frames: whether its machine is well, and whether it
//! did something that only its own clock had it do. Knows no run.

use link::Fault;
use linux::barrier;
use wire::{Duration, Instant};

use super::io::GuestIo;
use crate::error::Error;

/// Link time that may pass before a guest's own timers would have had effect: the shortest of
/// TCP's is that of a delayed acknowledgment, 40 ms.
const TIMERLESS: Duration = Duration::from_millis(30);

impl GuestIo {
    /// Ends the guest's part of the run: its machine goes back where it came from when all is
    /// well, and the file of its console stays when not.
    pub(super) fn close(&mut self) -> Option<Fault> {
        let mut machine = self.machine.take()?;
        // An error of the machine outweighs its consequences, and is reported only once.
        let error = match (machine.health(), self.error.take()) {
            (Ok(()), earlier) => earlier,
            (Err(health), Some(earlier)) if weight(&earlier) >= weight(&health) => Some(earlier),
            (Err(health), _) => Some(health),
        };
        let console = machine.console().display().to_string();
        let fault = meaning(error?, &console);
        machine.discard();
        Some(fault)
    }

    /// Ends a guest that could not be set up; what was wrong with it, most of all.
    pub(super) fn refused(&mut self, error: Error) -> Error {
        let Some(mut machine) = self.machine.take() else { return error };
        let health = machine.health();
        match (health, error) {
            // What it was given is at fault, and not the guest.
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

    /// Looks for what the guest does by its own clock, when it is `now` on the link: frames that
    /// nobody asked it for, and connections whose timers the link's time does not move.
    pub(super) fn look(&mut self, now: Instant) -> Result<(), Error> {
        if self.in_step {
            return Ok(());
        }
        let mut frame = Vec::new();
        for port in self.linked() {
            while self.machine()?.port(port).take(&mut frame)? {
                if !barrier::is_ignored(&frame) {
                    let line = wire::render::line(&frame);
                    self.out_of_step(&format!("it emitted a frame unsolicited: {line}"));
                }
            }
        }
        let passed = now - self.looked;
        self.looked = now;
        if self.listens && passed >= TIMERLESS {
            let tables = self.run("cat /proc/net/tcp /proc/net/tcp6")?;
            if tables.lines().any(is_open) {
                let passed = passed.as_millis();
                self.out_of_step(&format!(
                    "it has a connection open while {passed} ms pass on the link"
                ));
            }
        }
        Ok(())
    }

    fn out_of_step(&mut self, what: &str) {
        if !self.faults.iter().any(|fault| matches!(fault, Fault::OutOfStep(_))) {
            self.faults.push_back(Fault::OutOfStep(format!(
                "the guest's timers run by its own clock, and {what}; let the link's clock be the \
                 real one (--on veth), or the guest's clock the link's (clock=lockstep)"
            )));
        }
    }
}

/// The rank of an error among those of a guest: the highest is reported.
fn weight(error: &Error) -> u8 {
    match error {
        Error::Oops(_) | Error::Panic(_) => 3,
        Error::Warning(_) => 2,
        Error::Died(_) => 1,
        _ => 0,
    }
}

fn meaning(error: Error, console: &str) -> Fault {
    let text = error.to_string();
    let text = match text.contains(console) {
        true => text,
        false => format!("{text} (console: {console})"),
    };
    match Fault::from(error) {
        Fault::AtFault(_) => Fault::AtFault(text),
        Fault::Late(_) => Fault::Late(text),
        _ => Fault::Broken(text),
    }
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
        assert_eq!(fault, Fault::AtFault("it warns (console: /c)".into()));
        let late = meaning(Error::Late("too late".into()), "/c");
        assert_eq!(late, Fault::Late("too late (console: /c)".into()));
        assert!(matches!(meaning(Error::Died("gone".into()), "/c"), Fault::Broken(_)));
    }
}

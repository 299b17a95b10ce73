//! `sink`: takes every frame, counts, and emits nothing. Knows no header.

use std::borrow::Cow;

use link::{Command, CommandError, Node, PortIndex, Transmit};
use wire::Instant;

use crate::config::PortRule;
use crate::recipe::in_process;
use crate::registry::Kind;
use crate::role::Role;

/// Takes everything.
#[derive(Clone, Debug, Default)]
pub struct Sink {
    frames: u64,
    bytes: u64,
}

/// The kind `sink`.
#[must_use]
pub fn kind() -> Kind {
    Kind::new("sink", "takes every frame, counts, and emits nothing", |_, _| {
        Ok(in_process(Role::Silent, |_| Box::new(Sink::default())))
    })
    .ports(PortRule::AtLeast(1))
}

impl Node for Sink {
    fn handle_frame(&mut self, _now: Instant, _port: PortIndex, frame: &[u8]) {
        self.frames += 1;
        self.bytes += frame.len() as u64;
    }

    fn handle_command(&mut self, _now: Instant, command: &Command) -> Result<(), CommandError> {
        let what = match command {
            Command::Send { .. } => "send",
            Command::Do { verb, .. } => verb,
        };
        Err(CommandError(format!("a sink does not take `{what}`: it emits nothing; use `tester`")))
    }

    fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
        None
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        vec![("frames".into(), self.frames), ("bytes".into(), self.bytes)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Packet;

    #[test]
    fn it_counts_and_stays_silent() {
        let mut sink = Sink::default();
        sink.handle_frame(Instant::ZERO, 0, &[1, 2, 3]);
        sink.handle_frame(Instant::ZERO, 0, &[]);
        assert_eq!(sink.poll_transmit(Instant::ZERO), None);
        assert_eq!(sink.poll_event(Instant::ZERO), None);
        assert_eq!(sink.counters(), [("frames".into(), 2), ("bytes".into(), 3)]);
    }

    #[test]
    fn it_refuses_to_send() {
        let command = Command::Send { port: 0, packet: Packet::raw([0; 60]) };
        let error = Sink::default().handle_command(Instant::ZERO, &command).unwrap_err();
        assert_eq!(error.0, "a sink does not take `send`: it emits nothing; use `tester`");
    }
}

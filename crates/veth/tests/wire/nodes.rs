//! Nodes that say enough to tell one wire from another.

use link::{Command, CommandError, Event, Node, Outbox, PortIndex, Transmit};
use wire::{Duration, Instant};

/// Sends what it is told to, answers each frame whose count (byte 20) is not zero with one less,
/// and speaks up once more two milliseconds after each.
#[derive(Default)]
pub(crate) struct Counter {
    out: Outbox,
    timers: Vec<(Instant, u8)>,
    heard: Vec<Vec<u8>>,
}

/// A command that this node knows.
pub(crate) fn say(frame: Vec<u8>) -> Command {
    let args = [("frame".to_owned(), link::Datum::Bytes(frame))].into();
    Command::Do { verb: "say".into(), args }
}

/// A frame of this many bytes with a count in it.
pub(crate) fn frame(length: usize, count: u8, ethertype: [u8; 2]) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..length).map(|at| at as u8).collect();
    frame[..12].copy_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
    frame[12..14].copy_from_slice(&ethertype);
    if let Some(place) = frame.get_mut(20) {
        *place = count;
    }
    frame
}

impl Node for Counter {
    fn handle_frame(&mut self, now: Instant, port: PortIndex, frame: &[u8]) {
        self.heard.push(frame.to_vec());
        assert!(frame.get(20) != Some(&250), "a frame that this node cannot stand");
        if let Some(count) = frame.get(20).and_then(|count| count.checked_sub(1)) {
            let mut answer = frame.to_vec();
            answer[20] = count;
            self.out.push(port, &answer);
            self.timers.push((now + Duration::from_millis(2), count));
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(at) = self.timers.iter().position(|(due, _)| *due <= now) {
            let (_, count) = self.timers.remove(at);
            self.out.push(0, &self::frame(60 + usize::from(count), 0, [0x08, 0x06]));
        }
    }

    fn handle_command(&mut self, _: Instant, command: &Command) -> Result<(), CommandError> {
        if let Command::Do { args, .. } = command
            && let Some(link::Datum::Bytes(frame)) = args.get("frame")
        {
            self.out.push(0, frame);
        }
        Ok(())
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        self.out.pop()
    }

    fn poll_event(&mut self, _: Instant) -> Option<Event> {
        let frame = self.heard.pop()?;
        Some(Event::new("heard").with("frame", link::Datum::Bytes(frame)))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.iter().map(|(due, _)| *due).min()
    }
}

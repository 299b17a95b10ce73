//! Everything of a run that is not a node: the clock's value, the capture, the lanes and what is
//! in flight on them. Calls no node.

use wire::{Capture, Cause, Deliberate, Duration, FrameId, Instant, LinkConfig, PortId};

use crate::config::Limits;
use crate::error::{LinkEvent, LinkId, LinkNote, LossReason, NodeId, Seen, SimError};
use crate::impair::Crossing;
use crate::lane::Lane;
use crate::node::{Event, PortIndex, Transmit};
use crate::queue::{AS_EMITTED, Flight, Flights};

/// Who emits: a node and its ports, which stand together in the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home {
    pub(crate) node: NodeId,
    pub(crate) first_port: u16,
    pub(crate) ports: u16,
}

/// A port of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port {
    pub(crate) node: NodeId,
    pub(crate) index: PortIndex,
    /// The lane that frames emitted here take.
    pub(crate) lane: Option<u16>,
}

/// A frame with more bytes is held against the limit of bytes by itself; a usual link carries none.
const LONG: usize = 1 << 16;

#[derive(Debug)]
pub(crate) struct Net {
    pub(crate) limits: Limits,
    /// So many frames are captured before the limits of frames and of bytes are looked at again:
    /// one comparison a frame holds both, since frames up to then cannot reach either.
    checkpoint: usize,
    /// The last instant that the limit of duration allows.
    pub(crate) end: Instant,
    pub(crate) now: Instant,
    pub(crate) steps: u64,
    pub(crate) capture: Capture,
    pub(crate) flights: Flights,
    pub(crate) notes: Vec<LinkNote>,
    pub(crate) seen: Vec<Seen>,
    /// By [`PortId`].
    pub(crate) ports: Vec<Port>,
    /// Two for each link, in the order of [`Direction`](crate::Direction).
    pub(crate) lanes: Vec<Lane>,
    /// The wire's own code runs, in the midst of a node's turn.
    pub(crate) working: bool,
    copies: Copies,
    /// How the frame crosses that is emitted; its room is used again.
    crossing: Crossing,
    sequence: u64,
    seed: u64,
}

impl Net {
    pub(crate) fn new(seed: u64, limits: Limits) -> Self {
        Self {
            end: Instant::ZERO + limits.duration,
            checkpoint: 0,
            limits,
            now: Instant::ZERO,
            steps: 0,
            capture: Capture::new(),
            flights: Flights::default(),
            notes: Vec::new(),
            seen: Vec::new(),
            ports: Vec::new(),
            lanes: Vec::new(),
            working: false,
            copies: Copies::default(),
            crossing: Crossing::default(),
            sequence: 0,
            seed,
        }
    }

    /// The next number of the total order.
    #[inline]
    pub(crate) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Counts one step, unless it would be one too many.
    #[inline]
    pub(crate) fn count_step(&mut self) -> Result<(), SimError> {
        if self.steps >= self.limits.steps {
            return Err(SimError::StepLimit(self.limits.steps));
        }
        self.steps += 1;
        Ok(())
    }

    /// How long a frame takes at least from any node to another.
    pub(crate) fn least_delay(&self) -> Duration {
        self.lanes.iter().map(|lane| lane.config.delay).min().unwrap_or_default()
    }

    /// Lays one direction of a link from a port to another; its number is its place.
    pub(crate) fn add_lane(&mut self, link: LinkId, from: PortId, to: PortId, config: LinkConfig) {
        let number = self.lanes.len() as u16;
        self.flights.add_lane();
        self.lanes.push(Lane::new(self.seed, number, link, to, config));
        self.ports[usize::from(from.0)].lane = Some(number);
    }

    /// Captures a frame that a node emits, and puts it on the link.
    #[inline(always)]
    pub(crate) fn emit(
        &mut self,
        home: &Home,
        (cause, deliberate): (Cause, Deliberate),
        out: Transmit<'_>,
    ) -> Result<(), SimError> {
        if out.port >= home.ports {
            let Home { node, ports, .. } = *home;
            return Err(SimError::UnknownPort { node, port: out.port, ports });
        }
        if out.frame.len() > LONG {
            return self.emit_long(home, (cause, deliberate), out);
        }
        if self.capture.len() >= self.checkpoint {
            self.look_at_limits(out.frame.len())?;
        }
        self.carry(home, (cause, deliberate), out)
    }

    /// As [`Self::emit`], of a frame that may reach the limit of bytes by itself.
    #[cold]
    #[inline(never)]
    fn emit_long(
        &mut self,
        home: &Home,
        why: (Cause, Deliberate),
        out: Transmit<'_>,
    ) -> Result<(), SimError> {
        self.look_at_limits(out.frame.len())?;
        self.carry(home, why, out)
    }

    /// Captures a frame that the limits allow, and puts it on the link.
    #[inline(always)]
    fn carry(
        &mut self,
        home: &Home,
        (cause, deliberate): (Cause, Deliberate),
        out: Transmit<'_>,
    ) -> Result<(), SimError> {
        let port = PortId(home.first_port + out.port);
        let frame = self.capture.push_caused(self.now, port, cause, deliberate, out.frame);
        let Some(number) = self.ports[usize::from(port.0)].lane else {
            self.note(frame, None, LinkEvent::Lost(LossReason::NoLink));
            return Ok(());
        };
        let lane = &mut self.lanes[usize::from(number)];
        if let Some(arrival) = lane.fast_arrival(self.now) {
            let target = lane.target;
            return self.launch(arrival, frame, AS_EMITTED, target, number);
        }
        self.emit_impaired(frame, number, out.frame)
    }

    /// Whether a frame of so many bytes may be captured; and for how many frames behind it, none of
    /// them long, that need not be asked.
    #[cold]
    fn look_at_limits(&mut self, length: usize) -> Result<(), SimError> {
        let (frames, most) = (self.capture.len(), self.limits.most_frames());
        if frames >= most {
            return Err(self.limits.full());
        }
        let bytes = usize::try_from(self.limits.bytes).unwrap_or(usize::MAX);
        let left = bytes.saturating_sub(self.capture.byte_len());
        let Some(behind) = left.checked_sub(length) else {
            return Err(SimError::ByteLimit(self.limits.bytes));
        };
        self.checkpoint = most.min(frames + 1 + behind / LONG);
        Ok(())
    }

    /// Puts a captured frame on a link that may do something to it.
    #[inline(never)]
    fn emit_impaired(&mut self, frame: FrameId, number: u16, bytes: &[u8]) -> Result<(), SimError> {
        let lane = &mut self.lanes[usize::from(number)];
        let (link, target) = (lane.link, lane.target);
        let arrival = match lane.offer(self.now, bytes, &mut self.crossing) {
            Ok(arrival) => arrival,
            Err(reason) => {
                self.note(frame, Some(link), LinkEvent::Lost(reason));
                return Ok(());
            }
        };
        let (altered, duplicates) = (self.crossing.altered, self.crossing.duplicates);
        let copy = if altered { self.copies.keep(&mut self.crossing.bytes) } else { AS_EMITTED };
        self.launch(arrival, frame, copy, target, number)?;
        let (time, link) = (self.now, Some(link));
        let mishaps = self.crossing.mishaps.drain(..);
        self.notes.extend(mishaps.map(|what| LinkNote { time, frame, link, what }));
        for _ in 0..duplicates {
            self.launch(arrival, frame, AS_EMITTED, target, number)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn launch(
        &mut self,
        arrival: Instant,
        frame: FrameId,
        copy: u32,
        target: PortId,
        lane: u16,
    ) -> Result<(), SimError> {
        if self.flights.len() >= self.limits.queue {
            return Err(SimError::QueueLimit(self.limits.queue));
        }
        let turn = (arrival, self.next_sequence());
        self.flights.push(Flight { turn, frame, copy, target, lane });
        Ok(())
    }

    /// The bytes that arrive.
    #[inline]
    pub(crate) fn bytes(&self, flight: &Flight) -> &[u8] {
        if flight.copy == AS_EMITTED {
            self.capture.frame(flight.frame)
        } else {
            self.copies.get(flight.copy)
        }
    }

    /// Counts a delivery in the frame's record.
    #[inline]
    pub(crate) fn count_delivery(&mut self, flight: &Flight) {
        let record = self.capture.record_mut(flight.frame);
        record.deliveries = record.deliveries.saturating_add(1);
        record.altered |= flight.copy != AS_EMITTED;
    }

    /// A frame in flight is lost.
    pub(crate) fn lose(&mut self, flight: &Flight, reason: LossReason) {
        let link = self.lanes[usize::from(flight.lane)].link;
        self.note(flight.frame, Some(link), LinkEvent::Lost(reason));
        self.land(flight);
    }

    /// A frame is no longer in flight: its altered copy, if any, makes room.
    #[inline]
    pub(crate) fn land(&mut self, flight: &Flight) {
        if flight.copy != AS_EMITTED {
            self.copies.free(flight.copy);
        }
    }

    /// How many altered copies there was ever room for at once.
    #[cfg(test)]
    pub(crate) fn copy_slots(&self) -> usize {
        self.copies.slots.len()
    }

    /// Loses all that is in flight on a lane, now.
    pub(crate) fn cut(&mut self, lane: u16) {
        for flight in self.flights.cut(lane) {
            self.lose(&flight, LossReason::LinkDown);
        }
    }

    fn note(&mut self, frame: FrameId, link: Option<LinkId>, what: LinkEvent) {
        self.notes.push(LinkNote { time: self.now, frame, link, what });
    }

    /// Keeps what a node's application saw.
    pub(crate) fn see(&mut self, node: NodeId, event: Event) -> Result<(), SimError> {
        self.count_step()?;
        self.seen.push(Seen { time: self.now, node, event });
        Ok(())
    }
}

/// The altered bytes in flight, in slots that are used again.
#[derive(Debug, Default)]
struct Copies {
    slots: Vec<Vec<u8>>,
    free: Vec<u32>,
}

impl Copies {
    /// Keeps altered bytes; what the slot held before is left in their place, for its room.
    fn keep(&mut self, bytes: &mut Vec<u8>) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Vec::new());
            self.slots.len() as u32 - 1
        });
        std::mem::swap(&mut self.slots[slot as usize], bytes);
        slot
    }

    fn get(&self, slot: u32) -> &[u8] {
        &self.slots[slot as usize]
    }

    fn free(&mut self, slot: u32) {
        self.free.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_landed_copies_are_used_again() {
        let mut copies = Copies::default();
        let one = copies.keep(&mut vec![0, 0x80]);
        let two = copies.keep(&mut vec![0, 1]);
        assert_eq!((copies.get(one), copies.get(two)), (&[0, 0x80][..], &[0, 1][..]));
        copies.free(one);
        let mut bytes = vec![4, 4, 6];
        assert_eq!((copies.keep(&mut bytes), bytes), (one, vec![0, 0x80]));
        assert_eq!((copies.get(one), copies.slots.len()), (&[4, 4, 6][..], 2));
    }
}

//! One direction of a link: what becomes of a frame, decided at the moment it is emitted. Reads a
//! frame's length and its VLAN tags and nothing else; what impairs a frame is `impair`'s.

use std::collections::VecDeque;
use std::time::Duration;

use wire::{Instant, LinkChange, LinkConfig, PortId};

use crate::error::{LinkId, LossReason};
use crate::impair::{Crossing, Impairments, Passage};

/// One direction of a link, and what it remembers of the frames before.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) link: LinkId,
    pub(crate) target: PortId,
    pub(crate) config: LinkConfig,
    /// The settings' delay in nanoseconds, while they ask for nothing else.
    plain_ns: Option<u64>,
    /// Frames emitted into this direction so far.
    offered: u64,
    impairments: Impairments,
    /// When the last bit of the last frame leaves.
    busy_until: Instant,
    /// The latest arrival so far, held-back frames left aside: nothing arrives before it.
    last_arrival: Instant,
    /// When each waiting frame will begin to leave, in order.
    waiting: VecDeque<Instant>,
}

impl Lane {
    pub(crate) fn new(
        seed: u64,
        number: u16,
        link: LinkId,
        target: PortId,
        config: LinkConfig,
    ) -> Self {
        let mut impairments = Impairments::new(seed, number);
        impairments.set(&config, &LinkChange::from(&config), 0);
        Self {
            link,
            target,
            plain_ns: plain_ns(&config),
            config,
            offered: 0,
            impairments,
            busy_until: Instant::ZERO,
            last_arrival: Instant::ZERO,
            waiting: VecDeque::new(),
        }
    }

    /// The fast path: when a frame arrives on a link that only delays, with none still leaving from
    /// before, as [`Lane::offer`] has it. `None`, and no frame was offered, otherwise.
    #[inline(always)]
    pub(crate) fn fast_arrival(&mut self, now: Instant) -> Option<Instant> {
        let delay_ns = self.plain_ns?;
        if self.busy_until > now {
            return None;
        }
        self.offered += 1;
        let arrival = Instant::from_nanos(now.as_nanos().saturating_add(delay_ns));
        self.last_arrival = arrival.max(self.last_arrival);
        Some(self.last_arrival)
    }

    /// Decides what becomes of a frame: when it arrives, and in the crossing how.
    pub(crate) fn offer(
        &mut self,
        now: Instant,
        frame: &[u8],
        crossing: &mut Crossing,
    ) -> Result<Instant, LossReason> {
        self.offered += 1;
        if !self.config.up {
            return Err(LossReason::LinkDown);
        }
        if let Some(mtu) = self.config.mtu {
            let length = payload_length(frame);
            if length > mtu {
                return Err(LossReason::Mtu { length, mtu });
            }
        }
        if self.queue_is_full(now) {
            return Err(LossReason::QueueFull);
        }
        crossing.clear();
        let mut passage = Passage { emitted: frame, ordinal: self.offered, crossing };
        self.impairments.fate(&mut passage)?;
        Ok(self.arrival(now, frame.len(), crossing))
    }

    /// Sends the frame after those before it, and says when it arrives.
    fn arrival(&mut self, now: Instant, length: usize, crossing: &Crossing) -> Instant {
        let mut leaves = now;
        if self.busy_until > now {
            leaves = self.busy_until;
            self.waiting.push_back(leaves);
        }
        if let Some(rate) = self.config.rate_bps {
            leaves += line_time(length, rate);
            self.busy_until = leaves;
        }
        let arrival = leaves + self.config.delay + crossing.late;
        let arrival = arrival.max(self.last_arrival);
        match crossing.held_back {
            Some(by) => arrival + by,
            None => {
                self.last_arrival = arrival;
                arrival
            }
        }
    }

    /// This frame would have to wait, and as many as may wait do so already.
    fn queue_is_full(&mut self, now: Instant) -> bool {
        while self.waiting.front().is_some_and(|&begins| begins <= now) {
            self.waiting.pop_front();
        }
        let Some(limit) = self.config.queue else { return false };
        self.busy_until > now && self.waiting.len() >= limit as usize
    }

    /// Takes new settings; true when the link was cut by them.
    pub(crate) fn change(&mut self, now: Instant, change: &LinkChange) -> bool {
        let was_up = self.config.up;
        self.config.apply(change);
        self.impairments.set(&self.config, change, self.offered);
        self.plain_ns = plain_ns(&self.config);
        let cut = was_up && !self.config.up;
        if cut {
            self.busy_until = now;
            self.last_arrival = now;
            self.waiting.clear();
        }
        cut
    }
}

/// The delay of settings that ask for nothing else, in nanoseconds.
fn plain_ns(config: &LinkConfig) -> Option<u64> {
    let plain = LinkConfig { delay: Duration::ZERO, ..config.clone() }.is_plain();
    plain.then(|| (Instant::ZERO + config.delay).as_nanos())
}

/// How long the bits of a frame take to leave, rounded up to a nanosecond.
fn line_time(length: usize, rate_bps: u64) -> Duration {
    let nanos = (length as u128 * 8 * 1_000_000_000).div_ceil(u128::from(rate_bps));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// What an MTU counts: all after the Ethernet header and the VLAN tags (0x8100, 0x88a8).
fn payload_length(frame: &[u8]) -> u32 {
    let mut at = 12;
    while let Some(ethertype) = frame.get(at..at + 2)
        && matches!(ethertype, [0x81, 0x00] | [0x88, 0xa8])
    {
        at += 4;
    }
    u32::try_from(frame.len().saturating_sub(at + 2)).unwrap_or(u32::MAX)
}

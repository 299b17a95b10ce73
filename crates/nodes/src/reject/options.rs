//! IPv4 options on delivery: which the IP layer refuses, and what it writes into them, so that the
//! rule behind it sees another header than the one that arrived. Knows no TCP and no reply.

use super::rule::DropReason;

const END: u8 = 0;
const NOP: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
const LOOSE_ROUTE: u8 = 131;
const CIPSO: u8 = 134;
const STRICT_ROUTE: u8 = 137;
const ROUTER_ALERT: u8 = 148;

/// What became of a header's options on delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Options {
    /// The header is as it arrived.
    Untouched,
    /// The IP layer wrote into it: its own address, a pointer, a count, zeros behind the end. The
    /// header's checksum still is the one that arrived.
    Rewritten([u8; 60]),
    /// It wrote the time of day into it, which no simulation can foresee.
    Stamped,
}

impl Options {
    /// Reads the options of `header` as the host that it is addressed to does (RFC 791 3.1).
    /// `local` says whether an address is one of that host: its own, a broadcast, a loopback.
    ///
    /// # Errors
    /// [`DropReason::Options`] for what the IP layer refuses: malformed options, source routes.
    #[inline]
    pub(super) fn deliver(
        header: &[u8],
        local: impl Fn([u8; 4]) -> bool,
    ) -> Result<Self, DropReason> {
        if header.len() <= 20 { Ok(Self::Untouched) } else { Walk::new(header).run(local) }
    }
}

/// The options half read.
struct Walk<'a> {
    arrived: &'a [u8],
    header: [u8; 60],
    stamped: bool,
    record_route: bool,
    timestamp: bool,
}

impl<'a> Walk<'a> {
    fn new(arrived: &'a [u8]) -> Self {
        let mut header = [0; 60];
        header[..arrived.len()].copy_from_slice(arrived);
        Self { arrived, header, stamped: false, record_route: false, timestamp: false }
    }

    fn run(mut self, local: impl Fn([u8; 4]) -> bool) -> Result<Options, DropReason> {
        let end = self.arrived.len();
        let mut at = 20;
        while at < end {
            let kind = self.header[at];
            if kind == END {
                self.header[at..end].fill(END);
                break;
            }
            if kind == NOP {
                at += 1;
                continue;
            }
            let len = if at + 1 < end { usize::from(self.header[at + 1]) } else { 0 };
            if len < 2 || len > end - at {
                return Err(DropReason::Options);
            }
            self.option(kind, at, len, &local)?;
            at += len;
        }
        if self.stamped {
            return Ok(Options::Stamped);
        }
        let touched = self.header[..end] != *self.arrived;
        Ok(if touched { Options::Rewritten(self.header) } else { Options::Untouched })
    }

    fn option(
        &mut self,
        kind: u8,
        at: usize,
        len: usize,
        local: &impl Fn([u8; 4]) -> bool,
    ) -> Result<(), DropReason> {
        match kind {
            RECORD_ROUTE => {
                wanted(!std::mem::replace(&mut self.record_route, true))?;
                self.record_route(at, len)?;
            }
            TIMESTAMP => {
                wanted(!std::mem::replace(&mut self.timestamp, true))?;
                self.timestamp(at, len, local)?;
            }
            ROUTER_ALERT => wanted(len >= 4)?,
            // A source route is refused well-formed and malformed alike, and so is a label of a
            // domain that is not configured, as none is.
            LOOSE_ROUTE | STRICT_ROUTE | CIPSO => wanted(false)?,
            _ => {}
        }
        Ok(())
    }

    /// Writes the address that the datagram came for into the next free slot.
    fn record_route(&mut self, at: usize, len: usize) -> Result<(), DropReason> {
        wanted(len >= 3)?;
        let pointer = usize::from(self.header[at + 2]);
        wanted(pointer >= 4)?;
        if pointer <= len {
            wanted(pointer + 3 <= len)?;
            self.write_own_address(at + pointer - 1);
            self.header[at + 2] += 4;
        }
        Ok(())
    }

    /// Notes that the time of day is written, which nobody foresees, so that what else is written
    /// with it is left out; counts the hosts that found no room.
    fn timestamp(
        &mut self,
        at: usize,
        len: usize,
        local: &impl Fn([u8; 4]) -> bool,
    ) -> Result<(), DropReason> {
        wanted(len >= 4)?;
        let pointer = usize::from(self.header[at + 2]);
        wanted(pointer >= 5)?;
        let flag = self.header[at + 3] & 0x0f;
        if pointer > len {
            if flag != 3 {
                let overflow = self.header[at + 3] >> 4;
                wanted(overflow < 15)?;
                self.header[at + 3] = (overflow + 1) << 4 | flag;
            }
            return Ok(());
        }
        wanted(pointer + 3 <= len)?;
        let slot = at + pointer - 1;
        match flag {
            0 => self.stamped = true,
            1 => {
                wanted(pointer + 7 <= len)?;
                self.stamped = true;
            }
            3 => {
                wanted(pointer + 7 <= len)?;
                let h = &self.header;
                self.stamped |= local([h[slot], h[slot + 1], h[slot + 2], h[slot + 3]]);
            }
            _ => {}
        }
        Ok(())
    }

    fn write_own_address(&mut self, slot: usize) {
        self.header.copy_within(16..20, slot);
    }
}

fn wanted(holds: bool) -> Result<(), DropReason> {
    if holds { Ok(()) } else { Err(DropReason::Options) }
}

#[cfg(test)]
mod tests;

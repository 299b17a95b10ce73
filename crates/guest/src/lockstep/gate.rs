//! The gate at which a lockstep guest stands still. To QEMU we are the far end of a disk
//! (`vhost-user-blk`): a change of one byte of its configuration is a question that QEMU asks in
//! the middle of the guest's instruction and waits on, with its own lock held. While we do not
//! answer, neither the guest's processor nor any timer of its machine goes on. Knows the messages
//! of vhost-user; nothing of what is exchanged at the gate.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use crate::clock::Deadline;
use crate::error::{Error, Tried};

/// The byte `writeback` in the configuration of a virtio disk: the gate.
const GATE_OFFSET: u32 = 32;
/// The field `blk_size` there.
const BLOCK_SIZE_OFFSET: usize = 20;
/// Bytes of a block: a size with which no firmware tries to boot from the disk.
const BLOCK_BYTES: u32 = 4096;
/// The longest payload that is not taken for nonsense.
const MOST_BYTES: usize = 4096;

/// Requests of vhost-user, by number; those that are not named need no answer but a receipt.
const GET_FEATURES: u32 = 1;
const GET_VRING_BASE: u32 = 11;
const GET_PROTOCOL_FEATURES: u32 = 15;
const GET_QUEUE_NUM: u32 = 17;
const GET_CONFIG: u32 = 24;
const SET_CONFIG: u32 = 25;

/// In a message's flags: the version, that it is an answer, that a receipt is wanted.
const VERSION: u32 = 0x1;
const REPLY: u32 = 0x4;
const NEED_REPLY: u32 = 0x8;

/// Of the disk: that the size of a block is told, and that there are features of the protocol.
const FEATURES: u64 = 1 << 6 | 1 << 30;
/// Of the protocol: receipts, and the configuration.
const PROTOCOL_FEATURES: u64 = 1 << 3 | 1 << 9;

/// How waiting at the gate ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// The guest stands at the gate.
    Guest,
    /// It did not come in time.
    Late,
    /// QEMU hung up.
    Gone,
}

/// Our end.
#[derive(Debug)]
pub(crate) struct Gate {
    stream: UnixStream,
    /// What came of messages that are not handled yet.
    came: Vec<u8>,
    /// The guest stands there.
    shut: bool,
}

impl Gate {
    /// The gate, and the end that QEMU holds.
    pub(crate) fn pair() -> Result<(Self, OwnedFd), Error> {
        let (stream, theirs) = UnixStream::pair().tried("make a gate for a guest")?;
        Ok((Self { stream, came: Vec::new(), shut: false }, theirs.into()))
    }

    /// The guest stands there.
    pub(crate) fn is_shut(&self) -> bool {
        self.shut
    }

    /// Waits until the guest stands at the gate.
    ///
    /// # Errors
    /// [`Error::Died`] when QEMU says what no QEMU says.
    pub(crate) fn meet(&mut self, deadline: Deadline) -> Result<Met, Error> {
        while !self.shut {
            let Some((request, flags, payload)) = message(&mut self.came)? else {
                match self.more(deadline)? {
                    Met::Guest => continue,
                    other => return Ok(other),
                }
            };
            self.shut = request == SET_CONFIG && le32(&payload, 0) == Some(GATE_OFFSET);
            if self.shut && flags & NEED_REPLY == 0 {
                let told = "this QEMU waits for no answer at a guest's gate";
                return Err(Error::Plan(format!("{told}: clock=lockstep takes another version")));
            }
            let answer = if self.shut { None } else { answer(request, flags, payload) };
            if let Some(answer) = answer
                && self.send(request, &answer).is_err()
            {
                return Ok(Met::Gone);
            }
        }
        Ok(Met::Guest)
    }

    /// Lets the guest go on.
    pub(crate) fn open(&mut self) -> Met {
        self.shut = false;
        match self.send(SET_CONFIG, &0_u64.to_le_bytes()) {
            Ok(()) => Met::Guest,
            Err(_) => Met::Gone,
        }
    }

    /// Receives what is there, once something is.
    fn more(&mut self, deadline: Deadline) -> Result<Met, Error> {
        let mut room = [0; 512];
        loop {
            let Some(left) = deadline.left() else { return Ok(Met::Late) };
            self.stream.set_read_timeout(Some(left)).tried("listen at a guest's gate")?;
            match self.stream.read(&mut room) {
                Ok(0) => return Ok(Met::Gone),
                Ok(bytes) => {
                    self.came.extend(&room[..bytes]);
                    return Ok(Met::Guest);
                }
                Err(error) if is_late(&error) => {}
                Err(_) => return Ok(Met::Gone),
            }
        }
    }

    fn send(&mut self, request: u32, payload: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(12 + payload.len());
        for word in [request, VERSION | REPLY, payload.len() as u32] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(payload);
        self.stream.write_all(&bytes)
    }
}

/// A socket's time is up, or a signal came in between: neither is its end.
pub(crate) fn is_late(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

/// Takes the first message off what came, when all of it is there: request, flags, payload.
fn message(came: &mut Vec<u8>) -> Result<Option<(u32, u32, Vec<u8>)>, Error> {
    let (Some(request), Some(flags), Some(bytes)) = (le32(came, 0), le32(came, 4), le32(came, 8))
    else {
        return Ok(None);
    };
    let end = 12 + bytes as usize;
    if bytes as usize > MOST_BYTES {
        let told = format!(
            "QEMU says {bytes} bytes at a guest's gate, and at most {MOST_BYTES} \
                            make sense there"
        );
        return Err(Error::Died(told));
    }
    if came.len() < end {
        return Ok(None);
    }
    let rest = came.split_off(end);
    let payload = std::mem::replace(came, rest).split_off(12);
    Ok(Some((request, flags, payload)))
}

/// What QEMU is told, when it is told anything.
fn answer(request: u32, flags: u32, mut payload: Vec<u8>) -> Option<Vec<u8>> {
    match request {
        GET_FEATURES => Some(FEATURES.to_le_bytes().to_vec()),
        GET_PROTOCOL_FEATURES => Some(PROTOCOL_FEATURES.to_le_bytes().to_vec()),
        GET_QUEUE_NUM => Some(1_u64.to_le_bytes().to_vec()),
        GET_VRING_BASE => Some(payload),
        GET_CONFIG => {
            // Offset, size and flags come back as they are, and behind them the bytes.
            let at = 12 + BLOCK_SIZE_OFFSET;
            if let Some(field) = payload.get_mut(at..at + 4) {
                field.copy_from_slice(&BLOCK_BYTES.to_le_bytes());
            }
            Some(payload)
        }
        _ if flags & NEED_REPLY != 0 => Some(0_u64.to_le_bytes().to_vec()),
        _ => None,
    }
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Duration;

    fn bytes(request: u32, flags: u32, payload: &[u8]) -> Vec<u8> {
        let head = [request, flags, payload.len() as u32].map(u32::to_le_bytes).concat();
        [&head[..], payload].concat()
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(20))
    }

    /// A change of the byte that is the gate.
    fn knock(flags: u32) -> Vec<u8> {
        let mut payload = GATE_OFFSET.to_le_bytes().to_vec();
        payload.extend([1, 0, 0, 0, 0, 0, 0, 0, 1]);
        bytes(SET_CONFIG, flags, &payload)
    }

    fn received(qemu: &mut UnixStream, size: usize) -> Vec<u8> {
        let mut all = vec![0; size];
        qemu.read_exact(&mut all).unwrap();
        all
    }

    #[test]
    fn a_guest_comes_to_the_gate_and_is_let_go() {
        let (mut gate, theirs) = Gate::pair().unwrap();
        let mut qemu = UnixStream::from(theirs);
        let whole = bytes(GET_FEATURES, VERSION, &[]);
        qemu.write_all(&whole[..7]).unwrap();
        assert_eq!(gate.meet(soon()).unwrap(), Met::Late);
        qemu.write_all(&whole[7..]).unwrap();
        // A list of memory, of which a receipt is wanted; a question for 61 bytes of configuration.
        qemu.write_all(&bytes(5, VERSION | NEED_REPLY, &[0; 8])).unwrap();
        qemu.write_all(&bytes(GET_CONFIG, VERSION, &[0; 73])).unwrap();
        qemu.write_all(&bytes(3, VERSION, &[])).unwrap();
        assert_eq!(gate.meet(soon()).unwrap(), Met::Late);
        assert_eq!(received(&mut qemu, 20)[12..], FEATURES.to_le_bytes());
        assert_eq!(received(&mut qemu, 20), bytes(5, VERSION | REPLY, &[0; 8]));
        let config = received(&mut qemu, 85);
        assert_eq!(config[12 + 12 + 20..][..4], 4096_u32.to_le_bytes());
        qemu.write_all(&knock(VERSION | NEED_REPLY)).unwrap();
        assert!(!gate.is_shut());
        assert_eq!(gate.meet(soon()).unwrap(), Met::Guest);
        assert!(gate.is_shut());
        assert_eq!(gate.open(), Met::Guest);
        assert_eq!(received(&mut qemu, 20), bytes(SET_CONFIG, VERSION | REPLY, &[0; 8]));
        drop(qemu);
        assert_eq!(gate.meet(soon()).unwrap(), Met::Gone);
        assert_eq!(gate.open(), Met::Gone);
    }

    #[test]
    fn nonsense_is_told() {
        let told = |said: &[u8]| {
            let (mut gate, theirs) = Gate::pair().unwrap();
            let mut qemu = UnixStream::from(theirs);
            qemu.write_all(said).unwrap();
            gate.meet(soon()).unwrap_err().to_string()
        };
        assert!(told(&knock(VERSION)).contains("another version"));
        assert!(told(&[0xff; 12]).contains("at most 4096"));
    }
}

//! Rendezvous with a lockstep guest. wireproof is the vhost-user-blk back end of a disk of the
//! guest. A write to the configuration byte `writeback` makes QEMU wait for the back end's reply
//! inside the guest's instruction, with its global lock held. Until the reply, neither the vCPU nor
//! any virtual timer advances. Knows the messages of vhost-user; nothing of what is exchanged at a
//! stop.

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
/// The longest payload that is accepted.
const MOST_BYTES: usize = 4096;

/// Requests of vhost-user, by number. All others need no reply but an acknowledgement.
const GET_FEATURES: u32 = 1;
const GET_VRING_BASE: u32 = 11;
const GET_PROTOCOL_FEATURES: u32 = 15;
const GET_QUEUE_NUM: u32 = 17;
const GET_CONFIG: u32 = 24;
const SET_CONFIG: u32 = 25;

/// A message's flags: the version, that it is a reply, that an acknowledgement is requested.
const VERSION: u32 = 0x1;
const REPLY: u32 = 0x4;
const NEED_REPLY: u32 = 0x8;

/// Features of the disk: `VIRTIO_BLK_F_BLK_SIZE` and `VHOST_USER_F_PROTOCOL_FEATURES`.
const FEATURES: u64 = 1 << 6 | 1 << 30;
/// Features of the protocol: acknowledgements (`REPLY_ACK`) and `CONFIG`.
const PROTOCOL_FEATURES: u64 = 1 << 3 | 1 << 9;

/// Why a guest did not stop at the gate. [`Machine`](crate::Machine) translates it: it has the
/// console and QEMU's exit status.
#[derive(Debug)]
pub(crate) enum StopError {
    /// The guest did not stop in time.
    Late,
    /// QEMU closed the connection.
    Gone,
    /// QEMU or the guest broke the protocol.
    Failed(Error),
}

impl From<Error> for StopError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Our end.
#[derive(Debug)]
pub(crate) struct Gate {
    stream: UnixStream,
    /// Received bytes of messages that are not handled yet.
    came: Vec<u8>,
    /// The guest has stopped.
    stopped: bool,
}

impl Gate {
    /// The gate, and the end that QEMU holds.
    pub(crate) fn pair() -> Result<(Self, OwnedFd), Error> {
        let (stream, theirs) = UnixStream::pair().tried("make a gate for a guest")?;
        Ok((Self { stream, came: Vec::new(), stopped: false }, theirs.into()))
    }

    /// The guest has stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Waits until the guest stops.
    ///
    /// # Errors
    /// [`StopError`]; [`StopError::Failed`] when QEMU breaks the protocol.
    pub(crate) fn wait_stopped(&mut self, deadline: Deadline) -> Result<(), StopError> {
        while !self.stopped {
            let Some((request, flags, payload)) = message(&mut self.came)? else {
                self.receive(deadline)?;
                continue;
            };
            self.stopped = request == SET_CONFIG && le32(&payload, 0) == Some(GATE_OFFSET);
            if self.stopped && flags & NEED_REPLY == 0 {
                let text = "this QEMU does not wait for the reply of a vhost-user back end";
                let way = "clock=lockstep takes another version";
                return Err(Error::Plan(format!("{text}: {way}")).into());
            }
            let answer = if self.stopped { None } else { answer(request, flags, payload) };
            if let Some(answer) = answer
                && self.send(request, &answer).is_err()
            {
                return Err(StopError::Gone);
            }
        }
        Ok(())
    }

    /// Resumes the guest.
    pub(crate) fn resume(&mut self) -> Result<(), StopError> {
        self.stopped = false;
        self.send(SET_CONFIG, &0_u64.to_le_bytes()).map_err(|_| StopError::Gone)
    }

    /// Receives some bytes.
    fn receive(&mut self, deadline: Deadline) -> Result<(), StopError> {
        read_some(&mut self.stream, &mut self.came, deadline)
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

/// Appends some bytes of a stream, once there are any.
///
/// # Errors
/// [`StopError::Late`] at the deadline, [`StopError::Gone`] at the stream's end.
pub(crate) fn read_some(
    stream: &mut UnixStream,
    to: &mut Vec<u8>,
    deadline: Deadline,
) -> Result<(), StopError> {
    let mut room = [0; 4096];
    loop {
        let left = deadline.left().ok_or(StopError::Late)?;
        stream.set_read_timeout(Some(left)).tried("set a timeout for a guest's socket")?;
        match stream.read(&mut room) {
            Ok(0) => return Err(StopError::Gone),
            Ok(bytes) => {
                to.extend(&room[..bytes]);
                return Ok(());
            }
            Err(error) if is_late(&error) => {}
            Err(_) => return Err(StopError::Gone),
        }
    }
}

/// A socket's timeout, or a signal's interruption: neither is the stream's end.
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
        let text = format!(
            "QEMU sent a vhost-user message of {bytes} bytes; at most {MOST_BYTES} are valid"
        );
        return Err(Error::Died(text));
    }
    if came.len() < end {
        return Ok(None);
    }
    let rest = came.split_off(end);
    let payload = std::mem::replace(came, rest).split_off(12);
    Ok(Some((request, flags, payload)))
}

/// The reply to a request, if it needs one.
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
        assert!(matches!(gate.wait_stopped(soon()), Err(StopError::Late)));
        qemu.write_all(&whole[7..]).unwrap();
        // A list of memory, of which a receipt is wanted; a question for 61 bytes of configuration.
        qemu.write_all(&bytes(5, VERSION | NEED_REPLY, &[0; 8])).unwrap();
        qemu.write_all(&bytes(GET_CONFIG, VERSION, &[0; 73])).unwrap();
        qemu.write_all(&bytes(3, VERSION, &[])).unwrap();
        assert!(matches!(gate.wait_stopped(soon()), Err(StopError::Late)));
        assert_eq!(received(&mut qemu, 20)[12..], FEATURES.to_le_bytes());
        assert_eq!(received(&mut qemu, 20), bytes(5, VERSION | REPLY, &[0; 8]));
        let config = received(&mut qemu, 85);
        assert_eq!(config[12 + 12 + 20..][..4], 4096_u32.to_le_bytes());
        qemu.write_all(&knock(VERSION | NEED_REPLY)).unwrap();
        assert!(!gate.is_stopped());
        gate.wait_stopped(soon()).unwrap();
        assert!(gate.is_stopped());
        gate.resume().unwrap();
        assert_eq!(received(&mut qemu, 20), bytes(SET_CONFIG, VERSION | REPLY, &[0; 8]));
        drop(qemu);
        assert!(matches!(gate.wait_stopped(soon()), Err(StopError::Gone)));
        assert!(matches!(gate.resume(), Err(StopError::Gone)));
    }

    #[test]
    fn a_broken_protocol_is_an_error() {
        let error = |sent: &[u8]| {
            let (mut gate, theirs) = Gate::pair().unwrap();
            let mut qemu = UnixStream::from(theirs);
            qemu.write_all(sent).unwrap();
            match gate.wait_stopped(soon()) {
                Err(StopError::Failed(error)) => error.to_string(),
                other => panic!("{other:?}"),
            }
        };
        assert!(error(&knock(VERSION)).contains("another version"));
        assert!(error(&[0xff; 12]).contains("at most 4096"));
    }
}

//! A port of a guest: a socket on which one datagram is one Ethernet frame, as QEMU's network
//! back end `dgram` has it. Knows no frame's meaning.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair, sockopt,
};
use wire::Duration;

use crate::clock::Deadline;
use crate::error::{Error, Tried};

/// The longest frame that QEMU takes from a socket or gives to one.
pub const MOST_BYTES: usize = 68 * 1024;
/// Bytes that a socket may queue: hundreds of full frames.
const QUEUE_BYTES: usize = 1 << 20;
/// How long QEMU may take to take a frame.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Our end of a guest's network interface.
#[derive(Debug)]
pub struct Port {
    socket: OwnedFd,
    /// For errors: which it is.
    number: usize,
}

impl Port {
    /// The port, and the end that QEMU holds.
    pub(crate) fn pair(number: usize) -> Result<(Self, OwnedFd), Error> {
        let make = || {
            let (kind, flags) = (SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK);
            let (ours, theirs) = socketpair(AddressFamily::UNIX, kind, flags, None)?;
            for end in [&ours, &theirs] {
                sockopt::set_socket_send_buffer_size(end, QUEUE_BYTES)?;
            }
            Ok::<_, Errno>((ours, theirs))
        };
        let (socket, theirs) = make().tried(format!("make port {number} of a guest"))?;
        Ok((Self { socket, number }, theirs))
    }

    /// Sends a frame into the guest.
    ///
    /// # Errors
    /// [`Error::Plan`] for a frame that no machine carries, [`Error::Late`] when QEMU takes none
    /// for five seconds, [`Error::System`] when it is gone.
    pub fn send(&self, frame: &[u8]) -> Result<(), Error> {
        let bytes = frame.len();
        if !(14..=MOST_BYTES).contains(&bytes) {
            let text = format!("a guest takes frames of 14 to {MOST_BYTES} bytes, not of {bytes}");
            return Err(Error::Plan(text));
        }
        let deadline = Deadline::after(TIMEOUT);
        loop {
            match send(&self.socket, frame, SendFlags::NOSIGNAL) {
                Ok(_) => return Ok(()),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => {
                    return Err(error)
                        .tried(format!("send into port {} of the guest", self.number));
                }
            }
            if !self.ready(PollFlags::OUT, deadline)? {
                let port = self.number;
                let text = format!("the guest takes no frame at port {port} for {TIMEOUT:?}");
                return Err(Error::Late(text));
            }
        }
    }

    /// Takes a frame that the guest sent, if there is one: replaces what is in `frame`.
    ///
    /// # Errors
    /// [`Error::System`] when the machine is gone.
    pub fn take(&self, frame: &mut Vec<u8>) -> Result<bool, Error> {
        frame.clear();
        frame.reserve(MOST_BYTES);
        loop {
            match recv(&self.socket, spare_capacity(frame), RecvFlags::empty()) {
                Ok(_) => return Ok(true),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(false),
                Err(error) => {
                    let what = format!("receive at port {} of the guest", self.number);
                    return Err(error).tried(what);
                }
            }
        }
    }

    /// Waits for a frame, at most so long by the real clock; false when none came.
    ///
    /// # Errors
    /// [`Error::System`] when the machine is gone.
    pub fn wait(&self, frame: &mut Vec<u8>, timeout: Duration) -> Result<bool, Error> {
        let deadline = Deadline::after(timeout);
        loop {
            if self.take(frame)? {
                return Ok(true);
            }
            if !self.ready(PollFlags::IN, deadline)? {
                return Ok(false);
            }
        }
    }

    fn ready(&self, for_what: PollFlags, deadline: Deadline) -> Result<bool, Error> {
        while let Some(left) = deadline.left() {
            let mut fds = [PollFd::new(&self.socket, for_what)];
            let left =
                Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            match poll(&mut fds, Some(&left)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error).tried("wait for the guest"),
            }
        }
        Ok(false)
    }
}

/// Readable when a frame is there to take.
impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

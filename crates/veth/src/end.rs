//! One end of a veth pair, and the packet socket on it: frames out and frames in, byte for byte.
//! Knows no node, no link and no time but how long it waits for the kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;
use wire::Duration;

use crate::clock::Pauses;
use crate::error::{Error, Tried};
use crate::sys::{self, Received, Tag};

/// The longest frame that a veth carries: the largest MTU of the kernel and the headers before it.
pub const MOST_BYTES: usize = MOST_MTU as usize + 14;
/// The shortest: an Ethernet header and nothing else.
pub const LEAST_BYTES: usize = 14;
/// The largest MTU that the kernel gives a veth.
pub(crate) const MOST_MTU: u32 = 65_535;
/// The timeout for what the kernel otherwise does at once.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// What turns bytes into others on their way, or sums into promises: all of it is switched off.
/// The numbers are ethtool's commands to set receive checksums, transmit checksums, scatter-gather
/// and the segmentation offloads TSO, GSO and GRO.
const OFFLOADS: [u32; 6] = [0x15, 0x17, 0x1f, 0x24, 0x2c, 0x19];
/// ethtool's command to ask for the link; it makes the kernel finish bringing the link up.
const GET_LINK: u32 = 0x0a;
/// Bytes that a socket may queue: 1,000 full frames.
pub(crate) const QUEUE_BYTES: libc::c_int = 4 << 20;

/// Room for one frame, filled again and again.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// One byte and a tag more than fit on a veth, so that a frame that is cut is seen.
    room: Box<[u8]>,
    length: usize,
    /// When the kernel had it, since 1970, where the socket asks for that.
    stamp: Option<Duration>,
}

impl Arrived {
    pub(crate) fn new() -> Self {
        Self { room: vec![0; MOST_BYTES + 8].into(), length: 0, stamp: None }
    }

    /// When the kernel had it.
    pub(crate) fn stamp(&self) -> Option<Duration> {
        self.stamp
    }

    /// The frame.
    pub(crate) fn frame(&self) -> &[u8] {
        &self.room[..self.length]
    }

    /// Receives a frame from a socket, tag and all; what else the kernel reports of it.
    pub(crate) fn receive(&mut self, socket: &OwnedFd) -> io::Result<Received> {
        let received = sys::receive(socket.as_fd(), &mut self.room)?;
        self.length = received.length;
        self.stamp = received.stamp;
        if let Some(tag) = received.tag {
            self.restore(tag);
        }
        Ok(received)
    }

    /// Puts a tag back where the kernel took it off: behind the addresses.
    fn restore(&mut self, Tag { tpid, tci }: Tag) {
        let end = self.length.min(self.room.len() - 4);
        let at = 12.min(end);
        self.room.copy_within(at..end, at + 4);
        self.room[at..at + 2].copy_from_slice(&tpid.to_be_bytes());
        self.room[at + 2..at + 4].copy_from_slice(&tci.to_be_bytes());
        self.length = end + 4;
    }
}

/// An end with its socket, open and bound, in whichever namespace it was made.
#[derive(Debug)]
pub(crate) struct End {
    fd: AsyncFd<OwnedFd>,
    pub(crate) name: String,
}

/// Switches off on an interface whatever does not leave frames as they are.
pub(crate) fn plain(socket: BorrowedFd<'_>, name: &str) -> Result<(), Error> {
    for command in OFFLOADS {
        let off = sys::ethtool(socket, name, command, 0).map(drop);
        off.tried(format!("switch offloads of {name} off"))?;
    }
    Ok(())
}

/// Brings an interface up.
pub(crate) fn up(socket: BorrowedFd<'_>, name: &str) -> Result<(), Error> {
    sys::bring_up(socket, name).tried(format!("bring {name} up"))
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.get_ref().as_fd()
    }
}

impl End {
    /// Binds the socket to the interface and brings that up: in this order, since nothing may be
    /// missed. To be called in the context of a runtime.
    pub(crate) fn open(socket: OwnedFd, name: &str) -> Result<Self, Error> {
        plain(socket.as_fd(), name)?;
        let set = |level, option, value| sys::set_option(socket.as_fd(), level, option, value);
        let prepare = || {
            let index = sys::interface_index(socket.as_fd(), name)?;
            set(libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
            set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)?;
            set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, QUEUE_BYTES)
                .or_else(|_| set(libc::SOL_SOCKET, libc::SO_RCVBUF, QUEUE_BYTES))?;
            sys::bind(socket.as_fd(), index)?;
            sys::promiscuous(socket.as_fd(), index)
        };
        prepare().tried(format!("listen on {name}"))?;
        up(socket.as_fd(), name)?;
        // Bound while the interface was down, the socket has an error to tell of that is over.
        sys::take_error(socket.as_fd()).tried(format!("listen on {name}"))?;
        let fd = sys::watch(socket).tried("watch a socket")?;
        Ok(Self { fd, name: name.to_owned() })
    }

    /// Has the kernel stamp each frame with its time.
    pub(crate) fn stamped(&self) -> Result<(), Error> {
        let fd = self.fd.get_ref().as_fd();
        let set = sys::set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1);
        set.tried(format!("have frames of {} stamped", self.name))
    }

    /// Lets the kernel finish what it does behind the back when a link comes up.
    pub(crate) fn settle(&self) {
        // Only a hint: whether the link carries frames is proved by a frame.
        let _ = sys::ethtool(self.fd.get_ref().as_fd(), &self.name, GET_LINK, 0);
    }

    /// Sends a frame.
    pub(crate) fn send(&self, frame: &[u8]) -> Result<(), Error> {
        let whole = |sent| match sent == frame.len() {
            true => Ok(()),
            false => Err(io::ErrorKind::WriteZero.into()),
        };
        let sent = sys::send(self.fd.get_ref().as_fd(), frame).and_then(whole);
        sent.map_err(|error| refused(error, frame.len(), &self.name))
    }

    /// A frame that is there already, into `into`; false when there is none.
    pub(crate) fn take(&self, into: &mut Arrived) -> io::Result<bool> {
        match self.receive(into) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The next frame; false after a timeout.
    pub(crate) fn wait(&self, runtime: &Runtime, into: &mut Arrived) -> io::Result<bool> {
        // The kernel carries a frame within the call that sends it, so it is mostly there.
        if self.take(into)? {
            return Ok(true);
        }
        let next = self.fd.async_io(Interest::READABLE, |_| self.receive(into));
        match runtime.block_on(async { tokio::time::timeout(TIMEOUT, next).await }) {
            Ok(result) => result.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    fn receive(&self, into: &mut Arrived) -> io::Result<()> {
        into.receive(self.fd.get_ref()).map(drop)
    }
}

/// Where a node's unsolicited frames become readable.
#[derive(Debug)]
pub(crate) enum Readiness {
    /// The end opposite a kernel's port.
    End(Arc<End>),
    /// A socket of a remote node.
    Socket(AsyncFd<OwnedFd>),
}

impl Readiness {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::End(end) => &end.name,
            Self::Socket(_) => "a node's socket",
        }
    }

    /// A frame is there, or the task is woken when one is.
    pub(crate) fn poll_frame(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let fd = match self {
            Self::End(end) => &end.fd,
            Self::Socket(fd) => fd,
        };
        loop {
            match fd.poll_read_ready(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(mut guard)) => {
                    if sys::has_frame(fd.get_ref().as_fd()) {
                        return Poll::Ready(Ok(()));
                    }
                    guard.clear_ready();
                }
            }
        }
    }
}

/// The error of a frame that was not sent. A full backlog of the CPU is the machine's fault, not
/// the frame's.
fn refused(error: io::Error, length: usize, name: &str) -> Error {
    match error.raw_os_error() {
        Some(libc::ENOBUFS) => {
            Error::Late(format!("the kernel has no room for {length} bytes sent on {name}"))
        }
        _ => Error::System { what: format!("send {length} bytes on {name}"), source: error },
    }
}

/// The path of a frame over one veth pair, in one direction.
#[derive(Clone, Debug)]
pub(crate) struct PairPath {
    pub(crate) from: Arc<End>,
    pub(crate) to: Arc<End>,
}

/// The shortest frame with a VLAN tag (IEEE 802.1Q) that the kernel does not drop: it takes the
/// tag off before anybody sees the frame, and looks at the type behind it and two bytes more.
const LEAST_TAGGED: usize = 20;

fn is_tagged(frame: &[u8]) -> bool {
    matches!(frame.get(12..14), Some([0x81, 0x00] | [0x88, 0xa8]))
}

/// A broadcast of a type for experiments (IEEE 802, local experimental 1), sent before a run only.
const PROBE: [u8; 16] =
    [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0x88, 0xb5, 255, 255];

fn is_probe(frame: &[u8]) -> bool {
    frame == PROBE
}

impl PairPath {
    /// Sends a frame over the pair; what arrived is in `arrived`, and it is what was sent.
    pub(crate) fn cross(
        &self,
        runtime: &Runtime,
        frame: &[u8],
        arrived: &mut Arrived,
    ) -> Result<(), Error> {
        let (length, tagged) = (frame.len(), is_tagged(frame));
        if !(LEAST_BYTES..=MOST_BYTES).contains(&length) {
            let text = format!(
                "a veth carries frames of {LEAST_BYTES} to {MOST_BYTES} bytes, \
                 this one has {length}"
            );
            return Err(Error::Frame(text));
        }
        if tagged && length < LEAST_TAGGED {
            let text = format!(
                "Linux drops a frame with a VLAN tag and fewer than {LEAST_TAGGED} bytes before \
                 any socket sees it; this one has {length}"
            );
            return Err(Error::Frame(text));
        }
        self.from.send(frame)?;
        loop {
            if !self.to.wait(runtime, arrived).tried(format!("receive on {}", self.to.name))? {
                return Err(Error::Late(format!(
                    "a frame of {} bytes sent on {} did not arrive at {} within {TIMEOUT:?}",
                    frame.len(),
                    self.from.name,
                    self.to.name
                )));
            }
            // A probe that a busy core kept back while a later one came through.
            if arrived.frame() == frame || !is_probe(arrived.frame()) {
                break;
            }
        }
        if arrived.frame() != frame {
            let line = wire::render::line(arrived.frame());
            let name = &self.to.name;
            return Err(Error::Frame(format!("{name} received a frame that no node sent: {line}")));
        }
        Ok(())
    }

    /// Sends frames until one arrives: then the pair carries them.
    pub(crate) fn wait_ready(&self, runtime: &Runtime) -> Result<(), Error> {
        self.from.settle();
        self.to.settle();
        let mut arrived = Arrived::new();
        let failed = || format!("bring up {}", self.from.name);
        let mut pauses = Pauses::new();
        loop {
            // A queue that is not there yet refuses it, or drops it without a word.
            let sent = self.from.send(&PROBE).is_ok();
            if sent && self.to.take(&mut arrived).tried(failed())? {
                break;
            }
            if !runtime.block_on(pauses.pause()) {
                return Err(Error::Late(format!("{} carries no frames", self.from.name)));
            }
        }
        while self.to.take(&mut arrived).tried(failed())? {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_for_which_there_is_no_room_is_no_fault_of_a_node() {
        let of = |number| refused(io::Error::from_raw_os_error(number), 60, "eth0");
        assert!(matches!(of(libc::ENOBUFS), Error::Late(error) if error.contains("60 bytes")));
        assert!(matches!(of(libc::ENETDOWN), Error::System { .. }));
    }
}

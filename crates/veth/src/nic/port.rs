//! A packet socket on an existing interface. It receives every frame and sends frames as they are.
//! It sets promiscuous mode, which the kernel resets when the socket closes, whatever closes it.
//! Knows no node.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll};

use tokio::io::unix::AsyncFd;
use wire::Duration;

use crate::clock::Timer;
use crate::end::{Arrived, QUEUE_BYTES, TIMEOUT};
use crate::error::{Error, Tried};
use crate::sys::{self, Received};

/// How long a queue that is full is left alone before it is tried again.
const PAUSE: Duration = Duration::from_micros(100);

/// The socket.
#[derive(Debug)]
pub(super) struct Port {
    fd: AsyncFd<OwnedFd>,
    pub(super) name: String,
}

impl Port {
    /// Binds a socket to an interface, in the context of a runtime. Nothing of the interface is
    /// changed: it is up and has its offloads set right, or the run was refused before.
    pub(super) fn open(name: &str) -> Result<Self, Error> {
        let socket = socket()?;
        let set = |level, option, value| sys::set_option(socket.as_fd(), level, option, value);
        let prepare = || {
            let index = sys::interface_index(socket.as_fd(), name)?;
            set(libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
            set(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
            // More room than a user may ask for without a privilege; what there is will do too.
            set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, QUEUE_BYTES)
                .or_else(|_| set(libc::SOL_SOCKET, libc::SO_RCVBUF, QUEUE_BYTES))?;
            sys::bind(socket.as_fd(), index)?;
            sys::promiscuous(socket.as_fd(), index)
        };
        prepare().tried(format!("listen on {name}"))?;
        let fd = sys::watch(socket).tried("watch a socket")?;
        Ok(Self { fd, name: name.to_owned() })
    }

    /// A frame that is there already, into `into`; `None` when there is none.
    pub(super) fn take(&self, into: &mut Arrived) -> Result<Option<Received>, Error> {
        match into.receive(self.fd.get_ref()) {
            Ok(received) => Ok(Some(received)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(self.broke(&error, "receive")),
        }
    }

    /// A frame is there, or the task is woken when one is.
    pub(super) fn poll_frame(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match self.fd.poll_read_ready(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.broke(&error, "watch"))),
                Poll::Ready(Ok(mut guard)) => {
                    if sys::has_frame(self.fd.get_ref().as_fd()) {
                        return Poll::Ready(Ok(()));
                    }
                    guard.clear_ready();
                }
            }
        }
    }

    /// Sends a frame; waits up to a timeout while the interface's queue is full.
    pub(super) async fn send(&self, frame: &[u8], timer: &Timer) -> Result<(), Error> {
        let mut waited = Duration::ZERO;
        loop {
            match sys::send(self.fd.get_ref().as_fd(), frame) {
                Ok(sent) if sent == frame.len() => return Ok(()),
                Ok(sent) => {
                    let text = format!("{} took {sent} of {} bytes", self.name, frame.len());
                    return Err(Error::Frame(text));
                }
                Err(error) if is_full(&error) && waited < TIMEOUT => {
                    timer.sleep(PAUSE).await?;
                    waited += PAUSE;
                }
                Err(error) if is_full(&error) => {
                    let text = format!("{} takes no frame for {TIMEOUT:?}", self.name);
                    return Err(Error::Late(text));
                }
                Err(error) => {
                    return Err(self.broke(&error, &format!("send {} bytes", frame.len())));
                }
            }
        }
    }

    /// Frames that came and that the socket had no room for.
    pub(super) fn take_drops(&self) -> Result<u32, Error> {
        sys::take_drops(self.fd.get_ref().as_fd()).tried(format!("count frames on {}", self.name))
    }

    /// What a user can do about it, where that is known.
    fn broke(&self, error: &io::Error, what: &str) -> Error {
        let name = &self.name;
        match error.raw_os_error() {
            Some(libc::ENETDOWN) => Error::Plan(format!(
                "{name} went down during the run; `ip link set {name} up` brings it up"
            )),
            Some(libc::ENODEV | libc::ENXIO) => {
                Error::Plan(format!("{name} went away during the run"))
            }
            Some(libc::EMSGSIZE) => Error::Frame(format!(
                "{what} on {name}: longer than its MTU allows; `ip link set {name} mtu …` sets it"
            )),
            _ => Error::System {
                what: format!("{what} on {name}"),
                source: io::Error::from(error.kind()),
            },
        }
    }
}

/// No room for now: in the socket, or in the interface's queue.
fn is_full(error: &io::Error) -> bool {
    let numbers = [Some(libc::ENOBUFS), Some(libc::EAGAIN)];
    numbers.contains(&error.raw_os_error())
}

/// A packet socket, or why there is none and what would give it.
pub(super) fn socket() -> Result<OwnedFd, Error> {
    sys::packet_socket().map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let program = std::env::current_exe()
                .map_or_else(|_| "wireproof".to_owned(), |path| path.display().to_string());
            Error::Forbidden(format!(
                "this user may not open packet sockets here (it takes CAP_NET_RAW); either: sudo \
                 {program} …; or: sudo setcap cap_net_raw+ep {program}; or: run it in a network \
                 namespace of your own that has the interface"
            ))
        }
        _ => Error::System { what: "open a packet socket".to_owned(), source: error },
    })
}

//! Closes the packet sockets of a topology without a wait. At each close of a packet socket the
//! kernel waits for an RCU grace period, some ten milliseconds. Knows ends; no node and no run.

use std::fs;
use std::io::{self, IoSlice};
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::end::End;

/// The first release whose garbage collector of sockets is a kernel worker. Before, the process
/// that closes a socket collects, and waits for one grace period after the other.
const COLLECTS_IN_WORKER: (u32, u32) = (6, 9);
/// The most topologies whose sockets are closed in the background; the next one is waited for.
const MOST_IN_BACKGROUND: usize = 8;

/// The process has closed no topology yet.
static FIRST: AtomicBool = AtomicBool::new(true);
/// Topologies whose sockets are being closed in the background.
static IN_BACKGROUND: AtomicUsize = AtomicUsize::new(0);

/// Sockets to close. Those of a process's first topology are left to the kernel, since most
/// processes have one and end then. Those of later ones are closed in the background: the kernel
/// alone would close one after the other, and fall behind.
#[derive(Debug, Default)]
pub(crate) struct Closing(pub(crate) Vec<Arc<End>>);

impl Drop for Closing {
    fn drop(&mut self) {
        let ends = mem::take(&mut self.0);
        if ends.is_empty() || FIRST.swap(false, Ordering::Relaxed) && leave(&ends).is_ok() {
            return;
        }
        if IN_BACKGROUND.fetch_add(1, Ordering::Relaxed) >= MOST_IN_BACKGROUND {
            return close(ends);
        }
        // Where no thread can be had, they are dropped with the closure, one after the other.
        if thread::Builder::new().spawn(move || close(ends)).is_err() {
            IN_BACKGROUND.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Closes sockets side by side, so that they share one grace period.
fn close(mut ends: Vec<Arc<End>>) {
    thread::scope(|scope| {
        for end in ends.drain(..) {
            let _ = thread::Builder::new().spawn_scoped(scope, || drop(end));
        }
    });
    IN_BACKGROUND.fetch_sub(1, Ordering::Relaxed);
}

/// Sends the sockets to a socket that nobody else holds: it lies in its own queue with them. The
/// kernel's garbage collector finds it at the close of the sender, and closes them all.
fn leave(ends: &[Arc<End>]) -> io::Result<()> {
    if !collects_in_worker(&fs::read_to_string("/proc/sys/kernel/osrelease")?) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let (sender, unreachable) = UnixDatagram::pair()?;
    let mut sockets: Vec<BorrowedFd<'_>> = ends.iter().map(|end| end.as_fd()).collect();
    sockets.push(unreachable.as_fd());
    let rights = SendAncillaryMessage::ScmRights(&sockets);
    let mut room = vec![MaybeUninit::uninit(); rights.size()];
    let mut control = SendAncillaryBuffer::new(&mut room);
    if !control.push(rights) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    sendmsg(&sender, &[IoSlice::new(&[0])], &mut control, SendFlags::empty())?;
    // In this order: the last close of a socket starts the collector.
    drop(unreachable);
    drop(sender);
    Ok(())
}

/// The release of a kernel is new enough for [`leave`].
fn collects_in_worker(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= COLLECTS_IN_WORKER,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_kernels_and_unknown_releases_are_not_left_to_collect() {
        for (release, is) in [
            ("6.18.44-fc-v657\n", true),
            ("6.9.0", true),
            ("7.0-rc1", true),
            ("6.8.12", false),
            ("5.15.0-91-generic", false),
            ("", false),
            ("6", false),
            ("Linux 6.12", false),
        ] {
            assert_eq!(collects_in_worker(release), is, "{release}");
        }
    }
}

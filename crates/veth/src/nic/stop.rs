//! Signals that end a run: SIGINT, SIGTERM. They end the run instead of the process, so that its
//! frames are still reported. Knows no run.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use tokio::io::unix::AsyncFd;

use crate::error::{Error, Tried};
use crate::sys::{self, HeldSignals};

/// Bytes of the kernel's signalfd_siginfo, whose first four are the signal's number.
const INFO_BYTES: usize = 128;

/// Holds the signals off while it lasts.
#[derive(Debug)]
pub(super) struct Stop {
    fd: AsyncFd<OwnedFd>,
    read: File,
    _held: HeldSignals,
}

impl Stop {
    /// To be called in the context of a runtime, in the thread that runs.
    pub(super) fn hold() -> Result<Self, Error> {
        let (held, fd) = sys::hold_signals().tried("hold signals off")?;
        let read = File::from(fd.try_clone().tried("hold signals off")?);
        Ok(Self { fd: sys::watch(fd).tried("watch for signals")?, read, _held: held })
    }

    /// Returns when the user ends the run.
    pub(super) async fn asked(&self) -> Error {
        loop {
            let mut guard = match self.fd.readable().await.tried("watch for signals") {
                Ok(guard) => guard,
                Err(error) => return error,
            };
            let mut info = [0; INFO_BYTES];
            if (&self.read).read(&mut info).is_ok_and(|length| length == INFO_BYTES) {
                let number = libc::c_int::from_ne_bytes([info[0], info[1], info[2], info[3]]);
                return Error::Ended(if number == libc::SIGINT { "SIGINT" } else { "SIGTERM" });
            }
            guard.clear_ready();
        }
    }
}

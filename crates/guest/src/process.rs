//! A program that ends with us, whatever ends us and whenever, that has no privilege left, and that
//! holds descriptors of ours under given numbers. Knows no QEMU.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use command_fds::{CommandFdExt, FdMapping};
use wire::Duration;

use crate::clock::Deadline;
use crate::error::{Error, Tried};
use crate::privileges::Privileges;
use crate::tools;

/// The number under which the program holds the first of the descriptors.
pub(crate) const FIRST_FD: i32 = 10;

/// What stands between `setpriv` and the program. The kernel sends its signal at the death of a
/// parent that it was asked about; one that died before the question leaves a child to whoever
/// reaps. So the child looks, once the question was put, whether its parent is the given
/// one: then every later death is announced to it.
const STARTER: &str = r#"[ "$PPID" = "$1" ] || exit 1; shift; exec "$@""#;

/// A running program.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    ended: Option<ExitStatus>,
    /// Its standard error.
    errors: File,
    /// The thread that started it: the kernel ends the program with that, so it stays.
    keeper: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Process {
    /// Starts a program, with descriptors that it holds from [`FIRST_FD`] on.
    pub(crate) fn start(
        program: &Path,
        arguments: &[OsString],
        fds: Vec<OwnedFd>,
    ) -> Result<Self, Error> {
        let setpriv = tools::needed("setpriv", "it ends a guest with its run", "util-linux")?;
        let errors = tempfile::tempfile().tried("make a file for QEMU's errors")?;
        let mut command = Command::new(setpriv);
        command.args(Privileges::present().words()).args(["--pdeathsig", "KILL"]);
        command.args(["/bin/sh", "-c", STARTER, "sh", &std::process::id().to_string()]);
        command.arg(program).args(arguments);
        // No word of the user's surroundings is for it.
        command.env_clear().env("PATH", tools::system_path()).env("LC_ALL", "C").current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(errors.try_clone().tried("share a file")?);
        let numbered = fds.into_iter().zip(FIRST_FD..);
        let mapped = numbered.map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd });
        command.fd_mappings(mapped.collect()).map_err(|error| Error::Plan(error.to_string()))?;
        let (started, starts) = channel();
        let (hold, held) = channel();
        let keeper = move || {
            let child = command.spawn();
            // It holds our copies of the descriptors: with them open, no end would be seen.
            drop(command);
            if started.send(child).is_ok() {
                // Nothing is ever sent: it returns when the other end is dropped.
                let _ = held.recv();
            }
        };
        let name = "guest keeper".to_owned();
        let keeper = std::thread::Builder::new().name(name).spawn(keeper);
        let keeper = keeper.tried("start a thread")?;
        let child = starts.recv().map_err(|_| Error::Died("QEMU was not started".to_owned()))?;
        let child = child.tried(format!("start {}", program.display()))?;
        Ok(Self { child, ended: None, errors, keeper: Some((hold, keeper)) })
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Waits for its end, for a while.
    pub(crate) fn wait(&mut self, timeout: Duration) -> Option<ExitStatus> {
        let deadline = Deadline::after(timeout);
        while self.ended().is_none() && deadline.left().is_some() {
            deadline.rest(Duration::from_millis(1));
        }
        self.ended
    }

    /// Its standard error so far.
    pub(crate) fn errors(&mut self) -> String {
        let mut text = Vec::new();
        if self.errors.rewind().and_then(|()| self.errors.read_to_end(&mut text)).is_err() {
            return String::new();
        }
        String::from_utf8_lossy(&text).trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            // It may have ended by itself in between, which is as good.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if let Some((hold, keeper)) = self.keeper.take() {
            drop(hold);
            let _ = keeper.join();
        }
    }
}

//! Namespaces of the process's own: how it comes to the right to make them, and threads that work
//! inside one. A namespace is held by a descriptor and by nothing else, so whatever ends the
//! process ends it too. Knows no interface and no node.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;
use std::thread;

use crate::error::{Error, Tried};
use crate::rights;
use crate::sys;

/// Why the settings of the machine itself could not be put out of reach, if they could not.
static UNSEALED: OnceLock<Option<String>> = OnceLock::new();

/// Brings the whole process into a network namespace of its own and, where it has not the right
/// to that, into a user namespace first. There it gives up what the wire does not need: most
/// capabilities, new privileges, and writing to settings that are not a network's. To be called
/// while the process has a single thread.
///
/// # Errors
/// [`Error::Forbidden`] where the machine allows neither; it names the ways out. [`Error::System`]
/// where capabilities cannot be given up.
pub fn enter() -> Result<(), Error> {
    unshare()?;
    let sealed = rights::seal_settings();
    UNSEALED.get_or_init(|| {
        let text = |error| format!("/proc/sys could not be made read-only but for net: {error}");
        sealed.err().map(text)
    });
    rights::shed().tried("give up capabilities")
}

/// A line for a reader where a container, say, forbids mounts; a setting's name is checked anyway.
pub(crate) fn unsealed() -> Option<String> {
    UNSEALED.get().cloned().flatten()
}

fn unshare() -> Result<(), Error> {
    let (user, group) = sys::effective_ids();
    if user == 0 && sys::unshare(libc::CLONE_NEWNET).is_ok() {
        return Ok(());
    }
    sys::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET).map_err(|error| forbidden(&error))?;
    // An old kernel has no such file, and there the rule that asks for it does not hold either.
    let _ = fs::write("/proc/self/setgroups", "deny");
    let map = |file: &str, id: u32| {
        fs::write(format!("/proc/self/{file}"), format!("0 {id} 1")).map_err(|e| forbidden(&e))
    };
    map("gid_map", group)?;
    map("uid_map", user)
}

/// What forbids namespaces here, as far as it can be seen, and what would allow them.
fn forbidden(error: &io::Error) -> Error {
    let read = |file: &str| fs::read_to_string(file).ok().map(|text| text.trim().to_owned());
    let mut ways = vec!["run as root".to_owned()];
    if read("/proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0") {
        ways.push("sysctl -w kernel.unprivileged_userns_clone=1".to_owned());
    }
    if read("/proc/sys/user/max_user_namespaces").as_deref() == Some("0") {
        ways.push("sysctl -w user.max_user_namespaces=15000".to_owned());
    }
    if read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1") {
        let way = "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor \
                   profile that has `userns,`";
        ways.push(way.to_owned());
    }
    if Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists() {
        ways.push("start the container with --cap-add SYS_ADMIN --cap-add NET_ADMIN".to_owned());
    }
    if ways.len() == 1 {
        let way = "allow user namespaces (kernel.unprivileged_userns_clone, \
                   user.max_user_namespaces, AppArmor, or the seccomp filter of a container)";
        ways.push(way.to_owned());
    }
    Error::Forbidden(format!(
        "this machine does not let this user make namespaces, which the veth wire stands on \
         ({error}); either: {}",
        ways.join("; or: ")
    ))
}

/// A network namespace.
#[derive(Debug)]
pub(crate) struct Namespace(OwnedFd);

impl Namespace {
    /// Makes one, and does some work in a thread inside it while nothing is there yet but a
    /// loopback interface that is down. What the work opens stays in the namespace for good.
    pub(crate) fn new<T: Send>(
        work: impl FnOnce() -> Result<T, Error> + Send,
    ) -> Result<(Self, T), Error> {
        in_thread(|| {
            sys::unshare(libc::CLONE_NEWNET).map_err(|error| forbidden(&error))?;
            let done = work()?;
            let file = File::open("/proc/thread-self/ns/net").tried("open a namespace")?;
            Ok((Self(file.into()), done))
        })
    }

    /// Does some work in a thread inside the namespace.
    pub(crate) fn inside<T: Send>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        in_thread(|| {
            sys::enter_net(self.0.as_fd()).tried("enter a namespace")?;
            work()
        })
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Namespaces belong to threads: one that ends takes its change of place with it.
fn in_thread<T: Send>(work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, work).tried("start a thread")?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Writes a setting of the calling thread's namespace.
pub(crate) fn set_sysctl(name: &str, value: &str) -> Result<(), Error> {
    // Whoever gave it has checked it; nothing unchecked is ever written.
    linux::check_setting(name, value).map_err(Error::Plan)?;
    let context = || format!("set {name} to {value}");
    // One that a namespace does not have is not made. An interface's name may hold a dot, so
    // callers write slashes between the parts.
    let file = OpenOptions::new().write(true).open(format!("/proc/sys/{name}"));
    file.and_then(|mut file| file.write_all(value.as_bytes())).tried(context())
}

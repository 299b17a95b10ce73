//! What the process and the programs that it runs may still do once it is in namespaces of its own:
//! fewer capabilities, no new privileges, a read-only `/proc/sys` but for the network's, and for a
//! program nearly no file. The system calls have no safe form elsewhere. Knows no node and no rule.

use std::ffi::CString;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Capabilities by their numbers in linux/capability.h.
const CHOWN: u32 = 0;
const DAC_OVERRIDE: u32 = 1;
const DAC_READ_SEARCH: u32 = 2;
const FOWNER: u32 = 3;
const FSETID: u32 = 4;
const SETPCAP: u32 = 8;
const NET_BIND_SERVICE: u32 = 10;
const NET_ADMIN: u32 = 12;
const NET_RAW: u32 = 13;
const SYS_ADMIN: u32 = 21;
/// A kernel that has more has them in a mask of 64 bits all the same.
const MOST: u32 = 63;

/// What the wire needs: namespaces, interfaces, packet sockets, ports below 1024; and root's way to
/// files, since reports and goldens are written where the user says. With SETPCAP a program that is
/// started can be left fewer; what is given up here it does not bring back.
const OF_THE_WIRE: &[u32] = &[
    CHOWN,
    DAC_OVERRIDE,
    DAC_READ_SEARCH,
    FOWNER,
    FSETID,
    SETPCAP,
    NET_BIND_SERVICE,
    NET_ADMIN,
    NET_RAW,
    SYS_ADMIN,
];
/// What a program that loads rules needs.
const OF_RULES: &[u32] = &[NET_ADMIN, NET_RAW];

fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn prctl(option: libc::c_int, first: u32) -> io::Result<()> {
    let (first, none) = (libc::c_ulong::from(first), 0 as libc::c_ulong);
    #[expect(unsafe_code, reason = "the standard library has no prctl(2)")]
    // SAFETY: the options used here take numbers, and change the calling thread alone.
    let result = unsafe { libc::prctl(option, first, none, none, none) };
    check(libc::c_long::from(result)).map(drop)
}

/// The calling thread keeps these capabilities of those it has, and can never have others.
fn keep(capabilities: &[u32]) -> io::Result<()> {
    let mask = capabilities.iter().fold(0_u64, |mask, one| mask | 1 << one);
    // Version 3, and the calling thread; then two times effective, permitted and inheritable.
    let mut header = [0x2008_0522_u32, 0];
    let mut sets = [0_u32; 6];
    #[expect(unsafe_code, reason = "the standard library has no capget(2)")]
    // SAFETY: header and sets have the layout of version 3, and live through the call.
    let got = unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr()) };
    check(got)?;
    let halves = [mask as u32, (mask >> 32) as u32];
    for (half, kept) in halves.into_iter().enumerate() {
        let had = sets[half * 3 + 1];
        sets[half * 3] = had & kept;
        sets[half * 3 + 1] = had & kept;
        sets[half * 3 + 2] = 0;
    }
    #[expect(unsafe_code, reason = "the standard library has no capset(2)")]
    // SAFETY: as above; the sets are parts of what the thread has.
    let set = unsafe { libc::syscall(libc::SYS_capset, header.as_mut_ptr(), sets.as_ptr()) };
    check(set).map(drop)
}

/// Gives up what the wire does not need, for the calling thread, and whatever thread and program it
/// starts: to be called while it is the only one.
pub(crate) fn shed() -> io::Result<()> {
    for capability in (0..=MOST).filter(|one| !OF_THE_WIRE.contains(one)) {
        // A number that the kernel has not, or no right to drop it: then the sets below hold.
        let _ = prctl(libc::PR_CAPBSET_DROP, capability);
    }
    keep(OF_THE_WIRE)?;
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)
}

fn text(path: &str) -> io::Result<CString> {
    CString::new(path).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn mount(from: Option<&str>, at: &str, flags: libc::c_ulong) -> io::Result<()> {
    let (from, at) = (from.map(text).transpose()?, text(at)?);
    let from = from.as_ref().map_or(std::ptr::null(), |from| from.as_ptr());
    let none = std::ptr::null();
    #[expect(unsafe_code, reason = "the standard library has no mount(2)")]
    // SAFETY: the paths are strings that live through the call, and these flags take no data.
    let result = unsafe { libc::mount(from, at.as_ptr(), none, flags, none.cast()) };
    check(libc::c_long::from(result)).map(drop)
}

/// How a place is mounted, as flags of mount(2): a user namespace may take none of them away.
fn mounted(at: &str) -> io::Result<libc::c_ulong> {
    let at = text(at)?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
    #[expect(unsafe_code, reason = "the standard library has no statvfs(3)")]
    // SAFETY: the path is a string and the room that of the structure; all zeros is one.
    let (result, found) =
        unsafe { (libc::statvfs(at.as_ptr(), found.as_mut_ptr()), found.assume_init()) };
    check(libc::c_long::from(result))?;
    let flags = [
        (libc::ST_NOSUID, libc::MS_NOSUID),
        (libc::ST_NODEV, libc::MS_NODEV),
        (libc::ST_NOEXEC, libc::MS_NOEXEC),
        (libc::ST_RELATIME, libc::MS_RELATIME),
        (libc::ST_NOATIME, libc::MS_NOATIME),
    ];
    let is = |stated: libc::c_ulong| found.f_flag & stated != 0;
    Ok(flags.into_iter().filter(|(stated, _)| is(*stated)).fold(0, |all, (_, flag)| all | flag))
}

/// Makes `/proc/sys` read-only but for `net`, whose files are those of the thread's own network, in
/// a mount namespace of the process's own: to be called while it has a single thread.
pub(crate) fn seal_settings() -> io::Result<()> {
    const ALL: &str = "/proc/sys";
    const NET: &str = "/proc/sys/net";
    crate::sys::unshare(libc::CLONE_NEWNS)?;
    // What the host mounts is still seen here; what is mounted here the host does not see.
    mount(None, "/", libc::MS_SLAVE | libc::MS_REC)?;
    let flags = mounted(ALL)?;
    mount(Some(ALL), ALL, libc::MS_BIND | libc::MS_REC)?;
    mount(Some(NET), NET, libc::MS_BIND | libc::MS_REC)?;
    mount(None, ALL, libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | flags)
}

/// Rights to files as Landlock numbers them.
const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
/// All of its first version: those, removing, and making.
const FIRST_VERSION: u64 = (1 << 13) - 1;

/// Where programs and what they are linked with lie.
const PROGRAMS: &[&str] =
    &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store"];
/// Names of protocols and services, which rules use, and what the loader reads.
const NAMES: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/nsswitch.conf",
    "/etc/protocols",
    "/etc/services",
    "/etc/iproute2",
    "/etc/ethertypes",
];

/// The only files that a program may open: programs, libraries, names of protocols.
#[derive(Debug)]
pub(crate) struct Files(OwnedFd);

impl Files {
    /// `None` where this kernel has no Landlock.
    pub(crate) fn few(program: &Path) -> Option<Self> {
        let handled = FIRST_VERSION;
        let (size, flags) = (std::mem::size_of_val(&handled), 0_u32);
        #[expect(unsafe_code, reason = "the standard library has no Landlock")]
        // SAFETY: pointer and size are those of the structure's first version, a single number.
        let made = unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, &raw const handled, size, flags)
        };
        let made = libc::c_int::try_from(check(made).ok()?).ok()?;
        #[expect(unsafe_code, reason = "the kernel gives a bare number")]
        // SAFETY: the kernel has just opened it, for nobody else.
        let files = Self(unsafe { OwnedFd::from_raw_fd(made) });
        let near = program.parent().and_then(Path::to_str);
        for folder in PROGRAMS.iter().copied().chain(near) {
            files.allow(folder, EXECUTE | READ_FILE | READ_DIR);
        }
        NAMES.iter().for_each(|file| files.allow(file, READ_FILE | READ_DIR));
        files.allow("/dev/null", READ_FILE | WRITE_FILE);
        Some(files)
    }

    /// What is not there needs no right.
    fn allow(&self, path: &str, rights: u64) {
        #[repr(C, packed)]
        struct Beneath {
            rights: u64,
            parent: libc::c_int,
        }
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(path);
        let Ok(parent) = opened else { return };
        // A right to folders is none to a file.
        let is_folder = parent.metadata().is_ok_and(|found| found.is_dir());
        let rights = if is_folder { rights } else { rights & !READ_DIR };
        let rule = Beneath { rights, parent: parent.as_raw_fd() };
        let (kind, flags) = (1, 0_u32);
        let ruleset = self.0.as_raw_fd();
        #[expect(unsafe_code, reason = "the standard library has no Landlock")]
        // SAFETY: the rule is of the kind `path beneath`, and its descriptors are open.
        let _ = unsafe {
            libc::syscall(libc::SYS_landlock_add_rule, ruleset, kind, &raw const rule, flags)
        };
    }
}

/// Confines a program: of its own group, ended with the thread that starts it, with the rights that
/// rules need and no others, and with these files where the kernel can hold it to them.
pub(crate) fn confine(command: &mut Command, files: Option<Files>) {
    command.process_group(0).current_dir("/").env_clear();
    let before = move || {
        prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as u32)?;
        prctl(libc::PR_SET_NO_NEW_PRIVS, 1)?;
        if let Some(Files(files)) = &files {
            let flags = 0_u32;
            #[expect(unsafe_code, reason = "the standard library has no Landlock")]
            // SAFETY: takes numbers by value, and holds the calling thread alone.
            let held = unsafe {
                libc::syscall(libc::SYS_landlock_restrict_self, files.as_raw_fd(), flags)
            };
            check(held)?;
        }
        keep(OF_RULES)
    };
    #[expect(unsafe_code, reason = "the standard library asks for the promise that follows")]
    // SAFETY: between fork and exec the closure makes system calls and allocates nothing: errors
    // are numbers of the kernel's.
    unsafe {
        command.pre_exec(before);
    }
}

/// Ends a process that was started with a group of its own, and what it started.
pub(crate) fn kill_group(leader: u32) {
    let Ok(leader) = libc::pid_t::try_from(leader) else { return };
    if leader > 1 {
        #[expect(unsafe_code, reason = "the standard library ends no groups")]
        // SAFETY: takes numbers by value; the leader is a child that was not waited for, so that
        // its number is nobody else's.
        unsafe {
            libc::kill(-leader, libc::SIGKILL);
        }
    }
}

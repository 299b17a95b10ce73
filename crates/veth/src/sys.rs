//! The system calls that have no safe form elsewhere, one function each. Knows file descriptors,
//! interface names and numbers; decides nothing.

// A path, since the benchmark takes this file from elsewhere.
#[path = "sys/cores.rs"]
pub(crate) mod cores;

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A VLAN tag that the kernel took off a frame before a packet socket saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) tpid: u16,
    pub(crate) tci: u16,
}

/// What the kernel tells of a frame beside its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Bytes that were there.
    pub(crate) length: usize,
    /// The tag that it took off.
    pub(crate) tag: Option<Tag>,
    /// It left by this interface: somebody else on this host sent it.
    pub(crate) outgoing: bool,
    /// Whoever sent it left the checksum to hardware that was not there.
    pub(crate) unfinished: bool,
    /// When it came, since 1970 by the system's clock, where a socket asks for it.
    pub(crate) stamp: Option<std::time::Duration>,
}

/// Room for a frame's auxiliary data and its time with their headers, aligned as control messages
/// are.
#[repr(C, align(8))]
struct Control([u8; 128]);

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The user that the process acts as.
pub(crate) fn effective_ids() -> (u32, u32) {
    #[expect(unsafe_code, reason = "the standard library does not tell who the process is")]
    // SAFETY: both calls take nothing and always succeed.
    unsafe {
        (libc::geteuid(), libc::getegid())
    }
}

/// Moves the calling thread (or, for a user namespace, the process) into new namespaces.
pub(crate) fn unshare(flags: libc::c_int) -> io::Result<()> {
    #[expect(unsafe_code, reason = "no safe form of unshare(2) in a crate that is used here")]
    // SAFETY: takes flags by value; moves only the caller, which holds nothing of the old ones.
    let result = unsafe { libc::unshare(flags) };
    check(result).map(drop)
}

/// Moves the calling thread into a network namespace.
pub(crate) fn enter_net(namespace: BorrowedFd<'_>) -> io::Result<()> {
    #[expect(unsafe_code, reason = "no safe form of setns(2) in a crate that is used here")]
    // SAFETY: the descriptor is open for the length of the call; only the calling thread moves.
    let result = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
    check(result).map(drop)
}

/// A packet socket in the calling thread's network namespace. Protocol 0: it receives nothing until
/// it is bound, so that no frame of another interface is queued before.
pub(crate) fn packet_socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    #[expect(unsafe_code, reason = "the standard library has no packet sockets")]
    // SAFETY: takes numbers by value; the result is checked before it is owned.
    let result = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
    Ok(owned(check(result)?))
}

/// A timer that becomes readable when it runs out.
pub(crate) fn timer() -> io::Result<OwnedFd> {
    let flags = libc::TFD_NONBLOCK | libc::TFD_CLOEXEC;
    #[expect(unsafe_code, reason = "tokio's own timer counts whole milliseconds")]
    // SAFETY: takes numbers by value; the result is checked before it is owned.
    let result = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) };
    Ok(owned(check(result)?))
}

fn owned(fd: libc::c_int) -> OwnedFd {
    #[expect(unsafe_code, reason = "a descriptor comes from the kernel as a number")]
    // SAFETY: the callers pass what a system call just returned as open, and keep no copy.
    unsafe {
        OwnedFd::from_raw_fd(fd)
    }
}

/// Sets a timer to run out once, so long from now; at once for zero.
pub(crate) fn set_timer(timer: BorrowedFd<'_>, after: std::time::Duration) -> io::Result<()> {
    let seconds = libc::time_t::try_from(after.as_secs()).unwrap_or(libc::time_t::MAX);
    // A value of zero would disarm it.
    let nanos = i64::from(after.subsec_nanos()).max(i64::from(seconds == 0));
    let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let value = libc::timespec { tv_sec: seconds, tv_nsec: nanos };
    let setting = libc::itimerspec { it_interval: never, it_value: value };
    #[expect(unsafe_code, reason = "tokio's own timer counts whole milliseconds")]
    // SAFETY: `setting` lives through the call; the old setting is not asked for.
    let result =
        unsafe { libc::timerfd_settime(timer.as_raw_fd(), 0, &setting, std::ptr::null_mut()) };
    check(result).map(drop)
}

/// Sets a number as a socket's option.
pub(crate) fn set_option(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    set_bytes(socket, level, name, &value)
}

/// Sets promiscuous mode for a packet socket's interface.
pub(crate) fn promiscuous(socket: BorrowedFd<'_>, index: libc::c_int) -> io::Result<()> {
    let membership = libc::packet_mreq {
        mr_ifindex: index,
        mr_type: libc::PACKET_MR_PROMISC as libc::c_ushort,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set_bytes(socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &membership)
}

fn set_bytes<T>(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: &T,
) -> io::Result<()> {
    let length = mem::size_of::<T>() as libc::socklen_t;
    let address: *const T = value;
    #[expect(unsafe_code, reason = "packet sockets have options of their own")]
    // SAFETY: the pointer and the length are those of `value`, which lives through the call.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, address.cast(), length) };
    check(result).map(drop)
}

/// Takes the error that waits on a socket.
pub(crate) fn take_error(socket: BorrowedFd<'_>) -> io::Result<libc::c_int> {
    get_option(socket, libc::SOL_SOCKET, libc::SO_ERROR, 0)
}

/// Frames that a packet socket had no room for since it was last asked.
pub(crate) fn take_drops(socket: BorrowedFd<'_>) -> io::Result<u32> {
    // The kernel's tpacket_stats: frames seen, and those of them that were dropped.
    get_option(socket, libc::SOL_PACKET, libc::PACKET_STATISTICS, [0_u32; 2])
        .map(|[_, drops]| drops)
}

/// Numbers that are a socket's option; `empty` is only room for them.
fn get_option<T: Copy>(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    empty: T,
) -> io::Result<T> {
    let mut value = empty;
    let mut length = mem::size_of::<T>() as libc::socklen_t;
    let address: *mut T = &mut value;
    #[expect(unsafe_code, reason = "packet sockets are no std sockets")]
    // SAFETY: pointer and length are those of `value`, which lives through the call and is made of
    // whole numbers, so that any bytes are a value of it.
    let result =
        unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, address.cast(), &mut length) };
    check(result)?;
    Ok(value)
}

/// Binds a packet socket to an interface, for all protocols.
pub(crate) fn bind(socket: BorrowedFd<'_>, index: libc::c_int) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::c_ushort,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: index,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    let pointer: *const libc::sockaddr_ll = &address;
    #[expect(unsafe_code, reason = "no crate in use builds the address of a packet socket")]
    // SAFETY: pointer and length are those of `address`, which lives through the call.
    let result = unsafe { libc::bind(socket.as_raw_fd(), pointer.cast(), length) };
    check(result).map(drop)
}

/// Sends one frame.
pub(crate) fn send(socket: BorrowedFd<'_>, frame: &[u8]) -> io::Result<usize> {
    #[expect(unsafe_code, reason = "packet sockets are no std sockets")]
    // SAFETY: pointer and length are those of `frame`, which the kernel only reads.
    let sent = unsafe {
        libc::send(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), libc::MSG_NOSIGNAL)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// A frame waits to be received.
pub(crate) fn has_frame(socket: BorrowedFd<'_>) -> bool {
    let mut byte = [0_u8; 1];
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    #[expect(unsafe_code, reason = "packet sockets are no std sockets")]
    // SAFETY: pointer and length are those of `byte`, which lives through the call.
    let got = unsafe { libc::recv(socket.as_raw_fd(), byte.as_mut_ptr().cast(), 1, flags) };
    got >= 0
}

/// Receives one frame into `room`, and what the kernel tells of it.
pub(crate) fn receive(socket: BorrowedFd<'_>, room: &mut [u8]) -> io::Result<Received> {
    let mut control = Control([0; 128]);
    let mut part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
    #[expect(unsafe_code, reason = "a message header has private padding on some targets")]
    // SAFETY: all zeros is a message header without name, parts and control, and an address of
    // no family.
    let (mut message, mut from): (libc::msghdr, libc::sockaddr_ll) = unsafe { mem::zeroed() };
    let name: *mut libc::sockaddr_ll = &mut from;
    message.msg_name = name.cast();
    message.msg_namelen = mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    message.msg_iov = &mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len();
    #[expect(unsafe_code, reason = "a frame's VLAN tag comes as a control message")]
    // SAFETY: the header points to `from`, `part` and `control`, and `part` to `room`; all of them
    // live through the call, and each length is that of what is pointed to.
    let got = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, libc::MSG_DONTWAIT) };
    let length = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    let outgoing = from.sll_pkttype == libc::PACKET_OUTGOING;
    let mut received = Received { length, outgoing, ..Received::default() };
    read_controls(&message, &mut received);
    Ok(received)
}

/// What the control messages of a frame just received say.
fn read_controls(message: &libc::msghdr, received: &mut Received) {
    #[expect(unsafe_code, reason = "control messages are walked by libc's macros")]
    // SAFETY: recvmsg(2) filled the header and the buffer that it points to, which still lives.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !next.is_null() {
        #[expect(unsafe_code, reason = "control messages are walked by libc's macros")]
        // SAFETY: `next` is not null, so it lies in that buffer with all of its header; what is
        // behind it is read unaligned, and only where its length says that all of it is there.
        unsafe {
            let room = (*next).cmsg_len;
            let holds = |size: usize| room >= libc::CMSG_LEN(size as libc::c_uint) as usize;
            match ((*next).cmsg_level, (*next).cmsg_type) {
                (libc::SOL_PACKET, libc::PACKET_AUXDATA)
                    if holds(mem::size_of::<libc::tpacket_auxdata>()) =>
                {
                    let data = libc::CMSG_DATA(next).cast::<libc::tpacket_auxdata>();
                    received.read_auxiliary(&data.read_unaligned());
                }
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS)
                    if holds(mem::size_of::<libc::timespec>()) =>
                {
                    let data = libc::CMSG_DATA(next).cast::<libc::timespec>();
                    received.read_time(&data.read_unaligned());
                }
                _ => {}
            }
            next = libc::CMSG_NXTHDR(message, next);
        }
    }
}

impl Received {
    fn read_auxiliary(&mut self, aux: &libc::tpacket_auxdata) {
        self.unfinished = aux.tp_status & libc::TP_STATUS_CSUMNOTREADY != 0;
        if aux.tp_status & libc::TP_STATUS_VLAN_VALID != 0 {
            let known = aux.tp_status & libc::TP_STATUS_VLAN_TPID_VALID != 0;
            let tpid = if known { aux.tp_vlan_tpid } else { 0x8100 };
            self.tag = Some(Tag { tpid, tci: aux.tp_vlan_tci });
        }
    }

    fn read_time(&mut self, time: &libc::timespec) {
        let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
        if let (Ok(seconds), Ok(nanos)) = (seconds, nanos) {
            self.stamp = Some(std::time::Duration::new(seconds, nanos));
        }
    }
}

/// The number of an interface in the socket's namespace.
pub(crate) fn interface_index(socket: BorrowedFd<'_>, name: &str) -> io::Result<libc::c_int> {
    let mut request = request(name);
    ioctl(socket, libc::SIOCGIFINDEX, &mut request)?;
    #[expect(unsafe_code, reason = "the kernel answers in a union")]
    // SAFETY: this request fills in the index, and any bytes are a number.
    let index = unsafe { request.ifr_ifru.ifru_ifindex };
    Ok(index)
}

/// Brings an interface of the socket's namespace up.
pub(crate) fn bring_up(socket: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    let mut request = request(name);
    ioctl(socket, libc::SIOCGIFFLAGS, &mut request)?;
    #[expect(unsafe_code, reason = "the kernel answers in a union")]
    // SAFETY: the request before filled in the flags, and any bytes are a number.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = flags | libc::IFF_UP as libc::c_short;
    ioctl(socket, libc::SIOCSIFFLAGS, &mut request)
}

/// Gives an ethtool command with one number to an interface; what it answers.
pub(crate) fn ethtool(
    socket: BorrowedFd<'_>,
    name: &str,
    command: u32,
    value: u32,
) -> io::Result<u32> {
    let mut data = [command, value];
    ethtool_words(socket, name, &mut data)?;
    Ok(data[1])
}

/// Gives an ethtool command to an interface, with room for as long an answer as the command has.
fn ethtool_words(socket: BorrowedFd<'_>, name: &str, words: &mut [u32]) -> io::Result<()> {
    let mut request = request(name);
    request.ifr_ifru.ifru_data = words.as_mut_ptr().cast();
    ioctl(socket, libc::SIOCETHTOOL, &mut request)
}

/// What an interface can do for the kernel, by the kernel's own names, and whether it does.
pub(crate) fn features(socket: BorrowedFd<'_>, name: &str) -> io::Result<Vec<(String, bool)>> {
    // ethtool's set of the features' names, and the length of each.
    const SET: u32 = 4;
    const NAME_WORDS: usize = 8;
    // ETHTOOL_GSSET_INFO: how many names this set has.
    let mut info = [0x37, 0, 1 << SET, 0, 0];
    ethtool_words(socket, name, &mut info)?;
    let count = info[4] as usize;
    // ETHTOOL_GSTRINGS: the names.
    let mut names = vec![0_u32; 3 + count * NAME_WORDS];
    names[..3].copy_from_slice(&[0x1b, SET, info[4]]);
    ethtool_words(socket, name, &mut names)?;
    // ETHTOOL_GFEATURES: for each 32 of them what is available, requested, active and fixed.
    let blocks = count.div_ceil(32);
    let mut bits = vec![0_u32; 2 + blocks * 4];
    bits[..2].copy_from_slice(&[0x3a, blocks as u32]);
    ethtool_words(socket, name, &mut bits)?;
    let name = |index: usize| {
        let words = &names[3 + index * NAME_WORDS..3 + (index + 1) * NAME_WORDS];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let active = |index: usize| bits[2 + index / 32 * 4 + 2] >> (index % 32) & 1 == 1;
    Ok((0..count).map(|index| (name(index), active(index))).collect())
}

fn request(name: &str) -> libc::ifreq {
    #[expect(unsafe_code, reason = "the request holds a union")]
    // SAFETY: all zeros is an empty name and a union of numbers and null pointers.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    // The last byte stays zero, whatever the name.
    for (place, byte) in request.ifr_name[..libc::IFNAMSIZ - 1].iter_mut().zip(name.bytes()) {
        *place = byte as libc::c_char;
    }
    request
}

fn ioctl(
    socket: BorrowedFd<'_>,
    number: libc::c_ulong,
    request: &mut libc::ifreq,
) -> io::Result<()> {
    let address: *mut libc::ifreq = request;
    #[expect(unsafe_code, reason = "offload switches and flags are set by ioctl")]
    // SAFETY: the numbers that callers pass all take a pointer to an ifreq; a pointer inside it
    // leads to an array of the caller that lives through the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), number as _, address) };
    check(result).map(drop)
}

/// Lets the runtime, in whose context this is called, watch a descriptor for something to read.
pub(crate) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(unsafe_code, reason = "tokio asks for the promise that follows")]
    // SAFETY: an owned descriptor is open and stays the same one until it is dropped, which the
    // AsyncFd does after it has left the runtime; nobody here replaces it in its place.
    let watched = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    watched.map_err(|error| error.into_parts().1)
}

/// The signals that ask a program to end, kept from ending it while this lasts: they are read
/// from a descriptor instead. One that nobody read ends the program when this ends.
#[derive(Debug)]
pub(crate) struct HeldSignals(libc::sigset_t);

/// Holds SIGINT and SIGTERM off the calling thread; a descriptor from which they are read.
pub(crate) fn hold_signals() -> io::Result<(HeldSignals, OwnedFd)> {
    #[expect(unsafe_code, reason = "the standard library knows no signals")]
    // SAFETY: all zeros is room for a set, which sigemptyset(3) makes one; all pointers are to
    // sets that live through the calls.
    let (before, fd) = unsafe {
        let (mut set, mut before): (libc::sigset_t, libc::sigset_t) = mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGINT);
        libc::sigaddset(&mut set, libc::SIGTERM);
        match libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut before) {
            0 => {}
            error => return Err(io::Error::from_raw_os_error(error)),
        }
        (before, libc::signalfd(-1, &set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC))
    };
    let held = HeldSignals(before);
    Ok((held, owned(check(fd)?)))
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the standard library knows no signals")]
        // SAFETY: the set is the one that the kernel gave when they were held.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut());
        }
    }
}

//! The command line of QEMU. Knows its options and the kernel's command line; nothing
//! of what runs in the guest.

use std::ffi::OsString;
use std::os::fd::OwnedFd;

use wire::Mac;

use crate::config::{Clock, Config};
use crate::lockstep;
use crate::process::FIRST_FD;

/// The program.
pub(crate) const PROGRAM: &str = "qemu-system-x86_64";
/// The package that brings it.
pub(crate) const PACKAGE: &str = "qemu-system-x86";
/// Places for cards that a plain PC has beside what else is in it.
pub(crate) const MOST_PORTS: usize = 24;
/// What it is needed for.
pub(crate) const PURPOSE: &str = "a guest runs in it";

/// What a virtio network card could do to frames on their way: none of it, and it receives every
/// frame, so that the guest's kernel decides by itself what is for it.
const CARD: &str = "csum=off,guest_csum=off,gso=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,\
                    guest_ufo=off,host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off,\
                    guest_announce=off,ctrl_rx=off,ctrl_vlan=off,ctrl_rx_extra=off,romfile=";

/// The kernel's command line. Without mitigations, since the guest is no security boundary; a
/// fault in the kernel ends the machine, since nothing that follows would count. Cards hand
/// over one frame a turn: among several, a kernel holds segments back to merge them with what
/// follows (GRO), and a barrier would overtake them. That holds for HZ below 1000.
const COMMAND_LINE: &str = "console=ttyS0 loglevel=5 panic=-1 oops=panic reboot=t nokaslr \
                            mitigations=off random.trust_cpu=on tsc=reliable cryptomgr.notests \
                            rcupdate.rcu_expedited=1 audit=0 selinux=0 apparmor=0 \
                            no_timer_check net.ifnames=0 virtio_net.napi_weight=1";

/// The address of a card until it is given another.
pub(crate) fn first_mac(port: usize) -> Mac {
    Mac([0x52, 0x54, 0x00, 0x77, (port >> 8) as u8, port as u8])
}

/// Whoever boots the same machine twice in lockstep gets the same machine: the guest's clock counts
/// its instructions, a nanosecond each, and time in which it has nothing to do passes at once; its
/// chances and its date are always these.
const LOCKSTEP: &[&str] =
    &["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1"];

/// What QEMU may not call the kernel for, so that a guest that breaks out of it can start nothing,
/// become nobody else and open no other process; a call that is refused ends it.
const SANDBOX: &str = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/// The descriptors behind the root file system: the kernel's image, the console's file, and the
/// first of those that depend on the machine.
const KERNEL_FD: i32 = FIRST_FD + 1;
const CONSOLE_FD: i32 = FIRST_FD + 2;
const LINE_FD: i32 = FIRST_FD + 3;

/// The arguments for the machine. Descriptors are held from [`FIRST_FD`] on: the root file system,
/// the kernel's image and the console's file; the channel and a socket for each port, or the gate
/// and the mailbox of a guest in lockstep; and the user's own streams.
pub(crate) fn arguments(config: &Config) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut add = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
    add(&["-name", "wireproof-guest", "-M", "pc,usb=off,vmport=off"]);
    add(&[
        "-accel",
        "tcg",
        "-cpu",
        "qemu64",
        "-smp",
        "1",
        "-m",
        &format!("{}M", config.memory_mib),
    ]);
    add(&["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]);
    add(&["-sandbox", SANDBOX]);
    let lockstep = match config.clock {
        Clock::Free => String::new(),
        Clock::Lockstep => format!("lockstep={}", config.ports),
    };
    add(&["-append", &format!("{COMMAND_LINE} {lockstep} {}", config.command_line)]);
    add(&["-initrd", &format!("/dev/fd/{FIRST_FD}")]);
    let streams = match config.clock {
        Clock::Free => free(config.ports, &mut add),
        Clock::Lockstep => in_lockstep(&mut add),
    };
    for (name, fd) in config.streams.iter().zip(streams..) {
        add(&["-chardev", &format!("socket,id={name},fd={fd}")]);
    }
    // Of a set of descriptors QEMU opens no file by its name, which it may not be allowed to.
    add(&["-add-fd", &format!("fd={CONSOLE_FD},set=1")]);
    add(&["-chardev", "file,id=console,path=/dev/fdset/1", "-serial", "chardev:console"]);
    add(&["-kernel", &format!("/dev/fd/{KERNEL_FD}")]);
    arguments.extend(config.extra.iter().map(OsString::from));
    arguments
}

/// A channel and cards; the descriptor behind theirs.
fn free(ports: usize, add: &mut impl FnMut(&[&str])) -> i32 {
    let channel = LINE_FD;
    add(&["-chardev", &format!("socket,id=channel,fd={channel}")]);
    add(&["-device", "virtio-serial-pci,romfile="]);
    add(&["-device", "virtserialport,chardev=channel,name=wireproof,nr=1"]);
    for (port, fd) in (0..ports).zip(channel + 1..) {
        add(&["-netdev", &format!("dgram,id=net{port},local.type=fd,local.str={fd}")]);
        let mac = first_mac(port);
        add(&["-device", &format!("virtio-net-pci,netdev=net{port},mac={mac},{CARD}")]);
    }
    channel + 1 + ports as i32
}

/// A gate and a mailbox; the descriptor behind theirs.
fn in_lockstep(add: &mut impl FnMut(&[&str])) -> i32 {
    let (gate, mailbox) = (LINE_FD, LINE_FD + 1);
    add(LOCKSTEP);
    add(&["-chardev", &format!("socket,id=gate,fd={gate}")]);
    let legacy = "disable-modern=on,disable-legacy=off,romfile=";
    add(&["-device", &format!("vhost-user-blk-pci,chardev=gate,{legacy}")]);
    let file = format!("size={},mem-path=/dev/fd/{mailbox}", lockstep::BYTES);
    add(&["-object", &format!("memory-backend-file,id=mailbox,share=on,{file}")]);
    add(&["-device", "ivshmem-plain,memdev=mailbox"]);
    mailbox + 1
}

/// All that QEMU is to hold, in the order in which [`arguments`] counts it.
pub(crate) fn held(
    root: OwnedFd,
    kernel: OwnedFd,
    console: OwnedFd,
    line: Vec<OwnedFd>,
    ports: Vec<OwnedFd>,
    streams: Vec<OwnedFd>,
) -> Vec<OwnedFd> {
    [root, kernel, console].into_iter().chain(line).chain(ports).chain(streams).collect()
}

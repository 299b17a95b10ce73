//! How QEMU is told what machine to be. Knows its options and the kernel's command line; nothing
//! of what runs in the guest.

use std::ffi::OsString;
use std::os::fd::OwnedFd;

use wire::Mac;

use crate::machine::Config;
use crate::process::FIRST_FD;

/// The program.
pub(crate) const PROGRAM: &str = "qemu-system-x86_64";

/// What a virtio network card could do to frames on their way: none of it, and it hears every
/// frame, so that the guest's kernel decides by itself what is for it.
const CARD: &str = "csum=off,guest_csum=off,gso=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,\
                    guest_ufo=off,host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off,\
                    guest_announce=off,ctrl_rx=off,ctrl_vlan=off,ctrl_rx_extra=off,romfile=";

/// The kernel's command line. Without mitigations, since the guest is no fence against anybody; a
/// fault in the kernel ends the machine, since nothing that it says afterwards would count. Cards
/// hand over one frame a turn: among several, a kernel holds segments back to merge them with what
/// follows (GRO), and a fence would overtake them. That holds for HZ below 1000.
const COMMAND_LINE: &str = "console=ttyS0 loglevel=5 panic=-1 oops=panic reboot=t nokaslr \
                            mitigations=off random.trust_cpu=on tsc=reliable cryptomgr.notests \
                            rcupdate.rcu_expedited=1 audit=0 selinux=0 apparmor=0 \
                            no_timer_check net.ifnames=0 virtio_net.napi_weight=1";

/// The address of a card until it is given another.
pub(crate) fn first_mac(port: usize) -> Mac {
    Mac([0x52, 0x54, 0x00, 0x77, (port >> 8) as u8, port as u8])
}

/// What the machine is told. Descriptors are held from [`FIRST_FD`] on: the root file system, the
/// channel, a socket for each port, and the user's own streams.
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
    add(&["-append", &format!("{COMMAND_LINE} {}", config.command_line)]);
    add(&["-initrd", &format!("/dev/fd/{FIRST_FD}")]);
    let channel = FIRST_FD + 1;
    add(&["-chardev", &format!("socket,id=channel,fd={channel}")]);
    add(&["-device", "virtio-serial-pci,romfile="]);
    add(&["-device", "virtserialport,chardev=channel,name=wireproof,nr=1"]);
    for (port, fd) in (0..config.ports).zip(channel + 1..) {
        add(&["-netdev", &format!("dgram,id=net{port},local.type=fd,local.str={fd}")]);
        let mac = first_mac(port);
        add(&["-device", &format!("virtio-net-pci,netdev=net{port},mac={mac},{CARD}")]);
    }
    for (name, fd) in config.streams.iter().zip(channel + 1 + config.ports as i32..) {
        add(&["-chardev", &format!("socket,id={name},fd={fd}")]);
    }
    add(&["-chardev"]);
    let mut console = OsString::from("file,id=console,path=");
    console.push(&config.console);
    arguments.push(console);
    arguments.extend(["-serial", "chardev:console", "-kernel"].map(OsString::from));
    arguments.push(config.image.kernel.clone().into());
    arguments.extend(config.extra.iter().map(OsString::from));
    arguments
}

/// All that QEMU is to hold, in the order in which [`arguments`] counts it.
pub(crate) fn held(
    root: OwnedFd,
    channel: OwnedFd,
    ports: Vec<OwnedFd>,
    streams: Vec<OwnedFd>,
) -> Vec<OwnedFd> {
    [root, channel].into_iter().chain(ports).chain(streams).collect()
}

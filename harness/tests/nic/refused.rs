//! What is refused before a frame is sent, each with the way out.

use std::process::Command;

use libtest_mimic::Trial;

use crate::device::{Device, project, run, sh, told};
use crate::trial;

const FIRST: &str = "rst/fin-then-rst";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("an_interface_with_the_default_route_takes_a_word", the_default_route),
        trial("an_interface_that_cannot_be_used_is_told_with_the_command", unusable),
        trial("an_interface_that_changes_frames_is_refused", offloads),
        trial("without_the_privilege_the_ways_out_are_named", no_privilege),
        trial("what_a_device_cannot_do_is_not_run_with_a_reason", not_run),
        trial("words_that_mean_nothing", words),
    ]
}

/// The first scenario on an interface, with more words: exit code and all that was said.
fn on(iface: &str, more: &[&str]) -> (Option<i32>, String) {
    run(&[&["run", FIRST, "--on", "nic", "--iface", iface], more].concat())
}

fn refused(iface: &str, more: &[&str], words: &[&str]) {
    let (code, told) = on(iface, more);
    for word in words {
        assert!(code == Some(2) && told.contains(word), "{iface} {more:?}, {word}: {told}");
    }
    assert_eq!(told.lines().count(), 1, "one message: {told}");
}

fn the_default_route() {
    let device = Device::rejecting();
    let near = &device.near[0];
    sh(&format!("ip route add default dev {near} metric 7"));
    refused(near, &[], &["carries the default route:", "--i-know"]);
    let (code, told) = on(near, &["--i-know"]);
    assert!(code == Some(0) && told.contains("identical"), "{told}");
    sh(&format!("ip route del default dev {near} metric 7"));
    assert_eq!(on(near, &[]).0, Some(0));

    sh(&format!(
        "echo 0 > /proc/sys/net/ipv6/conf/{near}/disable_ipv6; \
         ip -6 route add default dev {near} metric 7"
    ));
    refused(near, &[], &["carries the default route:", "--i-know"]);
    sh(&format!("echo 1 > /proc/sys/net/ipv6/conf/{near}/disable_ipv6"));
    assert_eq!(on(near, &[]).0, Some(0));

    // The route of a bridge is that of its ports.
    sh(&format!(
        "ip link add nicbr type bridge; ip link set nicbr up; ip link set {near} master nicbr; \
         ip route add default dev nicbr metric 8"
    ));
    refused(near, &[], &["carries the default route (through nicbr):"]);
    sh("ip link del nicbr");
}

fn unusable() {
    let device = Device::with_cables(1);
    let near = &device.near[0];
    refused("lo", &[], &["lo is the loopback"]);
    refused("eth77", &[], &["there is no interface `eth77`", near.as_str()]);
    sh(&format!("ip link set {near} down"));
    refused(near, &[], &[&format!("{near} is down"), &format!("`ip link set {near} up`")]);
    sh(&format!("ip link set {near} up"));
    device.sh(&format!("ip link set {} down", device.far[0]));
    refused(near, &[], &["has no carrier"]);
}

fn offloads() {
    let device = Device::rejecting();
    let near = &device.near[0];
    sh(&format!("ethtool -K {near} gro on"));
    let command = format!("ethtool -K {near} rx-gro off");
    refused(near, &[], &[&command, "as they crossed the cable"]);
    // It is told and not done.
    assert!(sh(&format!("ethtool -k {near}")).contains("generic-receive-offload: on"));
    sh(&command);
    assert_eq!(on(near, &[]).0, Some(0));
}

fn no_privilege() {
    let device = Device::with_cables(1);
    let output = Command::new("setpriv")
        .args(["--bounding-set=-all", "--inh-caps=-all", env!("CARGO_BIN_EXE_wireproof")])
        .args(["run", FIRST, "--on", "nic", "--iface", &device.near[0]])
        .current_dir(project())
        .output()
        .expect("util-linux");
    let told = told(&output);
    for word in ["CAP_NET_RAW", "sudo ", "setcap cap_net_raw+ep ", "namespace"] {
        assert!(output.status.code() == Some(2) && told.contains(word), "{word}: {told}");
    }
    assert_eq!(told.lines().count(), 1, "one message: {told}");
}

fn not_run() {
    let device = Device::with_cables(1);
    let near = &device.near[0];
    for (id, reason) in [
        ("link/loss-always", "loses frame 1 (the link's loss), and a cable does not"),
        ("link/mtu-one-more", "bytes on a link of MTU"),
        ("link/delay-changes", "changes the link"),
        ("link/delay-exact", "step 2 (line 12) counts on the time that a link takes"),
        ("link/rate-odd", "counts on the time that a link takes"),
        ("wire/raw-runt", "has 9 bytes, and no interface sends below 14"),
        ("wire/arp-for-another", "which nodes are ours? --node names them; there are"),
        ("negative/rst-ack", "a fault is planted in"),
        ("middlebox/ttl-one", "no interface is plugged into the link"),
        ("custom/failed-steps", "tells what its application saw"),
    ] {
        let (code, told) = run(&["run", id, "--on", "nic", "--iface", near]);
        assert!(code == Some(2) && told.contains(reason), "{id}, {reason}: {told}");
    }
    // Among others it is a line, and no error.
    let (code, told) = run(&["run", "link/loss-*", "--on", "nic", "--iface", near]);
    assert!(code == Some(1) && told.contains("skip link/loss-always: not run: "), "{told}");
    let (code, told) = run(&["run", FIRST, "--on", "nic", "--iface", near, "--node", "rejecter"]);
    let reason = "in step 1 (line 12) sender sends a packet, and a device does not";
    assert!(code == Some(2) && told.contains(reason), "{told}");
}

fn words() {
    let device = Device::with_cables(1);
    let near = device.near[0].as_str();
    refused(near, &["--node", "nobody"], &["no node `nobody`; its nodes are sender, rejecter"]);
    refused(near, &["--iface", near], &["plugged in already"]);
    refused("=x", &[], &["NODE:PORT=NAME"]);
    refused(near, &["--address", "rejecter=ttl=5"], &["neither `mac` nor `ip`"]);
    refused(near, &["--jobs", "2"], &["one scenario at a time"]);
    for words in [&["run", FIRST, "--on", "nic"][..], &["run", FIRST, "--iface", near]] {
        let (code, told) = run(words);
        assert!(code == Some(2) && told.contains("--iface"), "{told}");
    }
    let (_, told) = run(&["run", FIRST, "--on", "nic"]);
    assert!(told.contains(near), "the interfaces are listed: {told}");
    // An address that no other test has, since all share this host.
    sh(&format!("ip addr add 10.99.0.1/24 dev {near}"));
    let taken = ["--address", "sender=ip=10.99.0.1"];
    refused(near, &taken, &["has the address 10.99.0.1, and so has this host", "--address"]);
}

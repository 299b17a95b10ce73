//! The line of progress, on a terminal of the test's own.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use wireproof::wire::pcapng::{Comments, write};
use wireproof::wire::{Capture, Instant, PortId};

use crate::support::Place;

/// The two ends of a new terminal: what a user sees, and what a command writes to.
fn terminal() -> (File, File) {
    let seen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&seen).expect("its other end");
    unlockpt(&seen).expect("its other end");
    let name = ptsname(&seen, Vec::new()).expect("a name");
    let name = name.into_string().expect("a plain name");
    let written = OpenOptions::new().read(true).write(true).open(name).expect("its other end");
    (File::from(seen), written)
}

/// What a terminal shows of `inject` with so many frames on standard error.
fn shown(frames: u32) -> String {
    let place = Place::empty();
    let mut capture = Capture::new();
    capture.add_interface("a:eth0");
    for number in 0..frames {
        capture.push(Instant::from_nanos(u64::from(number)), PortId(0), &[0; 60]);
    }
    let mut bytes = Vec::new();
    write(&capture, &Comments::new(), &mut bytes).expect("a capture");
    place.write("in.pcapng", bytes);
    let (mut seen, written) = terminal();
    let mut command = place.command(&["inject", "in.pcapng", "--to", "reject"]);
    command.env("TERM", "xterm").stdin(Stdio::null()).stdout(Stdio::null()).stderr(written);
    let mut child = command.spawn().expect("the command starts");
    // The last hand on the terminal's other end is the child's.
    drop(command);
    let mut text = Vec::new();
    // A terminal whose other end is closed ends with an error.
    let _ = seen.read_to_end(&mut text);
    assert!(child.wait().expect("the command ends").success());
    String::from_utf8(text).expect("text")
}

#[test]
fn a_long_capture_is_watched_on_a_terminal_and_the_line_goes_again() {
    let text = shown(40_000);
    assert!(text.contains("/40000 frames"), "{text:?}");
    let last = text.rsplit("frames").next().expect("what follows the last line");
    assert!(last.contains("\u{1b}[2K"), "the line is wiped: {text:?}");
    assert_eq!(shown(100), "", "a short one is over at once");
}

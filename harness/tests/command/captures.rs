//! `show` and `diff`: captures in words.

use wireproof::wire::{Capture, Instant, pcapng};

use crate::support::{FIRST, Place, page, told};

fn golden() -> String {
    format!("golden-pcaps/{FIRST}.pcapng")
}

#[test]
fn show_says_more_when_asked() {
    let place = Place::made();
    place.run(&["run", "-w", "run.pcapng"]).ends_with(0);
    let mut said = String::new();
    for words in
        [&["show", "run.pcapng"][..], &["show", "run.pcapng", "-x"], &["show", &golden(), "-v"]]
    {
        let told = place.run(words).ends_with(0);
        said += &format!("$ wireproof {}\n{}\n", words.join(" "), place.plain(&told));
    }
    page("show", &said);
    let file = place.run(&["show", "run.pcapng", "-v", "-x"]).ends_with(0);
    let piped = place.feed(&["show", "-", "-v", "-x"], &place.read("run.pcapng")).ends_with(0);
    assert_eq!(file.out(), piped.out());
}

#[test]
fn diff_ends_with_0_1_or_2() {
    let place = Place::made();
    place.run(&["run", "-w", "a.pcapng"]).ends_with(0);
    place.change("\"dst\": 80", "\"dst\": 81");
    place.run(&["run", "-w", "b.pcapng"]).ends_with(1);
    place.change("\"delay\": \"1ms\"", "\"delay\": \"2ms\"");
    place.run(&["run", "-w", "late.pcapng"]).ends_with(1);
    place.change("\"delay\": \"2ms\"", "\"delay\": \"2ms\", \"loss\": 1");
    place.run(&["run", "-w", "lost.pcapng"]).ends_with(1);
    place.write("cut.pcapng", &place.read("a.pcapng")[..300]);
    let mut said = String::new();
    let golden = golden();
    for (words, code) in [
        (vec!["diff", "a.pcapng", "a.pcapng"], 0),
        (vec!["diff", &golden, "a.pcapng"], 0),
        (vec!["diff", "a.pcapng", "b.pcapng"], 1),
        (vec!["diff", "b.pcapng", "late.pcapng"], 0),
        (vec!["diff", "b.pcapng", "late.pcapng", "--time"], 1),
        (vec!["diff", "late.pcapng", "lost.pcapng"], 1),
        (vec!["diff", "lost.pcapng", "late.pcapng"], 1),
        (vec!["diff", "a.pcapng", "absent.pcapng"], 2),
        (vec!["diff", "cut.pcapng", "a.pcapng"], 2),
    ] {
        let told = place.run(&words).ends_with(code);
        said += &format!("$ wireproof {}\n{}\n", words.join(" "), place.plain(&told));
    }
    page("diff", &said);
    let piped = place.feed(&["diff", "a.pcapng", "-"], &place.read("b.pcapng")).ends_with(1);
    assert_eq!(piped.out(), place.run(&["diff", "a.pcapng", "b.pcapng"]).out());
}

#[test]
fn a_capture_that_is_cut_is_shown_up_to_there() {
    let place = Place::made();
    let whole = place.read(&golden());
    for (name, bytes) in [("cut", &whole[..whole.len() - 9]), ("none", b"no capture")] {
        place.write(&format!("{name}.pcapng"), bytes);
    }
    let cut = place.run(&["show", "cut.pcapng"]).ends_with(2);
    let none = place.run(&["show", "none.pcapng"]).ends_with(2);
    page("show what is cut", &format!("{}\n{}", place.plain(&cut), place.plain(&none)));
}

/// A capture comes from anywhere; its names and comments are not to steer the terminal.
#[test]
fn what_a_capture_says_steers_no_terminal() {
    let place = Place::empty();
    let mut comments = pcapng::Comments::new();
    let captures = [1, 2].map(|last| {
        let mut capture = Capture::new();
        let port = capture.add_interface("\u{1b}[2J:eth0");
        let id = capture.push(Instant::ZERO, port, &[0, 0, last]);
        comments.insert(id, vec!["\u{1b}]0;owned\u{7}".to_owned()]);
        capture
    });
    for (name, capture) in ["a.pcapng", "b.pcapng"].iter().zip(&captures) {
        let mut bytes = Vec::new();
        pcapng::write(capture, &comments, &mut bytes).expect("a capture");
        place.write(name, bytes);
    }
    for (words, code) in [(&["show", "a.pcapng", "-v"], 0), (&["diff", "a.pcapng", "b.pcapng"], 1)]
    {
        // As to a terminal: nothing is taken out on the way.
        let mut command = place.command(words);
        let told = told(command.env("CLICOLOR_FORCE", "1"), b"").ends_with(code);
        assert!(told.out().contains("[2J:eth0"), "{}", told.shown());
        assert!(!told.out().contains(['\u{1b}', '\u{7}']), "{}", told.shown().escape_debug());
    }
}

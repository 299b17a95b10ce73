use std::io;

use super::*;
use crate::catalog::Item;
use wire::Instant;

fn item(dir: &Path) -> Item {
    let golden = dir.join("golden-pcaps/rst/x.pcapng");
    let path = dir.join("scenarios/rst/x.json");
    Item { id: "rst/x".into(), path, golden, root: dir.to_owned() }
}

fn capture(last: u8) -> Capture {
    let mut capture = Capture::new();
    let port = capture.add_interface("a:eth0");
    capture.push(Instant::from_nanos(5), port, &[1, 2, 3, last]);
    capture
}

fn accepted(item: &Item) -> Option<String> {
    match read(item).unwrap() {
        State::Accepted(capture) => Some(render(&capture)),
        _ => None,
    }
}

/// As insta leaves a proposal: the frames beside the golden, the rendering beside the snapshot.
fn as_insta_proposes(item: &Item, capture: &Capture) {
    leave_pending(item, capture).unwrap();
    let text = format!("---\nsource: somewhere\n---\n{}", render(capture));
    fs::write(snapshot_path(item).with_extension("snap.new"), text).unwrap();
}

#[test]
fn what_was_blessed_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let item = item(dir.path());
    assert!(matches!(read(&item).unwrap(), State::Missing));
    bless(&item, &capture(1)).unwrap();
    assert_eq!(accepted(&item), Some(render(&capture(1))));
    bless(&item, &capture(2)).unwrap();
    assert_eq!(accepted(&item), Some(render(&capture(2))));
    assert!(!pending_path(&item).exists());
}

#[test]
fn accepting_the_rendering_accepts_the_frames() {
    let dir = tempfile::tempdir().unwrap();
    let item = item(dir.path());
    bless(&item, &capture(1)).unwrap();
    as_insta_proposes(&item, &capture(2));
    assert_eq!(accepted(&item), Some(render(&capture(1))), "a proposal is no golden");
    assert_eq!(settle(&item).unwrap(), Settled::Open);
    assert!(pending_path(&item).exists());
    fs::rename(snapshot_path(&item).with_extension("snap.new"), snapshot_path(&item)).unwrap();
    assert_eq!(accepted(&item), Some(render(&capture(2))), "accepted, though nobody moved it");
    assert_eq!(settle(&item).unwrap(), Settled::Accepted);
    assert_eq!(accepted(&item), Some(render(&capture(2))));
    assert!(!pending_path(&item).exists());
}

#[test]
fn rejecting_the_rendering_leaves_the_old_frames() {
    let dir = tempfile::tempdir().unwrap();
    let item = item(dir.path());
    bless(&item, &capture(1)).unwrap();
    as_insta_proposes(&item, &capture(2));
    fs::remove_file(snapshot_path(&item).with_extension("snap.new")).unwrap();
    assert_eq!(settle(&item).unwrap(), Settled::Rejected);
    assert_eq!(settle(&item).unwrap(), Settled::Nothing);
    assert!(!pending_path(&item).exists());
    assert_eq!(accepted(&item), Some(render(&capture(1))));
}

#[test]
fn frames_and_rendering_that_disagree_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let item = item(dir.path());
    bless(&item, &capture(1)).unwrap();
    fs::write(&item.golden, encode(&capture(2)).unwrap()).unwrap();
    assert!(matches!(read(&item).unwrap(), State::Torn(_)));
    fs::remove_file(&item.golden).unwrap();
    assert!(matches!(read(&item).unwrap(), State::Torn(_)));
    bless(&item, &capture(1)).unwrap();
    fs::remove_file(snapshot_path(&item)).unwrap();
    assert!(matches!(read(&item).unwrap(), State::Torn(_)));
}

#[test]
fn a_bless_that_stops_anywhere_leaves_the_old_golden_or_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let item = item(dir.path());
    let (old, new) = (render(&capture(1)), render(&capture(2)));
    bless(&item, &capture(1)).unwrap();
    // After the first of the three renames: the frames are there, their rendering is not.
    leave_pending(&item, &capture(2)).unwrap();
    assert_eq!(accepted(&item), Some(old));
    // After the second: the rendering has decided.
    let text = format!("---\nsource: somewhere\n---\n{new}");
    fs::write(snapshot_path(&item), text).unwrap();
    assert_eq!(accepted(&item), Some(new.clone()));
    // After the third.
    assert_eq!(settle(&item).unwrap(), Settled::Accepted);
    assert_eq!(accepted(&item), Some(new));
}

#[test]
fn a_golden_has_the_same_bytes_each_time_it_is_written() {
    assert_eq!(encode(&capture(1)).unwrap(), encode(&capture(1)).unwrap());
    assert_ne!(encode(&capture(1)).unwrap(), encode(&capture(2)).unwrap());
}

#[test]
fn rows_that_repeat_are_told_once_and_no_two_frames_alike() {
    let text = |frame: &[u8]| {
        let mut text = String::new();
        super::render::rows(frame, &mut text);
        text
    };
    let row = |start: usize| format!("        {start:04x} {}\n", " 00".repeat(16));
    assert_eq!(text(&[0; 32]), row(0) + &row(16));
    assert_eq!(text(&[0; 80]), row(0) + "        *\n" + &row(64));
    // A last row that is shorter is another one.
    assert_eq!(text(&[0; 65]), row(0) + "        *\n" + &row(48) + "        0040  00\n");
    let all: std::collections::BTreeSet<String> = (0..200).map(|len| text(&vec![0; len])).collect();
    assert_eq!(all.len(), 200);
}

/// A disk of which one operation fails, once.
struct Failing {
    left: std::cell::Cell<usize>,
    how: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Code(i32),
    Short,
}

impl Disk for Failing {
    fn lets(&self, operation: Operation, bytes: usize) -> io::Result<usize> {
        match (self.left.get(), self.how) {
            (0, _) => return Ok(bytes),
            (1, How::Code(code)) => {
                self.left.set(0);
                return Err(io::Error::from_raw_os_error(code));
            }
            (1, How::Short) if operation == Operation::Write && bytes > 1 => {
                self.left.set(0);
                return Ok(bytes / 2);
            }
            (left, _) => self.left.set(left.max(2) - 1),
        }
        Ok(bytes)
    }
}

/// Every operation fails once, in each way; gives how many there were, and how often it was told.
fn each_failure(
    how: How,
    act: impl Fn(&Failing) -> Result<()>,
    check: impl Fn(bool),
) -> [usize; 2] {
    let mut text = 0;
    for number in 1.. {
        let disk = Failing { left: std::cell::Cell::new(number), how };
        let done = act(&disk);
        text += usize::from(done.is_err());
        check(done.is_ok());
        if disk.left.get() > 0 {
            return [number - 1, text];
        }
    }
    [0, text]
}

const WAYS: [(How, bool); 4] = [
    (How::Code(28), true), // ENOSPC
    (How::Code(5), true),  // EIO
    (How::Code(4), false), // EINTR
    (How::Short, false),
];

#[test]
fn whatever_fails_once_while_blessing_leaves_the_old_golden_or_the_new_one() {
    for (how, is_told) in WAYS {
        let dir = tempfile::tempdir().unwrap();
        let item = item(dir.path());
        let (old, new) = (render(&capture(1)), render(&capture(2)));
        let act = |disk: &Failing| {
            bless(&item, &capture(1)).unwrap();
            // A proposal of somebody's waits beside it.
            fs::write(proposed_path(&item), "---\nsource: x\n---\nother\n").unwrap();
            bless_on(disk, &item, &capture(2))
        };
        let check = |done: bool| {
            let is = accepted(&item).expect("a golden");
            assert!(is == new || (!done && is == old), "{how:?}:\n{is}");
            let names = |ending: &str| crate::files::below(dir.path(), ending).unwrap();
            assert!(names("tmp").is_empty(), "{how:?}: {:?}", names("tmp"));
            // Frames that wait are those that were accepted, and the next run carries that out.
            if pending_path(&item).exists() {
                assert!(!done && is == new, "{how:?}");
                assert_eq!(follow(&item).unwrap(), Settled::Accepted);
            }
            assert_eq!(accepted(&item).expect("a golden"), is);
        };
        let [operations, text] = each_failure(how, act, check);
        assert!(operations >= 8, "{how:?}: {operations} operations");
        let expected = if is_told { operations } else { 0 };
        assert_eq!(text, expected, "{how:?}: failures that were told");
    }
}

#[test]
fn whatever_fails_once_while_a_capture_is_written_leaves_the_old_file_or_the_new_one() {
    for (how, is_told) in WAYS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.pcapng");
        let act = |disk: &Failing| {
            fs::write(&path, "old").unwrap();
            files::write_given(disk, &path, |file| {
                wire::pcapng::write(&capture(1), &wire::pcapng::Comments::new(), file)?;
                Ok(())
            })
        };
        let check = |done: bool| {
            let is = fs::read(&path).unwrap();
            assert!(is == encode(&capture(1)).unwrap() || (!done && is == b"old"), "{how:?}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{how:?}: something is left");
        };
        let [operations, text] = each_failure(how, act, check);
        assert!(operations >= 3, "{how:?}: {operations} operations");
        assert_eq!(text, if is_told { operations } else { 0 }, "{how:?}");
    }
}

#[test]
fn a_capture_that_is_the_golden_is_told_so_and_any_other_is_compared() {
    let dir = tempfile::tempdir().unwrap();
    let item = item(dir.path());
    let same = |capture: &Capture| matches!(held(&item, capture).unwrap(), State::Same);
    assert!(matches!(held(&item, &capture(1)).unwrap(), State::Missing));
    bless(&item, &capture(1)).unwrap();
    assert!(same(&capture(1)) && !same(&capture(2)) && !same(&Capture::new()));
    assert!(matches!(held(&item, &capture(2)).unwrap(), State::Accepted(_)));
    // Accepted and not carried out yet.
    as_insta_proposes(&item, &capture(2));
    assert!(same(&capture(1)) && !same(&capture(2)));
    fs::rename(proposed_path(&item), snapshot_path(&item)).unwrap();
    assert!(same(&capture(2)) && !same(&capture(1)));
    follow(&item).unwrap();
    assert!(same(&capture(2)));
    // The rendering is that of the frames, or the golden is torn.
    let whole = fs::read_to_string(snapshot_path(&item)).unwrap();
    let trimmed = whole.trim_end();
    for (text, holds) in [
        (whole.clone(), true),
        (trimmed.to_owned(), true),
        (format!("{trimmed}\n\n\n"), true),
        (format!("{trimmed}\nx\n"), false),
        (format!("{trimmed} "), false),
        (trimmed[..trimmed.len() - 1].to_owned(), false),
        (whole.replacen("---\n", "", 1), false),
        (whole.replacen("\n---\n", "\n", 1), false),
        (String::new(), false),
    ] {
        fs::write(snapshot_path(&item), &text).unwrap();
        assert_eq!(same(&capture(2)), holds, "{text:?}");
        let torn = matches!(read(&item).unwrap(), State::Torn(_));
        assert_eq!(torn, !holds, "{text:?}");
    }
}

#[test]
fn readers_see_the_old_golden_or_the_new_one_while_two_bless() {
    let dir = tempfile::tempdir().unwrap();
    let item = item(dir.path());
    bless(&item, &capture(1)).unwrap();
    let known = [render(&capture(1)), render(&capture(2))];
    std::thread::scope(|scope| {
        let writers: Vec<_> = [1, 2]
            .map(|last| {
                let item = &item;
                scope.spawn(move || (0..40).for_each(|_| bless(item, &capture(last)).unwrap()))
            })
            .into();
        let mut reads = 0;
        while reads < 200 || writers.iter().any(|writer| !writer.is_finished()) {
            let State::Accepted(seen) = read(&item).unwrap() else { panic!("torn, to a reader") };
            assert!(known.contains(&render(&seen)));
            reads += 1;
        }
    });
    assert!(!pending_path(&item).exists());
}

#[test]
fn nothing_of_a_stranger_is_written_through_links() {
    let dir = tempfile::tempdir().unwrap();
    let stranger = dir.path().join("stranger");
    fs::write(&stranger, "theirs").unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let item = item(&root);
    bless(&item, &capture(1)).unwrap();
    let paths = [item.golden.clone(), snapshot_path(&item), pending_path(&item)];
    for path in paths {
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink(&stranger, &path).unwrap();
        let text = format!("{:#}", bless(&item, &capture(2)).unwrap_err());
        assert!(text.contains("link"), "{text}");
        assert!(read(&item).is_err() || path == pending_path(&item));
        assert_eq!(fs::read(&stranger).unwrap(), b"theirs");
        fs::remove_file(&path).unwrap();
        let _ = fs::remove_file(pending_path(&item));
        bless(&item, &capture(1)).unwrap();
    }
    // A folder that leads out, as goldens' folder and below it.
    fs::remove_dir_all(root.join("golden-pcaps")).unwrap();
    std::os::unix::fs::symlink(dir.path(), root.join("golden-pcaps")).unwrap();
    for act in [bless(&item, &capture(1)), leave_pending(&item, &capture(1)), read(&item).map(drop)]
    {
        let text = act.map_or_else(|error| format!("{error:#}"), |()| "done".to_owned());
        assert!(text.contains("a link leads out of") || text == "done", "{text}");
    }
    assert!(!dir.path().join("rst").exists(), "a folder was made outside");
}

#[test]
fn a_layer_is_rendered_with_each_field_that_it_has() {
    let ends = wire::Defaults {
        src_ip4: "10.0.0.1".parse().ok(),
        dst_ip4: "10.0.0.2".parse().ok(),
        ..wire::Defaults::default()
    };
    let tcp = wire::Layer::new(wire::Proto::Tcp).with(&wire::fields::tcp::SRC, 4000_u64);
    let packet = wire::Packet::new().layer(tcp);
    let frame = wire::build::build(&packet, &ends).unwrap().remove(0);
    let mut capture = Capture::new();
    let port = capture.add_interface("a:eth0");
    capture.push(Instant::from_nanos(5), port, &[&frame[..], &[7, 7]].concat());
    let text = render(&capture);
    let line = |key: &str| {
        let head = format!("        {key}:");
        text.lines().find_map(|line| line.strip_prefix(&head).map(str::to_owned))
    };
    let names = |key: &str| line(key).unwrap_or_default().matches(' ').count() / 2;
    assert!(line("ip4").unwrap().contains(" src 10.0.0.1 dst 10.0.0.2"), "{text}");
    assert!(line("tcp").unwrap().starts_with(" src 4000 dst "), "{text}");
    assert!(!line("tcp").unwrap().contains("options"), "options that are not there:\n{text}");
    assert!(names("ip4") > 9 && names("tcp") > 7, "{text}");
    assert_eq!(line("payload"), None, "payloads are told by their bytes");
}

#[test]
fn a_golden_that_goes_on_behind_the_capture_is_not_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let item = item(dir.path());
    bless(&item, &capture(1)).unwrap();
    let mut longer = capture(1);
    longer.push(Instant::from_nanos(6), wire::PortId(0), &[9]);
    fs::write(&item.golden, encode(&longer).unwrap()).unwrap();
    assert!(matches!(held(&item, &capture(1)).unwrap(), State::Torn(_)));
}

#[test]
fn the_head_of_a_snapshot_has_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let item = item(dir.path());
    bless(&item, &capture(1)).unwrap();
    let whole = fs::read_to_string(snapshot_path(&item)).unwrap();
    for (lines, holds) in [(1, true), (700, true), (1000, false), (3000, false)] {
        let head = format!("---\n{}", "x".repeat(79) + "\n").replace("---\n", "");
        let text = whole.replacen("---\n", &format!("---\n{}", head.repeat(lines)), 1);
        fs::write(snapshot_path(&item), text).unwrap();
        let same = matches!(held(&item, &capture(1)).unwrap(), State::Same);
        assert_eq!(same, holds, "{lines} lines");
    }
}

#[test]
fn ci_is_what_the_variable_says() {
    for (value, is) in [
        (None, false),
        (Some(""), false),
        (Some("0"), false),
        (Some("false"), false),
        (Some("1"), true),
        (Some("true"), true),
        (Some("yes"), true),
    ] {
        assert_eq!(means_ci(value.map(std::ffi::OsStr::new)), is, "{value:?}");
    }
}

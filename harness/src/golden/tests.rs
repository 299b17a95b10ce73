use super::*;
use crate::catalog::Item;
use wire::Instant;

fn item(dir: &Path) -> Item {
    let golden = dir.join("golden-pcaps/rst/x.pcapng");
    Item { id: "rst/x".into(), path: dir.join("scenarios/rst/x.json"), golden }
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
fn propose(item: &Item, capture: &Capture) {
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
    propose(&item, &capture(2));
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
    propose(&item, &capture(2));
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
    write_whole(&snapshot_path(&item), text.as_bytes()).unwrap();
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
        rows(frame, &mut text);
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

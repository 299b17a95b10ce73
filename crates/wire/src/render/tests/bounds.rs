//! The bounds of lines and trees: no bytes panic, no line is long, no byte is left out.

use proptest::prelude::*;

use super::super::*;
use super::frames::*;
use crate::hex::decode as hex;

#[test]
fn layers_have_a_limit() {
    let tags = [0, 1, 0x81, 0].repeat(16_000);
    let headers: Vec<u8> = (1..=3_000u16)
        .rev()
        .flat_map(|left| {
            let mut header = ip4(4, &[]);
            header[2..4].copy_from_slice(&(left * 20).to_be_bytes());
            header
        })
        .collect();
    for frame in [eth(0x8100, &tags), eth(0x0800, &headers)] {
        assert_eq!(crate::view::lax(&frame).layers().len(), 65);
        assert!(line(&frame).len() < 8_000, "{}", line(&frame).len());
    }
}

#[test]
fn a_line_is_bounded() {
    let sources = format!("04000fff {}", "ff020000000000000000000000000005".repeat(3_000));
    let records = format!("04000000 {}", "ff020000000000000000000000000005").repeat(3_000);
    let tags = hex("0777000141").expect("hex").repeat(10_000);
    let prefixes = "0304400000000000".to_owned() + &"00".repeat(24);
    for frame in [
        icmp6(&format!("8f000000 0000ffff {records}")),
        icmp6(&format!("8f000000 00000001 {sources}")),
        icmp6(&format!("86000000 40480708 {} {}", "00".repeat(8), prefixes.repeat(1_900))),
        icmp4(&format!("09000000 ff020708 {}", "0a00000100000005".repeat(255))),
        pppoe(0x8863, 7, 0, &tags),
        pppoe(0x8863, 7, 0, &[&[1, 2, 0xff, 0xf0][..], &[0x41; 0xfff0]].concat()),
    ] {
        let text = line(&frame);
        assert!(text.len() < 2_000 && text.contains("more"), "{} {text}", text.len());
    }
}

/// Frames with every header that is opened, to be edited and cut.
fn seeds() -> Vec<Vec<u8>> {
    let packet = ip4(6, &tcp4(2, "2202"));
    vec![
        eth(0x0800, &ip4(17, &vxlan(4789, &inner()))),
        gre("b0000800 00000000 00000005 00000007", &packet),
        gre("3081880b 002a0005 00000007 00000003", &[&[0xff, 3, 0, 0x21][..], &packet].concat()),
        pppoe(0x8863, 7, 0, &[1, 2, 0, 3, 65, 66, 67, 1, 1, 0, 0]),
        pppoe(0x8864, 0, 5, &[&[0, 0x21][..], &packet].concat()),
        eth(0x0800, &ip4(51, &ah(4, &packet))),
        ieee(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0, 0x45]),
        arp(0x0806, "000f080002040008", "0021 0a000001 0031 0a000002"),
        icmp6(&typed(143, 0)),
        icmp6(&typed(134, 0)),
        icmp4(&typed(3, 1)),
        jumbogram(70_028)[..200].to_vec(),
        options("1e142015000000010000000200000003 00641234"),
    ]
}

proptest! {
    /// No bytes panic, a line is one line, and each byte is in one place of the tree.
    #[test]
    fn any_bytes_have_a_line_and_a_tree(
        seed in prop::sample::select(seeds()),
        noise in prop::collection::vec(any::<u8>(), 0..40),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut frame = [seed, noise].concat();
        for (at, byte) in edits {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        if !whole {
            frame.truncate(cut.index(frame.len()));
        }
        for text in [line(&frame), accepted_line(&frame)] {
            prop_assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
        }
        in_one_place(&frame, &tree(&frame))?;
        // The capture has the first bytes only.
        let half = &frame[..frame.len() / 2];
        let cut = crate::Frame { original_len: frame.len(), ..half.into() };
        for text in [line(cut), accepted_line(cut)] {
            prop_assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
        }
        prop_assert!(frame.is_empty() || !tree(cut).is_empty());
    }
}

/// The heads of a tree follow each other from the first byte to the last, and the fields of each
/// with its hex dump cover it.
fn in_one_place(frame: &[u8], tree: &str) -> Result<(), TestCaseError> {
    let range = |text: &str| -> Option<(usize, usize)> {
        let (start, end) = text.split_once("..")?;
        Some((start.parse().ok()?, end.parse().ok()?))
    };
    let (mut at, mut covered) = (0, 0);
    let mut quoted = false;
    for row in tree.lines().filter(|row| !row.starts_with('!')) {
        if !row.starts_with(' ') {
            let (_, place) = row.rsplit_once(" at ").expect("a head has its place");
            let (start, end) = range(place).expect("a range");
            prop_assert_eq!((start, covered), (at, at), "{}", tree);
            at = end;
            quoted = row.starts_with("Quoted");
            covered = if quoted { end } else { start };
        } else if quoted {
            // Its own layers are held by the quote's bounds.
        } else if row.starts_with("    ") {
            let bytes = row.get(10..58).expect("a row of a dump").split_whitespace();
            covered += bytes.count();
        } else {
            let place = row.split_whitespace().next().and_then(range).expect("a field's place");
            prop_assert!(place.0 <= covered, "{}", tree);
            covered = covered.max(place.1);
        }
    }
    prop_assert_eq!((at, covered), (frame.len(), frame.len()), "{}", tree);
    Ok(())
}

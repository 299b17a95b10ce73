//! The reader of capture files: the same frames however the bytes come, in little memory, and words
//! for all that is passed over.

use std::io::{self, Read, Write};

use proptest::prelude::*;
use wireproof_wire::pcapng::{LONGEST_BLOCK, Reader, read, read_so_far};
use wireproof_wire::{FrameId, LinkType};

const FRAMES: &[u8] = include_bytes!("frames.pcapng");

/// A block of pcapng, little-endian, with its two lengths.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = (body.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, &body, &length].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn section() -> Vec<u8> {
    block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]))
}

/// An interface with that link type, and its options.
fn interface(link: u16, options: &[u8]) -> Vec<u8> {
    block(1, &[&words(&[u32::from(link), 0]), options].concat())
}

fn packet(interface: u32, bytes: &[u8], original: u32, options: &[u8]) -> Vec<u8> {
    let mut body = words(&[interface, 0, 7, bytes.len() as u32, original]);
    body.extend_from_slice(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend_from_slice(options);
    block(6, &body)
}

/// A classic file: the head's words but its magic, then each packet's head and bytes.
fn classic(magic: u32, version: u32, network: u32, packets: &[(&[u32], &[u8])]) -> Vec<u8> {
    let mut file = words(&[magic, version, 0, 0, 65_535, network]);
    for (head, bytes) in packets {
        file.extend(words(head));
        file.extend_from_slice(bytes);
    }
    file
}

/// Gives one byte at a time, as a slow pipe does.
struct Drop<'a>(&'a [u8]);

impl Read for Drop<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(1);
        self.0.read(&mut out[..most])
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).expect("memory takes everything");
    out.finish().expect("memory takes everything")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

#[test]
fn packed_or_drop_by_drop_the_frames_are_the_same() {
    let whole = read(FRAMES).expect("the tree's own");
    let half = FRAMES.len() / 2;
    // Several members of gzip, several frames of zstd and one to be skipped are one file.
    let skipped = [&[0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let parts = [&FRAMES[..half], &FRAMES[half..]];
    for (name, bytes) in [
        ("plain", FRAMES.to_vec()),
        ("gzip", gzip(FRAMES)),
        ("members", parts.map(gzip).concat()),
        ("zstd", zstd(FRAMES)),
        ("zstd frames", [skipped, zstd(parts[0]), zstd(parts[1])].concat()),
    ] {
        let mut reader = Reader::new(Drop(&bytes));
        for (id, record, frame) in whole.capture.iter() {
            let taken = reader.next_frame().expect(name).expect("as many frames");
            let seen = (taken.number, taken.time, taken.frame.bytes);
            assert_eq!(seen, (u64::from(id.number()), record.time, frame), "{name}");
            let comments = whole.comments.get(&id).cloned().unwrap_or_default();
            assert_eq!(taken.comments, comments);
        }
        assert_eq!(reader.next_frame().expect(name), None);
        assert_eq!(reader.next_frame().expect("and again"), None);
    }
}

#[test]
fn what_is_packed_wrongly_is_an_error_with_what_came_before() {
    let packed = gzip(FRAMES);
    let (_, error) = read_so_far(&packed[..packed.len() - 9]);
    let error = error.expect("a cut stream").to_string();
    assert!(error.contains("unpacking gzip"), "{error}");
    let mut packed = zstd(FRAMES);
    let last = packed.len() - 1;
    packed[last] ^= 1;
    let (file, error) = read_so_far(&packed);
    let error = error.expect("a wrong checksum").to_string();
    assert!(error.contains("unpacking zstd: the checksum is wrong"), "{error}");
    assert!(!file.capture.is_empty());
}

#[test]
fn a_length_that_lies_costs_no_memory() {
    for (file, message) in [
        ([section(), words(&[6, u32::MAX - 3, 0])].concat(), "a block of 4294967292 bytes"),
        (
            classic(0xa1b2_c3d4, 0x0004_0002, 1, &[(&[0, 0, u32::MAX, 1], &[])]),
            "a frame of 4294967295 bytes; the longest read is 16777216",
        ),
        (
            classic(0xa1b2_c3d4, 0x0004_0002, 1, &[(&[0, 0, LONGEST_BLOCK as u32, 1], &[1])]),
            "ends within a frame: 1 of 16777216 bytes",
        ),
        // A block that need not be read may be as long as it likes, and end early.
        ([section(), words(&[0x777, u32::MAX - 3, 0])].concat(), "12 of 4294967292 bytes"),
    ] {
        let error = read(&file).expect_err(message);
        assert!(error.message.contains(message), "{error}");
    }
    let name = [&[2, 0, 0xff, 0xff][..], &[b'x'; 65_535], &[0]].concat();
    let file = [section(), interface(1, &name).repeat(17)].concat();
    let error = read(&file).expect_err("17 names of 65,535 bytes");
    assert!(error.message.contains("names of interfaces"), "{error}");
}

#[test]
fn the_modified_pcap_is_read_in_both_byte_orders() {
    let head: &[u32] = &[3, 4, 5, 9, 77, 88];
    let little = classic(0xa1b2_cd34, 0x0004_0002, 1, &[(head, b"abcde"), (head, b"fghij")]);
    let mut big: Vec<u8> = little.chunks(4).flat_map(|four| four.iter().rev().copied()).collect();
    big.truncate(24);
    big[4..8].copy_from_slice(&[0, 2, 0, 4]);
    for bytes in [b"abcde", b"fghij"] {
        big.extend(head.iter().flat_map(|word| word.to_be_bytes()));
        big.extend_from_slice(bytes);
    }
    for file in [little, big] {
        let file = read(&file).expect("a right file");
        let frame = |n| file.capture.captured(FrameId(n));
        assert_eq!((frame(0).bytes, frame(0).original_len), (&b"abcde"[..], 9));
        assert_eq!(frame(1).bytes, b"fghij");
        assert_eq!(file.capture.record(FrameId(1)).time.as_nanos(), 3_000_004_000);
    }
}

#[test]
fn the_lengths_of_old_versions_stand_the_other_way_round() {
    for (version, head, captured, original) in [
        (0x0002_0002, [0, 0, 9, 5], 5, 9),
        (0x0003_0002, [0, 0, 9, 5], 5, 9),
        (0x0003_0002, [0, 0, 5, 9], 5, 9),
        (0x0004_0002, [0, 0, 5, 9], 5, 9),
    ] {
        let file = classic(0xa1b2_c3d4, version, 1, &[(&head, &[1; 5])]);
        let file = read(&file).expect("a right file");
        let frame = file.capture.captured(FrameId(0));
        assert_eq!((frame.bytes.len(), frame.original_len), (captured, original));
    }
}

#[test]
fn the_frame_check_sequence_is_known_where_the_file_tells_it() {
    for (network, fcs_len) in [(1, 0), (0x2400_0001, 4), (0x2000_0001, 0), (0x1400_0001, 2)] {
        let file = classic(0xa1b2_c3d4, 0x0004_0002, network, &[(&[0, 0, 4, 4], &[1; 4])]);
        let mut reader = Reader::new(&file[..]);
        let taken = reader.next_frame().expect("a right file").expect("a frame");
        assert_eq!((taken.frame.link, taken.frame.fcs_len), (LinkType::Ethernet, fcs_len));
    }
    let told: &[u8] = &[13, 0, 1, 0, 4, 0, 0, 0];
    let flags: &[u8] = &[2, 0, 4, 0, 0x40, 0, 0, 0];
    for (interface_says, packet_says, fcs_len) in
        [(&[][..], &[][..], 0), (told, &[], 4), (&[], flags, 2), (told, flags, 2)]
    {
        let packet = packet(0, &[1; 20], 20, packet_says);
        let file = [section(), interface(1, interface_says), packet].concat();
        let mut reader = Reader::new(&file[..]);
        let taken = reader.next_frame().expect("a right file").expect("a frame");
        assert_eq!(taken.frame.fcs_len, fcs_len);
    }
}

#[test]
fn frames_that_cannot_be_taken_apart_are_counted_and_numbered() {
    let other = packet(1, &[1; 4], 4, &[]);
    let own = packet(0, &[2; 4], 4, &[]);
    let named = [&[2, 0, 4, 0][..], b"usb0"].concat();
    let start = [section(), interface(1, &[]), interface(189, &named)].concat();
    // A journal's entry and a custom block have numbers too; statistics have none.
    let between = [block(9, b"A=1\n"), block(0x0bad, &[0; 8]), block(5, &[0; 12])].concat();
    let file = [&start, &other, &own, &between, &own, &other][..].concat_all();
    let file = read(&file).expect("what can be shown");
    assert_eq!(file.numbers, [2, 5]);
    assert_eq!(
        file.notes,
        [
            "2 frames were passed over: they are of link type USB_LINUX (189) (usb0), which cannot \
             be taken apart",
            "3 blocks of other kinds were passed over",
        ]
    );
    let file = [&start, &other, &own][..].concat_all();
    let notes = read(&file).expect("what can be shown").notes;
    assert!(notes[0].starts_with("1 frame was passed over: it is of"), "{notes:?}");
    let error = read(&[&start, &other][..].concat_all()).expect_err("nothing to show");
    assert!(error.message.contains("frames of usb0 of link type USB_LINUX (189)"), "{error}");
    assert!(error.message.contains("`tcpdump -i eth0`") && error.message.contains("editcap -T"));
}

#[test]
fn a_note_has_its_plural() {
    let cut = packet(0, &[2; 4], 9, &[]);
    let start = [section(), interface(1, &[])].concat();
    for (count, note) in [
        (1, "1 frame was cut by the capture that took it"),
        (2, "2 frames were cut by the capture that took them"),
    ] {
        let file = [start.clone(), cut.repeat(count)].concat();
        assert_eq!(read(&file).expect("a right file").notes, [note]);
    }
}

proptest! {
    /// Files wrongly packed, and files of every form with bytes changed: an error or frames, no
    /// panic, and no frame longer than what is read at most.
    #[test]
    fn no_bytes_panic(
        form in 0usize..4,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let head: &[u32] = &[3, 4, 5, 9, 77, 88];
        let mut file = match form {
            0 => gzip(&FRAMES[..2_000]),
            1 => zstd(&FRAMES[..2_000]),
            2 => classic(0xa1b2_cd34, 0x0004_0002, 1, &[(head, b"abcde"), (head, b"fghij")]),
            _ => FRAMES[..2_000].to_vec(),
        };
        for (at, byte) in edits {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        let mut reader = Reader::new(&file[..]);
        let mut last = 0;
        while let Ok(Some(taken)) = reader.next_frame() {
            prop_assert!(taken.number > last && taken.frame.bytes.len() <= LONGEST_BLOCK);
            prop_assert!(taken.frame.original_len >= taken.frame.bytes.len());
            last = taken.number;
        }
        let _ = (reader.notes(), reader.interfaces());
    }
}

/// Parts of a file as one.
trait ConcatAll {
    fn concat_all(&self) -> Vec<u8>;
}

impl ConcatAll for [&Vec<u8>] {
    fn concat_all(&self) -> Vec<u8> {
        self.iter().flat_map(|part| part.iter().copied()).collect()
    }
}

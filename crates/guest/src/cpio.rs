//! Writes the archive that a kernel unpacks as its first root: cpio in the form "newc", as
//! `Documentation/driver-api/early-userspace/buffer-format.rst` of the kernel describes it.
//! Knows no file's meaning.

use std::collections::BTreeSet;

const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_755;
const LINK: u32 = 0o120_777;

/// An archive in the making. Folders are made as they are needed.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    known: BTreeSet<String>,
}

impl Archive {
    /// Adds a folder, and those above it. Paths are absolute.
    pub(crate) fn folder(&mut self, path: &str) {
        let path = path.trim_matches('/');
        for (at, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let folder = &path[..at];
            if !folder.is_empty() && self.known.insert(folder.to_owned()) {
                self.entry(folder, FOLDER, &[]);
            }
        }
    }

    /// Adds a file that all may read and run; false when there is one of this name already.
    pub(crate) fn file(&mut self, path: &str, content: &[u8]) -> bool {
        self.leaf(path, FILE, content)
    }

    /// Adds a symbolic link; false when there is something of this name already.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> bool {
        self.leaf(path, LINK, target.as_bytes())
    }

    fn leaf(&mut self, path: &str, mode: u32, content: &[u8]) -> bool {
        let path = path.trim_start_matches('/');
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder);
        }
        let new = self.known.insert(path.to_owned());
        if new {
            self.entry(path, mode, content);
        }
        new
    }

    fn entry(&mut self, name: &str, mode: u32, content: &[u8]) {
        let links = if mode == FOLDER { 2 } else { 1 };
        // Number, mode, user, group, links, time, size, four device numbers, name size, checksum.
        let number = self.known.len() as u32;
        let (size, name_size) = (content.len() as u32, name.len() as u32 + 1);
        let fields = [number, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name_size, 0];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08X}").bytes());
        }
        self.bytes.extend(name.bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    /// The next entry begins at a multiple of four.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// The archive's bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_laid_out_as_the_kernel_reads_them() {
        let mut archive = Archive::default();
        assert!(archive.file("/a/b/c", b"hello"));
        assert!(!archive.file("/a/b/c", b"again"));
        assert!(archive.link("/a/d", "b/c"));
        let bytes = archive.finish();
        assert_eq!(bytes.len() % 4, 0);
        let field = |entry: usize, number: usize| {
            let at = entry + 6 + 8 * number;
            let text = std::str::from_utf8(&bytes[at..at + 8]).unwrap();
            u32::from_str_radix(text, 16).unwrap()
        };
        let mut at = 0;
        let mut seen = Vec::new();
        while at < bytes.len() {
            assert_eq!(&bytes[at..at + 6], b"070701", "at {at}");
            let name_end = at + 110 + field(at, 11) as usize;
            let name = std::str::from_utf8(&bytes[at + 110..name_end - 1]).unwrap();
            let content = name_end.next_multiple_of(4);
            let end = content + field(at, 6) as usize;
            seen.push((name, field(at, 1), &bytes[content..end]));
            at = end.next_multiple_of(4);
        }
        let none: &[u8] = b"";
        assert_eq!(
            seen,
            [
                ("a", FOLDER, none),
                ("a/b", FOLDER, none),
                ("a/b/c", FILE, b"hello"),
                ("a/d", LINK, b"b/c"),
                ("TRAILER!!!", 0, none),
            ]
        );
    }
}

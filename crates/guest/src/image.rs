//! Kernel images: which there are, what their release is, where their modules lie. Knows the head
//! of a bzImage (`Documentation/arch/x86/boot.rst` of the kernel) and Debian's names of files.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::unnamed;

/// What gives a machine a kernel to boot.
const WAY: &str = "apt-get install linux-image-cloud-amd64";

/// The longest image, in bytes: QEMU reads it into memory.
const MOST_BYTES: u64 = 1 << 30;
/// The bit of a file's mode that lets everybody read it.
const READ_BY_OTHERS: u32 = 0o4;

/// A kernel to boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The image.
    pub kernel: PathBuf,
    /// Its release: `6.1.0-56-cloud-amd64`.
    pub release: String,
    /// The folder of its modules. Where there is none, what a guest needs is taken to be built in.
    pub modules: PathBuf,
}

impl Image {
    /// The newest kernel in `/boot` whose modules are there too.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is none, with what is missing and the command that gives it.
    pub fn find() -> Result<Self, Error> {
        Self::find_in(Path::new("/boot"), Path::new("/lib/modules"))
    }

    fn find_in(boot: &Path, modules: &Path) -> Result<Self, Error> {
        let found = fs::read_dir(boot).into_iter().flatten().flatten();
        let named = found.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let release = name.strip_prefix("vmlinuz-")?.to_owned();
            Some(Self { kernel: entry.path(), modules: modules.join(&release), release })
        });
        let all: Vec<Self> = named.collect();
        let whole = all.iter().filter(|image| image.modules.join("modules.dep").is_file());
        let newest = whole.max_by(|a, b| by_version(&a.release, &b.release));
        let Some(newest) = newest else {
            let what = match all.first() {
                Some(bare) => format!(
                    "{} has no modules in {}",
                    bare.kernel.display(),
                    bare.modules.display()
                ),
                None => format!("there is no kernel image {}/vmlinuz-*", boot.display()),
            };
            return Err(Error::Missing(format!("{what}, and a guest boots one: {WAY}")));
        };
        // Some systems let only root read what is in /boot.
        File::open(&newest.kernel).map_err(|error| {
            let kernel = newest.kernel.display();
            Error::Missing(format!("{kernel} cannot be read ({error}): chmod a+r {kernel}"))
        })?;
        Ok(newest.clone())
    }

    /// The kernel in a file; its release is read from its head or, where that has none, from the
    /// file's name, and its modules are looked for in `/lib/modules`.
    ///
    /// # Errors
    /// [`Error::Missing`] when it cannot be read, [`Error::Plan`] when it is no kernel.
    pub fn at(kernel: &Path) -> Result<Self, Error> {
        let shown = kernel.display();
        let head = head(kernel).map_err(|error| {
            Error::Missing(format!("the kernel {shown} cannot be read: {error}"))
        })?;
        let name = kernel.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let by_name = || {
            let release = name.strip_prefix("vmlinuz-").or_else(|| name.strip_prefix("vmlinux-"));
            release.filter(|word| is_release(word)).map(str::to_owned)
        };
        let is_elf = head.starts_with(b"\x7fELF");
        let release = match release_in(&head) {
            Some(release) => release,
            None if is_elf => by_name().unwrap_or_else(|| "unknown".to_owned()),
            None => {
                let text = format!(
                    "{shown} is no kernel for x86-64: neither a bzImage (arch/x86/boot/bzImage of \
                     a built kernel, /boot/vmlinuz-* of Debian) nor an ELF vmlinux"
                );
                return Err(Error::Plan(text));
            }
        };
        let modules = Path::new("/lib/modules").join(&release);
        Ok(Self { kernel: kernel.to_owned(), release, modules })
    }

    /// The image for QEMU to read, by whatever user it runs: a copy where not everybody may.
    pub(crate) fn open(&self) -> Result<OwnedFd, Error> {
        let failed = |error: io::Error| {
            Error::Missing(format!("the kernel {} cannot be read: {error}", self.kernel.display()))
        };
        let mut file = File::open(&self.kernel).map_err(failed)?;
        if file.metadata().map_err(failed)?.mode() & READ_BY_OTHERS != 0 {
            return Ok(file.into());
        }
        let mut copy = unnamed::empty(0).map_err(failed)?;
        io::copy(&mut file, &mut copy).and_then(|_| copy.rewind()).map_err(failed)?;
        Ok(copy.into())
    }
}

/// As much of an image as can hold its head and its version.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe would be waited for, and a device has no end.
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if found.len() > MOST_BYTES {
        return Err(io::Error::other("it is longer than 1 GiB"));
    }
    let mut head = Vec::new();
    File::open(path)?.take(0x1_0000).read_to_end(&mut head)?;
    Ok(head)
}

/// The release in the head of a bzImage: `HdrS` at 0x202, and at 0x20e where, behind the first
/// sector, the version's text begins.
fn release_in(head: &[u8]) -> Option<String> {
    if head.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let at = u16::from_le_bytes(head.get(0x20e..0x210)?.try_into().ok()?);
    let text = head.get(usize::from(at) + 0x200..)?;
    let word = text.split(|byte| *byte == 0 || *byte == b' ').next()?;
    let word = std::str::from_utf8(word).ok()?;
    is_release(word).then(|| word.to_owned())
}

/// A word that can be a kernel's release: it is a folder's name, and is printed.
fn is_release(word: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || ".-_+~".contains(c);
    word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.len() < 65
        && word.chars().all(good)
}

/// Numbers in a release count as numbers: 6.1.0-9 is older than 6.1.0-10.
pub(crate) fn by_version(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> Vec<(u64, String)> {
        let mut parts = Vec::new();
        for part in text.split(['.', '-', '+']) {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            parts.push((part[..digits].parse().unwrap_or(0), part[digits..].to_owned()));
        }
        parts
    };
    parts(a).cmp(&parts(b))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_newest_kernel_with_modules_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let (boot, modules) = (folder.path().join("boot"), folder.path().join("modules"));
        fs::create_dir_all(&boot).unwrap();
        let find = || Image::find_in(&boot, &modules);
        let error = find().unwrap_err().to_string();
        assert!(error.contains("no kernel image") && error.contains("apt-get install"), "{error}");
        fs::write(boot.join("vmlinuz-6.1.0-11-cloud-amd64"), "").unwrap();
        let error = find().unwrap_err().to_string();
        assert!(error.contains("vmlinuz-6.1.0-11-cloud-amd64 has no modules"), "{error}");
        for release in ["6.1.0-9-cloud-amd64", "6.1.0-10-cloud-amd64", "5.10.0-99-cloud-amd64"] {
            fs::write(boot.join(format!("vmlinuz-{release}")), "").unwrap();
            fs::create_dir_all(modules.join(release)).unwrap();
            fs::write(modules.join(release).join("modules.dep"), "").unwrap();
        }
        assert_eq!(find().unwrap().release, "6.1.0-10-cloud-amd64");
    }

    #[test]
    fn the_release_is_read_from_the_head_and_rubbish_is_told() {
        let mut head = vec![0; 0x1000];
        head[0x202..0x206].copy_from_slice(b"HdrS");
        head[0x20e..0x210].copy_from_slice(&0x0600_u16.to_le_bytes());
        let text = b"6.1.0-56-cloud-amd64 (someone@somewhere) #1 SMP\0";
        head[0x800..0x800 + text.len()].copy_from_slice(text);
        assert_eq!(release_in(&head).as_deref(), Some("6.1.0-56-cloud-amd64"));
        assert_eq!(release_in(&head[..0x700]), None);
        head[0x20e..0x210].copy_from_slice(&0xffff_u16.to_le_bytes());
        assert_eq!(release_in(&head), None);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("vmlinuz-1");
        fs::write(&file, "no kernel").unwrap();
        let error = Image::at(&file).unwrap_err().to_string();
        assert!(error.contains("is no kernel for x86-64"), "{error}");
        fs::write(&file, b"\x7fELF").unwrap();
        assert_eq!(Image::at(&file).unwrap().release, "1");
        let error = Image::at(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(error.contains("no regular file"), "{error}");
        File::create(&file).unwrap().set_len(MOST_BYTES + 1).unwrap();
        let error = Image::at(&file).unwrap_err().to_string();
        assert!(error.contains("longer than 1 GiB"), "{error}");
        for name in ["vmlinux-..", "vmlinux-1\u{1b}[2J", "vmlinux-"] {
            let file = folder.path().join(name);
            fs::write(&file, b"\x7fELF").unwrap();
            assert_eq!(Image::at(&file).unwrap().release, "unknown", "{name}");
        }
    }

    #[test]
    fn an_image_that_not_everybody_reads_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = folder.path().join("vmlinuz-1");
        fs::write(&kernel, "the image").unwrap();
        let image = Image { kernel: kernel.clone(), release: "1".into(), modules: "/none".into() };
        for mode in [0o600, 0o644] {
            fs::set_permissions(&kernel, fs::Permissions::from_mode(mode)).unwrap();
            let mut file = File::from(image.open().unwrap());
            let is_it = file.metadata().unwrap().ino() == fs::metadata(&kernel).unwrap().ino();
            assert_eq!(is_it, mode == 0o644);
            assert_ne!(file.metadata().unwrap().mode() & READ_BY_OTHERS, 0);
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "the image");
        }
    }
}

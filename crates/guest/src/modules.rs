//! Which modules of a kernel go into a guest, and in which order they are loaded. Knows the files
//! `modules.dep`, `modules.alias` and `modules.builtin`; not what a module does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Tried};

/// As many bytes of modules may be brought along: they take memory of the guest's, and of ours.
const MOST_BYTES: u64 = 64 << 20;

/// Loaded at boot: frames and the channel over which the guest is spoken to.
const AT_BOOT: &[&str] = &["virtio_pci", "virtio_net", "virtio_console"];
/// Loaded when a rule asks for them: those whose names begin so.
const ON_DEMAND: &[&str] = &[
    "nf_tables",
    "nfnetlink",
    "nft_",
    "nf_reject_",
    "nf_conntrack",
    "nf_log_syslog",
    "ip_tables",
    "iptable_filter",
    "ipt_REJECT",
    "ip6_tables",
    "ip6table_filter",
    "ip6t_REJECT",
    "x_tables",
    "xt_tcpudp",
    "xt_conntrack",
    "xt_state",
    "xt_multiport",
    "xt_limit",
    "xt_LOG",
    "xt_mark",
    "xt_comment",
    "xt_length",
    "xt_u32",
    "bridge",
    "sch_netem",
    "8021q",
];

/// What goes into a guest.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// Paths below the folder of modules, each after those that it needs.
    pub(crate) files: Vec<String>,
    /// The first so many are loaded at boot.
    pub(crate) at_boot: usize,
    /// The lines of `modules.dep` about them.
    pub(crate) dependencies: String,
    /// The lines of `modules.alias` about them.
    pub(crate) aliases: String,
}

/// Chooses from a folder of modules; nothing where there is no such folder.
///
/// # Errors
/// [`Error::Plan`] for modules that the guest cannot load.
pub(crate) fn choose(folder: &Path) -> Result<Chosen, Error> {
    if !folder.exists() {
        return Ok(Chosen::default());
    }
    let read = |name: &str| fs::read_to_string(folder.join(name));
    let table = read("modules.dep").tried(format!("read {}/modules.dep", folder.display()))?;
    // The file lists all that a module needs, the nearest first.
    let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in table.lines() {
        if let Some((file, needed)) = line.split_once(':') {
            needs.insert(file, needed.split_whitespace().collect());
        }
    }
    let mut chosen = Chosen::default();
    let mut known = BTreeSet::new();
    let mut choose = |wanted: &dyn Fn(&str) -> bool, chosen: &mut Chosen| {
        for (file, needed) in needs.iter().filter(|(file, _)| wanted(&stem(file))) {
            for file in needed.iter().rev().chain([file]) {
                if known.insert((*file).to_owned()) {
                    chosen.files.push((*file).to_owned());
                }
            }
        }
    };
    lacks_none(folder, needs.keys().map(|file| stem(file)))?;
    choose(&|name| AT_BOOT.contains(&name), &mut chosen);
    chosen.at_boot = chosen.files.len();
    choose(&|name| ON_DEMAND.iter().any(|start| name.starts_with(start)), &mut chosen);
    if let Some(packed) = chosen.files.iter().find(|file| !file.ends_with(".ko")) {
        let text = format!(
            "{}/{packed} is compressed, and a guest loads plain modules (.ko) only: unpack the \
             modules, or give a kernel that has its drivers built in",
            folder.display()
        );
        return Err(Error::Plan(text));
    }
    let about = |line: &&str| line.split_once(':').is_some_and(|(file, _)| known.contains(file));
    chosen.dependencies = lines(table.lines().filter(about));
    let names: BTreeSet<String> = chosen.files.iter().map(|file| stem(file)).collect();
    let of_ours = |line: &&str| line.rsplit(' ').next().is_some_and(|name| names.contains(name));
    chosen.aliases = lines(read("modules.alias").unwrap_or_default().lines().filter(of_ours));
    Ok(chosen)
}

/// Every driver that a guest needs is a module, or the kernel has it built in.
fn lacks_none(folder: &Path, modules: impl Iterator<Item = String>) -> Result<(), Error> {
    // Without this file nobody knows what is built in; the boot will tell.
    let Ok(builtin) = fs::read_to_string(folder.join("modules.builtin")) else { return Ok(()) };
    let known: BTreeSet<String> = modules.chain(builtin.lines().map(stem)).collect();
    match AT_BOOT.iter().find(|name| !known.contains(**name)) {
        None => Ok(()),
        Some(lacking) => Err(Error::Plan(format!(
            "the kernel of {} has no {lacking}, neither as a module nor built in, and a guest \
             uses it",
            folder.display()
        ))),
    }
}

fn lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}

/// A module's name: its file's, with `_` where the file may have `-`.
fn stem(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split('.').next().unwrap_or(name).replace('-', "_")
}

/// Reads the modules that a user brings along: their names in the guest, and their bytes.
///
/// # Errors
/// [`Error::Missing`] for one that cannot be read, [`Error::Plan`] for two of one name.
pub(crate) fn brought(files: &[PathBuf]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut brought = BTreeMap::new();
    let mut room = MOST_BYTES;
    for file in files {
        let shown = file.display();
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if !name.ends_with(".ko") {
            return Err(Error::Plan(format!("{shown}: a module's file ends in .ko")));
        }
        let failed = |error: io::Error| Error::Missing(format!("the module {shown}: {error}"));
        let found = fs::metadata(file).map_err(failed)?;
        // A pipe would be waited for, and a device has no end.
        if !found.is_file() {
            return Err(Error::Plan(format!("the module {shown} is no regular file")));
        }
        if found.len() > room {
            let text = "goes beyond the 64 MiB that modules may have together";
            return Err(Error::Plan(format!("the module {shown} {text}")));
        }
        room -= found.len();
        let bytes = fs::read(file).map_err(failed)?;
        if brought.insert(name.to_owned(), bytes).is_some() {
            return Err(Error::Plan(format!("{shown}: a second module of the name {name}")));
        }
    }
    Ok(brought)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(dep: &str, alias: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("modules.dep"), dep).unwrap();
        fs::write(folder.path().join("modules.alias"), alias).unwrap();
        folder
    }

    #[test]
    fn modules_come_after_what_they_need_and_boot_ones_first() {
        let dep = "k/nft_reject.ko: k/nf_tables.ko k/crc.ko\nk/crc.ko:\nk/nf_tables.ko: k/crc.ko\n\
                   k/virtio-net.ko:\nd/virtio_net.ko: n/net_failover.ko n/failover.ko\n\
                   n/failover.ko:\nn/net_failover.ko: n/failover.ko\nd/e1000.ko:\n";
        let alias =
            "alias nft-expr-reject nft_reject\nalias pci:v1 e1000\nalias virtio:d1 virtio_net\n";
        let chosen = choose(folder(dep, alias).path()).unwrap();
        assert_eq!(chosen.at_boot, 4);
        assert_eq!(
            chosen.files,
            ["n/failover.ko", "n/net_failover.ko", "d/virtio_net.ko", "k/virtio-net.ko"]
                .into_iter()
                .chain(["k/crc.ko", "k/nf_tables.ko", "k/nft_reject.ko"])
                .collect::<Vec<_>>()
        );
        assert!(chosen.aliases.contains("virtio:d1") && !chosen.aliases.contains("e1000"));
        assert!(chosen.dependencies.contains("k/nft_reject.ko: k/nf_tables.ko k/crc.ko\n"));
        assert!(!chosen.dependencies.contains("e1000"));
    }

    #[test]
    fn compressed_modules_and_wrong_files_are_told() {
        let error = choose(folder("d/virtio_net.ko.xz:\n", "").path()).unwrap_err().to_string();
        assert!(error.contains("virtio_net.ko.xz is compressed"), "{error}");
        assert!(choose(Path::new("/there/is/no/such")).unwrap().files.is_empty());
        let lacking = folder("d/virtio_net.ko:\nd/virtio_pci.ko:\n", "");
        let builtin = lacking.path().join("modules.builtin");
        fs::write(&builtin, "d/virtio.ko\n").unwrap();
        let error = choose(lacking.path()).unwrap_err().to_string();
        assert!(error.contains("has no virtio_console, neither"), "{error}");
        fs::write(&builtin, "d/virtio.ko\nd/virtio_console.ko\n").unwrap();
        assert_eq!(choose(lacking.path()).unwrap().at_boot, 2);
        let error = brought(&["/none/x.ko".into()]).unwrap_err().to_string();
        assert!(error.contains("/none/x.ko"), "{error}");
        assert!(brought(&["/none/x.c".into()]).is_err());
        let folder = tempfile::tempdir().unwrap();
        let (endless, long) = (folder.path().join("endless.ko"), folder.path().join("long.ko"));
        std::os::unix::fs::symlink("/dev/zero", &endless).unwrap();
        fs::File::create(&long).unwrap().set_len(MOST_BYTES / 2 + 1).unwrap();
        let error = brought(&[endless]).unwrap_err().to_string();
        assert!(error.contains("no regular file"), "{error}");
        brought(std::slice::from_ref(&long)).unwrap();
        let other = folder.path().join("other.ko");
        fs::copy(&long, &other).unwrap();
        let error = brought(&[long, other]).unwrap_err().to_string();
        assert!(error.contains("other.ko goes beyond the 64 MiB"), "{error}");
    }
}

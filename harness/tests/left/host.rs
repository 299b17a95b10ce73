//! What a run could change of the host's network, or leave in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Everything by name: files of /proc, settings, rules.
#[derive(PartialEq, Eq)]
pub(crate) struct Host(BTreeMap<String, String>);

impl Host {
    /// As it is now.
    pub(crate) fn now() -> Self {
        let mut all = BTreeMap::new();
        // The first columns: behind them stand counters of use.
        for (file, columns) in [
            ("fib_trie", usize::MAX),
            ("if_inet6", usize::MAX),
            ("ipv6_route", 5),
            ("route", 3),
            ("arp", usize::MAX),
            ("packet", 5),
        ] {
            let text = fs::read_to_string(Path::new("/proc/net").join(file)).unwrap_or_default();
            // Packet sockets come and go with other programs; ours are in other namespaces.
            let text = match file {
                "packet" => sockets(&text),
                "arp" => neighbours(&text),
                _ => cut(&text, columns),
            };
            all.insert(file.to_owned(), text);
        }
        all.insert("interfaces".into(), names("/sys/class/net"));
        all.insert("named namespaces".into(), names("/run/netns"));
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        all.insert("mounted namespaces".into(), mounts.matches("nsfs").count().to_string());
        settings(Path::new("/proc/sys/net"), &mut all);
        for words in [&["nft", "list", "ruleset"][..], &["iptables-save"], &["ip6tables-save"]] {
            let output = veth::program(words[0]).args(&words[1..]).output();
            let text = output.map_or_else(|_| String::new(), |output| rules(&output.stdout));
            all.insert(words.join(" "), text);
        }
        Self(all)
    }

    /// The same but for this.
    pub(crate) fn with(&self, name: &str, text: &str) -> Self {
        let mut all = self.0.clone();
        all.insert(name.to_owned(), text.to_owned());
        Self(all)
    }

    /// What is other than it was.
    pub(crate) fn difference(&self, before: &Self) -> String {
        let names = self.0.keys().chain(before.0.keys());
        let changed = names.filter(|name| self.0.get(*name) != before.0.get(*name));
        let told = changed
            .map(|name| format!("{name}: was {:?}, is {:?}", before.0.get(name), self.0.get(name)));
        told.collect::<Vec<String>>().join("; ")
    }
}

/// The first columns of each line.
fn cut(text: &str, columns: usize) -> String {
    let line = |line: &str| line.split_whitespace().take(columns).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Neighbours that somebody set (`ATF_PERM`): the host learns, asks for and forgets all others by
/// itself.
pub(crate) fn neighbours(text: &str) -> String {
    let is_set = |line: &&str| {
        let flags = line.split_whitespace().nth(2).and_then(|flags| flags.strip_prefix("0x"));
        flags.and_then(|flags| u32::from_str_radix(flags, 16).ok()).is_some_and(|f| f & 0x4 != 0)
    };
    cut(&text.lines().filter(is_set).collect::<Vec<_>>().join("\n"), usize::MAX)
}

/// Sockets that hear every protocol on one interface, as those of a wire do.
fn sockets(text: &str) -> String {
    let count = text.lines().filter(|line| line.split_whitespace().nth(3) == Some("0003")).count();
    count.to_string()
}

fn names(dir: &str) -> String {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.join(" ")
}

/// Every setting of the network below a folder, but those that are counters.
fn settings(dir: &Path, all: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            settings(&path, all);
        } else if !path.ends_with("nf_conntrack_count")
            && let Ok(text) = fs::read_to_string(&path)
        {
            all.insert(path.display().to_string(), text);
        }
    }
}

/// Rules without the comments of `iptables-save`, which hold the time, and without counters.
fn rules(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let kept = text.lines().filter(|line| !line.starts_with('#'));
    let kept = kept.map(|line| line.split('[').next().unwrap_or(""));
    kept.collect::<Vec<_>>().join("\n")
}

//! What QEMU may do on this machine: as little as a guest needs. Knows the words of `setpriv` and
//! what the kernel says of a process's privileges; no machine.

use std::fs;

use rustix::process::geteuid;

/// `nobody`, whom every Debian has and to whom no file belongs.
const NOBODY: u32 = 65_534;

/// Numbers of capabilities, `capabilities(7)`.
const CAP_SETGID: u32 = 6;
const CAP_SETUID: u32 = 7;
const CAP_SETPCAP: u32 = 8;

/// What this process could give up on behalf of a program that it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Privileges {
    /// It can become `nobody`.
    user: bool,
    /// It can take capabilities from the bounding set.
    bounds: bool,
}

impl Privileges {
    /// Those of this process.
    pub(crate) fn present() -> Self {
        let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}"));
        let read = |name: &str| read(name).unwrap_or_default();
        let is_root = geteuid().is_root();
        let maps = [read("uid_map"), read("gid_map")];
        Self::of(is_root, &read("status"), &maps, &read("setgroups"))
    }

    fn of(is_root: bool, status: &str, maps: &[String; 2], setgroups: &str) -> Self {
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        let has = |capability: u32| effective.unwrap_or(0) >> capability & 1 == 1;
        // In a user namespace of an ordinary user there is nobody else to become.
        let mapped = maps.iter().all(|map| has_nobody(map)) && setgroups.trim() != "deny";
        let user = is_root && mapped && has(CAP_SETUID) && has(CAP_SETGID);
        Self { user, bounds: has(CAP_SETPCAP) }
    }

    /// What `setpriv` is told, so that the program has none that it could give up.
    pub(crate) fn words(self) -> Vec<String> {
        let mut words = vec!["--no-new-privs".to_owned(), "--inh-caps=-all".to_owned()];
        if self.bounds {
            words.push("--bounding-set=-all".to_owned());
        }
        if self.user {
            words.extend([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]);
            words.push("--clear-groups".to_owned());
        }
        words
    }
}

/// A map of a user namespace holds `nobody`: lines of first inside, first outside, how many.
fn has_nobody(map: &str) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(first)), Some(Ok(_)), Some(Ok(count))) =
            (numbers.next(), numbers.next(), numbers.next())
        else {
            return false;
        };
        (first..first.saturating_add(count)).contains(&u64::from(NOBODY))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "Name:\ta\nCapEff:\t000001ffffffffff\n";
    const NONE: &str = "Name:\ta\nCapEff:\t0000000000000000\n";

    fn maps(map: &str) -> [String; 2] {
        [map.to_owned(), map.to_owned()]
    }

    #[test]
    fn root_becomes_nobody_and_others_give_up_what_they_have() {
        let whole = maps("         0          0 4294967295\n");
        let root = Privileges::of(true, ALL, &whole, "allow\n");
        assert_eq!(root, Privileges { user: true, bounds: true });
        assert!(root.words().contains(&"--reuid=65534".to_owned()), "{:?}", root.words());
        let ordinary = Privileges::of(false, NONE, &whole, "allow\n");
        assert_eq!(ordinary, Privileges { user: false, bounds: false });
        assert_eq!(ordinary.words(), ["--no-new-privs", "--inh-caps=-all"]);
        // Root of a namespace of its own, which holds but one user.
        let own = maps("         0       1000          1\n");
        let fenced = Privileges::of(true, ALL, &own, "deny\n");
        assert_eq!(fenced, Privileges { user: false, bounds: true });
        // A container's, whose users are mapped and whose capabilities are fewer.
        let few = "CapEff:\t00000000000000c0\n";
        let held = maps("0 100000 65536\n");
        assert_eq!(
            Privileges::of(true, few, &held, "allow\n"),
            Privileges { user: true, bounds: false }
        );
        assert!(!Privileges::of(true, NONE, &held, "allow\n").user);
        assert!(!Privileges::of(true, ALL, &maps("0 100000 65534\n"), "allow\n").user);
        assert!(!Privileges::of(true, "", &maps("rubbish\n"), "").user);
    }
}

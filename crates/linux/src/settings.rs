//! The settings that are pinned so that two kernels answer alike, and the user's own beside them.
//! Knows names and values; sets nothing.

use crate::nft_rule::shown;
use crate::{Hook, Kernel};

/// What changes bytes or silences, and differs from machine to machine.
const PINNED: &[(&str, &str)] = &[
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
    ("net.ipv4.conf.all.arp_ignore", "0"),
    ("net.ipv4.icmp_msgs_burst", "100000"),
    ("net.ipv4.icmp_msgs_per_sec", "1000000"),
    ("net.ipv4.icmp_ratelimit", "0"),
    ("net.ipv4.ip_default_ttl", "64"),
    ("net.ipv4.ip_no_pmtu_disc", "0"),
    ("net.ipv4.tcp_challenge_ack_limit", "2147483647"),
    ("net.ipv4.tcp_congestion_control", "reno"),
    ("net.ipv4.tcp_ecn", "2"),
    ("net.ipv4.tcp_fin_timeout", "60"),
    ("net.ipv4.tcp_invalid_ratelimit", "0"),
    ("net.ipv4.tcp_mtu_probing", "0"),
    ("net.ipv4.tcp_rmem", "4096 131072 6291456"),
    ("net.ipv4.tcp_sack", "1"),
    ("net.ipv4.tcp_synack_retries", "5"),
    ("net.ipv4.tcp_timestamps", "1"),
    ("net.ipv4.tcp_window_scaling", "1"),
    ("net.ipv4.tcp_wmem", "4096 16384 4194304"),
    ("net.ipv6.auto_flowlabels", "0"),
    ("net.ipv6.conf.all.disable_ipv6", "0"),
    ("net.ipv6.conf.default.disable_ipv6", "0"),
    ("net.ipv6.conf.all.accept_dad", "0"),
    ("net.ipv6.conf.default.accept_dad", "0"),
    ("net.ipv6.conf.all.accept_ra", "0"),
    ("net.ipv6.conf.default.accept_ra", "0"),
    ("net.ipv6.conf.default.addr_gen_mode", "1"),
    ("net.ipv6.conf.all.router_solicitations", "0"),
    ("net.ipv6.conf.default.router_solicitations", "0"),
    ("net.ipv6.flowlabel_reflect", "0"),
    ("net.ipv6.icmp.ratelimit", "0"),
];

/// What makes a kernel route.
const ROUTING: &[(&str, &str)] = &[
    ("net.ipv4.ip_forward", "1"),
    ("net.ipv4.conf.all.send_redirects", "0"),
    ("net.ipv4.conf.default.send_redirects", "0"),
    ("net.ipv6.conf.all.forwarding", "1"),
];

/// What keeps a bridge from handing IP packets to rules that are not a bridge's.
const BRIDGING: &[(&str, &str)] = &[
    ("net.bridge.bridge-nf-call-arptables", "0"),
    ("net.bridge.bridge-nf-call-ip6tables", "0"),
    ("net.bridge.bridge-nf-call-iptables", "0"),
];

/// One setting of a kernel's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting<'a> {
    /// `net.ipv4.ip_forward`; the parts may also be parted by slashes.
    pub name: &'a str,
    /// What it is set to.
    pub value: &'a str,
    /// The user asked for it. A pinned one may be missing: a kernel may be older than a setting.
    pub must: bool,
}

impl Setting<'_> {
    /// Its file below `/proc/sys`.
    #[must_use]
    pub fn file(&self) -> String {
        file(self.name)
    }

    /// A line for the report when it is set.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} = {}", self.name, self.value)
    }

    /// A line for the report when the kernel lacks it.
    #[must_use]
    pub fn line_missing(&self) -> String {
        format!("{} is not there or not to be set", self.name)
    }
}

/// The file of a setting below `/proc/sys`. An interface's name may hold a dot, so who names one
/// writes slashes between the parts, and then dots are what they are.
fn file(name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { name.replace('.', "/") }
}

/// Longer names and values are no setting's.
const MOST_BYTES: usize = 4096;

/// Says whether a setting of the user's is one of a network, and so of the node's own namespace.
///
/// # Errors
/// Names what is wrong and what would be right.
pub fn check_setting(name: &str, value: &str) -> Result<(), String> {
    let refused =
        |reason: &str| Err(format!("`{}`: {reason}; net.ipv4.tcp_sack=0 is right", shown(name)));
    if name.len().max(value.len()) > MOST_BYTES {
        return Err(format!("a setting of more than {MOST_BYTES} bytes"));
    }
    if name.chars().chain(value.chars()).any(|c| c.is_control() && c != '\t') {
        return refused("a setting holds no control characters");
    }
    let file = file(name);
    let parts: Vec<&str> = file.split('/').collect();
    if parts.first() != Some(&"net") || parts.len() < 2 {
        return refused("a node has settings of its network alone, which begin with `net.`");
    }
    if parts.iter().any(|part| part.is_empty() || [".", ".."].contains(part)) {
        return refused("a part of its name is missing, or is no name");
    }
    if parts.iter().any(|part| part.contains(char::is_whitespace)) {
        return refused("its name holds white space");
    }
    Ok(())
}

impl Kernel {
    /// All settings, in the order in which they are made; before there is any interface, since
    /// an interface takes its own from the defaults.
    pub fn settings(&self) -> impl Iterator<Item = Setting<'_>> {
        let passing = match self.rules.hook {
            Hook::Forward => ROUTING,
            Hook::Bridge => BRIDGING,
            _ => &[],
        };
        let pinned = PINNED.iter().chain(passing);
        let pinned = pinned.map(|(name, value)| Setting { name, value, must: false });
        let own = self.sysctls.iter().map(|(name, value)| Setting { name, value, must: true });
        pinned.chain(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_settings_come_last_and_a_router_routes() {
        let ttl = ("net.ipv4.ip_default_ttl".to_owned(), "7".to_owned());
        let mut kernel = Kernel { sysctls: vec![ttl], ..Kernel::default() };
        let last = kernel.settings().last().map(|last| (last.file(), last.line(), last.must));
        let wanted = ("net/ipv4/ip_default_ttl".into(), "net.ipv4.ip_default_ttl = 7".into(), true);
        assert_eq!(last, Some(wanted));
        let routes =
            |kernel: &Kernel| kernel.settings().any(|one| one.name.ends_with("ip_forward"));
        assert!(!routes(&kernel));
        kernel.rules.hook = Hook::Forward;
        assert!(routes(&kernel));
    }

    #[test]
    fn settings_of_a_network_pass_and_an_interface_may_have_a_dot() {
        for name in [
            "net.ipv4.tcp_sack",
            "net/ipv4/tcp_sack",
            "net/ipv4/conf/eth0.5/forwarding",
            "net.netfilter.nf_conntrack_tcp_loose",
        ] {
            assert_eq!(check_setting(name, "1"), Ok(()), "{name}");
        }
        assert_eq!(check_setting("net.ipv4.tcp_rmem", "4096\t131072 6291456"), Ok(()));
        assert_eq!(file("net/ipv4/conf/eth0.5/forwarding"), "net/ipv4/conf/eth0.5/forwarding");
    }

    #[test]
    fn nothing_but_settings_of_a_network_is_one() {
        for (name, word) in [
            ("kernel.core_pattern", "begin with `net.`"),
            ("/proc/sys/kernel/core_pattern", "begin with `net.`"),
            ("/net/ipv4/tcp_sack", "begin with `net.`"),
            ("network.ipv4", "begin with `net.`"),
            ("net", "begin with `net.`"),
            ("", "begin with `net.`"),
            ("net.", "is missing"),
            ("net..ipv4", "is missing"),
            ("net....kernel.core_pattern", "is missing"),
            ("net/../kernel/core_pattern", "no name"),
            ("net/./ipv4/tcp_sack", "no name"),
            ("net/ipv4/../../kernel/hostname", "no name"),
            ("net/ipv4/tcp_sack/", "is missing"),
            ("net.ipv4.tcp sack", "white space"),
            ("net.ipv4.tcp_sack\n", "control"),
            ("net.ipv4.tcp_sack\0", "control"),
        ] {
            let error = check_setting(name, "1").expect_err(name);
            assert!(error.contains(word) && !error.contains('\n'), "{name}: {error}");
        }
        assert!(check_setting("net.ipv4.tcp_sack", "0\n1").is_err());
        assert!(check_setting("net.ipv4.tcp_sack", &"0".repeat(5000)).is_err());
    }
}

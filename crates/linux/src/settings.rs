//! The settings that are pinned so that two kernels answer alike, and the user's own beside them.
//! Knows names and values; sets nothing.

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
        // An interface's name may hold a dot, so who names one writes slashes between the parts.
        self.name.replace('.', "/")
    }

    /// What a reader is told when it is set.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{} = {}", self.name, self.value)
    }

    /// What a reader is told when the kernel has it not.
    #[must_use]
    pub fn told_missing(&self) -> String {
        format!("{} is not there or not to be set", self.name)
    }
}

impl Kernel {
    /// All settings, in the order in which they are made; before there is any interface, since
    /// an interface takes its own from the defaults.
    pub fn settings(&self) -> impl Iterator<Item = Setting<'_>> {
        let routing = if self.rules.hook == Hook::Forward { ROUTING } else { &[] };
        let pinned = PINNED.iter().chain(routing);
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
        let last = kernel.settings().last().map(|last| (last.file(), last.told(), last.must));
        let wanted = ("net/ipv4/ip_default_ttl".into(), "net.ipv4.ip_default_ttl = 7".into(), true);
        assert_eq!(last, Some(wanted));
        let routes =
            |kernel: &Kernel| kernel.settings().any(|one| one.name.ends_with("ip_forward"));
        assert!(!routes(&kernel));
        kernel.rules.hook = Hook::Forward;
        assert!(routes(&kernel));
    }
}

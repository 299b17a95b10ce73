//! What of a kernel answers, in words for the report. Knows what the kernel was told; judges
//! nothing.

use linux::{Hook, Kernel, Reject};
use wire::PortSet;

use super::HOOKS;

/// Longer lists of ports are not written out.
const MOST_CHARACTERS: usize = 40;

/// What of a kernel answers, in words: `nft at input`, `listening on 22, closed ports`.
pub(in crate::kinds) fn answers(kernel: &Kernel) -> String {
    let Kernel { rules, listen, .. } = kernel;
    let hook = HOOKS.iter().find(|(_, hook)| *hook == rules.hook).map_or("", |(name, _)| name);
    let mut parts = Vec::new();
    match rules.hook {
        Hook::Forward => parts.push("routing".to_owned()),
        Hook::Bridge => parts.push("bridging".to_owned()),
        _ => {}
    }
    if !listen.is_empty() {
        parts.push(format!("listening on {}", written(&rules.accept)));
    }
    if !rules.dnat.is_empty() || !rules.snat.is_empty() {
        parts.push("translating addresses".to_owned());
    }
    if !rules.own.is_empty() {
        parts.push(format!("rules of the user's at {hook}"));
    }
    let program = match rules.reject {
        Reject::Nft => Some("nft"),
        Reject::Iptables => Some("iptables"),
        Reject::None => None,
    };
    match program {
        Some(program) if !rules.ports.is_empty() => {
            let all = rules.ports == PortSet::all();
            let which = if all { String::new() } else { format!(", {}", written(&rules.ports)) };
            parts.push(format!("{program} at {hook}{which}"));
        }
        // A rule for no port lets a router route; a host drops what no port of its own takes.
        Some(program) if !rules.hook.passes_on() => {
            parts.push(format!("{program} drops at {hook}"));
        }
        Some(_) => {}
        None if rules.hook.passes_on() => {}
        None if listen.is_empty() => parts.push("closed port".to_owned()),
        None => parts.push("closed ports".to_owned()),
    }
    parts.join(", ")
}

fn written(ports: &PortSet) -> String {
    let text = ports.to_string();
    if text.len() > MOST_CHARACTERS { "some ports".to_owned() } else { format!("ports {text}") }
}

/// Who a running kernel is, for the report.
pub(super) fn who(kernel: &Kernel) -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("running kernel {} ({})", release.trim(), answers(kernel))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::linux::tests::with;

    #[test]
    fn a_label_says_what_answers() {
        for (options, label) in [
            (&[][..], "nft at input"),
            (&[("reject", "iptables")], "iptables at input"),
            (&[("ports", "80,90-95")], "nft at input, ports 80,90-95"),
            (&[("ports", "none")], "nft drops at input"),
            (&[("hook", "prerouting")], "nft at prerouting"),
            (&[("hook", "ingress")], "nft at ingress"),
            (&[("reject", "none")], "closed port"),
            (&[("reject", "none"), ("listen", "22")], "listening on ports 22, closed ports"),
            (&[("listen", "22")], "listening on ports 22, nft at input"),
            (&[("listen", "22"), ("ports", "none")], "listening on ports 22, nft drops at input"),
            (&[("hook", "forward")], "routing, nft at forward"),
            (&[("hook", "forward"), ("ports", "none")], "routing"),
            (&[("hook", "forward"), ("reject", "none")], "routing"),
            (
                &[("hook", "forward"), ("reject", "none"), ("listen", "22")],
                "routing, listening on ports 22",
            ),
            (
                &[("hook", "forward"), ("reject", "none"), ("dnat", "dnat ip to 10.0.0.1")],
                "routing, translating addresses",
            ),
            (
                &[("hook", "forward"), ("reject", "iptables"), ("rules", "tcp dport 9 drop")],
                "routing, rules of the user's at forward, iptables at forward",
            ),
            (
                &[("reject", "none"), ("rules", "tcp dport 9 drop")],
                "rules of the user's at input, closed port",
            ),
            (&[("hook", "bridge")], "bridging, nft at bridge"),
            (&[("hook", "bridge"), ("reject", "none")], "bridging"),
        ] {
            assert_eq!(answers(&with(options).expect("a kernel")), label);
        }
    }
}

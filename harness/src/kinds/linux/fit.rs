//! Which options of a kernel do not go together, and where one has no place: a rule that nothing
//! ever comes to would make a run green for an empty reason. Knows options and ports; runs nothing
//! but the question whether this machine's kernel can do what they ask.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use link::{Datum, PortConfig};
use linux::{Hook, Kernel, Load, Reject};
use nodes::{ConfigError, NodeConfig};

/// Refuses options of which one has no effect beside the others.
pub(super) fn together(config: &NodeConfig, kernel: &Kernel) -> Result<(), ConfigError> {
    let Kernel { rules, listen, default_route, .. } = kernel;
    let refused = |option: &str, text: &str| Err(ConfigError::at(option, text));
    let given = |name: &str| config.options.contains_key(name);
    let at_input = matches!(rules.hook, Hook::Input | Hook::Forward);
    if rules.reject == Reject::Iptables && !at_input {
        let text = "iptables rejects at input and forward only; reject=nft does it everywhere";
        return refused("hook", text);
    }
    let no_rule = rules.reject == Reject::None && rules.own.is_empty();
    if no_rule && matches!(rules.hook, Hook::Prerouting | Hook::Ingress) {
        let text = "no rule stands there: with reject=none the closed port answers, which is at no \
                    hook; write rules of your own, or leave `hook` out";
        return refused("hook", text);
    }
    for ports in ["ports", "reject-ports"].into_iter().filter(|name| given(name)) {
        if rules.reject == Reject::None {
            let text = "nothing is rejected with reject=none; reject=nft or iptables has ports";
            return refused(ports, text);
        }
        if !rules.ports.is_empty() && rules.ports.without(&rules.accept).is_empty() {
            let text = "every port of these is one of `listen`, which the rule lets pass; name \
                        others, or none";
            return refused(ports, text);
        }
    }
    if rules.hook == Hook::Bridge {
        let text = "a bridge has no addresses, so nothing comes to it";
        let translates = "a bridge translates no addresses; hook=forward does";
        for (option, is_given, text) in [
            ("listen", !listen.is_empty(), text),
            ("default-route", *default_route, text),
            ("dnat", !rules.dnat.is_empty(), translates),
            ("snat", !rules.snat.is_empty(), translates),
        ] {
            if is_given {
                return refused(option, text);
            }
        }
    }
    Ok(())
}

/// The options are those of a kernel that joins its ports by a bridge.
pub(in crate::kinds) fn is_bridge(options: &BTreeMap<String, Datum>) -> bool {
    options.get("hook") == Some(&Datum::Text("bridge".to_owned()))
}

/// Why a kernel with these of its ports linked can never do what its hook is for.
pub(in crate::kinds) fn unfit(
    kernel: &Kernel,
    ports: &[PortConfig],
    linked: &[&PortConfig],
) -> Option<ConfigError> {
    let context = |context: &str| Some(ConfigError::at("hook", context));
    match kernel.rules.hook {
        Hook::Forward if linked.len() < 2 => context(
            "hook=forward stands between two links, and this node has fewer: nothing passes \
             FORWARD, and the closed port would answer; hook=input rejects what is for the node",
        ),
        Hook::Bridge if linked.len() < 2 => context(
            "hook=bridge joins two links, and this node has fewer: nothing passes the bridge; \
             hook=ingress rejects whatever comes in on one",
        ),
        Hook::Forward
            if !kernel.default_route && linked.iter().all(|port| port.addresses.is_empty()) =>
        {
            context(
                "hook=forward routes to subnets, and no port of this node has an address: nothing \
                 passes FORWARD; give its ports addresses, or write hook=bridge",
            )
        }
        Hook::Bridge if ports.iter().any(|port| !port.addresses.is_empty()) => {
            context("hook=bridge joins its ports below IP, so none has an address; leave `ip` out")
        }
        Hook::Prerouting | Hook::Ingress if linked.is_empty() => {
            context("no link leads to this node, so nothing comes to its hook")
        }
        _ => None,
    }
}

/// What the kernel of this machine lacks for this node; `None` where it can be it, or where only
/// the attempt will show.
pub(super) fn lacks(kernel: &Kernel) -> Option<String> {
    static BRIDGE: OnceLock<Option<String>> = OnceLock::new();
    let rejects = kernel.rules.reject == Reject::Nft && !kernel.rules.ports.is_empty();
    if kernel.rules.hook != Hook::Bridge || !rejects {
        return None;
    }
    let context = |error| format!("the running kernel does not reject at a bridge ({error})");
    BRIDGE.get_or_init(|| veth::can_load(&Load::bridge_probe()).err().map(context)).clone()
}

#[cfg(test)]
mod tests {
    use crate::kinds::linux::tests::with;

    #[test]
    fn options_that_have_no_effect_together_are_refused() {
        for (options, option, word) in [
            (&[("reject", "iptables"), ("hook", "ingress")][..], "hook", "reject=nft"),
            (&[("reject", "iptables"), ("hook", "bridge")], "hook", "reject=nft"),
            (&[("reject", "none"), ("hook", "prerouting")], "hook", "no rule stands there"),
            (&[("reject", "none"), ("hook", "ingress")], "hook", "no rule stands there"),
            (&[("reject", "none"), ("ports", "80")], "ports", "nothing is rejected"),
            (&[("listen", "80-90"), ("ports", "85")], "ports", "one of `listen`"),
            (&[("listen", "80"), ("reject-ports", "80")], "reject-ports", "one of `listen`"),
            (&[("ports", "80"), ("reject-ports", "80")], "reject-ports", "two names"),
            (&[("hook", "bridge"), ("listen", "80")], "listen", "no addresses"),
            (&[("hook", "bridge"), ("default-route", "true")], "default-route", "no addresses"),
            (&[("hook", "bridge"), ("dnat", "dnat ip to 10.0.0.1")], "dnat", "hook=forward"),
        ] {
            let error = with(options).expect_err("no kernel");
            assert_eq!(error.option.as_deref(), Some(option), "{error}");
            assert!(error.message.contains(word), "{error}");
        }
        for options in [
            &[("reject", "none"), ("hook", "ingress"), ("rules", "tcp dport 9 drop")][..],
            &[("reject", "none"), ("hook", "forward")],
            &[("reject", "none"), ("hook", "bridge")],
            &[("listen", "80"), ("ports", "80,81")],
            &[("listen", "80"), ("ports", "none")],
            &[("reject-ports", "80"), ("hook", "forward")],
        ] {
            assert!(with(options).is_ok(), "{options:?}");
        }
    }
}

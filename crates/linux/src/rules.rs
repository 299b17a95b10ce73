//! The rules of a kernel node, as text for `nft` and for `iptables-restore`. Knows those two
//! languages; runs no program.

use std::ops::RangeInclusive;

use wire::PortSet;

/// Which program's rule rejects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reject {
    /// `nft … reject with tcp reset`.
    #[default]
    Nft,
    /// `iptables … -j REJECT --reject-with tcp-reset`.
    Iptables,
    /// None: the closed port answers.
    None,
}

/// Where the rule stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hook {
    /// Before a packet reaches the host itself.
    #[default]
    Input,
    /// Before it is routed.
    Prerouting,
    /// Where a frame comes in from its interface.
    Ingress,
    /// On the way from one interface to another; the kernel then routes.
    Forward,
}

/// What is rejected, where, by whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// By whom.
    pub reject: Reject,
    /// Where.
    pub hook: Hook,
    /// TCP destination ports; what goes to others is dropped, but on the way through.
    pub ports: PortSet,
    /// TCP destination ports that pass, though they are rejected or dropped otherwise.
    pub accept: PortSet,
    /// The user's own lines of nft, before the rule that rejects.
    pub own: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        let (reject, hook) = (Reject::default(), Hook::default());
        let accept = PortSet::default();
        Self { reject, hook, ports: PortSet::all(), accept, own: Vec::new() }
    }
}

/// A text of rules and what reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The language, as a reader knows it: `nft` or `iptables`.
    pub language: &'static str,
    /// The programs that are given the text on their standard input, each in turn.
    pub programs: &'static [&'static str],
    /// Their arguments.
    pub arguments: &'static [&'static str],
    /// The Debian package that has them.
    pub package: &'static str,
    /// The rules.
    pub text: String,
}

impl Load {
    /// The rules for a reader, line by line.
    pub fn told(&self) -> impl Iterator<Item = String> {
        self.text.lines().map(|line| format!("{} {line}", self.language))
    }
}

/// Rules that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(pub String);

impl Rules {
    /// The rules as texts to be loaded one after the other, for a node with these interfaces.
    ///
    /// # Errors
    /// When the program that rejects cannot do so at the hook.
    pub fn loads(&self, interfaces: &[String]) -> Result<Vec<Load>, Unfit> {
        let mut loads = Vec::new();
        if self.reject == Reject::Nft || !self.own.is_empty() {
            loads.push(Load {
                language: "nft",
                programs: &["nft"],
                arguments: &["-f", "-"],
                package: "nftables",
                text: self.nft(interfaces),
            });
        }
        if self.reject == Reject::Iptables {
            loads.push(Load {
                language: "iptables",
                programs: &["iptables-restore", "ip6tables-restore"],
                arguments: &[],
                package: "iptables",
                text: self.iptables()?,
            });
        }
        Ok(loads)
    }

    fn nft(&self, interfaces: &[String]) -> String {
        let mut body: String = self.own.iter().map(|line| format!("    {line}\n")).collect();
        if self.reject == Reject::Nft {
            let listed = |ports: &PortSet| {
                let range = |r: &RangeInclusive<u16>| format!("{}-{}", r.start(), r.end());
                ports.ranges().iter().map(range).collect::<Vec<_>>().join(", ")
            };
            if !self.accept.is_empty() {
                body += &format!("    tcp dport {{ {} }} accept\n", listed(&self.accept));
            }
            let which = match self.ports == PortSet::all() {
                true => "meta l4proto tcp".to_owned(),
                false => format!("tcp dport {{ {} }}", listed(&self.ports)),
            };
            if !self.ports.is_empty() {
                body += &format!("    {which} reject with tcp reset\n");
            }
            if self.hook != Hook::Forward {
                body += "    meta l4proto tcp drop\n";
            }
        }
        let chain = |name: &str, hook: &str| {
            format!("  chain {name} {{\n    type filter hook {hook} priority 0;\n{body}  }}\n")
        };
        let chains = match self.hook {
            Hook::Input => chain("rules", "input"),
            Hook::Prerouting => chain("rules", "prerouting"),
            Hook::Forward => chain("rules", "forward"),
            // In the family inet too: not every kernel has a reject in the family netdev.
            Hook::Ingress => {
                let at = |(number, name): (usize, &String)| {
                    chain(&format!("rules{number}"), &format!("ingress device \"{name}\""))
                };
                interfaces.iter().enumerate().map(at).collect()
            }
        };
        format!("table inet wireproof {{\n{chains}}}\n")
    }

    fn iptables(&self) -> Result<String, Unfit> {
        let chain = match self.hook {
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Prerouting | Hook::Ingress => {
                let told = "iptables rejects at the hooks input and forward only";
                return Err(Unfit(told.to_owned()));
            }
        };
        let mut text = "*filter\n".to_owned();
        for range in self.accept.ranges() {
            let (first, last) = (range.start(), range.end());
            text += &format!("-A {chain} -p tcp --dport {first}:{last} -j ACCEPT\n");
        }
        for range in self.ports.ranges() {
            let which = match self.ports == PortSet::all() {
                true => String::new(),
                false => format!(" --dport {}:{}", range.start(), range.end()),
            };
            text += &format!("-A {chain} -p tcp{which} -j REJECT --reject-with tcp-reset\n");
        }
        if self.hook != Hook::Forward {
            text += &format!("-A {chain} -p tcp -j DROP\n");
        }
        Ok(text + "COMMIT\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_say_which_ports_and_where() {
        let rules = Rules { ports: "80,1000-1024".parse().unwrap(), ..Rules::default() };
        let text = rules.nft(&["eth0".into()]);
        assert!(text.contains("hook input"), "{text}");
        assert!(text.contains("tcp dport { 80-80, 1000-1024 } reject with tcp reset"), "{text}");
        assert!(text.contains("meta l4proto tcp drop"), "{text}");
        let accept: PortSet = "22".parse().unwrap();
        let rules = Rules { accept: accept.clone(), ..Rules::default() };
        let text = rules.nft(&["eth0".into()]);
        let (let_in, reject) = (text.find("{ 22-22 } accept"), text.find("reject with"));
        assert!(let_in.is_some() && let_in < reject, "{text}");
        let rules = Rules { accept, reject: Reject::Iptables, ..Rules::default() };
        let text = rules.iptables().unwrap();
        let (let_in, reject) = (text.find("--dport 22:22 -j ACCEPT"), text.find("-j REJECT"));
        assert!(let_in.is_some() && let_in < reject, "{text}");
        let rules = Rules { hook: Hook::Ingress, ..Rules::default() };
        let text = rules.nft(&["eth0".into(), "b".into()]);
        assert!(text.contains("hook ingress device \"b\""), "{text}");
        let rules = Rules { reject: Reject::Iptables, hook: Hook::Forward, ..Rules::default() };
        let text = rules.iptables().unwrap();
        assert!(text.contains("-A FORWARD -p tcp -j REJECT"), "{text}");
        assert!(!text.contains("DROP"), "{text}");
    }

    #[test]
    fn iptables_has_no_reject_before_routing() {
        let rules = Rules { reject: Reject::Iptables, hook: Hook::Prerouting, ..Rules::default() };
        assert!(rules.iptables().is_err());
    }
}

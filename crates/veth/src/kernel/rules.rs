//! The rules of a kernel node, as text for `nft` and for `iptables-restore`, and how they are
//! handed over. Knows those two languages; no scenario.

use std::io::Write;
use std::process::{Command, Stdio};

use wire::PortSet;

use crate::error::Error;

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
#[derive(Clone, Debug)]
pub struct Rules {
    /// By whom.
    pub reject: Reject,
    /// Where.
    pub hook: Hook,
    /// TCP destination ports; what goes to others is dropped, but on the way through.
    pub ports: PortSet,
    /// The user's own lines of nft, before the rule that rejects.
    pub own: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        let (reject, hook) = (Reject::default(), Hook::default());
        Self { reject, hook, ports: PortSet::all(), own: Vec::new() }
    }
}

impl Rules {
    /// Loads the rules into the calling thread's namespace; what was loaded, for a reader.
    pub(crate) fn load(&self, interfaces: &[String]) -> Result<Vec<String>, Error> {
        let mut loaded = Vec::new();
        let by_nft = self.reject == Reject::Nft || !self.own.is_empty();
        if by_nft {
            let text = self.nft(interfaces);
            feed("nft", &["-f", "-"], &text, "nftables")?;
            loaded.extend(text.lines().map(|line| format!("nft {line}")));
        }
        if self.reject == Reject::Iptables {
            let text = self.iptables()?;
            for program in ["iptables-restore", "ip6tables-restore"] {
                feed(program, &[], &text, "iptables")?;
            }
            loaded.extend(text.lines().map(|line| format!("iptables {line}")));
        }
        Ok(loaded)
    }

    fn nft(&self, interfaces: &[String]) -> String {
        let mut body: String = self.own.iter().map(|line| format!("    {line}\n")).collect();
        if self.reject == Reject::Nft {
            let ports: Vec<String> =
                self.ports.ranges().iter().map(|r| format!("{}-{}", r.start(), r.end())).collect();
            let which = match self.ports == PortSet::all() {
                true => "meta l4proto tcp".to_owned(),
                false => format!("tcp dport {{ {} }}", ports.join(", ")),
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
        let (family, chains) = match self.hook {
            Hook::Input => ("inet", chain("rules", "input")),
            Hook::Prerouting => ("inet", chain("rules", "prerouting")),
            Hook::Forward => ("inet", chain("rules", "forward")),
            Hook::Ingress => {
                let at = |(number, name): (usize, &String)| {
                    chain(&format!("rules{number}"), &format!("ingress device \"{name}\""))
                };
                ("netdev", interfaces.iter().enumerate().map(at).collect())
            }
        };
        format!("table {family} wireproof {{\n{chains}}}\n")
    }

    fn iptables(&self) -> Result<String, Error> {
        let chain = match self.hook {
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Prerouting | Hook::Ingress => {
                let told = "iptables rejects at the hooks input and forward only";
                return Err(Error::Plan(told.to_owned()));
            }
        };
        let mut text = "*filter\n".to_owned();
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

/// Runs a program in the calling thread's namespace with a text as its input.
fn feed(program: &str, arguments: &[&str], text: &str, package: &str) -> Result<(), Error> {
    let failed = |told: String| Error::Tool(format!("{program}: {told}"));
    let missing = |error: std::io::Error| {
        failed(format!("{error} (a kernel node needs it: apt-get install {package})"))
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    // Its lock belongs to the host, and these rules do not.
    command.env("XTABLES_LOCKFILE", "/dev/null");
    let mut child = command.spawn().map_err(missing)?;
    let mut input = child.stdin.take().ok_or_else(|| failed("no input".into()))?;
    // A program that stops reading says why on its own.
    let _ = input.write_all(text.as_bytes());
    drop(input);
    let output = child.wait_with_output().map_err(missing)?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("it refuses these rules:\n{text}{}", told.trim())))
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

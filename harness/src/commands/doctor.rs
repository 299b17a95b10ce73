//! `wireproof doctor`: what this machine can run, a line a capability. Changes nothing but this
//! process, which moves into namespaces of its own to see whether it may.

use anyhow::Result;
use link::{Limits, LinkChange, PortConfig};
use nodes::{NodeConfig, Registry};

use crate::report::EXIT_HOLDS;
use crate::streams;

/// Tells what this machine can run; returns the exit code: the simulated wire always works.
///
/// # Errors
/// When standard output cannot be written.
pub fn doctor() -> Result<u8> {
    let mut text = String::new();
    let mut line = |found: &Result<(), String>, what: &str, purpose: &str| {
        text += &match found {
            Ok(()) => format!("ok       {what:16}  {purpose}\n"),
            Err(way) => format!("missing  {what:16}  {purpose}: {way}\n"),
        };
    };
    line(&Ok(()), "simulated wire", "every scenario");
    // Before this process has namespaces of its own, in which it may do all.
    let may = veth::may_listen().map_err(|error| error.to_string());
    line(&may, "packet sockets", "--on nic: a device at the other end of an interface's cable");
    let entered = veth::enter().map_err(|error| error.to_string());
    line(&entered, "namespaces", "--on veth: a network for each node, without touching this one's");
    let laid = match entered {
        Ok(()) => link(),
        Err(_) => Err("needs namespaces".to_owned()),
    };
    line(&laid, "veth", "--on veth: veth pairs as links, packet sockets on their ends");
    let tools = [
        ("nft", "kernel nodes with reject=nft", "nftables"),
        ("iptables", "kernel nodes with reject=iptables", "iptables"),
        ("ip6tables", "the same for IPv6", "iptables"),
        ("tshark", "the check of captures by Wireshark", "tshark"),
    ];
    for (tool, purpose, package) in tools {
        let way = || format!("apt-get install {package}");
        line(&veth::runs(tool).then_some(()).ok_or_else(way), tool, purpose);
    }
    let bridge = match &laid {
        Ok(()) => veth::can_load(&linux::Load::bridge_probe()),
        Err(_) => Err("needs veth".to_owned()),
    };
    line(&bridge, "bridge reject", "kernel nodes with hook=bridge that reject (nft_reject_bridge)");
    for guest::Need { what, purpose, found } in guest::needs() {
        line(&found.map_err(|error| error.to_string()), what, purpose);
    }
    streams::print(&text)?;
    Ok(EXIT_HOLDS)
}

/// Two nodes and a link between them can be made.
fn link() -> Result<(), String> {
    let node = |name: &str| {
        let ports = vec![PortConfig { name: "eth0".into(), ..PortConfig::default() }];
        let config =
            NodeConfig { name: name.into(), ports: ports.clone(), ..NodeConfig::default() };
        let node =
            Registry::standard().build("sink", &config).map_err(|error| error.to_string())?;
        let node = veth::Occupant::InProcess(node);
        Ok::<_, String>(veth::NodeSpec { name: name.into(), ports, node })
    };
    let settings = LinkChange::default();
    let link =
        veth::LinkSpec { name: "a-b".into(), ends: [(0, 0), (1, 0)], settings, steady: true };
    let nodes = vec![node("a")?, node("b")?];
    veth::lay(0, Limits::default(), nodes, &[link]).map(drop).map_err(|error| error.to_string())
}

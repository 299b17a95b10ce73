//! The settings of a kernel node: what is pinned so that two kernels answer alike, its addresses,
//! its neighbours, its listening ports. Knows no rule and no frame.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use link::Address;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags};
use rtnetlink::{Handle, RouteMessageBuilder};
use wire::Mac;

use super::{Hook, Kernel, Port, fence};
use crate::error::{Error, Tried};
use crate::namespace::set_sysctl;

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
    ("net.ipv4.tcp_invalid_ratelimit", "0"),
    ("net.ipv4.tcp_timestamps", "1"),
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

/// What a kernel node stands on.
pub(crate) struct Ground {
    pub(crate) netlink: Handle,
    /// Neighbours that it was told of.
    pub(crate) known: BTreeSet<IpAddr>,
    pub(crate) listening: Vec<TcpListener>,
}

/// Pins the settings of the calling thread's namespace, in which no interface is yet; what was
/// set, for a reader.
pub(crate) fn pin(kernel: &Kernel) -> Result<Vec<String>, Error> {
    let routing = if kernel.rules.hook == Hook::Forward { ROUTING } else { &[] };
    let mut told = Vec::new();
    for (name, value) in PINNED.iter().chain(routing) {
        let file = name.replace('.', "/");
        // A kernel may be older than a setting; a reader sees that it was left alone.
        if Path::new("/proc/sys").join(&file).exists() && set_sysctl(&file, value).is_ok() {
            told.push(format!("{name} = {value}"));
        } else {
            told.push(format!("{name} is not there or not to be set"));
        }
    }
    for (name, value) in &kernel.sysctls {
        set_sysctl(&name.replace('.', "/"), value)?;
        told.push(format!("{name} = {value}"));
    }
    Ok(told)
}

/// Opens the ports that accept, in the calling thread's namespace.
pub(crate) fn listen(ports: &[u16]) -> Result<Vec<TcpListener>, Error> {
    let open = |port: &u16| {
        let all = SocketAddr::from(([0_u16; 8], *port));
        TcpListener::bind(all).tried(format!("listen on port {port}"))
    };
    ports.iter().map(open).collect()
}

/// Gives the node its addresses and its neighbours.
pub(crate) async fn settle(
    netlink: &Handle,
    ports: &[Port],
    default_route: bool,
) -> Result<BTreeSet<IpAddr>, Error> {
    let loopback = netlink.address().add(1, IpAddr::V4(Ipv4Addr::from(fence::ADDRESS)), 32);
    loopback.execute().await.tried("give the fence its address")?;
    let mut known = BTreeSet::new();
    let linked = || ports.iter().filter(|port| port.end.is_some());
    for port in linked() {
        for Address { ip, prefix } in &port.config.addresses {
            let mut request = netlink.address().add(port.index, *ip, *prefix);
            if ip.is_ipv6() {
                let flags = AddressAttribute::Flags(AddressFlags::Nodad);
                request.message_mut().attributes.push(flags);
            }
            request.execute().await.tried(format!("give {} its address {ip}", port.config.name))?;
            known.insert(*ip);
        }
    }
    for port in linked() {
        let Some(peer) = &port.config.peer else { continue };
        for address in &peer.addresses {
            let near = port.config.addresses.iter().any(|own| holds(own, address.ip));
            if (near || default_route) && known.insert(address.ip) {
                let told = format!("introduce {}", address.ip);
                neighbour(netlink, port.index, address.ip, peer.mac).await.tried(told)?;
            }
        }
    }
    if let (true, Some(port)) = (default_route, linked().next()) {
        use std::net::Ipv6Addr;
        let ip4 = RouteMessageBuilder::<Ipv4Addr>::new().output_interface(port.index);
        let ip6 = RouteMessageBuilder::<Ipv6Addr>::new().output_interface(port.index);
        for route in [ip4.build(), ip6.build()] {
            netlink.route().add(route).execute().await.tried("set the default route")?;
        }
    }
    Ok(known)
}

/// Tells the kernel for good where an address lives.
pub(crate) async fn neighbour(
    netlink: &Handle,
    index: u32,
    address: IpAddr,
    mac: Mac,
) -> Result<(), rtnetlink::Error> {
    netlink.neighbours().add(index, address).link_layer_address(&mac.0).replace().execute().await
}

/// An address lies in the subnet of another.
pub(crate) fn holds(own: &Address, other: IpAddr) -> bool {
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
        IpAddr::V6(ip) => u128::from(ip),
    };
    let shift = 128 - u32::from(own.prefix);
    own.ip.is_ipv4() == other.is_ipv4()
        && (bits(own.ip) ^ bits(other)).checked_shr(shift).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_holds_its_addresses_and_no_others() {
        let own = |ip: &str, prefix| Address { ip: ip.parse().unwrap(), prefix };
        for (net, prefix, other, is) in [
            ("10.0.0.2", 24, "10.0.0.77", true),
            ("10.0.0.2", 24, "10.0.1.2", false),
            ("10.0.0.2", 32, "10.0.0.2", true),
            ("10.0.0.2", 0, "192.0.2.1", true),
            ("10.0.0.2", 24, "fd00::2", false),
            ("fd00::2", 64, "fd00::ffff", true),
            ("fd00::2", 64, "fd00:0:0:1::2", false),
        ] {
            assert_eq!(holds(&own(net, prefix), other.parse().unwrap()), is, "{net} {other}");
        }
    }
}

//! Whether an interface may be used, before a frame is sent: it is there, up, an Ethernet, leaves
//! frames as they are, and is not the one that the host itself lives by. Only reads: netlink dumps
//! and ethtool questions, which take no privilege and change nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::fd::AsFd;

use futures_util::TryStreamExt;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};
use rtnetlink::packet_route::link::{
    InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage,
};
use rtnetlink::packet_route::route::{RouteAttribute, RouteMessage};
use rtnetlink::{Handle, RouteMessageBuilder};

use super::port;
use crate::error::{Error, Tried};
use crate::pairs;
use crate::sys;

/// What makes several frames one, or adds to a frame, before a socket sees it. Sums that hardware
/// checks, and what it does for the kernel's own connections, leave our frames as they are.
const FALSIFIES: [&str; 6] =
    ["rx-gro", "rx-gro-hw", "rx-gro-list", "rx-udp-gro-forwarding", "rx-lro", "rx-fcs"];

/// An interface that can be used.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The longest payload of a frame that it sends, in bytes.
    pub mtu: u32,
}

/// The interfaces, routes and addresses of this network namespace.
struct Host {
    links: Vec<LinkMessage>,
    /// Interfaces that default routes lead through.
    ways_out: BTreeSet<u32>,
    /// Addresses, each with its interface.
    addresses: Vec<(IpAddr, u32)>,
}

/// The host's state that a run depends on.
#[derive(Clone, Debug, Default)]
pub struct HostState {
    /// The interfaces that were asked for.
    pub interfaces: Vec<Interface>,
    /// The host's own addresses, each with its interface: its kernel answers for them.
    pub addresses: Vec<(IpAddr, String)>,
}

/// Inspects interfaces of the current network namespace. `i_know` allows one that carries a
/// default route.
///
/// # Errors
/// [`Error::Plan`] names what is wrong with one of them and the command that makes it right;
/// [`Error::Forbidden`] where this user may not open packet sockets.
pub fn inspect(names: &[&str], i_know: bool) -> Result<HostState, Error> {
    let host = Host::ask()?;
    let found: Result<Vec<_>, Error> =
        names.iter().map(|name| host.inspect(name, i_know)).collect();
    let interfaces = found?;
    port::socket()?;
    let name = |index: u32| {
        let link = host.links.iter().find(|link| link.header.index == index);
        link.map_or_else(|| format!("interface {index}"), |link| name_of(link).to_owned())
    };
    let addresses = host.addresses.iter().map(|(ip, index)| (*ip, name(*index))).collect();
    Ok(HostState { interfaces, addresses })
}

/// The interfaces that there are, for a user who has to name one.
///
/// # Errors
/// Where the kernel refuses the request.
pub fn interfaces() -> Result<String, Error> {
    Host::ask().map(|host| host.names())
}

/// Whether this user may open packet sockets where the process is.
///
/// # Errors
/// [`Error::Forbidden`] with the ways out.
pub fn may_listen() -> Result<(), Error> {
    port::socket().map(drop)
}

impl Host {
    fn ask() -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.tried("make a runtime")?;
        let netlink = pairs::netlink(&runtime)?;
        runtime.block_on(async {
            let links = netlink.link().get().execute().try_collect();
            let links: Vec<LinkMessage> = links.await.tried("list the interfaces")?;
            let addresses = netlink.address().get().execute().try_collect();
            let addresses: Vec<AddressMessage> = addresses.await.tried("list the addresses")?;
            let addresses = addresses.iter().filter_map(own_address).collect();
            let ways_out = ways_out(&netlink).await?;
            Ok(Self { links, ways_out, addresses })
        })
    }

    fn inspect(&self, name: &str, i_know: bool) -> Result<Interface, Error> {
        let refuse = |text: String| Err(Error::Plan(text));
        let Some(link) = self.links.iter().find(|link| name_of(link) == name) else {
            let names = self.names();
            return refuse(format!("there is no interface `{name}`; there are {names}"));
        };
        let (index, flags) = (link.header.index, link.header.flags);
        if flags.contains(LinkFlags::Loopback) {
            return refuse(format!(
                "{name} is the loopback: nothing is at its other end but this host; take an \
                 interface with a cable"
            ));
        }
        if link.header.link_layer_type != LinkLayerType::Ether {
            let kind = link.header.link_layer_type;
            return refuse(format!("{name} is no Ethernet ({kind:?}): it carries other frames"));
        }
        if let (Some(why), false) = (self.carries_default_route(index), i_know) {
            return refuse(format!(
                "{name} carries the default route{why}: this host lives by it, and frames with \
                 made-up addresses may harm its network; take another interface, or say --i-know"
            ));
        }
        if !flags.contains(LinkFlags::Up) {
            return refuse(format!("{name} is down; `ip link set {name} up` brings it up"));
        }
        if !flags.contains(LinkFlags::LowerUp) {
            return refuse(format!(
                "{name} has no carrier: see to the cable, and that the other end is up"
            ));
        }
        leaves_frames_alone(name)?;
        let mtu = link.attributes.iter().find_map(|attribute| match attribute {
            LinkAttribute::Mtu(mtu) => Some(*mtu),
            _ => None,
        });
        Ok(Interface { name: name.to_owned(), mtu: mtu.unwrap_or(1500) })
    }

    /// Whether a default route leads through it or through what stands on it, and how.
    fn carries_default_route(&self, index: u32) -> Option<String> {
        let mut seen = BTreeSet::from([index]);
        let mut next = vec![index];
        while let Some(at) = next.pop() {
            if self.ways_out.contains(&at) {
                let link = self.links.iter().find(|link| link.header.index == at)?;
                let through = format!(" (through {})", name_of(link));
                return Some(if at == index { String::new() } else { through });
            }
            let above = self.links.iter().filter_map(|link| stands_on(link, at));
            let above = above.chain(self.links.iter().filter_map(|link| master(link, at)));
            next.extend(above.filter(|index| seen.insert(*index)));
        }
        None
    }

    fn names(&self) -> String {
        let shown = |link: &LinkMessage| {
            let up = link.header.flags.contains(LinkFlags::Up);
            format!("{}{}", name_of(link), if up { "" } else { " (down)" })
        };
        let others = |link: &&LinkMessage| !link.header.flags.contains(LinkFlags::Loopback);
        let names: Vec<String> = self.links.iter().filter(others).map(shown).collect();
        if names.is_empty() { "none but the loopback".to_owned() } else { names.join(", ") }
    }
}

/// An address of this host, and its interface.
fn own_address(message: &AddressMessage) -> Option<(IpAddr, u32)> {
    let find = |wanted: fn(&AddressAttribute) -> Option<IpAddr>| {
        message.attributes.iter().find_map(wanted)
    };
    // Where there is a local one, the other is that of a neighbour.
    let local = find(|attribute| match attribute {
        AddressAttribute::Local(ip) => Some(*ip),
        _ => None,
    });
    let only = || {
        find(|attribute| match attribute {
            AddressAttribute::Address(ip) => Some(*ip),
            _ => None,
        })
    };
    local.or_else(only).map(|ip| (ip, message.header.index))
}

fn name_of(link: &LinkMessage) -> &str {
    let mut names = link.attributes.iter().filter_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.as_str()),
        _ => None,
    });
    names.next().unwrap_or("?")
}

/// The interface's number, if it stands on another: a VLAN or a macvlan on its parent.
fn stands_on(link: &LinkMessage, below: u32) -> Option<u32> {
    let on =
        link.attributes.iter().any(|part| matches!(part, LinkAttribute::Link(at) if *at == below));
    let stands = |info: &LinkInfo| {
        let LinkInfo::Kind(kind) = info else { return false };
        use InfoKind::{IpVlan, IpVtap, MacSec, MacVlan, MacVtap, Vlan};
        matches!(kind, Vlan | MacVlan | MacVtap | IpVlan | IpVtap | MacSec)
    };
    // The other end of a veth pair, which may be in another namespace, is told the same way.
    let kind = link.attributes.iter().any(|part| match part {
        LinkAttribute::LinkInfo(infos) => infos.iter().any(stands),
        _ => false,
    });
    (on && kind).then_some(link.header.index)
}

/// The bridge or bond that an interface is a part of.
fn master(link: &LinkMessage, part: u32) -> Option<u32> {
    let controller = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Controller(index) => Some(*index),
        _ => None,
    });
    controller.filter(|index| link.header.index == part && *index != 0)
}

/// The interfaces through which default routes lead, of either family and in any table.
async fn ways_out(netlink: &Handle) -> Result<BTreeSet<u32>, Error> {
    let four = RouteMessageBuilder::<Ipv4Addr>::new().build();
    let six = RouteMessageBuilder::<Ipv6Addr>::new().build();
    let mut out = BTreeSet::new();
    for family in [four, six] {
        let routes = netlink.route().get(family).execute().try_collect();
        let routes: Vec<RouteMessage> = routes.await.tried("list the routes")?;
        for route in routes.iter().filter(|route| route.header.destination_prefix_length == 0) {
            for attribute in &route.attributes {
                match attribute {
                    RouteAttribute::Oif(index) => drop(out.insert(*index)),
                    RouteAttribute::MultiPath(hops) => {
                        out.extend(hops.iter().map(|hop| hop.interface_index));
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(out)
}

/// Frames reach a socket as they crossed the cable.
fn leaves_frames_alone(name: &str) -> Result<(), Error> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).tried("open a socket")?;
    let features = sys::features(socket.as_fd(), name);
    let features = features.tried(format!("ask for the offloads of {name}"))?;
    let on = |wanted: &&&str| features.iter().any(|(name, on)| name == **wanted && *on);
    let wrong: Vec<&str> = FALSIFIES.iter().filter(on).copied().collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let off: String = wrong.iter().map(|feature| format!(" {feature} off")).collect();
    let what = wrong.join(", ");
    Err(Error::Plan(format!(
        "{name} does not show frames as they crossed the cable ({what}); `ethtool -K {name}{off}` \
         makes it"
    )))
}

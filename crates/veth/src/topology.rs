//! Makes a topology: a namespace for each node and one for the wire, a veth pair for each plain
//! link and two for each link that does something to frames, and the sockets between them.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use link::{Chance, Limits, LinkChange, LinkConfig, Node, NodeId, PortConfig, PortIndex, Sim};
use rtnetlink::Handle;

use crate::behind::{Behind, Shared, Ways};
use crate::clock::Timer;
use crate::end::{Closing, End, Leg, MOST_MTU};
use crate::error::{Error, Tried};
use crate::namespace::{Namespace, set_sysctl};
use crate::pairs::{self, Wanted};
use crate::sys;
use crate::wire::Wire;

/// A node to be put on the wire.
pub struct NodeSpec {
    /// Its name.
    pub name: String,
    /// Its ports.
    pub ports: Vec<PortConfig>,
    /// The implementation.
    pub node: Box<dyn Node>,
}

/// A link to be laid.
#[derive(Clone, Debug)]
pub struct LinkSpec {
    /// Its name, for errors.
    pub name: String,
    /// Node and port of its ends.
    pub ends: [(u16, PortIndex); 2],
    /// How it treats frames at the start.
    pub settings: LinkChange,
    /// It stays so for the whole run.
    pub steady: bool,
}

/// Makes the wire.
///
/// # Errors
/// [`Error::Forbidden`] where the process may not make namespaces; [`Error::System`] and
/// [`Error::Netlink`] where the kernel refuses a part of it.
pub fn lay(
    seed: u64,
    limits: Limits,
    nodes: Vec<NodeSpec>,
    links: &[LinkSpec],
) -> Result<Wire, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let shared = Shared::new(runtime.tried("make a runtime")?);
    let mut layer = Layer::new(Arc::new(shared))?;
    let mut grounds = Vec::new();
    for node in &nodes {
        grounds.push(Ground::quiet(node.ports.len())?);
    }
    let mut ways: Vec<Vec<Ways>> =
        nodes.iter().map(|node| node.ports.iter().map(|_| Ways::default()).collect()).collect();
    for link in links {
        layer.lay(link, &nodes, &mut grounds, &mut ways)?;
    }
    let mut sim = Sim::new(seed, limits);
    for (node, ways) in nodes.into_iter().zip(ways) {
        let ports: Vec<String> = node.ports.iter().map(|port| port.name.clone()).collect();
        let behind = Behind::new(node.node, ways, Arc::clone(&layer.shared));
        sim.add_node(&node.name, Box::new(behind), &ports);
    }
    for link in links {
        let [a, b] = link.ends.map(|(node, port)| (NodeId(node), port));
        let told = |error: link::TopologyError| Error::Plan(format!("{}: {error}", link.name));
        let id = sim.connect(a, b, LinkConfig::default()).map_err(told)?;
        sim.change_link(id, None, &link.settings).map_err(told)?;
    }
    layer.finish(sim, grounds)
}

/// A node's namespace, and a socket for each of its ports.
struct Ground {
    namespace: Namespace,
    sockets: Vec<Option<OwnedFd>>,
}

impl Ground {
    /// A namespace whose kernel says nothing: no IPv6, and no address will be given to it.
    fn quiet(ports: usize) -> Result<Self, Error> {
        let (namespace, sockets) = Namespace::new(|| {
            quieten()?;
            (0..ports).map(|_| socket().map(Some)).collect()
        })?;
        Ok(Self { namespace, sockets })
    }
}

fn socket() -> Result<OwnedFd, Error> {
    sys::packet_socket().tried("open a packet socket")
}

/// Without this a link that comes up says six frames of IPv6 within four seconds.
fn quieten() -> Result<(), Error> {
    for which in ["all", "default"] {
        let name = format!("net/ipv6/conf/{which}/disable_ipv6");
        // A kernel without IPv6 is as quiet.
        if std::path::Path::new("/proc/sys").join(&name).exists() {
            set_sysctl(&name, "1")?;
        }
    }
    Ok(())
}

/// What lays links.
struct Layer {
    shared: Arc<Shared>,
    /// Where the ends lie between which a link does something to frames.
    middle: Namespace,
    netlink: Handle,
    /// Ends made in the middle so far.
    made: usize,
    legs: Vec<Leg>,
    ends: Closing,
}

impl Layer {
    fn new(shared: Arc<Shared>) -> Result<Self, Error> {
        let (middle, netlink) = Namespace::new(|| {
            quieten()?;
            pairs::netlink(&shared.runtime)
        })?;
        Ok(Self { shared, middle, netlink, made: 0, legs: Vec::new(), ends: Closing::default() })
    }

    fn lay(
        &mut self,
        link: &LinkSpec,
        nodes: &[NodeSpec],
        grounds: &mut [Ground],
        ways: &mut [Vec<Ways>],
    ) -> Result<(), Error> {
        let known = |&(node, port): &(u16, PortIndex)| {
            nodes.get(usize::from(node)).is_some_and(|node| usize::from(port) < node.ports.len())
        };
        if !link.ends.iter().all(known) {
            return Err(Error::Plan(format!("{}: an end is no port of a node", link.name)));
        }
        if link.steady && is_plain(&link.settings) {
            let [a, b] = link.ends.map(|at| (at, interface(nodes, at)));
            let ends = [a, b].map(|((node, port), name)| {
                let config = &nodes[usize::from(node)].ports[usize::from(port)];
                (usize::from(node), config.mac, name)
            });
            self.pair(&wanted(&ends[0], grounds), &wanted(&ends[1], grounds))?;
            let a = self.end(grounds, link.ends[0], &ends[0].2)?;
            let b = self.end(grounds, link.ends[1], &ends[1].2)?;
            way(ways, link.ends[0]).out = Some(self.leg(&a, &b));
            way(ways, link.ends[1]).out = Some(self.leg(&b, &a));
            return Ok(());
        }
        for at in link.ends {
            let name = interface(nodes, at);
            let config = &nodes[usize::from(at.0)].ports[usize::from(at.1)];
            self.made += 1;
            let here = (usize::from(at.0), config.mac, name);
            let middle = format!("wire{}", self.made);
            let in_middle = Wanted { name: &middle, namespace: None, mac: None, mtu: MOST_MTU };
            self.pair(&wanted(&here, grounds), &in_middle)?;
            let socket = self.middle.inside(socket)?;
            let node = self.end(grounds, at, &here.2)?;
            let middle = self.open(socket, &middle)?;
            let way = way(ways, at);
            way.out = Some(self.leg(&node, &middle));
            way.into = Some(self.leg(&middle, &node));
        }
        Ok(())
    }

    fn pair(&self, a: &Wanted<'_>, b: &Wanted<'_>) -> Result<(), Error> {
        self.shared.runtime.block_on(pairs::make(&self.netlink, a, b))
    }

    /// Opens the end of a node's port.
    fn end(
        &mut self,
        grounds: &mut [Ground],
        (node, port): (u16, PortIndex),
        name: &str,
    ) -> Result<Arc<End>, Error> {
        let place = grounds[usize::from(node)].sockets[usize::from(port)].take();
        let socket = place.ok_or_else(|| Error::Plan(format!("{name}: a port takes one link")))?;
        self.open(socket, name)
    }

    fn open(&mut self, socket: OwnedFd, name: &str) -> Result<Arc<End>, Error> {
        let _context = self.shared.runtime.enter();
        let end = Arc::new(End::open(socket, name)?);
        self.ends.0.push(Arc::clone(&end));
        Ok(end)
    }

    fn leg(&mut self, from: &Arc<End>, to: &Arc<End>) -> Leg {
        let leg = Leg { from: Arc::clone(from), to: Arc::clone(to) };
        self.legs.push(leg.clone());
        leg
    }

    /// Proves that every pair carries frames, and starts the clock.
    fn finish(self, sim: Sim, grounds: Vec<Ground>) -> Result<Wire, Error> {
        for leg in self.legs {
            leg.prove(&self.shared.runtime)?;
        }
        let timer = {
            let _context = self.shared.runtime.enter();
            Timer::new()?
        };
        let mut namespaces: Vec<Namespace> =
            grounds.into_iter().map(|ground| ground.namespace).collect();
        namespaces.push(self.middle);
        self.shared.begin();
        Ok(Wire {
            sim,
            shared: self.shared,
            timer,
            kernels: Vec::new(),
            remarks: Vec::new(),
            latest: wire::Duration::ZERO,
            _namespaces: namespaces,
            _ends: self.ends,
        })
    }
}

fn way(ways: &mut [Vec<Ways>], (node, port): (u16, PortIndex)) -> &mut Ways {
    &mut ways[usize::from(node)][usize::from(port)]
}

fn wanted<'a>(
    (node, mac, name): &'a (usize, ::wire::Mac, String),
    grounds: &'a [Ground],
) -> Wanted<'a> {
    let namespace = Some(&grounds[*node].namespace);
    Wanted { name, namespace, mac: Some(*mac), mtu: MOST_MTU }
}

/// The port's name where the kernel takes it for an interface, and one of ours where not.
fn interface(nodes: &[NodeSpec], (node, port): (u16, PortIndex)) -> String {
    let name = &nodes[usize::from(node)].ports[usize::from(port)].name;
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let taken = ["lo", "all", "default", ".", ".."].contains(&name.as_str());
    match !name.is_empty() && name.len() <= 15 && name.chars().all(good) && !taken {
        true => name.clone(),
        false => format!("port{port}"),
    }
}

/// A link that does nothing to frames.
fn is_plain(settings: &LinkChange) -> bool {
    let never = |chance: &Option<Chance>| matches!(chance, None | Some(Chance::Never));
    let none = |time: Option<wire::Duration>| time.is_none_or(|time| time.is_zero());
    none(settings.delay)
        && none(settings.jitter)
        && settings.rate_bps.flatten().is_none()
        && settings.mtu.flatten().is_none()
        && never(&settings.loss)
        && never(&settings.duplicate)
        && never(&settings.reorder)
        && never(&settings.corrupt)
        && settings.up != Some(false)
}

//! Makes a topology: a namespace for each node and one for the wire, a veth pair for each plain
//! link and two for each link that does something to frames, and the sockets between them.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;

use link::{Limits, LinkChange, LinkConfig, Node, NodeId, PortConfig, PortIndex, Sim};
use linux::{Answering, Hook, Kernel, Surroundings, interface_name};
use rtnetlink::Handle;

use crate::behind::{Behind, Shared, Ways};
use crate::clock::Timer;
use crate::end::{self, Arrived, Closing, Ear, End, Leg, MOST_MTU};
use crate::error::{Error, Tried};
use crate::kernel::{self, Namespaced};
use crate::namespace::{Namespace, set_sysctl, unsealed};
use crate::pairs::{self, Wanted};
use crate::parts::{Parts, timed};
use crate::stay::Stay;
use crate::sys;
use crate::wire::Wire;

/// A node to be put on the wire.
pub struct NodeSpec {
    /// Its name.
    pub name: String,
    /// Its ports.
    pub ports: Vec<PortConfig>,
    /// The implementation.
    pub node: Occupant,
}

/// Who stands at a node's place.
pub enum Occupant {
    /// A node of ours.
    Ours(Box<dyn Node>),
    /// The running kernel.
    Kernel(Kernel),
    /// A node that has its own way to the wire, and so no veth pair at its ports.
    Apart {
        /// The node.
        node: Box<dyn Node>,
        /// Sockets that are readable when it has a frame that nobody asked it for.
        readiness: Vec<OwnedFd>,
    },
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
    let mut parts = Parts::default();
    let (mut layer, mut grounds) = timed(&mut parts.namespaces, || {
        let layer = Layer::new(Arc::new(shared))?;
        let ground = |node: &NodeSpec| match &node.node {
            Occupant::Ours(_) | Occupant::Apart { .. } => Ground::quiet(node.ports.len()),
            Occupant::Kernel(kernel) => Ground::kernel(kernel, &layer.shared),
        };
        let grounds: Result<Vec<Ground>, Error> = nodes.iter().map(ground).collect();
        grounds.map(|grounds| (layer, grounds))
    })?;
    layer.parts = parts;
    let mut ways: Vec<Vec<Ways>> =
        nodes.iter().map(|node| node.ports.iter().map(|_| Ways::default()).collect()).collect();
    for link in links {
        layer.lay(link, &nodes, &mut grounds, &mut ways)?;
    }
    let mut sim = Sim::new(seed, limits);
    for ((node, ways), ground) in nodes.into_iter().zip(ways).zip(&mut grounds) {
        let ports: Vec<String> = node.ports.iter().map(|port| port.name.clone()).collect();
        let name = node.name;
        match node.node {
            Occupant::Ours(ours) => {
                let behind = Behind::new(ours, ways, Arc::clone(&layer.shared));
                sim.add_node(&name, Box::new(behind), &ports);
            }
            Occupant::Kernel(kernel) => {
                let running = layer.start(&name, &kernel, &node.ports, ways, ground)?;
                let ends = running.transport().ends();
                let id = sim.add_node(&name, Box::new(running), &ports);
                layer.ears.extend(ends.into_iter().map(|end| (id, Ear::End(end))));
            }
            Occupant::Apart { node, readiness } => {
                let behind = Behind::new(node, ways, Arc::clone(&layer.shared));
                let id = sim.add_node(&name, Box::new(behind), &ports);
                let _context = layer.shared.runtime.enter();
                for socket in readiness {
                    let socket = sys::watch(socket).tried("watch a socket")?;
                    layer.ears.push((id, Ear::Socket(socket)));
                }
            }
        }
    }
    for link in links {
        let [a, b] = link.ends.map(|(node, port)| (NodeId(node), port));
        let told = |error: link::TopologyError| Error::Plan(format!("{}: {error}", link.name));
        let id = sim.connect(a, b, LinkConfig::default()).map_err(told)?;
        sim.change_link(id, None, &link.settings).map_err(told)?;
    }
    layer.finish(sim, grounds)
}

/// A node's namespace, and a packet socket for each port of a node of ours.
struct Ground {
    namespace: Namespace,
    sockets: Vec<Option<OwnedFd>>,
    kernel: Option<Control>,
}

/// How to speak to a kernel node's own network, and what was set there.
struct Control {
    netlink: Handle,
    /// For requests about interfaces. No packet socket: closing one takes ten milliseconds.
    socket: UnixDatagram,
    told: Vec<String>,
}

impl Ground {
    /// A namespace whose kernel says nothing: no IPv6, and no address will be given to it.
    fn quiet(ports: usize) -> Result<Self, Error> {
        let (namespace, sockets) = Namespace::new(|| {
            quieten()?;
            (0..ports).map(|_| socket().map(Some)).collect()
        })?;
        Ok(Self { namespace, sockets, kernel: None })
    }

    /// A namespace whose kernel is to answer, set up as far as it can be without interfaces.
    fn kernel(kernel: &Kernel, shared: &Shared) -> Result<Self, Error> {
        let (namespace, control) = Namespace::new(|| {
            let told = kernel::pin(kernel)?;
            let socket = UnixDatagram::unbound().tried("open a socket")?;
            end::up(socket.as_fd(), "lo")?;
            Ok(Control { netlink: pairs::netlink(&shared.runtime)?, socket, told })
        })?;
        Ok(Self { namespace, sockets: Vec::new(), kernel: Some(control) })
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
    ears: Vec<(NodeId, Ear)>,
    remarks: Vec<String>,
    parts: Parts,
}

impl Layer {
    fn new(shared: Arc<Shared>) -> Result<Self, Error> {
        let (middle, netlink) = Namespace::new(|| {
            quieten()?;
            pairs::netlink(&shared.runtime)
        })?;
        Ok(Self {
            shared,
            middle,
            netlink,
            made: 0,
            legs: Vec::new(),
            ends: Closing::default(),
            ears: Vec::new(),
            remarks: Vec::new(),
            parts: Parts::default(),
        })
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
        let ours = |&(node, _): &(u16, PortIndex)| {
            matches!(nodes[usize::from(node)].node, Occupant::Ours(_))
        };
        if link.steady && link.settings.is_plain() && link.ends.iter().all(ours) {
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
            if matches!(nodes[usize::from(at.0)].node, Occupant::Apart { .. }) {
                continue;
            }
            let name = interface(nodes, at);
            let config = &nodes[usize::from(at.0)].ports[usize::from(at.1)];
            self.made += 1;
            let here = (usize::from(at.0), config.mac, name);
            let middle = format!("wire{}", self.made);
            let in_middle = Wanted { name: &middle, namespace: None, mac: None, mtu: MOST_MTU };
            let outer = wanted(&here, grounds);
            // A kernel goes by its interface's MTU; nodes of ours have none, so theirs hides none.
            let mtu =
                if ours(&at) { MOST_MTU } else { link.settings.mtu.flatten().unwrap_or(1500) };
            self.pair(&Wanted { mtu, ..outer }, &in_middle)?;
            let socket = self.middle.inside(socket)?;
            if let Some(control) = &grounds[here.0].kernel {
                if way(ways, at).kernel.is_some() {
                    return Err(one_link(&here.2));
                }
                timed(&mut self.parts.ends, || {
                    end::plain(control.socket.as_fd(), &here.2)?;
                    end::up(control.socket.as_fd(), &here.2)
                })?;
                let end = self.open(socket, &middle)?;
                end.stamped()?;
                way(ways, at).kernel = Some(end);
                continue;
            }
            let node = self.end(grounds, at, &here.2)?;
            let middle = self.open(socket, &middle)?;
            let way = way(ways, at);
            way.out = Some(self.leg(&node, &middle));
            way.into = Some(self.leg(&middle, &node));
        }
        Ok(())
    }

    fn pair(&mut self, a: &Wanted<'_>, b: &Wanted<'_>) -> Result<(), Error> {
        let Self { shared, netlink, parts, .. } = self;
        timed(&mut parts.pairs, || shared.runtime.block_on(pairs::make(netlink, a, b)))
    }

    /// Opens the end of a node's port.
    fn end(
        &mut self,
        grounds: &mut [Ground],
        at: (u16, PortIndex),
        name: &str,
    ) -> Result<Arc<End>, Error> {
        let socket = take(grounds, at, name)?;
        self.open(socket, name)
    }

    fn open(&mut self, socket: OwnedFd, name: &str) -> Result<Arc<End>, Error> {
        let _context = self.shared.runtime.enter();
        let end = Arc::new(timed(&mut self.parts.ends, || End::open(socket, name))?);
        self.ends.0.push(Arc::clone(&end));
        Ok(end)
    }

    fn leg(&mut self, from: &Arc<End>, to: &Arc<End>) -> Leg {
        let leg = Leg { from: Arc::clone(from), to: Arc::clone(to) };
        self.legs.push(leg.clone());
        leg
    }

    /// Gives a kernel node all that it needs, and waits until it answers.
    fn start(
        &mut self,
        name: &str,
        kernel: &Kernel,
        ports: &[PortConfig],
        ways: Vec<Ways>,
        ground: &mut Ground,
    ) -> Result<Answering<Namespaced>, Error> {
        let none = || Error::Plan(format!("{name} is no kernel node"));
        let Control { netlink, socket, told } = ground.kernel.take().ok_or_else(none)?;
        let port = |(index, (config, way)): (usize, (&PortConfig, Ways))| {
            let (config, name) = (config.clone(), interface_name(config, index));
            // A port without a link has no interface, and nobody asks for its number.
            let index = sys::interface_index(socket.as_fd(), &name).unwrap_or(0) as u32;
            let name = way.kernel.is_some().then_some(name);
            (kernel::Port { config, end: way.kernel, index }, name)
        };
        let (ports, names): (Vec<kernel::Port>, Vec<Option<String>>) =
            ports.iter().zip(ways).enumerate().map(port).unzip();
        let names: Vec<String> = names.into_iter().flatten().collect();
        let linked = ports.iter().enumerate().filter(|(_, port)| port.end.is_some());
        let linked = linked.map(|(number, port)| (number, &port.config));
        let around = Surroundings::of(linked, kernel.default_route);
        let Self { shared, parts, .. } = self;
        let settled = || {
            shared.runtime.block_on(async {
                if kernel.rules.hook == Hook::Bridge {
                    kernel::bridge(&netlink, &ports).await?;
                }
                kernel::settle(&netlink, &ports, &around).await
            })
        };
        timed(&mut parts.addresses, settled)?;
        let ruled = || Ok((kernel::load(&kernel.rules, &names)?, kernel::listen(&kernel.listen)?));
        let (loaded, listening) = timed(&mut parts.rules, || ground.namespace.inside(ruled))?;
        let unsealed = unsealed().into_iter();
        for line in told.into_iter().chain(loaded).chain(unsealed) {
            self.remarks.push(format!("{name}: {line}"));
        }
        let configs = ports.iter().map(|port| port.config.clone()).collect();
        let way = Namespaced {
            ports,
            shared: Arc::clone(&self.shared),
            netlink,
            arrived: Arrived::new(),
            left: VecDeque::new(),
            stay: Stay::default(),
            _listening: listening,
        };
        way.ends().iter().for_each(|end| end.settle());
        let mut running = Answering::new(way, configs, around.known, kernel.default_route);
        timed(&mut self.parts.proof, || running.prove())?;
        Ok(running)
    }

    /// Proves that every pair carries frames, and starts the clock.
    fn finish(mut self, sim: Sim, grounds: Vec<Ground>) -> Result<Wire, Error> {
        let Self { shared, legs, parts, .. } = &mut self;
        let proved = || legs.iter().try_for_each(|leg| leg.prove(&shared.runtime));
        timed(&mut parts.proof, proved)?;
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
            ears: self.ears,
            remarks: self.remarks,
            parts: self.parts,
            latest: wire::Duration::ZERO,
            _namespaces: namespaces,
            _ends: self.ends,
        })
    }
}

/// The socket that was opened for a port.
fn take(
    grounds: &mut [Ground],
    (node, port): (u16, PortIndex),
    name: &str,
) -> Result<OwnedFd, Error> {
    let place = grounds[usize::from(node)].sockets[usize::from(port)].take();
    place.ok_or_else(|| one_link(name))
}

fn one_link(name: &str) -> Error {
    Error::Plan(format!("{name}: a port takes one link"))
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
    interface_name(&nodes[usize::from(node)].ports[usize::from(port)], usize::from(port))
}

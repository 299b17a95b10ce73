//! Makes a topology: a namespace for each node and one for the wire, a veth pair for each plain
//! link and two for each link that does something to frames, and the sockets between them.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;

use link::{Limits, LinkChange, LinkConfig, Node, NodeId, PortConfig, PortIndex, Sim};
use linux::{Hook, Kernel, KernelNode, NetConfig, interface_name};
use rtnetlink::Handle;

use crate::clock::Timer;
use crate::closing::Closing;
use crate::cpu_pin::CpuPin;
use crate::end::{self, Arrived, End, MOST_MTU, PairPath, Readiness};
use crate::error::{Error, Tried};
use crate::kernel::{self, NamespaceIo};
use crate::namespace::{Namespace, set_sysctl, unsealed};
use crate::pairs::{self, Wanted};
use crate::setup_times::{SetupTimes, timed};
use crate::sys;
use crate::veth_node::{PortPaths, Shared, VethNode};
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

/// The implementation of a node.
pub enum Occupant {
    /// An in-process node.
    InProcess(Box<dyn Node>),
    /// The running kernel.
    Kernel(Kernel),
    /// A node with sockets of its own, and so without a veth pair at its ports.
    Remote {
        /// The node.
        node: Box<dyn Node>,
        /// Sockets that are readable when it has an unsolicited frame.
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
    /// The settings do not change during the run.
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
    let mut times = SetupTimes::default();
    let (mut builder, mut namespaces) = timed(&mut times.namespaces, || {
        let builder = Builder::new(Arc::new(shared))?;
        let namespace = |node: &NodeSpec| match &node.node {
            Occupant::InProcess(_) | Occupant::Remote { .. } => {
                NodeNamespace::quiet(node.ports.len())
            }
            Occupant::Kernel(kernel) => NodeNamespace::kernel(kernel, &builder.shared),
        };
        let namespaces: Result<Vec<NodeNamespace>, Error> = nodes.iter().map(namespace).collect();
        namespaces.map(|namespaces| (builder, namespaces))
    })?;
    builder.times = times;
    let mut paths: Vec<Vec<PortPaths>> = nodes
        .iter()
        .map(|node| node.ports.iter().map(|_| PortPaths::default()).collect())
        .collect();
    for link in links {
        builder.lay(link, &nodes, &mut namespaces, &mut paths)?;
    }
    let mut sim = Sim::new(seed, limits);
    for ((node, paths), namespace) in nodes.into_iter().zip(paths).zip(&mut namespaces) {
        let ports: Vec<String> = node.ports.iter().map(|port| port.name.clone()).collect();
        let name = node.name;
        match node.node {
            Occupant::InProcess(ours) => {
                let node = VethNode::new(ours, paths, Arc::clone(&builder.shared));
                sim.add_node(&name, Box::new(node), &ports);
            }
            Occupant::Kernel(kernel) => {
                let running = builder.start(&name, &kernel, &node.ports, paths, namespace)?;
                let ends = running.io().ends();
                let id = sim.add_node(&name, Box::new(running), &ports);
                builder.readiness.extend(ends.into_iter().map(|end| (id, Readiness::End(end))));
            }
            Occupant::Remote { node, readiness } => {
                let node = VethNode::new(node, paths, Arc::clone(&builder.shared));
                let id = sim.add_node(&name, Box::new(node), &ports);
                let _context = builder.shared.runtime.enter();
                for socket in readiness {
                    let socket = sys::watch(socket).tried("watch a socket")?;
                    builder.readiness.push((id, Readiness::Socket(socket)));
                }
            }
        }
    }
    for link in links {
        let [a, b] = link.ends.map(|(node, port)| (NodeId(node), port));
        let plan = |error: link::TopologyError| Error::Plan(format!("{}: {error}", link.name));
        let id = sim.connect(a, b, LinkConfig::default()).map_err(plan)?;
        sim.change_link(id, None, &link.settings).map_err(plan)?;
    }
    builder.finish(sim, namespaces)
}

/// A node's namespace, and a packet socket for each port of a node of ours.
struct NodeNamespace {
    net: Namespace,
    sockets: Vec<Option<OwnedFd>>,
    kernel: Option<Control>,
}

/// Sockets for requests in a kernel node's namespace, and the settings made there.
struct Control {
    netlink: Handle,
    /// For requests about interfaces. No packet socket: closing one takes ten milliseconds.
    socket: UnixDatagram,
    set: Vec<String>,
}

impl NodeNamespace {
    /// A namespace whose kernel transmits nothing: no IPv6, and it will have no address.
    fn quiet(ports: usize) -> Result<Self, Error> {
        let (net, sockets) = Namespace::new(|| {
            quieten()?;
            (0..ports).map(|_| socket().map(Some)).collect()
        })?;
        Ok(Self { net, sockets, kernel: None })
    }

    /// A namespace whose kernel is to answer, set up as far as it can be without interfaces.
    fn kernel(kernel: &Kernel, shared: &Shared) -> Result<Self, Error> {
        let (net, control) = Namespace::new(|| {
            let set = kernel::pin(kernel)?;
            let socket = UnixDatagram::unbound().tried("open a socket")?;
            end::up(socket.as_fd(), "lo")?;
            Ok(Control { netlink: pairs::netlink(&shared.runtime)?, socket, set })
        })?;
        Ok(Self { net, sockets: Vec::new(), kernel: Some(control) })
    }
}

fn socket() -> Result<OwnedFd, Error> {
    sys::packet_socket().tried("open a packet socket")
}

/// Without this the kernel transmits six IPv6 frames within four seconds of a link's coming up.
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

/// Makes the pairs of links and starts kernel nodes.
struct Builder {
    shared: Arc<Shared>,
    /// Where the ends lie between which a link does something to frames.
    middle: Namespace,
    netlink: Handle,
    /// Ends made in the middle so far.
    made: usize,
    paths: Vec<PairPath>,
    ends: Closing,
    readiness: Vec<(NodeId, Readiness)>,
    remarks: Vec<String>,
    times: SetupTimes,
}

impl Builder {
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
            paths: Vec::new(),
            ends: Closing::default(),
            readiness: Vec::new(),
            remarks: Vec::new(),
            times: SetupTimes::default(),
        })
    }

    fn lay(
        &mut self,
        link: &LinkSpec,
        nodes: &[NodeSpec],
        namespaces: &mut [NodeNamespace],
        paths: &mut [Vec<PortPaths>],
    ) -> Result<(), Error> {
        let known = |&(node, port): &(u16, PortIndex)| {
            nodes.get(usize::from(node)).is_some_and(|node| usize::from(port) < node.ports.len())
        };
        if !link.ends.iter().all(known) {
            return Err(Error::Plan(format!("{}: an end is no port of a node", link.name)));
        }
        let ours = |&(node, _): &(u16, PortIndex)| {
            matches!(nodes[usize::from(node)].node, Occupant::InProcess(_))
        };
        if link.steady && link.settings.is_plain() && link.ends.iter().all(ours) {
            let [a, b] = link.ends.map(|at| (at, interface(nodes, at)));
            let ends = [a, b].map(|((node, port), name)| {
                let config = &nodes[usize::from(node)].ports[usize::from(port)];
                (usize::from(node), config.mac, name)
            });
            self.pair(&wanted(&ends[0], namespaces), &wanted(&ends[1], namespaces))?;
            let a = self.end(namespaces, link.ends[0], &ends[0].2)?;
            let b = self.end(namespaces, link.ends[1], &ends[1].2)?;
            way(paths, link.ends[0]).out = Some(self.path(&a, &b));
            way(paths, link.ends[1]).out = Some(self.path(&b, &a));
            return Ok(());
        }
        for at in link.ends {
            if matches!(nodes[usize::from(at.0)].node, Occupant::Remote { .. }) {
                continue;
            }
            let name = interface(nodes, at);
            let config = &nodes[usize::from(at.0)].ports[usize::from(at.1)];
            self.made += 1;
            let here = (usize::from(at.0), config.mac, name);
            let middle = format!("wire{}", self.made);
            let in_middle = Wanted { name: &middle, namespace: None, mac: None, mtu: MOST_MTU };
            let outer = wanted(&here, namespaces);
            // A kernel goes by its interface's MTU; nodes of ours have none, so theirs hides none.
            let mtu =
                if ours(&at) { MOST_MTU } else { link.settings.mtu.flatten().unwrap_or(1500) };
            self.pair(&Wanted { mtu, ..outer }, &in_middle)?;
            let socket = self.middle.inside(socket)?;
            if let Some(control) = &namespaces[here.0].kernel {
                if way(paths, at).kernel.is_some() {
                    return Err(one_link(&here.2));
                }
                timed(&mut self.times.ends, || {
                    end::plain(control.socket.as_fd(), &here.2)?;
                    end::up(control.socket.as_fd(), &here.2)
                })?;
                let end = self.open(socket, &middle)?;
                end.stamped()?;
                way(paths, at).kernel = Some(end);
                continue;
            }
            let node = self.end(namespaces, at, &here.2)?;
            let middle = self.open(socket, &middle)?;
            let way = way(paths, at);
            way.out = Some(self.path(&node, &middle));
            way.into = Some(self.path(&middle, &node));
        }
        Ok(())
    }

    fn pair(&mut self, a: &Wanted<'_>, b: &Wanted<'_>) -> Result<(), Error> {
        let Self { shared, netlink, times, .. } = self;
        timed(&mut times.pairs, || shared.runtime.block_on(pairs::make(netlink, a, b)))
    }

    /// Opens the end of a node's port.
    fn end(
        &mut self,
        namespaces: &mut [NodeNamespace],
        at: (u16, PortIndex),
        name: &str,
    ) -> Result<Arc<End>, Error> {
        let socket = take(namespaces, at, name)?;
        self.open(socket, name)
    }

    fn open(&mut self, socket: OwnedFd, name: &str) -> Result<Arc<End>, Error> {
        let _context = self.shared.runtime.enter();
        let end = Arc::new(timed(&mut self.times.ends, || End::open(socket, name))?);
        self.ends.0.push(Arc::clone(&end));
        Ok(end)
    }

    fn path(&mut self, from: &Arc<End>, to: &Arc<End>) -> PairPath {
        let path = PairPath { from: Arc::clone(from), to: Arc::clone(to) };
        self.paths.push(path.clone());
        path
    }

    /// Gives a kernel node all that it needs, and waits until it answers.
    fn start(
        &mut self,
        name: &str,
        kernel: &Kernel,
        ports: &[PortConfig],
        paths: Vec<PortPaths>,
        namespace: &mut NodeNamespace,
    ) -> Result<KernelNode<NamespaceIo>, Error> {
        let none = || Error::Plan(format!("{name} is no kernel node"));
        let Control { netlink, socket, set } = namespace.kernel.take().ok_or_else(none)?;
        let port = |(index, (config, way)): (usize, (&PortConfig, PortPaths))| {
            let (config, name) = (config.clone(), interface_name(config, index));
            // A port without a link has no interface, and nobody asks for its number.
            let index = sys::interface_index(socket.as_fd(), &name).unwrap_or(0) as u32;
            let name = way.kernel.is_some().then_some(name);
            (kernel::Port { config, end: way.kernel, index }, name)
        };
        let (ports, names): (Vec<kernel::Port>, Vec<Option<String>>) =
            ports.iter().zip(paths).enumerate().map(port).unzip();
        let names: Vec<String> = names.into_iter().flatten().collect();
        let linked = ports.iter().enumerate().filter(|(_, port)| port.end.is_some());
        let linked = linked.map(|(number, port)| (number, &port.config));
        let net = NetConfig::of(linked, kernel.default_route);
        let Self { shared, times, .. } = self;
        let configure = || {
            shared.runtime.block_on(async {
                if kernel.rules.hook == Hook::Bridge {
                    kernel::bridge(&netlink, &ports).await?;
                }
                kernel::configure(&netlink, &ports, &net).await
            })
        };
        timed(&mut times.addresses, configure)?;
        let ruled = || Ok((kernel::load(&kernel.rules, &names)?, kernel::listen(&kernel.listen)?));
        let (loaded, listening) = timed(&mut times.rules, || namespace.net.inside(ruled))?;
        let unsealed = unsealed().into_iter();
        for line in set.into_iter().chain(loaded).chain(unsealed) {
            self.remarks.push(format!("{name}: {line}"));
        }
        let configs = ports.iter().map(|port| port.config.clone()).collect();
        let io = NamespaceIo {
            ports,
            shared: Arc::clone(&self.shared),
            netlink,
            arrived: Arrived::new(),
            left: VecDeque::new(),
            pin: CpuPin::default(),
            _listening: listening,
        };
        io.ends().iter().for_each(|end| end.settle());
        let mut running = KernelNode::new(io, configs, net.known, kernel.default_route);
        timed(&mut self.times.proof, || running.wait_ready())?;
        Ok(running)
    }

    /// Proves that every pair carries frames, and starts the clock.
    fn finish(mut self, sim: Sim, namespaces: Vec<NodeNamespace>) -> Result<Wire, Error> {
        let Self { shared, paths, times, .. } = &mut self;
        let proved = || paths.iter().try_for_each(|path| path.wait_ready(&shared.runtime));
        timed(&mut times.proof, proved)?;
        let timer = {
            let _context = self.shared.runtime.enter();
            Timer::new()?
        };
        let mut namespaces: Vec<Namespace> =
            namespaces.into_iter().map(|namespace| namespace.net).collect();
        namespaces.push(self.middle);
        self.shared.begin();
        Ok(Wire {
            sim,
            shared: self.shared,
            timer,
            readiness: self.readiness,
            remarks: self.remarks,
            times: self.times,
            latest: wire::Duration::ZERO,
            _namespaces: namespaces,
            _ends: self.ends,
        })
    }
}

/// The socket that was opened for a port.
fn take(
    namespaces: &mut [NodeNamespace],
    (node, port): (u16, PortIndex),
    name: &str,
) -> Result<OwnedFd, Error> {
    let place = namespaces[usize::from(node)].sockets[usize::from(port)].take();
    place.ok_or_else(|| one_link(name))
}

fn one_link(name: &str) -> Error {
    Error::Plan(format!("{name}: a port takes one link"))
}

fn way(paths: &mut [Vec<PortPaths>], (node, port): (u16, PortIndex)) -> &mut PortPaths {
    &mut paths[usize::from(node)][usize::from(port)]
}

fn wanted<'a>(
    (node, mac, name): &'a (usize, ::wire::Mac, String),
    namespaces: &'a [NodeNamespace],
) -> Wanted<'a> {
    let namespace = Some(&namespaces[*node].net);
    Wanted { name, namespace, mac: Some(*mac), mtu: MOST_MTU }
}

/// The port's name where the kernel takes it for an interface, and one of ours where not.
fn interface(nodes: &[NodeSpec], (node, port): (u16, PortIndex)) -> String {
    interface_name(&nodes[usize::from(node)].ports[usize::from(port)], usize::from(port))
}

//! The running kernel as a node: a namespace whose own stack answers, at the other end of its veth
//! pairs. Its configuration comes from the crate `linux`; it is applied here. Knows no scenario.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt;
use link::PortConfig;
use linux::{FrameIo, Kernel, Neighbour, NetConfig, Rules, barrier};
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags};
use rtnetlink::packet_route::link::{InfoBridge, InfoData};
use rtnetlink::packet_route::route::RouteType;
use rtnetlink::{Handle, LinkBridge, LinkUnspec, RouteMessageBuilder};
use wire::{Duration, Instant, Mac};

use crate::clock::Pauses;
use crate::cpu_pin::CpuPin;
use crate::end::{Arrived, End};
use crate::error::{Error, Tried};
use crate::namespace::set_sysctl;
use crate::program;
use crate::veth_node::Shared;

/// One port of a kernel node.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) config: PortConfig,
    /// The other end of its pair; `None` where it has no link.
    pub(crate) end: Option<Arc<End>>,
    /// Its interface's number in the namespace.
    pub(crate) index: u32,
}

/// Frame I/O with a kernel in a namespace.
pub(crate) struct NamespaceIo {
    pub(crate) ports: Vec<Port>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) netlink: Handle,
    pub(crate) arrived: Arrived,
    /// When the queued frames left the kernel.
    pub(crate) left: VecDeque<Instant>,
    /// Pinned from a frame on until its replies are received.
    pub(crate) pin: CpuPin,
    pub(crate) _listening: Vec<TcpListener>,
}

impl NamespaceIo {
    /// The ends opposite its ports.
    pub(crate) fn ends(&self) -> Vec<Arc<End>> {
        self.ports.iter().filter_map(|port| port.end.clone()).collect()
    }

    fn end(&self, port: usize) -> Result<&End, Error> {
        let end = self.ports.get(port).and_then(|port| port.end.as_deref());
        end.ok_or_else(|| Error::Plan(format!("port {port} of a kernel node has no link")))
    }
}

impl FrameIo for NamespaceIo {
    type Error = Error;

    /// A frame is carried within the call that sends it.
    const IN_ORDER: bool = true;

    fn is_linked(&self, port: usize) -> bool {
        self.ports.get(port).is_some_and(|port| port.end.is_some())
    }

    fn send(&mut self, port: usize, frame: &[u8]) -> Result<(), Error> {
        self.pin.begin();
        self.end(port)?.send(frame)
    }

    fn take(&mut self, port: usize) -> Result<Option<&[u8]>, Error> {
        let end = self.ports.get(port).and_then(|port| port.end.as_deref());
        let Some(end) = end else { return Ok(None) };
        let came = end.take(&mut self.arrived).tried(format!("receive on {}", end.name))?;
        if !came {
            self.pin.end();
        }
        Ok(came.then(|| self.arrived.frame()))
    }

    fn wait(&mut self, port: usize) -> Result<Option<&[u8]>, Error> {
        let end = self.ports.get(port).and_then(|port| port.end.as_deref());
        let Some(end) = end else { return Ok(None) };
        let came = end.wait(&self.shared.runtime, &mut self.arrived);
        let came = came.tried(format!("receive on {}", end.name))?;
        Ok(came.then(|| self.arrived.frame()))
    }

    fn pause(&mut self, time: Duration) {
        // A sleep looks for its runtime when it is made, so it is made inside.
        self.shared.runtime.block_on(async { tokio::time::sleep(time).await });
    }

    fn add_static_neighbour(&mut self, port: usize, address: IpAddr, mac: Mac) {
        let added = neighbour(&self.netlink, self.ports[port].index, address, mac);
        let _ = self.shared.runtime.block_on(added);
    }

    fn timeout_error(&self, port: usize) -> Error {
        let name = self.end(port).map_or("a port without a link", |end| end.name.as_str());
        Error::Late(format!("the kernel behind {name} did not answer in time"))
    }

    fn on_received(&mut self) {
        self.left.push_back(self.shared.at(self.arrived.stamp()));
    }

    fn on_transmitted(&mut self) {
        match self.left.pop_front() {
            Some(time) => self.shared.emits_at(time),
            None => self.shared.emits(),
        }
    }
}

/// Pins the settings of the calling thread's namespace, in which no interface is yet; what was
/// set, for a reader.
pub(crate) fn pin(kernel: &Kernel) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    for setting in kernel.settings() {
        let file = setting.file();
        let there = setting.must || Path::new("/proc/sys").join(&file).exists();
        let set = if there { set_sysctl(&file, setting.value).map(|()| true) } else { Ok(false) };
        lines.push(match set {
            Ok(true) => setting.line(),
            Err(error) if setting.must => return Err(error),
            _ => setting.line_missing(),
        });
    }
    Ok(lines)
}

/// Opens the ports that accept, in the calling thread's namespace.
pub(crate) fn listen(ports: &[u16]) -> Result<Vec<TcpListener>, Error> {
    let open = |port: &u16| {
        let all = SocketAddr::from(([0_u16; 8], *port));
        TcpListener::bind(all).tried(format!("listen on port {port}"))
    };
    ports.iter().map(open).collect()
}

/// Loads rules into the calling thread's namespace; what was loaded, for a reader.
pub(crate) fn load(rules: &Rules, interfaces: &[String]) -> Result<Vec<String>, Error> {
    let mut loaded = Vec::new();
    for load in rules.loads(interfaces).map_err(|unfit| Error::Plan(unfit.to_string()))? {
        for program in load.programs {
            program::feed(program, &load)?;
        }
        loaded.extend(load.shown_lines());
    }
    Ok(loaded)
}

/// Joins the node's ports by a bridge that forwards every frame at once and transmits none of its
/// own.
pub(crate) async fn bridge(netlink: &Handle, ports: &[Port]) -> Result<(), Error> {
    let taken = |name: &str| ports.iter().any(|port| port.config.name == name);
    let mut names = (0..=ports.len()).map(|number| format!("bridge{number}"));
    let name = names.find(|name| !taken(name)).unwrap_or_else(|| "bridge".to_owned());
    // It filters no VLANs where nobody asks it to, and not every kernel lets itself be asked.
    let options = vec![InfoBridge::ForwardDelay(0), InfoBridge::MulticastSnooping(false)];
    let request = LinkBridge::new(&name).set_info_data(InfoData::Bridge(options)).build();
    netlink.link().add(request).execute().await.tried("make a bridge")?;
    let asked = netlink.link().get().match_name(name).execute();
    let bridge = std::pin::pin!(asked).try_next().await.tried("ask for the bridge")?;
    let index = bridge.map_or(0, |bridge| bridge.header.index);
    for port in ports.iter().filter(|port| port.end.is_some()) {
        let joined = LinkUnspec::new_with_index(port.index).controller(index).build();
        let context = || format!("join {} to the bridge", port.config.name);
        netlink.link().set(joined).execute().await.tried(context())?;
    }
    Ok(())
}

/// Gives the node its addresses, neighbours and default route.
pub(crate) async fn configure(
    netlink: &Handle,
    ports: &[Port],
    net: &NetConfig,
) -> Result<(), Error> {
    let loopback = netlink.address().add(1, IpAddr::V4(Ipv4Addr::from(barrier::ADDRESS)), 32);
    loopback.execute().await.tried("give the barrier its address")?;
    for (port, own) in &net.addresses {
        let Port { config, index, .. } = &ports[*port];
        let mut request = netlink.address().add(*index, own.ip, own.prefix);
        if own.ip.is_ipv6() {
            let flags = AddressAttribute::Flags(AddressFlags::Nodad);
            request.message_mut().attributes.push(flags);
        }
        request.execute().await.tried(format!("give {} its address {}", config.name, own.ip))?;
    }
    for (_, own) in &net.addresses {
        if let IpAddr::V6(ip) = own.ip {
            is_own(netlink, ip).await?;
        }
    }
    for Neighbour { port, address, mac } in &net.neighbours {
        let context = format!("add the neighbour {address}");
        neighbour(netlink, ports[*port].index, *address, *mac).await.tried(context)?;
    }
    if let Some(port) = net.default_route {
        let index = ports[port].index;
        let ip4 = RouteMessageBuilder::<Ipv4Addr>::new().output_interface(index);
        let ip6 = RouteMessageBuilder::<Ipv6Addr>::new().output_interface(index);
        for route in [ip4.build(), ip6.build()] {
            netlink.route().add(route).execute().await.tried("set the default route")?;
        }
    }
    Ok(())
}

/// Returns when the kernel takes an IPv6 address for its own: a worker adds the
/// local route after the request is answered, and the kernel drops frames that arrive before it.
async fn is_own(netlink: &Handle, ip: Ipv6Addr) -> Result<(), Error> {
    let mut pauses = Pauses::new();
    loop {
        let asked = RouteMessageBuilder::<Ipv6Addr>::new().destination_prefix(ip, 128).build();
        let mut routes = std::pin::pin!(netlink.route().get(asked).execute());
        let route = routes.try_next().await.tried(format!("ask for the route to {ip}"))?;
        if route.is_some_and(|route| route.header.kind == RouteType::Local) {
            return Ok(());
        }
        if !pauses.pause().await {
            return Err(Error::Late(format!("the kernel does not take {ip} for its own")));
        }
    }
}

/// Adds a permanent neighbour entry.
async fn neighbour(
    netlink: &Handle,
    index: u32,
    address: IpAddr,
    mac: Mac,
) -> Result<(), rtnetlink::Error> {
    netlink.neighbours().add(index, address).link_layer_address(&mac.0).replace().execute().await
}

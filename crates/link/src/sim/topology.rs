//! What a run is made of: nodes, their ports and the links between them.

use wire::{LinkChange, LinkConfig, PortId};

use super::{Sim, Slot};
use crate::config::Direction;
use crate::error::{LinkId, NodeId, TopologyError};
use crate::net::{Home, Port};
use crate::node::{Node, PortIndex};

impl Sim {
    /// Adds a node with its ports, which become the capture's interfaces `node:port`.
    ///
    /// # Panics
    /// After 65,536 nodes or ports.
    pub fn add_node(&mut self, name: &str, node: Box<dyn Node>, ports: &[String]) -> NodeId {
        let id = NodeId(u16::try_from(self.nodes.len()).expect("at most 65,536 nodes"));
        let first_port = u16::try_from(self.net.ports.len()).expect("at most 65,536 ports");
        for (index, port) in (0..).zip(ports) {
            self.net.capture.add_interface(format!("{name}:{port}"));
            self.net.ports.push(Port { node: id, index, lane: None });
        }
        let home = Home { node: id, first_port, ports: ports.len() as u16 };
        let remote = node.is_remote();
        if remote {
            self.remotes.add(id);
        }
        self.nodes.push(Slot { name: name.to_owned(), node, home, dead: false, remote });
        self.timers.grow(self.nodes.len());
        let wish = self.guarded(id, |slot, _| slot.node.poll_timeout());
        self.arm(id, wish.flatten());
        id
    }

    /// Joins two ports with a link that treats both directions alike.
    ///
    /// # Errors
    /// When a port is not there or has a link, both are the same, or the rate is zero.
    pub fn connect(
        &mut self,
        a: (NodeId, PortIndex),
        b: (NodeId, PortIndex),
        config: LinkConfig,
    ) -> Result<LinkId, TopologyError> {
        let (from, to) = (self.free_port(a)?, self.free_port(b)?);
        if from == to {
            return Err(TopologyError::SamePort(a.0, a.1));
        }
        if config.rate_bps == Some(0) {
            return Err(TopologyError::ZeroRate);
        }
        if self.net.lanes.len() + 2 > usize::from(u16::MAX) {
            return Err(TopologyError::TooManyLinks);
        }
        let link = LinkId((self.net.lanes.len() / 2) as u16);
        self.net.add_lane(link, from, to, config.clone());
        self.net.add_lane(link, to, from, config);
        Ok(link)
    }

    fn free_port(&self, (node, port): (NodeId, PortIndex)) -> Result<PortId, TopologyError> {
        if usize::from(node.0) >= self.nodes.len() {
            return Err(TopologyError::UnknownNode(node));
        }
        let id = self.port_id(node, port).ok_or(TopologyError::UnknownPort(node, port))?;
        match self.net.ports[usize::from(id.0)].lane {
            None => Ok(id),
            Some(_) => Err(TopologyError::PortTaken(node, port)),
        }
    }

    /// Changes a link from now on, in one direction or, without one, in both.
    ///
    /// # Errors
    /// When there is no such link, or the rate is zero; nothing is changed then.
    pub fn change_link(
        &mut self,
        link: LinkId,
        direction: Option<Direction>,
        change: &LinkChange,
    ) -> Result<(), TopologyError> {
        let first = usize::from(link.0) * 2;
        if first >= self.net.lanes.len() {
            return Err(TopologyError::UnknownLink(link));
        }
        if change.rate_bps == Some(Some(0)) {
            return Err(TopologyError::ZeroRate);
        }
        let lanes = match direction {
            None => first..first + 2,
            Some(Direction::AToB) => first..first + 1,
            Some(Direction::BToA) => first + 1..first + 2,
        };
        for lane in lanes {
            if self.net.lanes[lane].change(self.net.now, change) {
                self.net.cut(lane as u16);
            }
        }
        Ok(())
    }

    /// The name of a node; `?` for one that is not there.
    #[must_use]
    pub fn node_name(&self, node: NodeId) -> &str {
        self.nodes.get(usize::from(node.0)).map_or("?", |slot| &slot.name)
    }

    /// The run's number, and the capture's interface, of a node's port.
    #[must_use]
    pub fn port_id(&self, node: NodeId, port: PortIndex) -> Option<PortId> {
        let slot = self.nodes.get(usize::from(node.0))?;
        (port < slot.home.ports).then(|| PortId(slot.home.first_port + port))
    }

    /// The node that a port belongs to, and its place there.
    #[must_use]
    pub fn port_owner(&self, port: PortId) -> Option<(NodeId, PortIndex)> {
        self.net.ports.get(usize::from(port.0)).map(|port| (port.node, port.index))
    }
}

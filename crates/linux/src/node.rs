//! A Linux kernel as a node. After each frame the node sends an ARP request as a barrier. The
//! kernel handles the frames of a port in order, so when the barrier's reply arrives, every reply
//! to the frame has arrived too: silence is proved without a timeout. Carries no frame itself; that
//! is what [`FrameIo`] is for.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use link::{Command, CommandError, Fault, Node, Outbox, PortConfig, PortIndex, Transmit};
use wire::{Duration, Instant, Mac};

use crate::barrier;

/// The timeout of [`KernelNode::wait_ready`]; links come up late on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Frame I/O with a kernel, by port number.
pub trait FrameIo: Send {
    /// An error of the I/O; the node reports it as a fault.
    type Error: Into<Fault>;

    /// Frames of different ports are received in the order in which the kernel transmitted them.
    /// Otherwise a barrier is sent to every port after a frame, not only to the frame's own port.
    const IN_ORDER: bool;

    /// The port has a link.
    fn is_linked(&self, port: usize) -> bool;

    /// Sends a frame into a port.
    ///
    /// # Errors
    /// When the frame is not taken.
    fn send(&mut self, port: usize, frame: &[u8]) -> Result<(), Self::Error>;

    /// A frame that a port has transmitted already, borrowed until the next call.
    ///
    /// # Errors
    /// When the I/O fails.
    fn take(&mut self, port: usize) -> Result<Option<&[u8]>, Self::Error>;

    /// The next frame that a port transmits; `None` after a timeout.
    ///
    /// # Errors
    /// When the I/O fails.
    fn wait(&mut self, port: usize) -> Result<Option<&[u8]>, Self::Error>;

    /// Lets the kernel work for a while.
    fn pause(&mut self, time: Duration);

    /// Adds a permanent neighbour entry. The kernel refuses an address that no neighbour can have,
    /// such as a broadcast address; that is no error.
    fn add_static_neighbour(&mut self, port: usize, address: IpAddr, mac: Mac);

    /// The error for a port whose kernel did not answer a barrier in time.
    fn timeout_error(&self, port: usize) -> Self::Error;

    /// The node queues the frame that was borrowed last for transmission.
    fn on_received(&mut self) {}

    /// The node transmits the oldest frame that it has queued.
    fn on_transmitted(&mut self) {}
}

/// A kernel as a node.
#[derive(Debug)]
pub struct KernelNode<T> {
    io: T,
    ports: Vec<PortConfig>,
    known: BTreeSet<IpAddr>,
    default_route: bool,
    out: Outbox,
    barriers: u32,
    ignored: u64,
    /// The first fault. Later ones follow from it and would hide it.
    fault: Option<Fault>,
}

impl<T: FrameIo> KernelNode<T> {
    /// A kernel behind frame I/O, configured by a [`NetConfig`](crate::NetConfig) with these known
    /// addresses. With `default_route` sources outside its subnets become neighbours too.
    pub fn new(
        io: T,
        ports: Vec<PortConfig>,
        known: BTreeSet<IpAddr>,
        default_route: bool,
    ) -> Self {
        let out = Outbox::new();
        Self { io, ports, known, default_route, out, barriers: 0, ignored: 0, fault: None }
    }

    /// The frame I/O with the kernel.
    pub fn io(&self) -> &T {
        &self.io
    }

    /// The frame I/O with the kernel.
    pub fn io_mut(&mut self) -> &mut T {
        &mut self.io
    }

    /// Waits until the kernel answers on every port, and discards what it transmitted until then.
    ///
    /// # Errors
    /// When it does not answer, or the I/O fails.
    pub fn wait_ready(&mut self) -> Result<(), T::Error> {
        for port in 0..self.ports.len() {
            if !self.io.is_linked(port) {
                continue;
            }
            let (mut pause, mut waited) = (Duration::from_micros(50), Duration::ZERO);
            while !self.try_barrier(port)? {
                if waited > TIMEOUT {
                    return Err(self.io.timeout_error(port));
                }
                self.io.pause(pause);
                waited += pause;
                pause = (pause * 2).min(Duration::from_millis(20));
            }
        }
        while self.out.pop().is_some() {}
        Ok(())
    }

    /// Sends a barrier; true when the kernel answers barriers, and has answered all of them.
    fn try_barrier(&mut self, port: usize) -> Result<bool, T::Error> {
        self.barriers += 1;
        let probe = barrier::probe(self.ports[port].mac, self.barriers);
        if self.io.send(port, &probe).is_err() {
            return Ok(false);
        }
        let mut answers = false;
        while let Some(frame) = self.io.take(port)? {
            if barrier::is_answer(frame, self.barriers) {
                return Ok(true);
            }
            answers |= barrier::is_any_answer(frame);
        }
        // With slow I/O the reply to an earlier barrier comes first, and proves as much.
        if answers {
            self.barrier(port)?;
        }
        Ok(answers)
    }

    /// Sends a barrier and returns when the kernel has handled all that was sent to this port. What
    /// it transmitted until then is queued.
    ///
    /// # Errors
    /// When it does not answer, or the I/O fails.
    pub fn barrier(&mut self, port: usize) -> Result<(), T::Error> {
        self.barriers += 1;
        let probe = barrier::probe(self.ports[port].mac, self.barriers);
        self.io.send(port, &probe)?;
        loop {
            let Some(frame) = self.io.wait(port)? else {
                return Err(self.io.timeout_error(port));
            };
            if barrier::is_answer(frame, self.barriers) {
                return Ok(());
            }
            if queue(&mut self.out, &mut self.ignored, port, frame) {
                self.io.on_received();
            }
        }
    }

    /// Receives what the kernel has transmitted on all ports; the number of frames queued.
    ///
    /// # Errors
    /// When the I/O fails.
    pub fn poll(&mut self) -> Result<usize, T::Error> {
        let mut queued = 0;
        for port in 0..self.ports.len() {
            if !self.io.is_linked(port) {
                continue;
            }
            while let Some(frame) = self.io.take(port)? {
                if queue(&mut self.out, &mut self.ignored, port, frame) {
                    self.io.on_received();
                    queued += 1;
                }
            }
        }
        Ok(queued)
    }

    /// Sends the kernel a frame and receives its replies; a port without a link drops the frame.
    ///
    /// # Errors
    /// When it does not take the frame or does not answer the barrier.
    pub fn receive(&mut self, port: usize, frame: &[u8]) -> Result<(), T::Error> {
        if port >= self.ports.len() || !self.io.is_linked(port) {
            return Ok(());
        }
        self.learn_source(port, frame);
        self.io.send(port, frame)?;
        self.settle(port)
    }

    /// Receives all replies of the kernel to what was sent to this port.
    ///
    /// # Errors
    /// When it does not answer the barrier.
    pub fn settle(&mut self, port: usize) -> Result<(), T::Error> {
        self.barrier(port)?;
        let others = (0..self.ports.len()).filter(|other| *other != port && !T::IN_ORDER);
        for other in others {
            if self.io.is_linked(other) {
                self.barrier(other)?;
            }
        }
        self.poll().map(drop)
    }

    /// Keeps the first error for [`Node::poll_fault`].
    pub fn fails(&mut self, error: T::Error) {
        self.fault.get_or_insert_with(|| error.into());
    }

    /// Adds the source of a frame to the kernel's neighbours, so that it sends no ARP request.
    fn learn_source(&mut self, port: usize, frame: &[u8]) {
        let Some(source) = source(frame).filter(|source| !self.known.contains(source)) else {
            return;
        };
        let config = &self.ports[port];
        let near = config.addresses.iter().any(|own| own.contains(source));
        let written = frame.get(6..12).and_then(|mac| mac.try_into().ok()).map(Mac);
        let mac = config.peer.as_ref().map(|peer| peer.mac).or(written);
        if let Some(mac) = mac.filter(|_| near || self.default_route) {
            self.known.insert(source);
            self.io.add_static_neighbour(port, source, mac);
        }
    }
}

/// Queues a frame, unless it is one that a kernel transmits whenever an interface comes up.
fn queue(out: &mut Outbox, ignored: &mut u64, port: usize, frame: &[u8]) -> bool {
    let ignore = barrier::is_ignored(frame);
    if ignore {
        *ignored += 1;
    } else {
        out.push(port as PortIndex, frame);
    }
    !ignore
}

/// The source of an IP packet, behind at most one VLAN tag.
fn source(frame: &[u8]) -> Option<IpAddr> {
    let at = if frame.get(12..14) == Some(&[0x81, 0x00]) { 18 } else { 14 };
    match frame.get(at - 2..at)? {
        [0x08, 0x00] => {
            let bytes: [u8; 4] = frame.get(at + 12..at + 16)?.try_into().ok()?;
            Some(IpAddr::V4(Ipv4Addr::from(bytes)))
        }
        [0x86, 0xdd] => {
            let bytes: [u8; 16] = frame.get(at + 8..at + 24)?.try_into().ok()?;
            Some(IpAddr::V6(Ipv6Addr::from(bytes)))
        }
        _ => None,
    }
}

impl<T: FrameIo> Node for KernelNode<T> {
    fn handle_frame(&mut self, _: Instant, port: PortIndex, frame: &[u8]) {
        // A fault ends the run; until then each frame would wait for the timeout.
        if self.fault.is_none()
            && let Err(error) = self.receive(usize::from(port), frame)
        {
            self.fails(error);
        }
    }

    fn handle_timeout(&mut self, _: Instant) {
        if let Err(error) = self.poll() {
            self.fails(error);
        }
    }

    fn handle_command(&mut self, _: Instant, _: &Command) -> Result<(), CommandError> {
        let text = "a kernel takes no commands: what it emits is its answer to frames";
        Err(CommandError(text.to_owned()))
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        let out = self.out.pop()?;
        self.io.on_transmitted();
        Some(out)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn poll_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        vec![("IGMP/MLD reports ignored".into(), self.ignored)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// A kernel that echoes frames and answers barriers.
    #[derive(Default)]
    struct Echo {
        sent: VecDeque<Vec<u8>>,
        lent: Vec<u8>,
        neighbours: Vec<(IpAddr, Mac)>,
        mute: bool,
    }

    /// The error of a silent kernel.
    #[derive(Debug, PartialEq)]
    struct Silent;

    impl From<Silent> for Fault {
        fn from(Silent: Silent) -> Self {
            Self::Late("silent".to_owned())
        }
    }

    impl FrameIo for Echo {
        type Error = Silent;

        const IN_ORDER: bool = true;

        fn is_linked(&self, port: usize) -> bool {
            port == 0
        }

        fn send(&mut self, _: usize, frame: &[u8]) -> Result<(), Self::Error> {
            let mut reply = frame.to_vec();
            if frame.get(38..42) == Some(&barrier::ADDRESS) {
                reply[..6].copy_from_slice(&frame[6..12]);
                reply[21] = 2;
                reply[28..32].copy_from_slice(&barrier::ADDRESS);
                if self.mute {
                    return Ok(());
                }
            }
            self.sent.push_back(reply);
            Ok(())
        }

        fn take(&mut self, _: usize) -> Result<Option<&[u8]>, Self::Error> {
            let Some(frame) = self.sent.pop_front() else { return Ok(None) };
            self.lent = frame;
            Ok(Some(&self.lent))
        }

        fn wait(&mut self, port: usize) -> Result<Option<&[u8]>, Self::Error> {
            self.take(port)
        }

        fn pause(&mut self, _: Duration) {}

        fn add_static_neighbour(&mut self, _: usize, address: IpAddr, mac: Mac) {
            self.neighbours.push((address, mac));
        }

        fn timeout_error(&self, _: usize) -> Self::Error {
            Silent
        }
    }

    fn node(io: Echo) -> KernelNode<Echo> {
        let own = link::Address { ip: "10.0.0.2".parse().unwrap(), prefix: 24 };
        let near = PortConfig { addresses: vec![own], ..PortConfig::default() };
        KernelNode::new(io, vec![near, PortConfig::default()], BTreeSet::new(), false)
    }

    /// An IPv4 header behind an Ethernet one, from this address.
    fn from(source: [u8; 4]) -> Vec<u8> {
        let mut frame = vec![0; 34];
        frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        frame[12] = 8;
        frame[26..30].copy_from_slice(&source);
        frame
    }

    #[test]
    fn what_precedes_the_barriers_reply_is_the_answer_and_the_reply_is_none() {
        let mut node = node(Echo::default());
        node.wait_ready().unwrap();
        let frame = from([10, 0, 0, 1]);
        node.handle_frame(Instant::ZERO, 0, &frame);
        node.handle_frame(Instant::ZERO, 1, &frame);
        let out = node.poll_transmit(Instant::ZERO).map(|out| (out.port, out.frame.to_vec()));
        assert_eq!(out, Some((0, frame)));
        assert_eq!(node.poll_transmit(Instant::ZERO), None);
        assert_eq!(node.poll_fault(), None);
    }

    #[test]
    fn a_source_becomes_a_neighbour_once_and_only_in_a_subnet_of_the_port() {
        let mut node = node(Echo::default());
        for source in [[10, 0, 0, 9], [10, 0, 0, 9], [192, 0, 2, 1]] {
            node.handle_frame(Instant::ZERO, 0, &from(source));
        }
        let near = ("10.0.0.9".parse().unwrap(), Mac([2, 0, 0, 0, 0, 9]));
        assert_eq!(node.io().neighbours, [near]);
    }

    #[test]
    fn a_kernel_that_answers_no_barrier_is_a_fault() {
        let mut node = node(Echo { mute: true, ..Echo::default() });
        assert_eq!(node.wait_ready(), Err(Silent));
        node.handle_frame(Instant::ZERO, 0, &from([10, 0, 0, 1]));
        assert_eq!(node.poll_fault(), Some(Fault::Late("silent".to_owned())));
    }
}

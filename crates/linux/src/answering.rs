//! The node: a frame goes in, a fence behind it, and once the fence is answered the kernel has said
//! what it had to say, so that silence is known without waiting. Knows no way to a kernel.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use link::{Command, CommandError, Fault, Node, Outbox, PortConfig, PortIndex, Transmit};
use wire::{Duration, Instant, Mac};

use crate::fence;

/// How long a kernel may take until it answers at all; links come up late on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way to a kernel: its ports by number, frame by frame.
pub trait Transport: Send {
    /// What can go wrong on it, and what that says of the node.
    type Error: Into<Fault>;

    /// What comes out of different ports comes in the order in which the kernel said it. Where not,
    /// every port is fenced after a frame, and not only that which the frame went into.
    const IN_ORDER: bool;

    /// The port has a link.
    fn is_linked(&self, port: usize) -> bool;

    /// Sends a frame into a port.
    ///
    /// # Errors
    /// When the frame is not taken.
    fn send(&mut self, port: usize, frame: &[u8]) -> Result<(), Self::Error>;

    /// A frame that has come out of a port already, lent until the next call.
    ///
    /// # Errors
    /// When the way is broken.
    fn take(&mut self, port: usize) -> Result<Option<&[u8]>, Self::Error>;

    /// The next frame out of a port, waited for with patience; `None` when that was at its end.
    ///
    /// # Errors
    /// When the way is broken.
    fn wait(&mut self, port: usize) -> Result<Option<&[u8]>, Self::Error>;

    /// Lets the kernel work for a while.
    fn pause(&mut self, time: Duration);

    /// Tells the kernel for good where an address lives. One that no neighbour can have (a
    /// broadcast, say) is refused by the kernel, and rightly so.
    fn introduce(&mut self, port: usize, address: IpAddr, mac: Mac);

    /// The error of a kernel that owes an answer on this port.
    fn silent(&self, port: usize) -> Self::Error;

    /// The frame that was lent last will leave the node.
    fn keeps(&mut self) {}

    /// A frame of the kernel leaves the node now: the first of those kept that has not yet.
    fn emits(&mut self) {}
}

/// A kernel as a node.
#[derive(Debug)]
pub struct Answering<T> {
    transport: T,
    ports: Vec<PortConfig>,
    known: BTreeSet<IpAddr>,
    default_route: bool,
    out: Outbox,
    fences: u32,
    noise: u64,
    /// The first thing that went wrong; what follows from it would only hide it.
    fault: Option<Fault>,
}

impl<T: Transport> Answering<T> {
    /// A kernel behind a transport, set up with [`Surroundings`](crate::Surroundings) whose
    /// addresses it knows. With `default_route` sources outside its subnets are introduced too.
    pub fn new(
        transport: T,
        ports: Vec<PortConfig>,
        known: BTreeSet<IpAddr>,
        default_route: bool,
    ) -> Self {
        let out = Outbox::new();
        Self { transport, ports, known, default_route, out, fences: 0, noise: 0, fault: None }
    }

    /// The way to the kernel.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// The way to the kernel.
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Waits until it answers on every port, and forgets what it said while it came up.
    ///
    /// # Errors
    /// When it does not answer, or the way to it is broken.
    pub fn prove(&mut self) -> Result<(), T::Error> {
        for port in 0..self.ports.len() {
            if !self.transport.is_linked(port) {
                continue;
            }
            let (mut pause, mut waited) = (Duration::from_micros(50), Duration::ZERO);
            while !self.try_fence(port)? {
                if waited > PATIENCE {
                    return Err(self.transport.silent(port));
                }
                self.transport.pause(pause);
                waited += pause;
                pause = (pause * 2).min(Duration::from_millis(20));
            }
        }
        while self.out.pop().is_some() {}
        Ok(())
    }

    /// Sends a fence; true when it answers fences by now, and has answered all of them.
    fn try_fence(&mut self, port: usize) -> Result<bool, T::Error> {
        self.fences += 1;
        let probe = fence::probe(self.ports[port].mac, self.fences);
        if self.transport.send(port, &probe).is_err() {
            return Ok(false);
        }
        let mut answers = false;
        while let Some(frame) = self.transport.take(port)? {
            if fence::is_answer(frame, self.fences) {
                return Ok(true);
            }
            answers |= fence::is_any_answer(frame);
        }
        // On a slow way no answer is there at once, and that to an earlier one says as much.
        if answers {
            self.fence(port)?;
        }
        Ok(answers)
    }

    /// Returns when the kernel has handled all that was sent to this port: it answers in order.
    /// What it said until then is on its way out.
    ///
    /// # Errors
    /// When it does not answer, or the way to it is broken.
    pub fn fence(&mut self, port: usize) -> Result<(), T::Error> {
        self.fences += 1;
        let probe = fence::probe(self.ports[port].mac, self.fences);
        self.transport.send(port, &probe)?;
        loop {
            let Some(frame) = self.transport.wait(port)? else {
                return Err(self.transport.silent(port));
            };
            if fence::is_answer(frame, self.fences) {
                return Ok(());
            }
            if keep(&mut self.out, &mut self.noise, port, frame) {
                self.transport.keeps();
            }
        }
    }

    /// Takes what the kernel says on all ports; how many frames of it are to be emitted.
    ///
    /// # Errors
    /// When the way to it is broken.
    pub fn gather(&mut self) -> Result<usize, T::Error> {
        let mut kept = 0;
        for port in 0..self.ports.len() {
            if !self.transport.is_linked(port) {
                continue;
            }
            while let Some(frame) = self.transport.take(port)? {
                if keep(&mut self.out, &mut self.noise, port, frame) {
                    self.transport.keeps();
                    kept += 1;
                }
            }
        }
        Ok(kept)
    }

    /// Hands the kernel a frame and takes what it answers; a port without a link hears nothing.
    ///
    /// # Errors
    /// When it does not take the frame or does not answer the fence.
    pub fn hear(&mut self, port: usize, frame: &[u8]) -> Result<(), T::Error> {
        if port >= self.ports.len() || !self.transport.is_linked(port) {
            return Ok(());
        }
        self.introduce(port, frame);
        self.transport.send(port, frame)?;
        self.done(port)
    }

    /// Takes all that the kernel has to say to what went into this port.
    ///
    /// # Errors
    /// When it does not answer the fence.
    pub fn done(&mut self, port: usize) -> Result<(), T::Error> {
        self.fence(port)?;
        let others = (0..self.ports.len()).filter(|other| *other != port && !T::IN_ORDER);
        for other in others {
            if self.transport.is_linked(other) {
                self.fence(other)?;
            }
        }
        self.gather().map(drop)
    }

    /// Notes the first thing that went wrong, for [`Node::poll_fault`].
    pub fn fails(&mut self, error: T::Error) {
        self.fault.get_or_insert_with(|| error.into());
    }

    /// Tells the kernel where the source of a frame lives: asking would be a frame of its own.
    fn introduce(&mut self, port: usize, frame: &[u8]) {
        let Some(source) = source(frame).filter(|source| !self.known.contains(source)) else {
            return;
        };
        let config = &self.ports[port];
        let near = config.addresses.iter().any(|own| own.contains(source));
        let written = frame.get(6..12).and_then(|mac| mac.try_into().ok()).map(Mac);
        let mac = config.peer.as_ref().map(|peer| peer.mac).or(written);
        if let Some(mac) = mac.filter(|_| near || self.default_route) {
            self.known.insert(source);
            self.transport.introduce(port, source, mac);
        }
    }
}

/// Keeps a frame, unless it is one that a kernel says whenever an interface comes up.
fn keep(out: &mut Outbox, noise: &mut u64, port: usize, frame: &[u8]) -> bool {
    let passed_over = fence::is_noise(frame);
    if passed_over {
        *noise += 1;
    } else {
        out.push(port as PortIndex, frame);
    }
    !passed_over
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

impl<T: Transport> Node for Answering<T> {
    fn handle_frame(&mut self, _: Instant, port: PortIndex, frame: &[u8]) {
        // The run ends, and a kernel that is not well would be waited for at each frame.
        if self.fault.is_none()
            && let Err(error) = self.hear(usize::from(port), frame)
        {
            self.fails(error);
        }
    }

    fn handle_timeout(&mut self, _: Instant) {
        if let Err(error) = self.gather() {
            self.fails(error);
        }
    }

    fn handle_command(&mut self, _: Instant, _: &Command) -> Result<(), CommandError> {
        let told = "a kernel takes no commands: what it emits is its answer to frames";
        Err(CommandError(told.to_owned()))
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        let out = self.out.pop()?;
        self.transport.emits();
        Some(out)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn poll_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        vec![("group reports passed over".into(), self.noise)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// A kernel that echoes frames, answers fences and says one listener report at first.
    #[derive(Default)]
    struct Echo {
        said: VecDeque<Vec<u8>>,
        lent: Vec<u8>,
        introduced: Vec<(IpAddr, Mac)>,
        deaf: bool,
    }

    /// What a silent kernel is.
    #[derive(Debug, PartialEq)]
    struct Silent;

    impl From<Silent> for Fault {
        fn from(Silent: Silent) -> Self {
            Self::Late("silent".to_owned())
        }
    }

    impl Transport for Echo {
        type Error = Silent;

        const IN_ORDER: bool = true;

        fn is_linked(&self, port: usize) -> bool {
            port == 0
        }

        fn send(&mut self, _: usize, frame: &[u8]) -> Result<(), Self::Error> {
            let mut said = frame.to_vec();
            if frame.get(38..42) == Some(&fence::ADDRESS) {
                said[..6].copy_from_slice(&frame[6..12]);
                said[21] = 2;
                said[28..32].copy_from_slice(&fence::ADDRESS);
                if self.deaf {
                    return Ok(());
                }
            }
            self.said.push_back(said);
            Ok(())
        }

        fn take(&mut self, _: usize) -> Result<Option<&[u8]>, Self::Error> {
            let Some(frame) = self.said.pop_front() else { return Ok(None) };
            self.lent = frame;
            Ok(Some(&self.lent))
        }

        fn wait(&mut self, port: usize) -> Result<Option<&[u8]>, Self::Error> {
            self.take(port)
        }

        fn pause(&mut self, _: Duration) {}

        fn introduce(&mut self, _: usize, address: IpAddr, mac: Mac) {
            self.introduced.push((address, mac));
        }

        fn silent(&self, _: usize) -> Self::Error {
            Silent
        }
    }

    fn node(transport: Echo) -> Answering<Echo> {
        let own = link::Address { ip: "10.0.0.2".parse().unwrap(), prefix: 24 };
        let near = PortConfig { addresses: vec![own], ..PortConfig::default() };
        Answering::new(transport, vec![near, PortConfig::default()], BTreeSet::new(), false)
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
    fn what_comes_before_the_fence_is_the_answer_and_the_fence_is_none() {
        let mut node = node(Echo::default());
        node.prove().unwrap();
        let frame = from([10, 0, 0, 1]);
        node.handle_frame(Instant::ZERO, 0, &frame);
        node.handle_frame(Instant::ZERO, 1, &frame);
        let out = node.poll_transmit(Instant::ZERO).map(|out| (out.port, out.frame.to_vec()));
        assert_eq!(out, Some((0, frame)));
        assert_eq!(node.poll_transmit(Instant::ZERO), None);
        assert_eq!(node.poll_fault(), None);
    }

    #[test]
    fn a_source_is_introduced_once_and_only_where_it_is_near() {
        let mut node = node(Echo::default());
        for source in [[10, 0, 0, 9], [10, 0, 0, 9], [192, 0, 2, 1]] {
            node.handle_frame(Instant::ZERO, 0, &from(source));
        }
        let near = ("10.0.0.9".parse().unwrap(), Mac([2, 0, 0, 0, 0, 9]));
        assert_eq!(node.transport().introduced, [near]);
    }

    #[test]
    fn a_kernel_that_answers_no_fence_is_trouble() {
        let mut node = node(Echo { deaf: true, ..Echo::default() });
        assert_eq!(node.prove(), Err(Silent));
        node.handle_frame(Instant::ZERO, 0, &from([10, 0, 0, 1]));
        assert_eq!(node.poll_fault(), Some(Fault::Late("silent".to_owned())));
    }
}

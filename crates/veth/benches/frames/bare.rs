//! The limit: one veth pair between two namespaces, a packet socket on each end, one send and one
//! receive a frame. Nothing is checked, nothing is kept.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use rtnetlink::packet_route::link::{InfoData, InfoKind, InfoVeth, LinkMessage};
use rtnetlink::{LinkMessageBuilder, LinkUnspec, LinkVeth};
use tokio::runtime::Runtime;

use crate::sys;

/// The pair, up.
pub(crate) struct Pair {
    from: UnixDatagram,
    to: UnixDatagram,
    room: Vec<u8>,
}

impl Pair {
    /// Between the process's own namespace and one more.
    pub(crate) fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // A namespace belongs to its thread, and lasts as long as the file or a socket.
        let there = std::thread::spawn(|| {
            sys::unshare(libc::CLONE_NEWNET)?;
            Ok::<_, io::Error>((File::open("/proc/thread-self/ns/net")?, sys::packet_socket()?))
        });
        let (namespace, to) = there.join().map_err(|_| io::Error::other("a panic"))??;
        runtime.block_on(make(&namespace))?;
        let (from, to) = (open(sys::packet_socket()?, "bare0")?, open(to, "bare1")?);
        let mut pair = Self { from, to, room: vec![0; 2048] };
        pair.wait_until_up(&runtime)?;
        Ok(pair)
    }

    fn wait_until_up(&mut self, runtime: &Runtime) -> io::Result<()> {
        for _ in 0..5_000 {
            if self.cross(&[0xff; 60]).is_ok() {
                while self.to.recv(&mut self.room).is_ok() {}
                return Ok(());
            }
            let millisecond = std::time::Duration::from_millis(1);
            runtime.block_on(async { tokio::time::sleep(millisecond).await });
        }
        Err(io::Error::other("the pair carries no frames"))
    }

    /// A frame over the pair.
    pub(crate) fn cross(&mut self, frame: &[u8]) -> io::Result<usize> {
        self.from.send(frame)?;
        self.to.recv(&mut self.room)
    }
}

async fn make(namespace: &File) -> io::Result<()> {
    let (connection, netlink, _) = rtnetlink::new_connection()?;
    tokio::spawn(connection);
    let there = LinkMessageBuilder::<LinkUnspec>::new().name("bare1");
    let there = there.setns_by_fd(namespace.as_raw_fd()).build();
    let pair: LinkMessage = LinkMessageBuilder::<LinkVeth>::new_with_info_kind(InfoKind::Veth)
        .set_info_data(InfoData::Veth(InfoVeth::Peer(there)))
        .name("bare0")
        .build();
    netlink.link().add(pair).execute().await.map_err(io::Error::other)
}

/// Binds a packet socket to an interface and brings that up. The standard library's socket sends
/// and receives on it by the same two system calls.
fn open(socket: OwnedFd, name: &str) -> io::Result<UnixDatagram> {
    sys::bind(socket.as_fd(), sys::interface_index(socket.as_fd(), name)?)?;
    sys::bring_up(socket.as_fd(), name)?;
    sys::take_error(socket.as_fd())?;
    Ok(socket.into())
}

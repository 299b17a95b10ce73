//! Makes veth pairs whose ends lie in namespaces of nodes. Sends netlink requests from inside a
//! namespace that was made for them, so that no request can reach the host's.

use std::os::fd::AsRawFd;

use rtnetlink::packet_route::link::{InfoData, InfoKind, InfoVeth, LinkMessage};
use rtnetlink::{Handle, LinkMessageBuilder, LinkUnspec, LinkVeth};
use tokio::runtime::Runtime;
use wire::Mac;

use crate::error::{Error, Tried};
use crate::namespace::Namespace;

/// One end of a pair to be made.
pub(crate) struct Wanted<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Where it lies; `None`: in the namespace of the requests.
    pub(crate) namespace: Option<&'a Namespace>,
    /// Its address, unless the kernel's choice will do.
    pub(crate) mac: Option<Mac>,
    /// Its MTU.
    pub(crate) mtu: u32,
}

/// A netlink socket in the calling thread's namespace, served by the runtime.
pub(crate) fn netlink(runtime: &Runtime) -> Result<Handle, Error> {
    let _context = runtime.enter();
    let (connection, handle, _) = rtnetlink::new_connection().tried("open a netlink socket")?;
    runtime.spawn(connection);
    Ok(handle)
}

/// Makes a pair; both ends are down.
pub(crate) async fn make(netlink: &Handle, a: &Wanted<'_>, b: &Wanted<'_>) -> Result<(), Error> {
    let peer = describe(LinkMessageBuilder::<LinkUnspec>::new(), b).build();
    let pair = LinkMessageBuilder::<LinkVeth>::new_with_info_kind(InfoKind::Veth)
        .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)));
    let request: LinkMessage = describe(pair, a).build();
    let made = netlink.link().add(request).execute().await;
    made.tried(format!("make the veth pair {} - {}", a.name, b.name))
}

fn describe<T>(builder: LinkMessageBuilder<T>, end: &Wanted<'_>) -> LinkMessageBuilder<T> {
    use std::os::fd::AsFd;
    let mut builder = builder.name(end.name).mtu(end.mtu);
    // The kernel refuses an address of zeros or of a group; the sockets receive all the same.
    if let Some(mac) = end.mac.filter(|mac| mac.0[0] & 1 == 0 && mac.0 != [0; 6]) {
        builder = builder.address(mac.0.to_vec());
    }
    if let Some(namespace) = end.namespace {
        builder = builder.setns_by_fd(namespace.as_fd().as_raw_fd());
    }
    builder
}

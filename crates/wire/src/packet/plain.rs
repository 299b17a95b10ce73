//! The one shape of packet that senders of custom segments build: plain TCP over IPv4, each header
//! at most once, in order and without options. Knows the shape; who builds it is no matter.

use super::Packet;
use crate::field::Proto;
use crate::fields::{ip4, tcp};

impl Packet {
    /// The first thing in the packet that goes beyond plain TCP over IPv4, by the name that a
    /// scenario has for it: `raw`, `fragment`, `pad`, `truncate`, another layer, a layer in another
    /// place (`ip4 there`), or the options of one. `None` for the packet that has the shape.
    #[must_use]
    pub fn beyond_plain_tcp4(&self) -> Option<String> {
        let whole = [
            ("raw", self.raw.is_some()),
            ("fragment", self.fragment.is_some()),
            ("pad", self.pad.is_some()),
            ("truncate", self.truncate.is_some()),
        ];
        if let Some((what, _)) = whole.into_iter().find(|(_, given)| *given) {
            return Some(what.to_owned());
        }
        let mut last = None;
        for layer in &self.layers {
            let key = layer.proto.key();
            if !matches!(layer.proto, Proto::Eth | Proto::Ip4 | Proto::Tcp | Proto::Payload) {
                return Some(key.to_owned());
            }
            if last >= Some(layer.proto) {
                return Some(format!("{key} there"));
            }
            last = Some(layer.proto);
            let listed = match layer.proto {
                Proto::Ip4 => layer.get(&ip4::OPTIONS).is_some(),
                Proto::Tcp => layer.get(&tcp::OPTIONS).is_some(),
                _ => false,
            };
            if listed || layer.tcp_options.is_some() {
                return Some(format!("{key}.options"));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Value;
    use crate::packet::Layer;

    fn layers(protos: &[Proto]) -> Packet {
        protos.iter().fold(Packet::new(), |packet, proto| packet.layer(Layer::new(*proto)))
    }

    #[test]
    fn the_shape_is_ethernet_ip4_tcp_and_payload_in_order() {
        let beyond = |protos: &[Proto]| layers(protos).beyond_plain_tcp4();
        assert_eq!(beyond(&[]), None);
        assert_eq!(beyond(&[Proto::Tcp]), None);
        assert_eq!(beyond(&[Proto::Eth, Proto::Ip4, Proto::Tcp, Proto::Payload]), None);
        assert_eq!(beyond(&[Proto::Tcp, Proto::Ip4]).as_deref(), Some("ip4 there"));
        assert_eq!(beyond(&[Proto::Tcp, Proto::Tcp]).as_deref(), Some("tcp there"));
        assert_eq!(beyond(&[Proto::Eth, Proto::Vlan]).as_deref(), Some("vlan"));
    }

    #[test]
    fn what_is_done_to_the_whole_frame_and_options_go_beyond_it() {
        let beyond = |packet: Packet| packet.beyond_plain_tcp4();
        assert_eq!(beyond(Packet::raw([0; 14])).as_deref(), Some("raw"));
        let fragment = Packet { fragment: Some(8), ..Packet::new() };
        assert_eq!(beyond(fragment).as_deref(), Some("fragment"));
        assert_eq!(beyond(Packet { pad: Some(60), ..Packet::new() }).as_deref(), Some("pad"));
        let cut = Packet { truncate: Some(20), ..Packet::new() };
        assert_eq!(beyond(cut).as_deref(), Some("truncate"));
        for (field, wanted) in [(&ip4::OPTIONS, "ip4.options"), (&tcp::OPTIONS, "tcp.options")] {
            let mut layer = Layer::new(field.proto);
            layer.set(field, Value::Bytes(vec![1])).unwrap();
            assert_eq!(beyond(Packet::new().layer(layer)).as_deref(), Some(wanted));
        }
        let listed = Layer { tcp_options: Some(Vec::new()), ..Layer::new(Proto::Tcp) };
        assert_eq!(beyond(Packet::new().layer(listed)).as_deref(), Some("tcp.options"));
    }
}

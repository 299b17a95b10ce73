//! A field that is given stands as given and moves nothing else; and nothing that can be asked for
//! makes the builder panic.

use proptest::prelude::*;

use super::*;
use crate::checksum::transport_ip4;
use crate::field::{Field, Form};

/// Where a layer of `protos` starts in the frame, before any has options.
fn start(protos: &[Proto], layer: usize) -> usize {
    let len = |proto: &Proto| match proto {
        Proto::Eth => 14,
        Proto::Vlan => 4,
        Proto::Arp => 28,
        Proto::Ip4 | Proto::Tcp => 20,
        Proto::Ip6 => 40,
        Proto::Payload => 0,
        _ => 8,
    };
    protos[..layer].iter().map(len).sum()
}

/// Stacks that hold every protocol.
const STACKS: [&[Proto]; 7] = [
    &[Proto::Eth, Proto::Vlan, Proto::Ip4, Proto::Tcp],
    &[Proto::Eth, Proto::Ip6, Proto::HopByHop, Proto::Routing, Proto::DestOpts, Proto::Tcp],
    &[Proto::Eth, Proto::Ip6, Proto::Fragment, Proto::Udp],
    &[Proto::Eth, Proto::Vlan, Proto::Vlan, Proto::Ip4, Proto::Icmp4],
    &[Proto::Eth, Proto::Ip6, Proto::Icmp6],
    &[Proto::Eth, Proto::Arp],
    &[Proto::Eth, Proto::Ip4, Proto::Ip4, Proto::Udp],
];

/// Any field of fixed width in any of the stacks, with a value that it holds.
fn lie() -> impl Strategy<Value = (&'static [Proto], usize, &'static Field, Value)> {
    let stack = prop::sample::select(STACKS.to_vec());
    let layer = stack.prop_flat_map(|stack| (Just(stack), 0..stack.len()));
    let field = layer.prop_flat_map(|(stack, layer)| {
        let fields = stack[layer].fields().iter().copied();
        let fixed: Vec<_> = fields.filter(|field| field.form != Form::Bytes).collect();
        (Just(stack), Just(layer), prop::sample::select(fixed))
    });
    (field, any::<[u8; 16]>()).prop_map(|((stack, layer, field), noise)| {
        let number = u64::from_be_bytes(noise[..8].try_into().unwrap());
        let value = match field.form {
            Form::Mac => Value::Mac(crate::Mac(noise[..6].try_into().unwrap())),
            Form::Ip4 => Value::Ip(<[u8; 4]>::try_from(&noise[..4]).unwrap().into()),
            Form::Ip6 => Value::Ip(noise.into()),
            _ => Value::Num(number & field.max().unwrap()),
        };
        (stack, layer, field, value)
    })
}

/// The bytes of fields that follow from others: checksums, and what a given ARP opcode, MF or
/// offset stands for in the header before or in DF.
fn follows(protos: &[Proto], field: &Field, at: usize) -> bool {
    let checksums = protos.iter().enumerate().filter_map(|(layer, proto)| {
        Some(start(protos, layer) + proto.field("checksum")?.bytes().start)
    });
    checksums.into_iter().any(|first| (first..first + 2).contains(&at))
        || field.proto == Proto::Arp && at < 6
        || field.proto == Proto::Ip4
            && matches!(field.key, "mf" | "fragment-offset" | "flags")
            && protos
                .iter()
                .enumerate()
                .any(|(layer, proto)| *proto == Proto::Ip4 && at == start(protos, layer) + 6)
}

proptest! {
    #[test]
    fn a_given_field_stands_and_moves_nothing(
        (protos, layer, field, value) in lie(),
        payload in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let honest = one(&stack(protos).payload(payload.clone()));
        let mut lying = stack(protos).payload(payload);
        lying.layers[layer].set(field, value.clone()).unwrap();
        let frame = one(&lying);
        let begin = start(protos, layer);
        prop_assert_eq!(field.read(&frame[begin..]), Some(value));
        prop_assert_eq!(frame.len(), honest.len());
        let own = begin + field.bytes().start..begin + field.bytes().end;
        for at in (0..frame.len()).filter(|at| !own.contains(at)) {
            let same = frame[at] == honest[at] || follows(protos, field, at);
            prop_assert!(same, "byte {at} of {}", field.path());
        }
    }

    #[test]
    fn checksums_cover_what_stands_there((protos, layer, field, value) in lie()) {
        prop_assume!(field.key != "checksum");
        let mut packet = stack(protos);
        packet.layers[layer].set(field, value).unwrap();
        let frame = one(&packet);
        for (index, proto) in protos.iter().enumerate() {
            let begin = start(protos, index);
            let ok = match (proto, index.checked_sub(1).map(|outer| protos[outer])) {
                (Proto::Ip4, _) => {
                    crate::checksum::internet_checksum(&frame[begin..begin + 20]) == 0
                }
                (Proto::Icmp4, _) => crate::checksum::internet_checksum(&frame[begin..]) == 0,
                (Proto::Tcp | Proto::Udp, Some(Proto::Ip4)) => {
                    let address = |at| frame[begin - at..begin - at + 4].try_into().unwrap();
                    let number = if *proto == Proto::Tcp { 6 } else { 17 };
                    transport_ip4(address(8), address(4), number, &frame[begin..]) == 0
                }
                _ => true,
            };
            prop_assert!(ok, "{} with {}", proto.key(), field.path());
        }
    }

    #[test]
    fn no_stack_panics(
        protos in prop::collection::vec(prop::sample::select(Proto::ALL.to_vec()), 0..7),
        noise in prop::collection::vec(any::<(u8, u64)>(), 0..12),
        bytes in prop::collection::vec(any::<u8>(), 0..90),
        (fragment, pad, truncate) in any::<(Option<u8>, Option<u8>, Option<u8>)>(),
    ) {
        let mut packet = stack(&protos);
        packet.fragment = fragment.map(u16::from);
        packet.pad = pad.map(usize::from);
        packet.truncate = truncate.map(usize::from);
        for (place, number) in noise {
            let count = packet.layers.len().max(1);
            let Some(layer) = packet.layers.get_mut(usize::from(place) % count) else { break };
            let fields = layer.proto.fields();
            let field = fields[usize::from(place >> 4) % fields.len()];
            let value = match field.max() {
                Some(max) => Value::Num(number & max),
                None => Value::Bytes(bytes.clone()),
            };
            let _ = layer.set(field, value);
            if layer.proto == Proto::Icmp4 && number % 3 == 0 {
                layer.quote = Some(Box::new(stack(&protos)));
            }
        }
        if let Ok(frames) = build(&packet, &defaults()) {
            for frame in frames {
                prop_assert!(frame.len() <= MAX_FRAME);
                let _ = IpPacket::parse(&frame).map(|ip| ip.transport_checksum_ok());
            }
        }
    }
}

//! Values in and out of bytes and text.

use proptest::prelude::*;

use super::*;
use crate::fields::{ip4, tcp};

/// Any field with a value that it holds.
fn pair() -> impl Strategy<Value = (&'static Field, Value)> {
    let all: Vec<_> = Proto::ALL.into_iter().flat_map(Proto::fields).copied().collect();
    (prop::sample::select(all), any::<[u8; 16]>(), 0usize..20).prop_map(|(field, noise, len)| {
        let number = u64::from_be_bytes(noise[..8].try_into().unwrap());
        let value = match field.form {
            Form::Mac => Value::Mac(Mac(noise[..6].try_into().unwrap())),
            Form::Ip4 => Value::Ip(<[u8; 4]>::try_from(&noise[..4]).unwrap().into()),
            Form::Ip6 => Value::Ip(noise.into()),
            Form::Bytes => Value::Bytes(noise.iter().cycle().take(len).copied().collect()),
            _ => Value::Num(number & field.max().unwrap()),
        };
        (field, value)
    })
}

proptest! {
    #[test]
    fn written_then_read_and_no_other_bit_moved(
        (field, value) in pair(),
        before in prop::collection::vec(any::<u8>(), 64),
    ) {
        let mut header = before.clone();
        field.write(&mut header, &value).unwrap();
        if let Value::Bytes(bytes) = &value {
            let start = field.bytes().start;
            prop_assert_eq!(&header[start..start + bytes.len()], &bytes[..]);
            prop_assert_eq!(&header[..start], &before[..start]);
            prop_assert_eq!(&header[start + bytes.len()..], &before[start + bytes.len()..]);
            return Ok(());
        }
        prop_assert_eq!(field.read(&header), Some(value));
        for bit in 0..before.len() * 8 {
            let own = usize::from(field.bit)..usize::from(field.bit + field.width);
            let mask = 0x80 >> (bit % 8);
            let same = header[bit / 8] & mask == before[bit / 8] & mask;
            prop_assert!(same || own.contains(&bit), "bit {bit} of {}", field.path());
        }
    }

    #[test]
    fn text_and_back((field, value) in pair()) {
        prop_assert_eq!(field.parse(&field.text(&value)), Ok(value));
    }

    #[test]
    fn no_header_is_too_short_and_no_text_too_odd(
        (field, value) in pair(),
        mut header in prop::collection::vec(any::<u8>(), 0..44),
        text in ".{0,12}",
    ) {
        let range = field.bytes();
        let fits = if field.form == Form::Bytes { range.start } else { range.end } <= header.len();
        prop_assert_eq!(field.read(&header).is_some(), fits);
        prop_assert_eq!(field.write(&mut header, &value).is_ok(), fits);
        let _ = field.parse(&text);
    }
}

#[test]
fn words_of_errors() {
    let error = |result: Result<Value, ValueError>| result.unwrap_err().to_string();
    assert_eq!(
        error(tcp::SRC.parse("65536")),
        "65536 is out of range: tcp.src is 16 bits wide and takes a number from 0 to 65535"
    );
    assert_eq!(
        error(ip4::SRC.parse("10.0.0")),
        "`10.0.0`: ip4.src takes an IPv4 address such as 10.0.0.1"
    );
    assert!(error(tcp::FLAGS.parse("SX")).starts_with("`X` is no TCP flag"));
    assert_eq!(error(tcp::FLAGS.parse("SS")), "the flag `S` stands twice");
    assert_eq!(error(tcp::OPTIONS.parse("020")), "3 hex digits: a byte takes two");
    assert_eq!(error(tcp::OPTIONS.parse("0g")), "`g` is no hex digit (0-9, a-f)");
    let mut header = [0; 20];
    let wrong = tcp::SRC.write(&mut header, &Value::Mac(Mac::default())).unwrap_err();
    assert_eq!(wrong.to_string(), "tcp.src takes a number from 0 to 65535");
}

#[test]
fn flags_as_letters() {
    assert_eq!(tcp_flags("S."), Ok(0x12));
    assert_eq!(tcp_flags("NWEUAPRSF"), Ok(0x1ff));
    assert_eq!(tcp_flags("-"), Ok(0));
    assert_eq!(tcp_flags_text(0x111), "FAN");
    assert_eq!(tcp::FLAGS.parse("0x14"), Ok(Value::Num(0x14)));
    assert_eq!(tcp::FLAGS.text(&Value::Num(0)), "-");
}

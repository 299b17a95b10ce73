//! Packets and patterns: layers by their names where that tells their order, and as a `stack` else.

use wire::{Field, Form, Proto, Value, fields};

use super::members::Members;
use super::options::tcp_options;
use super::piece::Piece;
use super::values;
use super::was::Was;
use crate::json::keys::{PACKET, PATTERN, PAYLOAD};
use crate::model::{
    FieldTemplate, LayerPattern, LayerTemplate, OptionTemplate, PacketTemplate, Pattern,
    ValueTemplate,
};
use crate::span::Spanned;

/// The layers of a packet or pattern, each with what is written of it.
type Layers = Vec<(Proto, Piece)>;

pub(super) fn packet(packet: &PacketTemplate, was: Was<'_>) -> Piece {
    let mut object = Members::new(&PACKET, was);
    object.put("raw", packet.raw.as_ref().map(|raw| values::hex(was.at("raw"), raw)));
    let mut places = Places::default();
    let layers = packet.layers.iter();
    let layers = layers.map(|one| (one.proto, layer(one, places.next(was, one.proto))));
    put_layers(&mut object, layers.collect());
    object.number("pad", packet.pad.map(|length| length as u64));
    object.number("truncate", packet.truncate.map(|length| length as u64));
    object.number("fragment", packet.fragment);
    object.text("note", packet.note.as_deref());
    object.object()
}

pub(super) fn pattern(pattern: &Pattern, was: Was<'_>) -> Piece {
    let mut object = Members::new(&PATTERN, was);
    object.put("raw", pattern.raw.as_ref().map(|raw| values::hex(was.at("raw"), raw)));
    let mut places = Places::default();
    let last = pattern.layers.iter().rposition(|layer| layer.proto == Proto::Payload);
    let mut layers = Layers::new();
    for (number, one) in pattern.layers.iter().enumerate() {
        let was = places.next(was, one.proto);
        let bytes = pattern.payload.as_ref().filter(|_| Some(number) == last);
        let piece = match bytes {
            Some(bytes) => payload(was, bytes),
            None => layer_pattern(one, was),
        };
        layers.push((one.proto, piece));
    }
    if let (None, Some(bytes)) = (last, &pattern.payload) {
        layers.push((Proto::Payload, payload(was.at("payload"), bytes)));
    }
    layers.extend(pattern.absent.iter().map(|proto| (*proto, Piece::flag(false))));
    put_layers(&mut object, layers);
    object.number("length", pattern.length.map(|length| length as u64));
    object.text("note", pattern.note.as_deref());
    object.object()
}

/// Where each layer stood: at its name, in a list of VLAN tags, or in the stack.
#[derive(Default)]
struct Places {
    layers: usize,
    tags: usize,
}

impl Places {
    fn next<'a>(&mut self, was: Was<'a>, proto: Proto) -> Was<'a> {
        let (place, tag) = (self.layers, self.tags);
        self.layers += 1;
        self.tags += usize::from(proto == Proto::Vlan);
        let stack = was.at("stack");
        let named = was.at(proto.key());
        match proto {
            _ if stack.is_there() => stack.item(place).at(proto.key()),
            Proto::Vlan if named.is_list() => named.item(tag),
            _ => named,
        }
    }
}

fn put_layers(object: &mut Members<'_>, layers: Layers) {
    if !are_named(&layers) || object.was.at("stack").is_there() {
        let stack = layers.into_iter().map(|(proto, layer)| Piece::pair(proto.key(), layer));
        object.put("stack", Piece::List(stack.collect()));
        return;
    }
    for same in layers.chunk_by(|one, next| one.0 == next.0) {
        let pieces = same.iter().map(|(_, layer)| layer.clone()).collect();
        object.put(same[0].0.key(), Piece::one_or_list(pieces));
    }
}

/// The names tell the layers' order: that of the table, with only VLAN tags more than once, and
/// those that must not be there apart from them.
fn are_named(layers: &Layers) -> bool {
    let place = |proto: Proto| Proto::SENDABLE.iter().position(|known| *known == proto);
    let (gone, there): (Vec<_>, Vec<_>) =
        layers.iter().partition(|(_, layer)| *layer == Piece::flag(false));
    let rise = |one: &&(Proto, Piece), next: &&(Proto, Piece)| place(one.0) < place(next.0);
    let tags = |one: &&(Proto, Piece), next: &&(Proto, Piece)| {
        rise(one, next) || (one.0, next.0) == (Proto::Vlan, Proto::Vlan)
    };
    let both = gone.iter().any(|layer| there.iter().any(|other| other.0 == layer.0));
    there.is_sorted_by(tags) && gone.is_sorted_by(rise) && !both
}

fn layer(layer: &LayerTemplate, was: Was<'_>) -> Piece {
    if layer.proto == Proto::Payload {
        let bytes = layer.fields.iter().find(|given| *given.field == fields::payload::DATA);
        return match bytes.map(|given| &given.value) {
            Some(ValueTemplate::Fixed(Value::Bytes(bytes))) => payload(was, bytes),
            _ => payload(was, &Vec::new()),
        };
    }
    let quote = layer.quote.as_ref().map(|quote| packet(quote, was.at("quote")));
    layer_object(&layer.fields, layer.tcp_options.as_deref(), quote, layer.note.as_deref(), was)
}

fn layer_pattern(layer: &LayerPattern, was: Was<'_>) -> Piece {
    let quote = layer.quote.as_ref().map(|quote| pattern(quote, was.at("quote")));
    layer_object(&layer.fields, layer.tcp_options.as_deref(), quote, layer.note.as_deref(), was)
}

fn layer_object(
    fields: &[FieldTemplate],
    options: Option<&[OptionTemplate]>,
    quote: Option<Piece>,
    note: Option<&str>,
    was: Was<'_>,
) -> Piece {
    let place = |field: &Field| field.proto.fields().iter().position(|known| **known == *field);
    let given = fields
        .iter()
        .map(|given| (place(given.field), given.field.key.to_owned(), field(given, was)));
    let mut all: Vec<_> = given.collect();
    if let Some(options) = options {
        let field = &fields::tcp::OPTIONS;
        all.push((place(field), field.key.to_owned(), tcp_options(options, was.at(field.key))));
    }
    all.sort_by_key(|(place, ..)| *place);
    let mut members: Vec<_> = all.into_iter().map(|(_, key, value)| (key, value)).collect();
    members.extend(quote.map(|quote| ("quote".to_owned(), quote)));
    members.extend(note.map(|note| ("note".to_owned(), Piece::text(note))));
    Piece::Object(members)
}

fn field(given: &FieldTemplate, layer: Was<'_>) -> Piece {
    let field = given.field;
    let key = Spanned::new(field.key.to_owned(), given.span);
    let kept = layer.at(field.key).kept(&given.value, |reader, json| {
        reader.field(field.proto, &key, json).map(|given| given.value)
    });
    kept.unwrap_or_else(|| match &given.value {
        ValueTemplate::Expr(expr) => values::computed(expr, field.width),
        ValueTemplate::Fixed(value) => fixed(field, value),
    })
}

/// A number in decimal, and everything else as text.
fn fixed(field: &Field, value: &Value) -> Piece {
    match (value, field.form) {
        (Value::Num(number), Form::Dec | Form::Little | Form::Bit) => Piece::number(*number),
        (Value::Num(number), _) if field.parse(&field.text(value)).as_ref() != Ok(value) => {
            Piece::number(*number)
        }
        _ => Piece::text(&field.text(value)),
    }
}

/// Bytes of a payload in the form that they had, or in hex, or as a count of zeros.
fn payload(was: Was<'_>, bytes: &Vec<u8>) -> Piece {
    match was.kept(bytes, |reader, json| reader.payload(json)) {
        Some(Piece::Object(mut members)) => {
            members.sort_by_key(|(name, _)| PAYLOAD.rank(name));
            Piece::Object(members)
        }
        Some(hex) => hex,
        None if bytes.len() > 16 && bytes.iter().all(|byte| *byte == 0) => {
            Piece::pair("zero", Piece::number(bytes.len() as u64))
        }
        None => values::hex(Was::of("", None), bytes),
    }
}

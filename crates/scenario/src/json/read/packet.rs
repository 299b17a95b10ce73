//! Packets and patterns: layers, fields, payloads.

use wire::{Form, Proto, Value, fields};

use super::decoder::{Decoder, Object};
use crate::diagnostic::suggestion;
use crate::json::keys::{PACKET, PATTERN};
use crate::json::tree::{Json, Kind, Member};
use crate::model::{
    FieldTemplate, LayerPattern, LayerTemplate, OptionTemplate, PacketTemplate, Pattern,
    ValueTemplate,
};
use crate::resolve::fields::sendable;
use crate::span::Spanned;

/// What a layer's object says; only ICMP has a quote.
struct Layer<'j> {
    fields: Vec<FieldTemplate>,
    tcp_options: Option<Vec<OptionTemplate>>,
    quote: Option<&'j Json>,
    note: Option<String>,
}

impl Decoder<'_, '_> {
    pub(super) fn packet(&mut self, json: &Json) -> Option<PacketTemplate> {
        let object = self.object(json, &PACKET)?;
        let raw = object.get("raw").and_then(|raw| self.hex(raw, "`raw`"));
        let layers = self.layers(&object);
        let layers = layers.into_iter().filter_map(|(proto, json)| self.layer(proto, json));
        let packet = PacketTemplate {
            layers: layers.collect(),
            raw,
            fragment: self.whole(&object, "fragment").map(|number| number.value),
            pad: self.whole::<usize>(&object, "pad").map(|number| number.value),
            truncate: self.whole::<usize>(&object, "truncate").map(|number| number.value),
            note: self.note(&object),
        };
        if object.members.iter().all(|member| member.key.value == "note") {
            let help = "give a layer, such as {\"tcp\": {\"dst\": 80}}, or `raw`";
            self.fault(json.span, "an empty packet", help);
        }
        Some(packet)
    }

    /// The layers of a packet or pattern in order, from `stack` or from keys of their names.
    fn layers<'j>(&mut self, object: &Object<'j>) -> Vec<(Proto, &'j Json)> {
        let named = |member: &&Member| sendable(&member.key).is_some();
        for other in ["raw", "stack"] {
            let (Some(_), Some(member)) = (object.get(other), object.members.iter().find(named))
            else {
                continue;
            };
            let message = format!("`{}` beside `{other}`", member.key.value);
            self.fault(member.key.span, message, format!("`{other}` says all of the layers"));
        }
        if let (Some(raw), Some(_)) = (object.get("raw"), object.get("stack")) {
            self.fault(raw.span, "`raw` beside `stack`", "`raw` says all of the layers");
        }
        if object.get("stack").is_some() {
            return self.stack(object);
        }
        let mut layers = Vec::new();
        for proto in Proto::SENDABLE {
            match object.get(proto.key()) {
                Some(Json { kind: Kind::List(tags), .. }) if proto == Proto::Vlan => {
                    layers.extend(tags.iter().map(|tag| (proto, tag)));
                }
                Some(json) => layers.push((proto, json)),
                None => {}
            }
        }
        layers
    }

    fn stack<'j>(&mut self, object: &Object<'j>) -> Vec<(Proto, &'j Json)> {
        let mut layers = Vec::new();
        for item in self.list(object, "stack") {
            let member = match &item.kind {
                Kind::Object(members) if members.len() == 1 => &members[0],
                _ => {
                    self.fault(item.span, "no layer of a `stack`", "each is {\"LAYER\": {…}}");
                    continue;
                }
            };
            match sendable(&member.key) {
                Some(proto) => layers.push((proto, &member.value)),
                None => {
                    let message = format!("unknown layer `{}`", member.key.value);
                    let help = suggestion(&member.key, &Proto::SENDABLE.map(Proto::key));
                    self.fault(member.key.span, message, help);
                }
            }
        }
        layers
    }

    fn layer(&mut self, proto: Proto, json: &Json) -> Option<LayerTemplate> {
        let span = json.span;
        if proto == Proto::Payload {
            let bytes = self.payload(json)?;
            let value = ValueTemplate::Fixed(Value::Bytes(bytes));
            let note = None;
            let fields = vec![FieldTemplate { field: &fields::payload::DATA, value, span }];
            return Some(LayerTemplate {
                proto,
                span,
                fields,
                tcp_options: None,
                quote: None,
                note,
            });
        }
        let Layer { fields, tcp_options, quote, note } = self.layer_object(proto, json)?;
        let quote = quote.and_then(|quote| self.packet(quote)).map(Box::new);
        Some(LayerTemplate { proto, span, fields, tcp_options, quote, note })
    }

    fn layer_object<'j>(&mut self, proto: Proto, json: &'j Json) -> Option<Layer<'j>> {
        let Kind::Object(members) = &json.kind else {
            let example = "an object of its fields, {} for none";
            return self.wrong(json, &format!("the layer {}", proto.key()), example);
        };
        let mut layer = Layer { fields: Vec::new(), tcp_options: None, quote: None, note: None };
        for Member { key, value } in members {
            match (proto, key.as_str(), &value.kind) {
                (_, "note", _) => {
                    layer.note = self.plain_text(value, "`note`").map(|note| note.value);
                }
                (Proto::Icmp4 | Proto::Icmp6, "quote", _) => layer.quote = Some(value),
                (Proto::Tcp, "options", Kind::List(items)) => {
                    layer.tcp_options = Some(self.tcp_options(items));
                }
                _ => layer.fields.extend(self.field(proto, key, value)),
            }
        }
        let place = |given: &FieldTemplate| proto.fields().iter().position(|f| *f == given.field);
        layer.fields.sort_by_key(place);
        Some(layer)
    }

    pub(in crate::json) fn field(
        &mut self,
        proto: Proto,
        key: &Spanned<String>,
        json: &Json,
    ) -> Option<FieldTemplate> {
        let field = self.layer_field(proto, key)?;
        let read = match &json.kind {
            Kind::Text(text) if text.contains('$') && field.max().is_some() => {
                let expr = self.expression(text, json.span)?;
                let value = ValueTemplate::Expr(expr);
                return Some(FieldTemplate { field, value, span: json.span });
            }
            Kind::Text(text) => field.parse(text),
            Kind::Bool(bit) if field.form == Form::Bit => field.number(u64::from(*bit)),
            Kind::Number if field.max().is_some() => {
                let (path, wants) = (field.path(), field.wants());
                field.number(self.number_of(json, &path, &format!("{path} takes {wants}"))?)
            }
            _ => return self.wrong(json, &field.path(), &field.wants()),
        };
        match read {
            Ok(value) => {
                let value = ValueTemplate::Fixed(value);
                Some(FieldTemplate { field, value, span: json.span })
            }
            Err(error) => {
                self.fault(json.span, error.to_string(), "");
                None
            }
        }
    }

    /// The value of a key that is a pattern.
    pub(super) fn pattern_at(&mut self, step: &Object<'_>, name: &str) -> Option<Spanned<Pattern>> {
        let json = step.get(name)?;
        self.pattern(json).map(|pattern| Spanned::new(pattern, json.span))
    }

    fn pattern(&mut self, json: &Json) -> Option<Pattern> {
        let object = self.object(json, &PATTERN)?;
        let note = self.note(&object);
        let raw = object.get("raw").and_then(|raw| self.hex(raw, "`raw`"));
        let length = self.whole::<usize>(&object, "length").map(|number| number.value);
        let mut pattern = Pattern { raw, length, note, ..Pattern::default() };
        for (proto, json) in self.layers(&object) {
            match &json.kind {
                Kind::Bool(false) => pattern.absent.push(proto),
                _ => self.layer_pattern(proto, json, &mut pattern),
            }
        }
        Some(pattern)
    }

    fn layer_pattern(&mut self, proto: Proto, json: &Json, pattern: &mut Pattern) {
        let occurrence = pattern.layers.iter().filter(|layer| layer.proto == proto).count();
        let bare = match &json.kind {
            Kind::Null | Kind::Bool(true) => true,
            Kind::Object(members) => members.is_empty(),
            _ => false,
        };
        let mut layer = LayerPattern {
            proto,
            occurrence,
            span: json.span,
            fields: Vec::new(),
            tcp_options: None,
            quote: None,
            note: None,
        };
        if proto == Proto::Payload && !bare {
            pattern.payload = self.payload(json);
        } else if !bare {
            let Some(read) = self.layer_object(proto, json) else { return };
            layer.fields = read.fields;
            layer.tcp_options = read.tcp_options;
            layer.note = read.note;
            layer.quote = read.quote.and_then(|quote| self.pattern(quote)).map(Box::new);
        }
        pattern.layers.push(layer);
    }
}

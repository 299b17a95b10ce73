//! Layers and fields by name, as `tcp.seq` or `vlan#2.id`. Knows the tables of `wire`.

use wire::Proto;

use crate::diagnostic::suggestion;
use crate::faults::Faults;
use crate::model::FieldPath;
use crate::span::Spanned;

/// The layer of that name that a scenario may write.
pub(crate) fn sendable(name: &str) -> Option<Proto> {
    Proto::from_key(name).filter(|proto| proto.is_sendable())
}

/// The field of `LAYER.FIELD`, or of `LAYER#2.FIELD` for the second layer of that protocol.
pub(crate) fn field_path(
    faults: &mut Faults<'_>,
    text: &Spanned<String>,
) -> Option<Spanned<FieldPath>> {
    let Some((layer, key)) = text.split_once('.') else {
        let message = format!("`{}` is no field", text.value);
        let help = "a field is LAYER.FIELD, such as tcp.seq, or LAYER#2.FIELD for the second";
        faults.add(text.span, message, help);
        return None;
    };
    let (layer, occurrence) = match layer.split_once('#') {
        Some((layer, number)) => (layer, number.parse().unwrap_or(0)),
        None => (layer, 1usize),
    };
    let Some(proto) = sendable(layer) else {
        let known = Proto::SENDABLE.map(Proto::key);
        let message = format!("`{layer}` in `{}` is no layer", text.value);
        faults.add(text.span, message, suggestion(layer, &known));
        return None;
    };
    let Some(field) = proto.field(key) else {
        let known: Vec<&str> = proto.fields().iter().map(|field| field.key).collect();
        let message = format!("`{key}` is no field of the layer {layer}");
        faults.add(text.span, message, suggestion(key, &known));
        return None;
    };
    if occurrence == 0 {
        let message = format!("`{}` counts its layer wrongly", text.value);
        faults.add(text.span, message, "layers of one protocol count from #1");
        return None;
    }
    Some(Spanned::new(FieldPath { field, occurrence: occurrence - 1 }, text.span))
}

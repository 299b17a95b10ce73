//! Numbers, durations, addresses, chances, field paths, expressions: the small values.

use wire::address::AddressError;
use wire::{Address, Chance, Duration, Mac, Proto, fields, hex};

use super::decoder::{Decoder, Object};
use crate::diagnostic::suggestion;
use crate::expr::Expr;
use crate::json::keys::layer_names;
use crate::json::tree::{Json, Kind, Member};
use crate::model::{Argument, Scalar};
use crate::quantity;
use crate::span::{Span, Spanned};

impl Decoder<'_, '_> {
    /// A JSON number that is whole and not negative.
    pub(super) fn number(&mut self, json: &Json, what: &str) -> Option<u64> {
        self.number_of(json, what, &format!("{what} is a whole number"))
    }

    /// The same, with another help.
    pub(super) fn number_of(&mut self, json: &Json, what: &str, help: &str) -> Option<u64> {
        let Kind::Number = json.kind else {
            return self.wrong(json, what, "a number");
        };
        let text = self.faults.text(json.span);
        let problem = if text.starts_with('-') {
            "is negative"
        } else if text.contains(['.', 'e', 'E']) {
            "is no whole number"
        } else {
            match text.parse() {
                Ok(number) => return Some(number),
                Err(_) => "is more than 2^64 - 1",
            }
        };
        let shown: String = text.chars().take(40).collect();
        self.fault(json.span, format!("`{shown}` {problem}"), help);
        None
    }

    /// A whole number in a range.
    pub(super) fn ranged(&mut self, json: &Json, what: &str, range: (u64, u64)) -> Option<u64> {
        let help = format!("{what} is a whole number from {} to {}", range.0, range.1);
        let number = self.number_of(json, what, &help)?;
        if (range.0..=range.1).contains(&number) {
            return Some(number);
        }
        self.fault(json.span, format!("{number} is out of range"), help);
        None
    }

    /// The value of a key that is a whole number, in the range of its table.
    pub(super) fn whole<T: TryFrom<u64>>(
        &mut self,
        object: &Object<'_>,
        name: &str,
    ) -> Option<Spanned<T>> {
        let json = object.get(name)?;
        let number = self.ranged(json, &format!("`{name}`"), object.range(name))?;
        T::try_from(number).ok().map(|number| Spanned::new(number, json.span))
    }

    /// The same, or `"unlimited"`, which is `None` inside.
    pub(super) fn unlimited<T: TryFrom<u64>>(
        &mut self,
        object: &Object<'_>,
        name: &str,
    ) -> Option<Spanned<Option<T>>> {
        match object.get(name)? {
            Json { kind: Kind::Text(text), span } => {
                if text == "unlimited" {
                    return Some(Spanned::new(None, *span));
                }
                let help = format!("`{name}` is a number or \"unlimited\"");
                self.fault(*span, format!("`{text}` is no number"), help);
                None
            }
            _ => self.whole(object, name).map(|number: Spanned<T>| number.map(Some)),
        }
    }

    /// The value of a key that is a duration.
    pub(in crate::json) fn duration(
        &mut self,
        object: &Object<'_>,
        name: &str,
    ) -> Option<Spanned<Duration>> {
        let json = object.get(name)?;
        let Kind::Text(text) = &json.kind else {
            return self.wrong(json, &format!("`{name}`"), quantity::DURATION);
        };
        let read = quantity::duration(text);
        self.quantity(json, read, &format!("`{name}` is {}", quantity::DURATION))
    }

    /// The value of a key that is a rate.
    pub(in crate::json) fn rate(
        &mut self,
        object: &Object<'_>,
        name: &str,
    ) -> Option<Spanned<Option<u64>>> {
        let json = object.get(name)?;
        let help = format!("`{name}` is {}, or \"unlimited\"", quantity::RATE);
        let read = match &json.kind {
            Kind::Text(text) if text == "unlimited" => Ok(None),
            Kind::Text(text) => quantity::rate(text).map(Some),
            _ => {
                let rate = self.ranged(json, &format!("`{name}`"), (1, u64::MAX))?;
                Ok(Some(rate))
            }
        };
        self.quantity(json, read, &help)
    }

    /// The value of a key that is a chance.
    pub(in crate::json) fn chance(
        &mut self,
        object: &Object<'_>,
        name: &str,
    ) -> Option<Spanned<Chance>> {
        const HELP: &str = "a chance between 0 and 1, {\"nth\": [1, 3]} or {\"every\": n}";
        let json = object.get(name)?;
        let what = format!("`{name}`");
        match &json.kind {
            Kind::Number => {
                let read = quantity::chance(self.faults.text(json.span));
                self.quantity(json, read, &format!("{what} is {HELP}"))
            }
            Kind::Object(members) => {
                let chance = match members.as_slice() {
                    [one] if one.key.value == "every" => {
                        Chance::Every(self.ranged(&one.value, "`every`", (1, u64::MAX))?)
                    }
                    [one] if one.key.value == "nth" => Chance::Nth(self.ordinals(&one.value)?),
                    _ => {
                        self.fault(json.span, format!("{what} is none of its forms"), HELP);
                        return None;
                    }
                };
                Some(Spanned::new(chance, json.span))
            }
            _ => self.wrong(json, &what, HELP),
        }
    }

    fn ordinals(&mut self, json: &Json) -> Option<Vec<u64>> {
        let Kind::List(items) = &json.kind else {
            return self.wrong(json, "`nth`", "a list of numbers from 1");
        };
        items.iter().map(|item| self.ranged(item, "an ordinal", (1, u64::MAX))).collect()
    }

    fn quantity<T>(
        &mut self,
        json: &Json,
        read: Result<T, String>,
        help: &str,
    ) -> Option<Spanned<T>> {
        match read {
            Ok(value) => Some(Spanned::new(value, json.span)),
            Err(message) => {
                self.fault(json.span, message, help);
                None
            }
        }
    }

    /// `mac`.
    pub(in crate::json) fn mac(&mut self, object: &Object<'_>) -> Option<Spanned<Mac>> {
        let text = self.text(object, "mac")?;
        match text.parse() {
            Ok(mac) => Some(Spanned::new(mac, text.span)),
            Err(error) => {
                let error: wire::MacError = error;
                let message = format!("`{}` is no Ethernet address", text.value);
                self.fault(text.span, message, error.to_string());
                None
            }
        }
    }

    /// `ip`: an address or a list of them, and an empty list for none; `None` where it is left out.
    pub(super) fn addresses(&mut self, object: &Object<'_>) -> Option<Vec<Spanned<Address>>> {
        let items = match object.get("ip")? {
            Json { kind: Kind::List(items), .. } => items.as_slice(),
            json => std::slice::from_ref(json),
        };
        Some(items.iter().filter_map(|item| self.address(item)).collect())
    }

    pub(in crate::json) fn address(&mut self, json: &Json) -> Option<Spanned<Address>> {
        let text = self.plain_text(json, "an IP address")?;
        match text.parse() {
            Ok(address) => Some(Spanned::new(address, json.span)),
            Err(AddressError::Ip) => {
                let help = "such as 10.0.0.1, 10.0.0.1/24 or fd00::1/64";
                self.fault(json.span, format!("`{}` is no IP address", text.value), help);
                None
            }
            Err(AddressError::Prefix(most)) => {
                let message = format!("`{}` has no right prefix length", text.value);
                self.fault(json.span, message, format!("a number from 0 to {most}"));
                None
            }
        }
    }

    /// An expression, all of whose names are bound by an earlier step.
    pub(super) fn expression(&mut self, text: &str, span: Span) -> Option<Expr> {
        let expr = match Expr::parse(text) {
            Ok(expr) => expr,
            Err(error) => {
                // Where the text has no escapes, the place in it is known.
                let inside = Span::new(span.start + 1, span.end.saturating_sub(1));
                let place = match self.faults.text(inside) == text {
                    true => Span::new((inside.start + error.at).min(inside.end), inside.end),
                    false => span,
                };
                let help = "an expression has names ($isn), numbers, + - * and parentheses";
                self.fault(place, error.message, help);
                return None;
            }
        };
        self.names.all_bound(self.faults, &expr, span).then_some(expr)
    }

    /// A number or an expression: what stands in a TCP option.
    pub(in crate::json) fn expr_number(
        &mut self,
        json: &Json,
        what: &str,
        most: u64,
    ) -> Option<Expr> {
        match &json.kind {
            Kind::Text(text) if text.contains('$') => self.expression(text, json.span),
            Kind::Text(text) => {
                let number = match text.strip_prefix("0x") {
                    Some(digits) => u64::from_str_radix(digits, 16),
                    None => text.parse(),
                };
                match number {
                    Ok(number) if number <= most => Some(Expr::number(number)),
                    _ => {
                        let help = format!("{what} is a number from 0 to {most}, or an expression");
                        self.fault(json.span, format!("`{text}` is no such number"), help);
                        None
                    }
                }
            }
            _ => self.ranged(json, what, (0, most)).map(Expr::number),
        }
    }

    /// Bytes in hex.
    pub(in crate::json) fn hex(&mut self, json: &Json, what: &str) -> Option<Vec<u8>> {
        let text = self.plain_text(json, what)?;
        match hex::decode(&text) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let help = format!("{what} is bytes in hex such as \"02 04 05 b4\"");
                self.fault(json.span, error.to_string(), help);
                None
            }
        }
    }

    /// A named value; `computed` says whether it may be an expression.
    pub(super) fn argument(&mut self, member: &Member, computed: bool) -> Option<Argument> {
        let value = self.scalar(&member.value, &format!("`{}`", member.key.value), computed)?;
        let value = Spanned::new(value, member.value.span);
        Some(Argument { name: member.key.clone(), value })
    }

    pub(in crate::json) fn scalar(
        &mut self,
        json: &Json,
        what: &str,
        computed: bool,
    ) -> Option<Scalar> {
        Some(match &json.kind {
            Kind::Bool(flag) => Scalar::Bool(*flag),
            Kind::Number => Scalar::Num(self.number(json, what)?),
            Kind::Text(text) if computed && text.contains('$') => match text.strip_prefix("$$") {
                Some(verbatim) => Scalar::Text(verbatim.into()),
                None => Scalar::Expr(self.expression(text, json.span)?),
            },
            Kind::Text(text) => Scalar::Text(text.clone()),
            Kind::List(items) => {
                let items = items.iter().map(|item| self.scalar(item, what, computed));
                Scalar::List(items.collect::<Option<_>>()?)
            }
            _ => return self.wrong(json, what, "a text, a number, true, false or a list of them"),
        })
    }

    /// The field that a layer's key names, with the known keys in the fault.
    pub(super) fn layer_field(
        &mut self,
        proto: Proto,
        key: &Spanned<String>,
    ) -> Option<&'static wire::Field> {
        let field = proto.field(key);
        if field.is_none() {
            let message = format!("unknown field `{}` in the layer {}", key.value, proto.key());
            self.fault(key.span, message, suggestion(key, &layer_names(proto)));
        }
        debug_assert!(field.is_none_or(|field| fields::by_path(&field.path()) == Some(field)));
        field
    }
}

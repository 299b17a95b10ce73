//! TCP options by name.

use wire::TcpOption;

use super::decoder::{Decoder, Object};
use crate::diagnostic::suggestion;
use crate::expr::Expr;
use crate::json::keys::{TCP_OPTION, TCP_OPTION_WORDS, USER_TIMEOUT};
use crate::json::tree::{Json, Kind};
use crate::model::OptionTemplate;

impl Decoder<'_, '_> {
    pub(super) fn tcp_options(&mut self, items: &[Json]) -> Vec<OptionTemplate> {
        items.iter().filter_map(|item| self.tcp_option(item)).collect()
    }

    fn tcp_option(&mut self, json: &Json) -> Option<OptionTemplate> {
        let fixed = |option| Some(OptionTemplate::Fixed(option));
        if let Kind::Text(word) = &json.kind {
            return match word.as_str() {
                "nop" => fixed(TcpOption::Nop),
                "eol" => fixed(TcpOption::EndOfList),
                "sack-permitted" => fixed(TcpOption::SackPermitted),
                _ => self.unknown_option(json, word),
            };
        }
        let object = self.object(json, &TCP_OPTION)?;
        let keys: Vec<&str> = object.members.iter().map(|member| member.key.as_str()).collect();
        let value = object.members.first().map_or(json, |member| &member.value);
        match keys.as_slice() {
            ["mss"] => Some(OptionTemplate::Mss(self.expr_number(value, "`mss`", 0xffff)?)),
            ["window-scale"] => {
                let shift = self.expr_number(value, "`window-scale`", 0xff)?;
                Some(OptionTemplate::WindowScale(shift))
            }
            ["timestamps"] => {
                let (value, echo) = self.two_numbers(value, "`timestamps`")?;
                Some(OptionTemplate::Timestamps(value, echo))
            }
            ["sack"] => {
                let blocks = self.list(&object, "sack").iter();
                let blocks = blocks.map(|block| self.two_numbers(block, "a block of `sack`"));
                Some(OptionTemplate::Sack(blocks.collect::<Option<_>>()?))
            }
            ["user-timeout"] => fixed(self.user_timeout(value)?),
            ["fast-open"] => fixed(TcpOption::FastOpen(self.hex(value, "`fast-open`")?)),
            ["raw"] => fixed(TcpOption::Raw(self.hex(value, "`raw`")?)),
            ["kind"] | ["kind", "data"] | ["data", "kind"] => fixed(self.other(&object)?),
            _ => {
                let help = "one option each; only `kind` and `data` stand together";
                self.fault(json.span, "an option of no kind or of several", help);
                None
            }
        }
    }

    fn unknown_option<T>(&mut self, json: &Json, word: &str) -> Option<T> {
        let words = TCP_OPTION_WORDS.map(|(word, _)| word);
        let help = match TCP_OPTION.key(word) {
            Some(_) => format!("`{word}` takes a value: {{\"{word}\": …}}"),
            None => suggestion(word, &[&words[..], &TCP_OPTION.names()].concat()),
        };
        self.fault(json.span, format!("unknown TCP option `{word}`"), help);
        None
    }

    fn two_numbers(&mut self, json: &Json, what: &str) -> Option<(Expr, Expr)> {
        match &json.kind {
            Kind::List(items) if items.len() == 2 => {
                let first = self.expr_number(&items[0], what, 0xffff_ffff);
                let second = self.expr_number(&items[1], what, 0xffff_ffff);
                Some((first?, second?))
            }
            _ => self.wrong(json, what, "a list of two numbers or expressions"),
        }
    }

    fn user_timeout(&mut self, json: &Json) -> Option<TcpOption> {
        let object = self.object(json, &USER_TIMEOUT)?;
        let minutes = object.get("minutes").is_some();
        if minutes == object.get("seconds").is_some() {
            self.fault(json.span, "`user-timeout` of no unit or of two", "`seconds` or `minutes`");
            return None;
        }
        let timeout = self.whole(&object, if minutes { "minutes" } else { "seconds" })?.value;
        Some(TcpOption::UserTimeout { minutes, timeout })
    }

    fn other(&mut self, object: &Object<'_>) -> Option<TcpOption> {
        let kind = self.whole(object, "kind");
        let data = match object.get("data") {
            Some(data) => self.hex(data, "`data`")?,
            None => Vec::new(),
        };
        Some(TcpOption::Other { kind: kind?.value, data })
    }
}

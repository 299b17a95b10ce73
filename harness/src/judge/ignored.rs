//! What a comparison of two captures leaves aside: by `--ignore`, as the tables of fields have it.
//! Knows no file and no order of frames.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Result, bail};
use wire::diff::FieldDiff;
use wire::view::{LaxFrame, LayerView, lax};
use wire::{Field, Form, Frame, Proto, fields};

/// Fields and layers whose values are not compared, and whether interfaces and times are.
#[derive(Clone, Debug, Default)]
pub struct Ignored {
    /// Names of interfaces.
    pub interface: bool,
    /// Times.
    pub time: bool,
    fields: BTreeSet<String>,
    layers: BTreeSet<Proto>,
    mac: bool,
}

impl Ignored {
    /// From the words of `--ignore`.
    ///
    /// # Errors
    /// Names the first word that is nothing to ignore, and the nearest that is.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut ignored = Self::default();
        for word in words {
            match word.as_str() {
                "interface" => ignored.interface = true,
                "time" => ignored.time = true,
                "mac" => ignored.mac = true,
                path if fields::by_path(path).is_some() => {
                    ignored.fields.insert(path.to_owned());
                }
                layer => match Proto::from_key(layer) {
                    Some(proto) => {
                        ignored.layers.insert(proto);
                    }
                    None => bail!("--ignore {word}: {}", unknown(word)),
                },
            }
        }
        Ok(ignored)
    }

    /// The captured bytes with what is ignored set to zero; `None` where nothing of them is.
    #[must_use]
    pub fn hidden(&self, frame: Frame<'_>) -> Option<Vec<u8>> {
        if !self.hides() {
            return None;
        }
        let view = lax(frame);
        let mut bytes = frame.bytes.to_vec();
        for layer in view.layers() {
            for bits in self.bits(&view, layer) {
                for bit in bits.start..bits.end.min(bytes.len() * 8) {
                    bytes[bit / 8] &= !(0x80 >> (bit % 8));
                }
            }
        }
        Some(bytes)
    }

    /// The differences that are not ignored.
    #[must_use]
    pub fn left(
        &self,
        all: Vec<FieldDiff>,
        expected: Frame<'_>,
        actual: Frame<'_>,
    ) -> Vec<FieldDiff> {
        if !self.hides() {
            return all;
        }
        let views = [lax(expected), lax(actual)];
        let follows = |diff: &FieldDiff, field: &Field| {
            let right = |view: &LaxFrame<'_>| {
                let layer = view.layer(field.proto, diff.occurrence);
                layer.is_some_and(|layer| sum_is_hidden(view, layer))
            };
            field.key == "checksum" && views.iter().all(right)
        };
        let counts = |diff: &FieldDiff| {
            let quoted = diff.path.starts_with("quote.");
            let field = diff.field.filter(|_| !quoted);
            !diff.proto.is_some_and(|proto| self.layers.contains(&proto) && !quoted)
                && !field.is_some_and(|field| self.has(field) || follows(diff, field))
        };
        all.into_iter().filter(counts).collect()
    }

    fn hides(&self) -> bool {
        self.mac || !self.fields.is_empty() || !self.layers.is_empty()
    }

    fn has(&self, field: &Field) -> bool {
        self.mac && field.form == Form::Mac || self.fields.contains(&field.path())
    }

    /// The bits of a layer that are not compared, from the frame's start. A checksum that is right
    /// follows from what it covers, so it is compared only where it is wrong.
    fn bits(&self, view: &LaxFrame<'_>, layer: &LayerView) -> Vec<Range<usize>> {
        if self.layers.contains(&layer.proto) {
            let all = layer.start * 8..layer.end.saturating_mul(8);
            return std::iter::once(all).collect();
        }
        let ignored = |field: &&&'static Field| {
            self.has(field) || field.key == "checksum" && sum_is_hidden(view, layer)
        };
        let place = |field: &&'static Field| {
            let start = layer.start * 8 + usize::from(field.bit);
            match field.width {
                0 => start..layer.end.saturating_mul(8),
                width => start..(start + usize::from(width)).min(layer.end.saturating_mul(8)),
            }
        };
        layer.proto.fields().iter().filter(ignored).map(place).collect()
    }
}

/// A checksum that is not wrong, as far as can be told.
fn sum_is_hidden(view: &LaxFrame<'_>, layer: &LayerView) -> bool {
    view.checksum(layer).is_none_or(|sum| sum.ok)
}

/// What stands near a word that is nothing to ignore.
fn unknown(word: &str) -> String {
    let layer = word.split_once('.').and_then(|(layer, _)| Proto::from_key(layer));
    let names: Vec<String> = match layer {
        Some(proto) => proto.fields().iter().map(|field| field.path()).collect(),
        None => ["interface", "time", "mac"]
            .into_iter()
            .chain(Proto::ALL.map(Proto::key))
            .map(Into::into)
            .collect(),
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let what = if word.contains('.') { "no field" } else { "neither a layer nor a field" };
    format!("{what}; {}", scenario::suggestion(word, &names))
}

#[cfg(test)]
mod tests;

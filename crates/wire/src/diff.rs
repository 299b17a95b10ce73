//! Two frames field by field: what was expected, what came, and what the difference may mean.
//!
//! Layers are paired from the outside in; where one is missing or extra that is said and the
//! pairing goes on behind it. Every byte that differs is within some difference's range: what no
//! field explains is told as bytes. Knows no mask and no verdict: the reader decides what may
//! differ.

use std::fmt;
use std::ops::Range;

use crate::Frame;
use crate::Hex;
use crate::field::{Field, Form, Proto, Value};
use crate::options;
use crate::render::{count, meaning as word};
use crate::view::{LaxFrame, LayerView, lax};

mod meaning;
#[cfg(test)]
mod tests;

/// One difference between two frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDiff {
    /// The layer; none for bytes that no layer explains.
    pub proto: Option<Proto>,
    /// The how-manyth layer of that protocol in the expected frame, from 0.
    pub occurrence: usize,
    /// The field, where the difference is one field's.
    pub field: Option<&'static Field>,
    /// `tcp.ack`, `vlan[1].id` for the second tag, `quote.ip4.ttl` within an ICMP error, `tcp` for
    /// a layer, `frame.trailer` or `frame.bytes`; `frame.length` and `frame.link` for the whole.
    pub path: String,
    /// Its name in the RFC.
    pub title: String,
    /// The bytes it stands in: of the expected frame, of the actual one for what only that has.
    pub bytes: Range<usize>,
    /// The value expected, as text.
    pub expected: String,
    /// The value that came, as text.
    pub actual: String,
    /// What the difference may mean, in a few words.
    pub meaning: Option<String>,
}

/// `tcp.ack  Acknowledgment Number  expected 140, got 139  at 42..46 (off by -1)`.
impl fmt::Display for FieldDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, title, bytes, expected, actual, .. } = self;
        let Range { start, end } = bytes;
        write!(f, "{path}  {title}  expected {expected}, got {actual}")?;
        if !bytes.is_empty() {
            write!(f, "  at {start}..{end}")?;
        }
        self.meaning.as_ref().map_or(Ok(()), |meaning| write!(f, " ({meaning})"))
    }
}

/// Every difference between two frames, in order of the layers; none when they are equal as far as
/// both were captured.
#[must_use]
pub fn diff<'a>(expected: impl Into<Frame<'a>>, actual: impl Into<Frame<'a>>) -> Vec<FieldDiff> {
    let (mut expected, mut actual) = (expected.into(), actual.into());
    if expected == actual {
        return Vec::new();
    }
    let mut out = Vec::new();
    let cut = expected.is_cut() || actual.is_cut();
    if cut && expected.original_len != actual.original_len {
        let lengths = [expected, actual].map(|frame| frame.original_len.to_string());
        out.push(whole("frame.length", "Length on the wire", lengths));
    }
    if expected.link != actual.link {
        let links = [expected, actual].map(|frame| frame.link.to_string());
        out.push(whole("frame.link", "Link type", links));
    }
    (expected.bytes, actual.bytes) = common(expected, actual);
    let (expected, actual) = (lax(expected), lax(actual));
    let mut differ = Differ { expected: &expected, actual: &actual, out };
    differ.layers();
    differ.rest();
    differ.out
}

/// The bytes of two frames that can be compared: what one capture lost is not looked at in the
/// other.
#[must_use]
pub fn common<'a>(expected: Frame<'a>, actual: Frame<'a>) -> (&'a [u8], &'a [u8]) {
    let as_far = |frame: Frame<'a>, other: Frame<'_>| {
        let most = if other.is_cut() { other.bytes.len() } else { usize::MAX };
        &frame.bytes[..frame.bytes.len().min(most)]
    };
    (as_far(expected, actual), as_far(actual, expected))
}

/// A difference of what the capture says of the whole frame.
fn whole(path: &str, title: &str, [expected, actual]: [String; 2]) -> FieldDiff {
    FieldDiff {
        proto: None,
        occurrence: 0,
        field: None,
        path: path.into(),
        title: title.into(),
        bytes: 0..0,
        expected,
        actual,
        meaning: None,
    }
}

struct Differ<'a> {
    expected: &'a LaxFrame<'a>,
    actual: &'a LaxFrame<'a>,
    out: Vec<FieldDiff>,
}

impl Differ<'_> {
    fn layers(&mut self) {
        let (expected, actual) = (self.expected, self.actual);
        let quotes = protos(expected.quote()) == protos(actual.quote())
            && !expected.quote().is_empty()
            && expected.quote()[0].start == actual.quote()[0].start;
        let (mut ours, mut theirs) = (expected.layers(), actual.layers());
        loop {
            (ours, theirs) = match (ours, theirs) {
                ([], []) => break,
                ([a, ours @ ..], [b, theirs @ ..]) if a.proto == b.proto => {
                    if quotes && a.start == expected.quote()[0].start {
                        for (a, b) in expected.quote().iter().zip(actual.quote()) {
                            self.pair("quote.", a, b);
                        }
                    } else {
                        self.pair("", a, b);
                    }
                    (ours, theirs)
                }
                // An extra layer in the actual frame, when what is expected stands right behind.
                (ours, [b, rest @ ..])
                    if ours.first().map(|a| a.proto) == rest.first().map(|b| b.proto) =>
                {
                    self.one_sided(None, Some(b));
                    (ours, rest)
                }
                ([a, rest @ ..], theirs) => {
                    let missing = rest.first().map(|a| a.proto) == theirs.first().map(|b| b.proto);
                    if missing {
                        self.one_sided(Some(a), None);
                        (rest, theirs)
                    } else {
                        self.one_sided(Some(a), theirs.first());
                        (rest, theirs.get(1..).unwrap_or(&[]))
                    }
                }
                ([], [b, theirs @ ..]) => {
                    self.one_sided(None, Some(b));
                    ([].as_slice(), theirs)
                }
            };
        }
    }

    /// A layer that stands in one frame only, or where the other has another one.
    fn one_sided(&mut self, ours: Option<&LayerView>, theirs: Option<&LayerView>) {
        let Some(layer) = ours.or(theirs) else { return };
        let text = |layer: Option<&LayerView>| {
            layer.map_or_else(
                || "no such layer".into(),
                |layer| {
                    format!("{}, {}", layer.proto.key(), count(layer.end - layer.start, "byte"))
                },
            )
        };
        let what = match (ours, theirs) {
            (Some(_), Some(_)) => "another layer stands here",
            (Some(_), None) => "the layer is missing",
            _ => "the layer is extra",
        };
        self.out.push(FieldDiff {
            proto: Some(layer.proto),
            occurrence: self.occurrence(layer),
            field: None,
            path: layer.proto.key().into(),
            title: layer.proto.title().into(),
            bytes: layer.start..layer.end,
            expected: text(ours),
            actual: text(theirs),
            meaning: Some(what.into()),
        });
    }

    /// How many layers of the protocol stand before this one.
    fn occurrence(&self, layer: &LayerView) -> usize {
        let before = |view: &LaxFrame<'_>| {
            let own = if view.layers().contains(layer) { view.layers() } else { view.quote() };
            let at = own.iter().position(|known| known == layer)?;
            Some(own[..at].iter().filter(|known| known.proto == layer.proto).count())
        };
        before(self.expected).or_else(|| before(self.actual)).unwrap_or(0)
    }

    /// The same layer in both frames, field by field.
    fn pair(&mut self, prefix: &str, ours: &LayerView, theirs: &LayerView) {
        let occurrence = self.occurrence(ours);
        for field in ours.proto.fields().iter().copied().filter(|field| !field.alias) {
            let expected = self.expected.read_in(ours, field);
            let actual = self.actual.read_in(theirs, field);
            let (Some(expected), Some(actual)) = (expected, actual) else { continue };
            if expected == actual {
                continue;
            }
            let within = field.bytes();
            let mut start = ours.start + within.start;
            let mut end = match field.form {
                Form::Bytes => ours.start + (ours.end - ours.start).max(theirs.end - theirs.start),
                _ => ours.start + within.end,
            };
            let (mut wanted, mut got) = (text(field, &expected), text(field, &actual));
            if let (Value::Bytes(a), Value::Bytes(b)) = (&expected, &actual)
                && field.proto != Proto::Tcp
            {
                let (from, to) = span(a, b);
                (wanted, got) = (excerpt(a, &(from..to)), excerpt(b, &(from..to)));
                (start, end) = (start + from, start + to);
            }
            let path = match occurrence {
                0 => format!("{prefix}{}", field.path()),
                nth => format!("{prefix}{}[{nth}].{}", field.proto.key(), field.key),
            };
            let pair = meaning::Pair { ours, theirs, expected: &expected, actual: &actual };
            self.out.push(FieldDiff {
                proto: Some(field.proto),
                occurrence,
                field: Some(field),
                path,
                title: field.title.into(),
                bytes: start..end,
                expected: wanted,
                actual: got,
                meaning: meaning::of(self.expected, self.actual, field, &pair),
            });
        }
    }

    /// What no field above explains: padding, headers cut within a field, bytes that are shifted.
    fn rest(&mut self) {
        let (ours, theirs) = (self.expected.bytes(), self.actual.bytes());
        let length = ours.len().max(theirs.len());
        let mut text = vec![false; length];
        for known in &self.out {
            let range = known.bytes.start.min(length)..known.bytes.end.min(length);
            text[range].fill(true);
        }
        let open = |at: &usize| !text[*at] && ours.get(*at) != theirs.get(*at);
        let mut at = 0;
        while let Some(start) = (at..length).find(open) {
            // One run goes on over bytes that happen to be equal, but not into another's range.
            let stop = (start..length).find(|at| text[*at]).unwrap_or(length);
            let end = (start..stop).rev().find(open).map_or(stop, |last| last + 1);
            self.bytes(start..end);
            at = end;
        }
    }

    fn bytes(&mut self, range: Range<usize>) {
        let (ours, theirs) = (self.expected.bytes(), self.actual.bytes());
        let trailer = self.expected.trailer().start.max(self.actual.trailer().start);
        let (path, title) = if range.start >= trailer {
            ("frame.trailer", "Padding or trailer")
        } else {
            ("frame.bytes", "Bytes")
        };
        let meaning = match theirs.len() as i64 - ours.len() as i64 {
            0 => None,
            more @ 1.. => Some(format!("the frame is {} longer", count(more as usize, "byte"))),
            less => {
                let less = count(less.unsigned_abs() as usize, "byte");
                Some(format!("the frame is {less} shorter"))
            }
        };
        self.out.push(FieldDiff {
            proto: None,
            occurrence: 0,
            field: None,
            path: path.into(),
            title: title.into(),
            expected: excerpt(ours, &range),
            actual: excerpt(theirs, &range),
            bytes: range,
            meaning,
        });
    }
}

fn protos(layers: &[LayerView]) -> Vec<Proto> {
    layers.iter().map(|layer| layer.proto).collect()
}

/// A value in words: options by name, numbers with what they stand for.
fn text(field: &Field, value: &Value) -> String {
    let text = field.text(value);
    match (value, word(field, value)) {
        (Value::Bytes(bytes), _) if bytes.is_empty() => "nothing".into(),
        (Value::Bytes(bytes), _) if field.proto == Proto::Tcp => {
            format!("[{}]", options::text(&options::decode(bytes)))
        }
        (_, Some(word)) => format!("{text} ({word})"),
        _ => text,
    }
}

/// From the first to behind the last byte that differs; to the longer one's end where one ends.
fn span(ours: &[u8], theirs: &[u8]) -> (usize, usize) {
    let length = ours.len().max(theirs.len());
    let differs = |at: &usize| ours.get(*at) != theirs.get(*at);
    let first = (0..length).find(differs).unwrap_or(0);
    (first, (0..length).rev().find(differs).map_or(0, |last| last + 1))
}

/// Up to sixteen bytes of a range in hex.
fn excerpt(bytes: &[u8], range: &Range<usize>) -> String {
    let part = &bytes[range.start.min(bytes.len())..range.end.min(bytes.len())];
    if part.is_empty() {
        return "nothing".into();
    }
    let shown = Hex(&part[..part.len().min(16)]).to_string();
    if part.len() > 16 { format!("{shown}… ({} bytes)", part.len()) } else { shown }
}

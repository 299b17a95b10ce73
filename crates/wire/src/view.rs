//! What the bytes of a frame are. The lax view goes as far as it can and notes each lie on its way;
//! the strict view refuses the first. Neither knows what a node meant, nor repairs anything.
//!
//! No function here panics on any bytes. Positions count from the frame's first byte.

use std::fmt;
use std::ops::Range;

use crate::Frame;
use crate::field::{Field, Proto, Value};

mod options;
mod sums;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use options::whole_options;
pub use options::{RawOption, raw_options};
pub use sums::ChecksumView;

/// One layer of a frame: where its header is and how far what it carries goes, on the wire. Where
/// the capture cut the frame, places may lie behind the bytes that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerView {
    /// Its protocol.
    pub proto: Proto,
    /// The first byte of its header.
    pub start: usize,
    /// The byte after its header, options included; held within the frame when a length lies.
    pub end: usize,
    /// The byte after what it carries, by its own length or that of the layer around it.
    pub limit: usize,
}

/// A frame as far as it can be told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaxFrame<'a> {
    frame: Frame<'a>,
    layers: Vec<LayerView>,
    quote: Vec<LayerView>,
    trailer: Range<usize>,
    truncated: bool,
    fragment: bool,
    stop: Option<HeaderError>,
    faults: Vec<HeaderError>,
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Fewer bytes are there than the header, or what its length claims, needs.
    Short,
    /// A length is smaller than what it counts.
    Small,
    /// A length is smaller than what the layer around it carries.
    Disagrees,
    /// A field has another value than the one that its header must have.
    Value,
    /// An option's length runs over the end of the list, or is less than 2.
    Option,
}

/// Why a header is not what it claims: the layer, the place, the numbers and whose claim it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderError {
    /// The layer whose header it is.
    pub layer: Proto,
    /// The first byte of the header, or of the option.
    pub offset: usize,
    /// How many bytes were claimed or needed; for [`Fault::Value`] the right value.
    pub needed: usize,
    /// How many bytes there were; for [`Fault::Value`] the value found.
    pub had: usize,
    /// The field that claimed it; none where the header's fixed part does not fit.
    pub claimed_by: Option<&'static Field>,
    /// In what way.
    pub fault: Fault,
}

impl std::error::Error for HeaderError {}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, needed, had, .. } = self;
        let layer = self.layer.key();
        let claim = self.claimed_by.map_or_else(|| layer.to_string(), Field::path);
        let bytes = |number: &usize| if *number == 1 { "byte" } else { "bytes" };
        let are = |number: &usize| if *number == 1 { "is" } else { "are" };
        let (wanted, there, room) = (bytes(needed), are(had), bytes(had));
        match (self.fault, self.claimed_by) {
            (Fault::Short, None) => write!(
                f,
                "{layer} header at byte {offset} needs {needed} {wanted}, {had} {there} there"
            ),
            (Fault::Short, Some(_)) => {
                write!(
                    f,
                    "{claim} claims {needed} {wanted} from byte {offset}, {had} {there} there"
                )
            }
            (Fault::Small, _) => {
                let are = are(needed);
                write!(f, "{claim} claims {had} {room} from byte {offset}, {needed} {are} needed")
            }
            (Fault::Disagrees, _) => write!(
                f,
                "{claim} claims {needed} {wanted} from byte {offset}, the layer around has {had}"
            ),
            (Fault::Value, _) => {
                write!(f, "{claim} of the header at byte {offset} is {had}, not {needed}")
            }
            (Fault::Option, _) => write!(
                f,
                "{layer} option at byte {offset} claims {needed} {wanted}, {had} {there} there"
            ),
        }
    }
}

/// The lax view: every layer that can be told, whatever lies.
#[must_use]
pub fn lax<'a>(frame: impl Into<Frame<'a>>) -> LaxFrame<'a> {
    LaxFrame::parse(frame)
}

/// The strict view: every version, length and option list is what it must be. Bytes behind the IP
/// packet are Ethernet's padding and no fault; checksums are not looked at.
///
/// # Errors
/// The first header that is not what it claims.
pub fn strict<'a>(frame: impl Into<Frame<'a>>) -> Result<LaxFrame<'a>, HeaderError> {
    let view = LaxFrame::parse(frame);
    match view.faults.first() {
        Some(fault) => Err(*fault),
        None => Ok(view),
    }
}

impl<'a> LaxFrame<'a> {
    /// Takes a frame apart, from the link's own header on.
    #[must_use]
    pub fn parse(frame: impl Into<Frame<'a>>) -> Self {
        walk::walk(frame.into(), false)
    }

    /// Takes a frame apart as far as a scenario can name its layers; whatever else a header
    /// carries is payload. Expectations, masks and the renderings of goldens are held against
    /// this, so that a header that is opened one day changes none of them.
    #[must_use]
    pub fn as_sent(frame: impl Into<Frame<'a>>) -> Self {
        walk::walk(frame.into(), true)
    }

    /// What was captured of the frame.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.frame.bytes
    }

    /// The frame as the capture has it.
    #[must_use]
    pub const fn frame(&self) -> Frame<'a> {
        self.frame
    }

    /// The bytes of the frame check sequence that were captured, where the capture says that frames
    /// have one.
    #[must_use]
    pub fn fcs(&self) -> Range<usize> {
        self.trailer.end..self.frame.bytes.len()
    }

    /// Its layers from the outside in; what no header claims is a layer [`Proto::Payload`].
    #[must_use]
    pub fn layers(&self) -> &[LayerView] {
        &self.layers
    }

    /// The layers that an ICMP error quotes, from IP down. They lie within the frame's own payload,
    /// are never found by [`LaxFrame::layer`], and their lengths are no fault: a quote is cut.
    #[must_use]
    pub fn quote(&self) -> &[LayerView] {
        &self.quote
    }

    /// The bytes after all that lengths account for: Ethernet's padding, or a trailer.
    #[must_use]
    pub fn trailer(&self) -> Range<usize> {
        self.trailer.clone()
    }

    /// The header at which the bytes ended, so that nothing after it could be told.
    #[must_use]
    pub const fn stop(&self) -> Option<HeaderError> {
        self.stop
    }

    /// Every header that is not what it claims, in order; empty for a strict frame.
    #[must_use]
    pub fn faults(&self) -> &[HeaderError] {
        &self.faults
    }

    /// It is an IP fragment, the first or a later one.
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        self.fragment
    }

    /// An IP length claims more bytes than the frame has.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The layer of a protocol: the outermost for 0, the next within for 1.
    #[must_use]
    pub fn layer(&self, proto: Proto, occurrence: usize) -> Option<&LayerView> {
        self.layers.iter().filter(|layer| layer.proto == proto).nth(occurrence)
    }

    /// The outermost layer of a protocol.
    #[must_use]
    pub fn find(&self, proto: Proto) -> Option<&LayerView> {
        self.layer(proto, 0)
    }

    /// The header's bytes of one of its layers, all bytes of a payload; as far as captured.
    #[must_use]
    pub fn header(&self, layer: &LayerView) -> &'a [u8] {
        let bytes = self.frame.bytes;
        bytes.get(layer.start..layer.end.min(bytes.len())).unwrap_or(&[])
    }

    /// The capture lost a part of this header, or all of it.
    #[must_use]
    pub fn is_lost(&self, layer: &LayerView) -> bool {
        layer.end > self.frame.bytes.len()
    }

    /// The value of a field in the layer of that occurrence; `None` where there is no such layer
    /// or its header ends before the field does.
    #[must_use]
    pub fn read(&self, field: &Field, occurrence: usize) -> Option<Value> {
        self.read_in(self.layer(field.proto, occurrence)?, field)
    }

    /// The value of a field in this layer, which may be a quoted one.
    #[must_use]
    pub fn read_in(&self, layer: &LayerView, field: &Field) -> Option<Value> {
        let header = self.header(layer);
        let placed = field.proto != Proto::Arp || field.bit < 64 || has_table_s_places(header);
        (layer.proto == field.proto && placed).then(|| field.read(header))?
    }

    /// The number in a field of this layer, 0 where it cannot be read.
    pub(crate) fn number(&self, layer: &LayerView, field: &Field) -> u64 {
        match self.read_in(layer, field) {
            Some(Value::Num(number)) => number,
            _ => 0,
        }
    }

    /// Every field of every layer that can be read, once (no aliases), from the outside in.
    pub fn fields(&self) -> impl Iterator<Item = (&LayerView, &'static Field, Value)> {
        self.layers.iter().flat_map(move |layer| {
            let fields = layer.proto.fields().iter().copied().filter(|field| !field.alias);
            fields.filter_map(move |field| Some((layer, field, self.read_in(layer, field)?)))
        })
    }

    /// The payload's bytes, empty without one.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.find(Proto::Payload).map_or(&[], |layer| self.header(layer))
    }
}

/// The addresses of this ARP message stand where the table has them: those of Ethernet and IPv4,
/// or sizes that cannot be, so that nothing says where else.
fn has_table_s_places(arp: &[u8]) -> bool {
    let [_, _, _, _, hardware, protocol, ..] = *arp else { return true };
    let sized = 8 + 2 * (usize::from(hardware) + usize::from(protocol));
    (hardware, protocol) == (6, 4) || (arp.len() == 28 && sized > 28)
}

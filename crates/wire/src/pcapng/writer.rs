//! Writing pcapng frame by frame, of any link type and as the capture cut it. Knows blocks and no
//! header of a frame.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::{DataLink, Endianness};

use super::{comment, parts};
use crate::Frame;
use crate::capture::{Interface, PortId};
use crate::time::Instant;

/// Writes a capture of any size: interfaces before the frames that are of them, in any order.
pub struct Writer<W: Write> {
    blocks: PcapNgWriter<W>,
}

impl<W: Write> Writer<W> {
    /// Begins a capture.
    ///
    /// # Errors
    /// What the output says.
    pub fn new(output: W) -> io::Result<Self> {
        let blocks = PcapNgWriter::with_endianness(output, Endianness::Little);
        Ok(Self { blocks: blocks.map_err(io::Error::other)? })
    }

    /// Describes the next interface; they count from 0.
    ///
    /// # Errors
    /// What the output says, or a name that pcapng cannot hold.
    pub fn interface(&mut self, interface: &Interface) -> io::Result<()> {
        let link = DataLink::from(u32::from(interface.link.number()));
        let mut block = InterfaceDescriptionBlock::new(link, 0);
        block.options = vec![
            InterfaceDescriptionOption::IfName(Cow::Borrowed(&interface.name)),
            InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
        ];
        if interface.fcs_len > 0 {
            block.options.push(InterfaceDescriptionOption::IfFcsLen(interface.fcs_len));
        }
        self.blocks.write_pcapng_block(block).map(drop).map_err(io::Error::other)
    }

    /// Writes a frame of an interface that was described, with its comments.
    ///
    /// # Errors
    /// What the output says, or a frame that pcapng cannot hold.
    pub fn frame(
        &mut self,
        time: Instant,
        interface: PortId,
        frame: Frame<'_>,
        comments: &[String],
    ) -> io::Result<()> {
        let block = EnhancedPacketBlock {
            interface_id: u32::from(interface.0),
            timestamp: Duration::from_nanos(time.as_nanos()),
            original_len: u32::try_from(frame.original_len).map_err(io::Error::other)?,
            data: Cow::Borrowed(frame.bytes),
            options: comments.iter().flat_map(|text| parts(text)).map(comment).collect(),
        };
        self.blocks.write_pcapng_block(block).map(drop).map_err(io::Error::other)
    }

    /// Ends the capture.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(self) -> io::Result<()> {
        self.blocks.into_inner().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LinkType;
    use crate::pcapng::{Reader, Taken};

    #[test]
    fn what_is_written_is_read_again() {
        let interfaces = [
            Interface { name: "any".into(), link: LinkType::Sll2, fcs_len: 0 },
            Interface { name: "eth0".into(), link: LinkType::Ethernet, fcs_len: 4 },
        ];
        let frame = |link, fcs_len| Frame { bytes: &[1, 2, 3], link, original_len: 99, fcs_len };
        let said = ["a comment".to_owned()];
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes).expect("a writer");
        let (first, second) = (frame(LinkType::Sll2, 0), frame(LinkType::Ethernet, 4));
        writer.interface(&interfaces[0]).expect("an interface");
        writer.frame(Instant::from_nanos(5), PortId(0), first, &said).expect("a frame");
        writer.interface(&interfaces[1]).expect("an interface");
        writer.frame(Instant::from_nanos(7), PortId(1), second, &[]).expect("a frame");
        writer.finish().expect("the end");
        let mut reader = Reader::new(&bytes[..]);
        let taken = |number, time, port, frame, comments| Taken {
            number,
            time: Instant::from_nanos(time),
            interface: PortId(port),
            frame,
            comments,
        };
        let read = reader.next_frame().expect("a frame");
        assert_eq!(read, Some(taken(1, 5, 0, first, said.to_vec())));
        assert_eq!(reader.next_frame().expect("a frame"), Some(taken(2, 7, 1, second, vec![])));
        assert_eq!(reader.next_frame().expect("the end"), None);
        assert_eq!(reader.interfaces(), interfaces);
    }
}

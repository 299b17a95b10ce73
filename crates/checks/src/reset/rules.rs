//! The reset checks by name, each with its clause.

use crate::check::{Check, Level};

pub(crate) static RST_TO_RST: Check = Check {
    id: "rst-to-rst",
    clause: "RFC 9293 3.10.7.1",
    requirement: "U9293-RSTGEN-3",
    level: Level::Must,
    title: "a reset is never answered with a reset",
    about: "A segment with RST that meets no connection is discarded, whatever other flags it has. \
            Two ends that answered resets with resets would never stop.",
};
pub(crate) static RST_UNPROVOKED: Check = Check {
    id: "rst-unprovoked",
    clause: "RFC 9293 3.5.2, 3.10.7.1",
    requirement: "U9293-RSTGEN-15",
    level: Level::Must,
    title: "a closed port sends a reset only in answer to a segment",
    about: "Where there is no connection, a reset is caused by the arrival of a segment. So for \
            each reset of a closed port there is one that was delivered before it, between the \
            same ends. A node said to answer nothing sends none at all.",
};
pub(crate) static RST_FLAGS: Check = Check {
    id: "rst-flags",
    clause: "RFC 9293 3.5.2, 3.10.7.1",
    requirement: "U9293-RSTGEN-1",
    level: Level::Must,
    title: "a reset has ACK exactly when the segment it answers had none",
    about: "A segment with ACK tells which sequence number its sender awaits, and RST alone with \
            that number is enough. A segment without tells nothing: the reset then acknowledges \
            it, with RST,ACK, so that its sender can see that it is meant.",
};
pub(crate) static RST_SEQ: Check = Check {
    id: "rst-seq",
    clause: "RFC 9293 3.5.2, 3.10.7.1",
    requirement: "U9293-RSTGEN-2",
    level: Level::Must,
    title: "the reset's seq is SEG.ACK, or 0 without one",
    about: "A receiver believes a reset only at the sequence number it awaits, which is what the \
            segment acknowledged. Where the segment had no ACK the number is zero.",
};
pub(crate) static RST_ACK: Check = Check {
    id: "rst-ack",
    clause: "RFC 9293 3.4, 3.10.7.1",
    requirement: "U9293-RSTGEN-4",
    level: Level::Must,
    title: "the reset's ack is SEG.SEQ + SEG.LEN",
    about: "The length of a segment counts its payload and one each for SYN and FIN, modulo 2^32. \
            Ethernet padding is not payload, nor are options; a wrong ack makes a peer in \
            SYN-SENT ignore the reset and try again.",
};
pub(crate) static RST_DOUBLED: Check = Check {
    id: "rst-doubled",
    clause: "RFC 9293 3.10.7.1",
    requirement: "U9293-RSTGEN-16",
    level: Level::Must,
    title: "each delivered copy of a segment is answered once",
    about: "One arrival causes one reset. A second one for the same arrival is traffic that nobody \
            asked for; a link that duplicates the segment does cause two.",
};
pub(crate) static RST_MISSING: Check = Check {
    id: "rst-missing",
    clause: "RFC 9293 3.10.7.1",
    requirement: "U9293-RSTGEN-17",
    level: Level::Must,
    title: "a closed port answers every segment but a reset",
    about: "Silence would leave the peer to its timeouts. Only segments that no implementation has \
            reason to drop count here: valid lengths and checksums, one host's source, no IP \
            options, delivered to the port's own addresses.",
};
pub(crate) static RST_PORTS: Check = Check {
    id: "rst-ports",
    clause: "RFC 9293 3.5.2",
    requirement: "U9293-RSTGEN-18",
    level: Level::Must,
    title: "a reset goes back between the ends of the segment it answers",
    about: "Addresses and ports of the reset are those of the segment, swapped; with others it \
            reaches nobody, or ends a connection that did nothing. Seen where the wire knows \
            which frame was being handled.",
};
pub(crate) static RST_ON_BROADCAST: Check = Check {
    id: "rst-on-broadcast",
    clause: "RFC 9293 3.9.2.3",
    requirement: "MUST-57",
    level: Level::Must,
    title: "a segment to a broadcast or multicast address is not answered",
    about: "TCP joins two hosts. A segment to a group is dropped in silence: an answer from each \
            of its members would be a flood, and would come from an address that is nobody's.",
};
pub(crate) static RST_ON_LINK_BROADCAST: Check = Check {
    id: "rst-on-link-broadcast",
    clause: "RFC 1122 3.3.6",
    requirement: "1122-3.3.6",
    level: Level::Should,
    title: "a segment in a broadcast frame is not answered",
    about: "A datagram to one host in a frame to all of them is a mistake or an attack, and is \
            best dropped in silence.",
};
pub(crate) static BAD_CHECKSUM_ANSWERED: Check = Check {
    id: "bad-checksum-answered",
    clause: "RFC 9293 3.1; RFC 1122 3.2.1.2",
    requirement: "MUST-3",
    level: Level::Must,
    title: "a segment with a wrong checksum has no effect",
    about: "A receiver verifies the checksum and drops what fails: its addresses, ports and \
            numbers may be anyone's. An answer shows that it was not verified.",
};

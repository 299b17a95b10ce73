//! **wire**: what crossed. Frames as bytes, headers as tables of fields, and the ways between them.
//!
//! Pure values: no socket, no clock, no connection, no scenario. Bytes come first and meaning
//! second: nothing here repairs a frame, and whatever a sender can put on a wire can be built,
//! shown and compared, also when it is wrong.

pub mod address;
pub mod build;
pub mod capture;
pub mod checksum;
mod datum;
pub mod diff;
pub mod field;
pub mod fields;
mod frame;
pub mod hex;
pub mod link_settings;
mod link_type;
mod mac;
pub mod options;
pub mod packet;
pub mod pcap;
pub mod pcapng;
mod ports;
pub mod render;
pub mod segment;
pub mod time;
mod unpack;
pub mod view;

pub use address::Address;
pub use build::{BuildError, build, build_into};
pub use capture::{Capture, Cause, FrameId, Interface, PortId, Record};
pub use datum::Datum;
pub use field::{Field, Form, Proto, Value, ValueError};
pub use frame::Frame;
pub use hex::Hex;
pub use link_settings::{Chance, LINK_SETTINGS, LinkChange, LinkConfig};
pub use link_type::LinkType;
pub use mac::{Mac, MacError};
pub use packet::{Defaults, Deliberate, Layer, Packet, TcpOption};
pub use ports::{PortSet, PortSetError};
pub use segment::{IpPacket, TcpSegment};
pub use time::{Duration, Instant};

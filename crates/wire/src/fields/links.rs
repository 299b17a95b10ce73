//! The tables of link headers that captures from elsewhere have and that no wire of wireproof
//! carries: loopback, Linux cooked capture, HDLC, radiotap and IEEE 802.11.

use crate::field::Form::{Bytes, Dec, Hex, Little, Mac};
use crate::field::{Field, Proto};

table! {
    /// BSD loopback.
    null, Null, {
    FAMILY "family" "null.family" "Address Family" 0 32 Hex;
}}
table! {
    /// Linux cooked capture.
    sll, Sll, {
    PACKET_TYPE "packet-type" "sll.pkttype" "Packet Type" 0 16 Dec;
    HW_TYPE "hw-type" "sll.hatype" "Hardware Type" 16 16 Dec;
    ADDRESS_LENGTH "address-length" "sll.halen" "Address Length" 32 16 Dec;
    ADDRESS "address" "sll.src.eth" "Source" 48 48 Mac;
    UNUSED "unused" "sll.unused" "Unused" 96 16 Hex;
    TYPE "type" "sll.etype" "Type" 112 16 Hex;
}}
table! {
    /// Linux cooked capture version 2.
    sll2, Sll2, {
    TYPE "type" "sll.etype" "Type" 0 16 Hex;
    RESERVED "reserved" "sll.reserved" "Reserved" 16 16 Hex;
    INTERFACE "interface" "sll.ifindex" "Interface Index" 32 32 Dec;
    HW_TYPE "hw-type" "sll.hatype" "Hardware Type" 64 16 Dec;
    PACKET_TYPE "packet-type" "sll.pkttype" "Packet Type" 80 8 Dec;
    ADDRESS_LENGTH "address-length" "sll.halen" "Address Length" 88 8 Dec;
    ADDRESS "address" "sll.src.eth" "Source" 96 48 Mac;
    UNUSED "unused" "sll.unused" "Unused" 144 16 Hex;
}}
table! {
    /// Cisco's HDLC.
    chdlc, Chdlc, {
    ADDRESS "address" "chdlc.address" "Address" 0 8 Hex;
    CONTROL "control" "chdlc.control" "Control" 8 8 Hex;
    TYPE "type" "chdlc.protocol" "Type" 16 16 Hex;
}}
table! {
    /// Radiotap; its fields by the flags before them.
    radiotap, Radiotap, {
    VERSION "version" "radiotap.version" "Version" 0 8 Dec;
    PAD "pad" "radiotap.pad" "Pad" 8 8 Dec;
    LENGTH "length" "radiotap.length" "Length" 16 16 Little;
    FIELDS "fields" "radiotap.present" "Present Flags and Fields" 32 0 Bytes;
}}
table! {
    /// IEEE 802.11; control frames have one or two addresses.
    wlan, Wlan, {
    SUBTYPE "subtype" "wlan.fc.subtype" "Subtype" 0 4 Dec;
    TYPE "type" "wlan.fc.type" "Type" 4 2 Dec;
    VERSION "version" "wlan.fc.version" "Version" 6 2 Dec;
    FLAGS "flags" "wlan.flags" "Flags" 8 8 Hex;
    DURATION "duration" "wlan.duration" "Duration" 16 16 Little;
    RECEIVER "receiver" "wlan.ra" "Receiver" 32 48 Mac;
    TRANSMITTER "transmitter" "wlan.ta" "Transmitter" 80 48 Mac;
    ADDRESS_3 "address-3" "wlan.addr" "Address 3" 128 48 Mac;
    SEQUENCE_CONTROL "sequence-control" "wlan.seq" "Sequence Control" 176 16 Little;
    ADDRESS_4 "address-4" "wlan.addr" "Address 4" 192 48 Mac;
}}
table! {
    /// QoS control of IEEE 802.11.
    wlan_qos, WlanQos, {
    CONTROL "control" "wlan.qos" "QoS Control" 0 16 Little;
    HT_CONTROL "ht-control" "wlan.htc" "HT Control or Padding" 16 0 Bytes;
}}

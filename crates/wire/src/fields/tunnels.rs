//! The tables of headers that carry other packets and that no scenario sends: LLC and SNAP, AH,
//! GRE, VXLAN, PPPoE, PPP. They are told apart and rendered.

use crate::field::Form::{Bit, Bytes, Dec, Hex};
use crate::field::{Field, Proto};

table! {
    /// IEEE 802.2 Logical Link Control.
    llc, Llc, {
    DSAP "dsap" "llc.dsap" "DSAP" 0 8 Hex;
    SSAP "ssap" "llc.ssap" "SSAP" 8 8 Hex;
    CONTROL "control" "llc.control" "Control" 16 0 Bytes;
}}
table! {
    /// SNAP, behind an LLC header that announces it.
    snap, Snap, {
    OUI "oui" "llc.oui" "Organization Code" 0 24 Hex;
    TYPE "type" "llc.type" "Type" 24 16 Hex;
}}
table! {
    /// IP Authentication Header.
    ah, Ah, {
    NEXT_HEADER "next-header" "ah.next_header" "Next Header" 0 8 Dec;
    LENGTH "length" "ah.length" "Length (4 bytes, less 2)" 8 8 Dec;
    RESERVED "reserved" "ah.reserved" "Reserved" 16 16 Hex;
    SPI "spi" "ah.spi" "Security Parameters Index" 32 32 Hex;
    SEQ "seq" "ah.sequence" "Sequence Number" 64 32 Dec;
    ICV "icv" "ah.icv" "Integrity Check Value" 96 0 Bytes;
}}
table! {
    /// GRE; what the flags announce stands in order behind the type.
    gre, Gre, {
    FLAGS "flags" "gre.flags_and_version" "Flags and Version" 0 16 Hex alias;
    HAS_CHECKSUM "has-checksum" "gre.flags.checksum" "Checksum Bit" 0 1 Bit;
    HAS_ROUTING "has-routing" "gre.flags.routing" "Routing Bit" 1 1 Bit;
    HAS_KEY "has-key" "gre.flags.key" "Key Bit" 2 1 Bit;
    HAS_SEQ "has-seq" "gre.flags.sequence_number" "Sequence Number Bit" 3 1 Bit;
    STRICT "strict" "gre.flags.strict_source_route" "Strict Source Route Bit" 4 1 Bit;
    RECURSION "recursion" "gre.flags.recursion_control" "Recursion Control" 5 3 Dec;
    HAS_ACK "has-ack" "gre.flags.ack" "Acknowledgment Bit" 8 1 Bit;
    RESERVED "reserved" "gre.flags.reserved" "Reserved" 9 4 Hex;
    VERSION "version" "gre.flags.version" "Version" 13 3 Dec;
    TYPE "type" "gre.proto" "Protocol Type" 16 16 Hex;
    CHECKSUM "checksum" "gre.checksum" "Checksum" 32 16 Hex alias;
    OPTIONAL "optional" "gre.optional" "Checksum, Key, Numbers" 32 0 Bytes;
}}
table! {
    /// VXLAN.
    vxlan, Vxlan, {
    FLAGS "flags" "vxlan.flags" "Flags" 0 8 Hex;
    RESERVED "reserved" "vxlan.reserved24" "Reserved" 8 24 Hex;
    VNI "vni" "vxlan.vni" "VXLAN Network Identifier" 32 24 Dec;
    RESERVED_END "reserved-end" "vxlan.reserved8" "Reserved" 56 8 Hex;
}}
table! {
    /// PPPoE, of discovery with its tags.
    pppoe, Pppoe, {
    VERSION "version" "pppoe.version" "Version" 0 4 Dec;
    TYPE "type" "pppoe.type" "Type" 4 4 Dec;
    CODE "code" "pppoe.code" "Code" 8 8 Hex;
    SESSION "session" "pppoe.session_id" "Session ID" 16 16 Hex;
    LENGTH "length" "pppoe.payload_length" "Payload Length" 32 16 Dec;
    TAGS "tags" "pppoed.tags" "Tags" 48 0 Bytes;
}}
table! {
    /// What HDLC-like framing puts before PPP.
    hdlc, Hdlc, {
    ADDRESS "address" "ppp.address" "Address" 0 8 Hex;
    CONTROL "control" "ppp.control" "Control" 8 8 Hex;
}}
table! {
    /// PPP's protocol number.
    ppp, Ppp, {
    PROTOCOL "protocol" "ppp.protocol" "Protocol" 0 16 Hex;
}}

//! IPv6 hop-by-hop options on delivery (RFC 8200 4.3): which the IP layer refuses before any rule
//! sees the packet. Knows no TCP and no reply.

use super::rule::DropReason;

const PAD1: u8 = 0;
const PADN: u8 = 1;
const ROUTER_ALERT: u8 = 5;
const CALIPSO: u8 = 7;
const IOAM: u8 = 49;
const JUMBO: u8 = 0xc2;

/// Options beside padding that are read at most, as Linux has it since 4.15 (RFC 8504 5.3).
const OPTIONS_MAX: usize = 8;

/// Padding in one run that is more than any alignment can need.
const PADDING_MAX: usize = 7;

/// Walks the options header with which `rest` begins: what follows the fixed header.
///
/// # Errors
/// [`DropReason::Options`] for a header that runs past the end, for what the IP layer refuses, and
/// for what it would answer with an ICMPv6 error, which is not this rule's work.
pub(super) fn options(rest: &[u8]) -> Result<(), DropReason> {
    let refused = Err(DropReason::Options);
    let Some(&units) = rest.get(1) else { return refused };
    let end = (usize::from(units) + 1) * 8;
    let Some(header) = rest.get(..end) else { return refused };
    let (mut at, mut padding, mut count) = (2, 0, 0);
    while at < end {
        if header[at] == PAD1 {
            padding += 1;
            at += 1;
        } else {
            let Some(&length) = header.get(at + 1) else { return refused };
            let Some(option) = header.get(at..at + 2 + usize::from(length)) else {
                return refused;
            };
            if option[0] == PADN {
                padding += option.len();
                if option[2..].iter().any(|&byte| byte != 0) {
                    return refused;
                }
            } else {
                padding = 0;
                count += 1;
                if !is_passed(option, at) {
                    return refused;
                }
            }
            at += option.len();
        }
        if padding > PADDING_MAX || count > OPTIONS_MAX {
            return refused;
        }
    }
    Ok(())
}

/// The option at offset `at` of the header, and so of the packet modulo 8, lets it pass.
fn is_passed(option: &[u8], at: usize) -> bool {
    let data = &option[2..];
    match option[0] {
        ROUTER_ALERT => data.len() == 2,
        // A label of a domain that is not configured, as none is (RFC 5570).
        CALIPSO => false,
        IOAM => at.is_multiple_of(4),
        // No frame holds what a jumbogram must hold, RFC 2675 3: more than 65,535 bytes.
        JUMBO => false,
        // RFC 8200 4.2: an unknown option is skipped only when its two highest bits are 00.
        unknown => unknown & 0xc0 == 0,
    }
}

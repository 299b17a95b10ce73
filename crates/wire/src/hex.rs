//! Bytes as hex digits, and back. Knows no header.

use std::fmt;

use crate::field::ValueError;

/// Bytes as they are shown: two digits each, lower case, nothing between.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Bytes from hex digits; white space, `:` and `-` between bytes are passed over.
///
/// # Errors
/// Names the first character that is no hex digit, or an odd count of digits.
pub fn decode(text: &str) -> Result<Vec<u8>, ValueError> {
    let mut digits = Vec::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_ascii_whitespace() && *c != ':' && *c != '-') {
        let digit = c
            .to_digit(16)
            .ok_or_else(|| ValueError(format!("`{c}` is no hex digit (0-9, a-f)")))?;
        digits.push(digit as u8);
    }
    if !digits.len().is_multiple_of(2) {
        return Err(ValueError(format!("{} hex digits: a byte takes two", digits.len())));
    }
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        assert_eq!(Hex(&[]).to_string(), "");
        assert_eq!(Hex(&[0x00, 0x0f, 0xa0, 0xff]).to_string(), "000fa0ff");
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&Hex(&all).to_string()).unwrap(), all);
    }
}

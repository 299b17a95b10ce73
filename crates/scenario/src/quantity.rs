//! Texts with a unit: durations and rates, and chances. Exact: a value that would have to be
//! rounded is refused.

use wire::{Chance, Duration};

/// What a duration may look like, for errors and for the schema.
pub(crate) const DURATION: &str = "a number and a unit, ns, us, ms, s or m, such as \"5ms\"";
/// The same as a regular expression.
pub(crate) const DURATION_PATTERN: &str = r"^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m)$";
/// What a rate may look like.
pub(crate) const RATE: &str =
    "bits per second as a number or with a unit, bit, kbit, Mbit or Gbit, such as \"10Mbit\"";
/// The same as a regular expression.
pub(crate) const RATE_PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(bit|kbit|Mbit|Gbit)|unlimited)$";

const DURATION_UNITS: [(&str, u64); 5] =
    [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000)];
const RATE_UNITS: [(&str, u64); 4] =
    [("bit", 1), ("kbit", 1_000), ("Mbit", 1_000_000), ("Gbit", 1_000_000_000)];

/// Reads a duration as scenario files write it: `1.5ms`, exact to the nanosecond.
///
/// # Errors
/// Says what is wrong with the text, in words that go behind its place.
pub fn duration(text: &str) -> Result<Duration, String> {
    scaled(text, &DURATION_UNITS, "a nanosecond").map(Duration::from_nanos)
}

/// `10Mbit`, exact to the bit per second; never 0.
pub(crate) fn rate(text: &str) -> Result<u64, String> {
    match scaled(text, &RATE_UNITS, "a bit per second")? {
        0 => Err("a rate of 0 carries nothing: take `\"up\": false`".into()),
        rate => Ok(rate),
    }
}

/// `0.25`, exact to a millionth, from 0 to 1.
pub(crate) fn chance(number: &str) -> Result<Chance, String> {
    let (digits, places) = decimal(number)
        .filter(|_| !number.contains(['e', 'E']))
        .ok_or_else(|| format!("`{number}` is no chance between 0 and 1, such as 0.01"))?;
    let millionths = exact(digits, places, 1_000_000)
        .ok_or_else(|| format!("`{number}` is finer than a millionth"))?;
    match u32::try_from(millionths) {
        Ok(rate) if rate <= 1_000_000 => Ok(Chance::per_million(rate)),
        _ => Err(format!("`{number}` is more than 1: a chance is between 0 and 1")),
    }
}

/// A duration as [`duration`] reads it: the largest unit that needs at most three decimals.
pub(crate) fn duration_text(time: Duration) -> String {
    let nanos = time.as_nanos();
    let units = DURATION_UNITS[..4].iter().rev().map(|(name, scale)| (*name, u128::from(*scale)));
    let fits = |(_, scale): &(&str, u128)| nanos >= *scale && (nanos * 1000).is_multiple_of(*scale);
    match units.into_iter().find(fits) {
        Some((name, scale)) => {
            let decimals = format!("{:03}", nanos % scale * 1000 / scale);
            match decimals.trim_end_matches('0') {
                "" => format!("{}{name}", nanos / scale),
                decimals => format!("{}.{decimals}{name}", nanos / scale),
            }
        }
        None => "0s".to_owned(),
    }
}

/// A rate as [`rate`] reads it, in the largest unit that needs no decimals.
pub(crate) fn rate_text(rate: u64) -> String {
    let whole = |(_, scale): &&(&str, u64)| rate.is_multiple_of(*scale);
    let (name, scale) = RATE_UNITS.iter().rev().find(whole).unwrap_or(&RATE_UNITS[0]);
    format!("{}{name}", rate / scale)
}

/// So many in a million as [`chance`] reads it.
pub(crate) fn chance_text(rate: u32) -> String {
    match rate {
        0 => "0".to_owned(),
        1_000_000.. => "1".to_owned(),
        _ => format!("0.{rate:06}").trim_end_matches('0').to_owned(),
    }
}

fn scaled(text: &str, units: &[(&str, u64)], least: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let names = || units.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    if let Some((number, unit)) = text.split_once(' ')
        && units.iter().any(|(name, _)| *name == unit)
    {
        return Err(format!("`{text}` has a space in it: write `{number}{unit}`"));
    }
    let Some((digits, places)) = decimal(number) else {
        let what =
            if text.starts_with('-') { "is negative" } else { "does not begin with a number" };
        return Err(format!("`{text}` {what}"));
    };
    if unit.is_empty() {
        return Err(format!("`{text}` has no unit: {}", names()));
    }
    let Some((_, scale)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("`{unit}` in `{text}` is no unit: {}", names()));
    };
    let exact =
        exact(digits, places, *scale).ok_or_else(|| format!("`{text}` is finer than {least}"))?;
    u64::try_from(exact).map_err(|_| format!("`{text}` is more than 2^64 - 1 times {least}"))
}

/// The digits of a decimal without its point, and how many stood after it.
fn decimal(number: &str) -> Option<(u128, u32)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let plain = |part: &str| {
        !part.is_empty() && part.len() <= 18 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    // 20 digits hold 2^64.
    if !plain(fraction) || whole.len() > 20 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{fraction}").parse().ok().filter(|_| !whole.is_empty())?;
    Some((digits, fraction.len() as u32))
}

/// `digits / 10^places * scale`, where that is whole.
fn exact(digits: u128, places: u32, scale: u64) -> Option<u128> {
    let (product, divisor) = (digits.checked_mul(u128::from(scale))?, 10u128.pow(places));
    product.is_multiple_of(divisor).then(|| product / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        assert_eq!(duration("5ms"), Ok(Duration::from_millis(5)));
        assert_eq!(duration("1.5us"), Ok(Duration::from_nanos(1500)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("0.000000001s"), Ok(Duration::from_nanos(1)));
        for wrong in ["", "5", "5 ms", "-1ms", "1h", "0.5ns", "ms", "1.ms", ".5s", "1.2.3s", "5Ms"]
        {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        for nanos in [0, 1, 999, 1_500, 1_500_000, 1_234_567, 60_000_000_000, u64::MAX] {
            let time = Duration::from_nanos(nanos);
            assert_eq!(duration(&duration_text(time)), Ok(time), "{nanos}");
        }
        assert_eq!(duration_text(Duration::from_micros(1500)), "1.5ms");
        assert!(duration("99999999999s").unwrap_err().contains("more than"));
        assert!(duration("99999999999999999999m").is_err());
    }

    #[test]
    fn rates_and_chances() {
        assert_eq!(rate("10Mbit"), Ok(10_000_000));
        assert_eq!(rate("1.5kbit"), Ok(1500));
        for bits in [1, 1500, 9_600, 10_000_000, 1_000_000_000, u64::MAX] {
            assert_eq!(rate(&rate_text(bits)), Ok(bits));
        }
        for millionths in [1, 10, 250_000, 999_999] {
            assert_eq!(chance(&chance_text(millionths)), Ok(Chance::Rate(millionths)));
        }
        assert!(rate("0bit").is_err());
        assert!(rate("10mbit").unwrap_err().contains("Mbit"));
        assert_eq!(chance("0"), Ok(Chance::Never));
        assert_eq!(chance("1.0"), Ok(Chance::Always));
        assert_eq!(chance("0.25"), Ok(Chance::Rate(250_000)));
        for wrong in ["1.1", "-0.5", "1e-3", "0.0000001", "1e999", "340282366920938463463"] {
            assert!(chance(wrong).is_err(), "{wrong}");
        }
    }
}

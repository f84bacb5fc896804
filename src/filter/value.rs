//! Values as they are typed.

use std::net::{IpAddr, Ipv6Addr};

const SECOND: u64 = 1_000_000_000;

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: u128,
    mask: u128,
    is_ipv4: bool,
}

impl Network {
    /// `10.0.0.0/8`, or one address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => length
                .parse::<u32>()
                .ok()
                .filter(|&length| length <= bits && text.bytes().all(|byte| byte != b'+'))?,
            None => bits,
        };
        let mask = u128::MAX.checked_shl(bits - length).unwrap_or(0);
        Some(Self { address: number(address) & mask, mask, is_ipv4: address.is_ipv4() })
    }

    /// Whether an address is in it.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.is_ipv4 == address.is_ipv4() && number(address) & self.mask == self.address & self.mask
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(Ipv6Addr::from(address.octets())),
    }
}

/// A duration in nanoseconds: seconds, or with a unit from `ns` to `h`.
pub(super) fn seconds(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("s", SECOND),
        ("m", 60 * SECOND),
        ("h", 3600 * SECOND),
    ];
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))
        .unwrap_or((text, SECOND));
    scaled(number, unit)
}

/// A number of bytes, with a unit or without.
pub(super) fn size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 9] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let (number, unit) =
        UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit))).unwrap_or((text, 1));
    scaled(number, unit)
}

/// A class of status codes: `5xx`.
pub(super) fn class(text: &str) -> Option<(u64, u64)> {
    let digit = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"))?;
    let first = digit.parse::<u64>().ok().filter(|digit| (1..=9).contains(digit))? * 100;
    Some((first, first + 99))
}

/// An integer of digits alone.
pub(super) fn integer(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A decimal number of units, when that is a whole number.
fn scaled(text: &str, unit: u64) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || whole.len() + part.len() == 0 || part.len() > 18 {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let scale = 10_u128.pow(part.len() as u32);
    let part = if part.is_empty() { 0 } else { part.parse::<u128>().ok()? } * u128::from(unit);
    let part = (part % scale == 0).then(|| u64::try_from(part / scale).ok())??;
    whole.checked_mul(unit)?.checked_add(part)
}

/// A time in nanoseconds since the epoch: RFC 3339, of which what follows the minutes may be left out, or all that
/// follows the day. Without a zone it is UTC.
pub(super) fn time(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text.trim_end_matches(['Z', 'z']), None),
    };
    let days = days(date)?;
    let (time, offset) = time.map_or(Some(("00:00", 0)), zone)?;
    let mut parts = time.splitn(3, ':');
    let hours = part(parts.next()?, 2, 23)?;
    let minutes = part(parts.next()?, 2, 59)?;
    let seconds = parts.next().map_or(Some(0), |seconds| {
        let (whole, _) = seconds.split_once('.').unwrap_or((seconds, ""));
        part(whole, 2, 59)?;
        scaled(seconds, SECOND)
    })?;
    let whole = i64::try_from(days * 86_400 + hours * 3600 + minutes * 60).ok()? - offset * 60;
    u64::try_from(whole).ok()?.checked_mul(SECOND)?.checked_add(seconds)
}

/// A time without its zone, and the zone's offset in minutes.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, 0)) };
    let (time, zone) = text.split_at(at);
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let offset = part(hours, 2, 23)? * 60 + part(minutes, 2, 59)?;
    let offset = i64::try_from(offset).ok()?;
    Some((time, if zone.starts_with('-') { -offset } else { offset }))
}

/// Days since the epoch.
fn days(date: &str) -> Option<u64> {
    let mut parts = date.splitn(3, '-');
    let (year, month, day) =
        (part(parts.next()?, 4, 9999)?, part(parts.next()?, 2, 12)?, part(parts.next()?, 2, 31)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + u64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if month == 0 || day == 0 || day > length || year < 1970 {
        return None;
    }
    // Years that begin in March, so that the leap day comes last.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = years / 4 - years / 100 + years / 400;
    (years * 365 + leap_days + (153 * months + 2) / 5 + day - 1).checked_sub(719_468)
}

/// A number of so many digits, which is no greater.
fn part(text: &str, digits: usize, most: u64) -> Option<u64> {
    integer(text).filter(|&number| text.len() == digits && number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Timestamp;
    use proptest::prelude::*;

    #[test]
    fn durations_have_units() {
        for (text, nanos) in [
            ("0", 0),
            ("1", SECOND),
            ("1.5", 1_500_000_000),
            (".25s", 250_000_000),
            ("200ms", 200_000_000),
            ("1.5us", 1_500),
            ("7µs", 7_000),
            ("30ns", 30),
            ("5m", 300 * SECOND),
            ("2h", 7200 * SECOND),
        ] {
            assert_eq!(seconds(text), Some(nanos), "{text}");
        }
        for text in ["", "ms", "-1s", "1e3", "1 s", "0.5ns", "1.2.3", "99999999999h", "1d", "."] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("0", 0), ("64KiB", 65_536), ("1.5MiB", 1_572_864), ("10kB", 10_000), ("7B", 7)]
        {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        assert_eq!((size("1.5B"), size("KiB"), size("1QB"), size("-1")), (None, None, None, None));
        assert_eq!(
            (class("5xx"), class("4XX"), class("0xx"), class("55xx")),
            (Some((500, 599)), Some((400, 499)), None, None)
        );
    }

    #[test]
    fn networks_hold_addresses() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3/8", "10.9.9.9", "9.1.2.3"),
            ("0.0.0.0/0", "255.1.2.3", "::1"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("2001:db8::/32", "2001:db8::1", "2001:db9::1"),
            ("::/0", "::1", "1.2.3.4"),
            ("[::1]", "::1", "::2"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(inside.parse().unwrap()) && !network.contains(outside.parse().unwrap()));
        }
        for text in ["10.0.0.0/33", "10.0.0/8", "::/129", "x", "", "10.0.0.0/", "10.0.0.0/+8", "/8"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn times_may_be_short() {
        let midnight = 1_795_305_600 * SECOND;
        for (text, nanos) in [
            ("2026-11-22", midnight),
            ("2026-11-22Z", midnight),
            ("2026-11-22T04:17", midnight + 15_420 * SECOND),
            ("2026-11-22T04:17:00.5Z", midnight + 15_420 * SECOND + 500_000_000),
            ("2026-11-22T05:17:00+01:00", midnight + 15_420 * SECOND),
            ("2026-11-21T23:47:00-04:30", midnight + 15_420 * SECOND),
            ("1970-01-01", 0),
        ] {
            assert_eq!(time(text), Some(nanos), "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "2026-11-22T25:00",
            "2026-11-22T1:00",
            "1969-12-31",
            "x-y-z",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_time_reads_as_it_is_written(nanos in any::<u64>()) {
            let text = Timestamp::from_nanos(nanos).rfc3339();
            prop_assert_eq!(time(std::str::from_utf8(&text).unwrap()), Some(nanos));
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,24}") {
            let _ = (time(&text), seconds(&text), size(&text), class(&text), Network::parse(&text));
        }
    }
}

//! Durations and sizes as people type them.

use crate::base::memory::Memory;
use std::time::Duration;

/// `500ms`, `30s`, `5m`, `1h30m`, `2d`; a number alone is seconds.
///
/// # Errors
/// Says what is accepted when `text` is something else, nothing, zero, or more than 584 years.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parse = || {
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let mut total = Duration::ZERO;
        let mut rest = text;
        while !rest.is_empty() {
            let (digits, tail) = rest.split_at(rest.find(|char: char| !char.is_ascii_digit())?);
            let (unit, tail) =
                tail.split_at(tail.find(|char: char| char.is_ascii_digit()).unwrap_or(tail.len()));
            let millis: u64 = match unit {
                "ms" => 1,
                "s" => 1000,
                "m" | "min" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return None,
            };
            let part = Duration::from_millis(digits.parse::<u64>().ok()?.checked_mul(millis)?);
            total = total.checked_add(part)?;
            rest = tail;
        }
        Some(total)
    };
    parse()
        .filter(|duration| !duration.is_zero() && u64::try_from(duration.as_nanos()).is_ok())
        .ok_or_else(|| "give a time as 500ms, 30s, 5m or 1h30m".to_owned())
}

/// What one time is more than another, as `1.5s`, `-200ms`, `2h`, `120us`, `40ns`; a number alone is seconds. In
/// nanoseconds.
///
/// # Errors
/// Says what is accepted when `text` is something else, or more than 292 years.
pub(super) fn signed_nanos(text: &str) -> Result<i64, String> {
    let parse = || {
        let (sign, size) = match text.strip_prefix('-') {
            Some(size) => (-1, size),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let split = size.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(size.len());
        let (digits, unit) = size.split_at_checked(split)?;
        let nanos: i128 = match unit {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "" | "s" => 1_000_000_000,
            "m" | "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            _ => return None,
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.len() > 18 || part.len() > 9 || (whole.is_empty() && part.is_empty()) {
            return None;
        }
        let number = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<i128>().ok() };
        let part = number(part)? * nanos / 10_i128.pow(part.len() as u32);
        i64::try_from(sign * (number(whole)? * nanos + part)).ok()
    };
    parse().ok_or_else(|| "give a time as 1.5s, -200ms or 2h".to_owned())
}

/// `4096`, `64k`, `32M`, `32MiB`, `1G`, `1GB`: `k`, `M`, `G` and `KiB`, `MiB`, `GiB` count by 1024, `kB`, `MB`, `GB` by
/// 1000.
///
/// # Errors
/// Says what is accepted when `text` is something else, nothing, zero, or does not fit.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let split = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let factor: Option<u64> = match unit {
        "" | "B" => Some(1),
        "k" | "K" | "KiB" => Some(1 << 10),
        "m" | "M" | "MiB" => Some(1 << 20),
        "g" | "G" | "GiB" => Some(1 << 30),
        "kB" | "KB" => Some(1_000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        _ => None,
    };
    factor
        .and_then(|factor| digits.parse::<u64>().ok()?.checked_mul(factor))
        .filter(|&size| size > 0)
        .ok_or_else(|| "give a size as 65536, 64k, 32M or 32MiB".to_owned())
}

/// A [`size`] of memory.
///
/// # Errors
/// As [`size`], and when it is too small.
pub(super) fn memory(text: &str) -> Result<Memory, String> {
    let bytes = usize::try_from(size(text)?).unwrap_or(usize::MAX);
    Memory::new(bytes).ok_or_else(|| format!("give at least {}M", Memory::LEAST >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_add_up() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d1ms", 172_800_001),
            ("7", 7_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", "s", "5x", "5m30", "-1s", "0", "0s", "1.5s", "1h 2m", "99999999999999999999s", "999999999d"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn memory_is_enough_to_work_with() {
        assert_eq!(memory("64M"), Ok(Memory::new(64 << 20).unwrap()));
        assert_eq!(memory("512MiB"), Ok(Memory::default()));
        assert_eq!(memory("67108863"), Err("give at least 64M".to_owned()));
        assert!(memory("much").is_err());
    }

    #[test]
    fn sizes_know_both_kinds_of_units() {
        for (text, bytes) in
            [("1", 1), ("64k", 65_536), ("32MiB", 33_554_432), ("32M", 33_554_432), ("1GB", 1_000_000_000)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "k", "0", "-1", "1.5M", "10TB", "99999999999G", "1 k"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}

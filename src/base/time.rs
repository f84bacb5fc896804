//! Packet time: nanoseconds since the Unix epoch, as the capture says. Nothing in h2lens reads a clock for it.

use std::fmt;
use std::time::Duration;

/// A point in packet time, in nanoseconds since 1970-01-01T00:00:00Z. Reaches to the year 2554; later times
/// saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// Where in the capture something happened: the packet and its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Number of the packet, 1-based, counted over all inputs in the order they are analyzed.
    pub packet: u64,
    /// Time stamp of that packet.
    pub time: Timestamp,
}

impl Timestamp {
    /// The latest time there is.
    pub const MAX: Self = Self(u64::MAX);

    /// A time from nanoseconds since the epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A time from whole seconds and nanoseconds since the epoch; saturates.
    pub const fn from_parts(seconds: u64, nanos: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time passed since `earlier`; zero when the clock went backwards.
    #[inline]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Nanoseconds passed since `earlier`; zero when the clock went backwards.
    #[inline]
    pub const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This time and `by` more; saturates.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// RFC 3339 in UTC with nanoseconds, always 30 bytes: `2026-11-22T04:17:00.123456789Z`.
    pub fn rfc3339(self) -> [u8; 30] {
        let (days, second) = (self.0 / 86_400_000_000_000, self.0 / 1_000_000_000 % 86_400);
        let (year, month, day) = civil_from_days(days);
        let [y0, y1, y2, y3, m0, m1, d0, d1] = eight_digits((year * 10_000 + month * 100 + day) as u32);
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let [_, _, h0, h1, n0, n1, s0, s1] =
            eight_digits((hour * 10_000 + minute * 100 + second % 60) as u32);
        let [f0, f1, f2, f3, f4, f5, f6, f7, f8] = nine_digits((self.0 % 1_000_000_000) as u32);
        [
            y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'.', f0,
            f1, f2, f3, f4, f5, f6, f7, f8, b'Z',
        ]
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.rfc3339()).unwrap_or_default())
    }
}

/// The decimal digits of a number of nanoseconds below one second.
pub const fn nine_digits(nanos: u32) -> [u8; 9] {
    let mut digits = [b'0' + (nanos / 100_000_000 % 10) as u8; 9];
    if let Some(others) = digits.last_chunk_mut() {
        *others = eight_digits(nanos % 100_000_000);
    }
    digits
}

/// The decimal digits of a number below 100,000,000, all of them at once: it is divided into two numbers of four digits, these
/// into four of two, these into eight, each in a lane of its own.
const fn eight_digits(number: u32) -> [u8; 8] {
    let number = number as u64;
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    // A hundredth and a tenth, exact for numbers of four digits and of two.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | ((twos - 10 * tens) << 8);
    (ones | 0x3030_3030_3030_3030).to_le_bytes()
}

/// Year, month and day of a day count since 1970-01-01 in the proleptic Gregorian calendar: years counted
/// from March, so that the leap day is the last of its year.
const fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + (month <= 2) as u64, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_that_the_standard_library_writes() {
        for number in (0..100_000_000).step_by(9_973).chain(0..10_100).chain(99_990_000..100_000_000) {
            assert_eq!(eight_digits(number).as_slice(), format!("{number:08}").as_bytes());
        }
        for nanos in [0, 1, 99_999_999, 100_000_000, 123_456_789, 999_999_999] {
            assert_eq!(nine_digits(nanos).as_slice(), format!("{nanos:09}").as_bytes());
        }
    }

    #[test]
    fn formats_known_times() {
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
            (1_795_321_020_123_456_789, "2026-11-22T04:17:00.123456789Z"),
            (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999999999Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
            (u64::MAX, "2554-07-21T23:34:33.709551615Z"),
        ] {
            assert_eq!(Timestamp::from_nanos(nanos).to_string(), text);
        }
    }

    #[test]
    fn never_counts_backwards() {
        let (early, late) = (Timestamp::from_nanos(5), Timestamp::from_nanos(9));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.since(early), Duration::from_nanos(4));
        assert_eq!(late.after(Duration::MAX), Timestamp::MAX);
    }
}

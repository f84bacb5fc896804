//! The zone in which a table tells times.

use crate::base::time::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::{self, Display};

/// The zone in which a table tells times: UTC, unless the machine's own is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Zone(Option<&'static TimeZone>);

impl Zone {
    /// The zone of the machine, as `TZ` or `/etc/localtime` says; it lives as long as the program. The error says what is
    /// wrong with it.
    pub fn of_machine() -> Result<Self, String> {
        let zone = TimeZone::try_system().map_err(|error| error.to_string())?;
        Ok(Self::new(zone))
    }

    fn new(zone: TimeZone) -> Self {
        Self(Some(Box::leak(Box::new(zone))))
    }

    /// The heading of a column of times.
    pub(super) const fn title(self) -> &'static str {
        if self.0.is_some() { "TIME (LOCAL)" } else { "TIME (UTC)" }
    }

    /// A point in time, to the microsecond: the date, `T`, the time of day. A date that is not of UTC has its offset from it
    /// beside it.
    pub(super) const fn at(self, time: Timestamp) -> DateAndTime {
        DateAndTime { zone: self, time }
    }

    /// Seconds that the zone is ahead of UTC then; none where the time would be before 1970. `None` for UTC.
    fn offset(self, time: Timestamp) -> Option<i64> {
        let zone = self.0?;
        let instant = jiff::Timestamp::from_nanosecond(time.as_nanos().into()).ok();
        let seconds = instant.map_or(0, |instant| zone.to_offset(instant).seconds().into());
        let enough = i128::from(seconds) * 1_000_000_000 + i128::from(time.as_nanos()) >= 0;
        Some(if enough { seconds } else { 0 })
    }
}

/// Date and time of day; the printer divides them.
pub(super) struct DateAndTime {
    zone: Zone,
    time: Timestamp,
}

impl DateAndTime {
    /// For a line of text: date, time of day and zone.
    pub(super) fn in_words(&self) -> String {
        let text = self.to_string();
        let (date, time) = text.split_once('T').unwrap_or((&text, ""));
        let (date, zone) = date.split_once(' ').unwrap_or((date, "UTC"));
        format!("{date} {time} {zone}")
    }
}

impl Display for DateAndTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.zone.offset(self.time);
        let ahead = offset.unwrap_or(0);
        let by = ahead.unsigned_abs().saturating_mul(1_000_000_000);
        let nanos = self.time.as_nanos();
        let shown = if ahead < 0 { nanos.saturating_sub(by) } else { nanos.saturating_add(by) };
        let shown = Timestamp::from_nanos(shown);
        let text = shown.rfc3339();
        let text = text.get(..26).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        match (offset, text.split_once('T')) {
            (Some(_), Some((date, time))) => {
                let (sign, minutes) = (if ahead < 0 { '-' } else { '+' }, ahead.unsigned_abs() / 60);
                write!(f, "{date} {sign}{:02}:{:02}T{time}", minutes / 60, minutes % 60)
            }
            _ => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::new(TimeZone::posix(name).unwrap())
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let berlin = zone("CET-1CEST,M3.5.0,M10.5.0/3");
        // An hour before summer time ends, and at that moment.
        let (summer, winter) = (1_792_886_400, 1_792_890_000);
        for (zone, seconds, shown, words) in [
            (Zone::default(), 0, "1970-01-01T00:00:00.000000", "1970-01-01 00:00:00.000000 UTC"),
            (berlin, summer, "2026-10-25 +02:00T02:00:00.000000", "2026-10-25 02:00:00.000000 +02:00"),
            (berlin, winter, "2026-10-25 +01:00T02:00:00.000000", "2026-10-25 02:00:00.000000 +01:00"),
            (
                zone("NST3:30"),
                86_400,
                "1970-01-01 -03:30T20:30:00.000000",
                "1970-01-01 20:30:00.000000 -03:30",
            ),
            (zone("NST3:30"), 7200, "1970-01-01 +00:00T02:00:00.000000", "1970-01-01 02:00:00.000000 +00:00"),
            (
                zone("NPT-5:45"),
                86_400,
                "1970-01-02 +05:45T05:45:00.000000",
                "1970-01-02 05:45:00.000000 +05:45",
            ),
        ] {
            let told = zone.at(Timestamp::from_parts(seconds, 0));
            assert_eq!((told.to_string().as_str(), told.in_words().as_str()), (shown, words));
        }
    }

    #[test]
    fn no_time_is_too_late() {
        let text = zone("NPT-5:45").at(Timestamp::MAX).to_string();
        assert!(text.contains('T'), "{text}");
    }
}

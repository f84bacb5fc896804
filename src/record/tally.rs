//! How the exchanges ended and how long they took: what a live capture shows while it runs.

use super::time::TimeParts;
use std::time::Duration;

/// Upper bounds of the duration buckets, inclusive: those that OpenTelemetry recommends for HTTP, and three below.
pub const DURATION_BOUNDS: [Duration; 17] = [
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(75),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(750),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_millis(7_500),
    Duration::from_secs(10),
];

/// Durations by bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many fell in each of [`DURATION_BOUNDS`]; the last bucket has no bound.
    pub buckets: [u64; DURATION_BOUNDS.len() + 1],
    /// All durations together, in nanoseconds; saturates.
    pub sum_nanos: u64,
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&mut self, duration: Duration) {
        let bucket = DURATION_BOUNDS.partition_point(|&bound| bound < duration);
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos = self.sum_nanos.saturating_add(nanos);
    }

    /// How many durations there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    fn merge(&mut self, other: &Self) {
        for (count, more) in self.buckets.iter_mut().zip(other.buckets) {
            *count += more;
        }
        self.sum_nanos = self.sum_nanos.saturating_add(other.sum_nanos);
    }
}

/// Names of the status classes of [`TallySide::classes`].
pub const STATUS_CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// The exchanges of plaintext or of TLS connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TallySide {
    /// Exchanges by the class of their final status, as [`STATUS_CLASSES`]; those without come first.
    pub classes: [u64; STATUS_CLASSES.len()],
    /// Those that [failed](super::Transaction::failure).
    pub errors: u64,
    /// [Durations](super::Transaction::duration) of those that have a response.
    pub durations: Histogram,
    /// Where their time went, as far as that is known.
    pub time: TimeParts,
}

/// All exchanges that have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// `encrypted:false`
    pub plaintext: TallySide,
    /// `encrypted:true`
    pub tls: TallySide,
}

impl Tally {
    /// Counts an exchange.
    pub fn record(
        &mut self,
        encrypted: bool,
        status: Option<u16>,
        failed: bool,
        duration: Duration,
        time: Option<&TimeParts>,
    ) {
        let side = if encrypted { &mut self.tls } else { &mut self.plaintext };
        let class = status.map_or(0, |status| usize::from(status / 100).min(5));
        if let Some(count) = side.classes.get_mut(class) {
            *count += 1;
        }
        side.errors += u64::from(failed);
        if let Some(time) = time {
            side.time.merge(time);
        }
        if status.is_some() {
            side.durations.record(duration);
        }
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        for (own, more) in [(&mut self.plaintext, &other.plaintext), (&mut self.tls, &other.tls)] {
            for (count, more) in own.classes.iter_mut().zip(more.classes) {
                *count += more;
            }
            own.errors += more.errors;
            own.durations.merge(&more.durations);
            own.time.merge(&more.time);
        }
    }

    /// Exchanges that failed.
    pub const fn errors(&self) -> u64 {
        self.plaintext.errors + self.tls.errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive_and_rise() {
        assert!(DURATION_BOUNDS.is_sorted_by(|a, b| a < b));
        let mut histogram = Histogram::default();
        for (duration, bucket) in [
            (Duration::ZERO, 0),
            (Duration::from_micros(500), 0),
            (Duration::from_nanos(500_001), 1),
            (Duration::from_secs(10), 16),
            (Duration::from_nanos(10_000_000_001), 17),
            (Duration::MAX, 17),
        ] {
            let before = histogram.buckets[bucket];
            histogram.record(duration);
            assert_eq!(histogram.buckets[bucket], before + 1, "{duration:?}");
        }
        assert_eq!((histogram.count(), histogram.sum_nanos), (6, u64::MAX));
    }

    #[test]
    fn an_exchange_counts_once_on_its_side() {
        let mut tally = Tally::default();
        let millisecond = Duration::from_millis(1);
        tally.record(false, Some(200), false, millisecond, None);
        tally.record(true, Some(503), true, millisecond, None);
        tally.record(true, Some(999), true, millisecond, None);
        tally.record(true, None, true, Duration::from_secs(1), None);
        let mut sum = tally;
        sum.merge(&tally);
        assert_eq!(sum.plaintext.classes, [0, 0, 2, 0, 0, 0]);
        assert_eq!(sum.tls.classes, [2, 0, 0, 0, 0, 4]);
        assert_eq!((sum.errors(), sum.tls.durations.count(), sum.tls.durations.sum_nanos), (6, 4, 4_000_000));
    }
}

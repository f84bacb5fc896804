//! The kernel's clock and user space's ticks, on packet time.

use crate::base::time::Timestamp;

/// Nanoseconds between two ticks of user space: the cleaners of streams in flight and of the dynamic table, and the
/// reading of statistics (`http2_dynamic_table_map_cleaner_interval_seconds` and others).
pub(super) const TICK: u64 = 30_000_000_000;
/// The kernel's clock, and user space's ticks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// Kernel time, in nanoseconds; not 0 once a packet came.
    pub(super) now: u64,
    next_tick: Option<u64>,
}

impl Clock {
    /// A packet came. Returns the time of the last tick before it, if one was due.
    pub(super) fn advance(&mut self, to: Timestamp) -> Option<u64> {
        // The kernel's clock is never 0, which stands for no time, and there is always a nanosecond after it.
        let to = to.as_nanos().clamp(1, u64::MAX - 1);
        match self.next_tick {
            Some(next_tick) if to.saturating_add(TICK) >= self.now => {
                self.now = self.now.max(to);
                let since = self.now.checked_sub(next_tick)?;
                let tick = self.now - since % TICK;
                self.next_tick = Some(tick.saturating_add(TICK));
                Some(tick)
            }
            _ => {
                self.now = to;
                self.next_tick = Some(to.saturating_add(TICK));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(times: &[u64]) -> Vec<Option<u64>> {
        let mut clock = Clock::default();
        times
            .iter()
            .map(|&time| clock.advance(Timestamp::from_parts(time, 0)).map(|tick| tick / 1_000_000_000))
            .collect()
    }

    #[test]
    fn ticks_are_30_seconds_apart_from_the_first_packet() {
        assert_eq!(
            ticks(&[100, 129, 130, 131, 189, 191, 1000, 1009, 1010]),
            [None, None, Some(130), None, Some(160), Some(190), Some(1000), None, None]
        );
    }

    #[test]
    fn a_late_packet_keeps_the_clock_and_a_jump_back_restarts_it() {
        assert_eq!(ticks(&[100, 125, 96, 130]), [None, None, None, Some(130)]);
        assert_eq!(ticks(&[100, 50, 79, 80]), [None, None, None, Some(80)]);
    }

    #[test]
    fn the_ends_of_the_range_are_no_trouble() {
        let mut clock = Clock::default();
        for time in [0, u64::MAX, 0, u64::MAX, u64::MAX] {
            clock.advance(Timestamp::from_nanos(time));
            assert!(clock.now > 0 && clock.now < u64::MAX);
        }
    }
}

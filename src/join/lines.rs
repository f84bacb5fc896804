//! Which lines of offset and drift two clocks may differ by, after all that was seen to leave and to arrive.
//!
//! A clock that runs evenly differs from another by `offset + drift · time`. What leaves the one place at `t` of its clock
//! and arrives at the other bounds that line at `t`: it cannot arrive before it left. Each observation is a half-plane of
//! lines; what is left of the plane is a convex polygon. Of any instant the least and the greatest offset are those of
//! two corners: there the hulls of the observations of both directions are, as far apart as they leave the line room.

use crate::base::tuning;

/// No clock drifts faster against another: what kernels slew a clock by at most, twice.
const MOST_DRIFT: f64 = 1000e-6;
/// Further apart no two observations of one pair of clocks are, in nanoseconds: thirty years.
const MOST_OFFSET: f64 = 1e18;
/// What sums of numbers so large may be off by, in nanoseconds.
const ROUNDING: f64 = 0.5;

/// The lines that are possible, in nanoseconds from an origin of both axes.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    /// The client's clock, and the offset there.
    origin: (u64, i64),
    corners: Vec<Corner>,
    /// Observations have bounded the offset from above, and from below.
    bounded: [bool; 2],
}

/// A line: offset at the origin, and drift.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Corner {
    offset: f64,
    drift: f64,
}

impl Corner {
    fn at(self, time: f64) -> f64 {
        self.offset + self.drift * time
    }
}

/// What an observation says of the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// It is no more: something went from client to server.
    AtMost,
    /// It is no less: something came back.
    AtLeast,
}

impl Bound {
    pub(super) const fn reverse(self) -> Self {
        match self {
            Self::AtMost => Self::AtLeast,
            Self::AtLeast => Self::AtMost,
        }
    }
}

impl Lines {
    /// All lines, about an instant of the client's clock and an offset close to which the true one is.
    pub(super) fn around(time: u64, offset: i64) -> Self {
        let corner = |offset: f64, drift: f64| Corner { offset, drift };
        Self {
            origin: (time, offset),
            corners: vec![
                corner(-MOST_OFFSET, -MOST_DRIFT),
                corner(MOST_OFFSET, -MOST_DRIFT),
                corner(MOST_OFFSET, MOST_DRIFT),
                corner(-MOST_OFFSET, MOST_DRIFT),
            ],
            bounded: [false; 2],
        }
    }

    /// Leaves the lines that are bounded so at an instant of the client's clock.
    pub(super) fn observe(&mut self, time: u64, bound: Bound, offset: i64) {
        if let Some(bounded) = self.bounded.get_mut(bound as usize) {
            *bounded = true;
        }
        let (time, offset) = (self.time(time), offset.saturating_sub(self.origin.1) as f64);
        // How far inside a line is.
        let inside = |corner: Corner| match bound {
            Bound::AtMost => offset - corner.at(time) + ROUNDING,
            Bound::AtLeast => corner.at(time) - offset + ROUNDING,
        };
        if self.corners.iter().all(|&corner| inside(corner) >= 0.0) {
            return;
        }
        let mut left = Vec::with_capacity(self.corners.len() + 1);
        let Some(&last) = self.corners.last() else { return };
        let mut before = last;
        for &corner in &self.corners {
            let (there, here) = (inside(before), inside(corner));
            if (there >= 0.0) != (here >= 0.0) {
                let share = there / (there - here);
                left.push(Corner {
                    offset: before.offset + (corner.offset - before.offset) * share,
                    drift: before.drift + (corner.drift - before.drift) * share,
                });
            }
            if here >= 0.0 {
                left.push(corner);
            }
            before = corner;
        }
        if left.len() <= tuning::CLOCK_CORNERS {
            self.corners = left;
        }
    }

    /// No line is left: one of the clocks was set, or the observations are not of one pair of clocks.
    pub(super) fn is_contradicted(&self) -> bool {
        self.corners.is_empty()
    }

    /// Some line is left, and it is bounded from above and below.
    pub(super) fn is_known(&self) -> bool {
        !self.is_contradicted() && self.bounded == [true; 2]
    }

    /// The least and the greatest offset at an instant of the client's clock, in nanoseconds.
    pub(super) fn offset(&self, time: u64) -> (i64, i64) {
        let time = self.time(time);
        let all = self.corners.iter().map(|corner| corner.at(time));
        let (least, most) =
            all.fold((f64::MAX, f64::MIN), |(least, most), offset| (least.min(offset), most.max(offset)));
        let absolute = |offset: f64| self.origin.1.saturating_add(offset as i64);
        (absolute((least - ROUNDING).floor()), absolute((most + ROUNDING).ceil()))
    }

    /// The least and the greatest drift, in millionths.
    pub(super) fn drift_ppm(&self) -> (f64, f64) {
        let all = self.corners.iter().map(|corner| corner.drift * 1e6);
        all.fold((f64::MAX, f64::MIN), |(least, most), drift| (least.min(drift), most.max(drift)))
    }

    fn time(&self, time: u64) -> f64 {
        (i128::from(time) - i128::from(self.origin.0)) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: u64 = 1_800_000_000_000_000_000;

    #[test]
    fn the_shortest_ways_there_and_back_bound_the_offset() {
        let mut lines = Lines::around(START, 500);
        for (at, delay) in [(0, 900), (1_000_000, 300), (2_000_000, 700)] {
            lines.observe(START + at, Bound::AtMost, 500 + delay);
            lines.observe(START + at + 2000, Bound::AtLeast, 500 - delay);
        }
        let (least, most) = lines.offset(START + 1_000_000);
        assert!(lines.is_known() && least >= 195 && most <= 805, "{least} {most}");
    }

    #[test]
    fn one_direction_says_nothing() {
        let mut lines = Lines::around(START, 0);
        lines.observe(START, Bound::AtMost, 10);
        assert!(!lines.is_known() && !lines.is_contradicted());
    }

    #[test]
    fn a_clock_that_was_set_fits_no_line() {
        let mut lines = Lines::around(START, 0);
        for (at, offset) in [(0_i64, 0), (1_000_000_000, 0), (2_000_000_000, 500_000_000)] {
            lines.observe(START + at as u64, Bound::AtMost, offset + 1_000_000);
            lines.observe(START + at as u64, Bound::AtLeast, offset - 1_000_000);
        }
        assert!(lines.is_contradicted());
    }

    #[test]
    fn many_corners_cost_tightness_alone() {
        let mut lines = Lines::around(START, 0);
        for at in 0..5000_i64 {
            let far = at - 2500;
            lines.observe(START + (at * 1_000_000) as u64, Bound::AtMost, far * far / 10 + 1000);
            lines.observe(START + (at * 1_000_000) as u64, Bound::AtLeast, -far * far / 10 - 1000);
        }
        assert!(lines.corners.len() <= tuning::CLOCK_CORNERS);
        let (least, most) = lines.offset(START + 2_500_000_000);
        assert!(least <= 0 && most >= 0 && lines.is_known());
    }

    proptest! {
        /// Whatever offset, drift and delays: the truth is never outside.
        #[test]
        fn the_truth_lies_within_the_bounds(
            offset in -86_400_000_000_000_i64..86_400_000_000_000,
            drift in -400e-6..400e-6_f64,
            forth in 0_u64..200_000_000,
            back in 0_u64..200_000_000,
            jitter in 1_u64..50_000_000,
            unit in prop::sample::select(vec![1_u64, 1000, 1_000_000]),
            seconds in 1_u64..7200,
            seeds in prop::collection::vec((any::<u64>(), any::<u64>(), any::<bool>()), 1..120),
        ) {
            // The server's clock at a true time that the client's clock tells.
            let server = |time: u64| {
                let since = (time - START) as f64;
                (i128::from(time) + i128::from(offset) + (drift * since) as i128) as u64
            };
            let round = |time: u64| time / unit * unit;
            let mut lines: Option<Lines> = None;
            for (when, more, to_server) in seeds {
                let left = START + when % (seconds * 1_000_000_000);
                let delay = if to_server { forth } else { back } + more % jitter;
                let (client, seen, bound) = if to_server {
                    (round(left), round(server(left + delay)), Bound::AtMost)
                } else {
                    (round(left + delay), round(server(left)), Bound::AtLeast)
                };
                let x = (i128::from(seen) - i128::from(client)) as i64;
                let slack = if bound == Bound::AtMost { unit as i64 } else { -(unit as i64) };
                lines.get_or_insert_with(|| Lines::around(client, x)).observe(client, bound, x + slack);
            }
            let lines = lines.unwrap();
            prop_assert!(!lines.is_contradicted());
            for time in [START, START + seconds * 500_000_000, START + seconds * 1_000_000_000] {
                let truth = (i128::from(server(time)) - i128::from(time)) as i64;
                let (least, most) = lines.offset(time);
                // What the test itself rounds.
                prop_assert!(least - 2 <= truth && truth <= most + 2, "{least} {truth} {most}");
            }
            let (least, most) = lines.drift_ppm();
            prop_assert!(least - 1e-3 <= drift * 1e6 && drift * 1e6 <= most + 1e-3, "{least} {drift} {most}");
        }
    }
}

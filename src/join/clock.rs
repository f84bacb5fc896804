//! The difference of two clocks, and what it makes of times at the two places.

use super::lines::Lines;
use crate::base::time::Timestamp;
use crate::record::pair::{ClockDifference, ClockSource};

/// A drift is told where it is known to within so many millionths.
const KNOWN_DRIFT: f64 = 500.0;

/// How the server's clock differs from the client's.
#[derive(Clone, Debug)]
pub(super) enum Clock {
    /// By what the user says.
    Given(i64),
    /// By one of these lines.
    Measured(Lines, ClockSource),
}

/// A time of the client's clock, or a difference of two, and how far off it may be; in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) value: i64,
    pub(super) uncertainty: u64,
}

impl Clock {
    /// The offset at an instant of the client's clock.
    pub(super) fn offset(&self, time: u64) -> Measured {
        match self {
            Self::Given(offset) => Measured { value: *offset, uncertainty: 0 },
            Self::Measured(lines, _) => {
                let (least, most) = lines.offset(time);
                let width = most.abs_diff(least);
                Measured { value: least.saturating_add_unsigned(width / 2), uncertainty: width.div_ceil(2) }
            }
        }
    }

    /// A time of the server's clock by the client's.
    pub(super) fn to_client(&self, server: u64) -> (u64, u64) {
        // A drift that moves the result by more than a microsecond is found in the second step.
        let rough = shifted(server, self.offset(server).value);
        let offset = self.offset(rough);
        (shifted(server, offset.value), offset.uncertainty)
    }

    /// As the join record tells it; `span` is the time seen at both places.
    pub(super) fn difference(&self, span: (u64, u64)) -> ClockDifference {
        let at = span.0 + span.1.saturating_sub(span.0) / 2;
        let Measured { value, uncertainty } = self.offset(at);
        let (uncertainty, drift_ppm, source) = match self {
            Self::Given(_) => (None, None, ClockSource::Given),
            Self::Measured(lines, source) => {
                let (least, most) = lines.drift_ppm();
                let drift = (most - least <= KNOWN_DRIFT).then_some(f64::midpoint(least, most));
                (Some(uncertainty), drift, *source)
            }
        };
        ClockDifference { offset: value, uncertainty, drift_ppm, at: Timestamp::from_nanos(at), source }
    }
}

/// A time of the server's clock less the offset.
fn shifted(server: u64, offset: i64) -> u64 {
    server.saturating_sub_signed(offset)
}

/// What a server's time is ahead of a client's, in nanoseconds.
pub(super) fn difference(server: u64, client: u64) -> i64 {
    (i128::from(server) - i128::from(client)).clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

//! Floods: too many of a kind in a second of packet time.

use crate::base::time::{Moment, Timestamp};
use crate::base::tuning;
use crate::http2::Anomaly;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// What one side sends of the kinds that attackers send many of.
#[derive(Debug, Default)]
pub(super) struct Rates {
    continuation: Rate,
    reset: Rate,
    settings: Rate,
    ping: Rate,
    empty_data: Rate,
    priority: Rate,
}

/// A count over a second that begins with the first event.
#[derive(Debug, Default)]
struct Rate {
    since: Timestamp,
    count: u32,
}

impl Rate {
    /// One more; whether it is the one that makes them too many in this second.
    fn add(&mut self, at: Moment, most: u32) -> bool {
        if self.count == 0 || at.time.since(self.since) >= SECOND {
            (self.since, self.count) = (at.time, 0);
        }
        self.count = self.count.saturating_add(1);
        self.count == most.saturating_add(1)
    }
}

impl Rates {
    /// One of the kind that the flood is of; whether a second has just had too many.
    pub(super) fn add(&mut self, flood: Anomaly, at: Moment) -> bool {
        let (rate, most) = match flood {
            Anomaly::ContinuationFlood => (&mut self.continuation, tuning::CONTINUATIONS_PER_SECOND),
            Anomaly::RapidReset => (&mut self.reset, tuning::RAPID_RESETS_PER_SECOND),
            Anomaly::SettingsFlood => (&mut self.settings, tuning::SETTINGS_PER_SECOND),
            Anomaly::PingFlood => (&mut self.ping, tuning::PINGS_PER_SECOND),
            Anomaly::EmptyDataFlood => (&mut self.empty_data, tuning::EMPTY_DATA_PER_SECOND),
            Anomaly::PriorityFlood => (&mut self.priority, tuning::PRIORITIES_PER_SECOND),
            _ => return false,
        };
        rate.add(at, most)
    }
}

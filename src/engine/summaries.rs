//! Telemetry in between: when a record is due by packet time, and what its interval added.
//!
//! A record looks at all that is open. So that a clock that jumps from packet to packet does not make that quadratic, packets
//! pay for it: an interval that they have not paid for is told with the next one.

use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::base::time::Timestamp;
use crate::base::tuning;
use crate::capture::PacketHead;
use crate::record::{Delta, Interval, Report};
use std::time::Duration;

/// What was told last, and when the next is due.
#[derive(Debug, Default)]
pub(super) struct Summaries {
    /// How often, where the engine itself is to look after it.
    every: Option<Duration>,
    /// The interval in hand began then.
    start: Option<Timestamp>,
    /// The last interval that has begun, told of or not.
    grid: Option<Timestamp>,
    /// Places that were looked at.
    spent: u64,
    /// Intervals that are told with the next one.
    joined: u64,
    /// What there was at its beginning; `None` until a summary was told.
    before: Option<Box<Report>>,
}

/// A place among the packets of a batch where an interval ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// Packets of the batch before it.
    pub(super) packets: usize,
    /// When it ends.
    end: Timestamp,
    /// When the next one with a packet begins.
    next: Timestamp,
}

impl Summaries {
    pub(super) fn new(every: Option<Duration>) -> Self {
        Self { every: every.filter(|every| !every.is_zero()), ..Self::default() }
    }

    /// Where intervals end among these packets. Intervals without a packet are passed over, so that no clock that jumps makes
    /// many.
    pub(super) fn due(&mut self, packets: &[PacketHead]) -> Vec<Due> {
        let Some(first) = packets.first() else { return Vec::new() };
        let mut start = *self.grid.get_or_insert(first.time);
        self.start.get_or_insert(start);
        let Some(every) = self.every else { return Vec::new() };
        let step = u64::try_from(every.as_nanos()).unwrap_or(u64::MAX);
        let mut due = Vec::new();
        for (at, packet) in packets.iter().enumerate() {
            let passed = packet.time.as_nanos().saturating_sub(start.as_nanos()) / step;
            if passed > 0 {
                let next = Timestamp::from_nanos(start.as_nanos() + passed * step);
                due.push(Due { packets: at, end: start.after(every), next });
                start = next;
            }
        }
        self.grid = Some(start);
        due
    }

    /// Whether so many packets have paid for one more record; without it, its interval goes on.
    pub(super) fn affords(&mut self, packets: u64) -> bool {
        let affords =
            self.spent <= limits::SUMMARY_RATE.saturating_mul(packets).saturating_add(limits::SUMMARY_START);
        self.joined += u64::from(!affords);
        affords
    }

    /// The report of an interval that is over, for which so many places were looked at.
    pub(super) fn over(&mut self, report: Report, due: Due, looked_at: u64) -> Report {
        self.spent = self.spent.saturating_add(tuning::SUMMARY_LEAST + looked_at);
        let report = self.end(report, due.end);
        self.start = Some(due.next);
        report
    }

    /// The report of an interval that ends then, with what it added; the next one begins.
    pub(super) fn end(&mut self, mut report: Report, end: Timestamp) -> Report {
        self.last(&mut report, end);
        let before = self.before.take().unwrap_or_default();
        report.delta = Some(Box::new(Delta::between(&before, &report)));
        self.before = Some(Box::new(Report { delta: None, in_flight: None, ..report.clone() }));
        self.start = Some(end);
        report
    }

    /// Completes the last report of a capture that ends then.
    pub(super) fn last(&self, report: &mut Report, end: Timestamp) {
        report.coverage.limits.add(Limit::Summaries, self.joined);
        report.interval = self.start.map(|start| Interval { start, end: end.max(start) });
        report.delta = self.before.as_ref().map(|before| Box::new(Delta::between(before, report)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::LinkType;

    fn packets(seconds: &[u64]) -> Vec<PacketHead> {
        let head = |&second| PacketHead {
            number: 1,
            time: Timestamp::from_parts(second, 0),
            link: LinkType(1),
            original_len: 0,
            range: 0..0,
        };
        seconds.iter().map(head).collect()
    }

    #[test]
    fn intervals_end_by_packet_time_and_empty_ones_are_passed_over() {
        let mut summaries = Summaries::new(Some(Duration::from_secs(10)));
        let at = |second| Timestamp::from_parts(second, 0);
        let due = summaries.due(&packets(&[100, 105, 109, 110, 112, 90, 155]));
        let expected = [(3, 110, 110), (6, 120, 150)];
        let found: Vec<_> = due.iter().map(|due| (due.packets, due.end, due.next)).collect();
        assert_eq!(found, expected.map(|(packets, end, next)| (packets, at(end), at(next))));
        for due in due {
            summaries.over(Report::default(), due, 0);
        }
        assert_eq!(summaries.start, Some(at(150)));
        let far = packets(&[u64::MAX / 2_000_000_000]);
        assert_eq!(summaries.due(&far).len(), 1, "a clock that jumps makes no more");
        assert!(Summaries::new(None).due(&packets(&[1, 2])).is_empty());
    }

    /// Packets a second apart, with an interval of a second; how many were told, and what the last one says.
    fn told(places: u64, packets: u64) -> (u64, Report) {
        let mut summaries = Summaries::new(Some(Duration::from_secs(1)));
        let (mut told, mut last) = (0, Report::default());
        for packet in 0..packets {
            for due in summaries.due(&self::packets(&[100 + packet])) {
                if summaries.affords(packet) {
                    last = summaries.over(Report::default(), due, places);
                    told += 1;
                }
            }
        }
        (told, last)
    }

    #[test]
    fn cap_summary_start() {
        assert_eq!(told(0, 20_000).0, 19_999, "each is told, when there is little to look at");
        let places = 1 << 16;
        let (told, _) = told(places, 1000);
        let most = limits::SUMMARY_START / places + 2;
        assert!((most - 2..=most).contains(&told), "{told}");
    }

    #[test]
    fn cap_summary_rate() {
        let places = limits::SUMMARY_RATE * 100 - tuning::SUMMARY_LEAST;
        let [some, twice] = [100_000, 200_000].map(|packets| told(places, packets));
        assert_eq!(twice.0 - some.0, 1000, "one in a hundred packets");
        let seconds = twice.1.interval.map(|interval| interval.end.since(interval.start).as_secs());
        assert_eq!(seconds, Some(100), "what was not told is told with the next one");
        let joined = 99 * 1000..200_000 - twice.0;
        assert!(joined.contains(&twice.1.coverage.limits.of(Limit::Summaries)));
    }

    #[test]
    fn a_delta_is_what_the_interval_added() {
        let mut summaries = Summaries::new(Some(Duration::from_secs(10)));
        summaries.due(&packets(&[100]));
        let with = |requests| {
            let mut report = Report::default();
            report.exact.plaintext.requests = requests;
            report
        };
        let at = |second| Timestamp::from_parts(second, 0);
        for (total, added) in [(5, 5), (7, 2), (7, 0)] {
            let told = summaries.end(with(total), at(200 + total));
            assert_eq!(told.delta.unwrap().exact.plaintext.requests, added);
            assert_eq!(told.exact.plaintext.requests, total);
        }
        let mut last = with(9);
        summaries.last(&mut last, at(300));
        assert_eq!(last.delta.unwrap().exact.plaintext.requests, 2);
        assert_eq!(last.interval, Some(Interval { start: at(207), end: at(300) }));
    }
}

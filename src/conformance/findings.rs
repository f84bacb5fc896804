//! What a connection's sides did wrong: each violation once a side, however often it was repeated.

use super::evidence::may_justify;
use super::repeats::{Repeat, Repeats};
use crate::base::time::Moment;
use crate::http2::{Anomaly, Foreign, PerSide, Side};
use crate::record::{Detail, Finding};

/// The findings of one connection: at most one for each side and [`Anomaly`]. Costs nothing while there is none.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// In order of side and anomaly.
    entries: Vec<FindingEntry>,
    /// Where those were seen again that may justify an error.
    pub(super) repeats: Repeats,
    /// What a side speaks in place of HTTP/2.
    foreign: PerSide<Option<Box<Foreign>>>,
}

/// A violation, and where it was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct FindingEntry {
    from: Side,
    pub(super) anomaly: Anomaly,
    /// The stream where it was first seen.
    pub(super) stream: u32,
    pub(super) first: Moment,
    last: Moment,
    count: u64,
    /// The last packet of those where it was seen on another stream, and which are not remembered; 0 for none.
    pub(super) forgotten: u64,
    detail: Detail,
}

impl Findings {
    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        let lines = [&self.foreign.client, &self.foreign.server].into_iter().flatten();
        let lines =
            lines.map(|foreign| size_of::<Foreign>() + foreign.first_line.as_ref().map_or(0, Vec::capacity));
        self.entries.capacity() * size_of::<FindingEntry>() + self.repeats.memory() + lines.sum::<usize>()
    }

    /// The same, with numbers that go with it; of several those of the latest.
    pub(super) fn add_with(&mut self, from: Side, stream: u32, anomaly: Anomaly, at: Moment, detail: Detail) {
        self.add(from, stream, anomaly, at);
        let found = self.entries.binary_search_by_key(&(from, anomaly), |entry| (entry.from, entry.anomaly));
        if let Some(entry) = found.ok().and_then(|place| self.entries.get_mut(place)) {
            entry.detail = detail;
        }
    }

    /// `from` did this on `stream`, 0 for the connection. What is told late keeps its own place in time.
    pub(super) fn add(&mut self, from: Side, stream: u32, anomaly: Anomaly, at: Moment) {
        match self.entries.binary_search_by_key(&(from, anomaly), |entry| (entry.from, entry.anomaly)) {
            Ok(place) => {
                let Some(entry) = self.entries.get_mut(place) else { return };
                let mut again = (stream, at);
                if at.packet < entry.first.packet {
                    again = (entry.stream, std::mem::replace(&mut entry.first, at));
                    entry.stream = stream;
                }
                if at.packet > entry.last.packet {
                    entry.last = at;
                }
                entry.count += 1;
                if again.0 != entry.stream && may_justify(anomaly) {
                    self.repeat(Repeat { packet: again.1.packet, stream: again.0, from, anomaly });
                }
            }
            Err(place) => {
                let detail = Detail::default();
                let entry = FindingEntry {
                    from,
                    anomaly,
                    stream,
                    first: at,
                    last: at,
                    count: 1,
                    forgotten: 0,
                    detail,
                };
                self.entries.insert(place, entry);
            }
        }
    }

    /// It was seen on another stream, too. What is forgotten for that is taken note of.
    fn repeat(&mut self, repeat: Repeat) {
        let Some(gone) = self.repeats.add(repeat) else { return };
        let found = |entry: &&mut FindingEntry| (entry.from, entry.anomaly) == (gone.from, gone.anomaly);
        if let Some(entry) = self.entries.iter_mut().find(found) {
            entry.forgotten = entry.forgotten.max(gone.packet);
        }
    }

    /// `from` does not speak HTTP/2, but this.
    pub(super) fn add_foreign(&mut self, from: Side, what: &Foreign, at: Moment) {
        self.foreign[from] = Some(Box::new(what.clone()));
        self.add(from, 0, Anomaly::NotHttp2, at);
    }

    /// Those of one side.
    pub(super) fn of(&self, side: Side) -> impl Iterator<Item = &FindingEntry> {
        self.entries.iter().filter(move |entry| entry.from == side)
    }

    /// Hands all of them out, in the order in which they were first seen, then by code and side.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Finding> + use<> {
        let (mut entries, mut foreign) =
            (std::mem::take(&mut self.entries), std::mem::take(&mut self.foreign));
        entries.sort_by_key(|entry| (entry.first.packet, entry.anomaly.describe().code, entry.from));
        entries.into_iter().map(move |entry| {
            let description = entry.anomaly.describe();
            let is_foreign = entry.anomaly == Anomaly::NotHttp2;
            let foreign = is_foreign.then(|| foreign[entry.from].take()).flatten().unwrap_or_default();
            Finding {
                protocol: foreign.protocol,
                first_line: foreign.first_line,
                code: description.code,
                severity: description.severity.name(),
                rfc: description.rfc,
                from_client: entry.from.is_client(),
                stream: entry.stream,
                first: entry.first,
                last: entry.last,
                count: entry.count,
                detail: entry.detail,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Timestamp;

    fn at(packet: u64) -> Moment {
        Moment { packet, time: Timestamp::from_nanos(packet) }
    }

    #[test]
    fn repeated_ones_are_counted_by_side() {
        let mut findings = Findings::default();
        findings.add(Side::Server, 5, Anomaly::WindowUpdateZero, at(7));
        findings.add(Side::Client, 3, Anomaly::WindowUpdateZero, at(8));
        findings.add(Side::Client, 9, Anomaly::WindowUpdateZero, at(11));
        findings.add(Side::Client, 1, Anomaly::WindowUpdateZero, at(4));
        let told: Vec<_> = findings.drain().collect();
        let brief = |finding: &Finding| {
            let Finding { from_client, stream, first, last, count, .. } = *finding;
            (from_client, stream, first.packet, last.packet, count)
        };
        assert_eq!(told.iter().map(brief).collect::<Vec<_>>(), [(true, 1, 4, 11, 3), (false, 5, 7, 7, 1)]);
        assert_eq!(findings.drain().count(), 0, "they are told once");
    }

    #[test]
    fn what_is_told_late_leaves_the_other_stream_known() {
        let mut findings = Findings::default();
        for (stream, packet) in [(9, 8), (9, 9), (1, 4), (5, 11), (5, 12)] {
            findings.add(Side::Client, stream, Anomaly::StreamClosed, at(packet));
            // A remark justifies nothing.
            findings.add(Side::Client, stream, Anomaly::SlowReader, at(packet));
        }
        let again: Vec<_> =
            findings.repeats.of(Side::Client).map(|repeat| (repeat.stream, repeat.packet)).collect();
        assert_eq!(again, [(9, 8), (5, 11)]);
    }

    #[test]
    fn order_is_that_of_time_then_code() {
        let mut findings = Findings::default();
        for (anomaly, packet) in [
            (Anomaly::PingSize, 2),
            (Anomaly::FrameSize, 2),
            (Anomaly::StreamParity, 1),
            (Anomaly::PingStream, 3),
        ] {
            findings.add(Side::Client, 0, anomaly, at(packet));
        }
        let codes: Vec<_> = findings.drain().map(|finding| finding.code).collect();
        assert_eq!(codes, ["stream_parity", "frame_size", "ping_size", "ping_stream"]);
    }
}

//! How many calls of a connection may be missing wholly: in holes there is room for so many requests.

use crate::http2::Side;

/// Octets of a request at the least: a frame header, and a field each for `:method`, `:scheme` and `:path` (RFC 9113 section
/// 8.3.1; CONNECT has `:method` and `:authority`).
const REQUEST: u64 = 9 + 2;
/// Octets of a promise at the least: the same with the promised stream.
const PROMISE: u64 = 9 + 4 + 2;

/// Octets of a `RST_STREAM` frame.
const RESET: u64 = 9 + 4;

/// What is missing of a connection, as far as calls may have been in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Missed {
    /// Octets that the client sent.
    client: u64,
    /// Of these, those before the highest stream that it is known to have opened.
    before: u64,
    highest: u32,
    /// Octets that the server sent.
    server: u64,
}

/// What is known of the streams of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams {
    /// Those of the client that exchanges were told of.
    pub(super) seen: u64,
    /// The highest of them.
    pub(super) highest: u32,
    /// Its first ones may have been opened before the capture.
    pub(super) late: bool,
    /// The client allows promises, as far as is known, or there were some.
    pub(super) may_push: bool,
}

/// Calls that a connection may have been, of which nothing but its octets is known.
pub(super) const fn unrecognised(octets: u64) -> u64 {
    octets / REQUEST
}

impl Missed {
    /// So many octets of a side are missing; `None` where that is not known.
    pub(super) fn lose(&mut self, from: Side, octets: Option<u64>) {
        let lost = if from.is_client() { &mut self.client } else { &mut self.server };
        *lost = lost.saturating_add(octets.unwrap_or(u64::MAX));
    }

    /// So many octets of a side are missing in all, or more.
    pub(super) fn lose_at_least(&mut self, from: Side, octets: u64) {
        let lost = if from.is_client() { &mut self.client } else { &mut self.server };
        *lost = octets.max(*lost);
    }

    /// The highest stream that the client is known to have opened by now.
    pub(super) const fn opened(&mut self, highest: u32) {
        if highest > self.highest {
            (self.highest, self.before) = (highest, self.client);
        }
    }

    /// No more calls than this were reset by the client before what was seen of their responses.
    pub(super) const fn resets(&self, skipped: u64) -> u64 {
        self.client.saturating_add(skipped) / RESET
    }

    /// No more calls than this are missing. `skipped`: octets in which no frame was found.
    ///
    /// A client numbers its streams in ascending order (RFC 9113 section 5.1.1): below the highest one it can only have
    /// opened those that were not seen.
    pub(super) fn calls(&self, skipped: u64, streams: Streams) -> u64 {
        let room = |octets: u64, least: u64| octets.saturating_add(skipped) / least;
        let all = if self.client == 0 && skipped == 0 { 0 } else { room(self.client, REQUEST) };
        let requests = if streams.late {
            all
        } else {
            let below = u64::from(streams.highest.max(self.highest)).div_ceil(2);
            let behind = room(self.client - self.before.min(self.client), REQUEST);
            all.min(below.saturating_sub(streams.seen).saturating_add(behind))
        };
        let promises = if streams.may_push { room(self.server, PROMISE) } else { 0 };
        requests.saturating_add(promises)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAMS: Streams = Streams { seen: 3, highest: 9, late: false, may_push: false };

    fn missed(before: u64, behind: u64) -> Missed {
        let mut missed = Missed::default();
        missed.lose(Side::Client, Some(before));
        missed.opened(9);
        missed.lose(Side::Client, Some(behind));
        missed
    }

    #[test]
    fn without_a_hole_no_call_is_missing() {
        assert_eq!(missed(0, 0).calls(0, STREAMS), 0);
    }

    #[test]
    fn below_the_highest_stream_only_unseen_ones_are_missing() {
        // 1, 3, 5, 7 and 9, of which three were seen.
        assert_eq!(missed(10_000, 0).calls(0, STREAMS), 2);
        assert_eq!(missed(10_000, 0).calls(0, Streams { seen: 5, ..STREAMS }), 0);
        assert_eq!(missed(10_000, 22).calls(0, STREAMS), 4);
        assert_eq!(missed(11, 0).calls(0, STREAMS), 1, "no room for more");
        // Of 11 the response alone was seen: it says nothing of those below.
        assert_eq!(missed(10_000, 0).calls(0, Streams { seen: 4, highest: 11, ..STREAMS }), 2);
    }

    #[test]
    fn what_is_not_known_is_taken_for_the_most() {
        assert_eq!(missed(1_100, 0).calls(0, Streams { late: true, ..STREAMS }), 100);
        assert_eq!(missed(0, 0).calls(33, STREAMS), 3);
        let mut endless = Missed::default();
        endless.lose(Side::Client, None);
        assert!(endless.calls(0, STREAMS) > 1 << 40);
        let mut promises = Missed::default();
        promises.lose(Side::Server, Some(45));
        assert_eq!(promises.calls(0, STREAMS), 0);
        assert_eq!(promises.calls(0, Streams { may_push: true, ..STREAMS }), 3);
    }
}

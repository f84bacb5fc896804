//! What the receiver of a segment accepts, seen from the middle (RFC 9293 section 3.10.7.4, RFC 5961).
//!
//! A capture shows segments that nobody took: resets and SYNs with the numbers of a connection before, data outside of
//! the window, answers to all of these. Who believes them sees connections end, begin anew or lose bytes while the two
//! ends go on. So each segment is judged as its receiver judges it:
//!
//! | segment | judged in | accepted |
//! |---|---|---|
//! | RST | [`Receiver::judge_reset`] | its number is the one expected (RFC 5961 section 3.2) |
//! | SYN | [`super::reuse`] | the peer acknowledges it (RFC 5961 section 4.2) |
//! | data, FIN, no payload | [`Receiver::takes`] | it lies within the window (RFC 9293 section 3.4) |
//! | acknowledgment | [`Receiver::may_have_received`] | of what may have been sent (RFC 5961 section 5.2) |
//! | any of them, damaged | [`super::checksums`] | never |
//!
//! What a receiver expects is known from its acknowledgments and windows, and from the data seen so far. All that is less
//! than what it knows itself: acknowledgments may be captured late or not at all. A reset that is not expected may
//! therefore have been the end after all, which shows when nothing follows it.

/// A verdict on a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its receiver accepted it.
    Accepted,
    /// Its receiver did not: a reset, a SYN or data that belongs to no part of the connection.
    Unaccepted,
    /// Its receiver dropped it for its checksum.
    BadChecksum,
    /// New payload behind the end of its direction: the end was none, or another connection has begun unseen.
    BehindEnd,
}

/// A verdict on a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResetVerdict {
    /// It ends the connection.
    Expected,
    /// It ends the connection only if nothing follows.
    Doubtful,
}

/// What the receiver of a direction expects. All are offsets in the direction's stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receiver {
    /// The next byte (RCV.NXT): it has all before, for what was seen or acknowledged.
    pub(super) next: i64,
    /// What it has acknowledged, which may be less.
    pub(super) acknowledged: i64,
    /// Where the stream ends, if that is behind what it has. The FIN counts as one more.
    pub(super) fin: Option<i64>,
    /// How far behind `next` the sender may have gone, and before it a copy may begin.
    pub(super) reach: i64,
    /// Up to where the sender is known to have gone.
    pub(super) sent: i64,
}

impl Receiver {
    /// Judges a reset with the number of this offset.
    pub(super) fn judge_reset(&self, offset: i64) -> ResetVerdict {
        let expected = self.fin.map_or(self.next, |fin| fin + 1);
        if offset == expected { ResetVerdict::Expected } else { ResetVerdict::Doubtful }
    }

    /// Whether a segment that begins at this offset has bytes that are in the window, or were.
    pub(super) const fn takes(&self, offset: i64) -> bool {
        !self.has_passed(offset) && offset <= self.furthest() + self.reach
    }

    /// Whether what begins at this offset is behind the window: nothing from there on is sent again.
    pub(super) const fn has_passed(&self, offset: i64) -> bool {
        offset < self.acknowledged - self.reach
    }

    /// Whether all up to this offset may have been sent, and acknowledged now.
    pub(super) const fn may_have_received(&self, offset: i64) -> bool {
        self.takes(offset)
    }

    const fn furthest(&self) -> i64 {
        if self.sent > self.next { self.sent } else { self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVER: Receiver = Receiver { next: 1000, acknowledged: 1000, fin: None, reach: 500, sent: 1100 };

    #[test]
    fn a_reset_must_have_the_number_expected() {
        for (offset, verdict) in
            [(999, ResetVerdict::Doubtful), (1000, ResetVerdict::Expected), (1001, ResetVerdict::Doubtful)]
        {
            assert_eq!(RECEIVER.judge_reset(offset), verdict, "{offset}");
        }
        let ended = Receiver { fin: Some(1000), ..RECEIVER };
        assert_eq!(
            ended.judge_reset(1001),
            ResetVerdict::Expected,
            "a FIN takes a number (RFC 9293 section 3.4)"
        );
        assert_eq!(ended.judge_reset(1000), ResetVerdict::Doubtful);
    }

    #[test]
    fn data_must_fit_the_window() {
        for (offset, fits) in [(499, false), (500, true), (1600, true), (1601, false)] {
            assert_eq!(RECEIVER.takes(offset), fits, "{offset}");
        }
    }
}

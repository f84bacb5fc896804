//! The streams of a connection as its sides have left them (RFC 9113 section 5.1).

use super::ended_streams::{EndedBy, EndedStreams};
use super::section::Method;
use crate::base::limits;
use crate::base::time::Timestamp;
use crate::http2::{PerSide, Side, StreamMap};

/// A stream that is open, or reserved.
#[derive(Debug, Default)]
pub(super) struct RuledStream {
    /// What each side has sent on it.
    pub(super) sides: PerSide<Sent>,
    /// When it was first seen.
    pub(super) since: Timestamp,
    /// The request's method.
    pub(super) method: Method,
    /// Its opener, once it counts against the other side's `MAX_CONCURRENT_STREAMS`.
    pub(super) counted: Option<Side>,
}

/// What a side has sent on a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    /// Its header section (of responses, the final one).
    pub(super) headers: Sighting,
    /// How often the side had lost frames when it sent that.
    pub(super) losses: u64,
    /// `END_STREAM`.
    pub(super) ended: bool,
    /// Octets of content; `None` where padding is not known.
    pub(super) body: Option<u64>,
    /// What `content-length` says, where that binds.
    pub(super) length: Option<u64>,
    /// It may have no content: the answer to HEAD, or with status 204 or 304.
    pub(super) bare: bool,
}

/// Whether something was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sighting {
    /// It may have been.
    #[default]
    Unknown,
    /// Not yet.
    No,
    /// It was.
    Yes,
}

/// The state of a stream, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamState {
    /// It was never open, as far as was read.
    Never,
    /// It is open, or reserved; whether the side asked about has ended it.
    Open {
        /// `END_STREAM` of that side.
        ended: bool,
    },
    /// It is over.
    Over(EndedBy),
}

/// The streams of a connection: those open, at most [`limits::RULE_STREAMS`], and the newest of the others.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: StreamMap<RuledStream>,
    odd: EndedStreams,
    even: EndedStreams,
    /// The highest stream that each side has opened, or promised.
    pub(super) highest: PerSide<u32>,
    /// Streams that each side has opened and that count against `MAX_CONCURRENT_STREAMS`.
    pub(super) active: PerSide<u32>,
    /// Streams that were forgotten because there were too many, and frames on those that had ended.
    pub(super) forgotten: u64,
}

impl Streams {
    /// The state of a stream for what `from` sends on it.
    #[inline]
    pub(super) fn state(&self, stream: u32, from: Side) -> StreamState {
        if let Some(open) = self.open.get(stream) {
            return StreamState::Open { ended: open.sides[from].ended };
        }
        self.ended_streams(stream).get(stream).map_or(StreamState::Never, StreamState::Over)
    }

    /// A frame comes on a stream. Counts it when the stream's end is forgotten.
    #[inline]
    pub(super) fn note(&mut self, stream: u32) {
        if self.ended_streams(stream).is_forgotten(stream) && !self.open.contains(stream) {
            self.forgotten += 1;
        }
    }

    /// What came on the stream may not have been judged, for it was forgotten.
    pub(super) fn may_be_forgotten(&self, stream: u32) -> bool {
        self.forgotten > 0 && self.ended_streams(stream).is_forgotten(stream)
    }

    /// The stream is open.
    pub(super) fn is_open(&self, stream: u32) -> bool {
        self.open.contains(stream)
    }

    /// An open stream.
    #[inline]
    pub(super) fn get_mut(&mut self, stream: u32) -> Option<&mut RuledStream> {
        self.open.get_mut(stream)
    }

    /// All open streams, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &RuledStream)> {
        self.open.iter()
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.open.memory() + self.odd.memory() + self.even.memory()
    }

    /// Opens a stream, if it is not open. `whole`: whether all that a side has sent so far was read.
    pub(super) fn open(&mut self, id: u32, since: Timestamp, whole: PerSide<bool>) -> &mut RuledStream {
        if self.open.len() >= limits::RULE_STREAMS && !self.open.contains(id) {
            self.forget();
        }
        self.open.get_or_insert_with(id, || {
            let mut stream = RuledStream { since, ..RuledStream::default() };
            for side in [Side::Client, Side::Server] {
                let headers = if whole[side] { Sighting::No } else { Sighting::Unknown };
                stream.sides[side] = Sent { headers, body: Some(0), ..Sent::default() };
            }
            stream
        })
    }

    /// Opens a stream of the client's, of a connection of which all is known; false where it was opened before, or may have been,
    /// or there is no room.
    pub(super) fn open_next(&mut self, id: u32, since: Timestamp) -> bool {
        let has_room = self.open.len() < limits::RULE_STREAMS;
        let is_next = has_room && !self.open.contains(id) && self.odd.get(id).is_none();
        if is_next {
            let unsent = Sent { headers: Sighting::No, body: Some(0), ..Sent::default() };
            let sides = PerSide { client: unsent, server: unsent };
            let counted = Some(Side::Client);
            self.open.get_or_insert_with(id, || RuledStream {
                sides,
                since,
                method: Method::Unknown,
                counted,
            });
            self.active.client += 1;
        }
        is_next
    }

    /// A stream is over, left like this. Its opener, if it counted.
    pub(super) fn close(&mut self, id: u32, left: EndedBy) -> Option<Side> {
        let mut left = left.with(EndedBy::OPENED);
        let mut counted = None;
        if let Some(stream) = self.open.get(id) {
            for (side, ended) in
                [(Side::Client, EndedBy::CLIENT_ENDED), (Side::Server, EndedBy::SERVER_ENDED)]
            {
                if stream.sides[side].ended {
                    left = left.with(ended);
                }
            }
            counted = stream.counted;
            self.open.forget(id);
        }
        if let Some(side) = counted {
            self.active[side] = self.active[side].saturating_sub(1);
        }
        self.past_mut(id).add(id, left);
        counted
    }

    /// An open stream is over, as both sides have ended it.
    pub(super) fn close_answered(&mut self, id: u32) {
        let counted = self.open.get(id).and_then(|stream| stream.counted);
        self.open.forget(id);
        if let Some(side) = counted {
            self.active[side] = self.active[side].saturating_sub(1);
        }
        self.past_mut(id).add(id, EndedBy::ANSWERED);
    }

    /// Too many are open: the lowest quarter is forgotten, so that room is made seldom.
    fn forget(&mut self) {
        let open = self.open.ids();
        for &id in open.iter().take(open.len() / 4 + 1) {
            self.close(id, EndedBy::FORGOTTEN);
            self.forgotten += 1;
        }
    }

    const fn ended_streams(&self, stream: u32) -> &EndedStreams {
        if stream.is_multiple_of(2) { &self.even } else { &self.odd }
    }

    const fn past_mut(&mut self, stream: u32) -> &mut EndedStreams {
        if stream.is_multiple_of(2) { &mut self.even } else { &mut self.odd }
    }
}

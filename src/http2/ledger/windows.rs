//! Flow control (RFC 9113 sections 5.2 and 6.9): what each side has sent of DATA, and how much its peer has let it.
//!
//! Only octets are counted here; a stream's credit follows from them and from the `INITIAL_WINDOW_SIZE` in force, so that
//! a change of that setting moves the windows of all streams at once (section 6.9.2).
//!
//! ```text
//! credit of a stream     = INITIAL_WINDOW_SIZE of the peer + granted on the stream     − sent on the stream
//! credit of a connection = 65,535                          + granted on the connection − sent on all streams
//! ```
//!
//! State: at most [`limits::RULE_STREAMS`] open streams; at the cap the lowest quarter is forgotten.

use crate::base::limits;
use crate::http2::frame::{Flags, FrameHeader, FrameType};
use crate::http2::side::{PerSide, Side};
use crate::http2::stream_map::StreamMap;

/// Octets that a connection's window has at first; no setting changes that (section 6.9.2).
pub const CONNECTION_WINDOW: u32 = 65_535;

/// What one side has sent, of a stream or of the connection, and was allowed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Octets of DATA frames, padding included (section 6.9.1).
    pub sent: u64,
    /// Octets by which its peer has enlarged the window with `WINDOW_UPDATE`.
    pub granted: u64,
}

impl Flow {
    /// So many octets more may be sent, where the window is so large at first.
    #[inline]
    pub fn takes(&self, octets: u32, initial: u32) -> bool {
        self.sent.saturating_add(octets.into()) <= self.granted.saturating_add(initial.into())
    }

    /// What may still be sent, where the window is so large at first. Negative where the peer has made that smaller
    /// since.
    pub fn credit(&self, initial: u32) -> i64 {
        let signed = |octets: u64| i64::try_from(octets).unwrap_or(i64::MAX);
        // One of the two is nothing.
        let more = signed(self.granted.saturating_sub(self.sent));
        let less = signed(self.sent.saturating_sub(self.granted));
        more.saturating_add(initial.into()) - less
    }
}

/// Of a window less than one part in so many is next to nothing.
const LOW: i64 = 100;

/// So much credit is next to nothing, or nothing, of a window that is so large at first.
#[inline]
pub fn is_low(credit: i64, initial: u32) -> bool {
    credit <= 0 || credit.saturating_mul(LOW) < initial.into()
}

/// What a frame has changed of the windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowChange {
    /// Whose: for what it sends.
    pub sender: Side,
    /// On which stream; where it was DATA, or this is 0, on the connection, too.
    pub stream: u32,
    /// It was DATA, and has left credit on the connection, and on the stream [more](is_low) than next to nothing, unless that
    /// is over.
    pub plenty: bool,
}

/// A stream that is open, or reserved (section 5.1).
#[derive(Clone, Copy, Debug, Default)]
struct OpenStream {
    flow: PerSide<Flow>,
    /// The side has ended it.
    ended: PerSide<bool>,
    /// Frames had been lost so often, of either side, when it was opened.
    losses: u64,
}

/// The windows of a connection and of its open streams.
#[derive(Debug, Default)]
pub(super) struct Windows {
    connection: PerSide<Flow>,
    streams: StreamMap<OpenStream>,
    /// The highest stream that each side has opened, or promised.
    highest: PerSide<u32>,
    /// Times that frames were lost, of either side: updates, or DATA.
    losses: u64,
    /// Of this side.
    lossy: PerSide<bool>,
    /// Streams that were forgotten because there were too many.
    pub(super) forgotten: u64,
}

impl Windows {
    /// What a side has sent on the connection.
    #[inline]
    pub(super) fn connection(&self, sender: Side) -> Flow {
        self.connection[sender]
    }

    /// What a side has sent on a stream that is open.
    #[inline]
    pub(super) fn stream(&self, sender: Side, id: u32) -> Option<Flow> {
        Some(self.streams.get(id)?.flow[sender])
    }

    /// Whether all that moved the windows of an open stream was read.
    pub(super) fn is_certain(&self, id: u32) -> bool {
        self.streams.get(id).is_some_and(|stream| stream.losses == self.losses)
    }

    /// The stream was not open yet.
    pub(super) fn is_new(&self, id: u32) -> bool {
        id > self.highest[opener(id)] && !self.streams.contains(id)
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.streams.memory()
    }

    /// Frames of a side were lost, one cannot know which.
    pub(super) fn lose(&mut self, from: Side) {
        self.losses += 1;
        self.lossy[from] = true;
    }

    /// Frames of the side were lost.
    pub(super) fn is_lossy(&self, side: Side) -> bool {
        self.lossy[side]
    }

    /// DATA of a side takes effect. Whether it has left [plenty](WindowChange::plenty) of windows that are so large at first.
    pub(super) fn spend(&mut self, from: Side, header: &FrameHeader, initial: u32) -> bool {
        let octets = u64::from(header.length);
        let flow = &mut self.connection[from];
        flow.sent = flow.sent.saturating_add(octets);
        let has_credit = flow.credit(CONNECTION_WINDOW) > 0;
        let Some(stream) = self.streams.get_mut(header.stream) else { return has_credit };
        let flow = &mut stream.flow[from];
        flow.sent = flow.sent.saturating_add(octets);
        let low = is_low(flow.credit(initial), initial);
        let is_over = header.flags.has(Flags::END_STREAM) && self.end(header.stream, from);
        has_credit && (is_over || !low)
    }

    /// A whole frame of this side takes effect that is not DATA.
    pub(super) fn apply(&mut self, from: Side, header: &FrameHeader, payload: &[u8]) {
        let id = header.stream;
        match header.kind {
            FrameType::WINDOW_UPDATE => {
                let Some(&increment) = payload.first_chunk() else { return self.lose(from) };
                let octets = u64::from(u32::from_be_bytes(increment) & 0x7fff_ffff);
                let flow = match id {
                    0 => Some(&mut self.connection[from.peer()]),
                    _ => self.streams.get_mut(id).map(|stream| &mut stream.flow[from.peer()]),
                };
                if let Some(flow) = flow {
                    flow.granted = flow.granted.saturating_add(octets);
                }
            }
            FrameType::HEADERS if id != 0 => {
                self.open(id, from);
                if header.flags.has(Flags::END_STREAM) {
                    self.end(id, from);
                }
            }
            FrameType::PUSH_PROMISE => {
                let padded = usize::from(header.flags.has(Flags::PADDED));
                let promised = payload.get(padded..).and_then(|rest| rest.first_chunk());
                if let Some(&promised) = promised {
                    self.promise(u32::from_be_bytes(promised) & 0x7fff_ffff, from);
                }
            }
            FrameType::RST_STREAM => self.streams.forget(id),
            _ => {}
        }
    }

    /// The side has ended a stream. Whether that is over with it.
    pub(super) fn end(&mut self, id: u32, from: Side) -> bool {
        let Some(stream) = self.streams.get_mut(id) else { return false };
        stream.ended[from] = true;
        let is_over = stream.ended[from.peer()];
        if is_over {
            self.streams.forget(id);
        }
        is_over
    }

    /// HEADERS of a side: a stream that it opens, or that the other has opened, which may not be read yet.
    pub(super) fn open(&mut self, id: u32, from: Side) {
        let opener = opener(id);
        if id <= self.highest[opener] {
            // It is open, or over.
            return;
        }
        if opener == from {
            self.highest[opener] = id;
        }
        self.insert(id, OpenStream::default());
    }

    fn promise(&mut self, id: u32, from: Side) {
        if opener(id) == from && id > self.highest[from] {
            self.highest[from] = id;
            let mut stream = OpenStream::default();
            // Its request is the promise.
            stream.ended[from.peer()] = true;
            self.insert(id, stream);
        }
    }

    fn insert(&mut self, id: u32, stream: OpenStream) {
        if self.streams.len() >= limits::RULE_STREAMS && !self.streams.contains(id) {
            self.forget();
        }
        let losses = self.losses;
        self.streams.get_or_insert_with(id, || OpenStream { losses, ..stream });
    }

    /// Too many are open: the lowest quarter is forgotten, so that room is made seldom.
    fn forget(&mut self) {
        let open = self.streams.ids();
        for &id in open.iter().take(open.len() / 4 + 1) {
            self.streams.forget(id);
            self.forgotten += 1;
        }
    }
}

/// The side that opens streams with such an identifier (section 5.1.1).
pub const fn opener(stream: u32) -> Side {
    if stream.is_multiple_of(2) { Side::Server } else { Side::Client }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http2::frame::Flags;

    fn header(kind: FrameType, flags: u8, stream: u32, length: u32) -> FrameHeader {
        FrameHeader { length, kind, flags: Flags(flags), stream, reserved: false }
    }

    fn open(windows: &mut Windows, stream: u32) {
        windows.apply(Side::Client, &header(FrameType::HEADERS, 0, stream, 1), &[]);
    }

    #[test]
    fn octets_are_counted_on_the_stream_and_on_the_connection() {
        let mut windows = Windows::default();
        open(&mut windows, 1);
        windows.spend(Side::Server, &header(FrameType::DATA, 0, 1, 1000), 0);
        windows.apply(Side::Client, &header(FrameType::WINDOW_UPDATE, 0, 1, 4), &300_u32.to_be_bytes());
        windows.apply(Side::Client, &header(FrameType::WINDOW_UPDATE, 0, 0, 4), &7_u32.to_be_bytes());
        assert_eq!(windows.stream(Side::Server, 1), Some(Flow { sent: 1000, granted: 300 }));
        assert_eq!(windows.connection(Side::Server), Flow { sent: 1000, granted: 7 });
        assert_eq!(windows.connection(Side::Client), Flow::default());
    }

    #[test]
    fn what_data_leaves_is_plenty_or_next_to_nothing() {
        let mut windows = Windows::default();
        open(&mut windows, 1);
        let mut spend = |stream, flags, length| {
            windows.spend(Side::Server, &header(FrameType::DATA, flags, stream, length), 10_000)
        };
        assert!(spend(1, 0, 9_900), "one part in a hundred");
        assert!(!spend(1, 0, 1));
        assert!(spend(3, 0, 60_000 - 9_901), "of a stream that is not open nothing is known");
        assert!(!spend(3, 0, 5_535), "the connection has none");
        open(&mut windows, 5);
        windows.apply(Side::Client, &header(FrameType::WINDOW_UPDATE, 0, 0, 4), &20_000_u32.to_be_bytes());
        windows.end(5, Side::Client);
        let ends = header(FrameType::DATA, Flags::END_STREAM, 5, 10_000);
        assert!(windows.spend(Side::Server, &ends, 10_000), "a stream that is over needs none");
    }

    #[test]
    fn a_smaller_initial_window_may_make_credit_negative() {
        let flow = Flow { sent: 300_000, granted: 0 };
        assert_eq!((flow.credit(300_000), flow.credit(10_000)), (0, -290_000));
        let flood = Flow { sent: 0, granted: u64::MAX };
        assert_eq!(flood.credit(u32::MAX), i64::MAX);
        let flood = Flow { sent: u64::MAX, granted: 0 };
        assert!(flood.credit(0) < 0);
    }

    #[test]
    fn a_stream_that_is_over_is_not_opened_again() {
        let mut windows = Windows::default();
        open(&mut windows, 1);
        windows.apply(Side::Server, &header(FrameType::RST_STREAM, 0, 1, 4), &[]);
        windows.apply(Side::Server, &header(FrameType::HEADERS, 0, 1, 1), &[]);
        assert_eq!(windows.stream(Side::Server, 1), None);
        open(&mut windows, 3);
        for side in [Side::Client, Side::Server] {
            windows.spend(side, &header(FrameType::DATA, Flags::END_STREAM, 3, 0), 0);
        }
        assert_eq!(windows.stream(Side::Server, 3), None);
    }

    #[test]
    fn a_loss_leaves_no_stream_certain_that_was_open() {
        let mut windows = Windows::default();
        open(&mut windows, 1);
        windows.lose(Side::Client);
        open(&mut windows, 3);
        assert!(!windows.is_certain(1) && windows.is_certain(3));
        assert!(windows.is_lossy(Side::Client) && !windows.is_lossy(Side::Server));
    }

    #[test]
    fn many_streams_are_forgotten_from_the_lowest() {
        let mut windows = Windows::default();
        for n in 0..=limits::RULE_STREAMS as u32 {
            open(&mut windows, 2 * n + 1);
        }
        assert_eq!(windows.forgotten, limits::RULE_STREAMS as u64 / 4 + 1);
        assert_eq!(windows.stream(Side::Client, 1), None);
        assert!(windows.streams.len() <= limits::RULE_STREAMS);
    }
}

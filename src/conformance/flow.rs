//! Flow control (RFC 9113 section 6.9). Judged only while all that both sides sent is known.

use super::streams::Stream;
use super::suspicion::{Excuse, Suspicion};
use super::{Judge, Side};
use crate::base::time::Moment;
use crate::http2::Anomaly;
use crate::http2::frame::{FrameView, WindowUpdate};

/// Octets that a connection's window has at first; no setting changes that.
const CONNECTION_WINDOW: u64 = 65_535;
/// The largest window.
const MAX_WINDOW: u64 = (1 << 31) - 1;

/// A connection's window for what one side sends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    /// Octets sent.
    sent: u64,
    /// By how much the peer has enlarged the window.
    window: u64,
}

impl Judge {
    /// `from` sent DATA of this length.
    pub(super) fn use_window(&mut self, from: Side, id: u32, length: u32, at: Moment) {
        let octets = u64::from(length);
        let flow = &mut self.sides[from].flow;
        flow.sent = flow.sent.saturating_add(octets);
        let over = flow.sent.saturating_sub(flow.window.saturating_add(CONNECTION_WINDOW));
        let mut stream_over = 0;
        let initial = self.sides[from.peer()].terms.most(|values| values.window);
        if let Some(stream) = self.streams.get_mut(id) {
            let sent = &mut stream.sides[from];
            sent.octets = sent.octets.saturating_add(octets);
            let initial = u64::from(initial.unwrap_or(u32::MAX));
            stream_over = sent.octets.saturating_sub(sent.window.saturating_add(initial));
        }
        self.suspicions.excuse(from, at, octets, |excuse| {
            excuse == Excuse::ConnectionData || excuse == Excuse::StreamData(id)
        });
        // An empty frame needs no window.
        if octets == 0 || !self.both_known() || initial.is_none() {
            return;
        }
        let (excuse, needs) = if over > 0 {
            (Excuse::ConnectionWindow, over)
        } else if stream_over > 0 {
            (Excuse::StreamWindow(id), stream_over)
        } else {
            return;
        };
        self.suspect(Suspicion { from, anomaly: Anomaly::FlowControl, stream: id, at, excuse, needs });
    }

    /// `WINDOW_UPDATE` (section 6.9).
    pub(super) fn window_update(&mut self, from: Side, frame: &FrameView<'_>) {
        let (id, at) = (frame.header.stream, frame.at);
        let Some(update) = WindowUpdate::parse(&frame.header, frame.payload) else { return };
        let by = u64::from(update.increment);
        if id != 0 && !self.may_update(from, id, at) {
            return;
        }
        let sender = from.peer();
        let initial = u64::from(self.sides[from].terms.latest().window);
        let (window, excuse) = if id == 0 {
            self.suspicions.excuse(from, at, by, |excuse| excuse == Excuse::ConnectionWindow);
            let flow = &mut self.sides[sender].flow;
            flow.window = flow.window.saturating_add(by);
            ((CONNECTION_WINDOW + flow.window).saturating_sub(flow.sent), Excuse::ConnectionData)
        } else {
            self.suspicions.excuse(from, at, by, |excuse| excuse == Excuse::StreamWindow(id));
            let Some(stream) = self.streams.get_mut(id) else { return };
            let sent = &mut stream.sides[sender];
            sent.window = sent.window.saturating_add(by);
            ((initial + sent.window).saturating_sub(sent.octets), Excuse::StreamData(id))
        };
        self.suspect_overflow(from, id, window, excuse, at);
    }

    /// Whether the stream may have its window updated; tells if not.
    fn may_update(&mut self, from: Side, id: u32, at: Moment) -> bool {
        use super::{State, opener};
        if self.after_end(from, id, false, at) {
            return false;
        }
        if self.state(id, from) != State::Never {
            return true;
        }
        if id > self.streams.highest[opener(id)] {
            if opener(id) != from {
                self.suspect_idle(from, id, Anomaly::WindowUpdateIdle, at);
            } else if self.sides[from].whole {
                self.findings.add(from, id, Anomaly::WindowUpdateIdle, at);
            }
        }
        false
    }

    fn suspect_overflow(&mut self, from: Side, stream: u32, window: u64, excuse: Excuse, at: Moment) {
        let needs = window.saturating_sub(MAX_WINDOW);
        if needs > 0 && self.both_known() {
            self.suspect(Suspicion { from, anomaly: Anomaly::WindowOverflow, stream, at, excuse, needs });
        }
    }

    /// The initial window that `from` announces has changed: the windows of all streams do (section 6.9.2).
    pub(super) fn window_grew(&mut self, from: Side, before: u32, now: u32, at: Moment) {
        if now <= before {
            return;
        }
        let more = u64::from(now - before);
        self.suspicions.excuse(from, at, more, |excuse| matches!(excuse, Excuse::StreamWindow(_)));
        let widest = |stream: &Stream| {
            let sent = &stream.sides[from.peer()];
            (u64::from(now) + sent.window).saturating_sub(sent.octets)
        };
        if let Some(stream) = self.find_stream(|stream| widest(stream) > MAX_WINDOW) {
            let window = self.streams.get_mut(stream).map_or(0, |stream| widest(stream));
            self.suspect_overflow(from, stream, window, Excuse::StreamData(stream), at);
        }
    }

    /// `by` acknowledged that the initial window for what it sends has changed.
    pub(super) fn window_shrank(&mut self, by: Side, before: u32, now: u32, at: Moment) {
        let peer = by.peer();
        if now >= before || !self.both_known() || self.sides[peer].stalled {
            return;
        }
        let negative = |stream: &Stream| {
            let sent = &stream.sides[by];
            !sent.ended && sent.octets > u64::from(now) + sent.window
        };
        if let Some(stream) = self.find_stream(negative) {
            self.findings.add(peer, stream, Anomaly::WindowNegative, at);
        }
    }

    /// The lowest open stream that this is true of. Looks at no more streams in all than there were frames.
    fn find_stream(&mut self, is: impl Fn(&Stream) -> bool) -> Option<u32> {
        let Some(left) = self.credit.checked_sub(self.streams.len()) else {
            self.dropped += 1;
            return None;
        };
        self.credit = left;
        self.streams.iter().filter(|(_, stream)| is(stream)).map(|(id, _)| id).min()
    }
}

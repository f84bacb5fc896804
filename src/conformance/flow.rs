//! Flow control (RFC 9113 section 6.9), by the ledger's windows. Judged only while all that both sides sent is known.

use super::suspicion::{Excuse, Suspicion};
use super::{Judge, Side};
use crate::base::time::Moment;
use crate::http2::frame::{FrameView, WindowUpdate};
use crate::http2::{Anomaly, CONNECTION_WINDOW, EventContext, Flow, Ledger};

/// The largest window (section 6.9.1).
const MAX_WINDOW: u64 = (1 << 31) - 1;

impl Judge {
    /// DATA of this length comes.
    pub(super) fn use_window(&mut self, cx: &EventContext<'_>, id: u32, length: u32, at: Moment) {
        let (from, octets) = (cx.from, u64::from(length));
        self.suspicions.excuse(from, at, octets, |excuse| {
            excuse == Excuse::ConnectionData || excuse == Excuse::StreamData(id)
        });
        // An empty frame needs no window.
        if octets == 0 || !self.both_known() {
            return;
        }
        let Some(initial) = self.most(cx.ledger, from.peer(), |values| values.initial_window_size) else {
            return;
        };
        let over = beyond(cx.ledger.connection_flow(from), octets, CONNECTION_WINDOW);
        let (excuse, needs) = if over > 0 {
            (Excuse::ConnectionWindow, over)
        } else if self.streams.is_open(id) {
            (Excuse::StreamWindow(id), beyond(stream_flow(cx.ledger, from, id), octets, initial))
        } else {
            return;
        };
        if needs > 0 {
            self.suspect(
                cx,
                Suspicion { from, anomaly: Anomaly::FlowControl, stream: id, at, excuse, needs },
            );
        }
    }

    /// `WINDOW_UPDATE` (section 6.9).
    pub(super) fn window_update(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {
        let (from, id, at) = (cx.from, frame.header.stream, frame.at);
        let Some(update) = WindowUpdate::parse(&frame.header, frame.payload) else { return };
        let by = u64::from(update.increment);
        if id != 0 && !self.may_update(cx, id, at) {
            return;
        }
        let (window, excuse) = if id == 0 {
            self.suspicions.excuse(from, at, by, |excuse| excuse == Excuse::ConnectionWindow);
            (window(cx.ledger.connection_flow(from.peer()), CONNECTION_WINDOW), Excuse::ConnectionData)
        } else {
            self.suspicions.excuse(from, at, by, |excuse| excuse == Excuse::StreamWindow(id));
            if !self.streams.is_open(id) {
                return;
            }
            let initial = cx.ledger.latest_settings(from).initial_window_size;
            (window(stream_flow(cx.ledger, from.peer(), id), initial), Excuse::StreamData(id))
        };
        self.suspect_overflow(cx, id, window.saturating_add(by), excuse, at);
    }

    /// Whether the stream may have its window updated; tells if not.
    fn may_update(&mut self, cx: &EventContext<'_>, id: u32, at: Moment) -> bool {
        use super::{StreamState, opener};
        let from = cx.from;
        let state = self.state(id, from);
        if self.after_end(from, (id, state), false, at) {
            return false;
        }
        if state != StreamState::Never {
            return true;
        }
        if id > self.streams.highest[opener(id)] {
            if opener(id) != from {
                self.suspect_idle(cx, id, Anomaly::WindowUpdateIdle, at);
            } else if self.sides[from].whole {
                self.findings.add(from, id, Anomaly::WindowUpdateIdle, at);
            }
        }
        false
    }

    fn suspect_overflow(
        &mut self,
        cx: &EventContext<'_>,
        stream: u32,
        window: u64,
        excuse: Excuse,
        at: Moment,
    ) {
        let from = cx.from;
        let needs = window.saturating_sub(MAX_WINDOW);
        if needs > 0 && self.both_known() {
            self.suspect(cx, Suspicion { from, anomaly: Anomaly::WindowOverflow, stream, at, excuse, needs });
        }
    }

    /// The initial window that the sender announces has changed: the windows of all streams do (section 6.9.2).
    pub(super) fn window_grew(&mut self, cx: &EventContext<'_>, before: u32, now: u32, at: Moment) {
        if now <= before {
            return;
        }
        let (from, more) = (cx.from, u64::from(now - before));
        self.suspicions.excuse(from, at, more, |excuse| matches!(excuse, Excuse::StreamWindow(_)));
        let widest = |id: u32| window(stream_flow(cx.ledger, from.peer(), id), now);
        if let Some(stream) = self.find_stream(|id, _| widest(id) > MAX_WINDOW) {
            self.suspect_overflow(cx, stream, widest(stream), Excuse::StreamData(stream), at);
        }
    }

    /// The sender acknowledged that the initial window for what it sends has changed.
    pub(super) fn window_shrank(&mut self, cx: &EventContext<'_>, before: u32, now: u32, at: Moment) {
        let (by, peer) = (cx.from, cx.from.peer());
        if now >= before || !self.both_known() || self.sides[peer].stalled {
            return;
        }
        let negative = |id: u32, ended: bool| !ended && stream_flow(cx.ledger, by, id).credit(now) < 0;
        if let Some(stream) = self.find_stream(|id, stream| negative(id, stream.sides[by].ended)) {
            self.findings.add(peer, stream, Anomaly::WindowNegative, at);
        }
    }

    /// The lowest open stream that this is true of. Looks at no more streams in all than there were frames.
    fn find_stream(&mut self, is: impl Fn(u32, &super::streams::RuledStream) -> bool) -> Option<u32> {
        let Some(left) = self.credit.checked_sub(self.streams.len()) else {
            self.dropped += 1;
            return None;
        };
        self.credit = left;
        self.streams.iter().filter(|&(id, stream)| is(id, stream)).map(|(id, _)| id).min()
    }
}

/// What a side has sent on a stream; nothing where the ledger does not know the stream.
fn stream_flow(ledger: &Ledger, sender: Side, id: u32) -> Flow {
    ledger.stream_flow(sender, id).unwrap_or_default()
}

/// Octets beyond the window, once so many more are sent.
fn beyond(flow: Flow, more: u64, initial: u32) -> u64 {
    flow.sent.saturating_add(more).saturating_sub(flow.granted.saturating_add(initial.into()))
}

/// What is left of a window, 0 at the least.
fn window(flow: Flow, initial: u32) -> u64 {
    flow.granted.saturating_add(initial.into()).saturating_sub(flow.sent)
}

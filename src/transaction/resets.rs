//! Streams that end by RST_STREAM (RFC 9113 section 6.4). A reset is often read before what the other side had sent
//! by then: packets are captured out of order, and one direction waits for a hole to fill while the other goes on.

use super::pairing::Pairing;
use super::reset::Reset;
use super::session::PairingInput;
use crate::base::limit_counters::Limit;
use crate::base::time::Moment;
use crate::http2::{EventContext, FrameSpot, ResetPlace, Side};
use crate::record::{EndBy, EndHow, Partial, StreamEnd};

impl Pairing {
    /// A stream was reset, and ends once all that `side` had sent by then is read.
    pub(super) fn await_side(&mut self, side: Side, id: u32) {
        let Self { streams, client, server, .. } = self;
        let state = if side.is_client() { client } else { server };
        state.resets.push(id, |id| streams.contains(id));
    }
}

impl PairingInput<'_> {
    pub(super) fn reset_stream(
        &mut self,
        cx: &EventContext<'_>,
        id: u32,
        code: Option<u32>,
        spot: FrameSpot,
    ) {
        let (from, at) = (cx.from, cx.at());
        let losses = self.pairing.side(from).losses.count;
        let place = ResetPlace::of(cx);
        let unseen = self.pairing.side(from.peer()).unseen;
        let end = StreamEnd { by: from.into(), how: EndHow::RstStream, code };
        let Some(stream) = self.pairing.streams.get_mut(id) else {
            if self.may_still_open(from.peer(), id) {
                let forgot = self.pairing.early_resets.keep(id, Reset { place, end });
                self.stats.limits.add(Limit::EarlyResets, (forgot && !unseen).into());
            }
            return;
        };
        // The other side had received the reset when it ended its part, which was read before.
        let (_, peer) = stream.side(from.peer());
        let received = peer.end.is_some_and(|end| end.has_received(cx.arrival.span.end));
        if stream.is_over(cx, from) && !(received && stream.ended_early().is_some()) {
            return;
        }
        // A server that has closed the connection ended its calls, whatever the client does to clean up: what the server had
        // not received when it closed came after.
        let closed = stream.reset.filter(|reset| from.is_client() && reset.end.how == EndHow::Fin);
        let unreceived = closed.is_some_and(|closed| cx.arrival.span.start >= closed.place.acknowledged);
        if unreceived && !stream.is_answered() {
            return;
        }
        if let Some(ended) = stream.ended_early() {
            // The end came later, as the packets or its sender's acknowledgment tell, and was read before: nobody took it.
            if at.packet > ended.place.at.packet && !received {
                return;
            }
            stream.side(from.peer()).0.ended = false;
        }
        stream.end_side(from, losses, spot, false);
        if code.is_none() {
            stream.record.partial.insert(Partial::TCP_GAP);
        }
        let (_, peer) = stream.side(from.peer());
        // While this side waited for a hole, the other was read ahead, to behind the reset.
        let (reached, packet) = peer.reached;
        let read_behind = losses > 0 && reached > place.acknowledged && packet > at.packet;
        let over = peer.over;
        if read_behind {
            stream.record.partial.insert(Partial::TCP_GAP);
        }
        if over {
            return self.finish_reset(id, Reset { place, end });
        }
        // What the peer sent before is still to be read, or to be found missing.
        let (ended, reset) = (stream.ended_early().is_some(), stream.reset_early());
        stream.reset = Some(Reset { place, end });
        self.pairing.ended_early = self.pairing.ended_early.saturating_sub(ended.into());
        self.pairing.reset_early += usize::from(!reset);
        if unseen {
            self.wait_alone(id, end);
        } else {
            self.pairing.await_side(from.peer(), id);
        }
    }

    /// The server has closed its direction of the connection: no response comes any more. The open streams end, whatever the
    /// client sends after that, once all that it had sent before is read: so much of its TCP stream the server had received.
    pub fn server_closes(&mut self, at: Moment, received: u64) {
        let end = StreamEnd { by: EndBy::Tcp, how: EndHow::Fin, code: None };
        let reset = Reset { place: ResetPlace { from: Side::Server, at, acknowledged: received }, end };
        for id in self.pairing.streams.ids() {
            if let Some(stream) = self.pairing.streams.get_mut(id)
                && stream.reset.is_none()
            {
                stream.reset = Some(reset);
                self.pairing.await_side(Side::Client, id);
            }
        }
    }

    /// The side may have opened the stream by frames that were not read yet.
    fn may_still_open(&self, opener: Side, id: u32) -> bool {
        let (parity, side) = (u32::from(opener.is_client()), self.pairing.side(opener));
        id % 2 == parity && (id > side.highest || !opener.is_client())
    }

    /// All that a side has sent so far has been read, so much of its TCP stream: the streams end that the other side had reset.
    pub fn caught_up(&mut self, side: Side, read: u64) {
        let mut resets = std::mem::take(&mut self.pairing.side_mut(side).resets);
        resets.retain(|id| {
            let Some(stream) = self.pairing.streams.get(id) else { return false };
            let Some(reset) = stream.reset else { return false };
            // A single byte that is missing may be a FIN, or not.
            if reset.end.how == EndHow::Fin && read < reset.place.acknowledged {
                return true;
            }
            let unasked = side.is_client() && id % 2 == 1 && !stream.record.request.seen;
            if unasked && !self.request_is_lost(id) {
                self.pairing.orphans.insert(id);
            } else {
                self.finish_reset(id, reset);
            }
            false
        });
        // The memory is used again.
        self.pairing.side_mut(side).resets = resets;
    }
}

//! Header blocks that came whole in one frame and one packet, as most do: frame and block are taken note of at once.

use super::Timing;
use super::exchange::{Exchange, Turn};
use crate::http2::{Block, EventContext, Side};
use crate::record::TimePart;

impl Timing {
    /// Such a block is over, where nothing tells of priorities and pushes so far.
    pub(super) fn whole_block(&mut self, cx: &EventContext<'_>, block: &Block) {
        self.begin_frame(cx, cx.at());
        if cx.from.is_client() {
            self.whole_request(cx, block);
        } else {
            self.whole_response(cx, block);
        }
    }

    fn whole_request(&mut self, cx: &EventContext<'_>, block: &Block) {
        let (id, at) = (block.stream, cx.at());
        let is_odd = id % 2 == 1;
        let is_new = is_odd && cx.ledger.is_new(id) && !self.exchanges.contains(id);
        if is_new {
            self.words.ask(at);
            // What came before it is none of its time.
            self.end_wait(cx, id);
            self.begin(cx, at.time, id, block.end_stream);
            // All of its time is divided by now.
            self.carried = (at.time, id, Some(Side::Client));
        } else {
            if is_odd {
                self.note_request(at.time);
            }
            self.carried(cx, id);
        }
        if let Some(urgency) = self.urgency.take() {
            self.priorities.get_or_insert_default().state_urgency(id, urgency, false);
        }
        if block.end_stream && !is_new {
            self.end_side(cx, id);
        }
    }

    fn whole_response(&mut self, cx: &EventContext<'_>, block: &Block) {
        let id = block.stream;
        if self.interim || !self.answer(cx, id) {
            self.carried(cx, id);
            if !self.interim {
                self.begin_response(cx, id, cx.at().time);
                self.carried(cx, id);
            }
        }
        if block.end_stream {
            self.end_side(cx, id);
        }
    }

    /// DATA, of a response that has begun, to a request that is over: whatever it ends, the turn stays the server's. False where
    /// it is not such, and nothing is noted.
    pub(super) fn response_goes_on(&mut self, cx: &EventContext<'_>, id: u32) -> bool {
        let has_begun = |exchange: &Exchange| exchange.turn == Turn::Response && exchange.is_asked();
        let goes_on = !cx.from.is_client() && self.exchanges.get(id).is_some_and(has_begun);
        if goes_on {
            self.carried(cx, id);
        }
        goes_on
    }

    /// The response that an exchange waits for begins with this packet; false where it does not wait for one, or the response may
    /// have begun to come before.
    fn answer(&mut self, cx: &EventContext<'_>, id: u32) -> bool {
        if cx.arrival.record_since.is_some() {
            return false;
        }
        self.end_wait(cx, id);
        let at = cx.at().time;
        let Some(exchange) = self.exchanges.get_mut(id).filter(|exchange| exchange.turn == Turn::Wait) else {
            return false;
        };
        let clock = &mut self.clocks.server;
        exchange.settle(at, clock, self.patience, TimePart::Wait);
        let blocked = !cx.ledger.has_credit(Side::Server, id);
        exchange.turn_to(Turn::Response, at, clock, blocked);
        self.carried = (at, id, Some(Side::Server));
        if !exchange.is_settled(at) {
            self.carry(cx, id);
        }
        true
    }
}

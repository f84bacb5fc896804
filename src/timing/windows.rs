//! The windows of what a side sends (RFC 9113 section 5.2): what there was of credit, and when there was next to none.

use super::Timing;
use crate::http2::{CONNECTION_WINDOW, EventContext, Side};
use crate::record::WindowFacts;

/// Of a window less than one part in so many is next to nothing.
const LOW: i64 = 100;

/// So much credit is next to nothing, or nothing, of a window of that size.
fn is_low(credit: i64, initial: u32) -> bool {
    credit <= 0 || credit.saturating_mul(LOW) < initial.into()
}

/// The connection's window for what one side sends.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// The largest credit beyond the one at first.
    above: u64,
    /// Times that there was none left.
    emptied: u64,
}

impl Windows {
    /// There is so much credit now; it has just run out, or not.
    pub(super) fn note(&mut self, credit: i64, ran_out: bool) {
        let above = credit.saturating_sub(CONNECTION_WINDOW.into());
        self.above = self.above.max(u64::try_from(above).unwrap_or(0));
        self.emptied += u64::from(ran_out);
    }

    /// What is told of it, with the window that streams have at first and the time without credit.
    pub(super) fn facts(&self, initial: u32, empty: u64) -> WindowFacts {
        let largest = self.above.saturating_add(CONNECTION_WINDOW.into());
        WindowFacts { initial, largest, emptied: self.emptied, empty }
    }
}

impl Timing {
    /// DATA has taken of credit, and there was enough before and is now, on the connection and on the stream: nothing stops
    /// its sender, and nothing did.
    pub(super) fn has_plenty(&self, cx: &EventContext<'_>, id: u32) -> bool {
        let sender = cx.from;
        let stopped = self.clocks[sender].stops().connection || self.priorities.is_some();
        let initial = cx.ledger.settings(sender.peer()).initial_window_size;
        // A stream that has just ended needs none.
        let low = |credit: Option<i64>| credit.is_some_and(|credit| is_low(credit, initial));
        !stopped
            && cx.ledger.connection_credit(sender) > 0
            && !low(cx.ledger.stream_credit(sender, id))
            && self.exchanges.get(id).is_none_or(|exchange| exchange.has_plenty(sender))
    }

    /// DATA has taken of a stream's credit, or `WINDOW_UPDATE` has added to it.
    pub(super) fn look_at_low_credit(&mut self, cx: &EventContext<'_>, sender: Side, id: u32, credit: i64) {
        let patience = self.patience;
        let Some(exchange) = self.exchanges.get_mut(id) else { return };
        if exchange.turn.sender() != sender {
            return;
        }
        let at = cx.at().time;
        if cx.from == sender {
            let initial = cx.ledger.settings(sender.peer()).initial_window_size;
            exchange.spent(at, credit > 0 && is_low(credit, initial));
        } else {
            exchange.refilled(at, patience);
        }
    }
}

//! The windows of what a side sends (RFC 9113 section 5.2): what there was of credit, and when there was next to none.

use super::Timing;
use crate::http2::{CONNECTION_WINDOW, EventContext, Side, WindowChange, is_low};
use crate::record::WindowFacts;

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
    pub(super) fn had_plenty(&self, change: WindowChange) -> bool {
        let WindowChange { sender, stream, plenty } = change;
        plenty
            && !self.clocks[sender].stops().connection
            && self.priorities.is_none()
            && self.exchanges.get(stream).is_none_or(|exchange| exchange.has_plenty(sender))
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

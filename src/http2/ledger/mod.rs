//! What both directions of a connection need to know of each other: settings and stream identifiers in use.
//!
//! A setting takes effect for the peer's frames when the peer acknowledges it (RFC 9113 section 6.5.3).

use super::counters::Counters;
use super::event::Side;
use super::plausibility::Expect;
use crate::base::limits;
use crate::flow::Arrival;
use std::collections::VecDeque;

const HEADER_TABLE_SIZE: u16 = 1;
const MAX_FRAME_SIZE: u16 = 5;
const DEFAULT_TABLE: u32 = 4096;
const DEFAULT_FRAME: u32 = 16_384;

/// What both sides of a connection have said so far, as far as it matters to more than one frame.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What the frames and header blocks add up to.
    pub(super) counters: Counters,
    client: SideState,
    server: SideState,
    max_stream: u32,
    pushes: bool,
    /// Settings that wait, or acknowledgments that do, beyond their cap.
    limited: u64,
}

/// What a side announced, for the frames that it will receive.
#[derive(Debug)]
struct SideState {
    table: u32,
    max_frame: u32,
    /// Announced and not yet acknowledged: table size and frame size of each SETTINGS frame, where given.
    waiting: VecDeque<(Option<u32>, Option<u32>)>,
    /// Acknowledgments that were read before what they acknowledge: its direction is behind.
    early: usize,
    /// Settings of this side may have been lost: its bounds are not known.
    unsure: bool,
    /// How its latest bytes, or the latest gap in them, came.
    latest: Arrival,
    /// So much of its peer's TCP stream it is known to have received.
    acknowledged: u64,
}

impl Default for SideState {
    fn default() -> Self {
        Self {
            table: DEFAULT_TABLE,
            max_frame: DEFAULT_FRAME,
            waiting: VecDeque::new(),
            early: 0,
            unsure: false,
            latest: Arrival::default(),
            acknowledged: 0,
        }
    }
}

impl SideState {
    /// All that it announced was read, and in time.
    const fn is_certain(&self) -> bool {
        !self.unsure && self.early == 0
    }

    fn apply(&mut self, (table, max_frame): (Option<u32>, Option<u32>)) {
        self.table = table.unwrap_or(self.table);
        self.max_frame = max_frame.unwrap_or(self.max_frame).clamp(DEFAULT_FRAME, (1 << 24) - 1);
    }
}

impl Ledger {
    fn side(&mut self, side: Side) -> &mut SideState {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    const fn peer_of(&self, side: Side) -> &SideState {
        match side {
            Side::Client => &self.server,
            Side::Server => &self.client,
        }
    }

    /// Bytes of `from` have come, or are missing.
    pub(super) fn arrived(&mut self, from: Side, arrival: &Arrival) {
        let side = self.side(from);
        side.latest = *arrival;
        side.acknowledged = side.acknowledged.max(arrival.acknowledged.unwrap_or(0));
    }

    /// How the latest bytes of a side came, or the latest gap in them.
    pub const fn latest(&self, side: Side) -> &Arrival {
        &self.peer_of(side.peer()).latest
    }

    /// So much of its peer's TCP stream the side is known to have received, in bytes.
    pub const fn acknowledged(&self, by: Side) -> u64 {
        self.peer_of(by.peer()).acknowledged
    }

    /// The side has received what of its peer has not been read yet.
    pub const fn is_ahead(&self, side: Side) -> bool {
        // One more is for a FIN.
        self.acknowledged(side) > self.latest(side.peer()).span.end + 1
    }

    /// `from` announced settings.
    pub(super) fn announced(&mut self, from: Side, values: impl Iterator<Item = (u16, u32)>) {
        let mut sizes = (None, None);
        for (id, value) in values {
            match id {
                HEADER_TABLE_SIZE => sizes.0 = Some(value),
                MAX_FRAME_SIZE => sizes.1 = Some(value),
                _ => {}
            }
        }
        let side = self.side(from);
        if side.early > 0 {
            side.early -= 1;
            return side.apply(sizes);
        }
        side.waiting.push_back(sizes);
        if side.waiting.len() > limits::SETTINGS_UNACKNOWLEDGED {
            side.waiting.pop_front();
            side.unsure = true;
            self.limited += 1;
        }
    }

    /// `by` acknowledged the oldest settings of its peer, which may not be read yet.
    pub(super) fn settings_acknowledged(&mut self, by: Side) {
        let side = self.side(by.peer());
        match side.waiting.pop_front() {
            Some(sizes) => side.apply(sizes),
            None if side.early < limits::SETTINGS_UNACKNOWLEDGED => side.early += 1,
            None => {
                side.unsure = true;
                self.limited += 1;
            }
        }
    }

    /// Frames of `from` were lost, settings perhaps, or acknowledgments.
    pub(super) fn lost(&mut self, from: Side) {
        self.side(from).unsure = true;
        self.side(from.peer()).unsure = true;
    }

    /// How often the cap on what waits struck.
    pub(super) const fn limited(&self) -> u64 {
        self.limited
    }

    /// The bound of the dynamic table that `from` encodes with; none while it is not known.
    pub(super) fn table_bound(&self, from: Side) -> u32 {
        let receiver = self.peer_of(from);
        if receiver.is_certain() { receiver.table } else { u32::MAX }
    }

    /// The longest frame that `from` may have taken for allowed, by settings that it has not acknowledged yet too;
    /// `None` while that is not known.
    pub(super) fn longest_frame(&self, from: Side) -> Option<u32> {
        let receiver = self.peer_of(from);
        let waiting = receiver.waiting.iter().filter_map(|&(_, max_frame)| max_frame).max().unwrap_or(0);
        receiver.is_certain().then(|| waiting.max(receiver.max_frame))
    }

    /// The bound of the dynamic table that `from` encodes with is known, and none larger is announced.
    pub(super) fn table_is_certain(&self, from: Side) -> bool {
        let receiver = self.peer_of(from);
        let larger = |&(table, _): &(Option<u32>, _)| table.is_some_and(|table| table > receiver.table);
        receiver.is_certain() && !receiver.waiting.iter().any(larger)
    }

    pub(super) fn saw_stream(&mut self, stream: u32) {
        self.max_stream = self.max_stream.max(stream);
        self.pushes |= stream != 0 && stream.is_multiple_of(2);
    }

    /// What frames of `from` can look like.
    pub(super) fn expect(&self, from: Side) -> Expect {
        Expect { max_stream: u32::MAX >> 1, pushes: true, ..self.expect_after(from, 0) }
    }

    /// What frames of `from` can look like after `lost` bytes that were not read: each new stream takes some.
    pub(super) fn expect_after(&self, from: Side, lost: u64) -> Expect {
        let slack = (2048 + lost / 8).min(1 << 30) as u32;
        let unseen = self.max_stream == 0;
        Expect {
            max_frame: self.peer_of(from).max_frame,
            max_stream: if unseen {
                1 << 24
            } else {
                self.max_stream.saturating_add(slack).min(u32::MAX >> 1)
            },
            pushes: self.pushes || unseen || self.client.unsure || self.server.unsure,
            client: from == Side::Client,
            server: from == Side::Server,
        }
    }
}

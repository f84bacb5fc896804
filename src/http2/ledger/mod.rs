//! The state of a connection that more than one frame makes: settings in force, windows, stream identifiers in use, and
//! how far both sides were read. One truth for who reads the frames and for all who listen.
//!
//! Frames take effect after the events that tell of them: a listener sees the state that a frame meets.

mod settings;
mod windows;

pub use settings::{EarlyAcknowledgments, SettingsValues};
pub use windows::{CONNECTION_WINDOW, Flow, WindowChange, is_low, opener};

use super::counters::Counters;
use super::expansion::Credit;
use super::frame::{FrameHeader, FrameType};
use super::plausibility::Expect;
use super::side::{PerSide, Side};
use crate::base::time::Moment;
use crate::flow::Arrival;
use settings::Announced;
use windows::Windows;

/// Octets that a request takes at the least, as a rule: a frame header and some fields.
const OPENING_OCTETS: u64 = 16;
/// Octets that a push takes at the least, as a rule: two frame headers with some fields each.
const PUSH_OCTETS: u64 = 32;

/// What both sides of a connection have said so far, as far as it matters to more than one frame.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What the frames and header blocks add up to.
    pub(super) counters: Counters,
    /// What pays for the fields that are handed on.
    pub(super) credit: Credit,
    /// What each side has announced for its peer.
    settings: PerSide<Announced>,
    /// How the latest bytes of each side, or the latest gap in them, came.
    latest: PerSide<Arrival>,
    /// The newest packet with bytes of each side that were read.
    newest_packet: PerSide<u64>,
    /// So much of its peer's TCP stream each side is known to have received.
    acknowledged: PerSide<u64>,
    max_stream: u32,
    pushes: bool,
    /// The client has said that nothing may be pushed.
    refuses_pushes: bool,
    /// The newest stream that each side has opened, as far as frames tell.
    newest: PerSide<u32>,
    /// Bytes of each side that were not read since it opened that.
    unread: PerSide<u64>,
    /// Where a listener wants them.
    windows: Option<Box<Windows>>,
}

impl Ledger {
    /// Follows the windows from now on, which must be from the beginning.
    pub(super) fn follow_windows(&mut self) {
        self.windows = Some(Box::default());
    }

    /// Bytes of memory held beside the ledger itself.
    pub(super) fn memory(&self) -> usize {
        self.settings.client.memory()
            + self.settings.server.memory()
            + self.windows.as_ref().map_or(0, |windows| windows.memory())
    }

    /// Bytes of `from` have come, or are missing.
    pub(super) fn arrived(&mut self, from: Side, arrival: &Arrival) {
        self.latest[from] = *arrival;
        self.acknowledged[from] = self.acknowledged[from].max(arrival.acknowledged.unwrap_or(0));
    }

    /// Bytes of `from` were read, and are not missing.
    pub fn read(&mut self, from: Side, arrival: &Arrival) {
        self.newest_packet[from] = self.newest_packet[from].max(arrival.at.packet);
    }

    /// The newest packet with bytes of a side that were read so far. Its peer's TCP had what was read last no earlier than
    /// this packet, whichever one bears it.
    pub fn newest_packet(&self, from: Side) -> u64 {
        self.newest_packet[from]
    }

    /// How the latest bytes of a side came, or the latest gap in them.
    pub fn latest(&self, side: Side) -> &Arrival {
        &self.latest[side]
    }

    /// So much of its peer's TCP stream the side is known to have received, in bytes.
    pub fn acknowledged(&self, by: Side) -> u64 {
        self.acknowledged[by]
    }

    /// The side has received what of its peer has not been read yet.
    pub fn is_ahead(&self, side: Side) -> bool {
        // One more is for a FIN.
        self.acknowledged[side] > self.latest[side.peer()].span.end + 1
    }

    /// The settings of a side that its peer has acknowledged, which apply to what the peer sends.
    pub fn settings(&self, of: Side) -> &SettingsValues {
        self.settings[of].in_force()
    }

    /// The settings that a side has announced last, acknowledged or not.
    pub fn latest_settings(&self, of: Side) -> SettingsValues {
        self.settings[of].latest()
    }

    /// The most that the peer of a side may take for allowed by its settings, those that it has not acknowledged yet
    /// included; `None` where that is not known.
    pub fn most(&self, of: Side, value: impl Fn(&SettingsValues) -> u32) -> Option<u32> {
        self.settings[of].most(value)
    }

    /// Acknowledgments of settings of a side that it has not announced, as far as it was read.
    pub fn early_acknowledgments(&self, of: Side) -> Option<EarlyAcknowledgments> {
        self.settings[of].early()
    }

    /// When a side announced the oldest of its settings that its peer has not acknowledged, as far as it was read.
    pub fn unacknowledged_settings(&self, of: Side) -> Option<Moment> {
        self.settings[of].unacknowledged()
    }

    /// What a side has sent of DATA on the connection; nothing where windows are not followed.
    #[inline]
    pub fn connection_flow(&self, sender: Side) -> Flow {
        self.windows.as_ref().map_or(Flow::default(), |windows| windows.connection(sender))
    }

    /// What a side has sent of DATA on a stream; `None` where it is not open, or windows are not followed.
    #[inline]
    pub fn stream_flow(&self, sender: Side, stream: u32) -> Option<Flow> {
        self.windows.as_ref()?.stream(sender, stream)
    }

    /// What a side may still send on the connection, by the frames that were read.
    #[inline]
    pub fn connection_credit(&self, sender: Side) -> i64 {
        self.connection_flow(sender).credit(CONNECTION_WINDOW)
    }

    /// What a side may still send on a stream, by the frames that were read.
    pub fn stream_credit(&self, sender: Side, stream: u32) -> Option<i64> {
        let initial = self.settings(sender.peer()).initial_window_size;
        Some(self.stream_flow(sender, stream)?.credit(initial))
    }

    /// A side has credit on a stream, or may have: it is not open, as far as is known.
    #[inline]
    pub fn has_credit(&self, sender: Side, stream: u32) -> bool {
        let initial = self.settings(sender.peer()).initial_window_size;
        self.stream_flow(sender, stream).is_none_or(|flow| flow.takes(1, initial))
    }

    /// DATA of so many octets is within the windows of an open stream and of the connection, by the settings in force.
    #[inline]
    pub fn has_room(&self, sender: Side, stream: u32, octets: u32) -> bool {
        let initial = self.settings(sender.peer()).initial_window_size;
        self.connection_flow(sender).takes(octets, CONNECTION_WINDOW)
            && self.stream_flow(sender, stream).is_some_and(|flow| flow.takes(octets, initial))
    }

    /// Whether all that moved the windows of an open stream since it was opened was read.
    pub fn window_is_certain(&self, stream: u32) -> bool {
        self.windows.as_ref().is_some_and(|windows| windows.is_certain(stream))
    }

    /// Frames of the side were lost, or its beginning: what it has sent, and granted, is only known in part.
    pub fn is_lossy(&self, side: Side) -> bool {
        self.windows.as_ref().is_some_and(|windows| windows.is_lossy(side))
    }

    /// Streams whose windows were forgotten for a cap.
    pub fn windows_limited(&self) -> u64 {
        self.windows.as_ref().map_or(0, |windows| windows.forgotten)
    }

    /// The stream was not open yet, as far as was read; also where that is not followed.
    pub fn is_new(&self, stream: u32) -> bool {
        self.windows.as_ref().is_none_or(|windows| windows.is_new(stream))
    }

    /// A frame of `from` takes effect on the windows; what it has changed of them, if it did.
    pub(super) fn apply(&mut self, from: Side, header: &FrameHeader, payload: &[u8]) -> Option<WindowChange> {
        if header.kind == FrameType::DATA {
            return self.spend(from, header);
        }
        self.windows.as_mut()?.apply(from, header, payload);
        let (sender, stream) = (from.peer(), header.stream);
        (header.kind == FrameType::WINDOW_UPDATE).then_some(WindowChange { sender, stream, plenty: false })
    }

    /// The same of DATA, whose payload is not needed.
    pub(super) fn spend(&mut self, from: Side, header: &FrameHeader) -> Option<WindowChange> {
        let initial = self.settings(from.peer()).initial_window_size;
        let plenty = self.windows.as_mut()?.spend(from, header, initial);
        Some(WindowChange { sender: from, stream: header.stream, plenty })
    }

    /// The client's request to upgrade opens stream 1 (RFC 7540 section 3.2).
    pub(super) fn upgraded(&mut self) {
        if let Some(windows) = &mut self.windows {
            windows.open(1, Side::Client);
            windows.end(1, Side::Client);
        }
    }

    /// `from` announced settings. Whether they had been acknowledged before they were read.
    pub(super) fn announced(
        &mut self,
        from: Side,
        at: Moment,
        settings: impl Iterator<Item = (u16, u32)>,
    ) -> bool {
        let early = self.settings[from].announce(at, settings);
        if from == Side::Client {
            self.refuses_pushes = self.settings.client.latest().enable_push == 0;
        }
        early
    }

    /// `by` acknowledged the oldest settings of its peer, which may not be read yet. What was in force before, where that
    /// is known.
    pub(super) fn settings_acknowledged(&mut self, by: Side, at: Moment) -> Option<SettingsValues> {
        self.settings[by.peer()].acknowledge(at)
    }

    /// So many bytes of `from` were not read; `None`: nobody knows how many.
    pub(super) fn missed(&mut self, from: Side, bytes: Option<u64>) {
        self.unread[from] = self.unread[from].saturating_add(bytes.unwrap_or(1 << 32));
    }

    /// Frames of `from` were lost, settings perhaps, or acknowledgments: one cannot know which.
    pub(super) fn lost(&mut self, from: Side) {
        self.settings.client.lose();
        self.settings.server.lose();
        if let Some(windows) = &mut self.windows {
            windows.lose(from);
        }
    }

    /// `from` is joined at an unknown place.
    pub(super) fn joins_late(&mut self, from: Side) {
        self.missed(from, None);
        self.lost(from);
    }

    /// How often the cap on settings that wait struck.
    pub(super) const fn settings_limited(&self) -> u64 {
        self.settings.client.limited() + self.settings.server.limited()
    }

    /// The bound of the dynamic table that `from` encodes with; none while it is not known.
    pub(super) fn table_bound(&self, from: Side) -> u32 {
        let receiver = &self.settings[from.peer()];
        if receiver.is_certain() { receiver.in_force().header_table_size } else { u32::MAX }
    }

    /// The longest frame that `from` may have taken for allowed; `None` while that is not known.
    pub(super) fn longest_frame(&self, from: Side) -> Option<u32> {
        self.most(from.peer(), |values| values.max_frame_size)
    }

    /// The bound of the dynamic table that `from` encodes with is known, and none larger is announced.
    pub(super) fn table_is_certain(&self, from: Side) -> bool {
        let receiver = &self.settings[from.peer()];
        receiver.most(|values| values.header_table_size) == Some(receiver.in_force().header_table_size)
    }

    /// A frame of `from` on this stream was read.
    #[inline]
    pub(super) fn saw_stream(&mut self, from: Side, stream: u32) {
        self.max_stream = self.max_stream.max(stream);
        self.pushes |= stream != 0 && stream.is_multiple_of(2);
        let opener = opener(stream);
        if stream > self.newest[opener] {
            self.newest[opener] = stream;
            if from == opener {
                self.unread[opener] = 0;
            }
        }
    }

    /// Up to which identifier each side may well have opened streams when frames of `from` are looked for behind `lost`
    /// bytes: what of a side was not read may have opened some, and `from` may have received more than is read.
    fn likely_streams(&self, from: Side, lost: u64) -> PerSide<u32> {
        let likely = |side: Side, opening: u64| {
            let ahead = self.acknowledged[from].saturating_sub(self.latest[side].span.end);
            let unread = self.unread[side] + if side == from { lost } else { ahead };
            let more = 2 * (1 + unread / opening);
            self.newest[side].saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
        };
        let server = if self.refuses_pushes { 0 } else { likely(Side::Server, PUSH_OCTETS) };
        PerSide { client: likely(Side::Client, OPENING_OCTETS), server }
    }

    /// What frames of `from` can look like.
    pub(super) fn expect(&self, from: Side) -> Expect {
        Expect { max_stream: u32::MAX >> 1, pushes: true, ..self.expect_after(from, 0) }
    }

    /// What frames of `from` can look like after `lost` bytes that were not read: each new stream takes some.
    pub(super) fn expect_after(&self, from: Side, lost: u64) -> Expect {
        let slack = (2048 + lost / 8).min(1 << 30) as u32;
        let likely = self.likely_streams(from, lost);
        let unseen = self.max_stream == 0;
        Expect {
            max_frame: self.settings(from.peer()).max_frame_size,
            max_stream: if unseen {
                1 << 24
            } else {
                self.max_stream.saturating_add(slack).min(u32::MAX >> 1)
            },
            pushes: self.pushes
                || unseen
                || self.settings.client.is_unsure()
                || self.settings.server.is_unsure(),
            likely,
            pushed: self.newest.server,
            client: from == Side::Client,
            server: from == Side::Server,
        }
    }
}

//! What a side has announced in SETTINGS, for what its peer sends (RFC 9113 section 6.5).
//!
//! The peer may act on settings as soon as it has them, and must once it has acknowledged them (section 6.5.3). In
//! between both are legal: what it may do at most is the most generous of all that it has not acknowledged past.

use crate::base::limits;
use crate::base::time::Moment;
use std::collections::VecDeque;

/// The values of a side's settings (RFC 9113 section 6.5.2), those that apply to what its peer sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingsValues {
    /// `HEADER_TABLE_SIZE`, octets.
    pub header_table_size: u32,
    /// `ENABLE_PUSH`, 0 or 1.
    pub enable_push: u32,
    /// `MAX_CONCURRENT_STREAMS`.
    pub max_concurrent_streams: u32,
    /// `INITIAL_WINDOW_SIZE`, octets.
    pub initial_window_size: u32,
    /// `MAX_FRAME_SIZE`, octets; 2^14 to 2^24-1.
    pub max_frame_size: u32,
    /// `MAX_HEADER_LIST_SIZE`, octets.
    pub max_header_list_size: u32,
}

impl Default for SettingsValues {
    fn default() -> Self {
        Self {
            header_table_size: 4096,
            enable_push: 1,
            max_concurrent_streams: u32::MAX,
            initial_window_size: 65_535,
            max_frame_size: 1 << 14,
            max_header_list_size: u32::MAX,
        }
    }
}

impl SettingsValues {
    /// With these settings set.
    fn with(mut self, settings: impl Iterator<Item = (u16, u32)>) -> Self {
        for (id, value) in settings {
            match id {
                1 => self.header_table_size = value,
                2 => self.enable_push = value,
                3 => self.max_concurrent_streams = value,
                4 => self.initial_window_size = value,
                5 => self.max_frame_size = value.clamp(1 << 14, (1 << 24) - 1),
                6 => self.max_header_list_size = value,
                _ => {}
            }
        }
        self
    }
}

/// Acknowledgments that were read before what they acknowledge: the direction of that is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlyAcknowledgments {
    /// How many, at most [`limits::SETTINGS_UNACKNOWLEDGED`].
    pub count: usize,
    /// The first.
    pub first: Moment,
    /// The last.
    pub last: Moment,
}

/// What a side has announced.
///
/// State: at most [`limits::SETTINGS_UNACKNOWLEDGED`] announcements that wait for their acknowledgment.
#[derive(Debug, Default)]
pub(super) struct Announced {
    /// What its peer has acknowledged.
    in_force: SettingsValues,
    /// Announced since, and when, each on top of the one before.
    waiting: VecDeque<(Moment, SettingsValues)>,
    early: Option<EarlyAcknowledgments>,
    /// Some may have been lost, or too many waited: what applies is not known.
    unsure: bool,
    /// One that waited was dropped, so that its acknowledgment seems to be for another.
    dropped: bool,
    /// Times that the cap struck.
    limited: u64,
}

impl Announced {
    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.waiting.capacity() * size_of::<(Moment, SettingsValues)>()
    }

    /// SETTINGS without ACK. Whether they had been acknowledged before they were read.
    pub(super) fn announce(&mut self, at: Moment, settings: impl Iterator<Item = (u16, u32)>) -> bool {
        let values = self.latest().with(settings);
        if let Some(early) = &mut self.early {
            early.count -= 1;
            if early.count == 0 {
                self.early = None;
            }
            self.in_force = values;
            return true;
        }
        self.waiting.push_back((at, values));
        if self.waiting.len() > limits::SETTINGS_UNACKNOWLEDGED {
            self.waiting.pop_front();
            (self.unsure, self.dropped) = (true, true);
            self.limited += 1;
        }
        false
    }

    /// The peer acknowledges the oldest, which may not be read yet. What was in force before, where that is known.
    pub(super) fn acknowledge(&mut self, at: Moment) -> Option<SettingsValues> {
        if let Some((_, values)) = self.waiting.pop_front() {
            return Some(std::mem::replace(&mut self.in_force, values));
        }
        let early = self.early.get_or_insert(EarlyAcknowledgments { count: 0, first: at, last: at });
        early.last = at;
        if early.count < limits::SETTINGS_UNACKNOWLEDGED {
            early.count += 1;
        } else {
            self.unsure = true;
            self.limited += 1;
        }
        None
    }

    /// Announcements, or acknowledgments, may have been lost.
    pub(super) const fn lose(&mut self) {
        self.unsure = true;
    }

    /// Acknowledgments of nothing, as far as it is read.
    pub(super) fn early(&self) -> Option<EarlyAcknowledgments> {
        self.early.filter(|_| !self.dropped)
    }

    /// When the oldest was announced that is not acknowledged.
    pub(super) fn unacknowledged(&self) -> Option<Moment> {
        self.waiting.front().map(|&(at, _)| at)
    }

    /// Times that the cap struck.
    pub(super) const fn limited(&self) -> u64 {
        self.limited
    }

    /// Some may have been lost.
    pub(super) const fn is_unsure(&self) -> bool {
        self.unsure
    }

    /// All that it announced was read, and in time.
    pub(super) const fn is_certain(&self) -> bool {
        !self.unsure && self.early.is_none()
    }

    /// What is in force at the least: acknowledged.
    pub(super) const fn in_force(&self) -> &SettingsValues {
        &self.in_force
    }

    /// What was announced last.
    pub(super) fn latest(&self) -> SettingsValues {
        self.waiting.back().map_or(self.in_force, |&(_, values)| values)
    }

    /// The most that the peer may have taken for allowed; `None` where that is not known.
    pub(super) fn most(&self, value: impl Fn(&SettingsValues) -> u32) -> Option<u32> {
        let waiting = || self.waiting.iter().map(|(_, values)| value(values)).max().unwrap_or(0);
        let in_force = value(&self.in_force);
        self.is_certain().then(|| if self.waiting.is_empty() { in_force } else { in_force.max(waiting()) })
    }
}

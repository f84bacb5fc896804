//! What a side has announced in SETTINGS, for the conduct of its peer.
//!
//! The peer may act on settings as soon as it has them, and must once it has acknowledged them (RFC 9113 section
//! 6.5.3). In between both are legal: what it may do at most is the most generous of all that it has not
//! acknowledged past.

use crate::base::limits;
use crate::base::time::Moment;
use crate::http2::frame::Settings;
use std::collections::VecDeque;

/// The values of a side's settings that its peer can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Values {
    /// `ENABLE_PUSH`.
    pub(super) push: u32,
    /// `MAX_CONCURRENT_STREAMS`.
    pub(super) concurrent: u32,
    /// `INITIAL_WINDOW_SIZE`.
    pub(super) window: u32,
    /// `MAX_HEADER_LIST_SIZE`.
    pub(super) list: u32,
}

/// What a side has announced.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// What its peer has acknowledged.
    in_force: Values,
    /// Announced since, each on top of the one before.
    waiting: VecDeque<Values>,
    /// Acknowledgments that came before what they acknowledge: how many, the first and the last.
    early: Option<(u64, Moment, Moment)>,
    /// Too many wait: what applies is not known.
    unknown: bool,
    /// Those that did not find room.
    pub(super) limited: u64,
    /// Some may not have been seen.
    unseen: bool,
    /// `ENABLE_CONNECT_PROTOCOL` was 1.
    pub(super) connect_protocol: bool,
}

impl Default for Values {
    fn default() -> Self {
        Self { push: 1, concurrent: u32::MAX, window: 65_535, list: u32::MAX }
    }
}

impl Values {
    /// With one setting set.
    pub(super) const fn set(&mut self, id: u16, value: u32) {
        match id {
            2 => self.push = value,
            3 => self.concurrent = value,
            4 => self.window = value,
            6 => self.list = value,
            _ => {}
        }
    }
}

impl Terms {
    /// A setting that applies at once: it came with the upgrade request (RFC 7540 section 3.2.1).
    pub(super) const fn set(&mut self, id: u16, value: u32) {
        self.in_force.set(id, value);
    }

    /// Settings may, or cannot, have been announced in what was not seen.
    pub(super) const fn set_unseen(&mut self, unseen: bool) {
        self.unseen = unseen;
    }

    /// SETTINGS without ACK. Whether it had been acknowledged before it was read: the other direction is ahead.
    pub(super) fn announced(&mut self, settings: &Settings<'_>) -> bool {
        let mut values = self.latest();
        for (id, value) in settings.iter() {
            values.set(id, value);
        }
        if let Some((count, ..)) = &mut self.early {
            *count -= 1;
            if *count == 0 {
                self.early = None;
            }
            self.in_force = values;
            return true;
        }
        if self.waiting.len() < limits::SETTINGS_UNACKNOWLEDGED {
            self.waiting.push_back(values);
        } else {
            self.unknown = true;
            self.limited += 1;
        }
        false
    }

    /// The peer acknowledges the oldest. The values that applied before, where they are known.
    pub(super) fn acknowledged(&mut self, at: Moment) -> Option<Values> {
        if let Some(values) = self.waiting.pop_front() {
            return Some(std::mem::replace(&mut self.in_force, values));
        }
        let (count, first, _) = self.early.unwrap_or((0, at, at));
        self.early = Some((count + 1, first, at));
        None
    }

    /// Acknowledgments of nothing, as far as it is read: how many, the first and the last.
    pub(super) fn unasked(&self) -> Option<(u64, Moment, Moment)> {
        self.early.filter(|_| !self.unknown && !self.unseen)
    }

    /// What is in force at the least: acknowledged.
    pub(super) const fn in_force(&self) -> &Values {
        &self.in_force
    }

    /// What was announced last.
    pub(super) fn latest(&self) -> Values {
        self.waiting.back().copied().unwrap_or(self.in_force)
    }

    /// The most that the peer may have taken for allowed; `None` where that is not known.
    pub(super) fn most(&self, value: impl Fn(&Values) -> u32) -> Option<u32> {
        let known = !self.unknown && !self.unseen && self.early.is_none();
        let waiting = self.waiting.iter().map(&value).max().unwrap_or(0);
        known.then(|| waiting.max(value(&self.in_force)))
    }
}

//! How far ahead of what its receiver has a sender may go (RFC 9293 section 3.3.1, RFC 7323 section 2).

use crate::base::tcp::WindowScale;

/// Assumed where a SYN was not seen, and so not by how much windows are shifted: twice what Linux allows by default.
const UNKNOWN: i64 = 16 << 20;
/// The least that is assumed: windows that were allowed before may not be in the capture.
const LEAST: i64 = 64 << 10;

/// The largest window that a receiver has offered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    /// By how many bits its windows are shifted, where that is known.
    shift: Option<u8>,
    largest: u32,
}

impl Window {
    /// The receiver's SYN and the sender's have these options: windows are shifted if both have one.
    pub(super) fn negotiate(&mut self, receiver: WindowScale, sender: WindowScale) {
        self.shift = match (receiver, sender) {
            (WindowScale::Unknown, _) | (_, WindowScale::Unknown) => None,
            (WindowScale::Shift(shift), WindowScale::Shift(_)) => Some(shift),
            _ => Some(0),
        };
    }

    /// The receiver offers a window. That of a SYN is never shifted.
    #[inline]
    pub(super) fn offer(&mut self, window: u16, syn: bool) {
        let shift = if syn { 0 } else { self.shift.unwrap_or(0) };
        self.largest = self.largest.max(u32::from(window) << shift);
    }

    /// Bytes that may be under way, generously: the capture may lack the newest offer.
    #[inline]
    pub(super) fn reach(self) -> i64 {
        if self.shift.is_some() { 2 * i64::from(self.largest).max(LEAST) } else { UNKNOWN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_shifted_where_both_sides_say_so() {
        let reach = |receiver, sender| {
            let mut window = Window::default();
            window.negotiate(receiver, sender);
            window.offer(65535, true);
            window.offer(1000, false);
            window.reach()
        };
        assert_eq!(reach(WindowScale::Shift(7), WindowScale::Shift(2)), 2 * (1000 << 7));
        assert_eq!(reach(WindowScale::Shift(7), WindowScale::Absent), 2 * LEAST);
        assert_eq!(reach(WindowScale::Shift(7), WindowScale::Unknown), UNKNOWN);
        assert_eq!(reach(WindowScale::Shift(14), WindowScale::Shift(0)), 2 * (1000 << 14));
    }
}

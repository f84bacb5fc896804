//! Which wrong checksums a receiver saw too, and which ones the capturing host has made itself.
//!
//! A segment that was damaged on its way is dropped by its receiver and sent again. But where a capture is made on the
//! sending host, the network card computes checksums behind it, and all of the direction are wrong; and where it is made
//! on the receiving host, the card may have joined segments and left the checksum of one of them. So a direction's wrong
//! checksums count only once right ones were seen, or ones as the sending host leaves them for its card.

use crate::packet::{Checksum, Segment};

/// The longest payload that a network without jumbo frames carries.
const USUAL_PAYLOAD: usize = 1460;
/// Wrong checksums that may be the damage of a line; with more, and [`RATIO`] times as many as right ones, they are not.
const DAMAGE: u32 = 16;
const RATIO: u32 = 4;

/// The checksums of a direction so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Checksums {
    /// Right ones, and those that were left to a card.
    right: u32,
    wrong: u32,
    /// The longest payload under one of these.
    longest: usize,
}

impl Checksums {
    /// Counts a segment; whether its receiver dropped it.
    #[inline]
    pub(super) fn is_damaged(&mut self, segment: &Segment<'_>) -> bool {
        match segment.checksum {
            Checksum::Unknown => false,
            Checksum::Right | Checksum::Offloaded => {
                // The kernel makes resets without the help of the network card.
                self.right = self.right.saturating_add(u32::from(!segment.flags.rst()));
                self.longest = self.longest.max(segment.payload.len());
                false
            }
            Checksum::Wrong => self.judge_wrong(segment),
        }
    }

    /// Whether a segment that was not counted may be one that its receiver dropped.
    #[inline]
    pub(super) fn doubts(&self, segment: &Segment<'_>) -> bool {
        segment.checksum == Checksum::Wrong && self.right > 0
    }

    #[cold]
    fn judge_wrong(&mut self, segment: &Segment<'_>) -> bool {
        let len = segment.payload.len();
        let joined = len > USUAL_PAYLOAD && len > self.longest;
        self.wrong = self.wrong.saturating_add(u32::from(!joined));
        let offloaded = self.wrong > DAMAGE && self.wrong / RATIO > self.right;
        !joined && !offloaded && self.right > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::endpoint::Endpoint;
    use crate::base::time::Moment;
    use crate::packet::TcpFlags;

    fn judge(checksums: &mut Checksums, checksum: Checksum, len: usize) -> bool {
        let payload = vec![0; len];
        checksums.is_damaged(&Segment {
            seq: 0,
            flags: TcpFlags(TcpFlags::ACK),
            checksum,
            payload: &payload,
            ..Segment::empty(Moment::default(), Endpoint::UNKNOWN, Endpoint::UNKNOWN)
        })
    }

    #[test]
    fn a_direction_with_wrong_checksums_only_is_offloaded() {
        let mut checksums = Checksums::default();
        assert!((0..100).all(|_| !judge(&mut checksums, Checksum::Wrong, 100)));
    }

    #[test]
    fn among_right_checksums_a_wrong_one_is_damage() {
        let mut checksums = Checksums::default();
        assert!(!judge(&mut checksums, Checksum::Right, 100));
        assert!(judge(&mut checksums, Checksum::Wrong, 100));
        assert!(!judge(&mut checksums, Checksum::Unknown, 100));
        assert!(judge(&mut checksums, Checksum::Wrong, 0));
    }

    #[test]
    fn among_checksums_left_to_a_card_a_wrong_one_is_damage() {
        let mut checksums = Checksums::default();
        assert!(!judge(&mut checksums, Checksum::Offloaded, 100));
        assert!(judge(&mut checksums, Checksum::Wrong, 100));
    }

    #[test]
    fn segments_that_a_card_has_joined_are_not_damaged() {
        let mut checksums = Checksums::default();
        judge(&mut checksums, Checksum::Right, 1460);
        assert!(!judge(&mut checksums, Checksum::Wrong, 2920));
        judge(&mut checksums, Checksum::Right, 8960);
        assert!(judge(&mut checksums, Checksum::Wrong, 2920), "there are jumbo frames");
    }

    #[test]
    fn wrong_checksums_that_are_the_rule_are_no_damage() {
        let mut checksums = Checksums::default();
        judge(&mut checksums, Checksum::Right, 0);
        let dropped = (0..100).filter(|_| judge(&mut checksums, Checksum::Wrong, 100)).count();
        assert_eq!(dropped, DAMAGE as usize);
    }
}

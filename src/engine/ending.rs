//! The end of the capture in ranges: what all connections still have to tell may be more than fits into memory as text, so
//! that some of them end at a time, in the order of their records.

use crate::base::memory::Memory;
use crate::base::tuning::ENDING_RANGE;
use crate::pipeline::Ending;

/// What a connection takes beside what it holds.
const CONNECTION: usize = 4096;

/// Connections that end together: up to the first packet of the first one behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// The packet.
    pub(super) before: u64,
    /// They may have more to tell than at one time may be told.
    pub(super) is_large: bool,
}

/// The connections in their order, range by range. Those whose records stand between each other's are of one range.
pub(super) fn ranges(endings: Vec<Ending>, memory: Memory) -> Vec<Ends> {
    let range = memory.share(ENDING_RANGE);
    let ends = |before, weight| Ends { before, is_large: weight > 2 * range };
    let mut endings = endings;
    endings.sort_unstable_by_key(|ending| ending.first);
    let (mut ranges, mut weight, mut reach) = (Vec::new(), 0, 0);
    for ending in endings {
        if weight >= range && ending.first > reach {
            ranges.push(ends(ending.first, weight));
            weight = 0;
        }
        weight += CONNECTION + ending.weight;
        reach = reach.max(ending.reach);
    }
    ranges.push(ends(u64::MAX, weight));
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where each range but the last ends.
    fn ranges(endings: Vec<Ending>) -> Vec<u64> {
        let mut ranges = super::ranges(endings, Memory::default());
        assert_eq!(ranges.pop().map(|last| last.before), Some(u64::MAX));
        ranges.iter().map(|ends| ends.before).collect()
    }

    fn ending(first: u64, reach: u64, weight: usize) -> Ending {
        Ending { first, reach, weight }
    }

    #[test]
    fn few_connections_end_at_once() {
        assert_eq!(ranges(Vec::new()), [0; 0]);
        let few = (0..ENDING_RANGE / CONNECTION).map(|first| ending(first as u64, first as u64, 0));
        assert_eq!(ranges(few.collect()), [0; 0]);
    }

    #[test]
    fn many_end_in_ranges_by_what_they_hold() {
        let of = |weights: [usize; 4]| {
            let endings = weights.into_iter().zip([30, 10, 40, 20]);
            ranges(endings.map(|(weight, first)| ending(first, first, weight)).collect())
        };
        assert_eq!(of([0, ENDING_RANGE, 0, 0]), [20], "in the order of their first packets");
        assert_eq!(of([ENDING_RANGE; 4]), [20, 30, 40]);
    }

    #[test]
    fn a_connection_with_much_to_tell_makes_a_range_large() {
        let endings = vec![ending(1, 1, ENDING_RANGE), ending(2, 2, 3 * ENDING_RANGE), ending(3, 3, 0)];
        let ends = |before, is_large| Ends { before, is_large };
        assert_eq!(
            super::ranges(endings, Memory::default()),
            [ends(2, false), ends(3, true), ends(u64::MAX, false)]
        );
    }

    #[test]
    fn connections_within_others_end_with_them() {
        let large = |first, reach| ending(first, reach, ENDING_RANGE);
        assert_eq!(ranges(vec![large(1, 25), large(10, 10), large(20, 20), large(30, 30)]), [30]);
    }
}

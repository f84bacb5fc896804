//! A pcapng interface: how its packets begin, and in which units its time is.

use super::Order;
use crate::base::time::Timestamp;
use crate::capture::batch::LinkType;

/// What packets need to know of their interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    /// How its packets begin.
    pub(super) link: LinkType,
    /// Bytes captured of a packet at most; zero is no limit.
    pub(super) snaplen: u32,
    resolution: Resolution,
    /// Nanoseconds to add.
    offset: i64,
    /// Packets that did not make it into the capture.
    pub(super) drops: Drops,
}

/// Packets of an interface that were dropped before they could be captured: two ways to tell the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drops {
    /// As the latest interface statistics say, since the start of the capture.
    total: u64,
    /// The sum of what the packets say, each since the one before.
    between: u64,
}

impl Drops {
    /// How many there were at least.
    pub(super) fn count(self) -> u64 {
        self.total.max(self.between)
    }

    /// Takes in a packet's count.
    pub(super) fn add(&mut self, since_last: u64) {
        self.between = self.between.saturating_add(since_last);
    }

    /// Takes in the body of an Interface Statistics Block behind its interface (draft-ietf-opsawg-pcapng section 4.6):
    /// what the interface dropped (`isb_ifdrop`) and what the operating system did (`isb_osdrop`).
    ///
    /// ```text
    /// time 4+4 · options
    /// ```
    pub(super) fn statistics(&mut self, body: &[u8], order: Order) {
        let [mut interface, mut system] = [0; 2];
        for (code, value) in Options::new(body.get(8..).unwrap_or_default(), order) {
            match (code, value.first_chunk()) {
                (5, Some(count)) => interface = order.u64(*count),
                (7, Some(count)) => system = order.u64(*count),
                _ => {}
            }
        }
        self.total = self.total.max(interface.saturating_add(system));
    }
}

/// The options at the end of a block (draft-ietf-opsawg-pcapng section 3.5): code, length, value padded to four bytes.
/// Those that run past the end are left out, and what comes after the end of the options is none.
pub(super) struct Options<'a> {
    rest: &'a [u8],
    order: Order,
}

impl<'a> Options<'a> {
    pub(super) const fn new(bytes: &'a [u8], order: Order) -> Self {
        Self { rest: bytes, order }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let ([c0, c1, l0, l1], rest) = self.rest.split_first_chunk()?;
        let (code, length) = (self.order.u16([*c0, *c1]), usize::from(self.order.u16([*l0, *l1])));
        let value = rest.get(..length).filter(|_| code != 0)?;
        self.rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    }
}

/// The drops that an Enhanced Packet Block's options tell (`epb_dropcount`, section 4.3).
pub(super) fn drop_count(options: &[u8], order: Order) -> Option<u64> {
    let mut options = Options::new(options, order);
    let (_, value) = options.find(|(code, _)| *code == 4)?;
    value.first_chunk().map(|count| order.u64(*count))
}

/// What a unit of time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    /// So many nanoseconds.
    Multiple(u64),
    /// A nanosecond is so many units; zero: more than can be counted.
    Fraction(u64),
    /// A second is two to this power of units.
    PowerOfTwo(u8),
}

impl Resolution {
    /// From `if_tsresol`: the negative power of ten or, with the highest bit set, of two that a unit is of a
    /// second.
    fn new(tsresol: u8) -> Self {
        match tsresol {
            0..=9 => Self::Multiple(10_u64.pow(9 - u32::from(tsresol))),
            10..=127 => Self::Fraction(10_u64.checked_pow(u32::from(tsresol) - 9).unwrap_or(0)),
            128.. => Self::PowerOfTwo(tsresol & 0x7f),
        }
    }
}

impl Interface {
    /// From the body of an Interface Description Block (draft-ietf-opsawg-pcapng section 4.2); `None` if it is
    /// too short. Options that run past the block's end are left out.
    ///
    /// ```text
    /// link type 2 · reserved 2 · snaplen 4 · options
    /// ```
    pub(super) fn from_block(body: &[u8], order: Order) -> Option<Self> {
        let (head, options) = body.split_first_chunk::<8>()?;
        let [l0, l1, _, _, s0, s1, s2, s3] = *head;
        let mut interface = Self {
            link: LinkType(order.u16([l0, l1])),
            snaplen: order.u32([s0, s1, s2, s3]),
            resolution: Resolution::new(6),
            offset: 0,
            drops: Drops::default(),
        };
        for (code, value) in Options::new(options, order) {
            match (code, value) {
                (9, [resolution, ..]) => interface.resolution = Resolution::new(*resolution),
                (14, _) => {
                    if let Some(seconds) = value.first_chunk() {
                        interface.offset = order.i64(*seconds).saturating_mul(1_000_000_000);
                    }
                }
                _ => {}
            }
        }
        Some(interface)
    }

    /// The time of a packet, from the two halves that packet blocks hold.
    #[inline]
    pub(super) fn time(&self, high: u32, low: u32) -> Timestamp {
        let units = u64::from(high) << 32 | u64::from(low);
        let nanos = match self.resolution {
            Resolution::Multiple(factor) => units.saturating_mul(factor),
            Resolution::Fraction(divisor) => units.checked_div(divisor).unwrap_or(0),
            // Less than 2^94, so nothing is lost; what is later than the year 2554 saturates.
            Resolution::PowerOfTwo(power) => {
                u64::try_from((u128::from(units) * 1_000_000_000) >> power).unwrap_or(u64::MAX)
            }
        };
        Timestamp::from_nanos(nanos.saturating_add_signed(self.offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_options(options: &[u8]) -> Interface {
        let body = [&[1, 0, 0, 0, 0, 0, 4, 0], options].concat();
        Interface::from_block(&body, Order::Little).unwrap()
    }

    #[test]
    fn units_are_powers_of_ten_or_two() {
        for (tsresol, units, nanos) in [
            (6, 1_500_000, 1_500_000_000),
            (9, 1_500_000_000, 1_500_000_000),
            (0, 3, 3_000_000_000),
            (12, 1_500_000_999_999, 1_500_000_999),
            (29, u64::MAX, 0),
            (127, u64::MAX, 0),
            (0x80, 3, 3_000_000_000),
            (0x8a, 1536, 1_500_000_000),
            (0xbf, 1 << 62, 500_000_000),
            (0xff, u64::MAX, 0),
            (3, u64::MAX, u64::MAX),
        ] {
            let interface = with_options(&[9, 0, 1, 0, tsresol, 0, 0, 0]);
            let time = interface.time((units >> 32) as u32, units as u32);
            assert_eq!(time.as_nanos(), nanos, "resolution {tsresol}");
        }
    }

    #[test]
    fn offsets_are_signed_seconds_and_saturate() {
        for (seconds, expected) in [(10_i64, 11_000_000_000), (-1, 0), (i64::MAX, i64::MAX as u64), (-2, 0)] {
            let option = [&[14, 0, 8, 0][..], &seconds.to_le_bytes()].concat();
            let time = with_options(&option).time(0, 1_000_000).as_nanos();
            assert!(time.abs_diff(expected) <= 1_000_000_000 && (seconds == i64::MAX || time == expected));
        }
    }

    #[test]
    fn options_that_lie_about_their_length_are_left_out() {
        for options in [&[9, 0, 0xff, 0xff, 9][..], &[9, 0, 0, 0], &[9, 0], &[14, 0, 4, 0, 1, 2, 3, 4]] {
            assert_eq!(with_options(options).time(0, 1).as_nanos(), 1000);
        }
        // What comes after the end of the options is none.
        assert_eq!(with_options(&[0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0]).time(0, 1).as_nanos(), 1000);
        assert_eq!(Interface::from_block(&[1, 0, 0, 0, 0, 0, 4], Order::Little), None);
    }
}

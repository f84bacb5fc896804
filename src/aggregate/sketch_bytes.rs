//! Whether bytes are a sketch's. The library that reads them trusts what they claim; this looks first.

use crate::record::endpoint::Bins;

/// Bins that 64 bits of nanoseconds can fall into, on either side of 1.
pub(super) const INDEX: i64 = 4096;
/// Values that a sketch may claim to have: each is counted exactly in a float.
const COUNT: f64 = 9_007_199_254_740_992.0;

/// Reads bytes from the front.
struct Reader<'a>(&'a [u8]);

/// Whether they are what [`super::Sketch::to_bytes`] writes: flags, each with what follows it.
///
/// | flag | what follows |
/// |---|---|
/// | `0xA0` | the count of values, a varfloat |
/// | `0x88` `0x8C` `0x84` | least value, greatest value, sum: a float of 64 bits, little endian |
/// | `0x02` | the mapping: γ = (1 + 0.01) / (1 − 0.01), and 0, likewise |
/// | `0x04` | how many are zero, a varfloat |
/// | `0x05` | the bins: how many, then the distance from the index before (zigzag) and a varfloat, each |
///
/// The bin of index i holds the values from γⁱ on, below γⁱ⁺¹. Integers have seven bits a byte, the lowest first, 1
/// before the highest bit of all but the last. A varfloat is the count plus 1 as a float, less the bits of 1, turned left
/// by 6, with seven bits a byte, the highest first.
pub(super) fn are_sound(bytes: &[u8], gamma: f64) -> bool {
    let (mut counted, mut claimed, mut mapped) = (0.0, 0.0, false);
    // The library takes a mapping that comes first for the number of a version.
    if bytes.first() == Some(&0x02) {
        return false;
    }
    let read = read(bytes, |item| {
        match item {
            Item::Count(count) => claimed = count,
            Item::Extent(value) => return value >= 0.0 && value.is_finite(),
            Item::Mapping(ours, offset) => {
                mapped = ours.to_bits() == gamma.to_bits() && offset.to_bits() == 0;
                return mapped;
            }
            Item::Zeros(count) | Item::Bin(_, count) => counted += count,
        }
        true
    });
    read.is_some() && mapped && (0.0..COUNT).contains(&counted) && counted.to_bits() == f64::to_bits(claimed)
}

/// The bins of bytes that are sound.
pub(super) fn bins(bytes: &[u8]) -> Bins {
    let mut bins = Bins::default();
    // They are read as far as they are sound.
    let _ = read(bytes, |item| {
        match item {
            Item::Zeros(count) => bins.zeros = count as u64,
            Item::Bin(index, count) => bins.counts.push((index as i32, count as u64)),
            Item::Count(_) | Item::Extent(_) | Item::Mapping(..) => {}
        }
        true
    });
    bins
}

/// What the bytes are made of.
enum Item {
    /// Of values.
    Count(f64),
    /// The least value, the greatest, or their sum.
    Extent(f64),
    /// γ, and the offset.
    Mapping(f64, f64),
    /// Values that are zero.
    Zeros(f64),
    /// A bin's index, and the values in it.
    Bin(i64, f64),
}

/// Hands over what the bytes are made of, in their order; `None` where they are something else, or `take` wants no more.
fn read(bytes: &[u8], mut take: impl FnMut(Item) -> bool) -> Option<()> {
    let mut reader = Reader(bytes);
    let mut take = |item| take(item).then_some(());
    while let Some(flag) = reader.byte() {
        match flag {
            0xA0 => take(Item::Count(reader.var_float()?))?,
            0x88 | 0x8C | 0x84 => take(Item::Extent(reader.float()?))?,
            0x02 => take(Item::Mapping(reader.float()?, reader.float()?))?,
            0x04 => take(Item::Zeros(reader.var_float()?))?,
            0x05 => reader.bins(|index, count| take(Item::Bin(index, count)))?,
            _ => return None,
        }
    }
    Some(())
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn float(&mut self) -> Option<f64> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(f64::from_le_bytes(*bytes))
    }

    fn integer(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..=56).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(if shift == 56 { byte } else { byte & 0x7f }) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Some(value)
    }

    fn var_float(&mut self) -> Option<f64> {
        let mut bits = 0;
        for shift in (8..=57).rev().step_by(7) {
            let byte = self.byte()?;
            bits |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
            if shift == 8 {
                bits |= u64::from(self.byte()?);
            }
        }
        let value = f64::from_bits(bits.rotate_right(6).wrapping_add(1_f64.to_bits())) - 1.0;
        (0.0..COUNT).contains(&value).then_some(value)
    }

    /// The bins, by index, with the values in each.
    fn bins(&mut self, mut with: impl FnMut(i64, f64) -> Option<()>) -> Option<()> {
        let bins = self.integer().filter(|&bins| bins <= 2 * INDEX as u64)?;
        let mut index = 0_i64;
        for _ in 0..bins {
            let zigzag = self.integer()?;
            index = index.checked_add((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))?;
            if !(-INDEX..=INDEX).contains(&index) {
                return None;
            }
            with(index, self.var_float()?)?;
        }
        Some(())
    }
}

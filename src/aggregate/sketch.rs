//! Quantiles of durations: the values themselves while they are few, then a DDSketch of 1 % relative accuracy.

use super::octets::{self, Reader};
use super::sketch_bytes;
use crate::record::endpoint::Bins;
use sketches_ddsketch::{Config, DDSketch};
use thiserror::Error;

/// Values that are kept as they are; with one more they become a DDSketch, which takes a kilobyte at least.
const FEW: usize = 64;
/// The relative accuracy of the DDSketch's default configuration.
const ACCURACY: f64 = 0.01;

/// Durations in nanoseconds, of which quantiles are asked. Merged in any order, it answers the same.
#[derive(Clone, Default)]
pub struct Sketch {
    /// While they are few; then empty.
    few: Vec<u64>,
    many: Option<Box<DDSketch>>,
}

/// Bytes that are no sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a sketch that this version reads")]
pub struct SketchError;

/// The quantile's value and how far the true one may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    value: f64,
    exact: bool,
}

impl Estimate {
    /// The best guess, in nanoseconds.
    pub(super) fn nanos(self) -> u64 {
        self.value.round() as u64
    }

    /// No more than the true value: the lower end of the sketch's bin.
    pub(super) fn floor(self) -> u64 {
        let error = if self.exact { 1.0 } else { 1.0 + ACCURACY };
        (self.value / error).floor() as u64
    }

    /// No less than the true value: the upper end of the sketch's bin.
    pub(super) fn ceil(self) -> u64 {
        let error = if self.exact { 1.0 } else { 1.0 - ACCURACY };
        (self.value / error).ceil() as u64
    }
}

impl std::fmt::Debug for Sketch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sketch").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl Sketch {
    /// Adds a value.
    #[inline]
    pub fn add(&mut self, nanos: u64) {
        self.add_times(nanos, 1);
    }

    /// Adds a value several times.
    pub(super) fn add_times(&mut self, nanos: u64, times: u64) {
        if self.many.is_none() && self.few.len() as u64 + times <= FEW as u64 {
            self.few.extend((0..times).map(|_| nanos));
        } else {
            self.many().add_with_count(nanos as f64, times);
        }
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.few.len() as u64 + self.many.as_ref().map_or(0, |sketch| sketch.count() as u64)
    }

    /// Adds what another one holds.
    pub fn merge(&mut self, other: &Self) {
        for &value in &other.few {
            self.add(value);
        }
        if let Some(sketch) = &other.many {
            // All have one configuration: merging cannot fail.
            _ = self.many().merge(sketch);
        }
    }

    /// The value below which the share `quantile` of the values lies, in nanoseconds: that of rank
    /// ⌊quantile · (count − 1)⌋, the first being 0. `None` of no values.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        self.estimate(quantile).map(Estimate::nanos)
    }

    /// The value of a rank, the least being 0.
    pub(super) fn at_rank(&self, rank: u64) -> Option<Estimate> {
        let last = self.count().checked_sub(1)?;
        self.estimate(if last == 0 { 0.0 } else { ((rank as f64 + 0.5) / last as f64).min(1.0) })
    }

    /// The same, with how far it may be off.
    pub(super) fn estimate(&self, quantile: f64) -> Option<Estimate> {
        if let Some(sketch) = &self.many {
            let value = sketch.quantile(quantile).ok().flatten()?;
            return Some(Estimate { value, exact: value == 0.0 });
        }
        let mut sorted = self.few.clone();
        sorted.sort_unstable();
        let value = *sorted.get(quantile_rank(quantile, self.count()) as usize)?;
        Some(Estimate { value: value as f64, exact: true })
    }

    /// The sketch in the binary form that the DDSketch libraries exchange (`DDSketchWithExactSummaryStatistics`): the
    /// mapping, count, sum, least and greatest value, and the bins. Values are nanoseconds. Sketches of two runs read
    /// from it merge as those of one.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.clone().many().to_java_bytes()
    }

    /// Reads [`to_bytes`](Self::to_bytes).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SketchError> {
        let empty = Self::default();
        if bytes == empty.to_bytes() {
            return Ok(empty);
        }
        if !sketch_bytes::are_sound(bytes, Config::defaults().gamma) {
            return Err(SketchError);
        }
        let read = DDSketch::from_java_bytes(bytes).map_err(|_| SketchError)?;
        let mut sketch = DDSketch::new(Config::defaults());
        sketch.merge(&read).map_err(|_| SketchError)?;
        Ok(Self { few: Vec::new(), many: Some(Box::new(sketch)) })
    }

    /// Appends it as another process reads it: few values as they are, unlike [`Self::to_bytes`].
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        octets::integer(out, self.few.len() as u64);
        self.few.iter().for_each(|&value| octets::integer(out, value));
        octets::option(out, self.many.as_ref(), |out, many| octets::bytes(out, &many.to_java_bytes()));
    }

    /// Reads [`Self::write`].
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut sketch = Self::default();
        for _ in 0..reader.count().filter(|&count| count <= FEW)? {
            sketch.add(reader.integer()?);
        }
        if let Some(bytes) = reader.option(Reader::bytes).ok()? {
            sketch.merge(&Self::from_bytes(bytes).ok()?);
        }
        Some(sketch)
    }

    /// The values in bins, as records show them.
    pub fn bins(&self) -> Bins {
        if self.many.is_some() {
            return sketch_bytes::bins(&self.to_bytes());
        }
        let config = Config::defaults();
        let mut bins = Bins::default();
        let mut sorted = self.few.clone();
        sorted.sort_unstable();
        for value in sorted {
            let index = config.key(value as f64);
            match bins.counts.last_mut() {
                _ if value == 0 => bins.zeros += 1,
                Some((last, count)) if *last == index => *count += 1,
                _ => bins.counts.push((index, 1)),
            }
        }
        bins
    }

    /// Reads [`bins`](Self::bins): each value is taken for the middle of its bin. Indices beyond those of 64 bits are left out.
    pub fn from_bins(bins: &Bins) -> Self {
        let config = Config::defaults();
        let mut sketch = DDSketch::new(config);
        sketch.add_with_count(0.0, bins.zeros);
        for &(index, count) in &bins.counts {
            if (0..=sketch_bytes::INDEX).contains(&i64::from(index)) {
                sketch.add_with_count(config.value(index), count);
            }
        }
        Self { few: Vec::new(), many: (sketch.count() > 0).then(|| Box::new(sketch)) }
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        let many = self.many.as_ref().map_or(0, |sketch| size_of::<DDSketch>() + sketch.length() * 8);
        self.few.capacity() * 8 + many
    }

    /// The DDSketch, made of the few values where it is not there yet.
    fn many(&mut self) -> &mut DDSketch {
        let few = std::mem::take(&mut self.few);
        self.many.get_or_insert_with(|| {
            let mut sketch = DDSketch::new(Config::defaults());
            for value in few {
                sketch.add(value as f64);
            }
            Box::new(sketch)
        })
    }
}

/// The rank that a quantile of so many values has, the least value's being 0.
pub fn quantile_rank(quantile: f64, count: u64) -> u64 {
    (quantile * (count.max(1) - 1) as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn sketch(values: &[u64]) -> Sketch {
        let mut sketch = Sketch::default();
        for &value in values {
            sketch.add(value);
        }
        sketch
    }

    fn exact(values: &[u64], quantile: f64) -> u64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted[(quantile * (sorted.len() - 1) as f64) as usize]
    }

    proptest! {
        #[test]
        fn quantiles_are_within_one_percent(
            values in prop::collection::vec(0_u64..200_000_000_000, 1..500), quantile in 0.0..=1.0_f64,
        ) {
            let (estimate, truth) = (sketch(&values).estimate(quantile).unwrap(), exact(&values, quantile));
            prop_assert!((estimate.nanos() as f64 - truth as f64).abs() <= 0.01 * truth as f64 + 1.0);
            prop_assert!(estimate.floor() <= truth && truth <= estimate.ceil());
        }

        #[test]
        fn merged_in_any_order_is_as_added(
            parts in prop::collection::vec(prop::collection::vec(0_u64..1 << 40, 0..60), 1..8),
        ) {
            let whole = sketch(&parts.concat());
            let mut forth = Sketch::default();
            let mut back = Sketch::default();
            for (one, other) in parts.iter().zip(parts.iter().rev()) {
                forth.merge(&sketch(one));
                back.merge(&sketch(other));
            }
            for quantile in [0.0, 0.5, 0.9, 0.99, 1.0] {
                prop_assert_eq!(whole.quantile(quantile), forth.quantile(quantile));
                prop_assert_eq!(whole.quantile(quantile), back.quantile(quantile));
            }
        }

        #[test]
        fn read_from_bytes_it_answers_the_same(values in prop::collection::vec(0_u64..1 << 50, 1..200)) {
            let whole = sketch(&values);
            let read = Sketch::from_bytes(&whole.to_bytes()).unwrap();
            prop_assert_eq!(whole.count(), read.count());
            for quantile in [0.5, 0.99] {
                let (was, is) = (whole.quantile(quantile), read.quantile(quantile));
                let off = was.unwrap_or_default().abs_diff(is.unwrap_or_default()) as f64;
                prop_assert!(was.is_some() == is.is_some() && off <= 0.01 * was.unwrap_or_default() as f64 + 1.0);
            }
        }

        #[test]
        fn no_bytes_do_harm(
            values in prop::collection::vec(any::<u64>(), 0..80), at in any::<prop::sample::Index>(),
            with in prop::collection::vec(any::<u8>(), 0..12),
        ) {
            prop_assert!(Sketch::from_bytes(&with).is_err());
            let mut bytes = sketch(&values).to_bytes();
            let at = at.index(bytes.len());
            bytes.splice(at.., with);
            if let Ok(read) = Sketch::from_bytes(&bytes) {
                let mut twice = read.clone();
                twice.merge(&read);
                prop_assert_eq!(twice.count(), 2 * read.count());
                let _ = twice.quantile(0.99);
            }
        }
    }

    proptest! {
        #[test]
        fn bins_are_the_same_however_many_values_there_are(values in prop::collection::vec(0_u64..1 << 50, 0..200)) {
            let (whole, mut parts) = (sketch(&values), BTreeMap::new());
            let mut zeros = 0;
            for part in values.chunks(7) {
                let bins = sketch(part).bins();
                zeros += bins.zeros;
                bins.counts.into_iter().for_each(|(index, count)| *parts.entry(index).or_insert(0) += count);
            }
            let bins = whole.bins();
            prop_assert_eq!(bins.count(), values.len() as u64);
            prop_assert_eq!(&bins, &Bins { zeros, counts: parts.into_iter().collect() });
            let read = Sketch::from_bins(&bins);
            prop_assert_eq!(read.bins(), bins);
            for quantile in [0.5, 0.99] {
                let (was, is) = (whole.quantile(quantile), read.quantile(quantile));
                let off = was.unwrap_or_default().abs_diff(is.unwrap_or_default()) as f64;
                prop_assert!(was.is_some() == is.is_some() && off <= 0.011 * was.unwrap_or_default() as f64 + 1.0);
            }
        }
    }

    #[test]
    fn of_no_values_there_is_no_quantile() {
        assert_eq!(Sketch::default().quantile(0.5), None);
    }

    #[test]
    fn parts_merge_from_their_bytes() {
        let (one, two): (Vec<_>, Vec<_>) = ((1..=500).collect(), (501..=1000).collect());
        let mut merged = Sketch::from_bytes(&sketch(&one).to_bytes()).unwrap();
        merged.merge(&Sketch::from_bytes(&sketch(&two).to_bytes()).unwrap());
        assert_eq!(merged.count(), 1000);
        assert_eq!(merged.quantile(0.99), sketch(&[one, two].concat()).quantile(0.99));
    }
}

//! Quantiles of times some of which are not known: what is shown, and what the true value may have been.

use super::facts::Span;
use super::octets::{self, Reader};
use super::sketch::Sketch;
use crate::record::endpoint::Bins;

/// With more times than so many that may belong to an endpoint nothing is known of it.
const COUNTABLE: u64 = 1 << 40;

/// The times of an endpoint's exchanges.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    /// Those that are known.
    exact: Sketch,
    /// The others.
    doubtful: Option<Box<Doubtful>>,
    /// Of what is shown, in nanoseconds.
    sum: u128,
    max: u64,
}

/// Times that are not known exactly: each has a least and, perhaps, a most.
#[derive(Clone, Debug, Default)]
struct Doubtful {
    /// As the records show them.
    shown: Sketch,
    least: Sketch,
    trusted: Sketch,
    most: Sketch,
    /// Those without a most.
    endless: u64,
}

/// What a true quantile lies between, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// It is no less.
    pub at_least: u64,
    /// It is no more; `None` where that cannot be known.
    pub at_most: Option<u64>,
}

/// What is not known of an endpoint's calls beside their times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubt {
    /// So many more may or may not belong to it.
    pub others: u64,
    /// So many may have taken less time than was seen.
    pub shorter: u64,
    /// So many may have taken more, if something of the traffic is missing.
    pub longer: u64,
    /// Something of the traffic is missing.
    pub is_lossy: bool,
}

impl Latency {
    /// Adds a time.
    #[inline]
    pub(super) fn add(&mut self, span: Span) {
        if let Some(shown) = span.shown {
            self.sum += u128::from(shown);
            self.max = self.max.max(shown);
        }
        if span.is_exact() {
            self.exact.add(span.least);
        } else {
            self.doubtful.get_or_insert_default().add(span);
        }
    }

    /// Adds times that were measured elsewhere, with their sum and the longest.
    pub(super) fn add_bins(&mut self, bins: &Bins, sum: u64, max: u64) {
        self.exact.merge(&Sketch::from_bins(bins));
        self.sum += u128::from(sum);
        self.max = self.max.max(max);
    }

    /// Adds another one's times.
    pub(super) fn merge(&mut self, other: &Self) {
        self.exact.merge(&other.exact);
        if let Some(doubtful) = &other.doubtful {
            self.doubtful.get_or_insert_default().merge(doubtful);
        }
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// How many were measured.
    pub fn count(&self) -> u64 {
        self.exact.count() + self.doubtful.as_ref().map_or(0, |doubtful| doubtful.shown.count())
    }

    /// Their sum, in nanoseconds.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The longest, in nanoseconds; `None` of none.
    pub fn max(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.max)
    }

    /// A quantile of the times as they were seen, in nanoseconds. What was not seen to its end counts as having taken
    /// as long as it was seen. The sketch may be off by 1 %, but nothing took longer than the longest.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let estimate = match &self.doubtful {
            None => self.exact.quantile(quantile),
            Some(doubtful) => joined(&self.exact, &doubtful.shown).quantile(quantile),
        };
        // A record made elsewhere may not tell it.
        estimate.map(|nanos| if self.max > 0 { nanos.min(self.max) } else { nanos })
    }

    /// What the true quantile lies between; `None` when there is no doubt.
    pub fn bound(&self, quantile: f64, doubt: &Doubt) -> Option<Bound> {
        let Doubt { others, shorter, is_lossy, .. } = *doubt;
        let longer = if is_lossy { doubt.longer } else { 0 };
        if others > COUNTABLE {
            return Some(Bound { at_least: 0, at_most: None });
        }
        let none = Doubtful::default();
        let doubtful = match &self.doubtful {
            Some(doubtful) => doubtful,
            None if others > 0 || shorter > 0 || longer > 0 => &none,
            None => return None,
        };
        // Times that may not belong here make a quantile smallest if they do and are zero, greatest if they never end.
        let mut least = joined(&self.exact, if is_lossy { &doubtful.least } else { &doubtful.trusted });
        least.add_times(0, others);
        // Each that was shorter makes way for the one below it.
        let rank = super::quantile_rank(quantile, least.count());
        let at_least = match rank.checked_sub(shorter) {
            Some(rank) => least.at_rank(rank)?.floor(),
            None => 0,
        };
        let mut most = joined(&self.exact, &doubtful.most);
        let known = most.count();
        most.add_times(u64::MAX, doubtful.endless.saturating_add(others));
        // Each that was longer lets the one above it take its place.
        let rank = super::quantile_rank(quantile, most.count()).saturating_add(longer);
        let at_most = if rank < known { most.at_rank(rank).map(super::sketch::Estimate::ceil) } else { None };
        Some(Bound { at_least, at_most })
    }

    /// All as they were seen, for a later comparison.
    pub fn sketch(&self) -> Sketch {
        let none = Sketch::default();
        joined(&self.exact, self.doubtful.as_ref().map_or(&none, |doubtful| &doubtful.shown))
    }

    /// Appends them as another process reads them.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.exact.write(out);
        octets::option(out, self.doubtful.as_ref(), |out, doubtful| {
            doubtful.shown.write(out);
            doubtful.least.write(out);
            doubtful.trusted.write(out);
            doubtful.most.write(out);
            octets::integer(out, doubtful.endless);
        });
        octets::integer(out, (self.sum >> 64) as u64);
        octets::integer(out, self.sum as u64);
        octets::integer(out, self.max);
    }

    /// Reads [`Self::write`].
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let exact = Sketch::read(reader)?;
        let doubtful = reader.option(|reader| {
            let (shown, least) = (Sketch::read(reader)?, Sketch::read(reader)?);
            let (trusted, most) = (Sketch::read(reader)?, Sketch::read(reader)?);
            Some(Box::new(Doubtful { shown, least, trusted, most, endless: reader.integer()? }))
        });
        let doubtful = doubtful.ok()?;
        let sum = u128::from(reader.integer()?) << 64 | u128::from(reader.integer()?);
        Some(Self { exact, doubtful, sum, max: reader.integer()? })
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.exact.heap() + self.doubtful.as_ref().map_or(0, |doubtful| doubtful.heap())
    }
}

impl Doubtful {
    fn add(&mut self, span: Span) {
        if let Some(shown) = span.shown {
            self.shown.add(shown);
        }
        self.least.add(span.least);
        self.trusted.add(span.trusted);
        match span.most {
            Some(most) => self.most.add(most),
            None => self.endless += 1,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.shown.merge(&other.shown);
        self.least.merge(&other.least);
        self.trusted.merge(&other.trusted);
        self.most.merge(&other.most);
        self.endless += other.endless;
    }

    fn heap(&self) -> usize {
        size_of::<Self>() + self.shown.heap() + self.least.heap() + self.trusted.heap() + self.most.heap()
    }
}

fn joined(one: &Sketch, other: &Sketch) -> Sketch {
    let mut joined = one.clone();
    joined.merge(other);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUANTILES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 1.0];

    fn doubt(others: u64, is_lossy: bool) -> Doubt {
        Doubt { others, is_lossy, ..Doubt::default() }
    }

    fn latency(spans: &[Span]) -> Latency {
        let mut latency = Latency::default();
        for &span in spans {
            latency.add(span);
        }
        latency
    }

    fn truth(values: &[u64], quantile: f64) -> u64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted[(quantile * (sorted.len() - 1) as f64) as usize]
    }

    #[test]
    fn no_quantile_is_above_the_longest() {
        let mut latency = Latency::default();
        (0..300).for_each(|_| latency.add(Span::exact(42_716_000)));
        assert!(latency.exact.quantile(0.99) > Some(42_716_000), "the sketch alone is above it");
        for quantile in [0.5, 0.9, 0.99, 1.0] {
            assert!(latency.quantile(quantile).unwrap() <= 42_716_000, "{quantile}");
        }
    }

    #[test]
    fn without_damage_there_are_no_bounds() {
        let latency = latency(&[Span::exact(1), Span::exact(2), Span::exact(3)]);
        assert_eq!(latency.bound(0.99, &doubt(0, true)), None);
        assert_eq!(
            (latency.count(), latency.sum(), latency.max(), latency.quantile(0.5)),
            (3, 6, Some(3), Some(2))
        );
    }

    #[test]
    fn a_call_that_hangs_counts_as_long_as_it_was_seen() {
        let latency = latency(&[Span::exact(1), Span::at_least(100)]);
        assert_eq!((latency.quantile(1.0), latency.max()), (Some(100), Some(100)));
        assert_eq!(latency.bound(1.0, &doubt(0, true)), Some(Bound { at_least: 100, at_most: None }));
        assert_eq!(latency.bound(0.5, &doubt(0, true)), Some(Bound { at_least: 1, at_most: Some(1) }));
    }

    #[test]
    fn how_long_a_call_hung_is_believed_where_nothing_is_missing() {
        let open = Span { shown: Some(100), least: 3, trusted: 100, most: None };
        let latency = latency(&[open]);
        assert_eq!(latency.bound(0.99, &doubt(0, false)), Some(Bound { at_least: 100, at_most: None }));
        assert_eq!(latency.bound(0.99, &doubt(0, true)), Some(Bound { at_least: 3, at_most: None }));
        assert_eq!(latency.bound(0.99, &doubt(u64::MAX, true)), Some(Bound { at_least: 0, at_most: None }));
    }

    #[test]
    fn a_call_that_was_shorter_makes_way_for_the_one_below() {
        let latency = latency(&[10, 20, 30, 40, 50].map(Span::exact));
        let at = |shorter| latency.bound(0.99, &Doubt { shorter, ..doubt(0, true) });
        assert_eq!(at(0), None);
        assert_eq!(at(1), Some(Bound { at_least: 30, at_most: Some(40) }));
        assert_eq!(at(9), Some(Bound { at_least: 0, at_most: Some(40) }));
        let longer = |is_lossy| latency.bound(0.99, &Doubt { longer: 1, ..doubt(0, is_lossy) });
        assert_eq!(longer(true), Some(Bound { at_least: 40, at_most: Some(50) }));
        assert_eq!(longer(false), None);
    }

    #[test]
    fn what_was_not_measured_is_not_shown_and_not_forgotten() {
        let latency = latency(&[Span::exact(50), Span::exact(60), Span::unknown()]);
        assert_eq!((latency.count(), latency.quantile(0.5)), (2, Some(50)));
        assert_eq!(latency.bound(0.5, &doubt(0, true)), Some(Bound { at_least: 50, at_most: Some(60) }));
        assert_eq!(latency.bound(0.5, &doubt(9, true)), Some(Bound { at_least: 0, at_most: None }));
    }

    /// What a damaged capture would tell of an exchange that took so long.
    fn damaged(true_nanos: u64) -> impl Strategy<Value = (u64, Option<Span>)> {
        let cut = (0..=true_nanos).prop_map(move |seen| Some(Span::at_least(seen)));
        // The end is lost; the connection's end was seen.
        let late = (0..=true_nanos, 0..1_u64 << 40).prop_map(move |(least, more)| {
            Some(Span {
                shown: Some(true_nanos + more),
                least,
                trusted: least,
                most: Some(true_nanos + more),
            })
        });
        prop_oneof![
            6 => Just(Some(Span::exact(true_nanos))),
            1 => cut,
            1 => late,
            1 => Just(Some(Span::unknown())),
            // It is not known that it belongs here.
            1 => Just(None),
        ]
        .prop_map(move |span| (true_nanos, span))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]
        #[test]
        fn the_truth_lies_within_the_bounds(
            seen in prop::collection::vec((0_u64..1 << 36).prop_flat_map(damaged), 1..300),
            strangers in 0_u64..5,
        ) {
            let spans: Vec<_> = seen.iter().filter_map(|(_, span)| *span).collect();
            let others = (seen.len() - spans.len()) as u64 + strangers;
            let values: Vec<_> = seen.iter().map(|(value, _)| *value).collect();
            let latency = latency(&spans);
            for quantile in QUANTILES {
                let truth = truth(&values, quantile);
                if let Some(bound) = latency.bound(quantile, &doubt(others, true)) {
                    prop_assert!(bound.at_least <= truth, "{bound:?} {truth}");
                    prop_assert!(bound.at_most.is_none_or(|most| truth <= most), "{bound:?} {truth}");
                } else {
                    let shown = latency.quantile(quantile).unwrap();
                    prop_assert!(shown.abs_diff(truth) as f64 <= 0.01 * truth as f64 + 1.0);
                }
            }
        }

        #[test]
        fn merged_bounds_are_those_of_all(
            seen in prop::collection::vec((0_u64..1 << 36).prop_flat_map(damaged), 1..200), cut in 0_usize..200,
        ) {
            let spans: Vec<_> = seen.iter().filter_map(|(_, span)| *span).collect();
            let (one, two) = spans.split_at(cut.min(spans.len()));
            let mut merged = latency(two);
            merged.merge(&latency(one));
            for quantile in QUANTILES {
                prop_assert_eq!(merged.bound(quantile, &doubt(1, true)), latency(&spans).bound(quantile, &doubt(1, true)));
            }
        }
    }
}

use super::*;
use crate::aggregate::Sketch;
use proptest::prelude::*;

/// Random numbers of one seed, equally distributed in 0..1.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Durations as services have them: 10 ms at the median, with a long tail.
    fn duration(&mut self) -> f64 {
        let normal: f64 = (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0;
        1e7 * (0.5 * normal).exp()
    }

    fn run(&mut self, calls: usize, change: impl Fn(f64, f64) -> f64) -> Bins {
        let mut sketch = Sketch::default();
        for _ in 0..calls {
            let (duration, chance) = (self.duration(), self.uniform());
            sketch.add(change(duration, chance) as u64);
        }
        sketch.bins()
    }
}

/// In how many of 2,000 comparisons p is below a level.
fn below(level: f64, mut p: impl FnMut(&mut Random) -> f64) -> usize {
    let mut random = Random(7);
    (0..2000).filter(|_| p(&mut random) < level).count()
}

#[test]
fn without_a_change_the_level_is_kept() {
    for (level, most) in [(0.05, 140), (0.01, 40)] {
        for calls in [20, 150] {
            let durations = |random: &mut Random| {
                durations(&random.run(calls, |nanos, _| nanos), &random.run(calls + 13, |nanos, _| nanos))
            };
            assert!(below(level, durations) <= most, "{} of 2,000", below(level, durations));
        }
        let failures = |random: &mut Random| {
            let mut failed = |calls: u64| (0..calls).filter(|_| random.uniform() < 0.1).count() as u64;
            let (before, after) = (failed(80), failed(120));
            shares([before, 80 - before], [after, 120 - after])
        };
        assert!(below(level, failures) <= most, "{} of 2,000", below(level, failures));
    }
}

#[test]
fn values_that_are_all_but_equal_keep_the_level_too() {
    let coarse = |random: &mut Random| random.run(60, |nanos, _| (nanos / 1e7).floor() * 1e7);
    assert!(below(0.01, |random| durations(&coarse(random), &coarse(random))) <= 40);
    let same = Bins { zeros: 50, counts: vec![] };
    assert!((durations(&same, &same) - 1.0).abs() < 1e-9);
}

#[test]
fn a_change_is_found() {
    let slower = |random: &mut Random| {
        durations(&random.run(150, |nanos, _| nanos), &random.run(150, |nanos, _| nanos * 1.3))
    };
    assert!(below(0.001, slower) > 1500, "30 % slower: {}", below(0.001, slower));
    let tail = |nanos: f64, chance: f64| if chance < 0.05 { nanos * 20.0 } else { nanos };
    let tail = |random: &mut Random| durations(&random.run(1000, |nanos, _| nanos), &random.run(1000, tail));
    assert!(below(0.001, tail) > 1500, "one of 20 very slow: {}", below(0.001, tail));
}

/// P of `scipy.stats` (1.17): `mannwhitneyu(…, method="asymptotic")` and `fisher_exact`, two-sided.
#[test]
fn probabilities_are_those_of_the_textbook() {
    let near =
        |p: f64, expected: f64| assert!((p - expected).abs() < 1e-6 * expected.max(1e-3), "{p} {expected}");
    near(fisher([8.0, 2.0], [1.0, 5.0]), 0.034_965_034_965_034_93);
    near(fisher([0.0, 108.0], [17.0, 94.0]), 8.023_078_840_811e-6);
    near(fisher([10.0, 90.0], [10.0, 90.0]), 1.0);
    near(fisher([0.0, 50.0], [0.0, 60.0]), 1.0);
    let pairs = [[3.0, 0.0], [5.0, 2.0], [4.0, 4.0], [1.0, 6.0], [0.0, 3.0]];
    near(rank_sum(&pairs), 0.001_491_578_405_089);
}

#[test]
fn many_calls_take_no_longer_and_mean_the_same() {
    let exact = fisher([9_000.0, 91_000.0], [9_400.0, 90_600.0]);
    let normal = fisher([90_000.0, 910_000.0], [91_265.0, 908_735.0]);
    assert!((exact.ln() - normal.ln()).abs() < 0.2, "{exact} {normal}");
    let most = (1_u64 << 40) as f64;
    assert!(fisher([most / 2.0, most / 2.0], [most, 0.0]) < 1e-9);
    assert!(fisher([3.0, most], [90.0, most]) < 1e-9);
}

#[test]
fn corrected_for_their_number_probabilities_keep_their_order() {
    let mut p = [0.01, 0.04, 0.03, 0.005];
    holm(&mut p);
    for (p, expected) in p.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        assert!((p - expected).abs() < 1e-12, "{p} {expected}");
    }
    holm(&mut []);
}

#[test]
fn of_very_many_equal_values_a_few_others_are_not_lost() {
    let bins = |count| Bins { zeros: 1, counts: vec![(18, count)] };
    let (one, other) = (bins(103_173_437_578), bins(588_593_504_364));
    let (there, back) = (durations(&one, &other), durations(&other, &one));
    assert!((there - back).abs() < 1e-12 && there > 0.1, "{there} {back}");
}

proptest! {
    #[test]
    fn p_is_a_probability_and_the_same_both_ways(
        one in prop::collection::btree_map(0_i32..40, 1_u64..1 << 40, 0..8),
        other in prop::collection::btree_map(0_i32..40, 1_u64..1 << 40, 0..8),
        zeros in 0_u64..3,
    ) {
        let bins = |counts: std::collections::BTreeMap<i32, u64>| Bins { zeros, counts: counts.into_iter().collect() };
        let (one, other) = (bins(one), bins(other));
        let (there, back) = (durations(&one, &other), durations(&other, &one));
        prop_assert!((0.0..=1.0).contains(&there) && (there - back).abs() < 1e-6);
        prop_assert!((durations(&one, &one) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn of_few_values_fisher_is_what_counting_gives(a in 0_u64..6, b in 0_u64..6, c in 0_u64..6, d in 0_u64..6) {
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |product, at| product * (n - at) as f64 / (at + 1) as f64);
        let (row, with, all) = (a + b, a + c, a + b + c + d);
        let p = |x: u64| choose(row, x) * choose(all - row, with - x) / choose(all, with);
        let tables = (with.saturating_sub(c + d)..=with.min(row)).map(p);
        let expected: f64 = tables.filter(|&table| table <= p(a) * (1.0 + 1e-9)).sum();
        prop_assert!((shares([a, b], [c, d]) - expected.min(1.0)).abs() < 1e-9);
    }
}

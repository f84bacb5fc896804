//! Is a difference more than chance? Tests on counts, and their correction for being many.
//!
//! | question | test |
//! |---|---|
//! | are calls slower, or faster? | rank sums (Mann–Whitney), equal values counted as equal, normal approximation |
//! | are more, or fewer, very slow? | Fisher's exact test of how many are beyond the 0.95 and the 0.99 quantile of both runs |
//! | do more, or fewer, fail? | Fisher's exact test |
//!
//! All are two-sided: p is how probable a difference at least as great is where nothing changed. Durations are compared by the
//! bins of their sketches, which are the same in both runs: what falls into one bin is equal.

use crate::record::endpoint::Bins;

/// Of fewer calls nothing is said.
pub(super) const ENOUGH: u64 = 20;
/// A difference is told of where it is less probable by chance.
pub(super) const LEVEL: f64 = 0.01;
/// Where all numbers of Fisher's test are greater, the normal distribution is exact enough.
const MANY: f64 = 10_000.0;
/// What share of a test's level falls to the ranks; half of the rest falls to each of the two tails.
const RANKS: f64 = 0.8;
/// The tails: quantiles of both runs together.
const TAILS: [f64; 2] = [0.95, 0.99];

/// Bins of both runs in ascending order, with the counts before and after.
fn paired(before: &Bins, after: &Bins) -> Vec<[f64; 2]> {
    let mut pairs = vec![[before.zeros as f64, after.zeros as f64]];
    let (mut ours, mut theirs) = (before.counts.iter().peekable(), after.counts.iter().peekable());
    loop {
        let next = [ours.peek(), theirs.peek()].into_iter().flatten().map(|(index, _)| *index).min();
        let Some(next) = next else { return pairs };
        let [one, other] = [&mut ours, &mut theirs]
            .map(|run| run.next_if(|(index, _)| *index == next).map_or(0, |(_, count)| *count));
        pairs.push([one as f64, other as f64]);
    }
}

/// Whether the durations of two runs differ.
pub(super) fn durations(before: &Bins, after: &Bins) -> f64 {
    let pairs = paired(before, after);
    let tail = |quantile| beyond(&pairs, quantile) / ((1.0 - RANKS) / TAILS.len() as f64);
    TAILS.into_iter().map(tail).fold(rank_sum(&pairs) / RANKS, f64::min).min(1.0)
}

/// Whether values of one run are rather greater than those of the other (Mann–Whitney). Both formulas are written as sums of what
/// is left of great numbers, so that little is lost to rounding, and both ways the same.
fn rank_sum(pairs: &[[f64; 2]]) -> f64 {
    let [ours, theirs] = sums(pairs);
    let all = ours + theirs;
    // Pairs of values, one of each run, of which ours is less, without those of which it is greater.
    let (mut below, mut surplus, mut spread) = ([0.0, 0.0], 0.0, 0.0);
    for [one, other] in pairs {
        surplus += other * below[0] - one * below[1];
        below = [below[0] + one, below[1] + other];
        let equal = one + other;
        spread += equal * (all - equal) * (all + equal);
    }
    let variance = ours * theirs / 12.0 * spread / (all * (all - 1.0));
    if variance <= 0.0 || !variance.is_finite() {
        return 1.0;
    }
    let distance = ((surplus / 2.0).abs() - 0.5).max(0.0);
    two_sided(distance / variance.sqrt())
}

/// Whether more values of one run are beyond a quantile of both.
fn beyond(pairs: &[[f64; 2]], quantile: f64) -> f64 {
    let [ours, theirs] = sums(pairs);
    let within = (quantile * (ours + theirs)).ceil();
    let (mut so_far, mut below) = (0.0, [0.0, 0.0]);
    for [one, other] in pairs {
        if so_far >= within {
            break;
        }
        so_far += one + other;
        below = [below[0] + one, below[1] + other];
    }
    fisher([ours - below[0], below[0]], [theirs - below[1], below[1]])
}

fn sums(pairs: &[[f64; 2]]) -> [f64; 2] {
    pairs.iter().fold([0.0, 0.0], |[ours, theirs], [one, other]| [ours + one, theirs + other])
}

/// Whether the shares of two runs differ of which so many have a property, and so many have not.
pub(super) fn shares(before: [u64; 2], after: [u64; 2]) -> f64 {
    fisher(before.map(|count| count as f64), after.map(|count| count as f64))
}

/// Fisher's exact test: with these sums of rows and columns, how probable is a table that is no more probable than this one?
/// Each run is so many with a property, and so many without.
fn fisher([own, others]: [f64; 2], [own_after, others_after]: [f64; 2]) -> f64 {
    let (run, later, with) = (own + others, own_after + others_after, own + own_after);
    let all = run + later;
    let (least, most) = ((with - later).max(0.0), with.min(run));
    if most <= least {
        return 1.0;
    }
    if [run, later, with, all - with].into_iter().all(|sum| sum > MANY) {
        let share = with / all;
        let deviation = (share * (1.0 - share) * run * later * all).sqrt();
        return two_sided(((own * others_after - others * own_after).abs() - all / 2.0).max(0.0) / deviation);
    }
    // Probabilities relative to that of the most probable table, from there on both ways: each follows from its neighbour.
    let up = |of: f64| (with - of) * (run - of) / ((of + 1.0) * (later - with + of + 1.0));
    let mode = ((run + 1.0) * (with + 1.0) / (all + 2.0)).floor().clamp(least, most);
    let mut tables = vec![(mode, 1.0)];
    let (mut at, mut weight) = (mode, 1.0);
    while at < most {
        weight *= up(at);
        at += 1.0;
        tables.push((at, weight));
    }
    (at, weight) = (mode, 1.0);
    while at > least {
        at -= 1.0;
        weight /= up(at);
        tables.push((at, weight));
    }
    let this = tables.iter().find(|(at, _)| (at - own).abs() < 0.5).map_or(0.0, |(_, weight)| *weight);
    // What is equally probable may differ by its rounding.
    let extreme = tables.iter().map(|(_, weight)| *weight).filter(|weight| *weight <= this * (1.0 + 1e-9));
    (extreme.sum::<f64>() / tables.iter().map(|(_, weight)| *weight).sum::<f64>()).min(1.0)
}

/// How probable it is that a standard normal variable is at least so far from 0.
fn two_sided(z: f64) -> f64 {
    libm::erfc(z / std::f64::consts::SQRT_2)
}

/// Holm's correction: the probability that any of all tests would tell of a difference where there is none stays below the
/// level that each is compared with.
pub(super) fn holm(p: &mut [f64]) {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&one, &other| {
        p.get(one).zip(p.get(other)).map_or(std::cmp::Ordering::Equal, |(one, other)| one.total_cmp(other))
    });
    let (mut left, mut least) = (p.len() as f64, 0.0_f64);
    for at in order {
        if let Some(p) = p.get_mut(at) {
            least = least.max((*p * left).min(1.0));
            *p = least;
        }
        left -= 1.0;
    }
}

#[cfg(test)]
#[path = "chance/tests.rs"]
mod tests;

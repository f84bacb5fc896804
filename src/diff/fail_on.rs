//! `--fail-on`: what a change must not be, so that a build fails.

use crate::record::diff::{Difference, Measure, change};
use std::fmt;
use std::str::FromStr;

/// A bound on how much worse an endpoint may become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FailOn {
    /// A quantile of the duration, by its place among median, 0.95 and 0.99, may grow by this part of itself.
    Quantile(usize, f64),
    /// So many more calls may fail than the share of those that failed before lets expect.
    Errors(f64),
}

/// What a part of a number may be off by as it is calculated.
const ROUNDING: f64 = 1e-9;

/// Names of the quantiles.
const QUANTILES: [&str; 3] = ["p50", "p95", "p99"];

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (name, bound) = text.split_once('>')?;
            let (name, bound) = (name.trim(), bound.trim());
            let number = |text: &str| {
                let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                text.trim_end().parse::<f64>().ok().filter(|number| plain && number.is_finite())
            };
            if name == "errors" {
                return number(bound).map(Self::Errors);
            }
            let at = QUANTILES.iter().position(|quantile| *quantile == name)?;
            Some(Self::Quantile(at, number(bound.strip_suffix('%')?.trim_end())? / 100.0))
        };
        parse().ok_or_else(|| "give p50>N%, p95>N%, p99>N% or errors>N".to_owned())
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Quantile(at, bound) => {
                write!(f, "{}>{}%", QUANTILES.get(at).unwrap_or(&""), (bound * 1e8).round() / 1e6)
            }
            Self::Errors(bound) => write!(f, "errors>{bound}"),
        }
    }
}

impl FailOn {
    /// Whether an endpoint became worse than that, by more than chance.
    pub fn holds(self, of: &Difference) -> bool {
        match self {
            Self::Quantile(at, bound) => {
                let [before, after] =
                    [of.before, of.after].map(|run| run.quantile(at).map(|nanos| nanos as f64));
                let from_nothing = before == Some(0.0) && after > before;
                let is_worse =
                    from_nothing || change(before, after).is_some_and(|more| more > bound + ROUNDING);
                of.changed.contains(&Measure::Duration) && is_worse
            }
            Self::Errors(bound) => {
                let expected = of.before.failed_share().unwrap_or_default() * of.after.calls as f64;
                of.changed.contains(&Measure::Failed) && of.after.failed as f64 - expected > bound
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::diff::Numbers;

    fn endpoint(changed: Measure, p99: [u64; 2], failed: [u64; 2], calls: [u64; 2]) -> Difference {
        let run = |at: usize| Numbers {
            calls: calls[at],
            failed: failed[at],
            quantiles: Some([1, 1, p99[at]]),
            ..Numbers::default()
        };
        Difference { changed: vec![changed], before: run(0), after: run(1), ..Difference::default() }
    }

    #[test]
    fn bounds_are_read_as_people_write_them() {
        for (text, shown) in [("p99>10%", "p99>10%"), (" p50 > 2.5 % ", "p50>2.5%"), ("errors>0", "errors>0")]
        {
            assert_eq!(text.parse::<FailOn>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            "p99",
            "p99>",
            "p99>10",
            "p98>10%",
            "errors>5%",
            "errors>-1",
            "errors>1e3",
            "errors>inf",
            "p99<10%",
        ] {
            assert!(text.parse::<FailOn>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_quantile_may_grow_up_to_its_bound() {
        let bound: FailOn = "p99>10%".parse().unwrap();
        assert!(bound.holds(&endpoint(Measure::Duration, [100, 111], [0, 0], [50, 50])));
        assert!(!bound.holds(&endpoint(Measure::Duration, [100, 110], [0, 0], [50, 50])));
        assert!(!bound.holds(&endpoint(Measure::Duration, [100, 50], [0, 0], [50, 50])), "it became faster");
        assert!(bound.holds(&endpoint(Measure::Duration, [0, 1], [0, 0], [50, 50])));
        assert!(!bound.holds(&endpoint(Measure::Failed, [100, 900], [0, 0], [50, 50])), "that may be chance");
    }

    #[test]
    fn failures_count_beyond_those_that_were_to_be_expected() {
        let bound: FailOn = "errors>5".parse().unwrap();
        assert!(bound.holds(&endpoint(Measure::Failed, [1, 1], [0, 6], [100, 100])));
        assert!(!bound.holds(&endpoint(Measure::Failed, [1, 1], [0, 5], [100, 100])));
        assert!(
            !bound.holds(&endpoint(Measure::Failed, [1, 1], [10, 90], [100, 1000])),
            "ten times the calls"
        );
        assert!(
            !bound.holds(&endpoint(Measure::Duration, [1, 1], [0, 90], [100, 100])),
            "that may be chance"
        );
    }
}

//! What became of an endpoint from one run of a service to another.

use super::visit::words;
use crate::base::limit_counters::Struck;

/// An endpoint in two runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// `:method`
    pub method: Option<String>,
    /// The path's template; of gRPC the path.
    pub template: Option<String>,
    /// `:authority`, else `host`, in small letters: the later run's.
    pub authority: Option<String>,
    /// gRPC's name of the method, `package.Service/Method`.
    pub rpc: Option<String>,
    /// The name of the GraphQL operation.
    pub operation: Option<String>,
    /// What became of it.
    pub state: State,
    /// What changed, by more than chance.
    pub changed: Vec<Measure>,
    /// In the earlier run.
    pub before: Numbers,
    /// In the later run.
    pub after: Numbers,
    /// How probable such a difference of the durations is by chance, after correction; `None` where that was not tested.
    pub p_duration: Option<f64>,
    /// The same of the failures.
    pub p_failed: Option<f64>,
    /// Names of fields in every response of the later run, and in none of the earlier one.
    pub appeared: Vec<String>,
    /// And the other way round.
    pub vanished: Vec<String>,
}

/// An endpoint in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Exchanges.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Median, and quantiles of 0.95 and 0.99 of the duration, in nanoseconds; `None` where nothing was measured.
    pub quantiles: Option<[u64; 3]>,
    /// Octets of the requests' contents.
    pub request_bytes: u64,
    /// Octets of the responses' contents.
    pub response_bytes: u64,
}

/// What became of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It changed by more than chance.
    Changed,
    /// Only the later run has it.
    New,
    /// Only the earlier run has it.
    Vanished,
    /// Nothing that would not be chance.
    #[default]
    Same,
}

words! {
    State {
        Changed => "changed",
        New => "new",
        Vanished => "vanished",
        Same => "same",
    }
}

/// What may change of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// How long its calls take.
    Duration,
    /// How many of them fail.
    Failed,
    /// The names of the fields that stand in every response.
    Headers,
}

words! {
    Measure {
        Duration => "duration",
        Failed => "failed",
        Headers => "headers",
    }
}

/// By how much something is more than before, as a part of that; `None` where there was nothing before, or is nothing after.
pub fn change(before: Option<f64>, after: Option<f64>) -> Option<f64> {
    let (before, after) = (before.filter(|&before| before > 0.0)?, after?);
    Some(after / before - 1.0)
}

impl Numbers {
    /// Quantiles that are known.
    pub fn quantile(&self, at: usize) -> Option<u64> {
        self.quantiles?.get(at).copied()
    }

    /// The share of calls that fail.
    pub fn failed_share(&self) -> Option<f64> {
        self.per_call(self.failed)
    }

    /// Of a sum, what falls to one call.
    pub fn per_call(&self, sum: u64) -> Option<f64> {
        (self.calls > 0).then(|| sum as f64 / self.calls as f64)
    }
}

/// Two runs, compared.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Endpoints that changed, new ones, those that vanished, then the others; each by the time spent in its calls.
    pub endpoints: Vec<Difference>,
    /// Tests that were made, which is what the correction is for.
    pub tests: usize,
    /// Calls of the two runs that are no endpoint's for certain, and not compared.
    pub left_out: [u64; 2],
    /// Caps that struck.
    pub limits: Struck,
}

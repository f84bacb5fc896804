//! The diff record.

use super::endpoint::{GraphQl, GraphQlOperation, Http, HttpRequest, Rpc, RpcSystem, Url};
use crate::record::diff::{Difference, Measure, Numbers, State, change};
use crate::record::value::{Decimal, Seconds, Strings, Text, Word};
use crate::record::visit::{Type, Value, Visitor, object};

object! {
    /// What became of an endpoint from one run of a service to another.
    pub struct DiffObject<'a> {
        /// Always `diff`.
        "record": record: Word,
        /// The method.
        "http": http: Http<'a>,
        /// The path.
        "url": url: Url<'a>,
        /// `:authority`, else `host`, in small letters: that of the later run.
        "authority": authority: Option<Text<'a>>,
        /// gRPC.
        "rpc": rpc: Option<Rpc<'a>>,
        /// The GraphQL operation that is called, where records of endpoints told it.
        "graphql": graphql: GraphQl<'a>,
        /// What OpenTelemetry has no names for.
        "h2": h2: H2Diff<'a>,
    }
}

object! {
    /// `h2`
    pub struct H2Diff<'a> {
        /// What became of it.
        "diff": diff: DiffFacts<'a>,
    }
}

object! {
    /// `h2.diff`
    pub struct DiffFacts<'a> {
        /// `changed` by more than chance, `new`, `vanished`, or the `same`, as far as one can tell.
        "state": state: State,
        /// What changed: `duration`, `failed`, `headers`. Never of fewer than 20 calls in either run.
        "changed": changed: Measures<'a>,
        /// The earlier run.
        "before": before: RunObject,
        /// The later run.
        "after": after: RunObject,
        /// By how much the numbers are more, as a part of what they were: 0.1 is a tenth more.
        "change": change: ChangeObject,
        /// How probable such differences are by chance, after correction for all tests: changes are those below 0.01.
        "p_value": p_value: PValues,
        /// Fields that stand in every response of one run, and in none of the other.
        "headers": headers: HeaderNames<'a>,
    }
}

object! {
    /// `h2.diff.before`, `h2.diff.after`
    pub struct RunObject {
        /// Exchanges.
        "calls": calls: u64,
        /// Those with an `error.type`.
        "failed": failed: u64,
        /// The median of the durations.
        "p50": p50: Option<Seconds>,
        /// Their quantile of 0.95.
        "p95": p95: Option<Seconds>,
        /// Of 0.99.
        "p99": p99: Option<Seconds>,
        /// Octets of the requests' contents.
        "request_bytes": request_bytes: u64,
        /// Octets of the responses' contents.
        "response_bytes": response_bytes: u64,
    }
}

object! {
    /// `h2.diff.change`
    pub struct ChangeObject {
        /// Of the share of calls that failed; absent where none did before.
        "failed": failed: Option<f64>,
        /// Of the median.
        "p50": p50: Option<f64>,
        /// Of the quantile of 0.95.
        "p95": p95: Option<f64>,
        /// Of 0.99.
        "p99": p99: Option<f64>,
        /// Of a request's content.
        "request_bytes": request_bytes: Option<f64>,
        /// Of a response's content.
        "response_bytes": response_bytes: Option<f64>,
    }
}

object! {
    /// `h2.diff.p_value`
    pub struct PValues {
        /// Of the durations.
        "duration": duration: Option<Decimal>,
        /// Of the share of calls that failed.
        "failed": failed: Option<Decimal>,
    }
}

object! {
    /// `h2.diff.headers`
    pub struct HeaderNames<'a> {
        /// In the later run alone.
        "appeared": appeared: Strings<'a>,
        /// In the earlier run alone.
        "vanished": vanished: Strings<'a>,
    }
}

/// `h2.diff.changed`
#[derive(Clone, Copy, Debug)]
pub struct Measures<'a>(&'a [Measure]);

impl Value for Measures<'_> {
    const TYPE: Type = Type::List(&Measure::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.0.iter().copied());
    }
}

impl RunObject {
    fn new(of: &Numbers) -> Self {
        let quantile = |at| of.quantile(at).map(Seconds);
        Self {
            calls: of.calls,
            failed: of.failed,
            p50: quantile(0),
            p95: quantile(1),
            p99: quantile(2),
            request_bytes: of.request_bytes,
            response_bytes: of.response_bytes,
        }
    }
}

impl ChangeObject {
    fn new(before: &Numbers, after: &Numbers) -> Self {
        let of = |value: &dyn Fn(&Numbers) -> Option<f64>| change(value(before), value(after));
        let quantile = |at| of(&|numbers| numbers.quantile(at).map(|nanos| nanos as f64));
        Self {
            failed: of(&Numbers::failed_share),
            p50: quantile(0),
            p95: quantile(1),
            p99: quantile(2),
            request_bytes: of(&|numbers| numbers.per_call(numbers.request_bytes)),
            response_bytes: of(&|numbers| numbers.per_call(numbers.response_bytes)),
        }
    }
}

impl<'a> DiffObject<'a> {
    /// The record of an endpoint in two runs.
    pub fn new(of: &'a Difference) -> Self {
        let text = |text: &'a Option<String>| text.as_ref().map(|text| Text(text.as_bytes()));
        let p_value = |p: Option<f64>| p.map(|p| Decimal((p * 1e9).round() as u64));
        Self {
            record: Word("diff"),
            http: Http { request: HttpRequest { method: text(&of.method) } },
            url: Url { template: text(&of.template) },
            authority: text(&of.authority),
            rpc: text(&of.rpc).map(|method| Rpc { system: RpcSystem { name: Word("grpc") }, method }),
            graphql: GraphQl { operation: GraphQlOperation { name: text(&of.operation) } },
            h2: H2Diff {
                diff: DiffFacts {
                    state: of.state,
                    changed: Measures(&of.changed),
                    before: RunObject::new(&of.before),
                    after: RunObject::new(&of.after),
                    change: ChangeObject::new(&of.before, &of.after),
                    p_value: PValues { duration: p_value(of.p_duration), failed: p_value(of.p_failed) },
                    headers: HeaderNames { appeared: Strings(&of.appeared), vanished: Strings(&of.vanished) },
                },
            },
        }
    }
}

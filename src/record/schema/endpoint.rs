//! The endpoint record.

use super::Socket;
use super::time::TimeSums;
use crate::base::endpoint::Endpoint as SocketEnd;
use crate::record::endpoint::{self, Bins, Endpoint, Quantiles};
use crate::record::value::{Decimal, Seconds, Text, Word};
use crate::record::visit::{Type, Value, Visitor, object};
use std::borrow::Cow;

/// The key of a sketch's durations of no time.
pub const SKETCH_ZERO: &str = "zero";

object! {
    /// An endpoint: what the exchanges of a service, method and path template add up to.
    pub struct EndpointObject<'a> {
        /// Always `endpoint`.
        "record": record: Word,
        /// The path.
        "url": url: Url<'a>,
        /// The method.
        "http": http: Http<'a>,
        /// The server, where it is but one.
        "server": server: Option<Socket>,
        /// `:authority`, else `host`, in small letters.
        "authority": authority: Option<Text<'a>>,
        /// gRPC.
        "rpc": rpc: Option<Rpc<'a>>,
        /// The GraphQL operation that is called, with `--body`.
        "graphql": graphql: GraphQl<'a>,
        /// The numbers.
        "h2": h2: H2<'a>,
    }
}

object! {
    /// `url`
    pub struct Url<'a> {
        /// The path, with `{id}` and the like for what is variable in it.
        "template": template: Option<Text<'a>>,
    }
}

object! {
    /// `http`
    pub struct Http<'a> {
        /// The request.
        "request": request: HttpRequest<'a>,
    }
}

object! {
    /// `http.request`
    pub struct HttpRequest<'a> {
        /// `:method`, as sent.
        "method": method: Option<Text<'a>>,
    }
}

object! {
    /// `rpc`
    pub struct Rpc<'a> {
        /// The system.
        "system": system: RpcSystem,
        /// `package.Service/Method`
        "method": method: Text<'a>,
    }
}

object! {
    /// `graphql`
    pub struct GraphQl<'a> {
        /// The operation.
        "operation": operation: GraphQlOperation<'a>,
    }
}

object! {
    /// `graphql.operation`
    pub struct GraphQlOperation<'a> {
        /// Its name.
        "name": name: Option<Text<'a>>,
    }
}

object! {
    /// `rpc.system`
    pub struct RpcSystem {
        /// Always `grpc`.
        "name": name: Word,
    }
}

object! {
    /// `h2`
    pub struct H2<'a> {
        /// Exchanges.
        "calls": calls: u64,
        /// Those with an `error.type`.
        "failed": failed: u64,
        /// Those of which something is missing.
        "incomplete": incomplete: u64,
        /// Part of what would say whose calls these are is not known: they may be other endpoints'.
        "unplaced": unplaced: Option<bool>,
        /// So many paths with few calls each, put together as there were too many.
        "folded": folded: Option<u64>,
        /// Failures by `error.type`.
        "errors": errors: Errors<'a>,
        /// Exchanges by status.
        "statuses": statuses: Statuses<'a>,
        /// How long they took.
        "duration": duration: Option<QuantilesObject<'a>>,
        /// How long until the response began.
        "ttfb": ttfb: Option<QuantilesObject<'a>>,
        /// Where their time went.
        "time": time: TimeSums,
        /// Octets of the requests' contents.
        "request_bytes": request_bytes: u64,
        /// Octets of the responses' contents.
        "response_bytes": response_bytes: u64,
        /// How often it was called.
        "rate": rate: RateObject,
        /// The exchange that took longest.
        "slowest": slowest: Option<SlowestObject>,
        /// What the kernel agent would say of it; with telemetry, where it emits calls of it.
        "agent": agent: Option<AgentCallsObject>,
    }
}

object! {
    /// `h2.agent`: the calls that the kernel agent emits, with the latencies that it measures.
    pub struct AgentCallsObject {
        /// How many.
        "calls": calls: u64,
        /// Their median; in discovery mode the agent keeps no quantiles.
        "p50": p50: Option<Seconds>,
        /// The quantile of 0.95.
        "p95": p95: Option<Seconds>,
        /// Of 0.99.
        "p99": p99: Option<Seconds>,
    }
}

impl AgentCallsObject {
    fn new(of: endpoint::AgentCalls) -> Self {
        let [p50, p95, p99] =
            of.quantiles.map_or([None; 3], |quantiles| quantiles.map(|nanos| Some(Seconds(nanos))));
        Self { calls: of.calls, p50, p95, p99 }
    }
}

object! {
    /// `h2.duration`, `h2.ttfb`: quantiles to 1 %. What was not seen to its end counts as long as it was seen.
    pub struct QuantilesObject<'a> {
        /// The median.
        "p50": p50: Seconds,
        /// The quantile of 0.9.
        "p90": p90: Seconds,
        /// Of 0.95.
        "p95": p95: Seconds,
        /// Of 0.99.
        "p99": p99: Seconds,
        /// The longest.
        "max": max: Option<Seconds>,
        /// All together.
        "sum": sum: Seconds,
        /// The true `p99` is no less; only where incomplete exchanges, or calls that may be missing, make a difference.
        "p99_at_least": p99_at_least: Option<Seconds>,
        /// It is no more; only beside `p99_at_least`, and where that can be known.
        "p99_at_most": p99_at_most: Option<Seconds>,
        /// How many there are in each bin of a DDSketch, by its index: with γ = 1.01 / 0.99 that of index i holds those from γⁱ
        /// nanoseconds on, below γⁱ⁺¹; `zero` are those of no time. Sketches merge by adding up the counts of each index.
        "sketch": sketch: SketchObject<'a>,
    }
}

object! {
    /// `h2.rate`
    pub struct RateObject {
        /// Calls a second, from the first exchange's beginning to the last one's end, of all endpoints.
        "per_second": per_second: Option<Decimal>,
        /// Calls in the busiest second.
        "peak": peak: Decimal,
        /// Seconds that `peak` is the mean of, where they are more than one.
        "peak_window": peak_window: Option<u64>,
    }
}

object! {
    /// `h2.slowest`
    pub struct SlowestObject {
        /// `h2.connection.id`
        "connection": connection: u64,
        /// `h2.stream.id`
        "stream": stream: u32,
        /// `h2.packets.first`
        "packet": packet: u64,
        /// How long it took.
        "duration": duration: Seconds,
    }
}

/// `h2.errors`
#[derive(Debug)]
pub struct Errors<'a>(&'a [(String, u64)]);

impl Value for Errors<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.map(self.0.iter().map(|(kind, count)| (Cow::Owned(kind.clone()), *count)));
    }

    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
}

/// `h2.statuses`
#[derive(Debug)]
pub struct Statuses<'a>(&'a [(u16, u64)]);

impl Value for Statuses<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.map(self.0.iter().map(|(status, count)| (Cow::Owned(status.to_string()), *count)));
    }

    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
}

/// `sketch`
#[derive(Debug)]
pub struct SketchObject<'a>(&'a Bins);

impl Value for SketchObject<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        let zeros = Some((Cow::Borrowed(SKETCH_ZERO), self.0.zeros)).filter(|(_, zeros)| *zeros > 0);
        let bins = self.0.counts.iter().map(|(index, count)| (Cow::Owned(index.to_string()), *count));
        visitor.map(zeros.into_iter().chain(bins));
    }

    fn is_absent(&self) -> bool {
        self.0.count() == 0
    }
}

impl<'a> EndpointObject<'a> {
    /// The record of an endpoint.
    pub fn new(endpoint: &'a Endpoint) -> Self {
        let text = |text: &'a Option<String>| text.as_ref().map(|text| Text(text.as_bytes()));
        Self {
            record: Word("endpoint"),
            url: Url { template: text(&endpoint.template) },
            http: Http { request: HttpRequest { method: text(&endpoint.method) } },
            server: endpoint.server.map(|end| Socket::new(SocketEnd { ip: end.ip(), port: end.port() })),
            authority: text(&endpoint.authority),
            rpc: text(&endpoint.rpc).map(|method| Rpc { system: RpcSystem { name: Word("grpc") }, method }),
            graphql: GraphQl { operation: GraphQlOperation { name: text(&endpoint.operation) } },
            h2: H2::new(endpoint),
        }
    }
}

impl<'a> H2<'a> {
    fn new(endpoint: &'a Endpoint) -> Self {
        Self {
            calls: endpoint.calls,
            failed: endpoint.failed,
            incomplete: endpoint.incomplete,
            unplaced: endpoint.unplaced.then_some(true),
            folded: endpoint.folded,
            errors: Errors(&endpoint.errors),
            statuses: Statuses(&endpoint.statuses),
            duration: QuantilesObject::new(&endpoint.duration, &endpoint.duration_bins),
            ttfb: QuantilesObject::new(&endpoint.ttfb, &endpoint.ttfb_bins),
            time: TimeSums::new(&endpoint.time),
            request_bytes: endpoint.request_bytes,
            response_bytes: endpoint.response_bytes,
            rate: RateObject::new(endpoint.rate),
            slowest: endpoint.slowest.map(|slowest| SlowestObject {
                connection: slowest.connection,
                stream: slowest.stream,
                packet: slowest.packet,
                duration: Seconds(slowest.duration),
            }),
            agent: endpoint.agent.map(AgentCallsObject::new),
        }
    }
}

impl<'a> QuantilesObject<'a> {
    fn new(of: &Quantiles, bins: &'a Bins) -> Option<Self> {
        let [p50, p90, p95, p99] = of.quantiles?.map(Seconds);
        Some(Self {
            p50,
            p90,
            p95,
            p99,
            max: of.max.map(Seconds),
            sum: Seconds(of.sum),
            p99_at_least: of.p99_at_least.map(Seconds),
            p99_at_most: of.p99_at_most.map(Seconds),
            sketch: SketchObject(bins),
        })
    }
}

impl RateObject {
    fn new(of: endpoint::Rate) -> Self {
        Self { per_second: of.per_second.map(Decimal), peak: Decimal(of.peak), peak_window: of.peak_window }
    }
}

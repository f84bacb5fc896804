//! `agent.endpoints`: the agent's statistics by its own key.

use super::Socket;
use crate::record::lossy::is_lossy;
use crate::record::value::{Seconds, Text, Word};
use crate::record::visit::{Type, Value, Visitor, object};
use crate::record::{AgentEndpoint, AgentLatency, AgentStatus};
use std::borrow::Cow;

/// `agent.endpoints`; absent when there are none.
#[derive(Debug)]
pub struct AgentEndpoints<'a>(pub(super) &'a [AgentEndpoint]);

impl Value for AgentEndpoints<'_> {
    const TYPE: Type = Type::List(&AgentEndpointObject::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.0.iter().map(AgentEndpointObject::new));
    }

    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
}

object! {
    /// One of `agent.endpoints`.
    pub struct AgentEndpointObject<'a> {
        /// The end that the agent takes for the client.
        "client": client: Socket,
        /// The end that it takes for the server.
        "server": server: Socket,
        /// Absent in discovery mode.
        "http": http: Option<AgentHttp>,
        /// Absent in discovery mode.
        "url": url: Option<AgentUrl<'a>>,
        /// The calls by status.
        "statuses": statuses: AgentStatuses<'a>,
        /// The path is not UTF-8, and was shown with U+FFFD.
        "lossy_text": lossy_text: Option<bool>,
    }
}

object! {
    /// `agent.endpoints[].http`
    pub struct AgentHttp {
        /// The request.
        "request": request: AgentRequest,
    }
}

object! {
    /// `agent.endpoints[].http.request`
    pub struct AgentRequest {
        /// The method.
        "method": method: Word,
    }
}

object! {
    /// `agent.endpoints[].url`
    pub struct AgentUrl<'a> {
        /// The path, cut at the first `?`; quantized, where that is asked for.
        "path": path: Text<'a>,
    }
}

/// `agent.endpoints[].statuses`
#[derive(Debug)]
pub struct AgentStatuses<'a>(&'a [AgentStatus]);

impl Value for AgentStatuses<'_> {
    const TYPE: Type = Type::Map(&AgentStatusObject::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        let entry =
            |status: &AgentStatus| (Cow::Owned(status.status.to_string()), AgentStatusObject::new(status));
        visitor.map(self.0.iter().map(entry));
    }
}

object! {
    /// The calls of one status, with quantiles of their latencies or, in discovery mode, the sum.
    pub struct AgentStatusObject {
        /// Calls.
        "calls": calls: u64,
        /// Median.
        "p50": p50: Option<Seconds>,
        /// 95th percentile.
        "p95": p95: Option<Seconds>,
        /// 99th percentile.
        "p99": p99: Option<Seconds>,
        /// Sum.
        "sum": sum: Option<Seconds>,
    }
}

impl<'a> AgentEndpointObject<'a> {
    fn new(endpoint: &'a AgentEndpoint) -> Self {
        let call = endpoint.call.as_ref();
        let mut object = Self {
            client: Socket::new(endpoint.client),
            server: Socket::new(endpoint.server),
            http: call.map(|(method, _)| AgentHttp { request: AgentRequest { method: Word(method) } }),
            url: call.map(|(_, path)| AgentUrl { path: Text(path) }),
            statuses: AgentStatuses(&endpoint.statuses),
            lossy_text: None,
        };
        object.lossy_text = is_lossy(&object).then_some(true);
        object
    }
}

impl AgentStatusObject {
    fn new(status: &AgentStatus) -> Self {
        let (quantiles, sum) = match status.latency {
            AgentLatency::Quantiles(nanos) => (nanos.map(|nanos| Some(Seconds(nanos))), None),
            AgentLatency::Sum(nanos) => ([None; 3], Some(Seconds(nanos))),
            AgentLatency::Unknown => ([None; 3], None),
        };
        let [p50, p95, p99] = quantiles;
        Self { calls: status.calls, p50, p95, p99, sum }
    }
}

//! What the pairs of each endpoint add up to.

use crate::aggregate::{Aggregate, Exchange, Kind, Latency, Place, Row, Span, Target, Templates};
use crate::base::limits;
use crate::base::memory::Memory;
use crate::record::pair::{Pair, PairEndpoint, PairEndpoints, Times};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// What makes an endpoint: the same in each of the aggregates, since all are told of the same calls.
type Key = (Option<String>, Option<String>, String);

/// Adds pairs up by endpoint.
#[derive(Debug)]
pub struct Endpoints {
    /// Times at the client's place; as time to the first byte, those at the server's.
    places: Aggregate,
    /// Times between the places; failures at the server's.
    between: Aggregate,
    /// Failures are those that one place alone saw.
    alone: Aggregate,
    times: Times,
}

impl Endpoints {
    /// None yet; paths are grouped in this way, in a part of so much memory.
    pub fn new(templates: &Arc<Templates>, memory: Memory) -> Self {
        let room = memory.share(limits::ENDPOINT_MEMORY / 4);
        let aggregate = || Aggregate::new(Arc::clone(templates), room);
        Self { places: aggregate(), between: aggregate(), alone: aggregate(), times: Times::default() }
    }

    /// Counts a pair.
    pub fn add(&mut self, pair: &Pair) {
        let call = &pair.call;
        let last = pair.server.last();
        let target = match (call.rpc_method(), call.path.as_deref()) {
            (Some(method), _) => Target::Rpc(method),
            (None, Some(path)) => Target::Path(path),
            (None, None) => Target::None,
        };
        let span = |nanos: Option<u64>| nanos.map_or(Span::unknown(), Span::exact);
        let client = pair.client.as_ref();
        let facts = Exchange {
            authority: call.authority.as_deref(),
            server: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            method: call.method.as_deref(),
            target,
            unplaced: false,
            failure: client.and_then(|client| client.error.as_deref()),
            status: None,
            incomplete: false,
            lossy: false,
            reset: false,
            start: pair.time.as_nanos(),
            duration: span(client.map(|client| client.duration)),
            ttfb: Some(span(last.map(|server| server.duration))),
            time: None,
            request_bytes: 0,
            response_bytes: 0,
            place: Place::default(),
        };
        self.places.add(&facts);
        let failure = last.and_then(|server| server.error.as_deref());
        self.between.add(&Exchange { duration: span(pair.between.total), ttfb: None, failure, ..facts });
        let failure = match (client, last) {
            (Some(_), None) => Some(CLIENT_ONLY),
            (None, Some(_)) => Some(SERVER_ONLY),
            _ => None,
        };
        self.alone.add(&Exchange { duration: Span::unknown(), ttfb: None, failure, ..facts });
        self.times.add(pair);
    }

    /// The endpoints, by the time that calls spent at the client's place, the most first.
    pub fn rows(&self) -> PairEndpoints {
        let by_key = |aggregate: &Aggregate| -> HashMap<Key, Row> {
            aggregate.rows().rows.into_iter().map(|row| (key(&row), row)).collect()
        };
        let (between, alone) = (by_key(&self.between), by_key(&self.alone));
        let rows = self.places.rows().rows.into_iter().map(|row| {
            let key = key(&row);
            let errors = |name| {
                let all = alone.get(&key).map(|row| row.stats.errors());
                all.into_iter().flatten().filter(|(kind, _)| *kind == name).map(|(_, count)| count).sum()
            };
            let way = between.get(&key);
            PairEndpoint {
                method: row.method.clone(),
                name: name(&row),
                calls: row.stats.calls,
                client: quantiles(&row.stats.duration),
                server: quantiles(&row.stats.ttfb),
                between: way.and_then(|row| quantiles(&row.stats.duration)),
                failed_client: row.stats.failed,
                failed_server: way.map_or(0, |row| row.stats.failed),
                client_only: errors(CLIENT_ONLY),
                server_only: errors(SERVER_ONLY),
            }
        });
        PairEndpoints { rows: rows.collect(), times: self.times }
    }
}

const CLIENT_ONLY: &str = "client_only";
const SERVER_ONLY: &str = "server_only";

fn key(row: &Row) -> Key {
    (row.authority.clone(), row.method.clone(), format!("{:?}", row.kind))
}

fn name(row: &Row) -> String {
    let service = row.authority.clone().unwrap_or_default();
    match &row.kind {
        Kind::Path(template) => service + template,
        Kind::Rpc(method) => format!("{service}/{method}"),
        Kind::Operation(path, operation) => format!("{service}{path} {operation}"),
        Kind::None => service,
        Kind::Folded(paths) => format!("({paths} more)"),
    }
}

fn quantiles(of: &Latency) -> Option<[u64; 2]> {
    Some([of.quantile(0.5)?, of.quantile(0.99)?])
}

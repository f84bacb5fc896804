//! The pair record.

use super::transaction::{ErrorType, Rpc, RpcResponse, RpcSystem, Url};
use crate::record::pair::{Missing, Pair, PairSide};
use crate::record::value::{GrpcStatus, Seconds, Text, Time, Word};
use crate::record::visit::{Type, Value, Visitor, object};
use std::borrow::Cow;

object! {
    /// A call that was captured at two places; or that one of them did not see.
    pub struct PairObject<'a> {
        /// Always `pair`.
        "record": record: Word,
        /// When it began, by the client's clock; of what the server's place alone saw, as far as the clocks can be compared.
        "@timestamp": timestamp: Time,
        /// Method, status, sizes: as the client's place saw them, if it saw them.
        "http": http: PairHttp<'a>,
        /// Scheme, path, query.
        "url": url: Url<'a>,
        /// gRPC.
        "rpc": rpc: Option<Rpc<'a>>,
        /// At the client's place.
        "client": client: Option<PairSideObject>,
        /// At the server's: several where something between tried again, in order of their start.
        "server": server: Attempts<'a>,
        /// What OpenTelemetry has no names for.
        "h2": h2: H2Pair<'a>,
    }
}

object! {
    /// `http`
    pub struct PairHttp<'a> {
        /// The request.
        "request": request: PairRequest<'a>,
        /// The response.
        "response": response: PairResponse,
    }
}

object! {
    /// `http.request`
    pub struct PairRequest<'a> {
        /// `:method`, as sent.
        "method": method: Option<Text<'a>>,
        /// There once the request's HEADERS was seen.
        "body": body: Option<PairBody>,
    }
}

object! {
    /// `http.response`
    pub struct PairResponse {
        /// `:status` of the final response.
        "status_code": status_code: Option<u16>,
        /// There once the response's HEADERS was seen.
        "body": body: Option<PairBody>,
    }
}

object! {
    /// `http.request.body`, `http.response.body`
    pub struct PairBody {
        /// Octets of DATA.
        "size": size: u64,
    }
}

object! {
    /// `client`, and an element of `server`: the exchange as one place saw it.
    pub struct PairSideObject {
        /// `h2.connection.id` of that capture.
        "connection": connection: u64,
        /// `h2.stream.id`
        "stream": stream: u32,
        /// `h2.packets.first` of that capture.
        "packet": packet: u64,
        /// From the request's first byte to the end.
        "duration": duration: Seconds,
        /// From the request's first byte to the response's first.
        "ttfb": ttfb: Option<Seconds>,
        /// What went wrong, as that place saw it.
        "error": error: Option<ErrorType>,
    }
}

object! {
    /// `h2`
    pub struct H2Pair<'a> {
        /// How the places belong together.
        "pair": pair: PairFacts<'a>,
    }
}

object! {
    /// `h2.pair`
    pub struct PairFacts<'a> {
        /// How the pair was found: `tcp` (one connection, seen twice), `bytes` (two connections with the same bytes), the name
        /// of a field with an id, or `content`.
        "how": how: Option<Text<'a>>,
        /// How long the way between the places took.
        "between": between: BetweenObject,
        /// Others may be its partner, too: so it has none.
        "ambiguous": ambiguous: bool,
        /// Why one place alone saw it: `not_captured`, `never_arrived`, `answered_between` or `unknown`.
        "missing": missing: Option<Missing>,
    }
}

object! {
    /// `h2.pair.between`
    pub struct BetweenObject {
        /// From the request's last byte at the client's place to its last at the server's.
        "request": request: Option<Seconds>,
        /// From the response's first byte at the server's place to its first at the client's.
        "response": response: Option<Seconds>,
        /// The client's time to the first byte less the server's: needs no clock.
        "total": total: Option<Seconds>,
        /// How far off `request` and `response` may be.
        "uncertainty": uncertainty: Option<Seconds>,
    }
}

/// `server`
#[derive(Clone, Copy, Debug)]
pub struct Attempts<'a>(&'a [PairSide]);

impl Value for Attempts<'_> {
    const TYPE: Type = Type::List(&PairSideObject::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.0.iter().map(PairSideObject::new));
    }
}

impl PairSideObject {
    fn new(side: &PairSide) -> Self {
        let error = side.error.clone().map(|name| ErrorType { r#type: Cow::Owned(name) });
        Self {
            connection: side.connection,
            stream: side.stream,
            packet: side.packet,
            duration: Seconds(side.duration),
            ttfb: side.ttfb.map(Seconds),
            error,
        }
    }
}

impl<'a> PairObject<'a> {
    /// The record of a pair.
    pub fn new(pair: &'a Pair) -> Self {
        let text = |text: &'a Option<Box<[u8]>>| text.as_deref().map(Text);
        let body = |size: Option<u64>| size.map(|size| PairBody { size });
        let call = &pair.call;
        let rpc = call.grpc.then(|| Rpc {
            system: RpcSystem { name: Word("grpc") },
            method: call.rpc_method().map(Text),
            response: pair.grpc_status.map(|status| RpcResponse { status_code: GrpcStatus(status) }),
        });
        Self {
            record: Word("pair"),
            timestamp: Time(pair.time),
            http: PairHttp {
                request: PairRequest { method: text(&call.method), body: body(pair.request_bytes) },
                response: PairResponse { status_code: pair.status, body: body(pair.response_bytes) },
            },
            url: Url { scheme: text(&call.scheme), path: text(&call.path), query: text(&call.query) },
            rpc,
            client: pair.client.as_ref().map(PairSideObject::new),
            server: Attempts(&pair.server),
            h2: H2Pair {
                pair: PairFacts {
                    how: pair.how.as_deref().map(|how| Text(how.as_bytes())),
                    between: BetweenObject {
                        request: pair.between.request.map(Seconds),
                        response: pair.between.response.map(Seconds),
                        total: pair.between.total.map(Seconds),
                        uncertainty: pair.between.uncertainty.map(Seconds),
                    },
                    ambiguous: pair.ambiguous,
                    missing: pair.missing,
                },
            },
        }
    }
}

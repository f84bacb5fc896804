//! The transaction record.

use super::{ConnectionRef, End, Network, Packets, Socket, Tls};
use crate::output::Options;
use crate::output::redact::{REDACTED, is_secret};
use crate::output::value::{GrpcStatus, LossyFlag, Seconds, Text, Time};
use crate::output::view::TransactionView;
use crate::time::Timestamp;
use crate::transaction::{Field, Fields, Interim, Message, Partial, Source, Unknown, UnknownRef};
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::Write;

/// An exchange on one stream.
///
/// `h2` comes last in it, and `h2.agent`, which is put in when the record is printed, last in that.
#[derive(Debug, Serialize)]
pub struct TransactionObject<'a> {
    /// Always `transaction`.
    record: &'static str,
    /// The first packet that carries a byte of the request's header block.
    #[serde(rename = "@timestamp")]
    timestamp: Time,
    /// From there to the last byte of the stream.
    duration: Seconds,
    /// Method, status, sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Http<'a>>,
    /// Scheme, path, query.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Url<'a>>,
    /// The side that opened the connection.
    client: Socket,
    /// The other side.
    server: Socket,
    /// Protocols.
    network: Network,
    /// The program that the client says it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<UserAgent<'a>>,
    /// gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    rpc: Option<Rpc<'a>>,
    /// TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls<'a>>,
    /// What went wrong, as the client saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorType>,
    /// What OpenTelemetry has no names for.
    h2: H2<'a>,
}

/// `http`
#[derive(Debug, Serialize)]
pub struct Http<'a> {
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<HttpRequest<'a>>,
    /// The response.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<HttpResponse>,
}

/// `http.request`
#[derive(Debug, Serialize)]
pub struct HttpRequest<'a> {
    /// `:method`, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Text<'a>>,
    /// There once the request's HEADERS was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
}

/// `http.response`
#[derive(Debug, Serialize)]
pub struct HttpResponse {
    /// `:status` of the final response.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    /// There once the response's HEADERS was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
}

/// `http.request.body`, `http.response.body`
#[derive(Debug, Serialize)]
pub struct Body {
    /// Bytes in DATA frames, without padding.
    size: u64,
}

/// `url`
#[derive(Debug, Serialize)]
pub struct Url<'a> {
    /// `:scheme`
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<Text<'a>>,
    /// `:path` up to the first `?`
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Text<'a>>,
    /// `:path` after the first `?`
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Text<'a>>,
}

/// `user_agent`
#[derive(Debug, Serialize)]
pub struct UserAgent<'a> {
    /// The field `user-agent`.
    original: Text<'a>,
}

/// `rpc`
#[derive(Debug, Serialize)]
pub struct Rpc<'a> {
    /// The system.
    system: RpcSystem,
    /// `package.Service/Method`
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Text<'a>>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<RpcResponse>,
}

/// `rpc.system`
#[derive(Debug, Serialize)]
pub struct RpcSystem {
    /// Always `grpc`.
    name: &'static str,
}

/// `rpc.response`
#[derive(Debug, Serialize)]
pub struct RpcResponse {
    /// Name of the gRPC status.
    status_code: GrpcStatus,
}

/// `error`
#[derive(Debug, Serialize)]
pub struct ErrorType {
    /// The gRPC status unless `OK`; else a status code from 400 on; else the error code of the RST_STREAM or GOAWAY
    /// that ended the stream, unless `NO_ERROR`.
    r#type: Cow<'static, str>,
}

/// `h2`
#[derive(Debug, Serialize)]
pub struct H2<'a> {
    /// The connection.
    connection: ConnectionRef,
    /// The stream.
    stream: Stream,
    /// More about the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request<'a>>,
    /// More about the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response<'a>>,
    /// More about gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    grpc: Option<GrpcObject<'a>>,
    /// Parts of the duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<Timing>,
    /// Nothing of the exchange is missing.
    complete: bool,
    /// What is missing.
    #[serde(skip_serializing_if = "PartialReasons::is_empty")]
    partial_reason: PartialReasons,
    /// Attributes whose value was sent and is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<UnknownFields>,
    /// Where in the capture.
    packets: Packets,
    /// Text that is not UTF-8 was shown with U+FFFD. Known only when all text has been written: keep it behind.
    #[serde(skip_serializing_if = "LossyFlag::is_unset")]
    lossy_text: LossyFlag<'a>,
}

/// `h2.stream`
#[derive(Debug, Serialize)]
pub struct Stream {
    /// Stream identifier.
    id: u32,
    /// Promised by the server.
    pushed: bool,
    /// The stream that carried the promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<u32>,
    /// How the stream ended.
    end: End,
}

/// `h2.request`
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    /// `:authority`, else `host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<Text<'a>>,
    /// `:protocol` (RFC 8441).
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<Text<'a>>,
    /// All header fields, with `--headers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<FieldList<'a>>,
    /// The trailer fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    trailers: Option<FieldList<'a>>,
}

/// `h2.response`
#[derive(Debug, Serialize)]
pub struct Response<'a> {
    /// All header fields, with `--headers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<FieldList<'a>>,
    /// The trailer fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    trailers: Option<FieldList<'a>>,
    /// Interim (1xx) answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    interim: Option<InterimList<'a>>,
}

/// `h2.grpc`
#[derive(Debug, Serialize)]
pub struct GrpcObject<'a> {
    /// `grpc-status`
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u32>,
    /// `grpc-message`, percent-decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<'a>>,
    /// Messages that the client began to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_messages: Option<u64>,
    /// Messages that the server began to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_messages: Option<u64>,
}

/// `h2.timing`
#[derive(Debug, Serialize)]
pub struct Timing {
    /// From the request's first byte to the response's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttfb: Option<Seconds>,
    /// From the request's first byte to its last.
    #[serde(skip_serializing_if = "Option::is_none")]
    send: Option<Seconds>,
    /// From the response's first byte to its last.
    #[serde(skip_serializing_if = "Option::is_none")]
    receive: Option<Seconds>,
}

/// `h2.partial_reason`: `no_request`, `no_response`, `response_cut`, `request_cut`, `tcp_gap`, `snaplen`,
/// `mid_stream`, `unknown_header`, `not_decrypted`, `limit`.
#[derive(Debug)]
pub struct PartialReasons(Partial);

impl PartialReasons {
    // The signature is serde's.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for PartialReasons {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for name in self.0.names() {
            list.serialize_element(name)?;
        }
        list.end()
    }
}

/// A header or trailer section: an array of [`FieldObject`].
#[derive(Clone, Copy, Debug)]
pub(in crate::output) struct FieldList<'a> {
    fields: &'a Fields,
    show_secrets: bool,
    lossy: &'a Cell<bool>,
}

impl<'a> FieldList<'a> {
    /// A section; `None` when it has no fields.
    pub(in crate::output) fn new(
        fields: &'a Fields,
        show_secrets: bool,
        lossy: &'a Cell<bool>,
    ) -> Option<Self> {
        (!fields.is_empty()).then_some(Self { fields, show_secrets, lossy })
    }
}

impl Serialize for FieldList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.fields.len()))?;
        for field in self.fields.iter() {
            list.serialize_element(&FieldObject::new(&field, self.show_secrets, self.lossy))?;
        }
        list.end()
    }
}

/// A field line.
#[derive(Debug, Serialize)]
pub struct FieldObject<'a> {
    /// The name, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text<'a>>,
    /// The value, where it is known; `[redacted]` where it is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Text<'a>>,
    /// `exact`, `inferred` or `unknown`.
    src: &'static str,
    /// Identity of an unknown table entry: the same unknown entry of a connection's side has the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#ref: Option<EntryName>,
}

impl<'a> FieldObject<'a> {
    fn new(field: &Field<'a>, show_secrets: bool, lossy: &'a Cell<bool>) -> Self {
        let text = |bytes| Text { bytes, lossy };
        let hidden = !show_secrets && is_secret(field.name);
        Self {
            name: field.name.map(text),
            value: field.value.map(|value| text(if hidden { REDACTED.as_bytes() } else { value })),
            src: match field.source {
                Source::Exact => "exact",
                Source::Inferred => "inferred",
                Source::Unknown => "unknown",
            },
            r#ref: field.reference.map(EntryName),
        }
    }
}

/// `?7` is the seventh entry before a late start, `?2.7` the seventh before the table's past was lost a second time
/// after it.
#[derive(Debug)]
pub struct EntryName(UnknownRef);

impl Serialize for EntryName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::from("?");
        // Writing to a string cannot fail.
        let _ = match self.0.epoch {
            0 => write!(text, "{}", self.0.entry),
            epoch => write!(text, "{epoch}.{}", self.0.entry),
        };
        serializer.serialize_str(&text)
    }
}

/// `h2.response.interim`
#[derive(Debug)]
pub struct InterimList<'a> {
    answers: &'a [Interim],
    start: Timestamp,
}

/// An element of `h2.response.interim`
/// `h2.unknown`: attribute names.
#[derive(Debug)]
pub struct UnknownFields(Unknown);

impl Serialize for UnknownFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.names())
    }
}

/// An interim answer.
#[derive(Debug, Serialize)]
pub struct InterimObject {
    /// 100 to 199.
    status_code: u16,
    /// When it came, counted from `@timestamp`.
    at: Seconds,
}

impl Serialize for InterimList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.answers.iter().map(|answer| InterimObject {
            status_code: answer.status,
            at: Seconds::between(self.start, answer.time),
        }))
    }
}

impl<'a> TransactionObject<'a> {
    /// The record of a transaction; `lossy` is where text that is not UTF-8 is noted.
    pub(in crate::output) fn new(
        view: &TransactionView<'a>,
        options: &Options,
        lossy: &'a Cell<bool>,
    ) -> Self {
        let (transaction, connection) = (view.transaction, view.connection);
        let text = |bytes| Text { bytes, lossy };
        lossy.set(false);
        let body = |message: &Message| message.seen.then_some(Body { size: message.body });
        let request = HttpRequest { method: view.method.map(text), body: body(&transaction.request) };
        let response = HttpResponse { status_code: view.status, body: body(&transaction.response) };
        let request = (request.method.is_some() || request.body.is_some()).then_some(request);
        let response = (response.status_code.is_some() || response.body.is_some()).then_some(response);
        let url =
            Url { scheme: view.scheme.map(text), path: view.path.map(text), query: view.query.map(text) };
        Self {
            record: "transaction",
            timestamp: Time(transaction.first.time),
            duration: Seconds::between(transaction.first.time, transaction.last.time),
            http: (request.is_some() || response.is_some()).then_some(Http { request, response }),
            url: (url.scheme.is_some() || url.path.is_some()).then_some(url),
            client: Socket::new(connection.client),
            server: Socket::new(connection.server),
            network: Network::new(connection.client, Some("2")),
            user_agent: view.user_agent.map(|original| UserAgent { original: text(original) }),
            rpc: transaction.grpc.is_some().then(|| Rpc {
                system: RpcSystem { name: "grpc" },
                method: view.rpc_method().map(text),
                response: view.grpc_status().map(|status_code| RpcResponse { status_code }),
            }),
            tls: connection.tls.as_deref().map(Tls::new),
            error: view.error_type().map(|r#type| ErrorType { r#type }),
            h2: H2::new(view, options, lossy),
        }
    }
}

impl<'a> H2<'a> {
    fn new(view: &TransactionView<'a>, options: &Options, lossy: &'a Cell<bool>) -> Self {
        let transaction = view.transaction;
        let text = |bytes| Text { bytes, lossy };
        let list = |fields| FieldList::new(fields, options.show_secrets, lossy);
        let all = |message: &'a Message| list(&message.headers).filter(|_| options.wanted.headers);
        let request = Request {
            authority: view.authority.map(text),
            protocol: view.protocol.map(text),
            headers: all(&transaction.request),
            trailers: list(&transaction.request.trailers),
        };
        let response = Response {
            headers: all(&transaction.response),
            trailers: list(&transaction.response.trailers),
            interim: (!transaction.interim.is_empty())
                .then_some(InterimList { answers: &transaction.interim, start: transaction.first.time }),
        };
        Self {
            connection: ConnectionRef { id: view.connection.id },
            stream: Stream {
                id: transaction.stream,
                pushed: transaction.pushed,
                parent: transaction.parent,
                end: End::new(transaction.end),
            },
            request: (request.authority.is_some()
                || request.protocol.is_some()
                || request.headers.is_some()
                || request.trailers.is_some())
            .then_some(request),
            response: (response.headers.is_some()
                || response.trailers.is_some()
                || response.interim.is_some())
            .then_some(response),
            grpc: transaction.grpc.as_ref().map(|grpc| GrpcObject {
                status: grpc.status,
                message: grpc.message.as_deref().map(text),
                request_messages: grpc.request_messages,
                response_messages: grpc.response_messages,
            }),
            timing: Timing::new(&transaction.request, &transaction.response),
            complete: transaction.partial.is_empty(),
            partial_reason: PartialReasons(transaction.partial),
            unknown: (!view.unknown.is_empty()).then_some(UnknownFields(view.unknown)),
            packets: Packets { first: transaction.first.packet, last: transaction.last.packet },
            lossy_text: LossyFlag(lossy),
        }
    }
}

impl Timing {
    /// `None` where no part was observed.
    fn new(request: &Message, response: &Message) -> Option<Self> {
        let between = |from: Option<Timestamp>, to: Option<Timestamp>| Some(Seconds::between(from?, to?));
        let timing = Self {
            ttfb: between(request.first, response.first),
            send: between(request.first, request.last),
            receive: between(response.first, response.last),
        };
        (timing.ttfb.is_some() || timing.send.is_some() || timing.receive.is_some()).then_some(timing)
    }
}

//! The transaction record.

use super::contents::{Body, EventsObject, GraphQlObject, MessageList, WebSocketObject};
use super::time::{TimeObject, Timing};
use super::{ConnectionRef, Network, Packets, Shown, Sides, Socket, StreamEndObject, Tls};
use crate::base::certainty::{Certainty, UnknownRef};
use crate::base::verdict::{MissReason, Verdict};
use crate::http2::PerSide;
use crate::record::lossy::is_lossy;
use crate::record::redact::{REDACTED, is_secret};
use crate::record::trace::TraceContext;
use crate::record::value::{self, Base64, GrpcStatus, Raw, Seconds, Text, Word};
use crate::record::view::TransactionView;
use crate::record::visit::{Record, Scalar, Type, Value, Visitor, object};
use crate::record::{
    Annotation, Contents, ExchangeRef, Failure, Field, FieldName, Fields, HeaderBytes, Message, Partial,
    Priority, Retry, Transaction, Unknown,
};
use std::borrow::Cow;

object! {
    /// An exchange on one stream.
    ///
    /// `h2` comes last in it, and the members of [`AnnotationObject`] last in that: they are known only when the record's
    /// turn has come, and text that was made before is completed there.
    pub struct TransactionObject<'a>(of: Of<'a>) {
        /// Always `transaction`.
        "record": Word = Word("transaction"),
        /// The first packet that carries a byte of the request's header block.
        "@timestamp": value::Time = value::Time(of.view.transaction.first.time),
        /// From there to the byte that ended the stream, or to what else ended it: the connection's end, the expiry, the
        /// capture's last packet.
        "duration": Seconds = Seconds::between(of.view.transaction.first.time, of.view.transaction.ended_at),
        /// Method, status, sizes.
        "http": Http<'a> = Http(of.view),
        /// Scheme, path, query.
        "url": Url<'a> = Url::new(of.view),
        /// The side that opened the connection.
        "client": Socket = Socket::new(of.view.connection.client),
        /// The other side.
        "server": Socket = Socket::new(of.view.connection.server),
        /// Protocols.
        "network": Network = Network::new(of.view.connection.client, Some("2")),
        /// TCP, while the exchange went on.
        "tcp": TcpOfExchange = TcpOfExchange::new(of.view.transaction),
        /// The program that the client says it is.
        "user_agent": Option<UserAgent<'a>> = of.view.user_agent.map(UserAgent::new),
        /// gRPC.
        "rpc": Option<Rpc<'a>> = Rpc::new(of.view),
        /// The GraphQL operation that is called, with `--body`.
        "graphql": Option<GraphQlObject<'a>> = of.contents().and_then(GraphQlObject::new),
        /// TLS.
        "tls": Option<Tls<'a>> = of.view.connection.tls.as_deref().map(Tls::new),
        /// What went wrong, as the client saw it.
        "error": Option<ErrorType> = of.view.failure().map(ErrorType::new),
        /// What OpenTelemetry has no names for.
        "h2": H2<'a> = H2(*of),
    }
}

object! {
    /// `http`
    pub struct Http<'a>(view: &'a TransactionView<'a>) {
        /// The request.
        "request": HttpRequest<'a> = HttpRequest(view),
        /// The response.
        "response": HttpResponse<'a> = HttpResponse(view),
    }
}

object! {
    /// `http.request`
    pub struct HttpRequest<'a>(view: &'a TransactionView<'a>) {
        /// `:method`, as sent.
        "method": Option<Text<'a>> = view.method.map(Text),
        /// There once the request's HEADERS was seen.
        "body": Option<Body<'a>> = Body::of_request(view.transaction),
    }
}

object! {
    /// `http.response`
    pub struct HttpResponse<'a>(view: &'a TransactionView<'a>) {
        /// `:status` of the final response.
        "status_code": Option<u16> = view.status,
        /// There once the response's HEADERS was seen.
        "body": Option<Body<'a>> = Body::of_response(view.transaction),
    }
}

object! {
    /// `url`
    pub struct Url<'a> {
        /// `:scheme`
        "scheme": scheme: Option<Text<'a>>,
        /// `:path` up to the first `?`
        "path": path: Option<Text<'a>>,
        /// `:path` after the first `?`
        "query": query: Option<Text<'a>>,
    }
}

object! {
    /// `tcp` of an exchange.
    pub struct TcpOfExchange {
        /// Bytes that were sent again while it went on, of whatever stream.
        "retransmitted": retransmitted: Sides<Option<u64>>,
    }
}

impl TcpOfExchange {
    fn new(transaction: &Transaction) -> Self {
        let octets = |octets: u32| (octets > 0).then_some(u64::from(octets));
        let PerSide { client, server } = transaction.retransmitted;
        Self { retransmitted: Sides { client: octets(client), server: octets(server) } }
    }
}

object! {
    /// `h2.request.header_bytes`, `h2.response.header_bytes`: of the header and trailer sections; interim responses are apart.
    /// Absent where some of them may be missing.
    pub struct HeaderOctets {
        /// As sent, compressed.
        "wire": wire: u64,
        /// Names and values. Absent where some are not known.
        "decoded": decoded: Option<u64>,
    }
}

impl HeaderOctets {
    /// Those of one side of a transaction.
    pub fn new(transaction: &Transaction, message: &Message) -> Option<Self> {
        let HeaderBytes { wire, decoded, unknown, cut } = message.header_bytes;
        // Where bytes are missing, trailers may be.
        let whole = message.seen && !cut && (message.ended || !transaction.has_lost());
        (wire > 0 && whole).then_some(Self { wire, decoded: (!unknown).then_some(decoded) })
    }
}

object! {
    /// `user_agent`
    pub struct UserAgent<'a> {
        /// The field `user-agent`.
        "original": original: Text<'a>,
    }
}

object! {
    /// `rpc`
    pub struct Rpc<'a> {
        /// The system.
        "system": system: RpcSystem,
        /// `package.Service/Method`
        "method": method: Option<Text<'a>>,
        /// The answer.
        "response": response: Option<RpcResponse>,
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
    /// `rpc.response`
    pub struct RpcResponse {
        /// Name of the gRPC status.
        "status_code": status_code: GrpcStatus,
    }
}

object! {
    /// `error`
    pub struct ErrorType {
        /// The gRPC status unless `OK`, `grpc_status_missing` where an answer has none; else a status code from 400 on;
        /// else, where no complete response had come, `malformed_response`, the error code of the RST_STREAM or GOAWAY
        /// that ended the stream, `connection_reset` or `connection_closed`.
        "type": r#type: Cow<'static, str>,
    }
}

object! {
    /// `h2`
    pub struct H2<'a>(of: Of<'a>) {
        /// The connection.
        "connection": ConnectionRef<'a> = ConnectionRef::new(of.view.connection),
        /// The stream.
        "stream": Stream<'a> = Stream::new(of.view.transaction),
        /// More about the request.
        "request": Request<'a> = Request::new(of),
        /// More about the response.
        "response": Response<'a> = Response::new(of),
        /// More about gRPC.
        "grpc": Option<GrpcObject<'a>> = GrpcObject::new(of.view.transaction),
        /// What joins the call with others: of other hops, of other attempts.
        "trace": TraceObject<'a> = TraceObject::new(&of.view.transaction.request.headers),
        /// The messages of both sides, with `--body`.
        "messages": MessageList<'a> = MessageList::new(of.contents(), of.view.transaction.first.time),
        /// Messages that came after those.
        "messages_omitted": Option<u64> = of.contents().map(|contents| contents.messages_omitted).filter(|count| *count > 0),
        /// Server-sent events, with `--body`.
        "sse": Option<EventsObject> = of.events(),
        /// How a WebSocket was closed, with `--body`.
        "websocket": Option<WebSocketObject<'a>> = of.contents().and_then(|contents| contents.websocket.as_ref()).map(WebSocketObject::new),
        /// Parts of the duration.
        "timing": Timing = Timing::new(of.view.transaction),
        /// What the duration was spent on: parts in seconds, those above zero, which add up to it. Absent, and then
        /// among `h2.unknown`, where the windows are not known.
        "time": Option<TimeObject> = of.view.transaction.time.as_ref().map(TimeObject::new),
        /// The stream's priority when the response began, as its client states it.
        "priority": Option<PriorityObject> = of.view.transaction.priority.as_ref().map(PriorityObject::new),
        /// Of an exchange that failed: `safe` where the server has promised not to have processed it (RFC 9113 section 8.7),
        /// else `unknown`.
        "retry": Option<Retry> = of.view.retry(),
        /// Nothing of the exchange is missing.
        "complete": bool = of.view.transaction.partial.is_empty(),
        /// What is missing.
        "partial_reason": Partial = of.view.transaction.partial,
        /// Attributes whose value was sent and is not known.
        "unknown": Unknown = of.view.unknown,
        /// Where in the capture.
        "packets": Packets<'a> = Packets::of(of.view),
        /// Text that is not UTF-8 was shown with U+FFFD; there only when it was.
        "lossy_text": Option<bool> = of.lossy.then_some(true),
        /// The exchange that failed before, and that this is another attempt at.
        "retry_of": Option<ExchangeObject> = of.annotation.retry_of.map(ExchangeObject::new),
        /// The other attempt at what failed here, where its record came before this one.
        "retried_by": Option<ExchangeObject> = of.annotation.retried_by.map(ExchangeObject::new),
        /// What the kernel agent would have made of it; there when telemetry is shown, too.
        "agent": Option<AgentVerdict> = of.annotation.agent.map(AgentVerdict::new),
    }
}

object! {
    /// The last members of `h2`: what is known of a record only when its turn has come.
    pub struct AnnotationObject {
        /// As in `h2`.
        "retry_of": retry_of: Option<ExchangeObject>,
        /// As in `h2`.
        "retried_by": retried_by: Option<ExchangeObject>,
        /// As in `h2`.
        "agent": agent: Option<AgentVerdict>,
    }
}

impl AnnotationObject {
    /// The annotation as records show it.
    pub fn new(annotation: Annotation) -> Self {
        let Annotation { agent, retry_of, retried_by } = annotation;
        Self {
            retry_of: retry_of.map(ExchangeObject::new),
            retried_by: retried_by.map(ExchangeObject::new),
            agent: agent.map(AgentVerdict::new),
        }
    }
}

object! {
    /// `h2.priority` of an exchange.
    pub struct PriorityObject {
        /// 0 to 7, the most urgent first (RFC 9218).
        "urgency": urgency: Option<u64>,
        /// What has come of the response is of use already (RFC 9218).
        "incremental": incremental: Option<bool>,
        /// 1 to 256 (RFC 7540 section 5.3).
        "weight": weight: Option<u64>,
        /// The stream depended on, 0 where there is none (RFC 7540 section 5.3).
        "depends_on": depends_on: Option<u32>,
        /// It alone depends on that one (RFC 7540 section 5.3).
        "exclusive": exclusive: Option<bool>,
    }
}

impl PriorityObject {
    fn new(priority: &Priority) -> Self {
        let Priority { urgency, dependency } = priority;
        Self {
            urgency: urgency.map(|urgency| urgency.level.into()),
            incremental: urgency.map(|urgency| urgency.incremental),
            weight: dependency.map(|dependency| dependency.weight.into()),
            depends_on: dependency.map(|dependency| dependency.on),
            exclusive: dependency.map(|dependency| dependency.exclusive),
        }
    }
}

object! {
    /// Another exchange.
    pub struct ExchangeObject {
        /// The connection's identifier.
        "connection": connection: u64,
        /// The stream's.
        "stream": stream: u32,
    }
}

impl ExchangeObject {
    pub(super) const fn new(exchange: ExchangeRef) -> Self {
        let ExchangeRef { connection, stream } = exchange;
        Self { connection, stream }
    }
}

object! {
    /// `h2.agent`
    pub struct AgentVerdict {
        /// It would have emitted the transaction.
        "seen": seen: bool,
        /// The first reason that applies why it would not have.
        "reason": reason: Option<MissReason>,
    }
}

impl AgentVerdict {
    /// The verdict as records show it.
    pub const fn new(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Seen(_) => Self { seen: true, reason: None },
            Verdict::Missed(reason) => Self { seen: false, reason: Some(reason) },
        }
    }
}

object! {
    /// `h2.stream`
    pub struct Stream<'a> {
        /// Stream identifier.
        "id": id: u32,
        /// Promised by the server.
        "pushed": pushed: bool,
        /// The stream that carried the promise.
        "parent": parent: Option<u32>,
        /// How the stream ended.
        "end": end: StreamEndObject<'a>,
    }
}

object! {
    /// `h2.request`
    pub struct Request<'a> {
        /// `:authority`, else `host`.
        "authority": authority: Option<Text<'a>>,
        /// `:protocol` (RFC 8441).
        "protocol": protocol: Option<Text<'a>>,
        /// Octets of its header blocks.
        "header_bytes": header_bytes: Option<HeaderOctets>,
        /// All header fields, with `--headers`.
        "headers": headers: Option<FieldList<'a>>,
        /// The trailer fields.
        "trailers": trailers: NamedFields<'a>,
    }
}

object! {
    /// `h2.response`
    pub struct Response<'a> {
        /// Octets of its header blocks.
        "header_bytes": header_bytes: Option<HeaderOctets>,
        /// All header fields, with `--headers`.
        "headers": headers: Option<FieldList<'a>>,
        /// The trailer fields.
        "trailers": trailers: NamedFields<'a>,
        /// Interim (1xx) answers.
        "interim": interim: InterimList<'a>,
    }
}

object! {
    /// `h2.grpc`
    pub struct GrpcObject<'a> {
        /// It is gRPC-Web; there only where it is.
        "web": web: Option<bool>,
        /// `grpc-status`
        "status": status: Option<u32>,
        /// `grpc-message`, percent-decoded.
        "message": message: Option<Text<'a>>,
        /// Whole messages that the client sent.
        "request_messages": request_messages: Option<u64>,
        /// Whole messages that the server sent.
        "response_messages": response_messages: Option<u64>,
        /// `grpc-timeout`: how long the caller waits.
        "timeout": timeout: Option<Seconds>,
        /// `grpc-previous-rpc-attempts`: attempts at this call that came before.
        "attempt": attempt: Option<u64>,
        /// `grpc-status-details-bin`, decoded, with `--body`: any JSON.
        "details": details: Option<Raw<'a>>,
    }
}

object! {
    /// `h2.trace`: as the request says.
    pub struct TraceObject<'a> {
        /// The trace: of `traceparent`, else of `b3` or `x-b3-traceid`.
        "trace_id": trace_id: Option<Text<'a>>,
        /// The caller's span, likewise.
        "span_id": span_id: Option<Text<'a>>,
        /// `x-request-id`
        "request_id": request_id: Option<Text<'a>>,
        /// `x-correlation-id`
        "correlation_id": correlation_id: Option<Text<'a>>,
        /// `x-datadog-trace-id`
        "datadog_trace_id": datadog_trace_id: Option<Text<'a>>,
        /// `x-datadog-parent-id`
        "datadog_parent_id": datadog_parent_id: Option<Text<'a>>,
        /// `x-amzn-trace-id`
        "amazon_trace_id": amazon_trace_id: Option<Text<'a>>,
    }
}

impl<'a> TraceObject<'a> {
    fn new(request: &'a Fields) -> Self {
        let context = TraceContext::of(request);
        let text = |known| request.value(known).map(Text);
        Self {
            trace_id: context.map(|context| Text(context.trace)),
            span_id: context.and_then(|context| context.span).map(Text),
            request_id: text(FieldName::RequestId),
            correlation_id: text(FieldName::CorrelationId),
            datadog_trace_id: text(FieldName::DatadogTraceId),
            datadog_parent_id: text(FieldName::DatadogParentId),
            amazon_trace_id: text(FieldName::AmazonTraceId),
        }
    }
}

/// A header or trailer section: an array of [`FieldObject`].
#[derive(Clone, Copy, Debug)]
pub struct FieldList<'a> {
    fields: &'a Fields,
    show_secrets: bool,
}

impl<'a> FieldList<'a> {
    /// The fields; the values of secret ones where they are to be shown.
    pub(super) const fn new(fields: &'a Fields, show_secrets: bool) -> Self {
        Self { fields, show_secrets }
    }
}

/// Trailer fields whose name is known; that others were sent, `h2.unknown` says.
#[derive(Debug)]
pub struct NamedFields<'a>(FieldList<'a>);

impl<'a> Value for NamedFields<'a> {
    const TYPE: Type = FieldList::<'a>::TYPE;
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        let FieldList { fields, show_secrets } = self.0;
        let named = fields.iter().filter(|field| field.name.is_some());
        visitor.list(named.map(|field| FieldObject::new(&field, show_secrets)));
    }

    fn is_absent(&self) -> bool {
        self.0.fields.iter().all(|field| field.name.is_none())
    }
}

impl<'a> Value for FieldList<'a> {
    const TYPE: Type = Type::List(&FieldObject::<'a>::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.fields.iter().map(|field| FieldObject::new(&field, self.show_secrets)));
    }

    fn is_absent(&self) -> bool {
        self.fields.is_empty()
    }
}

object! {
    /// A field line.
    pub struct FieldObject<'a> {
        /// The name, where it is known.
        "name": name: Option<Text<'a>>,
        /// The value, where it is known; `[redacted]` where it is a secret.
        "value": value: Option<Text<'a>>,
        /// The value's bytes in Base64, where they are no UTF-8.
        "value_base64": value_base64: Option<Base64<'a>>,
        /// `exact`, `unknown`, or `inferred` from bytes with a wrong checksum.
        "src": src: Certainty,
        /// Identity of an unknown table entry: the same unknown entry of a connection's side has the same one.
        "ref": r#ref: Option<EntryName>,
    }
}

impl<'a> FieldObject<'a> {
    /// The line as it is shown.
    pub fn new(field: &Field<'a>, show_secrets: bool) -> Self {
        let hidden = !show_secrets && is_secret(field.name);
        Self {
            name: field.name.map(Text),
            value: field.value.map(|value| Text(if hidden { REDACTED.as_bytes() } else { value })),
            value_base64: field
                .value
                .filter(|value| !hidden && !value.is_ascii() && std::str::from_utf8(value).is_err())
                .map(Base64),
            src: field.source,
            r#ref: field.reference.map(EntryName),
        }
    }
}

/// `?7` is the seventh entry before a late start, `?2.7` the seventh before the table's past was lost a second time
/// after it.
#[derive(Debug)]
pub struct EntryName(UnknownRef);

impl Value for EntryName {
    const TYPE: Type = Type::Word(&[]);

    fn visit(&self, visitor: &mut impl Visitor) {
        let UnknownRef { epoch, entry } = self.0;
        let text = if epoch == 0 { format!("?{entry}") } else { format!("?{epoch}.{entry}") };
        visitor.scalar(Scalar::Word(&text));
    }
}

/// `h2.response.interim`
#[derive(Debug)]
pub struct InterimList<'a>(&'a Transaction);

object! {
    /// An element of `h2.response.interim`
    pub struct InterimObject {
        /// 100 to 199.
        "status_code": status_code: u16,
        /// When it came, counted from `@timestamp`; absent where the request's beginning may be missing from the capture.
        "at": at: Option<Seconds>,
    }
}

impl Value for InterimList<'_> {
    const TYPE: Type = Type::List(&InterimObject::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        let Self(transaction) = *self;
        visitor.list(transaction.interim.iter().map(|answer| InterimObject {
            status_code: answer.status,
            at: transaction.interim_at(*answer).map(Seconds::of),
        }));
    }

    fn is_absent(&self) -> bool {
        self.0.interim.is_empty()
    }
}

/// What the record of a transaction is made of.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    view: &'a TransactionView<'a>,
    shown: Shown,
    /// All text of the transaction is plain, contents aside.
    plain: bool,
    /// Some of it is no UTF-8.
    lossy: bool,
    annotation: Annotation,
}

impl<'a> Of<'a> {
    /// What is in the bodies.
    fn contents(&self) -> Option<&'a Contents> {
        self.view.transaction.contents.as_deref()
    }

    fn events(&self) -> Option<EventsObject> {
        let events = self.contents()?.events.as_ref()?;
        Some(EventsObject::new(events, self.view.transaction.first.time))
    }

    /// Header fields; the values of secret ones where they are shown.
    const fn list(&self, fields: &'a Fields) -> FieldList<'a> {
        FieldList { fields, show_secrets: self.shown.secrets }
    }

    /// All header fields, where they are shown.
    fn all(&self, fields: &'a Fields) -> Option<FieldList<'a>> {
        self.shown.headers.then(|| self.list(fields))
    }
}

impl<'a> TransactionObject<'a> {
    /// The record of a transaction.
    #[inline]
    pub fn new(view: &'a TransactionView<'a>, shown: Shown) -> Self {
        let plain = view.transaction.is_plain();
        let of = Of { view, shown, plain, lossy: false, annotation: Annotation::default() };
        let lossy = !plain && Self::is_lossy(of);
        Self(Of { lossy, ..of })
    }

    #[cold]
    fn is_lossy(of: Of<'a>) -> bool {
        is_lossy(&Self(of))
    }

    /// The same record with what is known when its turn has come.
    #[must_use]
    pub const fn with(mut self, annotation: Annotation) -> Self {
        self.0.annotation = annotation;
        self
    }
}

impl Record for TransactionObject<'_> {
    const NAME: &'static str = "transaction";
    const PLURAL: &'static str = "transactions";

    /// Where all other text that a record may show is absent: contents, what the TLS handshake told, the input's name.
    #[inline]
    fn is_plain(&self) -> bool {
        let Self(of) = self;
        let others = of.contents().is_some() || of.view.connection.tls.is_some() || of.view.origin.is_some();
        of.plain && !others
    }
}

impl<'a> H2<'a> {
    /// `h2` of a transaction.
    pub fn new(record: &TransactionObject<'a>) -> Self {
        Self(record.0)
    }
}

impl<'a> Url<'a> {
    /// `url` of a transaction.
    pub fn new(view: &TransactionView<'a>) -> Self {
        Self { scheme: view.scheme.map(Text), path: view.path.map(Text), query: view.query.map(Text) }
    }
}

impl<'a> UserAgent<'a> {
    const fn new(original: &'a [u8]) -> Self {
        Self { original: Text(original) }
    }
}

impl<'a> Rpc<'a> {
    /// `rpc` of a transaction, if it is gRPC.
    pub fn new(view: &TransactionView<'a>) -> Option<Self> {
        view.transaction.grpc.is_some().then(|| Self {
            system: RpcSystem { name: Word("grpc") },
            method: view.rpc_method().map(Text),
            response: view.grpc_status().map(|status_code| RpcResponse { status_code }),
        })
    }
}

impl ErrorType {
    /// `error` of a transaction that failed.
    pub fn new(failure: Failure) -> Self {
        Self { r#type: failure.name() }
    }
}

impl<'a> Stream<'a> {
    fn new(transaction: &'a Transaction) -> Self {
        Self {
            id: transaction.stream,
            pushed: transaction.pushed,
            parent: transaction.parent,
            end: StreamEndObject::new(transaction.end, transaction.evidence.as_deref()),
        }
    }
}

impl<'a> Request<'a> {
    fn new(of: &Of<'a>) -> Self {
        let (view, message) = (of.view, &of.view.transaction.request);
        Self {
            authority: view.authority.map(Text),
            protocol: view.protocol.map(Text),
            header_bytes: HeaderOctets::new(view.transaction, message),
            headers: of.all(&message.headers),
            trailers: NamedFields(of.list(&message.trailers)),
        }
    }
}

impl<'a> Response<'a> {
    fn new(of: &Of<'a>) -> Self {
        let message = &of.view.transaction.response;
        Self {
            header_bytes: HeaderOctets::new(of.view.transaction, message),
            headers: of.all(&message.headers),
            trailers: NamedFields(of.list(&message.trailers)),
            interim: InterimList(of.view.transaction),
        }
    }
}

impl<'a> GrpcObject<'a> {
    fn new(transaction: &'a Transaction) -> Option<Self> {
        let grpc = transaction.grpc.as_ref()?;
        let details = || transaction.contents.as_deref()?.grpc_details.as_deref();
        Some(Self {
            web: grpc.web.then_some(true),
            status: grpc.status,
            message: grpc.message.as_deref().map(Text),
            request_messages: grpc.request_messages,
            response_messages: grpc.response_messages,
            timeout: grpc.timeout.map(Seconds),
            attempt: grpc.attempt,
            details: details().map(Raw),
        })
    }
}

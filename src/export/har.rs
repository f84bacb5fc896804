//! HAR 1.2, for the network panels of browsers: one `log`, an entry for each transaction.
//!
//! Times are milliseconds. What HAR demands and was not seen is -1, or empty. Names that begin with `_` are not HAR's:
//! what a record says and HAR has no place for.

mod cookies;

use crate::base::percent;
use crate::base::time::Timestamp;
use crate::record::schema::contents::{Body, BodyOf};
use crate::record::schema::time::Timing;
use crate::record::schema::transaction::{FieldObject, H2, HeaderOctets};
use crate::record::schema::{Shown, TransactionObject};
use crate::record::value::{Address, Bytes, Raw, Seconds, Text, Time, Word};
use crate::record::visit::{Scalar, Type, Value, Visitor, object};
use crate::record::{Failure, Fields, Handshakes, Transaction, TransactionView};
use cookies::Cookies;
use std::borrow::Cow;

/// What stands before the entries.
pub(super) const OPENING: &str = concat!(
    r#"{"log":{"version":"1.2","creator":{"name":"h2lens","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""},"entries":["#
);
/// And behind them.
pub(super) const CLOSING: &str = "]}}\n";

object! {
    /// An element of `log.entries`.
    pub(super) struct Entry<'a> {
        /// When the request began; where a connection was opened for it, when that began.
        "startedDateTime": started: Time,
        /// All the timings together, but for `ssl`, which lies within `connect`.
        "time": time: Millis,
        /// The request.
        "request": request: Request<'a>,
        /// The response.
        "response": response: Response<'a>,
        /// Nothing is known of a cache.
        "cache": cache: Raw<'static>,
        /// What the time was spent on.
        "timings": timings: Timings,
        /// The server's address.
        "serverIPAddress": server: Address,
        /// The connection's number.
        "connection": connection: Cow<'static, str>,
        /// The record's `h2`.
        "_h2": h2: H2<'a>,
    }
}

object! {
    /// `request`
    pub(super) struct Request<'a> {
        /// `:method`
        "method": method: Text<'a>,
        /// Scheme, authority, path and query.
        "url": url: Url<'a>,
        /// Always `HTTP/2`.
        "httpVersion": version: Word,
        /// The cookies that are shown.
        "cookies": cookies: Cookies<'a>,
        /// The field lines that are known.
        "headers": headers: Pairs<'a>,
        /// The query's parameters, decoded.
        "queryString": query: Query<'a>,
        /// With `--body`: the content.
        "postData": content: Option<PostData<'a>>,
        /// Octets of the header blocks, as sent.
        "headersSize": headers_size: OrMinusOne<u64>,
        /// Octets of DATA.
        "bodySize": body_size: OrMinusOne<u64>,
        /// The trailer fields that are known.
        "_trailers": trailers: Option<Pairs<'a>>,
    }
}

object! {
    /// `postData`
    pub(super) struct PostData<'a> {
        /// `content-type`, or empty.
        "mimeType": media_type: Text<'a>,
        /// The content.
        "text": text: ContentText<'a>,
        /// `base64`, where it is no text.
        "_encoding": encoding: Option<Word>,
        /// There is more than is shown.
        "_truncated": truncated: Option<bool>,
    }
}

object! {
    /// `response`
    pub(super) struct Response<'a> {
        /// `:status`; 0 where there is none.
        "status": status: u16,
        /// HTTP/2 has none.
        "statusText": status_text: Word,
        /// Always `HTTP/2`.
        "httpVersion": version: Word,
        /// The cookies that are shown.
        "cookies": cookies: Cookies<'a>,
        /// The field lines that are known.
        "headers": headers: Pairs<'a>,
        /// The content.
        "content": content: Content<'a>,
        /// `location`, or empty.
        "redirectURL": redirect: Text<'a>,
        /// Octets of the header blocks, as sent.
        "headersSize": headers_size: OrMinusOne<u64>,
        /// Octets of DATA.
        "bodySize": body_size: OrMinusOne<u64>,
        /// The trailer fields that are known.
        "_trailers": trailers: Option<Pairs<'a>>,
        /// Where there was no response: why, if that is known.
        "_error": error: Option<Cow<'static, str>>,
    }
}

object! {
    /// `content`
    pub(super) struct Content<'a> {
        /// Octets of the decoded content; -1 where it is coded and was not decoded.
        "size": size: OrMinusOne<u64>,
        /// Octets that the coding saved.
        "compression": saved: Option<Difference>,
        /// `content-type`, or empty.
        "mimeType": media_type: Text<'a>,
        /// With `--body`: the content.
        "text": text: Option<ContentText<'a>>,
        /// `base64`, where it is no text.
        "encoding": encoding: Option<Word>,
        /// There is more than is shown.
        "_truncated": truncated: Option<bool>,
    }
}

object! {
    /// `timings`
    pub(super) struct Timings {
        /// No credit was left before the request's end.
        "blocked": blocked: OrMinusOne<Millis>,
        /// Nothing is known of names.
        "dns": dns: OrMinusOne<Millis>,
        /// The connection's handshakes, on its first exchange.
        "connect": connect: OrMinusOne<Millis>,
        /// The rest of what went by until the request, or the response if that came first.
        "send": send: Millis,
        /// What is left.
        "wait": wait: Millis,
        /// From the response's first byte to the end.
        "receive": receive: Millis,
        /// TLS's part of `connect`.
        "ssl": ssl: OrMinusOne<Millis>,
    }
}

object! {
    /// An element of `headers`, `queryString` or `_trailers`.
    pub(super) struct Pair<'a> {
        /// The name.
        "name": name: Text<'a>,
        /// The value.
        "value": value: Text<'a>,
    }
}

impl<'a> Entry<'a> {
    /// The entry of a transaction.
    pub(super) fn new(view: &'a TransactionView<'a>, show_secrets: bool) -> Self {
        let record = TransactionObject::new(view, Shown { headers: false, secrets: show_secrets });
        let transaction = view.transaction;
        let timings = Timings::new(transaction);
        let connect = timings.connect.0.map_or(0, |Millis(nanos)| nanos);
        let pairs = |fields| Pairs { fields, show_secrets };
        let cookies = |fields, name| Cookies::new(pairs(fields), name);
        let trailers = |fields: &'a Fields| Some(pairs(fields)).filter(|_| !fields.is_empty());
        let (sent, answered) = (&transaction.request, &transaction.response);
        let (request, response) = (Body::of_request(transaction), Body::of_response(transaction));
        let (request, response) = (request.map(|Body(of)| of), response.map(|Body(of)| of));
        let headers_size =
            |message| OrMinusOne(HeaderOctets::new(transaction, message).map(|octets| octets.wire));
        let status = view.status;
        let begun = transaction.first.time.as_nanos();
        Self {
            started: Time(Timestamp::from_nanos(begun.saturating_sub(connect))),
            time: Millis(Seconds::of(transaction.duration()).0.saturating_add(connect)),
            request: Request {
                method: Text(view.method.unwrap_or_default()),
                url: Url(view),
                version: Word("HTTP/2"),
                cookies: cookies(&sent.headers, "cookie"),
                headers: pairs(&sent.headers),
                query: Query(view.query.map(String::from_utf8_lossy).unwrap_or_default()),
                content: request.and_then(|body| PostData::new(&body, &sent.headers)),
                headers_size: headers_size(sent),
                body_size: OrMinusOne(request.and_then(|body| body.size)),
                trailers: trailers(&sent.trailers),
            },
            response: Response {
                status: status.unwrap_or(0),
                status_text: Word(""),
                version: Word("HTTP/2"),
                cookies: cookies(&answered.headers, "set-cookie"),
                headers: pairs(&answered.headers),
                content: Content::new(response.as_ref(), &answered.headers),
                redirect: Text(answered.headers.first_value(b"location").unwrap_or_default()),
                headers_size: headers_size(answered),
                body_size: OrMinusOne(response.and_then(|body| body.size)),
                trailers: trailers(&answered.trailers),
                error: view.failure().map(Failure::name).filter(|_| status.is_none()),
            },
            cache: Raw("{}"),
            timings,
            server: Address(view.connection.server.ip),
            connection: view.connection.id.to_string().into(),
            h2: H2::new(&record),
        }
    }
}

impl Timings {
    fn new(transaction: &Transaction) -> Self {
        let Seconds(duration) = Seconds::of(transaction.duration());
        let timing = Timing::new(transaction);
        let within = |limit: u64, seconds: &Option<Seconds>| seconds.map(|Seconds(nanos)| nanos.min(limit));
        let until_response = within(duration, &timing.ttfb);
        let until_request = within(until_response.unwrap_or(duration), &timing.send);
        let blocked = until_request.and_then(|most| within(most, &timing.request_blocked));
        let receive = until_response.map_or(0, |nanos| duration - nanos);
        let Handshakes { tcp, tls } = transaction.handshakes.unwrap_or_default();
        let millis = |nanos: Option<u64>| OrMinusOne(nanos.map(Millis));
        let [tcp, tls] = [tcp, tls].map(|time| time.map(|time| Seconds::of(time).0));
        Self {
            blocked: millis(blocked),
            dns: OrMinusOne(None),
            connect: millis(tcp.map(|tcp| tcp.saturating_add(tls.unwrap_or(0)))),
            send: Millis(until_request.unwrap_or(0) - blocked.unwrap_or(0)),
            wait: Millis(duration - receive - until_request.unwrap_or(0)),
            receive: Millis(receive),
            ssl: millis(tls.filter(|_| tcp.is_some())),
        }
    }
}

impl<'a> PostData<'a> {
    fn new(body: &BodyOf<'a>, headers: &'a Fields) -> Option<Self> {
        let text = ContentText::new(body)?;
        Some(Self {
            media_type: media_type(headers),
            encoding: text.encoding(),
            text,
            truncated: body.truncated(),
        })
    }
}

impl<'a> Content<'a> {
    fn new(body: Option<&BodyOf<'a>>, headers: &'a Fields) -> Self {
        let coding = headers.first_value(b"content-encoding").unwrap_or_default();
        let is_coded = !coding.is_empty() && coding != b"identity";
        let text = body.and_then(ContentText::new);
        let sent = body.and_then(|body| body.size);
        let decoded = body.and_then(|body| body.contents?.decoded_size);
        Self {
            size: OrMinusOne(decoded.or(sent.filter(|&sent| !is_coded || sent == 0))),
            saved: decoded.zip(sent).filter(|_| is_coded).map(|(decoded, sent)| Difference(decoded, sent)),
            media_type: media_type(headers),
            encoding: text.as_ref().and_then(ContentText::encoding),
            text,
            truncated: body.and_then(BodyOf::truncated),
        }
    }
}

fn media_type(headers: &Fields) -> Text<'_> {
    Text(headers.first_value(b"content-type").unwrap_or_default())
}

/// A time in nanoseconds, shown in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Millis(u64);

impl Value for Millis {
    const TYPE: Type = Type::Decimal;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(match self.0.checked_mul(1000) {
            Some(billionths) => Scalar::Decimal(billionths),
            None => Scalar::Float(self.0 as f64 / 1e6),
        });
    }
}

/// A number; -1 where it is not known.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrMinusOne<T>(Option<T>);

impl<T: Value> Value for OrMinusOne<T> {
    const TYPE: Type = T::TYPE;

    fn visit(&self, visitor: &mut impl Visitor) {
        match &self.0 {
            Some(value) => value.visit(visitor),
            None => visitor.scalar(Scalar::Json("-1")),
        }
    }
}

/// The first less the second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Difference(u64, u64);

impl Value for Difference {
    const TYPE: Type = Type::Integer;

    fn visit(&self, visitor: &mut impl Visitor) {
        let difference = i128::from(self.0) - i128::from(self.1);
        visitor.scalar(Scalar::Json(&difference.to_string()));
    }
}

/// Content that is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum ContentText<'a> {
    Text(Text<'a>),
    Base64(Bytes<'a>),
}

impl<'a> ContentText<'a> {
    fn new(body: &BodyOf<'a>) -> Option<Self> {
        body.text().map(Self::Text).or_else(|| body.bytes().map(Self::Base64))
    }

    fn encoding(&self) -> Option<Word> {
        matches!(self, Self::Base64(_)).then_some(Word("base64"))
    }
}

impl Value for ContentText<'_> {
    const TYPE: Type = Type::Text;

    fn visit(&self, visitor: &mut impl Visitor) {
        match self {
            Self::Text(text) => text.visit(visitor),
            Self::Base64(bytes) => bytes.visit(visitor),
        }
    }
}

/// `url`. CONNECT and `*` have no path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Url<'a>(&'a TransactionView<'a>);

impl Value for Url<'_> {
    const TYPE: Type = Type::Text;

    fn visit(&self, visitor: &mut impl Visitor) {
        let Self(view) = self;
        let secure = if view.connection.tls.is_some() { &b"https"[..] } else { b"http" };
        let mut url = Vec::new();
        percent::push_uri(&mut url, view.scheme.unwrap_or(secure));
        url.extend_from_slice(b"://");
        percent::push_uri(&mut url, &view.authority_or_server());
        if let Some(target) = view.target().filter(|target| **target != *b"*") {
            percent::push_uri(&mut url, &target);
        }
        visitor.scalar(Scalar::Text(&url));
    }
}

/// Field lines whose name and value are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pairs<'a> {
    fields: &'a Fields,
    show_secrets: bool,
}

impl<'a> Pairs<'a> {
    fn iter(self) -> impl Iterator<Item = Pair<'a>> {
        let shown = self.fields.iter().map(move |field| FieldObject::new(&field, self.show_secrets));
        shown.filter_map(|field| Some(Pair { name: field.name?, value: field.value? }))
    }
}

impl<'a> Value for Pairs<'a> {
    const TYPE: Type = Type::List(&Pair::<'a>::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.iter());
    }
}

/// The parameters of a query (`a=1&b=2`).
#[derive(Clone, Debug)]
pub(super) struct Query<'a>(Cow<'a, str>);

impl<'a> Value for Query<'a> {
    const TYPE: Type = Type::List(&Pair::<'a>::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        let decode = |text: &str| percent::decode(text.replace('+', " ").as_bytes());
        let parameters = self.0.split('&').filter(|parameter| !parameter.is_empty());
        visitor.list(parameters.map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            Parameter { name: decode(name), value: decode(value) }
        }));
    }
}

/// A parameter of a query, shown as a [`Pair`].
#[derive(Debug)]
struct Parameter {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Value for Parameter {
    const TYPE: Type = Pair::TYPE;

    fn visit(&self, visitor: &mut impl Visitor) {
        Pair { name: Text(&self.name), value: Text(&self.value) }.visit(visitor);
    }
}

//! The records' JSON schema: one type a record, one field a key, in the order in which they are written.
//!
//! Names are OpenTelemetry semantic convention attribute names, nested so that the attribute name is the jq path;
//! what they do not cover stands under `h2`. A field always has the same type; one that was not observed is
//! absent, never `""`, `0` or `null`. Sizes are bytes, durations seconds, times RFC 3339 in UTC.

pub mod agent_endpoint;
pub mod connection;
pub mod contents;
pub mod counters;
pub mod diff;
pub mod endpoint;
pub mod finding;
pub mod frame;
pub mod join;
pub mod message;
pub mod pair;
pub mod step;
pub mod telemetry;
pub mod time;
pub mod transaction;

pub use connection::ConnectionObject;
pub use diff::DiffObject;
pub use endpoint::EndpointObject;
pub use finding::FindingObject;
pub use frame::FrameObject;
pub use join::JoinObject;
pub use message::MessageRecordObject;
pub use pair::PairObject;
pub use step::StepObject;
pub use telemetry::TelemetryObject;
pub use transaction::TransactionObject;

use super::end::{EndBy, EndHow, StreamEnd};
use super::ending::{EndCause, Ending, Evidence};
use super::value::{Address, ErrorCode, Seconds, Strings, Text, Word};
use super::visit::{Member, Object, Record, Type, Value, Visitor, member, object};
use super::{ConnectionMeta, Parent, Transaction, TransactionView};
use crate::base::direction::Direction;
use crate::base::endpoint::Endpoint;
use crate::base::origin::Origin;
use crate::base::tls::{Alert, Description as TlsDescription, NotDecrypted};
use std::borrow::Cow;

/// The version of the records' schema: one more with each change of a member's name or type. `CHANGELOG.md` tells of each.
pub const VERSION: u32 = 1;

/// Makes an object a kind of record.
macro_rules! record {
    ($type:ty, $name:literal, $plural:literal) => {
        impl Record for $type {
            const NAME: &'static str = $name;
            const PLURAL: &'static str = $plural;
        }
    };
}

record!(EndpointObject<'_>, "endpoint", "endpoints");
record!(ConnectionObject<'_>, "connection", "connections");
record!(FrameObject<'_>, "frame", "frames");
record!(FindingObject<'_>, "finding", "findings");
record!(TelemetryObject<'_>, "telemetry", "telemetry");
record!(PairObject<'_>, "pair", "pairs");
record!(JoinObject<'_>, "join", "joins");
record!(DiffObject<'_>, "diff", "diffs");

/// What records show beside what they always do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// All header fields of an exchange.
    pub headers: bool,
    /// The values of secret fields.
    pub secrets: bool,
}

object! {
    /// Of one end of a connection.
    pub struct EndObject<'a>(end: &'a Endpoint) {
        /// IP address.
        "address": Address = Address(end.ip),
        /// TCP port.
        "port": u16 = end.port,
    }
}

/// `client`, `server`: one end of the connection; inside tunnels the inner one.
#[derive(Debug)]
pub struct Socket(Endpoint);

impl Socket {
    const fn new(end: Endpoint) -> Self {
        Self(end)
    }
}

impl Value for Socket {
    const TYPE: Type = EndObject::<'_>::TYPE;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.end(self.0, &EndObject(&self.0));
    }
}

object! {
    /// `network`
    pub struct Network {
        /// The application protocol, where it is known.
        "protocol": protocol: Option<Protocol>,
        /// Always `tcp`.
        "transport": transport: Word,
        /// `ipv4` or `ipv6`.
        "type": r#type: Word,
    }
}

object! {
    /// `network.protocol`
    pub struct Protocol {
        /// Always `http`.
        "name": name: Word,
        /// `2`, or `1.1` of a declined upgrade.
        "version": version: Word,
    }
}

impl Network {
    fn new(end: Endpoint, version: Option<&'static str>) -> Self {
        Self {
            protocol: version.map(|version| Protocol { name: Word("http"), version: Word(version) }),
            transport: Word("tcp"),
            r#type: Word(if end.ip.is_ipv4() { "ipv4" } else { "ipv6" }),
        }
    }
}

object! {
    /// `tls`: what the handshake told.
    pub struct Tls<'a> {
        /// The version.
        "protocol": protocol: Option<TlsProtocol>,
        /// IANA name of the cipher suite.
        "cipher": cipher: Option<Word>,
        /// What the client hello told.
        "client": client: TlsClient<'a>,
        /// The protocol that ALPN chose, where visible.
        "next_protocol": next_protocol: Option<Text<'a>>,
        /// The session was resumed, where that can be told.
        "resumed": resumed: Option<bool>,
        /// The client sent 0-RTT data, and the server took it (`true`) or did not; there only where that is known.
        "early_data": early_data: Option<bool>,
        /// Decrypted though its handshake is not wholly in the capture; there only when that is so.
        "late": late: Option<bool>,
        /// Of such a connection: the numbers of the first records that were read, which are how many came before them
        /// under the same keys.
        "records_missed": records_missed: Sides<Option<u64>>,
        /// Likewise: how many key updates these keys came after, where it is not 0.
        "generation": generation: Sides<Option<u64>>,
        /// Why it was not decrypted, or not wholly: `no_secrets`, `unsupported_suite`, `damaged`, `server_hello_missing`,
        /// `search_bound`.
        "not_decrypted": not_decrypted: Option<NotDecrypted>,
    }
}

object! {
    /// `tls.protocol`
    pub struct TlsProtocol {
        /// `1.2`, `1.3`, or an earlier one.
        "version": version: Word,
    }
}

object! {
    /// `tls.client`
    pub struct TlsClient<'a> {
        /// The host name that the client asked for.
        "server_name": server_name: Option<Text<'a>>,
        /// The protocols that the client offered by ALPN, in its order.
        "alpn": alpn: Strings<'a>,
        /// JA4 fingerprint of the client hello.
        "ja4": ja4: Option<Text<'a>>,
        /// The client hello carries an encrypted one (RFC 9849), or pretends to: what is told of it here is the outer
        /// one's. There only when it does.
        "ech": ech: Option<bool>,
    }
}

impl<'a> Tls<'a> {
    fn new(tls: &'a TlsDescription) -> Self {
        let text = |text: &'a str| Text(text.as_bytes());
        Self {
            protocol: tls.version.map(|version| TlsProtocol { version: Word(version) }),
            cipher: tls.cipher.map(Word),
            client: TlsClient {
                server_name: tls.server_name.as_deref().map(text),
                alpn: Strings(&tls.alpn_offered),
                ja4: tls.ja4.as_deref().map(text),
                ech: tls.ech.then_some(true),
            },
            next_protocol: tls.alpn.as_deref().map(text),
            resumed: tls.resumed,
            early_data: tls.early_data,
            late: tls.late.then_some(true),
            records_missed: sides(tls, |from| tls.records_missed[from]),
            generation: sides(tls, |from| {
                Some(u64::from(tls.generation[from])).filter(|&updates| updates > 0)
            }),
            not_decrypted: tls.not_decrypted,
        }
    }
}

/// A value for each side of a TLS connection, once it is known which is which.
fn sides(tls: &TlsDescription, value: impl Fn(Direction) -> Option<u64>) -> Sides<Option<u64>> {
    let of = |from: Option<Direction>| from.and_then(&value);
    Sides { client: of(tls.client), server: of(tls.client.map(Direction::reverse)) }
}

object! {
    /// `h2.connection`
    pub struct ConnectionRef<'a> {
        /// The number of the packet that the connection was first seen in.
        "id": id: u64,
        /// Where it is in a stream of another connection that CONNECT opened: which.
        "parent": parent: Option<ParentRef>,
        /// With several inputs, the name of the one with that packet; in connection records only.
        "input": input: Option<Text<'a>>,
    }
}

object! {
    /// `h2.connection.parent`
    pub struct ParentRef {
        /// `h2.connection.id` of the other connection.
        "connection": connection: u64,
        /// The stream.
        "stream": stream: u32,
    }
}

object! {
    /// `h2.stream` of frames and findings.
    pub struct StreamRef {
        /// Stream identifier, 0 for the connection.
        "id": id: u32,
    }
}

object! {
    /// `h2.packets`: numbers of packets, 1-based, counted over all inputs.
    pub struct Packets<'a> {
        /// First packet.
        "first": first: u64,
        /// Last packet.
        "last": last: u64,
        /// With several inputs, the name of the one with the first packet; in transactions only.
        "input": input: Option<Text<'a>>,
        /// The first packet's number in that input.
        "first_in_input": first_in_input: Option<u64>,
    }
}

impl<'a> Packets<'a> {
    fn of(view: &TransactionView<'a>) -> Self {
        let Transaction { first, last, .. } = view.transaction;
        Self::new(first.packet, last.packet, view.origin)
    }

    fn new(first: u64, last: u64, origin: Option<Origin<'a>>) -> Self {
        Self {
            first,
            last,
            input: origin.map(|origin| Text(origin.input.as_bytes())),
            first_in_input: origin.map(|origin| origin.number),
        }
    }
}

impl ConnectionRef<'_> {
    fn new(connection: &ConnectionMeta) -> Self {
        let parent =
            connection.parent.map(|Parent { connection, stream, .. }| ParentRef { connection, stream });
        Self { id: connection.id, parent, input: None }
    }
}

object! {
    /// How a stream ended.
    pub struct StreamEndObject<'a> {
        /// `client`, `server`, `tcp` or `capture`.
        "by": by: EndBy,
        /// `end_stream`, `rst_stream`, `goaway`, `fin`, `rst`, `idle` or `eof`.
        "how": how: EndHow,
        /// The error's name, of RST_STREAM and GOAWAY only.
        "code": code: Option<ErrorCode>,
        /// Findings that justify the error; there where it accuses the other side, and nothing of that was lost.
        "evidence": evidence: Option<EvidenceList<'a>>,
    }
}

object! {
    /// How a connection ended, and why.
    pub struct ConnectionEnd<'a> {
        /// `client`, `server`, `tcp` or `capture`.
        "by": by: EndBy,
        /// `fin`, `rst`, `idle` or `eof`.
        "how": how: EndHow,
        /// Why.
        "cause": cause: Option<EndCause>,
        /// A graceful GOAWAY in two steps, or in one (RFC 9113 section 6.8).
        "two_step": two_step: Option<bool>,
        /// Before it was closed, nothing was sent for so long.
        "idle": idle: Option<Seconds>,
        /// The description of the TLS alert, by its name or else its number (RFC 8446 section 6).
        "alert": alert: Option<Cow<'static, str>>,
        /// Findings that justify the error of the GOAWAY; there where it names one, and nothing was lost.
        "evidence": evidence: Option<EvidenceList<'a>>,
    }
}

object! {
    /// A finding that justifies an error.
    pub struct EvidenceObject {
        /// Its code, as in `docs/findings.md`.
        "code": code: Word,
        /// The packet where it was first seen.
        "packet": packet: u64,
    }
}

/// Findings that justify an error: an array of [`EvidenceObject`], empty where none does.
#[derive(Clone, Copy, Debug)]
pub struct EvidenceList<'a>(&'a [Evidence]);

impl Value for EvidenceList<'_> {
    const TYPE: Type = Type::List(&EvidenceObject::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        let object = |&Evidence { code, packet }: &Evidence| EvidenceObject { code: Word(code), packet };
        visitor.list(self.0.iter().map(object));
    }
}

impl<'a> StreamEndObject<'a> {
    fn new(end: StreamEnd, evidence: Option<&'a [Evidence]>) -> Self {
        let evidence = evidence.map(EvidenceList);
        Self { by: end.by, how: end.how, code: end.code.map(ErrorCode), evidence }
    }
}

impl<'a> ConnectionEnd<'a> {
    fn new(end: StreamEnd, ending: &'a Ending) -> Self {
        let graceful = ending.cause == Some(EndCause::GoawayGraceful);
        Self {
            by: end.by,
            how: end.how,
            cause: ending.cause,
            two_step: ending.two_step.filter(|_| graceful),
            idle: ending.idle.map(Seconds::of),
            alert: ending.alert.map(alert_name),
            evidence: ending.evidence.as_deref().map(EvidenceList),
        }
    }
}

fn alert_name(alert: Alert) -> Cow<'static, str> {
    alert.name().map_or_else(|| Cow::Owned(alert.0.to_string()), Cow::Borrowed)
}

/// A value for each side; a side of which nothing is known is absent.
#[derive(Debug)]
pub struct Sides<T> {
    /// `client`: what the client sent.
    client: T,
    /// `server`: what the server sent.
    server: T,
}

impl<T: Value> Sides<T> {
    const CLIENT: Member = member::<T>("client", ",\"client\":", "What the client sent.");
    const SERVER: Member = member::<T>("server", ",\"server\":", "What the server sent.");
}

impl<T: Value> Value for Sides<T> {
    const TYPE: Type = Type::Object(Self::MEMBERS);
    const OPTIONAL: bool = T::OPTIONAL;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.object(self);
    }

    fn is_absent(&self) -> bool {
        self.client.is_absent() && self.server.is_absent()
    }
}

impl<T: Value> Object for Sides<T> {
    const MEMBERS: &'static [Member] = &[Self::CLIENT, Self::SERVER];

    fn members(&self, visitor: &mut impl Visitor) {
        visitor.member(const { &Self::CLIENT }, &self.client);
        visitor.member(const { &Self::SERVER }, &self.server);
    }

    fn member(&self, place: usize, visitor: &mut impl Visitor) {
        match place {
            0 => visitor.member(const { &Self::CLIENT }, &self.client),
            1 => visitor.member(const { &Self::SERVER }, &self.server),
            _ => (),
        }
    }
}

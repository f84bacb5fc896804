//! The records' JSON schema: one type a record, one field a key, in the order in which they are written.
//!
//! Names are OpenTelemetry semantic convention attribute names, nested so that the attribute name is the jq path;
//! what they do not cover stands under `h2`. A field always has the same type; one that was not observed is
//! absent, never `""`, `0` or `null`. Sizes are bytes, durations seconds, times RFC 3339 in UTC.

pub mod connection;
pub mod finding;
pub mod frame;
pub mod telemetry;
pub mod transaction;

pub use connection::ConnectionObject;
pub(super) use connection::how_name as connection_how_name;
pub use finding::FindingObject;
pub use frame::FrameObject;
pub(super) use telemetry::NOT_DECRYPTED;
pub use telemetry::TelemetryObject;
pub use transaction::TransactionObject;

use super::json::{Json, Strings, Word, close, object};
use super::value::{Address, ErrorCode};
use crate::base::endpoint::Endpoint;
use crate::base::origin::Origin;
use crate::base::tls::{Description as TlsDescription, NotDecrypted};
use crate::record::{EndBy, EndHow, StreamEnd};

object! {
    /// `client`, `server`: one end of the connection; inside tunnels the inner one.
    pub struct Socket {
        /// IP address.
        "address": address: Address,
        /// TCP port.
        "port": port: u16,
    }
}

impl Socket {
    fn new(end: Endpoint) -> Self {
        Self { address: Address(end.ip), port: end.port }
    }
}

object! {
    /// `network`
    pub struct Network {
        /// Community ID version 1 (connections only).
        "community_id": community_id: Option<String>,
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
            community_id: None,
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
        "next_protocol": next_protocol: Option<&'a str>,
        /// The session was resumed, where that can be told.
        "resumed": resumed: Option<bool>,
        /// The client sent 0-RTT data, and the server took it (`true`) or did not; there only where that is known.
        "early_data": early_data: Option<bool>,
        /// Why it was not decrypted, or not wholly: `no_secrets`, `unsupported_suite`, `damaged`,
        /// `handshake_not_captured`.
        "not_decrypted": not_decrypted: Option<Word>,
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
        "server_name": server_name: Option<&'a str>,
        /// The protocols that the client offered by ALPN, in its order.
        "alpn": alpn: Strings<'a>,
        /// JA4 fingerprint of the client hello.
        "ja4": ja4: Option<&'a str>,
        /// The client hello carries an encrypted one (RFC 9849), or pretends to: what is told of it here is the outer
        /// one's. There only when it does.
        "ech": ech: Option<bool>,
    }
}

impl<'a> Tls<'a> {
    fn new(tls: &'a TlsDescription) -> Self {
        Self {
            protocol: tls.version.map(|version| TlsProtocol { version: Word(version) }),
            cipher: tls.cipher.map(Word),
            client: TlsClient {
                server_name: tls.server_name.as_deref(),
                alpn: Strings(&tls.alpn_offered),
                ja4: tls.ja4.as_deref(),
                ech: tls.ech.then_some(true),
            },
            next_protocol: tls.alpn.as_deref(),
            resumed: tls.resumed,
            early_data: tls.early_data,
            not_decrypted: tls.not_decrypted.map(not_decrypted_name).map(Word),
        }
    }
}

/// The name of a reason in `tls.not_decrypted` and `coverage.not_decrypted`.
pub(super) const fn not_decrypted_name(reason: NotDecrypted) -> &'static str {
    match reason {
        NotDecrypted::NoSecrets => "no_secrets",
        NotDecrypted::UnsupportedSuite => "unsupported_suite",
        NotDecrypted::Damaged => "damaged",
        NotDecrypted::HandshakeNotCaptured => "handshake_not_captured",
    }
}

object! {
    /// `h2.connection`
    pub struct ConnectionRef<'a> {
        /// The number of the packet that the connection was first seen in.
        "id": id: u64,
        /// With several inputs, the name of the one with that packet; in connection records only.
        "input": input: Option<&'a str>,
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
        "input": input: Option<&'a str>,
        /// The first packet's number in that input.
        "first_in_input": first_in_input: Option<u64>,
    }
}

impl<'a> Packets<'a> {
    fn new(first: u64, last: u64, origin: Option<Origin<'a>>) -> Self {
        Self {
            first,
            last,
            input: origin.map(|origin| origin.input),
            first_in_input: origin.map(|origin| origin.number),
        }
    }
}

impl ConnectionRef<'_> {
    const fn new(id: u64) -> Self {
        Self { id, input: None }
    }
}

object! {
    /// `h2.stream.end`, and `h2.end` of connections.
    pub struct End {
        /// `client`, `server`, `tcp` or `capture`.
        "by": by: Word,
        /// `end_stream`, `rst_stream`, `goaway`, `fin`, `rst`, `idle` or `eof`.
        "how": how: Word,
        /// The error's name, of RST_STREAM and GOAWAY only.
        "code": code: Option<ErrorCode>,
    }
}

impl End {
    fn new(end: StreamEnd) -> Self {
        Self { by: Word(by_name(end.by)), how: Word(how_name(end.how)), code: end.code.map(ErrorCode) }
    }
}

/// The name of who ended something.
pub(super) const fn by_name(by: EndBy) -> &'static str {
    match by {
        EndBy::Client => "client",
        EndBy::Server => "server",
        EndBy::Tcp => "tcp",
        EndBy::Capture => "capture",
    }
}

/// The name of what ended something.
pub(super) const fn how_name(how: EndHow) -> &'static str {
    match how {
        EndHow::EndStream => "end_stream",
        EndHow::RstStream => "rst_stream",
        EndHow::Goaway => "goaway",
        EndHow::Fin => "fin",
        EndHow::Rst => "rst",
        EndHow::Idle => "idle",
        EndHow::Eof => "eof",
    }
}

/// `client` or `server`.
pub(super) const fn side_name(is_client: bool) -> &'static str {
    if is_client { "client" } else { "server" }
}

/// A value for each side; a side of which nothing is known is absent.
#[derive(Debug)]
pub struct Sides<T> {
    /// `client`: what the client sent.
    client: T,
    /// `server`: what the server sent.
    server: T,
}

impl<T: Json> Json for Sides<T> {
    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        for (key, side) in [(&b",\"client\":"[..], &self.client), (b",\"server\":", &self.server)] {
            if !side.is_absent() {
                out.extend_from_slice(key);
                side.write(out);
            }
        }
        close(out, start, [b'{', b'}']);
    }

    fn is_absent(&self) -> bool {
        self.client.is_absent() && self.server.is_absent()
    }
}

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

use super::value::{Address, ErrorCode};
use crate::transaction::{EndBy, EndHow, Endpoint, NotDecrypted, StreamEnd, TlsDescription};
use serde::Serialize;

/// `client`, `server`: one end of the connection; inside tunnels the inner one.
#[derive(Debug, Serialize)]
pub struct Socket {
    /// IP address.
    address: Address,
    /// TCP port.
    port: u16,
}

impl Socket {
    fn new(end: Endpoint) -> Self {
        Self { address: Address(end.ip), port: end.port }
    }
}

/// `network`
#[derive(Debug, Serialize)]
pub struct Network {
    /// Community ID version 1 (connections only).
    #[serde(skip_serializing_if = "Option::is_none")]
    community_id: Option<String>,
    /// The application protocol, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<Protocol>,
    /// Always `tcp`.
    transport: &'static str,
    /// `ipv4` or `ipv6`.
    r#type: &'static str,
}

/// `network.protocol`
#[derive(Debug, Serialize)]
pub struct Protocol {
    /// Always `http`.
    name: &'static str,
    /// `2`, or `1.1` of a declined upgrade.
    version: &'static str,
}

impl Network {
    fn new(end: Endpoint, version: Option<&'static str>) -> Self {
        Self {
            community_id: None,
            protocol: version.map(|version| Protocol { name: "http", version }),
            transport: "tcp",
            r#type: if end.ip.is_ipv4() { "ipv4" } else { "ipv6" },
        }
    }
}

/// `tls`: what the handshake told.
#[derive(Debug, Serialize)]
pub struct Tls<'a> {
    /// The version.
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<TlsProtocol>,
    /// IANA name of the cipher suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    cipher: Option<&'static str>,
    /// What the client hello told.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<TlsClient<'a>>,
    /// The protocol that ALPN chose, where visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_protocol: Option<&'a str>,
    /// The session was resumed, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed: Option<bool>,
    /// The client sent 0-RTT data; there only when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    early_data: Option<bool>,
    /// Why it was not decrypted, or not wholly: `no_secrets`, `unsupported_suite`, `damaged`,
    /// `handshake_not_captured`.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_decrypted: Option<&'static str>,
}

/// `tls.protocol`
#[derive(Debug, Serialize)]
pub struct TlsProtocol {
    /// `1.2`, `1.3`, or an earlier one.
    version: &'static str,
}

/// `tls.client`
#[derive(Debug, Serialize)]
pub struct TlsClient<'a> {
    /// The host name that the client asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<&'a str>,
    /// The protocols that the client offered by ALPN, in its order.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    alpn: &'a [String],
    /// JA4 fingerprint of the client hello.
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4: Option<&'a str>,
}

impl<'a> Tls<'a> {
    fn new(tls: &'a TlsDescription) -> Self {
        let has_client = tls.server_name.is_some() || !tls.alpn_offered.is_empty() || tls.ja4.is_some();
        Self {
            protocol: tls.version.map(|version| TlsProtocol { version }),
            cipher: tls.cipher,
            client: has_client.then(|| TlsClient {
                server_name: tls.server_name.as_deref(),
                alpn: &tls.alpn_offered,
                ja4: tls.ja4.as_deref(),
            }),
            next_protocol: tls.alpn.as_deref(),
            resumed: tls.resumed,
            early_data: tls.early_data.then_some(true),
            not_decrypted: tls.not_decrypted.map(not_decrypted_name),
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

/// `h2.connection`
#[derive(Debug, Serialize)]
pub struct ConnectionRef {
    /// The number of the packet that the connection was first seen in.
    id: u64,
}

/// `h2.stream` of frames and findings.
#[derive(Debug, Serialize)]
pub struct StreamRef {
    /// Stream identifier, 0 for the connection.
    id: u32,
}

/// `h2.packets`: numbers of packets, 1-based, counted over all inputs.
#[derive(Debug, Serialize)]
pub struct Packets {
    /// First packet.
    first: u64,
    /// Last packet.
    last: u64,
}

/// `h2.stream.end`, and `h2.end` of connections.
#[derive(Debug, Serialize)]
pub struct End {
    /// `client`, `server`, `tcp` or `capture`.
    by: &'static str,
    /// `end_stream`, `rst_stream`, `goaway`, `fin`, `rst`, `idle` or `eof`.
    how: &'static str,
    /// The error's name, of RST_STREAM and GOAWAY only.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
}

impl End {
    fn new(end: StreamEnd) -> Self {
        Self { by: by_name(end.by), how: how_name(end.how), code: end.code.map(ErrorCode) }
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
#[derive(Debug, Serialize)]
pub struct Sides<T> {
    /// What the client sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<T>,
    /// What the server sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<T>,
}

impl<T> Sides<T> {
    /// `None` when neither side has a value.
    fn new(client: Option<T>, server: Option<T>) -> Option<Self> {
        (client.is_some() || server.is_some()).then_some(Self { client, server })
    }
}

//! The finding record.

use super::transaction::ExchangeObject;
use super::{ConnectionRef, Packets, Socket, StreamRef};
use crate::record::value::{Seconds, Sender, Text, Time, Word};
use crate::record::visit::object;
use crate::record::{ConnectionMeta, Finding};

object! {
    /// A violation of a standard, or an attack. Repeated ones are counted in one record.
    pub struct FindingObject<'a> {
        /// Always `finding`.
        "record": record: Word,
        /// When it was first seen.
        "@timestamp": timestamp: Time,
        /// What it is: a stable name.
        "code": code: Word,
        /// `info`, `warning` or `error`.
        "severity": severity: Word,
        /// The rule that was broken, as `9113#6.5` for RFC 9113 section 6.5, `grpc#responses` for gRPC over HTTP/2.
        "rfc": rfc: Word,
        /// The side at fault: `client` or `server`.
        "from": from: Sender,
        /// How often it was seen.
        "count": count: u64,
        /// Of `not_http2`: what is spoken in its place, where that is known: `http/1.1`, `http/1.0`, `tls`.
        "protocol": protocol: Option<Word>,
        /// Likewise: its first line, where it is text.
        "first_line": first_line: Option<Text<'a>>,
        /// The client.
        "client": client: Socket,
        /// The server.
        "server": server: Socket,
        /// Where it was.
        "h2": h2: H2Finding,
    }
}

object! {
    /// `h2`
    pub struct H2Finding {
        /// The connection.
        "connection": connection: ConnectionRef<'static>,
        /// The stream, 0 for the connection.
        "stream": stream: StreamRef,
        /// Octets of a flow-control window that would suffice for the path, where the one is too small.
        "window": window: Option<u64>,
        /// The mean time between two PINGs, where they were too many.
        "interval": interval: Option<Seconds>,
        /// The other attempt at the request that was processed twice.
        "attempt": attempt: Option<ExchangeObject>,
        /// The packets where it was first and last seen.
        "packets": packets: Packets<'static>,
    }
}

impl<'a> FindingObject<'a> {
    /// The record of a finding.
    pub fn new(connection: &ConnectionMeta, finding: &'a Finding) -> Self {
        Self {
            record: Word("finding"),
            timestamp: Time(finding.first.time),
            code: Word(finding.code),
            severity: Word(finding.severity),
            rfc: Word(finding.rfc),
            from: Sender::new(finding.from_client),
            count: finding.count,
            protocol: finding.protocol.map(Word),
            first_line: finding.first_line.as_deref().map(Text),
            client: Socket::new(connection.client),
            server: Socket::new(connection.server),
            h2: H2Finding {
                connection: ConnectionRef::new(connection),
                stream: StreamRef { id: finding.stream },
                window: finding.detail.window,
                interval: finding.detail.interval.map(Seconds),
                attempt: finding.detail.attempt.map(ExchangeObject::new),
                packets: Packets::new(finding.first.packet, finding.last.packet, None),
            },
        }
    }
}

//! The finding record.

use super::{ConnectionRef, Packets, Socket, StreamRef, side_name};
use crate::output::value::Time;
use crate::transaction::{ConnectionMeta, Finding};
use serde::Serialize;

/// A violation of a standard, or an attack. Repeated ones are counted in one record.
#[derive(Debug, Serialize)]
pub struct FindingObject {
    /// Always `finding`.
    record: &'static str,
    /// When it was first seen.
    #[serde(rename = "@timestamp")]
    timestamp: Time,
    /// What it is: a stable name.
    code: &'static str,
    /// `info`, `warning` or `error`.
    severity: &'static str,
    /// The rule that was broken, as `9113#6.5` for RFC 9113 section 6.5.
    rfc: &'static str,
    /// The side at fault: `client` or `server`.
    from: &'static str,
    /// How often it was seen.
    count: u64,
    /// The client.
    client: Socket,
    /// The server.
    server: Socket,
    /// Where it was.
    h2: H2Finding,
}

/// `h2`
#[derive(Debug, Serialize)]
pub struct H2Finding {
    /// The connection.
    connection: ConnectionRef,
    /// The stream, 0 for the connection.
    stream: StreamRef,
    /// The packets where it was first and last seen.
    packets: Packets,
}

impl FindingObject {
    /// The record of a finding.
    pub(in crate::output) fn new(connection: &ConnectionMeta, finding: &Finding) -> Self {
        Self {
            record: "finding",
            timestamp: Time(finding.first.time),
            code: finding.code,
            severity: finding.severity,
            rfc: finding.rfc,
            from: side_name(finding.from_client),
            count: finding.count,
            client: Socket::new(connection.client),
            server: Socket::new(connection.server),
            h2: H2Finding {
                connection: ConnectionRef { id: connection.id },
                stream: StreamRef { id: finding.stream },
                packets: Packets { first: finding.first.packet, last: finding.last.packet },
            },
        }
    }
}

//! A client, a server, and the agent that sees their packets.

pub(super) use super::super::tuple::Side;
use super::super::*;
use super::encoder::{Encoder, frame, headers, s};
pub(super) use crate::base::endpoint::Endpoint;
pub(super) use crate::base::limit_counters::{Limit, Struck};
pub(super) use crate::base::telemetry_counters::Counters;
pub(super) use crate::base::time::{Moment, Timestamp};
pub(super) use crate::base::verdict::{MissReason, Verdict};
pub(super) use crate::packet::{Segment, TcpFlags};
use std::net::IpAddr;
use std::time::Duration;

/// Writes are this far apart, as in the agent's tests.
pub(super) const GAP: Duration = Duration::from_millis(10);

pub(super) struct Lab {
    pub(super) agent: Agent,
    pub(super) at: Moment,
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    client_seq: u32,
    server_seq: u32,
    pub(super) responses: Encoder,
    tls: bool,
}

/// Emitted transactions: method, path, status, how many.
pub(super) type Seen = Vec<(Method, String, u16, u64)>;

impl Lab {
    pub(super) fn new(rules: Rules) -> Self {
        Self::with(Params { rules, ..Params::default() })
    }

    pub(super) fn with(params: Params) -> Self {
        let ip = IpAddr::from([127, 0, 0, 1]);
        Self {
            agent: Agent::new(Params { statistics: true, ..params }),
            at: Moment { packet: 0, time: Timestamp::from_parts(1_700_000_000, 0) },
            client: Endpoint { ip, port: 40_000 },
            server: Endpoint { ip, port: 8082 },
            client_seq: 1000,
            server_seq: 5000,
            responses: Encoder::new(),
            tls: false,
        }
    }

    /// A connection whose preface and SETTINGS the agent has seen.
    pub(super) fn connected(rules: Rules) -> Self {
        let mut lab = Self::new(rules);
        lab.connect();
        lab
    }

    pub(super) fn over_tls(rules: Rules) -> Self {
        let mut lab = Self { tls: true, ..Self::new(rules) };
        lab.connect();
        lab
    }

    pub(super) fn connect(&mut self) {
        self.client(&[classify::PREFACE.as_slice(), &s()].concat());
    }

    /// A new connection from another port.
    pub(super) fn another(&mut self) {
        self.client.port += 1;
        self.responses = Encoder::new();
        self.connect();
    }

    pub(super) fn wait(&mut self, by: Duration) {
        self.at.time = self.at.time.after(by);
    }

    /// The client sends one packet; returns its number.
    pub(super) fn client(&mut self, payload: &[u8]) -> u64 {
        self.send(true, payload, TcpFlags::ACK)
    }

    pub(super) fn server(&mut self, payload: &[u8]) -> u64 {
        self.send(false, payload, TcpFlags::ACK)
    }

    pub(super) fn send(&mut self, from_client: bool, payload: &[u8], flags: u8) -> u64 {
        let seq = if from_client { &mut self.client_seq } else { &mut self.server_seq };
        let sent = *seq;
        *seq = seq.wrapping_add(payload.len() as u32);
        self.send_at(from_client, payload, flags, sent)
    }

    /// Sends a packet with a sequence number of its own.
    pub(super) fn send_at(&mut self, from_client: bool, payload: &[u8], flags: u8, seq: u32) -> u64 {
        self.wait(GAP);
        self.at.packet += 1;
        let (src, dst) = if from_client { (self.client, self.server) } else { (self.server, self.client) };
        if self.tls && flags & (TcpFlags::FIN | TcpFlags::RST) == 0 {
            self.agent.tls_record(self.at, src, dst, payload);
        } else {
            let at = self.at;
            let flags = TcpFlags(flags);
            self.agent.segment(&Segment { seq, flags, payload, ..Segment::empty(at, src, dst) });
        }
        self.at.packet
    }

    /// The server answers streams, one packet each; returns the packets' numbers.
    pub(super) fn answer(&mut self, streams: impl IntoIterator<Item = u32>, status: &str) -> Vec<u64> {
        let mut packets = Vec::new();
        for stream in streams {
            let block = self.responses.block(&[(":status", status), ("content-type", "text/plain")]);
            packets.push(self.server(&[headers(stream, &block), frame(0, 1, stream, b"ok")].concat()));
        }
        packets
    }

    pub(super) fn counters(&self) -> Counters {
        let summary = self.agent.summary();
        let (own, other) =
            if self.tls { (summary.tls, summary.plaintext) } else { (summary.plaintext, summary.tls) };
        assert_eq!(other, Counters::default());
        own
    }

    /// What the agent shows, sorted.
    pub(super) fn seen(&self) -> Seen {
        let mut seen: Seen = Vec::new();
        for endpoint in self.agent.statistics() {
            let (method, path) = endpoint.call.clone().unwrap();
            let path = String::from_utf8(path.to_vec()).unwrap();
            for (status, latencies) in &endpoint.statuses {
                let known =
                    seen.iter_mut().find(|entry| (entry.0, &entry.1, entry.2) == (method, &path, *status));
                match known {
                    Some(entry) => entry.3 += latencies.count,
                    None => seen.push((method, path.clone(), *status, latencies.count)),
                }
            }
        }
        seen.sort_by(|a, b| (&a.1, a.2, a.0 as u8).cmp(&(&b.1, b.2, b.0 as u8)));
        seen
    }

    /// A transaction on the wire: POST `path`, answered 200, in the packets `first` to now.
    pub(super) fn wire<'a>(&self, stream: u32, path: &'a str, first: u64) -> WireTransaction<'a> {
        WireTransaction {
            client: self.client,
            server: self.server,
            connection: 1,
            stream,
            complete: true,
            first: Moment { packet: first, time: self.at.time },
            last: self.at,
            method: Some(b"POST"),
            path: Some(path.as_bytes()),
            status: Some(200),
            facts: WireFacts::default(),
        }
    }

    pub(super) fn connection(&mut self) -> &mut connection::Connection {
        let (tuple, _) = Tuple::normalise(self.client, self.server, &(32_768..=60_999));
        let place = self.agent.connections.find(&tuple).unwrap();
        self.agent.connections.get_mut(place).unwrap()
    }

    /// Numbers of the client's entries in the dynamic table.
    pub(super) fn stored_of_client(&mut self) -> Vec<u64> {
        let serial = self.connection().serial;
        self.agent.dynamic.numbers(serial, Side::Client)
    }
}

/// One endpoint of POST requests answered 200.
pub(super) fn post(path: &str, count: u64) -> (Method, String, u16, u64) {
    (Method::Post, path.into(), 200, count)
}

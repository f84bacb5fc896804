//! The telemetry record.

use super::agent_endpoint::AgentEndpoints;
use super::counters::CountersObject;
use crate::base::limit_counters::Struck;
use crate::base::telemetry_counters::UserTelemetry;
use crate::base::time::Timestamp;
use crate::base::tls::NotDecrypted;
use crate::base::verdict::MissReason;
use crate::record::value::{Seconds, Strings, Text, Time, Word};
use crate::record::visit::{Type, Value, Visitor, object};
use crate::record::{AgentView, Coverage, Delta, InFlight, OpenExchange, PartOf, Report, Reuse, View};
use std::borrow::Cow;

object! {
    /// The counters of both views, and what of the capture was seen.
    pub struct TelemetryObject<'a> {
        /// Always `telemetry`.
        "record": record: Word,
        /// The end of the interval. Absent where there are no packets.
        "@timestamp": timestamp: Option<Time>,
        /// The time that the record is of: with `--summary` since the one before, else the whole capture.
        "interval": interval: Option<IntervalObject>,
        /// Of which connections; absent where all are meant.
        "partition": partition: Option<PartitionObject<'a>>,
        /// Of a merged record: caps that are there once in a process and may have struck in one that had looked at all
        /// connections, so that its counts may differ.
        "inexact": inexact: Strings<'a>,
        /// What was on the wire, from the beginning on.
        "exact": exact: ViewObject,
        /// What the kernel agent would have counted; absent when its model did not run.
        "agent": agent: Option<AgentObject<'a>>,
        /// What the interval added; with `--summary`.
        "delta": delta: Option<DeltaObject>,
        /// How HTTP/2 connections were used, from the beginning on; absent where there are none.
        "reuse": reuse: ReuseObject,
        /// Exchanges that have not ended at the interval's end; absent where there are none.
        "in_flight": in_flight: Option<InFlightObject<'a>>,
        /// What was seen, and what is missing.
        "coverage": coverage: CoverageObject<'a>,
    }
}

object! {
    /// `reuse`
    pub struct ReuseObject {
        /// How many connections had so many exchanges: `1`, `2-9`, `10-99` and so on.
        "connections": connections: ReuseClasses,
        /// The same of each connection and authority: a connection that was used for two counts twice. Exchanges whose authority
        /// is not known, and those under way, are left out.
        "authorities": authorities: ReuseClasses,
    }
}

/// `reuse.connections`, `reuse.authorities`
#[derive(Debug)]
pub struct ReuseClasses(Reuse);

impl Value for ReuseClasses {
    const TYPE: Type = Type::Map(&u64::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.map(self.0.iter().map(|(class, count)| (Cow::Borrowed(class), count)));
    }

    fn is_absent(&self) -> bool {
        self.0 == Reuse::default()
    }
}

object! {
    /// `interval`
    pub struct IntervalObject {
        /// When it begins.
        "start": start: Time,
        /// How long it is.
        "seconds": seconds: Seconds,
    }
}

object! {
    /// `delta`
    pub struct DeltaObject {
        /// What was on the wire.
        "exact": exact: ViewObject,
        /// What the kernel agent would have counted; absent when its model did not run.
        "agent": agent: Option<ViewObject>,
        /// Packets read.
        "packets": packets: u64,
        /// Transactions.
        "transactions": transactions: Transactions,
    }
}

impl DeltaObject {
    fn new(delta: &Delta) -> Self {
        Self {
            exact: ViewObject::new(&delta.exact),
            agent: delta.agent.as_ref().map(ViewObject::new),
            packets: delta.packets,
            transactions: Transactions { complete: delta.complete, incomplete: delta.incomplete },
        }
    }
}

object! {
    /// `in_flight`
    pub struct InFlightObject<'a> {
        /// How many.
        "count": count: u64,
        /// How long the oldest has taken by now.
        "oldest": oldest: Option<Seconds>,
        /// The five oldest.
        "exchanges": exchanges: OpenExchanges<'a>,
    }
}

/// `in_flight.exchanges`
#[derive(Debug)]
pub struct OpenExchanges<'a> {
    exchanges: &'a [OpenExchange],
    now: Timestamp,
}

impl Value for OpenExchanges<'_> {
    const TYPE: Type = Type::List(&OpenExchangeObject::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.exchanges.iter().map(|exchange| OpenExchangeObject {
            connection: exchange.connection,
            stream: exchange.stream,
            duration: Seconds::between(exchange.started, self.now),
            method: exchange.method.as_deref().map(Text),
            path: exchange.path.as_deref().map(Text),
        }));
    }
}

object! {
    /// An element of `in_flight.exchanges`
    pub struct OpenExchangeObject<'a> {
        /// `h2.connection.id`
        "connection": connection: u64,
        /// `h2.stream.id`
        "stream": stream: u32,
        /// How long it has taken by now.
        "duration": duration: Seconds,
        /// `:method`, where it is known.
        "method": method: Option<Text<'a>>,
        /// `:path` without its query, where it is known.
        "path": path: Option<Text<'a>>,
    }
}

impl<'a> InFlightObject<'a> {
    fn new(in_flight: &'a InFlight, now: Timestamp) -> Self {
        let oldest = in_flight.oldest.first();
        Self {
            count: in_flight.count,
            oldest: oldest.map(|exchange| Seconds::between(exchange.started, now)),
            exchanges: OpenExchanges { exchanges: &in_flight.oldest, now },
        }
    }
}

object! {
    /// `partition`: the part of the connections that one of several processes looked at.
    pub struct PartitionObject<'a> {
        /// Which part, from 0 on. What is told of the capture as a whole stands in part 0 alone.
        "index": index: u64,
        /// How many there are.
        "of": of: u64,
        /// The inputs.
        "inputs": inputs: Strings<'a>,
    }
}

impl<'a> PartitionObject<'a> {
    fn new(of: &'a PartOf) -> Self {
        let PartOf { partition, inputs, .. } = of;
        Self { index: partition.index() as u64, of: partition.of() as u64, inputs: Strings(inputs) }
    }
}

object! {
    /// `exact`
    pub struct ViewObject {
        /// `encrypted:false`
        "plaintext": plaintext: CountersObject,
        /// `encrypted:true`
        "tls": tls: CountersObject,
    }
}

impl ViewObject {
    const fn new(view: &View) -> Self {
        Self { plaintext: CountersObject::new(&view.plaintext), tls: CountersObject::new(&view.tls) }
    }
}

object! {
    /// `agent`
    pub struct AgentObject<'a> {
        /// The rule set: `2025`, `2026` or `2026b`.
        "rules": rules: Word,
        /// What its statistics tell apart: `endpoints` or `discovery`.
        "mode": mode: Word,
        /// `encrypted:false`
        "plaintext": plaintext: CountersObject,
        /// `encrypted:true`
        "tls": tls: CountersObject,
        /// All that the agent would have emitted.
        "emitted": emitted: u64,
        /// Of those, the ones that are complete exchanges of the exact view.
        "transactions": transactions: u64,
        /// Those that it would not have emitted, by the first reason that applies; reasons that did not occur are absent.
        "missed": missed: Missed<'a>,
        /// Transactions that it would have emitted and that the exact view does not have.
        "spurious": spurious: u64,
        /// What its user space counts of that.
        "user": user: UserObject<'a>,
        /// Its statistics by its own key, with `--show endpoints`.
        "endpoints": endpoints: AgentEndpoints<'a>,
    }
}

object! {
    /// `agent.user`
    pub struct UserObject<'a> {
        /// Events with a status from 100 to 599, before any check.
        "hits": hits: u64,
        /// Those, by the class of their status; classes that did not occur are absent.
        "hits_by_status": hits_by_status: Hits<'a>,
        /// Keys made: connection, path and method, anew after each read.
        "aggregations": aggregations: u64,
        /// Events whose key found the map full.
        "dropped": dropped: u64,
        /// Events that a drop rule refused. The agent has none by default.
        "rejected": rejected: u64,
        /// Events with a value that is refused.
        "malformed": malformed: u64,
        /// Those, by the agent's word for what is wrong; what did not occur is absent.
        "malformed_by_type": malformed_by_type: Malformed,
        /// Events without status, path or a known method: set aside, and dropped.
        "incomplete": incomplete: u64,
    }
}

/// `agent.user.hits_by_status`
#[derive(Debug)]
pub struct Hits<'a>(&'a [u64; 5]);

impl Value for Hits<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.map(counts(["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(self.0.iter().copied())));
    }
}

/// `agent.user.malformed_by_type`
#[derive(Debug)]
pub struct Malformed([(&'static str, u64); 3]);

impl Value for Malformed {
    const TYPE: Type = Type::Map(&u64::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.map(counts(self.0.into_iter()));
    }
}

/// `agent.missed`
#[derive(Debug)]
pub struct Missed<'a>(&'a [u64; MissReason::ALL.len()]);

impl Value for Missed<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        let names = MissReason::ALL.iter().map(|reason| reason.name());
        visitor.map(counts(names.zip(self.0.iter().copied())));
    }
}

object! {
    /// `coverage`
    pub struct CoverageObject<'a> {
        /// Packets read.
        "packets": packets: u64,
        /// Their bytes on the wire.
        "bytes": bytes: u64,
        /// TCP payload bytes in the capture.
        "payload_bytes": payload_bytes: u64,
        /// Packets with bytes of an HTTP/2 connection.
        "packets_with_http2": packets_with_http2: u64,
        /// Connections.
        "connections": connections: Connections,
        /// TLS connections that were not decrypted, by reason; reasons that did not occur are absent.
        "not_decrypted": not_decrypted: NotDecryptedCounts<'a>,
        /// Bytes of HTTP/2 seen, in both directions.
        "bytes_http2": bytes_http2: u64,
        /// Bytes of HTTP/2 connections that are not in the capture.
        "gap_bytes": gap_bytes: u64,
        /// Bytes of other connections that cannot be told from HTTP/2 without its beginning; absent where there are none.
        "unrecognised_bytes": unrecognised_bytes: Option<u64>,
        /// Segments not used for their checksum, as their receiver did not either; absent where there are none.
        "bad_checksums": bad_checksums: Option<u64>,
        /// Resets, SYNs and data that their receiver did not accept; absent where there are none.
        "unaccepted": unaccepted: Option<u64>,
        /// Bytes skipped in search of a frame boundary.
        "skipped_bytes": skipped_bytes: u64,
        /// Header blocks.
        "header_blocks": header_blocks: HeaderBlocks,
        /// Transactions.
        "transactions": transactions: Transactions,
        /// Responses whose request was not seen.
        "missed_requests": missed_requests: u64,
        /// Violations of the protocol that made bytes unreadable.
        "parse_errors": parse_errors: u64,
        /// Packets cut by the snaplen, or by the end of the file.
        "truncated_packets": truncated_packets: u64,
        /// Inputs that end within a packet, a block or a compressed stream, or that hold a corrupt one.
        "damaged_inputs": damaged_inputs: u64,
        /// Packets without a TCP segment, by reason.
        "skipped_packets": skipped_packets: Named<'a>,
        /// Packets that the kernel or the interface dropped.
        "dropped_by_kernel": dropped_by_kernel: u64,
        /// Records dropped because the reader of the output was too slow.
        "dropped_records": dropped_records: u64,
        /// Transactions left out because what `--where` asks is not known of them; only where there are some.
        "where_unknown": where_unknown: Option<u64>,
        /// Times a cap of h2lens struck, by its name.
        "limits": limits: Limits<'a>,
        /// Nothing of an HTTP/2 connection is known to be missing.
        "complete": complete: bool,
    }
}

object! {
    /// `coverage.connections`
    pub struct Connections {
        /// HTTP/2.
        "http2": http2: u64,
        /// Of those, the ones of which one direction only was seen.
        "one_sided": one_sided: u64,
        /// TLS that was not decrypted.
        "tls_undecrypted": tls_undecrypted: u64,
        /// All other TCP connections.
        "other": other: u64,
    }
}

object! {
    /// `coverage.header_blocks`
    pub struct HeaderBlocks {
        /// Decoded whole.
        "decoded": decoded: u64,
        /// With fields unknown, or cut.
        "partial": partial: u64,
        /// Their frame was seen and no field of it.
        "lost": lost: u64,
    }
}

object! {
    /// `coverage.transactions`
    pub struct Transactions {
        /// With nothing missing.
        "complete": complete: u64,
        /// With something missing.
        "incomplete": incomplete: u64,
    }
}

/// Counts by name; names that did not occur are absent.
#[derive(Debug)]
pub struct Named<'a>(&'a [(&'static str, u64)]);

impl Value for Named<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.map(counts(self.0.iter().copied()));
    }
}

/// `coverage.limits`
#[derive(Debug)]
pub struct Limits<'a>(pub(super) &'a Struck);

impl Value for Limits<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.map(counts(self.0.iter().map(|(limit, count)| (limit.name(), count))));
    }
}

/// `coverage.not_decrypted`
#[derive(Debug)]
pub struct NotDecryptedCounts<'a>(&'a [u64; NotDecrypted::ALL.len()]);

impl Value for NotDecryptedCounts<'_> {
    const TYPE: Type = Type::Map(&u64::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.map(counts(NotDecrypted::NAMES.iter().copied().zip(self.0.iter().copied())));
    }
}

/// Those that are not 0.
fn counts(all: impl Iterator<Item = (&'static str, u64)>) -> impl Iterator<Item = (Cow<'static, str>, u64)> {
    all.filter(|&(_, count)| count > 0).map(|(name, count)| (Cow::Borrowed(name), count))
}

impl<'a> TelemetryObject<'a> {
    /// The record of a report.
    pub fn new(report: &'a Report) -> Self {
        Self {
            record: Word("telemetry"),
            timestamp: report.interval.map(|interval| Time(interval.end)),
            interval: report.interval.map(|interval| IntervalObject {
                start: Time(interval.start),
                seconds: Seconds::between(interval.start, interval.end),
            }),
            partition: report.part.as_ref().map(|part| PartitionObject::new(&part.of)),
            inexact: Strings(&[]),
            exact: ViewObject::new(&report.exact),
            agent: report.agent.as_ref().map(AgentObject::new),
            delta: report.delta.as_deref().map(DeltaObject::new),
            reuse: ReuseObject {
                connections: ReuseClasses(report.reuse),
                authorities: ReuseClasses(report.reuse_authorities),
            },
            in_flight: report.in_flight.as_deref().map(|in_flight| {
                InFlightObject::new(
                    in_flight,
                    report.interval.map_or(Timestamp::default(), |interval| interval.end),
                )
            }),
            coverage: CoverageObject::new(&report.coverage),
        }
    }
}

impl<'a> AgentObject<'a> {
    fn new(agent: &'a AgentView) -> Self {
        Self {
            rules: Word(agent.rules),
            mode: Word(agent.mode),
            plaintext: CountersObject::new(&agent.view.plaintext),
            tls: CountersObject::new(&agent.view.tls),
            emitted: agent.emitted,
            transactions: agent.transactions,
            missed: Missed(&agent.missed),
            spurious: agent.spurious,
            user: UserObject::new(&agent.user),
            endpoints: AgentEndpoints(&agent.endpoints),
        }
    }
}

impl<'a> UserObject<'a> {
    fn new(user: &'a UserTelemetry) -> Self {
        let malformed = user.malformed();
        Self {
            hits: user.hits(),
            hits_by_status: Hits(&user.total_hits),
            aggregations: user.aggregations,
            dropped: user.dropped,
            rejected: 0,
            malformed: malformed.iter().map(|(_, count)| count).sum(),
            malformed_by_type: Malformed(malformed),
            incomplete: user.incomplete,
        }
    }
}

impl<'a> CoverageObject<'a> {
    fn new(coverage: &'a Coverage) -> Self {
        Self {
            packets: coverage.packets,
            bytes: coverage.bytes,
            payload_bytes: coverage.payload_bytes,
            packets_with_http2: coverage.packets_with_http2,
            connections: Connections {
                http2: coverage.connections_http2,
                one_sided: coverage.connections_one_sided,
                tls_undecrypted: coverage.connections_tls_undecrypted,
                other: coverage.connections_other,
            },
            not_decrypted: NotDecryptedCounts(&coverage.not_decrypted),
            bytes_http2: coverage.bytes_http2,
            gap_bytes: coverage.gap_bytes,
            unrecognised_bytes: nonzero(coverage.unrecognised_bytes),
            bad_checksums: nonzero(coverage.bad_checksums),
            unaccepted: nonzero(coverage.unaccepted),
            skipped_bytes: coverage.skipped_bytes,
            header_blocks: HeaderBlocks {
                decoded: coverage.header_blocks_decoded,
                partial: coverage.header_blocks_partial,
                lost: coverage.header_blocks_lost,
            },
            transactions: Transactions {
                complete: coverage.transactions_complete,
                incomplete: coverage.transactions_incomplete,
            },
            missed_requests: coverage.missed_requests,
            parse_errors: coverage.parse_errors,
            truncated_packets: coverage.truncated_packets,
            damaged_inputs: coverage.damaged_inputs,
            skipped_packets: Named(&coverage.skipped_packets),
            dropped_by_kernel: coverage.dropped_by_kernel,
            dropped_records: coverage.dropped_records,
            where_unknown: Some(coverage.where_unknown).filter(|&count| count > 0),
            limits: Limits(&coverage.limits),
            complete: coverage.complete,
        }
    }
}

/// A count that is left out where it is zero.
fn nonzero(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}

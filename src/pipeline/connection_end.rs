//! A connection is over: its last records, and what it adds to the report.

use super::Pipeline;
use super::context::{Context, Output};
use super::http2::Http2;
use super::layers::{Layer, Layers, LayersInput};
use super::missed::unrecognised;
use crate::base::direction::{Direction, PerDirection};
use crate::base::endpoint::Endpoint;
use crate::base::limit_counters::{Limit, Struck};
use crate::base::tcp::DirectionStats;
use crate::base::time::Moment;
use crate::base::tls::{Description, NotDecrypted};
use crate::flow::{Reassembly, Slot};
use crate::http2::{Counters, Side};
use crate::record::{
    ConnectionMeta, ConnectionRecord, ConnectionTiming, EndBy, EndHow, Ending, InFlight, OpenExchange,
    Recognition, Reuse, SideFrames, SideHpack, SideSettings, StreamEnd, Transaction, TransactionView, View,
};
use crate::tls;
use crate::transaction::Stats;
use std::time::Duration;

/// What a shard adds to the telemetry record.
#[derive(Clone, Debug, Default)]
pub struct ShardReport {
    /// Of the transactions.
    pub stats: Stats,
    /// Of the frames.
    pub frames: Counters,
    /// Of the frames, what the exact view counts.
    pub exact: View,
    /// Of TLS.
    pub tls: tls::Counters,
    /// TCP payload bytes in the capture.
    pub payload_bytes: u64,
    /// Connections that are HTTP/2.
    pub http2: u64,
    /// TLS connections that were not decrypted.
    pub tls_undecrypted: u64,
    /// TLS connections that were not wholly decrypted, by reason, in the order of [`NotDecrypted::ALL`].
    pub not_decrypted: [u64; NotDecrypted::ALL.len()],
    /// TLS connections that were decrypted though their handshake is not wholly in the capture.
    pub tls_late: u64,
    /// Undecrypted TLS that offered `h2`, or whose handshake is not wholly in the capture.
    pub tls_maybe_http2: u64,
    /// Other TCP connections.
    pub other: u64,
    /// HTTP/2 connections of which one direction only was seen.
    pub one_sided: u64,
    /// HTTP/2 connections of which something is known to be missing.
    pub damaged: u64,
    /// Packets with payload of HTTP/2 connections.
    pub packets_http2: u64,
    /// Bytes of HTTP/2 connections.
    pub bytes_http2: u64,
    /// Bytes of them that are missing.
    pub gap_bytes: u64,
    /// Bytes of other connections that may be HTTP/2.
    pub unrecognised_bytes: u64,
    /// Segments that were not used for their checksum.
    pub bad_checksums: u64,
    /// Resets, SYNs and data that their receiver did not accept.
    pub unaccepted: u64,
    /// Of the latter, new payload of an HTTP/2 connection that is over.
    pub behind_end: u64,
    /// Caps that struck.
    pub limits: Struck,
    /// Bytes that were sent twice with different content.
    pub differing_bytes: u64,
    /// What is open now.
    pub open: OpenNow,
    /// Exchanges under way now.
    pub in_flight: InFlight,
    /// Places that were looked at to tell what is open.
    pub looked_at: u64,
    /// How HTTP/2 connections were used.
    pub reuse: Reuse,
    /// The same of each connection and authority.
    pub reuse_authorities: Reuse,
}

/// What a shard has in hand, as opposed to what it has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenNow {
    /// Connections followed.
    pub connections: u64,
    /// Of these, HTTP/2.
    pub http2: u64,
    /// Connections that have ended and are remembered for a while.
    pub remembered: u64,
    /// Exchanges in flight.
    pub in_flight: u64,
    /// Bytes held while holes in the TCP streams may still fill.
    pub reassembly_bytes: u64,
}

impl OpenNow {
    fn merge(&mut self, other: &Self) {
        self.connections += other.connections;
        self.http2 += other.http2;
        self.remembered += other.remembered;
        self.in_flight += other.in_flight;
        self.reassembly_bytes += other.reassembly_bytes;
    }
}

impl ShardReport {
    /// Adds another shard's.
    pub fn merge(&mut self, other: &Self) {
        self.stats.merge(&other.stats);
        self.frames.merge(&other.frames);
        self.exact.plaintext.merge(&other.exact.plaintext);
        self.exact.tls.merge(&other.exact.tls);
        self.tls.merge(&other.tls);
        self.payload_bytes += other.payload_bytes;
        self.http2 += other.http2;
        self.tls_undecrypted += other.tls_undecrypted;
        for (count, more) in self.not_decrypted.iter_mut().zip(other.not_decrypted) {
            *count += more;
        }
        self.tls_late += other.tls_late;
        self.tls_maybe_http2 += other.tls_maybe_http2;
        self.other += other.other;
        self.one_sided += other.one_sided;
        self.damaged += other.damaged;
        self.packets_http2 += other.packets_http2;
        self.bytes_http2 += other.bytes_http2;
        self.gap_bytes += other.gap_bytes;
        self.unrecognised_bytes += other.unrecognised_bytes;
        self.bad_checksums += other.bad_checksums;
        self.unaccepted += other.unaccepted;
        self.behind_end += other.behind_end;
        self.limits.merge(&other.limits);
        self.differing_bytes += other.differing_bytes;
        self.open.merge(&other.open);
        self.in_flight.merge(&other.in_flight);
        self.looked_at += other.looked_at;
        self.reuse.merge(&other.reuse);
        self.reuse_authorities.merge(&other.reuse_authorities);
    }

    /// Adds an open connection, if it is HTTP/2, and those in its tunnels; how many there are.
    fn add_open(&mut self, streams: Option<&Reassembly>, layers: &Layers) -> u64 {
        let Some(http2) = layers.http2() else { return 0 };
        self.add_http2(streams, http2);
        self.looked_at += http2.pairing.in_flight() as u64;
        for transaction in http2.pairing.open() {
            self.in_flight.add(transaction.first.time, || open_exchange(&http2.meta, transaction));
        }
        let within = http2.tunnels.iter().flat_map(|tunnels| tunnels.layers());
        1 + within.map(|layers| self.add_open(None, layers)).sum::<u64>()
    }

    /// Adds what is known of an HTTP/2 connection by its streams, and whether something of it is missing.
    fn add_http2(&mut self, streams: Option<&Reassembly>, http2: &Http2) {
        self.http2 += 1;
        self.looked_at += 1 + http2.pairing.authorities().count() as u64;
        self.reuse.add(http2.pairing.transactions());
        http2.pairing.authorities().for_each(|exchanges| self.reuse_authorities.add(exchanges));
        http2.limits(&mut self.limits);
        let counters = http2.connection.counters();
        self.frames.merge(counters);
        let View { plaintext, tls } = &mut self.exact;
        counters.add_to(if http2.meta.is_encrypted() { tls } else { plaintext });
        let damaged = http2.pairing.damaged();
        let seen =
            |streams: &Reassembly| streams.seen(Direction::Forward) && streams.seen(Direction::Backward);
        let one_sided = streams.is_some_and(|streams| !seen(streams));
        self.one_sided += u64::from(one_sided);
        let mut missing = false;
        for side in streams.into_iter().flat_map(both) {
            self.packets_http2 += side.data_segments;
            self.bytes_http2 += side.bytes;
            self.gap_bytes += side.gap_bytes;
            missing |= side.gap_bytes > 0;
        }
        self.damaged += u64::from(one_sided || missing || damaged);
    }
}

fn open_exchange(meta: &ConnectionMeta, transaction: &Transaction) -> OpenExchange {
    let view = TransactionView::new(meta, transaction);
    OpenExchange {
        started: transaction.first.time,
        connection: meta.id,
        stream: transaction.stream,
        method: view.method.map(<[u8]>::to_vec),
        path: view.path.map(<[u8]>::to_vec),
    }
}

/// The counters of both directions.
fn both(streams: &Reassembly) -> [&DirectionStats; 2] {
    [streams.stats(Direction::Forward), streams.stats(Direction::Backward)]
}

impl Pipeline {
    /// What this shard has added up so far, with the HTTP/2 connections that are still open.
    pub fn report(&mut self) -> ShardReport {
        let mut report = ShardReport {
            stats: self.totals.stats,
            tls: self.tls.counters(),
            payload_bytes: self.totals.payload_bytes,
            ..self.totals.report.clone()
        };
        report.limits.add(Limit::ReassemblyTotal, self.budget.struck());
        report.limits.add(Limit::Connections, self.table.evicted);
        report.limits.add(Limit::ConnectionMemory, self.evicted_for_memory);
        report.limits.add(Limit::EndedConnections, self.table.forgotten);
        let mut open = OpenNow { reassembly_bytes: self.budget.held() as u64, ..OpenNow::default() };
        report.looked_at = self.table.places() as u64;
        for entry in self.table.iter_mut() {
            let Some(layers) = &entry.state else {
                open.remembered += 1;
                continue;
            };
            open.connections += 1;
            for side in [Direction::Forward, Direction::Backward] {
                report.limits.add(Limit::ReassemblyDirection, entry.reassembly.stats(side).limited);
            }
            open.in_flight += layers.in_flight() as u64;
            open.http2 += report.add_open(Some(&entry.reassembly), layers);
        }
        report.open = open;
        report
    }

    /// A connection was idle for too long, and is told of. One that carries HTTP/2 goes on all the same: it may be used again
    /// after minutes, and what its sides know of one another would be lost. Whether it does.
    pub(super) fn rest(
        &mut self,
        slot: Slot,
        idle: Duration,
        now: Moment,
        keys: &tls::KeyStore,
        out: &mut impl Output,
    ) -> bool {
        let Some(entry) = self.table.get_mut(slot).filter(|entry| !entry.reassembly.waits()) else {
            return false;
        };
        let Some(layers) = entry.state.as_mut().filter(|layers| layers.http2().is_some()) else {
            return false;
        };
        layers.rested = Some(entry.last.packet);
        let end = StreamEnd { by: EndBy::Capture, how: EndHow::Idle, code: None };
        let over = Moment { time: entry.last.time.after(idle * patience(layers)), ..now };
        let mut cx = Context::new(now, &self.settings, &mut self.totals, &mut self.tls, keys, out);
        LayersInput { layers: &mut *layers, cx: &mut cx }.conclude_tunnels(end, over);
        let (span, streams) = ((entry.first, entry.last), Some(&entry.reassembly));
        let mut record = blank(layers, layers.description(), span, end, streams);
        let closed = layers.closed();
        let (transport, http2) = layers.timed();
        if let Some(http2) = http2 {
            http2.describe(end, over, &mut record, transport, closed, &mut cx);
        }
        if cx.wanted.connections {
            cx.out.connection(cx.now, &record);
        }
        layers.weigh(&mut self.memory);
        true
    }

    /// Concludes a connection that spans the given packets and ended as said.
    #[expect(clippy::too_many_arguments, reason = "what the table kept of it, each once")]
    pub(super) fn finish_connection(
        &mut self,
        mut layers: Layers,
        reassembly: &mut Reassembly,
        (first, last): (Moment, Moment),
        end: StreamEnd,
        now: Moment,
        keys: &tls::KeyStore,
        out: &mut impl Output,
    ) {
        self.memory = self.memory.saturating_sub(layers.weight);
        let over = match self.settings.idle_timeout.filter(|_| end.how == EndHow::Idle) {
            Some(idle) => last.time.after(idle * patience(&layers)),
            None => now.time,
        };
        let over = Moment { time: over, ..now };
        let mut cx = Context::new(now, &self.settings, &mut self.totals, &mut self.tls, keys, out)
            .with_room(self.pace.credit());
        cx.note_received(reassembly, None);
        reassembly.finish(last, &mut self.budget, &mut LayersInput { layers: &mut layers, cx: &mut cx });
        LayersInput { layers: &mut layers, cx: &mut cx }.finish(last);
        let (end, ended_at) = if reassembly.closed() { layers.end() } else { (end, over) };
        LayersInput { layers: &mut layers, cx: &mut cx }.conclude_tunnels(end, ended_at);
        Whole { layers, span: (first, last), end, ended_at, streams: Some(reassembly) }.tell(&mut cx);
        self.pace.spend(cx.made());
    }
}

/// A connection that is over, wholly read: its last records are to be told.
pub(super) struct Whole<'a> {
    pub(super) layers: Layers,
    /// Its first and last packet.
    pub(super) span: (Moment, Moment),
    pub(super) end: StreamEnd,
    pub(super) ended_at: Moment,
    /// Its TCP streams; `None` where it was in a stream of another connection.
    pub(super) streams: Option<&'a Reassembly>,
}

impl Whole<'_> {
    /// Tells of it, and adds it to the report.
    pub(super) fn tell(self, cx: &mut Context<'_, impl Output>) {
        let Self { layers, span, end, ended_at, streams } = self;
        let mut record = blank(&layers, layers.description(), span, end, streams);
        let told = layers.rested == Some(span.1.packet);
        let closed = layers.closed();
        let mut innermost = layers.innermost();
        record.upgrade_declined =
            matches!(&innermost.layer, Layer::Detection(detection) if detection.declined());
        let report = &mut cx.totals.report;
        for side in streams.into_iter().flat_map(both) {
            report.limits.add(Limit::ReassemblyDirection, side.limited);
            report.differing_bytes += side.differing_bytes;
        }
        let first_ended = innermost.first_ended();
        if let Layer::Http2(http2) = &mut innermost.layer {
            report.add_http2(streams, http2);
            record.end.by = match first_ended.filter(|_| end.by == EndBy::Tcp) {
                Some(from) if http2.side(from) == Side::Client => EndBy::Client,
                Some(_) => EndBy::Server,
                None => end.by,
            };
            http2.finish_connection(end, ended_at, &mut record, &innermost.transport, closed, cx);
        } else if let Some(description) = &record.meta.tls {
            let undecrypted = description.not_decrypted.is_some();
            report.tls_undecrypted += u64::from(undecrypted);
            report.other += u64::from(!undecrypted);
            let h2 = description.alpn_cut || description.alpn_offered.iter().any(|name| name == "h2");
            let told_otherwise = description.alpn.as_deref().is_some_and(|alpn| alpn != "h2");
            // Joined behind its handshake, it may be anything: that something is missing is known only when a
            // part of the handshake says so, or secrets were given that may be its own.
            let joined_late = description.ja4.is_none()
                && !description.second_hello
                && (description.client.is_some() || description.version.is_some() || !cx.keys.is_empty());
            report.tls_maybe_http2 += u64::from(undecrypted && ((h2 && !told_otherwise) || joined_late));
            record.is_http2 = description.alpn.as_deref() == Some("h2");
        } else if let Some(stats) = &record.tcp {
            report.other += 1;
            let [sent, missing] = [&stats.forward, &stats.backward]
                .into_iter()
                .fold([0, 0], |[sent, missing], side| [sent + side.bytes, missing + side.gap_bytes]);
            // It may be HTTP/2 all the same, whichever end is the server.
            if missing > 0 {
                for end in [record.meta.client, record.meta.server] {
                    cx.out.calls_missed(end, unrecognised(sent + missing), 0);
                }
            }
        }
        if let Some((_, alert)) = record.meta.tls.as_ref().and_then(|tls| tls.alert) {
            record.ending.take_alert(alert);
        }
        cx.totals.report.tls_late += u64::from(record.meta.tls.as_ref().is_some_and(|tls| tls.late));
        let reason = record.meta.tls.as_ref().and_then(|tls| tls.not_decrypted);
        if let Some(count) =
            reason.and_then(|reason| report_slot(&mut cx.totals.report.not_decrypted, reason))
        {
            *count += 1;
        }
        let shown = record.how.is_some() || record.meta.tls.is_some() || record.upgrade_declined;
        if cx.wanted.connections && shown && !told {
            cx.out.connection(cx.now, &record);
        }
    }
}

/// So many times longer a connection may be idle while calls are in flight.
pub(super) fn patience(layers: &Layers) -> u32 {
    if layers.in_flight() > 0 { 6 } else { 1 }
}

fn report_slot(counts: &mut [u64; NotDecrypted::ALL.len()], reason: NotDecrypted) -> Option<&mut u64> {
    counts.get_mut(NotDecrypted::ALL.iter().position(|&other| other == reason)?)
}

/// The record of a connection of which no more is known than TCP and TLS tell.
fn blank(
    layers: &Layers,
    tls: Option<Box<Description>>,
    (first, last): (Moment, Moment),
    end: StreamEnd,
    streams: Option<&Reassembly>,
) -> ConnectionRecord {
    let [forward, backward] = layers.ends.unwrap_or([Endpoint::UNKNOWN; 2]);
    let client = tls.as_ref().and_then(|tls| tls.client).unwrap_or_else(|| layers.guess_client());
    let client_is_forward = client == Direction::Forward;
    let (client, server) = if client_is_forward { (forward, backward) } else { (backward, forward) };
    let by = match layers.first_ended().filter(|_| end.by == EndBy::Tcp) {
        Some(from) if (from == Direction::Forward) == client_is_forward => EndBy::Client,
        Some(_) => EndBy::Server,
        None => end.by,
    };
    ConnectionRecord {
        meta: ConnectionMeta {
            id: layers.id,
            client,
            server,
            tls,
            parent: layers.parent,
            client_is_forward,
            authority: None,
        },
        first,
        last,
        how: None::<Recognition>,
        evidence: None,
        upgrade_declined: false,
        is_http2: false,
        transactions: 0,
        streams_opened: 0,
        max_concurrent: None,
        client_settings: SideSettings::default(),
        server_settings: SideSettings::default(),
        client_frames: SideFrames::default(),
        server_frames: SideFrames::default(),
        goaway: Vec::new(),
        limited: false,
        client_hpack: SideHpack::default(),
        server_hpack: SideHpack::default(),
        end: StreamEnd { by, how: end.how, code: None },
        tcp: streams.map(|streams| PerDirection {
            forward: *streams.stats(Direction::Forward),
            backward: *streams.stats(Direction::Backward),
        }),
        timing: ConnectionTiming::default(),
        ending: Ending::default(),
    }
}

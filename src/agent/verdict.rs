//! Whether the agent would have shown a transaction of the wire, and why not.

use super::captured::MAX_VALUE;
use super::connection::Connection;
use super::huffman;
use super::key::StreamKey;
use super::ledger::LedgerAnswer;
use super::reason::ReasonSet;
use super::state::Agent;
use super::trace::Trace;
use super::tuple::{Side, Tuple};
use super::user::{self, Method, Shown};
use super::wire::{FrameFact, WireFacts, WireTransaction};
use crate::base::verdict::{MissReason, Verdict};

/// What the agent knew of a connection when a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KnownConnection {
    /// It was not classified yet.
    Unclassified,
    /// It was parsed.
    Parsed,
    /// A FIN or RST packet had come, or was this one.
    Ended,
}

impl Agent {
    /// Says whether the agent would have shown `tx`, after it had the same packet as the exact side, and counts it.
    ///
    /// A complete transaction counts in [`Summary::transactions`] or, by its reason, in [`Summary::missed`]: the two add
    /// up to the complete transactions. An incomplete one counts in neither; when the agent emitted it, the emission is
    /// used up, so that it does not count as spurious either. An emission with another method, path or status than the
    /// wire's is spurious, and the transaction missed.
    ///
    /// [`Summary::transactions`]: super::Summary::transactions
    /// [`Summary::missed`]: super::Summary::missed
    pub fn verdict(&mut self, tx: &WireTransaction<'_>) -> Verdict {
        let (tuple, client) = Tuple::normalise(tx.client, tx.server, &self.params.ephemeral_ports);
        let place = self.connections.find(&tuple);
        let connection = place.and_then(|place| self.connections.get(place));
        let Some(connection) = connection else {
            return self.missed(tx, MissReason::Classification);
        };
        let key = StreamKey::new(connection.serial, tx.stream);
        let expected = Expected::of(tx, self.users.hash_path(user::shown_path(tx.path.unwrap_or_default())));
        let (mut trace, different) =
            match self.ledger.take(key, tx.first.packet, |shown| expected.fits(shown)) {
                LedgerAnswer::Same(latency) => {
                    if tx.complete {
                        self.summary.transactions += 1;
                    } else {
                        self.summary.seen_incomplete += 1;
                    }
                    return Verdict::Seen(latency);
                }
                LedgerAnswer::Different(trace) => (trace, true),
                LedgerAnswer::Nothing => (Trace::default(), false),
            };
        if let Some(kept) = self.traces.take(key).filter(|kept| kept.packet >= tx.first.packet) {
            trace.merge(&kept);
        }
        let live = self.streams.find(key).and_then(|place| self.streams.get_mut(place));
        if let Some(stream) = live.filter(|stream| stream.trace.packet >= tx.first.packet) {
            stream.trace.judged = true;
            let mut seen = stream.trace;
            seen.request = stream.path.finalized && stream.method.finalized;
            seen.status = stream.status.finalized;
            trace.merge(&seen);
        }
        let reasons = reasons(tx, connection, client, &trace, different);
        self.reasons_forgotten += u64::from(reasons.is_forgotten());
        self.missed(tx, reasons.first())
    }

    /// The verdict on a transaction within a stream that CONNECT opened, which the agent does not look into.
    pub fn tunnelled(&mut self, complete: bool) -> Verdict {
        self.miss(MissReason::Tunnel, complete)
    }

    fn missed(&mut self, tx: &WireTransaction<'_>, reason: MissReason) -> Verdict {
        self.miss(reason, tx.complete)
    }

    fn miss(&mut self, reason: MissReason, complete: bool) -> Verdict {
        if let Some(count) = self.summary.missed.get_mut(reason as usize).filter(|_| complete) {
            *count += 1;
        }
        Verdict::Missed(reason)
    }
}

/// What the agent has to show for a transaction to be the one on the wire.
struct Expected<'a> {
    method: Option<&'a [u8]>,
    path: Option<u64>,
    status: Option<u16>,
    complete: bool,
}

impl<'a> Expected<'a> {
    fn of(tx: &WireTransaction<'a>, path: u64) -> Self {
        Self { method: tx.method, path: tx.path.map(|_| path), status: tx.status, complete: tx.complete }
    }

    /// A value that an incomplete transaction lacks is not known; one that a complete transaction lacks is not there.
    fn fits(&self, shown: &Shown) -> bool {
        let unknown = !self.complete;
        self.method.map_or(unknown, |method| Method::of(method) == Some(shown.method))
            && self.path.map_or(unknown, |path| path == shown.path)
            && self.status.map_or(unknown, |status| status == shown.status)
    }
}

/// All reasons that apply to a transaction that the agent missed.
fn reasons(
    tx: &WireTransaction<'_>,
    connection: &Connection,
    client: Side,
    trace: &Trace,
    different: bool,
) -> ReasonSet {
    let mut reasons = ReasonSet::default();
    let server = client.other();
    let facts = &tx.facts;
    for (fact, side, processed) in [
        (facts.request, client, *trace.headers.get(client)),
        (facts.request_end, client, *trace.ends.get(client)),
        (facts.response, server, *trace.headers.get(server)),
        (facts.response_end, server, *trace.ends.get(server)),
    ] {
        if fact.packet != 0 && !processed {
            lost_frame(&mut reasons, tx, connection, side, fact);
        }
    }
    if *facts == WireFacts::default() {
        whole_exchange(&mut reasons, tx, connection, trace);
    }
    let request = tx.path.is_some() && tx.method.is_some() && !trace.request;
    let status = tx.status.is_some() && !trace.status;
    for (lacking, side) in [(request, client), (status, server)] {
        if lacking || different {
            trace.blocks.get(side).reasons().for_each(|reason| reasons.insert(reason));
        }
    }
    reasons.insert_if(trace.split, MissReason::SplitFrame);
    let too_long = |path: &[u8]| path.len().min(huffman::encoded_len(path)) > MAX_VALUE;
    reasons.insert_if(request && tx.path.is_some_and(too_long), MissReason::PathTooLong);
    reasons.insert_if(tx.method.is_some_and(|method| Method::of(method).is_none()), MissReason::Method);
    reasons.insert_if(different, MissReason::HpackState);
    reasons.insert_if(trace.expired, MissReason::Ttl);
    reasons.insert_if(trace.reset, MissReason::Reset);
    reasons.insert_if(trace.repeated || !facts.are_in_order(), MissReason::PacketOrder);
    reasons.insert_if(tx.stream.is_multiple_of(2), MissReason::Pushed);
    reasons
}

/// A frame that the agent needed and did not process: why.
fn lost_frame(
    reasons: &mut ReasonSet,
    tx: &WireTransaction<'_>,
    connection: &Connection,
    side: Side,
    fact: FrameFact,
) {
    match known(tx, connection, fact.packet) {
        KnownConnection::Unclassified => reasons.insert(MissReason::Classification),
        KnownConnection::Ended => reasons.insert(MissReason::Fin),
        KnownConnection::Parsed => {
            reasons.insert_if(fact.split, MissReason::SplitFrame);
            let incidents = &connection.sides.get(side).incidents;
            match incidents.at(fact.packet) {
                Some(reason) => reasons.insert(reason),
                None => reasons.forget_if(incidents.is_forgotten(fact.packet)),
            }
        }
    }
}

/// Where the frames are is not known: the exchange's first and last packet must do.
fn whole_exchange(reasons: &mut ReasonSet, tx: &WireTransaction<'_>, connection: &Connection, trace: &Trace) {
    match known(tx, connection, tx.first.packet) {
        KnownConnection::Unclassified => reasons.insert(MissReason::Classification),
        KnownConnection::Ended => reasons.insert(MissReason::Fin),
        KnownConnection::Parsed => {}
    }
    if known(tx, connection, tx.last.packet) == KnownConnection::Ended {
        reasons.insert(MissReason::Fin);
    }
    for side in [Side::Client, Side::Server] {
        if *trace.headers.get(side) && *trace.ends.get(side) {
            continue;
        }
        let incidents = &connection.sides.get(side).incidents;
        match incidents.within(tx.first.packet, tx.last.packet) {
            Some(reason) => reasons.insert(reason),
            None => reasons.forget_if(incidents.is_forgotten(tx.first.packet)),
        }
    }
}

/// What the agent knew of the connection at a packet. It remembers the last classification and the last end of one;
/// where those belong to a later use of the same ports, the exchange was over before.
fn known(tx: &WireTransaction<'_>, connection: &Connection, packet: u64) -> KnownConnection {
    let (classified, ended) = (connection.classified, connection.declassified);
    let is_parsed_now = classified > ended;
    if classified == 0 {
        KnownConnection::Unclassified
    } else if packet >= classified && (is_parsed_now || packet < ended) {
        KnownConnection::Parsed
    } else if ended != 0 && packet >= ended && tx.connection <= ended {
        KnownConnection::Ended
    } else if is_parsed_now && packet < ended {
        KnownConnection::Parsed
    } else {
        KnownConnection::Unclassified
    }
}

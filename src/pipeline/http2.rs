//! An HTTP/2 connection in the pipeline: its bytes go in, its listeners hear what they say, records come out.

use super::PipelineConfig;
use super::context::{Context, Output};
use super::missed::{Missed, Streams};
use super::tunnel::Tunnels;
use crate::base::direction::{Direction, PerDirection};
use crate::base::limit_counters::{Limit, Struck};
use crate::base::time::{Moment, Timestamp};
use crate::base::tls::Description;
use crate::body::{Bodies, Listening};
use crate::conformance::Judge;
use crate::course::{Course, Courses};
use crate::flow::{Arrival, Gap, GapCause};
use crate::http1::Upgraded;
use crate::http2::frame::FrameView;
use crate::http2::{Anomaly, Connection, EventContext, EventSink, PerSide, Side, Start, UpgradeRequest};
use crate::record::{
    ConnectionMeta, ConnectionRecord, ConnectionState, Detail, EndBy, EndHow, Evidence, Recognition,
    RecognitionEvidence, RecordSink, StreamEnd, Transaction,
};
use crate::timing::{Note, Remark, Timing, Transport};
use crate::transaction::{Pairing, PairingInput};
use std::sync::Arc;
use std::time::Duration;

/// A connection, and who listens to it.
#[derive(Debug)]
pub(super) struct Http2 {
    pub(super) connection: Connection,
    /// Who and where.
    pub(super) meta: ConnectionMeta,
    pub(super) pairing: Pairing,
    /// Where findings are shown, or an error that a side named.
    judge: Option<Box<Judge>>,
    /// Where transactions, endpoints or connections are shown.
    timing: Option<Box<Timing>>,
    /// Where contents are.
    bodies: Option<Box<Bodies>>,
    /// How it stood when that was told last.
    state: Option<ConnectionState>,
    /// Where an exchange of this connection is followed.
    course: Option<Box<Course>>,
    /// Where the frames of all exchanges are shown with them.
    courses: Option<Box<Courses>>,
    how: Recognition,
    /// When TCP's handshake was over, and how long it took.
    handshake: Option<(Timestamp, Duration)>,
    /// By what it was recognised, where it was joined late.
    pub(super) evidence: Option<RecognitionEvidence>,
    pub(super) client: Direction,
    /// The client's first bytes were not waited for any longer for a cap.
    pub(super) client_unawaited: bool,
    missed: Missed,
    /// Sides that wait for a hole to fill.
    holes: PerSide<bool>,
    /// Sides of which TLS holds records back.
    held: PerSide<bool>,
    /// The latest packet, and the latest time, that bytes of each side were read of.
    read: PerSide<Moment>,
    /// What its streams carry that CONNECT opened. `None` while its bytes are pushed into these.
    pub(super) tunnels: Option<Box<Tunnels>>,
}

/// What goes into a connection.
#[derive(Clone, Copy)]
enum Input<'a> {
    /// The request that it was upgraded by, and the settings with it.
    Upgrade(&'a UpgradeRequest<'a>, &'a [u8]),
    /// The next bytes of a side.
    Data(Side, &'a Arrival, &'a [u8]),
    /// The same with a wrong checksum.
    Worse(Side, &'a Arrival, &'a [u8]),
    /// Bytes of a side are missing.
    Gap(Side, &'a Arrival, Gap),
    /// No byte follows.
    End(Moment),
}

impl Input<'_> {
    fn push(self, connection: &mut Connection, listeners: &mut impl EventSink) {
        match self {
            Self::Upgrade(request, settings) => connection.upgrade(request, settings, listeners),
            Self::Data(side, arrival, bytes) => connection.data(side, arrival, bytes, listeners),
            Self::Worse(side, arrival, bytes) => connection.worse(side, arrival, bytes, listeners),
            Self::Gap(side, arrival, gap) => connection.gap(side, arrival, gap, listeners),
            Self::End(last) => {
                connection.finish(Side::Client, last, listeners);
                connection.finish(Side::Server, last, listeners);
            }
        }
    }
}

impl Http2 {
    /// A connection whose sides' bytes begin as said, within so many others.
    pub(super) fn new(
        meta: ConnectionMeta,
        client: Start,
        server: Start,
        how: Recognition,
        depth: u8,
        settings: &PipelineConfig,
    ) -> Self {
        let PipelineConfig { wanted, follow, .. } = *settings;
        let bodies = settings.bodies.as_ref();
        let followed = follow.filter(|&(connection, _)| connection == meta.id);
        let late = (matches!(client, Start::Late | Start::Unread), server == Start::Late);
        let judged = wanted.findings || wanted.evidence();
        let timed = wanted.times() && meta.parent.is_none();
        Self {
            connection: Connection::new(client, server, judged || wanted.times()),
            pairing: Pairing::new(meta.is_encrypted(), wanted, late).within(settings.memory),
            judge: judged.then(|| Box::new(Judge::new(late))),
            tunnels: Some(Box::new(Tunnels::new(depth, late.0))),
            timing: timed.then(|| {
                let timing = Timing::new(late, judged).for_evidence(!wanted.findings);
                Box::new(timing.with_pieces(wanted.timeline))
            }),
            state: None,
            bodies: bodies.map(|options| Box::new(Bodies::new(Arc::clone(options), meta.id))),
            course: followed.map(|(_, stream)| Box::new(Course::new(stream))),
            courses: wanted.steps.then(Box::default),
            how,
            handshake: None,
            evidence: None,
            client: if meta.client_is_forward { Direction::Forward } else { Direction::Backward },
            client_unawaited: false,
            missed: Missed::default(),
            holes: PerSide::default(),
            held: PerSide::default(),
            read: PerSide::default(),
            meta,
        }
    }

    /// Which side sends in a direction.
    pub(super) fn side(&self, from: Direction) -> Side {
        if self.client == from { Side::Client } else { Side::Server }
    }

    /// How it was found.
    pub(super) fn how(&self) -> Recognition {
        match self.how {
            Recognition::MidStream if self.pairing.is_late(Side::Client) => Recognition::MidStream,
            // The preface came after the server's first frames.
            Recognition::MidStream if self.meta.tls.is_some() => Recognition::Alpn,
            Recognition::MidStream => Recognition::PriorKnowledge,
            how => how,
        }
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>()
            + self.connection.memory()
            + self.pairing.memory()
            + self.meta.authority.as_ref().map_or(0, |authority| authority.len())
            + self.meta.tls.as_ref().map_or(0, |tls| size_of::<Description>() + tls.memory())
            + self.judge.as_ref().map_or(0, |judge| judge.memory())
            + self.timing.as_ref().map_or(0, |timing| timing.memory())
            + self.bodies.as_ref().map_or(0, |bodies| bodies.memory())
            + self.course.as_ref().map_or(0, |course| course.memory())
            + self.courses.as_ref().map_or(0, |courses| courses.memory())
            + self.tunnels.as_ref().map_or(0, |tunnels| tunnels.memory())
    }

    /// Whether the connection was upgraded from HTTP/1.1 is known.
    pub(super) fn set_upgrade_known(&mut self) {
        if let Some(judge) = &mut self.judge {
            judge.set_upgrade_known();
        }
    }

    /// What came before the preface is missing: a request of HTTP/1.1, perhaps.
    pub(super) fn lose_first_request(&mut self) {
        if let Some(timing) = &mut self.timing {
            timing.lose_first_request();
        }
    }

    /// A direction's segments are, or are not, in the capture.
    pub(super) fn set_unseen(&mut self, from: Direction, unseen: bool) {
        let side = self.side(from);
        self.pairing.set_unseen(side, unseen);
        if let Some(timing) = &mut self.timing {
            timing.set_unseen(side, unseen);
        }
    }

    /// What is read of a direction from now on came at its time `first`, or later: what TCP has told before.
    pub(super) fn begin_timing(
        &mut self,
        transport: &mut Transport,
        first: &PerDirection<Timestamp>,
        now: Timestamp,
    ) {
        self.note_transport(transport);
        let missing = transport.take_missing(first);
        let missing = PerSide { client: missing[self.client], server: missing[self.client.reverse()] };
        if let Some(timing) = &mut self.timing {
            timing.set_missing_since(missing);
            timing.set_stopped_until(transport.stopped_until(now));
        }
    }

    fn note_transport(&mut self, transport: &Transport) {
        let (client, server) = (self.client, self.client.reverse());
        if let Some(timing) = &mut self.timing {
            let trips = PerSide { client: transport.half_trip(client), server: transport.half_trip(server) };
            let retransmitted =
                PerSide { client: transport.retransmitted(client), server: transport.retransmitted(server) };
            timing.note_transport(trips, retransmitted);
        }
    }

    /// A segment was seen, and what is read came before it.
    pub(super) fn segment_ahead(&mut self, at: Moment, transport: &mut Transport) {
        self.note_transport(transport);
        if let Some(timing) = self.timing.as_mut().filter(|timing| timing.awaits_bytes()) {
            timing.set_stopped_until(at.time);
        }
    }

    /// A segment was read: what TCP tells by now. `holes`: of the forward and of the backward direction.
    pub(super) fn segment(&mut self, at: Moment, transport: &mut Transport, holes: [bool; 2]) {
        let (client, server) = (self.client, self.client.reverse());
        let missing = self.missing(holes);
        self.handshake = transport.handshake();
        self.note_transport(transport);
        if let Some(timing) = &mut self.timing {
            let full = PerSide { client: transport.is_full(client), server: transport.is_full(server) };
            timing.set_stopped_until(transport.stopped_until(at.time));
            timing.segment(at.time, missing, full);
        }
    }

    /// Which side's bytes are waited for, where these directions wait for holes to fill: the forward and the backward one.
    fn missing(&self, holes: [bool; 2]) -> PerSide<bool> {
        let hole = |from: Direction| holes.get(from.index()) == Some(&true);
        PerSide { client: hole(self.client), server: hole(self.client.reverse()) }
    }

    /// Bytes of a direction that were waited for until now had come to their receiver: the capture alone misses them.
    pub(super) fn set_missed(&mut self, from: Direction, at: Moment) {
        let side = self.side(from);
        if let Some(timing) = &mut self.timing {
            timing.miss(side, at.time);
        }
    }

    /// TLS holds records of a direction back, or does not.
    pub(super) fn set_held(&mut self, from: Direction, held: bool) {
        let side = self.side(from);
        self.held[side] = held;
    }

    /// The forward and the backward direction wait for holes to fill, or do not; where it lags, what is read came before that.
    pub(super) fn set_holes(&mut self, holes: [bool; 2], at: Moment, lags: bool) {
        let [forward, backward] = holes;
        let (forward_side, backward_side) = (self.side(Direction::Forward), self.side(Direction::Backward));
        let missing = self.missing(holes);
        self.holes = missing;
        if let Some(timing) = self.timing.as_mut().filter(|_| !lags) {
            timing.set_missing(at.time, missing);
        }
        if let Some(judge) = &mut self.judge {
            judge.set_stalled(forward_side, forward);
            judge.set_stalled(backward_side, backward);
        }
    }

    /// The connection was upgraded by this request.
    pub(super) fn upgrade<O: Output>(&mut self, upgraded: &Upgraded, cx: &mut Context<'_, O>) {
        let fields: Vec<(&[u8], &[u8])> =
            upgraded.fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        let Upgraded { body, first, last, ref content, .. } = *upgraded;
        let request = UpgradeRequest { fields: &fields, body, content, first, last };
        self.listen(Input::Upgrade(&request, &upgraded.settings), cx);
    }

    /// The next bytes of a direction.
    pub(super) fn data<O: Output>(
        &mut self,
        from: Direction,
        arrival: &Arrival,
        bytes: &[u8],
        cx: &mut Context<'_, O>,
    ) {
        let side = self.side(from);
        let Arrival { at, record_since, record_until, .. } = *arrival;
        let time = at.time.max(record_since.max(record_until).unwrap_or_default());
        let (own, peer) = (self.read[side], self.read[side.peer()]);
        // What waited for a hole is as late as what has filled it.
        let own = Moment { packet: own.packet.max(at.packet), time: own.time.max(time) };
        self.read[side] = own;
        // Time may jump where packets are in order; of a TLS record only the time is known at which it was there.
        let disordered = own.packet < peer.packet && own.time < peer.time;
        let lacking = cx.lacks_end[from.reverse()];
        if disordered {
            self.pairing.set_disordered();
        }
        if let Some(timing) = &mut self.timing {
            timing.hear(side, at.time);
            timing.set_lacking(lacking, at);
            if disordered {
                timing.set_disordered();
            }
        }
        let peer = side.peer();
        self.pairing.set_behind(peer, self.holes[peer] || self.held[peer] || lacking);
        self.pairing.set_lacking(lacking);
        self.listen(Input::Data(side, arrival, bytes), cx);
        if side.is_client() {
            self.missed.opened(self.pairing.highest());
        }
    }

    /// The next bytes of a direction, whose checksum is wrong and of which there is no better copy.
    pub(super) fn worse<O: Output>(
        &mut self,
        from: Direction,
        arrival: &Arrival,
        bytes: &[u8],
        cx: &mut Context<'_, O>,
    ) {
        let side = self.side(from);
        if let Some(timing) = &mut self.timing {
            timing.hear(side, arrival.at.time);
        }
        self.listen(Input::Worse(side, arrival, bytes), cx);
    }

    /// Bytes of a direction are missing.
    pub(super) fn gap<O: Output>(
        &mut self,
        from: Direction,
        arrival: &Arrival,
        gap: Gap,
        cx: &mut Context<'_, O>,
    ) {
        let side = self.side(from);
        self.missed.lose(side, gap.len);
        if let Some(timing) = &mut self.timing {
            match gap.cause {
                // When those came is known.
                GapCause::Snaplen => timing.hear(side, arrival.at.time),
                _ => timing.miss_bytes(side),
            }
        }
        self.listen(Input::Gap(side, arrival, gap), cx);
    }

    /// The first bytes of a direction are missing, which was known before anything of the connection.
    pub(super) fn lose_start(&mut self, from: Direction, arrival: &Arrival, cause: GapCause) {
        self.pairing.lose_start(self.side(from), arrival.span.end, cause);
    }

    /// All that a direction sent before this packet has been read: so much of its TCP stream.
    pub(super) fn caught_up<O: Output>(&mut self, from: Direction, read: u64, cx: &mut Context<'_, O>) {
        let side = self.side(from);
        if self.pairing.awaits(side) {
            self.pair(cx, |session| session.caught_up(side, read));
        }
        self.tunnels_caught_up(from, read, cx);
    }

    /// The server has ended its direction; by then it had received so much of the client's TCP stream.
    pub(super) fn server_closes<O: Output>(&mut self, at: Moment, received: u64, cx: &mut Context<'_, O>) {
        self.pair(cx, |session| session.server_closes(at, received));
    }

    /// No byte follows: what is unfinished is told as far as it goes.
    pub(super) fn finish<O: Output>(&mut self, last: Moment, cx: &mut Context<'_, O>) {
        if let Some(timing) = &mut self.timing {
            timing.set_missing(last.time, PerSide::default());
        }
        self.listen(Input::End(last), cx);
    }

    /// The connection is over, since `at`: its open streams end, and what was found is told. Fills its record in.
    pub(super) fn finish_connection<O: Output>(
        &mut self,
        end: StreamEnd,
        at: Moment,
        record: &mut ConnectionRecord,
        transport: &Transport,
        closed: Option<Moment>,
        cx: &mut Context<'_, O>,
    ) {
        let error = self.describe(end, at, record, transport, closed, cx);
        if let Some(mut judge) = self.judge.take() {
            judge.finish(matches!(end.how, EndHow::Fin | EndHow::Rst), self.connection.ledger(), cx.now);
            record.ending.evidence = error.and_then(|(by, code)| judge.evidence(by.peer(), code, None));
            cx.totals.report.limits.add(Limit::Findings, judge.evidence_limited());
            if cx.wanted.findings {
                cx.totals.report.limits.add(Limit::Findings, judge.limited());
                for finding in judge.findings() {
                    cx.out.finding(cx.now, &self.meta, &finding);
                }
            }
        }
        if let Some(mut bodies) = self.bodies.take() {
            cx.totals.report.limits.merge(bodies.limits());
            bodies.release(&mut cx.totals.body_means.memory);
        }
        // What was missing before it was known to be HTTP/2 was not told here.
        if let Some(tcp) = &record.tcp {
            self.missed.lose_at_least(Side::Client, tcp[self.client].gap_bytes);
            self.missed.lose_at_least(Side::Server, tcp[self.client.reverse()].gap_bytes);
        }
        let skipped = self.connection.counters().skipped_bytes;
        let (missed, shorter) = (self.missed.calls(skipped, self.streams()), self.missed.resets(skipped));
        if missed > 0 || shorter > 0 {
            cx.out.calls_missed(self.meta.server, missed, shorter);
        }
    }

    /// The open streams end as said, at this time; fills in what the connection's record tells of HTTP/2. The connection may
    /// go on. Which side named an error by GOAWAY, and which error.
    pub(super) fn describe<O: Output>(
        &mut self,
        end: StreamEnd,
        at: Moment,
        record: &mut ConnectionRecord,
        transport: &Transport,
        closed: Option<Moment>,
        cx: &mut Context<'_, O>,
    ) -> Option<(Side, u32)> {
        self.pair(cx, |session| session.finish(end.by, end.how, at.time));
        let in_flight = self.pairing.cuts_off();
        let mut error = None;
        if let Some(timing) = &mut self.timing {
            // Which side it was is known of the connection alone; the exchanges were ended by TCP.
            let end = StreamEnd { by: record.end.by, ..end };
            (record.ending, error) = timing.ending(end, closed.unwrap_or(record.last).time, in_flight);
            let ledger = self.connection.ledger();
            let handshakes = timing.handshakes(transport.handshake(), self.meta.tls.is_some());
            let opened = transport.is_opened().then_some(record.first.time);
            record.timing = timing.describe(ledger, opened, record.last.time, handshakes);
        }
        record.how = Some(self.how());
        record.evidence = self.evidence.filter(|_| record.how == Some(Recognition::MidStream));
        record.is_http2 = true;
        record.meta = self.meta.clone();
        self.pairing.describe(record);
        error
    }

    /// What is known of its streams.
    fn streams(&self) -> Streams {
        let (seen, highest) = self.pairing.asked();
        let most = self.connection.ledger().most(Side::Client, |settings| settings.enable_push);
        let may_push = most != Some(0) || self.pairing.has_pushes();
        Streams { seen, highest, late: self.pairing.is_late(Side::Client), may_push }
    }

    /// Caps that struck.
    pub(super) fn limits(&self, limits: &mut Struck) {
        let counters = self.connection.counters();
        let detection = self.client_unawaited && self.pairing.is_late(Side::Client);
        limits.add(Limit::Opening, detection.into());
        limits.add(Limit::FramePayload, self.connection.payloads_limited());
        limits.add(Limit::SettingsUnacknowledged, self.connection.settings_limited());
        limits.add(Limit::OneSidedStreams, self.pairing.one_sided_limited());
        limits.add(Limit::Findings, self.connection.ledger().windows_limited());
        limits.add(Limit::Findings, self.timing.as_ref().map_or(0, |timing| timing.limited()));
        limits.add(Limit::Priorities, self.timing.as_ref().map_or(0, |timing| timing.priorities_limited()));
        limits
            .add(Limit::Promises, self.timing.as_ref().is_some_and(|timing| timing.pushes_limited()).into());
        limits.add(Limit::TimePieces, self.timing.as_ref().map_or(0, |timing| timing.pieces_limited()));
        limits.add(Limit::ReuseAuthorities, self.pairing.authorities_limited());
        limits.add(Limit::Headers, counters.blocks_limited);
        limits.add(Limit::HpackTable, counters.table_limited);
        limits.add(Limit::Output, counters.output_limited);
        limits.add(Limit::ConnectTunnels, self.tunnels.as_ref().map_or(0, |tunnels| tunnels.limited()));
    }

    /// Pushes something into the connection, whose events are heard by what divides its time, pairing, the judge, the tunnels,
    /// the bodies, what follows an exchange, and what shows frames. None knows the others.
    fn listen<O: Output>(&mut self, input: Input<'_>, cx: &mut Context<'_, O>) {
        let Self { connection, meta, pairing, judge, timing, bodies, course, courses, tunnels, .. } = self;
        let totals = &mut *cx.totals;
        let session = PairingInput { pairing, stats: &mut totals.stats, pool: &mut totals.pool };
        let (tunnels, judge, timing) = (tunnels.as_deref_mut(), judge.as_deref_mut(), timing.as_deref_mut());
        let shows = cx.wanted.frames || course.is_some() || courses.is_some();
        // Each event asks each listener whether it is there: where it is known who is not, nobody asks.
        match (timing, judge) {
            (None, None) if bodies.is_none() && !shows => input.push(connection, &mut (session, tunnels)),
            (Some(timing), Some(judge)) if bodies.is_none() && !shows => {
                input.push(connection, &mut (timing, (session, (judge, tunnels))));
            }
            (timing, judge) => {
                let means = &mut totals.body_means;
                let contents = bodies.as_deref_mut().map(|bodies| Listening { bodies, means });
                let records = &mut *cx.out;
                let frames = cx.wanted.frames.then_some(FrameRecords { now: cx.now, meta, records });
                let shown = ((course.as_deref_mut(), courses.as_deref_mut()), frames);
                let others = (judge, (tunnels, (contents, shown)));
                input.push(connection, &mut (timing, (session, others)));
            }
        }
        self.hand_on(cx);
    }

    /// Tells the exchanges something.
    fn pair<O: Output>(&mut self, cx: &mut Context<'_, O>, tell: impl FnOnce(&mut PairingInput<'_>)) {
        let totals = &mut *cx.totals;
        let pairing = &mut self.pairing;
        tell(&mut PairingInput { pairing, stats: &mut totals.stats, pool: &mut totals.pool });
        self.hand_on(cx);
    }

    /// Hands on what the listeners have made of what they heard: exchanges that have ended, above all.
    fn hand_on<O: Output>(&mut self, cx: &mut Context<'_, O>) {
        let Self { meta, judge, timing, bodies, course, courses, handshake, .. } = self;
        let totals = &mut *cx.totals;
        if let Some(course) = course {
            course.take(|step| cx.out.step(cx.now, meta, step));
        }
        if let Some(bodies) = bodies {
            bodies.take_messages(|message| cx.out.message(cx.now, meta, message));
        }
        self.pairing.take_begun(|record| cx.out.opened(cx.now, meta, record));
        let wanted = cx.wanted.attempts() || cx.wanted.endpoints || cx.wanted.telemetry;
        self.pairing.take_ended(&mut totals.pool, |record, is_first| {
            if cx.wanted.timeline && meta.authority.is_none() {
                meta.authority = record.request.headers.authority().map(Into::into);
            }
            if let Some(timing) = timing {
                timing.annotate(record);
                record.handshakes = is_first.then(|| timing.handshakes(*handshake, meta.tls.is_some()));
            }
            if let Some(judge) = judge.as_deref_mut() {
                judge.take_record(record);
            }
            record.evidence = judge.as_deref_mut().and_then(|judge| evidence(judge, record));
            if let Some(bodies) = bodies {
                record.contents = bodies.take(record.stream, record.last.time, &mut totals.body_means);
            }
            if let Some(courses) = courses {
                record.steps = courses.take(record.stream);
            }
            if wanted {
                cx.out.transaction(cx.now, meta, record);
            }
        });
        if let (Some(timing), Some(judge)) = (timing, judge) {
            timing.take_notes().for_each(|note| remark(judge, &note));
        }
        if let Some(bodies) = bodies {
            bodies.prune(
                self.pairing.in_flight(),
                |stream| self.pairing.is_open(stream),
                &mut totals.body_means.memory,
            );
        }
        if let Some(courses) = courses {
            courses.prune(self.pairing.in_flight(), |stream| self.pairing.is_open(stream));
        }
        if cx.wanted.timeline {
            self.tell_state(cx);
        }
    }
}

impl Http2 {
    /// Tells how the connection stands, where that is otherwise than before.
    fn tell_state<O: Output>(&mut self, cx: &mut Context<'_, O>) {
        let ledger = self.connection.ledger();
        let state = ConnectionState {
            open_streams: self.pairing.open_streams(),
            client_credit: ledger.connection_credit(Side::Client),
            server_credit: ledger.connection_credit(Side::Server),
        };
        if self.state.replace(state) != Some(state) {
            cx.out.state(cx.now, &self.meta, &state);
        }
    }
}

/// What was found by who measures time becomes a finding.
fn remark(judge: &mut Judge, note: &Note) {
    let mut detail = Detail::default();
    let anomaly = match note.remark {
        Remark::WindowSmall(window) => {
            detail.window = window;
            Anomaly::WindowSmall
        }
        Remark::SlowReader => Anomaly::SlowReader,
        Remark::WindowDeadlock => Anomaly::WindowDeadlock,
        Remark::IdleCloseRace => Anomaly::IdleCloseRace,
        Remark::KeepaliveExcess(interval) => {
            detail.interval = Some(interval);
            Anomaly::KeepaliveExcess
        }
        Remark::StreamLimit => Anomaly::StreamLimit,
    };
    judge.note(note.from, note.stream, anomaly, note.at, detail);
}

/// What justifies the error that ended an exchange by `RST_STREAM`.
fn evidence(judge: &mut Judge, record: &Transaction) -> Option<Vec<Evidence>> {
    let StreamEnd { by, how, code } = record.end;
    let against = match by {
        EndBy::Client => Side::Server,
        EndBy::Server => Side::Client,
        EndBy::Tcp | EndBy::Capture => return None,
    };
    if how != EndHow::RstStream {
        return None;
    }
    judge.evidence(against, code?, Some((record.stream, record.first)))
}

/// Hands frames on as records.
struct FrameRecords<'a, O> {
    now: Moment,
    meta: &'a ConnectionMeta,
    records: &'a mut O,
}

impl<O: RecordSink> EventSink for FrameRecords<'_, O> {
    fn wants_frames(&self) -> bool {
        true
    }

    fn frame(&mut self, _: &EventContext<'_>, frame: &FrameView<'_>) {
        self.records.frame(self.now, self.meta, frame);
    }
}

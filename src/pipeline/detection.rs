//! What does a connection carry? Its first bytes are kept until that is known.
//!
//! In this order: a PROXY protocol header is taken off; the client preface is HTTP/2; a TLS hello is TLS; an
//! HTTP/1.x request is followed to an upgrade, a tunnel, or a server that answers in HTTP/2; anything else is searched for
//! HTTP/2 joined late.

use crate::base::direction::{Direction, PerDirection};
use crate::base::limits;
use crate::base::time::Timestamp;
use crate::base::tuning;
use crate::flow::{Arrival, Gap, GapCause};
use crate::http1::{self, Dialogue, Step, Switch, proxy};
use crate::http2::frame::{Flags, FrameHeader, FrameType};
use crate::http2::{Detector, PREFACE, Recognised, Side};
use crate::record::RecognitionEvidence;
use crate::tls;

/// A connection of unknown protocol.
#[derive(Debug, Default)]
pub(super) struct Detection {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    sides: PerDirection<Begin>,
    lost_start: Option<(Direction, Arrival, GapCause)>,
    dialogue: Option<(Direction, Box<Dialogue>)>,
    /// The beginning of its first request.
    request: Vec<u8>,
    /// One direction was recognised as HTTP/2 before the first byte of the other was read. That may be the preface.
    recognised: Option<Detected>,
    declined: bool,
    /// Something of the beginning was given up for a cap.
    pub(super) limited: bool,
    /// The other direction was not waited for any longer for a cap. Nothing is lost if it begins with the preface.
    pub(super) unawaited: bool,
    /// Neither the handshake nor the ports tell who is the client.
    pub(super) equal_ports: bool,
    /// HTTP/1.1 is not followed any more for a cap.
    pub(super) http1_limited: bool,
    /// What it carries is deeper down than is looked at.
    pub(super) too_deep: bool,
}

#[derive(Debug, Default)]
struct Begin {
    /// The first bytes, contiguous, as far as they are needed to decide.
    head: Vec<u8>,
    /// PROXY protocol header octets still to be taken off; `None` while the head may be the beginning of one.
    proxy: Option<usize>,
    /// Bytes of this side were lost or dropped.
    late: bool,
    /// The head says what it can; from now on the detector looks.
    undecidable: bool,
    detector: Option<Box<Detector>>,
    /// Looks for TLS that begins within a record.
    records: tls::RecordChain,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) from: Direction,
    pub(super) arrival: Arrival,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Bytes { start: usize, end: usize },
    Gap(Gap),
}

/// What a connection turned out to be.
#[derive(Debug)]
pub(super) enum Detected {
    /// HTTP/2 with its preface.
    Preface { client: Direction },
    /// HTTP/2 without it; who is the client may be unknown.
    Frames { client: Option<Direction>, evidence: Option<RecognitionEvidence> },
    /// TLS.
    Tls,
    /// HTTP/2 of a server alone, whose client speaks HTTP/1.1: so its first request begins.
    Server { client: Direction, arrival: Arrival, request: Vec<u8> },
    /// Switched over from HTTP/1.1.
    Switched { client: Direction, switch: Switch },
}

/// Bytes of a head that may be needed to decide.
const HEAD: usize = tls::MAX_DETECTION_BYTES;

impl Detection {
    /// Of a connection of which neither direction is seen from its first byte.
    pub(super) fn joined_late() -> Self {
        let side = || Begin { late: true, undecidable: true, ..Begin::default() };
        Self { sides: PerDirection { forward: side(), backward: side() }, ..Self::default() }
    }

    /// The next bytes of a direction; what the connection is, once that is known. The bytes are kept. Until there are
    /// `wait` pieces, the other direction's first bytes are waited for.
    pub(super) fn data(
        &mut self,
        from: Direction,
        arrival: &Arrival,
        bytes: &[u8],
        wait: usize,
    ) -> Option<Detected> {
        if self.dialogue.is_some() {
            return self.follow(from, arrival, bytes);
        }
        let bytes = self.take_proxy_header(from, bytes);
        if bytes.is_empty() {
            return None;
        }
        // Before a response, a request was sent.
        let answers =
            [&self.sides.forward, &self.sides.backward].map(|side| side.head.starts_with(b"HTTP/1."));
        let wait = if answers.contains(&true) { wait.max(tuning::UNSEEN_PIECES) } else { wait };
        let full = self.is_full(bytes.len());
        let waited = self.pieces.len() >= wait && !self.awaits_roles();
        if self.recognised.is_some() && (full || waited) {
            self.append(from, arrival, bytes);
            // Of a side that no packet was seen of, more was kept than is waited for.
            self.unawaited = full && wait > tuning::UNSEEN_PIECES;
            return self.take_recognised();
        }
        self.keep(from, arrival, bytes);
        let side = &mut self.sides[from];
        let held = self.recognised.is_some();
        if held && side.undecidable {
            return self.look_for_roles(from, bytes);
        }
        if !side.undecidable {
            let room = HEAD.saturating_sub(side.head.len()).min(bytes.len());
            side.head.extend_from_slice(bytes.get(..room).unwrap_or_default());
            match side.decide() {
                Decision::Preface => return Some(Detected::Preface { client: from }),
                Decision::Tls => return Some(Detected::Tls),
                Decision::Http1 => return self.start_dialogue(from),
                Decision::Wait => return None,
                Decision::Unknown => side.undecidable = true,
            }
        }
        if held {
            return if self.awaits_roles() {
                self.look_for_roles(from, bytes)
            } else {
                self.recognised.take()
            };
        }
        let side = &mut self.sides[from];
        if side.records.data(bytes) {
            return Some(Detected::Tls);
        }
        let (client, evidence) = match side.detector.get_or_insert_default().data(bytes) {
            Some(recognised) => {
                let Recognised { sender, frames, aligned } = recognised;
                let client = sender.map(|sender| client_of(from, sender));
                (client, Some(RecognitionEvidence { frames, aligned }))
            }
            None if self.is_transfer() => (None, None),
            None => return None,
        };
        let known = Detected::Frames { client, evidence };
        let other = &self.sides[from.reverse()];
        // Its first bytes, or no more than the beginning of a preface.
        let unseen = evidence.is_some() && !other.undecidable && !other.late;
        let roles_unknown = client.is_none() && self.equal_ports;
        if self.pieces.len() < wait && unseen || roles_unknown && !self.is_full(0) {
            self.recognised = Some(known);
            return None;
        }
        Some(known)
    }

    /// It is HTTP/2, and neither its frames nor the ports have told who is the client.
    fn awaits_roles(&self) -> bool {
        self.equal_ports && matches!(self.recognised, Some(Detected::Frames { client: None, .. }))
    }

    /// More of HTTP/2: its frames may tell who is the client.
    fn look_for_roles(&mut self, from: Direction, bytes: &[u8]) -> Option<Detected> {
        if !self.awaits_roles() {
            return None;
        }
        let sender = self.sides[from].detector.get_or_insert_default().sender(Some(bytes))?;
        self.set_client(client_of(from, sender));
        self.recognised.take()
    }

    fn set_client(&mut self, known: Direction) {
        if let Some(Detected::Frames { client, .. }) = &mut self.recognised {
            *client = Some(known);
        }
    }

    /// What was recognised, now that no more is waited for.
    fn take_recognised(&mut self) -> Option<Detected> {
        for from in [Direction::Forward, Direction::Backward] {
            if self.awaits_roles()
                && let Some(sender) = self.sides[from].detector.as_mut().and_then(|known| known.sender(None))
            {
                self.set_client(client_of(from, sender));
            }
        }
        self.recognised.take()
    }

    /// One direction sends DATA frames in a row, and the other gives credit.
    fn is_transfer(&self) -> bool {
        let both = self.sides.forward.detector.as_deref().zip(self.sides.backward.detector.as_deref());
        both.is_some_and(|(one, other)| one.is_given_credit_by(other) || other.is_given_credit_by(one))
    }

    /// The next bytes of HTTP/1.1. The server's wait until the request that they answer is there.
    fn follow(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) -> Option<Detected> {
        let (client, dialogue) = self.dialogue.as_mut()?;
        if from == *client {
            let room = limits::FOREIGN_LINE.saturating_sub(self.request.len()).min(bytes.len());
            self.request.extend_from_slice(bytes.get(..room).unwrap_or_default());
            return match dialogue.client(arrival, bytes) {
                Step::Lost => self.end_dialogue(),
                _ => self.answer(),
            };
        }
        if self.pieces.is_empty() && !dialogue.awaits_request() {
            if is_http2(dialogue, bytes) {
                return self.answers_in_http2(from, arrival, bytes);
            }
            return match dialogue.server(bytes) {
                Step::More => None,
                Step::Lost => self.end_dialogue(),
                Step::Switched(switch) => {
                    let behind = bytes.len().saturating_sub(switch.server_rest);
                    let known = Detected::Switched { client: *client, switch };
                    self.append(from, arrival, bytes.get(behind..).unwrap_or_default());
                    Some(known)
                }
            };
        }
        if self.is_full(bytes.len()) {
            self.http1_limited = true;
            let known = self.end_dialogue();
            return self.search(from, arrival, bytes, known);
        }
        self.append(from, arrival, bytes);
        None
    }

    /// The server answers HTTP/1.1 in HTTP/2; its bytes that were read are put before those that wait.
    fn answers_in_http2(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) -> Option<Detected> {
        let (client, dialogue) = self.dialogue.take()?;
        let begin = [dialogue.first_head().unwrap_or_default(), bytes].concat();
        let waiting = std::mem::take(&mut self.pieces);
        self.append(from, arrival, &begin);
        self.pieces.extend(waiting);
        Some(Detected::Server { client, arrival: *arrival, request: std::mem::take(&mut self.request) })
    }

    /// Goes on with what the server sent and had to wait.
    fn answer(&mut self) -> Option<Detected> {
        let (client, dialogue) = self.dialogue.as_mut()?;
        let (client, mut step, mut read) = (*client, Step::More, 0);
        while matches!(step, Step::More)
            && !dialogue.awaits_request()
            && let Some(Piece { what: What::Bytes { start, end }, arrival, .. }) = self.pieces.get(read)
        {
            let bytes = self.bytes.get(*start..*end).unwrap_or_default();
            if is_http2(dialogue, bytes) {
                let arrival = *arrival;
                self.pieces.drain(..read);
                return self.answers_in_http2(client.reverse(), &arrival, &[]);
            }
            step = dialogue.server(bytes);
            read += 1;
        }
        let known = match step {
            Step::More => None,
            Step::Lost => {
                // Of the last one it is not known what it is.
                self.pieces.drain(..read.saturating_sub(1));
                return self.end_dialogue();
            }
            Step::Switched(switch) => {
                // What is behind the response stays.
                read -= 1;
                let piece = self.pieces.get_mut(read)?;
                if let What::Bytes { start, end } = &mut piece.what {
                    *start = end.saturating_sub(switch.server_rest);
                }
                Some(Detected::Switched { client, switch })
            }
        };
        self.pieces.drain(..read);
        match self.pieces.first() {
            None => self.bytes.clear(),
            Some(&Piece { what: What::Bytes { start, .. }, .. }) if start > self.bytes.len() / 2 => {
                self.forget(start);
            }
            Some(_) => {}
        }
        known
    }

    /// Nothing follows: what the connection is, as far as that is known.
    pub(super) fn finish(&mut self) -> Option<Detected> {
        let records = |side: &Begin| side.records.is_likely();
        let tls = records(&self.sides.forward) || records(&self.sides.backward);
        self.take_recognised().or(tls.then_some(Detected::Tls))
    }

    /// Nothing follows, and it is not known what the connection is: its bytes that may be HTTP/2. Of a connection that was seen
    /// from its start that is known, but of a side whose first bytes are missing.
    pub(super) fn doubtful_bytes(&self, from_start: bool) -> u64 {
        let sides = [&self.sides.forward, &self.sides.backward];
        sides
            .into_iter()
            .filter(|side| side.late || !from_start)
            .filter_map(|side| side.detector.as_ref())
            .map(|detector| detector.doubtful_bytes())
            .sum()
    }

    /// Bytes of a direction are missing; what the connection is, if that settles it.
    pub(super) fn gap(&mut self, from: Direction, arrival: &Arrival, gap: Gap) -> Option<Detected> {
        let known = self.end_dialogue();
        let side = &mut self.sides[from];
        side.undecidable = !side.head.is_empty();
        side.late |= side.head.is_empty();
        side.detector.get_or_insert_default().gap(gap.len);
        side.records.gap();
        if self.is_full(0) {
            self.drop_older_half();
        }
        self.pieces.push(Piece { from, arrival: *arrival, what: What::Gap(gap) });
        let awaits = self.awaits_roles();
        known.or_else(|| self.recognised.take_if(|_| self.sides[from].late && !awaits))
    }

    /// The first that is known of the connection is that this direction's first bytes are missing.
    pub(super) fn lose_start(&mut self, from: Direction, arrival: &Arrival, gap: Gap) {
        self.sides[from].late = true;
        self.lost_start = Some((from, *arrival, gap.cause));
    }

    /// Which direction's, until when, and why.
    pub(super) const fn lost_start(&self) -> Option<(Direction, Arrival, GapCause)> {
        self.lost_start
    }

    /// Nothing of a direction was seen yet.
    pub(super) fn is_unread(&self, from: Direction) -> bool {
        let side = &self.sides[from];
        side.head.is_empty() && !side.late && side.detector.is_none()
    }

    /// The kept bytes of a direction do not begin with its first.
    pub(super) fn is_late(&self, from: Direction) -> bool {
        self.sides[from].late
    }

    /// The direction begins with a response of HTTP/1.1.
    pub(super) fn is_response(&self, from: Direction) -> bool {
        self.sides[from].head.starts_with(b"HTTP/1.")
    }

    /// A server declined to upgrade.
    pub(super) fn declined(&self) -> bool {
        self.declined || self.dialogue.as_ref().is_some_and(|(_, dialogue)| dialogue.declined())
    }

    /// When the first of what is kept of each direction came.
    pub(super) fn first_times(&self) -> PerDirection<Timestamp> {
        let mut first = PerDirection { forward: Timestamp::MAX, backward: Timestamp::MAX };
        for Piece { from, arrival: Arrival { at, record_since, .. }, .. } in &self.pieces {
            first[*from] = first[*from].min(record_since.unwrap_or(at.time));
        }
        first
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        let sides = [&self.sides.forward, &self.sides.backward];
        let detectors = sides.iter().filter_map(|side| side.detector.as_ref());
        self.bytes.capacity()
            + self.request.capacity()
            + self.pieces.capacity() * size_of::<Piece>()
            + self.dialogue.as_ref().map_or(0, |(_, dialogue)| dialogue.memory())
            + sides.iter().map(|side| side.head.capacity()).sum::<usize>()
            + detectors.map(|detector| size_of::<Detector>() + detector.memory()).sum::<usize>()
    }

    /// The kept pieces, in the order in which they came, and their bytes.
    pub(super) fn take(&mut self) -> (Vec<Piece>, Vec<u8>) {
        (std::mem::take(&mut self.pieces), std::mem::take(&mut self.bytes))
    }

    /// Takes a PROXY protocol header off, with what was kept of it; what remains of `bytes`.
    fn take_proxy_header<'a>(&mut self, from: Direction, bytes: &'a [u8]) -> &'a [u8] {
        let side = &mut self.sides[from];
        if side.may_be_proxy_header() {
            let held = side.head.len();
            let header =
                if held == 0 { proxy::header(bytes) } else { proxy::header(&[&side.head, bytes].concat()) };
            match header {
                proxy::Header::Present(len) => {
                    side.head.clear();
                    side.proxy = Some(len - held.min(len));
                    self.pieces.retain(|piece| piece.from != from);
                }
                proxy::Header::Absent => side.proxy = Some(0),
                proxy::Header::Undecided => {}
            }
        }
        let Some(left) = &mut side.proxy else { return bytes };
        let off = (*left).min(bytes.len());
        *left -= off;
        bytes.get(off..).unwrap_or_default()
    }

    fn keep(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) {
        if self.is_full(bytes.len()) {
            self.drop_older_half();
        }
        self.append(from, arrival, bytes);
    }

    fn is_full(&self, more: usize) -> bool {
        self.bytes.len() + more > limits::DETECTION_BYTES || self.pieces.len() >= limits::DETECTION_PIECES
    }

    fn append(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let what = What::Bytes { start, end: start + bytes.len() };
        self.pieces.push(Piece { from, arrival: *arrival, what });
    }

    fn drop_older_half(&mut self) {
        let dropped = self.pieces.len() / 2;
        self.limited |= dropped > 0;
        let mut cut = self.bytes.len();
        for (index, piece) in self.pieces.iter().enumerate() {
            if index < dropped {
                self.sides[piece.from].late = true;
            } else if let What::Bytes { start, .. } = piece.what {
                cut = start;
                break;
            }
        }
        self.pieces.drain(..dropped);
        self.forget(cut);
    }

    /// Forgets the first bytes, which no piece has.
    fn forget(&mut self, cut: usize) {
        self.bytes.drain(..cut);
        for piece in &mut self.pieces {
            if let What::Bytes { start, end } = &mut piece.what {
                (*start, *end) = (*start - cut, *end - cut);
            }
        }
    }

    /// HTTP/1.1 from `client`: what was kept is read again as that.
    fn start_dialogue(&mut self, client: Direction) -> Option<Detected> {
        let (pieces, bytes) = self.take();
        self.dialogue = Some((client, Box::default()));
        let mut known = None;
        for piece in pieces {
            let What::Bytes { start, end } = piece.what else { continue };
            let part = bytes.get(start..end).unwrap_or_default();
            if known.is_none() && self.dialogue.is_some() {
                known = self.data(piece.from, &piece.arrival, part, 0);
            }
        }
        known
    }

    /// HTTP/1.1 cannot be followed any more; HTTP/2 may still come later, or have come already, with what waits for a request.
    fn end_dialogue(&mut self) -> Option<Detected> {
        let (_, dialogue) = self.dialogue.take()?;
        self.declined |= dialogue.declined();
        self.http1_limited |= dialogue.limited();
        for from in [Direction::Forward, Direction::Backward] {
            let side = &mut self.sides[from];
            (side.late, side.undecidable) = (true, true);
        }
        let mut known = self.recognised.take();
        let (pieces, bytes) = self.take();
        for piece in pieces {
            if let What::Bytes { start, end } = piece.what {
                let part = bytes.get(start..end).unwrap_or_default();
                known = self.search(piece.from, &piece.arrival, part, known);
            }
        }
        known
    }

    /// Keeps bytes, and looks what they are where that is not known.
    fn search(
        &mut self,
        from: Direction,
        arrival: &Arrival,
        bytes: &[u8],
        known: Option<Detected>,
    ) -> Option<Detected> {
        if known.is_none() {
            return self.data(from, arrival, bytes, 0);
        }
        self.append(from, arrival, bytes);
        known
    }
}

enum Decision {
    Preface,
    Tls,
    Http1,
    Wait,
    Unknown,
}

impl Begin {
    fn decide(&self) -> Decision {
        if self.may_be_proxy_header() {
            return Decision::Wait;
        }
        let head = self.head.as_slice();
        let begins = head.iter().zip(PREFACE).all(|(a, b)| a == b);
        if begins {
            return if head.len() < PREFACE.len() { Decision::Wait } else { Decision::Preface };
        }
        match tls::looks_like_tls(head) {
            tls::Detection::Tls => return Decision::Tls,
            tls::Detection::NeedMore => return Decision::Wait,
            tls::Detection::Other => {}
        }
        match http1::looks_like_request(head) {
            Some(true) => Decision::Http1,
            None => Decision::Wait,
            Some(false) => Decision::Unknown,
        }
    }

    /// Whether the head, with what follows it, may be a PROXY protocol header.
    fn may_be_proxy_header(&self) -> bool {
        self.proxy.is_none() && !self.late && !self.undecidable
    }
}

/// The server's first octets, with these, begin a SETTINGS frame, as they do in HTTP/2 (RFC 9113 section 3.4).
fn is_http2(dialogue: &Dialogue, bytes: &[u8]) -> bool {
    let Some(head) = dialogue.first_head() else { return false };
    let begin = bytes.get(..bytes.len().min(9)).unwrap_or_default();
    FrameHeader::read(&[head, begin].concat()).is_some_and(|header| {
        let FrameHeader { length, kind, flags, stream, reserved } = header;
        kind == FrameType::SETTINGS
            && (flags, stream, reserved) == (Flags(0), 0, false)
            && length <= 1 << 14
            && length.is_multiple_of(6)
    })
}

/// Who is the client, where that side sends in this direction.
const fn client_of(from: Direction, sender: Side) -> Direction {
    if sender.is_client() { from } else { from.reverse() }
}

//! Header blocks: which part of which message one is, and what follows from its fields for its stream (RFC 9113 section 8).

use super::section::{Method, Role, SectionRules};
use super::streams::Sighting;
use super::suspicion::{Excuse, Suspicion};
use super::{ENABLE_CONNECT_PROTOCOL, Judge, MAX_HEADER_LIST_SIZE};
use crate::flow::GapCause;
use crate::http2::{Anomaly, Block, BlockEnd, EventContext, hpack};

impl Judge {
    /// A header block begins.
    pub(super) fn start_block(&mut self, block: &Block) {
        let from = block.from;
        let certain = self.sides[from].whole;
        let role = if block.promised.is_some() {
            Role::Request
        } else {
            let sent = self.streams.get_mut(block.stream).map(|stream| stream.sides[from]);
            match sent.filter(|sent| !sent.ended).map(|sent| sent.headers) {
                Some(Sighting::Yes) => Role::Trailers,
                Some(Sighting::No) if certain && from.is_client() => Role::Request,
                Some(Sighting::No) if certain => Role::Response,
                _ => Role::Unknown,
            }
        };
        self.section = SectionRules::new(block, role, std::mem::take(&mut self.block_malformed));
        self.judges_block = !self.sides[from].unjudged;
    }

    /// A field of it.
    #[inline]
    pub(super) fn take_field(&mut self, field: &hpack::Field<'_>) {
        if self.judges_block {
            self.section.field(field, &mut self.findings);
        }
    }

    /// The header block is over.
    pub(super) fn end_block(&mut self, cx: &EventContext<'_>, block: &Block, end: &BlockEnd) {
        let (from, id, at) = (block.from, block.stream, block.last);
        if self.sides[from].unjudged {
            return;
        }
        if self.is_ordinary_section(cx, block, end) {
            return;
        }
        self.section.end(end, &mut self.findings);
        self.list_size(cx, block, end);
        if let Some(promised) = block.promised {
            if let Some(stream) = self.streams.get_mut(promised) {
                stream.method = self.section.method;
            }
            return;
        }
        match self.section.role() {
            Role::Request => self.end_request(cx, block),
            Role::Response => self.end_response(block),
            Role::Trailers if !block.end_stream => {
                self.findings.add(from, id, Anomaly::TrailersWithoutEnd, at);
            }
            Role::Trailers | Role::Unknown => {}
        }
        if block.end_stream {
            self.end(from, id, at);
        }
    }

    /// A request's header section is over.
    fn end_request(&mut self, cx: &EventContext<'_>, block: &Block) {
        let (from, stream, at) = (block.from, block.stream, block.last);
        if let Some(open) = self.streams.get_mut(stream) {
            let sent = &mut open.sides[from];
            (sent.headers, sent.losses) = (Sighting::Yes, self.sides[from].losses);
            (sent.length, open.method) = (self.section.length, self.section.method);
        }
        if self.section.is_extended_connect() && !self.sides[from.peer()].connect_protocol {
            let (anomaly, excuse) = (Anomaly::PseudoProtocol, Excuse::Announced(ENABLE_CONNECT_PROTOCOL));
            self.suspect(cx, Suspicion { from, anomaly, stream, at, excuse, needs: 1 });
        }
    }

    /// A response's header section is over, of an interim one perhaps.
    fn end_response(&mut self, block: &Block) {
        let from = block.from;
        let status = self.section.status;
        if matches!(status, Some(100..=199)) {
            if block.end_stream {
                self.findings.add(from, block.stream, Anomaly::InterimEnd, block.last);
            }
            return;
        }
        let Some(stream) = self.streams.get_mut(block.stream) else { return };
        let sent = &mut stream.sides[from];
        let Some(status) = status else {
            sent.headers = Sighting::Unknown;
            return;
        };
        let binds = match (stream.method, status) {
            (Method::Unknown | Method::Head, _) | (_, 204 | 304) => false,
            (Method::Connect, status) => !(200..300).contains(&status),
            _ => true,
        };
        sent.bare = stream.method == Method::Head || matches!(status, 204 | 304);
        (sent.headers, sent.losses) = (Sighting::Yes, self.sides[from].losses);
        sent.length = self.section.length.filter(|_| binds);
    }

    /// The header section is larger than h2lens or the receiver takes (section 10.5.1).
    fn list_size(&mut self, cx: &EventContext<'_>, block: &Block, end: &BlockEnd) {
        let limited = end.limited || end.cut == Some(GapCause::Limit);
        let (size, peer) = (list_size(end), block.from.peer());
        // What was announced since may allow more.
        if !limited && size <= u64::from(cx.ledger.settings(peer).max_header_list_size) {
            return;
        }
        let most = self.most(cx.ledger, peer, |values| values.max_header_list_size);
        let beyond = most.is_some_and(|most| size > u64::from(most)) && self.both_known();
        let (from, stream, at) = (block.from, block.stream, block.last);
        let anomaly = Anomaly::HeaderListLimit;
        if limited {
            self.findings.add(from, stream, anomaly, at);
        } else if beyond {
            let excuse = Excuse::Announced(MAX_HEADER_LIST_SIZE);
            self.suspect(cx, Suspicion { from, anomaly, stream, at, excuse, needs: 1 });
        }
    }
}

/// The size of a header section (RFC 9113 section 6.5.2).
pub(super) fn list_size(end: &BlockEnd) -> u64 {
    end.decoded_bytes + 32 * u64::from(end.fields)
}

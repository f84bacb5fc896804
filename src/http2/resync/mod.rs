//! Finding a frame boundary, after a loss or on joining late: bytes are kept in a `buffer` until a `chain` of frame headers in
//! them is believable.
//!
//! ```text
//! bytes ──► buffer ──► scan: each place, once ──► chain ──► found: read on from there
//!                        ▲                          ├─ no
//!                        └── candidates, once ◄─────┘ more bytes must tell
//!                            the bytes are there
//! ```
//!
//! State: at most [`limits::RESYNC_BUFFER`] bytes and [`limits::RESYNC_CANDIDATES`] candidates. Each offset is looked at
//! once, each candidate again when bytes come, for at most eight headers, and header blocks are decoded on credit
//! ([`limits::RESYNC_DECODE`]): linear in the bytes skipped.

mod buffer;
mod chain;
#[cfg(test)]
mod tests;

pub(super) use buffer::Piece;
pub(super) use chain::{Chain, RequiredEvidence};

use super::doubt::{self, Part};
use super::frame::{self, FrameHeader};
use super::plausibility::{self, Expect};
use crate::base::limits;
use crate::flow::{Arrival, GapCause};
use buffer::Buffer;
use chain::{DecodeCredit, Question, Verdict};

/// Bytes in which a frame boundary is looked for, and how far the search has come.
#[derive(Debug, Default)]
pub(super) struct SearchBuffer {
    buffer: Buffer,
    /// Places before this were looked at.
    scanned: usize,
    /// In order.
    candidates: Vec<Candidate>,
    credit: DecodeCredit,
}

/// A place that may be a boundary.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    at: usize,
    /// Where the buffer must end for more to be said.
    need: usize,
    /// A segment begins here.
    aligned: bool,
    /// It is a boundary, unless an earlier place where a segment begins turns out to be one.
    believed: Option<Chain>,
}

/// What a search has come to. A frame may hold what looks like frames, as in a tunnel: so an earlier place where a segment begins
/// comes first, while there is room to wait for it.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    found: Option<(usize, Chain)>,
    /// There is room to wait.
    patient: bool,
    /// An earlier place is waited for.
    awaited: bool,
}

impl SearchBuffer {
    /// Adds bytes of one segment.
    pub(super) fn push_data(&mut self, arrival: &Arrival, bytes: &[u8]) {
        self.credit.searched += bytes.len() as u64;
        self.buffer.push_data(arrival, bytes);
    }

    /// Adds a hole; one that is longer than the buffer empties it, and after many the older half is given up.
    pub(super) fn push_gap(&mut self, arrival: &Arrival, len: u64, cause: GapCause) {
        self.buffer.push_gap(arrival, len, cause);
    }

    /// Gives up what is in the buffer.
    pub(super) fn skip_all(&mut self) {
        self.buffer.skip_to(self.buffer.end());
    }

    /// Bytes seen and skipped since the loss, or since they were last taken.
    pub(super) const fn skipped(&self) -> u64 {
        self.buffer.skipped()
    }

    /// The same, to be told of once: what is skipped from here on counts anew.
    pub(super) const fn take_skipped(&mut self) -> u64 {
        self.buffer.take_skipped()
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.buffer.memory() + self.candidates.capacity() * size_of::<Candidate>()
    }

    /// Bytes in the buffer.
    pub(super) const fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Empties the buffer for the next loss.
    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        self.scanned = 0;
        self.candidates = Vec::new();
    }

    /// Looks for a boundary. `last`: no more bytes will come, so what is undecided is decided. When there is
    /// one, the buffer starts with it, and [`SearchBuffer::next_piece`] gives it back.
    pub(super) fn search(
        &mut self,
        expect: &Expect,
        required: RequiredEvidence,
        last: bool,
    ) -> Option<Chain> {
        let patient = !last && self.buffer.len() < limits::RESYNC_BUFFER / 2;
        let mut progress = Progress { patient, ..Progress::default() };
        self.scanned = self.scanned.max(self.buffer.head());
        let question = Question { buffer: &self.buffer, expect, required, last };
        progress.reconsider(&question, &mut self.candidates, &mut self.credit);
        progress.scan(&question, &mut self.scanned, &mut self.candidates, &mut self.credit);
        let Some((at, chain)) = progress.found else {
            self.buffer.bound();
            return None;
        };
        self.buffer.skip_to(at);
        self.candidates.clear();
        Some(chain)
    }

    /// Whether what is in the buffer cannot be told from HTTP/2, now that nothing follows.
    pub(super) fn is_doubtful(&self) -> bool {
        let parts: Vec<_> = self.buffer.parts().map(|(start, hole)| Part { start, hole }).collect();
        doubt::is_doubtful(self.buffer.tail(self.buffer.head()), &parts)
    }

    /// Some place in the buffer may yet turn out to be a boundary.
    pub(super) fn hopeful(&self) -> bool {
        self.candidates.iter().any(|candidate| candidate.at >= self.buffer.head())
    }

    /// The first piece of the buffer; it stays there until [`SearchBuffer::consume`]d.
    pub(super) fn next_piece(&self) -> Option<Piece<'_>> {
        self.buffer.next_piece()
    }

    /// Takes bytes, or a part of a hole, off the buffer's start: they were read.
    pub(super) fn consume(&mut self, len: usize) {
        self.buffer.consume(len);
    }
}

impl Progress {
    /// Looks again at the candidates, in order, as far as more can be said of them.
    fn reconsider(
        &mut self,
        question: &Question<'_>,
        candidates: &mut Vec<Candidate>,
        credit: &mut DecodeCredit,
    ) {
        // That an earlier place is HTTP/2, frames within it tell.
        let vouched = candidates.iter().any(|candidate| candidate.believed.is_some());
        let required = if vouched { question.required.untold() } else { question.required };
        let question = Question { required, ..*question };
        candidates.retain_mut(|candidate| {
            if self.found.is_some() || candidate.at < question.buffer.head() {
                return false;
            }
            if candidate.believed.is_none() && (question.last || candidate.need <= question.buffer.end()) {
                match question.ask(candidate.at, credit) {
                    Verdict::Yes(chain) => candidate.believed = Some(chain),
                    Verdict::No => return false,
                    Verdict::More(need) => candidate.need = need,
                }
            }
            match candidate.believed {
                Some(chain) if !self.awaited => self.found = Some((candidate.at, chain)),
                Some(_) => {}
                None => self.awaited |= self.patient && candidate.aligned,
            }
            self.found.is_none()
        });
    }

    /// Looks at the places that were not looked at, up to the first that is believed.
    fn scan(
        &mut self,
        question: &Question<'_>,
        scanned: &mut usize,
        candidates: &mut Vec<Candidate>,
        credit: &mut DecodeCredit,
    ) {
        let mut believed = candidates.iter().any(|candidate| candidate.believed.is_some());
        while self.found.is_none() && !believed {
            let Some(at) = next_place(question, scanned) else { return };
            let verdict = question.ask(at, credit);
            let room = candidates.len() < limits::RESYNC_CANDIDATES;
            let aligned = question.buffer.is_aligned(at);
            match verdict {
                Verdict::Yes(chain) if self.awaited && room => {
                    candidates.push(Candidate { at, need: at, aligned, believed: Some(chain) });
                    believed = true;
                }
                Verdict::Yes(chain) => self.found = Some((at, chain)),
                Verdict::More(need) if room => {
                    self.awaited |= self.patient && aligned;
                    candidates.push(Candidate { at, need, aligned, believed: None });
                }
                Verdict::More(_) | Verdict::No => {}
            }
        }
    }
}

/// The next place at which a search may begin; `None` where there is none yet.
fn next_place(question: &Question<'_>, scanned: &mut usize) -> Option<usize> {
    let Question { buffer, expect, .. } = *question;
    while *scanned + frame::LEN <= buffer.end() {
        let at = *scanned;
        let rest = buffer.tail(at);
        if expect.max_frame < 1 << 16 && rest.first() != Some(&0) {
            // The first octet of the length is 0: go straight to the next zero.
            *scanned = memchr::memchr(0, rest).map_or(buffer.end(), |next| at + next);
            continue;
        }
        *scanned += 1;
        if FrameHeader::read(rest).is_some_and(|header| plausibility::may_begin(&header, expect)) {
            return Some(at);
        }
    }
    None
}

//! The codings of a body, undone one after the other.

use super::coding::{Coding, Decoder, Named};
use super::credit::Credit;
use super::step::Damage;
use crate::base::limits::{BODY_CODINGS, BODY_EXPANSION, BODY_EXPANSION_SURE};

/// Bytes that a decoder writes at once.
const PIECE: usize = 8 << 10;

/// Why a body is not decoded, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The coding is not one that can be decoded.
    Unknown(String),
    /// More codings than are undone.
    TooMany,
    /// The bytes are not of this coding, or are damaged.
    Damaged(Coding),
    /// The check at the end does not match.
    Checksum(Coding),
    /// Bytes follow the end of what was coded.
    Trailing(Coding),
    /// The coding wants more memory than is given.
    Window(Coding),
    /// The body ended, and what was coded had not.
    Cut(Coding),
    /// It decodes to more than its size allows to believe.
    Expansion(Coding),
}

impl Reason {
    /// The name of the reason: stable, `snake_case`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown_coding",
            Self::TooMany => "too_many_codings",
            Self::Damaged(_) => "damaged",
            Self::Checksum(_) => "checksum",
            Self::Trailing(_) => "trailing_bytes",
            Self::Window(_) => "window",
            Self::Cut(_) => "cut",
            Self::Expansion(_) => "expansion",
        }
    }

    /// The coding that it happened in.
    pub fn coding(&self) -> Option<&str> {
        match self {
            Self::Unknown(name) => Some(name),
            Self::TooMany => None,
            Self::Damaged(coding)
            | Self::Checksum(coding)
            | Self::Trailing(coding)
            | Self::Window(coding)
            | Self::Cut(coding)
            | Self::Expansion(coding) => Some(coding.name()),
        }
    }

    const fn of(damage: Damage, coding: Coding) -> Self {
        match damage {
            Damage::Data => Self::Damaged(coding),
            Damage::Checksum => Self::Checksum(coding),
            Damage::Trailing => Self::Trailing(coding),
            Damage::Window => Self::Window(coding),
        }
    }
}

/// What does not decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// Bytes that the failing coding had given until then.
    pub at: u64,
}

/// One coding.
struct Stage {
    coding: Coding,
    decoder: Decoder,
    out: Box<[u8]>,
    read: u64,
    written: u64,
    /// The input from its beginning, up to the cap: shown when nothing that can be believed comes of it.
    kept: Vec<u8>,
    /// Not all of it was kept.
    more: bool,
    /// What came out can be believed.
    believed: bool,
}

/// Undoes a body's codings.
#[derive(Default)]
pub struct Chain {
    /// In the order of undoing: the last one applied comes first.
    stages: Vec<Stage>,
    /// Input bytes kept for the case that nothing decodes.
    keep: usize,
    /// Bytes given by all codings.
    expanded: u64,
    read: u64,
    /// What went wrong, and in which stage.
    failure: Option<(Failure, usize)>,
}

impl Chain {
    /// For codings in the order of their application; up to `keep` bytes are kept of what may have to be shown as it is.
    pub fn new(codings: &[Named], keep: usize) -> Self {
        let mut chain = Self { keep, ..Self::default() };
        if codings.len() > BODY_CODINGS {
            chain.failure = Some((Failure { reason: Reason::TooMany, at: 0 }, 0));
            return chain;
        }
        for named in codings.iter().rev() {
            match named {
                Named::Known(coding) => chain.stages.push(Stage::new(*coding)),
                Named::Unknown(name) => {
                    let failure = Failure { reason: Reason::Unknown(name.clone()), at: 0 };
                    chain.failure = Some((failure, chain.stages.len()));
                    break;
                }
            }
        }
        chain
    }

    /// The next bytes of the body, which were [earned](Credit::earn); what they decode to goes to the sink.
    pub fn push(&mut self, bytes: &[u8], credit: &Credit, sink: &mut dyn FnMut(&[u8])) {
        self.read = self.read.saturating_add(bytes.len() as u64);
        self.run(0, bytes, credit, sink);
    }

    fn run(&mut self, at: usize, mut input: &[u8], credit: &Credit, sink: &mut dyn FnMut(&[u8])) {
        // A decoder that gets nothing several times in a row may call that damage; it owes nothing, as it was asked until then.
        if input.is_empty() {
            return;
        }
        let keep = self.keep;
        let Some(stage) = self.stages.get_mut(at) else { return sink(input) };
        stage.keep(input, keep);
        if self.failure.as_ref().is_some_and(|(_, stage)| *stage <= at) {
            return;
        }
        loop {
            let own = BODY_EXPANSION * self.read;
            let Some(stage) = self.stages.get_mut(at) else { return };
            if !credit.has_room(stage.decoder.ahead()) {
                let failure = Failure { reason: Reason::Expansion(stage.coding), at: stage.written };
                return self.fail(failure, at);
            }
            let mut out = std::mem::take(&mut stage.out);
            let (progress, damage) = stage.decoder.step(input, &mut out);
            input = input.get(progress.read..).unwrap_or_default();
            stage.read += progress.read as u64;
            stage.written += progress.written as u64;
            let expanded =
                progress.written as u64 + if damage.is_some() { stage.decoder.unwritten() } else { 0 };
            self.expanded += expanded;
            let paid = credit.decode(expanded, self.expanded <= own);
            let allowed = paid && self.expanded <= own + BODY_EXPANSION_SURE;
            stage.believe();
            let (coding, written) = (stage.coding, stage.written);
            self.run(at + 1, out.get(..progress.written).unwrap_or_default(), credit, sink);
            let full = progress.written == out.len();
            if let Some(stage) = self.stages.get_mut(at) {
                stage.out = out;
            }
            let reason = damage.map(|damage| Reason::of(damage, coding));
            let reason = reason.or_else(|| (!allowed).then_some(Reason::Expansion(coding)));
            if let Some(reason) = reason {
                self.fail(Failure { reason, at: written }, at);
                return;
            }
            let stuck = progress.read == 0 && progress.written == 0;
            if stuck || (input.is_empty() && !full) || self.failed_at(at) {
                return;
            }
        }
    }

    /// A failure further down ends what is done here, too.
    fn failed_at(&self, at: usize) -> bool {
        self.failure
            .as_ref()
            .is_some_and(|(failure, stage)| *stage <= at || matches!(failure.reason, Reason::Expansion(_)))
    }

    fn fail(&mut self, failure: Failure, at: usize) {
        // The outer coding is where it began; an unknown one further in is no reason to forget it.
        if self.failure.as_ref().is_none_or(|(_, stage)| at <= *stage) {
            self.failure = Some((failure, at));
        }
    }

    /// The body is over; nothing was missed.
    pub fn finish(&mut self) {
        if self.read == 0 || self.failure.is_some() {
            return;
        }
        let open = self.stages.iter().position(|stage| !stage.decoder.at_end());
        if let Some((at, stage)) = open.and_then(|at| Some((at, self.stages.get(at)?))) {
            let failure = Failure { reason: Reason::Cut(stage.coding), at: stage.written };
            self.failure = Some((failure, at));
        }
    }

    /// What went wrong.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref().map(|(failure, _)| failure)
    }

    /// What went to the sink is the decoded body, or its beginning.
    pub fn is_decoded(&self) -> bool {
        self.failure.as_ref().is_none_or(|(failure, at)| {
            matches!(failure.reason, Reason::Trailing(_) | Reason::Checksum(_) | Reason::Cut(_))
                || self.stages.iter().skip(*at).all(|stage| stage.believed) && *at < self.stages.len()
        })
    }

    /// All of it went to the sink, whether or not more followed.
    pub fn is_whole(&self) -> bool {
        self.failure.as_ref().is_none_or(|(failure, _)| matches!(failure.reason, Reason::Trailing(_)))
    }

    /// Where nothing that can be believed was decoded: the bytes that do not decode, as far as they were kept, and
    /// whether there were more. `None` where they are what went to the sink.
    pub fn undecoded(&self) -> Option<(&[u8], bool)> {
        let (_, at) = self.failure.as_ref()?;
        self.stages.get(*at).map(|stage| (stage.kept.as_slice(), stage.more))
    }

    /// The body is its content as it is.
    pub fn is_plain(&self) -> bool {
        self.stages.is_empty() && self.failure.is_none()
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.stages.iter().map(|stage| stage.out.len() + stage.kept.capacity() + stage.decoder.memory()).sum()
    }
}

impl Stage {
    fn new(coding: Coding) -> Self {
        Self {
            coding,
            decoder: Decoder::new(coding),
            out: vec![0; PIECE].into_boxed_slice(),
            read: 0,
            written: 0,
            kept: Vec::new(),
            more: false,
            believed: false,
        }
    }

    fn keep(&mut self, input: &[u8], cap: usize) {
        if !self.believed {
            let room = cap.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(input.get(..room).unwrap_or(input));
            self.more |= input.len() > room;
        }
    }

    /// Where a signature was read and something came of it, it need not be shown as it is.
    fn believe(&mut self) {
        if !self.believed && self.written > 0 && self.decoder.is_signed() {
            self.believed = true;
            self.kept = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests;

//! Which secret protects a record, and with what number: the tries, cheapest first.

use super::budget::{Tries, Try};
use super::clues::{Clue, Clues};
use crate::base::direction::Direction;
use crate::tls::cipher::{Opener, Writer};
use crate::tls::keylog::{ClientRandom, ConnectionSecrets, KeyStore, Label};
use crate::tls::nonce::{NonceSolver, Sealed};
use crate::tls::record;
use crate::tls::schedule::next_traffic_secret;
use crate::tls::secret::Secret;
use crate::tls::suite::{Mode, Suite};
use std::collections::HashSet;

/// Key updates within a hole that are reckoned with.
pub(crate) const GENERATIONS: u16 = 64;

/// Key updates before the join that are reckoned with, beside those in the key log.
const UPDATES: u16 = 16;

/// Records of a handshake under one secret, and numbers of them that are tried.
const HANDSHAKE_RECORDS: u64 = 64;

/// Numbers that are tried of the suites with AES-CCM, which hardly anyone uses.
const CCM_NUMBERS: u64 = 1 << 14;

/// Numbers that are tried of all secrets before those after key updates, and that far from the other direction's number.
const WELL_TRIED: u64 = 4096;

/// Of these, such that are tried on several records, as the shortest one may be none, or of the handshake.
const SEVERAL: u64 = 512;

/// Secrets whose numbers are tried at the most: of more, no number could be reached.
const SEARCHED: usize = 4096;

/// Secrets at the most whose numbers are searched after key updates, too, and numbers that are tried then.
const UPDATED: (usize, u64) = (16, 256);

/// Records at the start of a connection of TLS 1.2 that may be the first one of their direction.
const FIRST_RECORDS: u64 = 8;

/// The shortest of them, which are tried before the others.
const SHORT: usize = 2;

/// What is known of a connection before the search.
#[derive(Clone, Default)]
pub(crate) struct Hints {
    /// The client's direction.
    pub(crate) client: Option<Direction>,
    /// The suite, from the server hello or from the other direction.
    pub(crate) suite: Option<Suite>,
    /// The client hello is there, and has another random than the secrets (RFC 9849): the records are the first ones.
    pub(crate) hello: bool,
    /// The client random, from the other direction.
    pub(crate) random: Option<ClientRandom>,
    /// The number of a record of the other direction.
    pub(crate) near: Option<u64>,
    /// Of TLS 1.2: the server random, and whether it is encrypt-then-MAC.
    pub(crate) tls12: Option<([u8; 32], bool)>,
}

/// What a secret is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Application data.
    Application,
    /// What comes before: the handshake, and early data.
    Handshake,
}

/// A secret that protects a record.
#[derive(Clone, Debug)]
pub(crate) struct LateJoin {
    /// Whose secret it is.
    pub(crate) random: ClientRandom,
    /// The place of its connection in the key log.
    pub(crate) place: u64,
    /// Which one.
    pub(crate) label: Label,
    /// The suite.
    pub(crate) suite: Suite,
    /// Key updates before the record.
    pub(crate) generation: u16,
    /// The record's number.
    pub(crate) number: u64,
    /// The record.
    pub(crate) clue: Clue,
}

/// A search of one direction.
pub(super) struct Search<'a> {
    /// The key log.
    pub(super) keys: &'a KeyStore,
    /// What is known.
    pub(super) known: &'a Hints,
    /// Who sends.
    pub(super) from: Direction,
    /// The records.
    pub(super) clues: &'a Clues,
    /// Where in the key log to begin.
    pub(super) place: u64,
    /// Connections whose secrets are known to be another's: they come last.
    pub(super) claimed: &'a HashSet<ClientRandom, foldhash::fast::RandomState>,
    /// What may be tried.
    pub(super) tries: Tries<'a>,
}

/// A secret whose record numbers are searched for.
struct Searched {
    random: ClientRandom,
    place: u64,
    label: Label,
    suite: Suite,
    generation: u16,
    opener: Opener,
    /// Numbers above it are not tried.
    most: u64,
}

impl Searched {
    fn attempt(&self, len: u16) -> Try {
        let len = usize::from(len);
        if self.suite.mode == Mode::ChaCha20Poly1305 { Try::Number(len) } else { Try::CcmNumber(len) }
    }
}

impl<'a> Search<'a> {
    /// Solves for the nonces of these records under such secrets that came after `since`.
    pub(super) fn by_nonce(&mut self, clues: &[Clue], uses: &[Use], since: u64) -> Option<LateJoin> {
        if clues.is_empty() || self.known.suite.is_some_and(|suite| !suite.is_gcm13()) {
            return None;
        }
        let entries = self.entries(since);
        for clue in clues {
            let Some(sealed) = Sealed::new(clue.header, self.clues.fragment(clue)) else { continue };
            for &what in uses {
                for &(place, entry) in &entries {
                    for label in self.labels(what).into_iter().flatten() {
                        let Some((secret, generation)) = entry.earliest(label) else { continue };
                        if !self.fits(secret) {
                            continue;
                        }
                        let len = clue.header.len.into();
                        let attempt =
                            if entry.keeps(label) { Try::Nonce(len) } else { Try::DerivedNonce(len) };
                        if !self.tries.take(attempt) {
                            return None;
                        }
                        let Some(number) = KeyStore::solve(entry, label, &sealed) else { continue };
                        let Some(suite) = Suite::gcm13(secret.bytes().len()) else { continue };
                        let opener = Opener::tls13(suite, secret)?;
                        if self.opens(&opener, clue, number, &mut Vec::new()) {
                            let (random, clue) = (*entry.random(), *clue);
                            return Some(LateJoin { random, place, label, suite, generation, number, clue });
                        }
                    }
                }
            }
        }
        None
    }

    /// Solves for the nonces of these records after key updates (RFC 8446 section 7.2).
    pub(super) fn by_generation(&mut self, clues: &[Clue], since: u64) -> Option<LateJoin> {
        if self.known.suite.is_some_and(|suite| !suite.is_gcm13()) {
            return None;
        }
        let seal = |clue: &Clue| Some((*clue, Sealed::new(clue.header, self.clues.fragment(clue))?));
        let sealed: Vec<_> = clues.iter().filter_map(seal).collect();
        // No more than can be taken a step further.
        let room = self.tries.room(Try::Derived);
        let mut chains: Vec<(u64, &ConnectionSecrets, Label, u16, Secret)> = Vec::new();
        for (place, entry) in self.entries(since) {
            for label in self.labels(Use::Application).into_iter().flatten() {
                if chains.len() < room
                    && let Some((secret, generation)) =
                        entry.earliest(label).filter(|(secret, _)| self.fits(secret))
                {
                    chains.push((place, entry, label, generation, secret.clone()));
                }
            }
        }
        for _ in 0..UPDATES {
            for (place, entry, label, generation, secret) in &mut chains {
                if !self.tries.take(Try::Derived) {
                    return None;
                }
                let Some(suite) = Suite::gcm13(secret.bytes().len()) else { continue };
                *secret = next_traffic_secret(suite.hash, secret)?;
                *generation = generation.saturating_add(1);
                let solver = NonceSolver::new(suite, secret)?;
                for (clue, sealed) in &sealed {
                    if !self.tries.take(Try::Nonce(clue.header.len.into())) {
                        return None;
                    }
                    let Some(number) = solver.number(sealed) else { continue };
                    let opener = Opener::tls13(suite, secret)?;
                    if self.opens(&opener, clue, number, &mut Vec::new()) {
                        return Some(LateJoin {
                            random: *entry.random(),
                            place: *place,
                            label: *label,
                            suite,
                            generation: *generation,
                            number,
                            clue: *clue,
                        });
                    }
                }
            }
        }
        None
    }

    /// Tries numbers, from zero upward, with each secret of the suite of that mode, which does not tell them; near the other
    /// direction's number first.
    pub(super) fn by_number(&mut self, clues: &[Clue], since: u64, mode: Mode) -> Option<LateJoin> {
        let mut searched = self.searched(since, mode);
        if searched.is_empty() || clues.is_empty() {
            return None;
        }
        if let Some(near) = self.known.near {
            let below =
                (1..=WELL_TRIED.min(near)).map(|less| near - less).map(Some).chain(std::iter::repeat(None));
            let around = (near..near + WELL_TRIED).zip(below).flat_map(|(above, below)| [Some(above), below]);
            if let Some(found) = self.in_numbers(&searched, clues, around.flatten()) {
                return Some(found);
            }
        }
        if self.known.hello {
            return self.in_numbers(&searched, clues, 0..HANDSHAKE_RECORDS);
        }
        if searched.len() > UPDATED.0 {
            return self.in_numbers(&searched, clues, 0..u64::MAX);
        }
        // From a low number on all of these were tried.
        let low = if self.known.near.is_some_and(|near| near <= WELL_TRIED) { 0..0 } else { 0..WELL_TRIED };
        let low = self.in_numbers(&searched, clues, low);
        if let Some(found) = low.or_else(|| self.after_updates(since, clues, mode)) {
            return Some(found);
        }
        searched.retain(|searched| searched.most > WELL_TRIED);
        self.in_numbers(&searched, clues, WELL_TRIED..u64::MAX)
    }

    /// As [`Self::by_number`], after key updates.
    fn after_updates(&mut self, since: u64, clues: &[Clue], mode: Mode) -> Option<LateJoin> {
        let mut chains = Vec::new();
        for (place, entry) in self.entries(since) {
            for label in self.labels(Use::Application).into_iter().flatten() {
                if let Some((secret, generation)) = entry.earliest(label)
                    && let Some(suite) = self.searched_suite(secret, mode)
                {
                    chains.push((place, entry, label, suite, generation, secret.clone()));
                }
            }
        }
        for _ in 0..UPDATES {
            let mut searched = Vec::new();
            for (place, entry, label, suite, generation, secret) in &mut chains {
                if !self.tries.take(Try::Derived) {
                    return None;
                }
                *secret = next_traffic_secret(suite.hash, secret)?;
                *generation = generation.saturating_add(1);
                searched.push(Searched {
                    random: *entry.random(),
                    place: *place,
                    label: *label,
                    suite: *suite,
                    generation: *generation,
                    opener: Opener::tls13(*suite, secret)?,
                    most: UPDATED.1,
                });
            }
            let one = clues.get(..1).unwrap_or_default();
            if let Some(found) = self.in_numbers(&searched, one, 0..UPDATED.1) {
                return Some(found);
            }
        }
        None
    }

    fn in_numbers(
        &mut self,
        searched: &[Searched],
        clues: &[Clue],
        numbers: impl IntoIterator<Item = u64>,
    ) -> Option<LateJoin> {
        let mut scratch = Vec::new();
        for number in numbers {
            let clues = clues.get(..if number < SEVERAL { 3 } else { 1 }.min(clues.len()))?;
            let mut any = false;
            for secret in searched.iter().filter(|secret| number <= secret.most) {
                any = true;
                for clue in clues {
                    if !self.tries.take(secret.attempt(clue.header.len)) {
                        return None;
                    }
                    if self.opens(&secret.opener, clue, number, &mut scratch) {
                        let &Searched { random, place, label, suite, generation, .. } = secret;
                        return Some(LateJoin {
                            random,
                            place,
                            label,
                            suite,
                            generation,
                            number,
                            clue: *clue,
                        });
                    }
                }
            }
            if !any {
                break;
            }
        }
        None
    }

    /// Tries master secrets of TLS 1.2, whose randoms were not seen, on the first records of a direction.
    pub(super) fn by_master(&mut self, since: u64) -> Option<LateJoin> {
        let (suite, (server_random, etm)) = self.known.suite.zip(self.known.tls12)?;
        let writer = if self.known.client == Some(self.from) { Writer::Client } else { Writer::Server };
        let mut first = self.clues.first_records(FIRST_RECORDS);
        // A Finished is short, and comes first of what is protected: the shortest are tried under every secret before the others.
        first.sort_by_key(|clue| clue.header.len);
        let (short, others) = first.split_at(first.len().min(SHORT));
        let entries = self.entries(since);
        let mut scratch = Vec::new();
        for clues in [short, others] {
            for (place, entry) in entries.iter().filter(|_| !clues.is_empty()) {
                let Some((master, _)) = entry.earliest(Label::Master) else { continue };
                if !self.tries.take(Try::Derived) {
                    return None;
                }
                let (random, label) = (*entry.random(), Label::Master);
                let Some(opener) = Opener::tls12(suite, master, &random, &server_random, writer, etm) else {
                    continue;
                };
                for clue in clues {
                    for number in 0..=clue.index {
                        if !self.tries.take(Try::Number(clue.header.len.into())) {
                            return None;
                        }
                        if self.opens(&opener, clue, number, &mut scratch) {
                            let (place, clue, generation) = (*place, *clue, 0);
                            return Some(LateJoin { random, place, label, suite, generation, number, clue });
                        }
                    }
                }
            }
        }
        None
    }

    /// The connections of the key log with secrets that came after `since`, those of others last.
    fn entries(&mut self, since: u64) -> Vec<(u64, &'a ConnectionSecrets)> {
        if let Some(random) = &self.known.random {
            return self.keys.entry(random).map(|entry| (self.place, entry)).into_iter().collect();
        }
        if let Some(few) = self.keys.changed_since(since) {
            return few;
        }
        if !self.tries.take(Try::Look(self.keys.len())) {
            return Vec::new();
        }
        let all = || self.keys.around(self.place).filter(|(_, entry)| entry.version() > since);
        if self.claimed.is_empty() {
            return all().collect();
        }
        let (others, free): (Vec<_>, Vec<_>) =
            all().partition(|(_, entry)| self.claimed.contains(entry.random()));
        [free, others].concat()
    }

    /// The secrets for that use that the direction may be protected with.
    fn labels(&self, what: Use) -> [Option<Label>; 3] {
        let client = self.known.client.is_none_or(|client| client == self.from);
        let server = self.known.client.is_none_or(|client| client != self.from);
        match what {
            Use::Application => {
                [client.then_some(Label::ClientApplication), server.then_some(Label::ServerApplication), None]
            }
            Use::Handshake => [
                client.then_some(Label::ClientHandshake),
                server.then_some(Label::ServerHandshake),
                client.then_some(Label::ClientEarly),
            ],
        }
    }

    fn fits(&self, secret: &Secret) -> bool {
        self.known.suite.is_none_or(|suite| suite.hash.len() == secret.bytes().len())
    }

    /// The suite of that mode, if it has secrets of that length and is not known to be another.
    fn searched_suite(&self, secret: &Secret, mode: Mode) -> Option<Suite> {
        let mut suites = [0x1303, 0x1304, 0x1305].into_iter().filter_map(Suite::find);
        let suite = suites.find(|suite| suite.mode == mode && suite.hash.len() == secret.bytes().len())?;
        self.known.suite.is_none_or(|known| known == suite).then_some(suite)
    }

    fn searched(&mut self, since: u64, mode: Mode) -> Vec<Searched> {
        let mut searched = Vec::new();
        // No more than half of the effort is to make them ready.
        let most = SEARCHED.min(self.tries.room(Try::Derived) / 2);
        for what in [Use::Application, Use::Handshake] {
            for (place, entry) in self.entries(since) {
                for label in self.labels(what).into_iter().flatten() {
                    let Some((secret, generation)) = entry.earliest(label) else { continue };
                    if let Some(suite) = self.searched_suite(secret, mode) {
                        if searched.len() >= most || !self.tries.take(Try::Derived) {
                            self.tries.limited = true;
                            return searched;
                        }
                        let most = match (label, suite.mode) {
                            (Label::ClientHandshake | Label::ServerHandshake, _) => HANDSHAKE_RECORDS,
                            (_, Mode::ChaCha20Poly1305) => u64::MAX,
                            _ => CCM_NUMBERS,
                        };
                        let most = if self.known.suite.is_some() { most.max(WELL_TRIED) } else { most };
                        let Some(opener) = Opener::tls13(suite, secret) else { continue };
                        let random = *entry.random();
                        searched.push(Searched { random, place, label, suite, generation, opener, most });
                    }
                }
            }
        }
        searched
    }

    /// Whether a record opens with that number, and has a content type of TLS inside.
    fn opens(&self, opener: &Opener, clue: &Clue, number: u64, scratch: &mut Vec<u8>) -> bool {
        let mut open = |clue: &Clue, number| {
            scratch.clear();
            scratch.extend_from_slice(self.clues.fragment(clue));
            opener.open(number, clue.header, scratch).map(|(content, _)| content)
        };
        let Some(content) = open(clue, number) else { return false };
        if !(record::ALERT..=record::APPLICATION_DATA).contains(&content) {
            return false;
        }
        // A tag of eight bytes alone is little.
        let next = self.clues.next(clue).filter(|_| opener.tag_len() < 16 && content != record::HANDSHAKE);
        next.is_none_or(|next| open(next, number + 1).is_some())
    }
}

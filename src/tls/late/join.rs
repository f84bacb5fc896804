//! One connection's way into the key log: what was tried of it, and when more is worth while.

use super::budget::{Budget, Tries};
use super::clues::{Clue, Clues};
use super::search::{Hints, LateJoin, Search, Use};
use crate::base::direction::{Direction, PerDirection};
use crate::base::limits;
use crate::base::tls::NotDecrypted;
use crate::base::tuning::SHARDS;
use crate::tls::keylog::{ClientRandom, KeyStore};
use crate::tls::suite::Mode;
use std::collections::HashSet;

/// Records of a direction that are tried, the shortest ones: those of the handshake, early data and what only looks like a
/// record are among them.
const CLUES: usize = 24;

/// Records that are tried before the dearer searches are.
const ENOUGH: usize = 4;

/// What the sessions of a shard share.
#[derive(Debug)]
pub(crate) struct Joins {
    /// What they may try.
    pub(crate) budget: Budget,
    /// Where in the key log the connection after the last one found is: captures and key logs have the same order.
    place: u64,
    /// Bytes that were looked through for records that may be tried.
    pub(crate) looked_through: u64,
    /// Connections whose secrets were seen at work.
    claimed: HashSet<ClientRandom, foldhash::fast::RandomState>,
}

impl Default for Joins {
    fn default() -> Self {
        Self { budget: Budget::default(), place: u64::MAX, looked_through: 0, claimed: HashSet::default() }
    }
}

impl Joins {
    /// Secrets of that connection opened its records: those of others are tried before them.
    pub(crate) fn claim(&mut self, random: &ClientRandom) {
        if self.claimed.len() >= limits::MAX_KEY_LOG_CONNECTIONS / SHARDS {
            self.claimed.clear(); // they are tried in another order, no more
        }
        self.claimed.insert(*random);
    }
}

/// The search for the secrets of one connection.
#[derive(Debug, Default)]
pub(crate) struct Join {
    sides: PerDirection<Side>,
    /// Tries made; see [`Budget`].
    spent: u64,
}

#[derive(Debug, Default)]
struct Side {
    /// Bytes that must be kept before the next attempt.
    due: usize,
    /// Version of the key store at the last attempt.
    version: Option<u64>,
    /// Records that were tried, by where they start, each with the version of the key store then.
    tried: Vec<(usize, u64)>,
    /// Version of the key store that the dearer searches have seen.
    deep: Option<u64>,
    limited: bool,
}

/// What an attempt came to.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is decrypted with this.
    LateJoin(Box<LateJoin>),
    /// More records or more secrets may help.
    Later,
    /// Nothing will.
    Never(NotDecrypted),
}

impl Join {
    /// Whether an attempt is worth while now that a direction keeps so many bytes; `keys` when it is for new secrets.
    pub(crate) fn is_due(&self, from: Direction, held: usize, keys: Option<&KeyStore>) -> bool {
        let side = &self.sides[from];
        held >= side.due || keys.is_some_and(|keys| side.version != Some(keys.version()))
    }

    /// Bytes of memory taken.
    pub(crate) fn memory(&self) -> usize {
        (self.sides.forward.tried.capacity() + self.sides.backward.tried.capacity())
            * size_of::<(usize, u64)>()
    }

    /// Looks for the secrets of a direction that keeps so many bytes with these records; `last` when nothing follows.
    pub(crate) fn attempt(
        &mut self,
        from: Direction,
        (held, clues): (usize, &Clues),
        known: &Hints,
        last: bool,
        keys: &KeyStore,
        joins: &mut Joins,
    ) -> (Verdict, bool) {
        let side = &mut self.sides[from];
        side.due = held.saturating_mul(2).max(1);
        side.version = Some(keys.version());
        let version = keys.version();
        joins.budget.secrets = version;
        let tries = Tries::new(&mut joins.budget, &mut self.spent);
        let mut search =
            Search { keys, known, from, clues, place: joins.place, claimed: &joins.claimed, tries };
        let found = side.look(&mut search, version, last);
        let limited = search.tries.limited;
        if let Some(found) = found {
            if known.random.is_none() {
                joins.place = found.place + 1;
            }
            return (Verdict::LateJoin(Box::new(found)), false);
        }
        search.tries.count_cut_short();
        let struck = limited && !std::mem::replace(&mut side.limited, true);
        let enough = clues.tls12 || side.tried.len() >= CLUES;
        let over = last || enough && keys.is_complete();
        if !over {
            return (Verdict::Later, struck);
        }
        let reason = if clues.tls12 {
            NotDecrypted::ServerHelloMissing
        } else if side.limited {
            NotDecrypted::SearchBound
        } else {
            NotDecrypted::NoSecrets
        };
        (Verdict::Never(reason), struck)
    }
}

impl Side {
    /// The likeliest first: the shortest record under each secret for application data. Each search after that is less
    /// likely to find something, and may take a share of what is left.
    fn look(&mut self, search: &mut Search<'_>, version: u64, last: bool) -> Option<LateJoin> {
        if search.known.tls12.is_some() {
            let since = self.deep.unwrap_or(0);
            self.deep = Some(version);
            self.tried.resize(CLUES.min(search.clues.records().len()), (0, version));
            return search.by_master(since);
        }
        if search.clues.tls12 {
            return None;
        }
        let mut shortest = search.clues.records().to_vec();
        shortest.sort_by_key(|clue| clue.header.len);
        if let Some(found) = self.by_nonce(search, &shortest, version) {
            return Some(found);
        }
        if !last && self.tried.len() < ENOUGH || self.deep == Some(version) {
            return None;
        }
        let since = self.deep.replace(version).unwrap_or(0);
        // Numbers cost much, and secrets that come later may make them needless.
        let eighths = if last || search.keys.is_complete() { 7 } else { 4 };
        if !search.known.hello {
            search.tries.go_deeper(2 * DEEPER);
            let few = shortest.get(..2.min(shortest.len())).unwrap_or_default();
            if let Some(found) = search.by_generation(few, since) {
                return Some(found);
            }
        }
        // What hardly anyone uses comes last.
        search.tries.go_deeper(eighths);
        if let Some(found) = search.by_number(&shortest, since, Mode::ChaCha20Poly1305) {
            return Some(found);
        }
        search.tries.go_deeper(eighths);
        CCM.into_iter().find_map(|mode| search.by_number(&shortest, since, mode))
    }

    fn by_nonce(&mut self, search: &mut Search<'_>, shortest: &[Clue], version: u64) -> Option<LateJoin> {
        // Those that were tried before, with the secrets that came since.
        for (start, seen) in &mut self.tried {
            let Some(clue) = shortest.iter().find(|clue| clue.start == *start && *seen < version) else {
                continue;
            };
            let since = std::mem::replace(seen, version);
            if let Some(found) = search.by_nonce(std::slice::from_ref(clue), &USES, since) {
                return Some(found);
            }
        }
        let room = CLUES.saturating_sub(self.tried.len());
        let untried = |clue: &&Clue| !self.tried.iter().any(|(start, _)| *start == clue.start);
        let fresh: Vec<Clue> = shortest.iter().filter(untried).take(room).copied().collect();
        let first = if self.tried.is_empty() { fresh.len().min(1) } else { 0 };
        self.tried.extend(fresh.iter().map(|clue| (clue.start, version)));
        let (first, others) = fresh.split_at(first);
        if let Some(found) = search.by_nonce(first, &[Use::Application], 0) {
            return Some(found);
        }
        search.tries.go_deeper(DEEPER);
        search.by_nonce(first, &[Use::Handshake], 0).or_else(|| search.by_nonce(others, &USES, 0))
    }
}

/// Of what is left, so many parts of eight may go to each search that is less likely to find something.
const DEEPER: u64 = 2;

/// The modes of AES-CCM in TLS 1.3.
const CCM: [Mode; 2] = [Mode::Aes128Ccm, Mode::Aes128Ccm8];

/// All uses, the likelier one first.
const USES: [Use; 2] = [Use::Application, Use::Handshake];

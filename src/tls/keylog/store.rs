//! The secrets of a key log, by what names them.

use super::line::{
    self, ClientRandom, Generation, LABEL_NAMES, LABELS, Label, Line, Name, hex_onto, unhex_into,
};
use crate::base::limit_counters::{Limit, Struck};
use crate::base::limits::{KEY_LOG_MEMORY, MAX_KEY_LOG_CONNECTIONS, MAX_TLS_PREMASTER};
use crate::base::memory::{Memory, of_block, of_map};
use crate::base::tuning::KEY_LOG_CHANGES_KEPT;
use crate::tls::nonce::{Sealed, SolverKeys};
use crate::tls::secret::Secret;
use crate::tls::suite::Suite;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use zeroize::Zeroizing;

/// Bytes of a master secret (RFC 5246 section 8.1).
const MASTER_LEN: usize = 48;

/// The secrets of one connection.
#[derive(Default)]
pub(crate) struct ConnectionSecrets {
    random: ClientRandom,
    secrets: [Option<Secret>; LABELS],
    /// Key updates before the application secrets that are there, of the client and of the server.
    generations: [u16; 2],
    /// Bit n: the n-th secret has opened a record.
    used: AtomicU8,
    /// Secrets of the store when it was changed last.
    changed: u64,
    /// What finds the numbers of AES-GCM records, once that was wanted.
    solvers: [OnceLock<Option<Box<SolverKeys>>>; LABELS],
    /// Bit n: the solver of the n-th secret is kept.
    kept: u8,
}

impl ConnectionSecrets {
    /// The connection's client random.
    pub(crate) fn random(&self) -> &ClientRandom {
        &self.random
    }

    /// Whether the keys of the secret for that use are derived once, and not for each try. Which ones are depends on the
    /// secrets alone, and not on who tried them first.
    pub(crate) fn keeps(&self, label: Label) -> bool {
        self.kept & 1 << label as u8 != 0
    }

    /// [`KeyStore::version`] when the last of its secrets came.
    pub(crate) fn version(&self) -> u64 {
        self.changed
    }

    /// The secret for that use, and how many key updates it comes after: the earliest one that is known.
    pub(crate) fn earliest(&self, label: Label) -> Option<(&Secret, u16)> {
        let secret = self.secrets.get(label as usize)?.as_ref()?;
        Some((secret, self.generation(label)))
    }

    fn generation(&self, label: Label) -> u16 {
        let [client, server] = self.generations;
        match label {
            Label::ClientApplication => client,
            Label::ServerApplication => server,
            _ => 0,
        }
    }
}

/// A secret that something else than the client random alone names.
struct Named {
    secret: Zeroizing<Box<[u8]>>,
    used: AtomicU8,
}

/// What the key log's lines were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyLogCounters {
    /// Secrets taken.
    pub secrets: u64,
    /// Lines that repeat a secret.
    pub duplicates: u64,
    /// Lines with a label that decrypts nothing here, or an unknown one.
    pub other_labels: u64,
    /// Lines that are no key log lines.
    pub bad_lines: u64,
    /// Of these, lines and premaster secrets that are too long to be taken.
    pub too_long: u64,
    /// Connections whose secrets were forgotten for room: those beyond [`MAX_KEY_LOG_CONNECTIONS`] and [`KEY_LOG_MEMORY`].
    pub forgotten: u64,
}

impl KeyLogCounters {
    /// How often the caps struck that are kept here.
    pub fn limits(&self) -> Struck {
        Struck::from_iter([(Limit::KeyLogLines, self.too_long), (Limit::KeyLogConnections, self.forgotten)])
    }
}

/// The secrets known so far. They are wiped when the store is dropped, and shown by nothing but
/// [`KeyStore::used_lines`].
#[derive(Default)]
pub struct KeyStore {
    /// Oldest first. Boxed, so that they are never moved: no copies of secrets stay.
    entries: VecDeque<Box<ConnectionSecrets>>,
    /// Where a connection's entry is, counted from the first that there ever was.
    places: HashMap<ClientRandom, u64, foldhash::quality::RandomState>,
    /// Entries that were forgotten.
    forgotten: u64,
    /// The latest changes: [`KeyStore::version`] with each, and the entry's place.
    changes: VecDeque<(u64, u64)>,
    /// All changes after this version are among them.
    changes_after: u64,
    /// How many [`SolverKeys`] are kept, at the most.
    solvers: usize,
    named: HashMap<Name, Named, foldhash::quality::RandomState>,
    named_order: VecDeque<Name>,
    /// Bytes of memory that all of these take, and how many they may take.
    memory: usize,
    room: Room,
    counters: KeyLogCounters,
    complete: bool,
}

/// Bytes of memory for secrets.
struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(KEY_LOG_MEMORY)
    }
}

/// Bytes of memory that a connection's secrets take.
const CONNECTION: usize =
    of_block(size_of::<ConnectionSecrets>()) + of_map::<ClientRandom, u64>(7) / 4 + 2 * size_of::<usize>();

/// The same of a secret of another name, beside its bytes.
const NAMED: usize = of_map::<Name, Named>(7) / 4 + 2 * size_of::<Name>();

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStore")
            .field("connections", &self.entries.len())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl KeyStore {
    /// Gives it its share of the process's memory, before it has secrets.
    pub fn set_memory(&mut self, memory: Memory) {
        self.room = Room(memory.share(KEY_LOG_MEMORY));
    }

    /// Solvers that may be kept: they have a quarter of the room, of which those that are hardly ever wanted may take a quarter.
    fn solvers_kept(&self, label: Label) -> usize {
        let all = self.room.0 / 4 / of_block(size_of::<SolverKeys>());
        match label {
            Label::ClientApplication | Label::ServerApplication => all,
            Label::Master => 0,
            _ => all / 4,
        }
    }

    /// Forgets the oldest secrets until there is room for so many bytes more.
    fn make_room(&mut self, bytes: usize) {
        self.memory += bytes;
        while self.memory > self.room.0 / 4 * 3 {
            if !self.forget_connection() && !self.forget_named() {
                break;
            }
        }
    }

    /// Forgets the connection that came first; whether there was one.
    fn forget_connection(&mut self) -> bool {
        let Some(oldest) = self.entries.pop_front() else { return false };
        self.places.remove(&oldest.random);
        self.solvers -= oldest.kept.count_ones() as usize;
        self.forgotten += 1;
        self.counters.forgotten += 1;
        self.memory -= CONNECTION;
        true
    }

    /// The same of secrets of other names.
    fn forget_named(&mut self) -> bool {
        let Some(oldest) = self.named_order.pop_front() else { return false };
        if let Some(named) = self.named.remove(&oldest) {
            self.memory -= NAMED + of_block(named.secret.len());
        }
        self.counters.forgotten += 1;
        true
    }

    /// Says that no secrets will follow: connections without them need not be kept for later.
    pub fn set_complete(&mut self) {
        self.complete = true;
    }

    /// Whether no secrets will follow.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether there is no secret at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.named_order.is_empty()
    }

    /// What the lines were. `secrets` grows whenever something new was learned.
    pub fn counters(&self) -> KeyLogCounters {
        self.counters
    }

    /// The lines, of those that were taken, whose secrets opened a record: what a capture needs to be read
    /// elsewhere. In the order in which their connections appeared, wiped when dropped.
    pub fn used_lines(&self) -> Zeroizing<Vec<u8>> {
        // Never moved while it grows, so that no copies of secrets stay.
        let longest = 96 + 2 * MAX_TLS_PREMASTER;
        let mut text = Zeroizing::new(Vec::new());
        let mut add = |before: &str, name: &[u8], between: &str, secret: &[u8]| {
            if text.capacity() - text.len() < longest {
                let mut larger = Zeroizing::new(Vec::with_capacity(2 * text.capacity() + longest));
                larger.extend_from_slice(&text);
                text = larger;
            }
            text.extend_from_slice(before.as_bytes());
            hex_onto(&mut text, name);
            text.extend_from_slice(between.as_bytes());
            hex_onto(&mut text, secret);
            text.push(b'\n');
        };
        for entry in &self.entries {
            for (bit, ((label, name), secret)) in LABEL_NAMES.iter().zip(&entry.secrets).enumerate() {
                if let Some(secret) = secret
                    && entry.used.load(Ordering::Relaxed) & 1 << bit != 0
                {
                    let before = match entry.generation(*label) {
                        0 => format!("{name} "),
                        generation => format!("{}{generation} ", name.trim_end_matches('0')),
                    };
                    add(&before, &entry.random, " ", secret.bytes());
                }
            }
        }
        for name in &self.named_order {
            if let Some(named) = self.named.get(name)
                && named.used.load(Ordering::Relaxed) != 0
            {
                let (before, name, between) = match name {
                    Name::Random(random) => ("PMS_CLIENT_RANDOM ", random.as_slice(), " "),
                    Name::Encrypted(prefix) => ("RSA ", prefix.as_slice(), " "),
                    Name::Session(id) => ("RSA Session-ID:", id.bytes(), " Master-Key:"),
                };
                add(before, name, between, &named.secret);
            }
        }
        text
    }

    /// The secret of that connection for that use, as its handshake left it.
    pub(crate) fn secret(&self, random: &ClientRandom, label: Label) -> Option<&Secret> {
        let (secret, generation) = self.entry(random)?.earliest(label)?;
        (generation == 0).then_some(secret)
    }

    /// The secrets of that connection.
    pub(crate) fn entry(&self, random: &ClientRandom) -> Option<&ConnectionSecrets> {
        let place = self.places.get(random)?;
        self.entries.get((place - self.forgotten) as usize).map(|entry| &**entry)
    }

    /// Whether there is no secret of that connection.
    pub(crate) fn is_unknown(&self, random: &ClientRandom) -> bool {
        !self.places.contains_key(random)
    }

    /// All connections with their places, from `place` on to the newest, then those before it.
    pub(crate) fn around(&self, place: u64) -> impl Iterator<Item = (u64, &ConnectionSecrets)> {
        let start = usize::try_from(place.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        let start = start.min(self.entries.len());
        let entries = self.entries.range(start..).chain(self.entries.range(..start).rev());
        let places = (start..self.entries.len()).chain((0..start).rev());
        places.map(|index| self.forgotten + index as u64).zip(entries.map(|entry| &**entry))
    }

    /// Connections that there are secrets of.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The connections with secrets that came after that version, with their places, where they are few: whoever waits for
    /// secrets need not look at all that were there before. `None` where it takes a look at all.
    pub(crate) fn changed_since(&self, version: u64) -> Option<Vec<(u64, &ConnectionSecrets)>> {
        (version > 0 && version >= self.changes_after).then_some(())?;
        let new = self.changes.iter().rev().take_while(|(changed, _)| *changed > version);
        let mut places: Vec<u64> = new.map(|&(_, place)| place).collect();
        places.sort_unstable();
        places.dedup();
        let entry =
            |place: u64| Some((place, &**self.entries.get(place.checked_sub(self.forgotten)? as usize)?));
        Some(places.into_iter().filter_map(entry).collect())
    }

    /// Grows whenever a secret is learned.
    pub(crate) fn version(&self) -> u64 {
        self.counters.secrets
    }

    /// The number of an AES-GCM record, if the connection's earliest secret for that use protects it.
    pub(crate) fn solve(entry: &ConnectionSecrets, label: Label, record: &Sealed) -> Option<u64> {
        let slot = entry.solvers.get(label as usize)?;
        let keys = || {
            let (secret, _) = entry.earliest(label)?;
            SolverKeys::new(Suite::gcm13(secret.bytes().len())?, secret)
        };
        let solver = if entry.keeps(label) {
            slot.get_or_init(|| keys().map(Box::new)).as_ref()?.solver()
        } else {
            keys()?.solver()
        };
        solver?.number(record)
    }

    /// The premaster or master secret of that name.
    pub(crate) fn named(&self, name: &Name) -> Option<&[u8]> {
        self.named.get(name).map(|named| &**named.secret)
    }

    /// Notes a line that is too long to be read.
    pub(super) fn count_overlong_line(&mut self) {
        self.counters.bad_lines += 1;
        self.counters.too_long += 1;
    }

    /// Notes that the secret opened a record.
    pub(crate) fn mark_used(&self, random: &ClientRandom, label: Label) {
        if let Some(entry) = self.entry(random) {
            entry.used.fetch_or(1 << label as u8, Ordering::Relaxed);
        }
    }

    /// Notes that the secret of that name opened a record.
    pub(crate) fn mark_named_used(&self, name: &Name) {
        if let Some(named) = self.named.get(name) {
            named.used.store(1, Ordering::Relaxed);
        }
    }

    /// Takes a line, without its end.
    pub(super) fn add_line(&mut self, text: &[u8]) {
        let taken = match line::parse(text) {
            Line::Blank => return,
            Line::Secret(label, generation, random, secret) => {
                self.add_secret(label, generation, random, secret)
            }
            Line::Named(name, secret) => self.add_named(name, secret),
            Line::Other => {
                self.counters.other_labels += 1;
                return;
            }
            Line::Bad => None,
        };
        match taken {
            Some(true) => self.counters.secrets += 1,
            Some(false) => self.counters.duplicates += 1,
            None => self.counters.bad_lines += 1,
        }
    }

    /// Whether the secret is new; `None` when it is not one.
    fn add_secret(
        &mut self,
        label: Label,
        generation: Generation,
        random: ClientRandom,
        text: &[u8],
    ) -> Option<bool> {
        let mut secret = Secret::zeros(text.len() / 2)?;
        unhex_into(text, secret.bytes_mut())?;
        let fits = match label {
            Label::Master => secret.bytes().len() == MASTER_LEN,
            _ => matches!(secret.bytes().len(), 32 | 48),
        };
        fits.then_some(())?;
        let version = self.counters.secrets + 1;
        let room = self.solvers_kept(label);
        let keep = self.solvers < room;
        let entry = self.entry_mut(random)?;
        let known = entry.earliest(label).map(|(_, generation)| generation);
        // Later secrets follow from the earliest one.
        let generation = match (generation, known) {
            (Generation::Next, Some(_)) => return Some(false),
            (Generation::Next, None) => 1,
            (Generation::Number(number), Some(known)) if number > known => return Some(false),
            (Generation::Number(number), _) => number,
        };
        let slot = entry.secrets.get_mut(label as usize)?;
        if slot.as_ref() == Some(&secret) {
            return Some(false);
        }
        *slot = Some(secret);
        *entry.solvers.get_mut(label as usize)? = OnceLock::new();
        match label {
            Label::ClientApplication => entry.generations[0] = generation,
            Label::ServerApplication => entry.generations[1] = generation,
            _ => {}
        }
        entry.changed = version;
        let newly = keep && !entry.keeps(label);
        entry.kept |= u8::from(newly) << label as u8;
        self.solvers += usize::from(newly);
        self.note_change(version, random);
        Some(true)
    }

    fn note_change(&mut self, version: u64, random: ClientRandom) {
        let Some(&place) = self.places.get(&random) else { return };
        if self.changes.len() >= KEY_LOG_CHANGES_KEPT
            && let Some((oldest, _)) = self.changes.pop_front()
        {
            self.changes_after = oldest;
        }
        self.changes.push_back((version, place));
    }

    /// The entry of that connection, a new one if there was none.
    fn entry_mut(&mut self, random: ClientRandom) -> Option<&mut ConnectionSecrets> {
        if !self.places.contains_key(&random) {
            if self.entries.len() >= MAX_KEY_LOG_CONNECTIONS {
                self.forget_connection();
            }
            self.make_room(CONNECTION);
            self.places.insert(random, self.forgotten + self.entries.len() as u64);
            self.entries.push_back(Box::new(ConnectionSecrets { random, ..ConnectionSecrets::default() }));
        }
        let place = self.places.get(&random)?;
        self.entries.get_mut((place - self.forgotten) as usize).map(|entry| &mut **entry)
    }

    fn add_named(&mut self, name: Name, text: &[u8]) -> Option<bool> {
        if text.len() / 2 > MAX_TLS_PREMASTER {
            self.counters.too_long += 1;
            return None;
        }
        let fits = !matches!(name, Name::Session(_)) || text.len() == 2 * MASTER_LEN;
        fits.then_some(())?;
        let mut secret = Zeroizing::new(vec![0; text.len() / 2].into_boxed_slice());
        unhex_into(text, &mut secret)?;
        let named = Named { secret, used: AtomicU8::new(0) };
        if let Some(old) = self.named.get_mut(&name) {
            if old.secret == named.secret {
                return Some(false);
            }
            let more = of_block(named.secret.len());
            self.memory = self.memory + more - of_block(old.secret.len());
            *old = named;
            return Some(true);
        }
        if self.named_order.len() >= MAX_KEY_LOG_CONNECTIONS {
            self.forget_named();
        }
        self.make_room(NAMED + of_block(named.secret.len()));
        self.named_order.push_back(name);
        self.named.insert(name, named);
        Some(true)
    }
}

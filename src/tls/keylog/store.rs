//! The secrets of a key log, by what names them.

use super::line::{self, ClientRandom, LABEL_NAMES, LABELS, Label, Line, Name, hex_onto, unhex_into};
use crate::base::limit::{Limit, Struck};
use crate::base::limits::{MAX_KEY_LOG_CONNECTIONS, MAX_TLS_PREMASTER};
use crate::tls::secret::Secret;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use zeroize::Zeroizing;

/// Bytes of a master secret (RFC 5246 section 8.1).
const MASTER_LEN: usize = 48;

/// The secrets of one connection.
#[derive(Default)]
struct Entry {
    secrets: [Option<Secret>; LABELS],
    /// Bit n: the n-th secret has opened a record.
    used: AtomicU8,
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
    /// Connections whose secrets were forgotten for room: those beyond [`MAX_KEY_LOG_CONNECTIONS`].
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
    entries: HashMap<ClientRandom, Box<Entry>, foldhash::quality::RandomState>,
    /// Client randoms, oldest first.
    order: VecDeque<ClientRandom>,
    named: HashMap<Name, Named, foldhash::quality::RandomState>,
    named_order: VecDeque<Name>,
    counters: KeyLogCounters,
    complete: bool,
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStore")
            .field("connections", &self.order.len())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl KeyStore {
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
        self.order.is_empty() && self.named_order.is_empty()
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
        for random in &self.order {
            let Some(entry) = self.entries.get(random) else { continue };
            for (bit, ((_, label), secret)) in LABEL_NAMES.iter().zip(&entry.secrets).enumerate() {
                if let Some(secret) = secret
                    && entry.used.load(Ordering::Relaxed) & 1 << bit != 0
                {
                    add(&format!("{label} "), random, " ", secret.bytes());
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

    /// The secret of that connection for that use.
    pub(crate) fn secret(&self, random: &ClientRandom, label: Label) -> Option<&Secret> {
        self.entries.get(random)?.secrets.get(label as usize)?.as_ref()
    }

    /// Whether there is no secret of that connection.
    pub(crate) fn is_unknown(&self, random: &ClientRandom) -> bool {
        !self.entries.contains_key(random)
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

    /// Client randoms, newest first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &ClientRandom> {
        self.order.iter().rev()
    }

    /// Notes that the secret opened a record.
    pub(crate) fn mark_used(&self, random: &ClientRandom, label: Label) {
        if let Some(entry) = self.entries.get(random) {
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
            Line::Secret(label, random, secret) => self.add_secret(label, random, secret),
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
    fn add_secret(&mut self, label: Label, random: ClientRandom, text: &[u8]) -> Option<bool> {
        let mut secret = Secret::zeros(text.len() / 2)?;
        unhex_into(text, secret.bytes_mut())?;
        let fits = match label {
            Label::Master => secret.bytes().len() == MASTER_LEN,
            _ => matches!(secret.bytes().len(), 32 | 48),
        };
        fits.then_some(())?;
        let (order, forgotten) = (&mut self.order, &mut self.counters.forgotten);
        if !self.entries.contains_key(&random) {
            if order.len() >= MAX_KEY_LOG_CONNECTIONS
                && let Some(oldest) = order.pop_front()
            {
                self.entries.remove(&oldest);
                *forgotten += 1;
            }
            order.push_back(random);
        }
        let slot = self.entries.entry(random).or_default().secrets.get_mut(label as usize)?;
        if slot.as_ref() == Some(&secret) {
            return Some(false);
        }
        *slot = Some(secret);
        Some(true)
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
            *old = named;
            return Some(true);
        }
        if self.named_order.len() >= MAX_KEY_LOG_CONNECTIONS
            && let Some(oldest) = self.named_order.pop_front()
        {
            self.named.remove(&oldest);
            self.counters.forgotten += 1;
        }
        self.named_order.push_back(name);
        self.named.insert(name, named);
        Some(true)
    }
}

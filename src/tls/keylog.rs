//! Session secrets by client random, read from key log lines.
//!
//! ```text
//! LABEL <client random, 64 hex digits> <secret, hex>        (RFC 9850, and NSS's `CLIENT_RANDOM` for TLS 1.2)
//! RSA <first 8 bytes of the encrypted premaster secret> <premaster secret>
//! ```

use super::secret::Secret;
use crate::base::limit::{Limit, Struck};
use crate::base::limits::{MAX_KEY_LOG_CONNECTIONS, MAX_KEY_LOG_LINE, MAX_TLS_PREMASTER};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use zeroize::Zeroizing;

/// The client random of a hello message, which names a connection in a key log.
pub type ClientRandom = [u8; 32];

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// The master secret of TLS 1.2.
    Master,
    /// Protects 0-RTT data.
    ClientEarly,
    /// Protects the client's handshake messages.
    ClientHandshake,
    /// Protects the server's handshake messages.
    ServerHandshake,
    /// Protects what the client sends next.
    ClientApplication,
    /// Protects what the server sends next.
    ServerApplication,
}

const LABELS: [(Label, &str); 6] = [
    (Label::Master, "CLIENT_RANDOM"),
    (Label::ClientEarly, "CLIENT_EARLY_TRAFFIC_SECRET"),
    (Label::ClientHandshake, "CLIENT_HANDSHAKE_TRAFFIC_SECRET"),
    (Label::ServerHandshake, "SERVER_HANDSHAKE_TRAFFIC_SECRET"),
    (Label::ClientApplication, "CLIENT_TRAFFIC_SECRET_0"),
    (Label::ServerApplication, "SERVER_TRAFFIC_SECRET_0"),
];

/// What names a premaster secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PremasterName {
    /// `PMS_CLIENT_RANDOM`.
    Random(ClientRandom),
    /// `RSA`: the first bytes of what the client key exchange carries.
    Encrypted([u8; 8]),
}

/// The secrets of one connection.
#[derive(Default)]
struct Entry {
    secrets: [Option<Secret>; LABELS.len()],
    /// Bit n: the n-th secret has opened a record.
    used: AtomicU8,
}

struct Premaster {
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
    premasters: HashMap<PremasterName, Premaster, foldhash::quality::RandomState>,
    premaster_order: VecDeque<PremasterName>,
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
    /// Takes the lines of a whole key log, or of a pcapng Decryption Secrets Block: comments, blank lines, CRLF,
    /// either case, repeated spaces and unknown labels are accepted, a last line may lack its end, bad lines are
    /// counted. A later secret for the same random and label replaces an earlier one.
    pub fn add_text(&mut self, text: &[u8]) {
        let mut reader = KeyLogReader::default();
        reader.push(text, self);
        reader.finish(self);
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
        self.order.is_empty() && self.premaster_order.is_empty()
    }

    /// What the lines were. `secrets` grows whenever something new was learned.
    pub fn counters(&self) -> KeyLogCounters {
        self.counters
    }

    /// The lines, of those that were taken, whose secrets opened a record: what a capture needs to be read
    /// elsewhere. In the order in which their connections appeared, wiped when dropped.
    pub fn used_lines(&self) -> Zeroizing<Vec<u8>> {
        let mut lines = Vec::new();
        let used = |name: &ClientRandom| self.entries.get(name).map(|entry| (*name, entry));
        let used: Vec<_> = self.order.iter().filter_map(used).collect();
        for (random, entry) in used {
            for (bit, ((_, label), secret)) in LABELS.iter().zip(&entry.secrets).enumerate() {
                if let Some(secret) = secret
                    && entry.used.load(Ordering::Relaxed) & 1 << bit != 0
                {
                    lines.push((*label, random.to_vec(), Zeroizing::new(secret.bytes().to_vec())));
                }
            }
        }
        for name in &self.premaster_order {
            if let Some(premaster) = self.premasters.get(name)
                && premaster.used.load(Ordering::Relaxed) != 0
            {
                let (label, name) = match name {
                    PremasterName::Random(random) => ("PMS_CLIENT_RANDOM", random.to_vec()),
                    PremasterName::Encrypted(prefix) => ("RSA", prefix.to_vec()),
                };
                lines.push((label, name, Zeroizing::new(premaster.secret.to_vec())));
            }
        }
        let len = lines.iter().map(|(label, name, secret)| label.len() + 3 + 2 * (name.len() + secret.len()));
        let mut text = Zeroizing::new(Vec::with_capacity(len.sum()));
        for (label, name, secret) in &lines {
            text.extend_from_slice(label.as_bytes());
            for bytes in [name, &**secret] {
                text.push(b' ');
                text.extend(bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit));
            }
            text.push(b'\n');
        }
        text
    }

    /// The secret of that connection for that use.
    pub(crate) fn secret(&self, random: &ClientRandom, label: Label) -> Option<&Secret> {
        self.entries.get(random)?.secrets.get(label as usize)?.as_ref()
    }

    /// A premaster secret.
    pub(crate) fn premaster(&self, name: &PremasterName) -> Option<&[u8]> {
        self.premasters.get(name).map(|premaster| &**premaster.secret)
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

    /// Notes that the premaster secret opened a record.
    pub(crate) fn mark_premaster_used(&self, name: &PremasterName) {
        if let Some(premaster) = self.premasters.get(name) {
            premaster.used.store(1, Ordering::Relaxed);
        }
    }

    fn add_line(&mut self, line: &[u8]) {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            return;
        }
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (Some(label), Some(name), Some(secret), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            self.counters.bad_lines += 1;
            return;
        };
        let known = LABELS.iter().find(|(_, text)| label.eq_ignore_ascii_case(text.as_bytes()));
        let taken = if let Some(&(label, _)) = known {
            self.add_secret(label, name, secret)
        } else if label.eq_ignore_ascii_case(b"RSA") {
            unhex(name).and_then(|prefix| self.add_premaster(PremasterName::Encrypted(prefix), secret))
        } else if label.eq_ignore_ascii_case(b"PMS_CLIENT_RANDOM") {
            unhex(name).and_then(|random| self.add_premaster(PremasterName::Random(random), secret))
        } else if label.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.counters.other_labels += 1;
            return;
        } else {
            None
        };
        match taken {
            Some(true) => self.counters.secrets += 1,
            Some(false) => self.counters.duplicates += 1,
            None => self.counters.bad_lines += 1,
        }
    }

    /// Whether the secret is new; `None` when it is not one.
    fn add_secret(&mut self, label: Label, random: &[u8], text: &[u8]) -> Option<bool> {
        let random: ClientRandom = unhex(random)?;
        let mut secret = Secret::zeros(text.len() / 2)?;
        unhex_into(text, secret.bytes_mut())?;
        let fits = match label {
            Label::Master => secret.bytes().len() == 48,
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

    fn add_premaster(&mut self, name: PremasterName, text: &[u8]) -> Option<bool> {
        if text.len() / 2 > MAX_TLS_PREMASTER {
            self.counters.too_long += 1;
            return None;
        }
        if text.is_empty() {
            return None;
        }
        let mut secret = Zeroizing::new(vec![0; text.len() / 2].into_boxed_slice());
        unhex_into(text, &mut secret)?;
        let premaster = Premaster { secret, used: AtomicU8::new(0) };
        if let Some(old) = self.premasters.get_mut(&name) {
            if old.secret == premaster.secret {
                return Some(false);
            }
            *old = premaster;
            return Some(true);
        }
        if self.premaster_order.len() >= MAX_KEY_LOG_CONNECTIONS
            && let Some(oldest) = self.premaster_order.pop_front()
        {
            self.premasters.remove(&oldest);
            self.counters.forgotten += 1;
        }
        self.premaster_order.push_back(name);
        self.premasters.insert(name, premaster);
        Some(true)
    }
}

/// Reads a key log that comes in pieces, as a file does that is followed while it grows: a line counts when its
/// end is there.
#[derive(Default)]
pub struct KeyLogReader {
    partial: Zeroizing<Vec<u8>>,
    /// The line in hand is too long and is skipped to its end.
    overlong: bool,
}

impl fmt::Debug for KeyLogReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLogReader").finish_non_exhaustive()
    }
}

impl KeyLogReader {
    /// Takes the next piece.
    pub fn push(&mut self, text: &[u8], keys: &mut KeyStore) {
        let mut rest = text;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.partial.is_empty() && !self.overlong && line.len() <= MAX_KEY_LOG_LINE {
                keys.add_line(line);
            } else {
                self.keep(line, keys);
                self.finish(keys);
            }
        }
        self.keep(rest, keys);
    }

    /// The log ends: its last line counts even without an end.
    pub fn finish(&mut self, keys: &mut KeyStore) {
        keys.add_line(&self.partial);
        self.partial.clear();
        self.overlong = false;
    }

    fn keep(&mut self, bytes: &[u8], keys: &mut KeyStore) {
        if self.overlong || bytes.is_empty() {
            return;
        }
        if self.partial.len() + bytes.len() > MAX_KEY_LOG_LINE {
            self.overlong = true;
            self.partial.clear();
            keys.counters.bad_lines += 1;
            keys.counters.too_long += 1;
            return;
        }
        if self.partial.capacity() == 0 {
            self.partial = Zeroizing::new(Vec::with_capacity(MAX_KEY_LOG_LINE)); // never moved: no copies stay
        }
        self.partial.extend_from_slice(bytes);
    }
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

fn unhex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut out = [0; N];
    unhex_into(text, &mut out)?;
    Some(out)
}

fn unhex_into(text: &[u8], out: &mut [u8]) -> Option<()> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    if pairs.len() != out.len() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    for (byte, &[high, low]) in out.iter_mut().zip(pairs) {
        *byte = (digit(high)? << 4 | digit(low)?) as u8;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(label: &str, random: u8, secret: u8, len: usize) -> String {
        format!("{label} {} {}", format!("{random:02x}").repeat(32), format!("{secret:02x}").repeat(len))
    }

    #[test]
    fn accepts_the_ways_in_which_logs_are_written() {
        let mut keys = KeyStore::default();
        let text = [
            "\u{feff}# comment".to_owned(),
            String::new(),
            line("CLIENT_RANDOM", 0xab, 1, 48) + "\r",
            line("client_random", 0xab, 1, 48).to_uppercase(),
            "  ".to_owned() + &line("CLIENT_TRAFFIC_SECRET_0", 2, 3, 32).replace(' ', " \t ") + "  ",
            line("EXPORTER_SECRET", 2, 3, 32),
            line("SERVER_TRAFFIC_SECRET_0", 2, 3, 33),
            line("CLIENT_RANDOM", 2, 3, 32),
            line("CLIENT_RANDOM", 2, 3, 48) + " more",
            "CLIENT_RANDOM zz 00".to_owned(),
            "\u{1}\u{2}".to_owned(),
            "RSA 0011223344556677 0303".to_owned(),
            line("PMS_CLIENT_RANDOM", 5, 6, 66),
            line("SERVER_TRAFFIC_SECRET_0", 2, 9, 48),
        ]
        .join("\n");
        keys.add_text(text.as_bytes());
        let counters =
            KeyLogCounters { secrets: 5, duplicates: 1, other_labels: 1, bad_lines: 5, ..Default::default() };
        assert_eq!(keys.counters(), counters);
        assert_eq!(keys.secret(&[0xab; 32], Label::Master).unwrap().bytes(), [1; 48]);
        assert_eq!(keys.secret(&[2; 32], Label::ServerApplication).unwrap().bytes(), [9; 48]);
        assert_eq!(keys.premaster(&PremasterName::Random([5; 32])).unwrap(), [6; 66]);
        assert!(keys.secret(&[2; 32], Label::Master).is_none());
        assert!(!format!("{keys:?}").contains("abab"));
    }

    #[test]
    fn a_followed_log_counts_a_line_when_it_is_whole() {
        let text = line("CLIENT_RANDOM", 1, 2, 48) + "\n" + &line("CLIENT_TRAFFIC_SECRET_0", 3, 4, 48) + "\n";
        for cut in 0..text.len() {
            let (mut keys, mut reader) = (KeyStore::default(), KeyLogReader::default());
            reader.push(&text.as_bytes()[..cut], &mut keys);
            assert_eq!(keys.counters().secrets, text[..cut].matches('\n').count() as u64);
            reader.push(&text.as_bytes()[cut..], &mut keys);
            assert_eq!((keys.counters().secrets, keys.counters().bad_lines), (2, 0), "cut at {cut}");
        }
    }

    #[test]
    fn cap_max_key_log_line() {
        let (mut keys, mut reader) = (KeyStore::default(), KeyLogReader::default());
        for len in [MAX_KEY_LOG_LINE - 1, MAX_KEY_LOG_LINE, MAX_KEY_LOG_LINE + 1, 10 * MAX_KEY_LOG_LINE] {
            for chunk in [b"#".repeat(len), b"\n".to_vec()].concat().chunks(1000) {
                reader.push(chunk, &mut keys);
                assert!(reader.partial.capacity() <= MAX_KEY_LOG_LINE);
            }
        }
        reader.push(line("CLIENT_RANDOM", 1, 2, 48).as_bytes(), &mut keys);
        reader.finish(&mut keys);
        let counters = keys.counters();
        assert_eq!((counters.secrets, counters.bad_lines, counters.too_long), (1, 2, 2));
    }

    #[test]
    fn cap_max_tls_premaster() {
        let mut keys = KeyStore::default();
        for (random, len, struck) in
            [(1, MAX_TLS_PREMASTER - 1, 0), (2, MAX_TLS_PREMASTER, 0), (3, MAX_TLS_PREMASTER + 1, 1)]
        {
            keys.add_text(line("PMS_CLIENT_RANDOM", random, 7, len).as_bytes());
            let taken = keys.premaster(&PremasterName::Random([random; 32])).map(<[u8]>::len);
            assert_eq!((taken, keys.counters().too_long), ((struck == 0).then_some(len), struck));
        }
    }

    #[test]
    fn cap_max_key_log_connections() {
        let mut keys = KeyStore::default();
        let secret = "00".repeat(48);
        for n in 0..MAX_KEY_LOG_CONNECTIONS {
            keys.add_line(format!("CLIENT_RANDOM {n:064x} {secret}").as_bytes());
        }
        assert!(keys.counters().forgotten == 0 && keys.secret(&[0; 32], Label::Master).is_some());
        keys.add_line(format!("CLIENT_RANDOM {MAX_KEY_LOG_CONNECTIONS:064x} {secret}").as_bytes());
        assert_eq!(
            (keys.entries.len(), keys.order.len()),
            (MAX_KEY_LOG_CONNECTIONS, MAX_KEY_LOG_CONNECTIONS)
        );
        assert_eq!(keys.counters().forgotten, 1);
        assert!(keys.secret(&[0; 32], Label::Master).is_none());
    }

    #[test]
    fn only_used_secrets_are_written() {
        let mut keys = KeyStore::default();
        let wanted = [
            line("CLIENT_TRAFFIC_SECRET_0", 9, 4, 48) + "\n",
            line("CLIENT_RANDOM", 1, 2, 48) + "\n",
            "RSA 0011223344556677 0303aa\n".to_owned(),
        ];
        keys.add_text((wanted.concat() + &line("SERVER_TRAFFIC_SECRET_0", 9, 4, 48)).as_bytes());
        assert!(keys.used_lines().is_empty());
        keys.mark_used(&[1; 32], Label::Master);
        keys.mark_used(&[9; 32], Label::ClientApplication);
        keys.mark_used(&[8; 32], Label::ClientApplication);
        keys.mark_premaster_used(&PremasterName::Encrypted([0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77]));
        assert_eq!(String::from_utf8(keys.used_lines().to_vec()).unwrap(), wanted.concat());
    }
}

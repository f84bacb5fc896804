//! One line of a key log.
//!
//! ```text
//! LABEL <client random, 64 hex digits> <secret, hex>                    (RFC 9850, and NSS's `CLIENT_RANDOM`)
//! CLIENT_TRAFFIC_SECRET_3 <client random> <secret>                      (after three key updates)
//! CLIENT_TRAFFIC_SECRET_N <client random> <secret>                      (after one more than the line before)
//! PMS_CLIENT_RANDOM <client random> <premaster secret>
//! RSA <first 8 bytes of the encrypted premaster secret> <premaster secret>
//! RSA Session-ID:<session id> Master-Key:<master secret>
//! ```
//!
//! Logs pass through loggers, shells and JSON: what stands before the label and behind the secret is ignored, and so
//! are quotes.

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

/// How many labels there are.
pub(super) const LABELS: usize = LABEL_NAMES.len();

/// All labels, in the order of their numbers, with their names.
pub(super) const LABEL_NAMES: [(Label, &str); 6] = [
    (Label::Master, "CLIENT_RANDOM"),
    (Label::ClientEarly, "CLIENT_EARLY_TRAFFIC_SECRET"),
    (Label::ClientHandshake, "CLIENT_HANDSHAKE_TRAFFIC_SECRET"),
    (Label::ServerHandshake, "SERVER_HANDSHAKE_TRAFFIC_SECRET"),
    (Label::ClientApplication, "CLIENT_TRAFFIC_SECRET_0"),
    (Label::ServerApplication, "SERVER_TRAFFIC_SECRET_0"),
];

/// What names a secret of TLS 1.2 beside a client random of its master secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    /// `PMS_CLIENT_RANDOM`: of a premaster secret.
    Random(ClientRandom),
    /// `RSA`: the first bytes of what the client key exchange carries, of a premaster secret.
    Encrypted([u8; 8]),
    /// `RSA Session-ID:`: of a master secret.
    Session(SessionId),
}

/// A session id (RFC 5246 section 7.4.1.2): its length and its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct SessionId {
    len: u8,
    bytes: [u8; 32],
}

impl SessionId {
    /// `None` for more than 32 bytes.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let mut id = Self { len: bytes.len() as u8, ..Self::default() };
        id.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(id)
    }

    /// The session has none.
    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// How many key updates (RFC 8446 section 4.6.3) a traffic secret comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// So many.
    Number(u16),
    /// One more than the last one in the log.
    Next,
}

/// What a line says; secrets are still in hexadecimal digits.
pub(super) enum Line<'a> {
    /// Nothing: it is empty or a comment.
    Blank,
    /// A secret by the client random, after so many key updates.
    Secret(Label, Generation, ClientRandom, &'a [u8]),
    /// A secret of TLS 1.2 by another name.
    Named(Name, &'a [u8]),
    /// A secret with a label that decrypts nothing here.
    Other,
    /// It is no key log line.
    Bad,
}

/// Reads a line.
pub(super) fn parse(line: &[u8]) -> Line<'_> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() || line.starts_with(b"#") {
        return Line::Blank;
    }
    let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (mut label, mut name) = (None, None);
    let mut other = false;
    for word in words {
        if let (Some(label), Some(name)) = (label, name) {
            match secret(label, name, word) {
                Line::Bad => {}
                Line::Other => other = true,
                found => return found,
            }
        }
        (label, name) = (name, Some(word));
    }
    if other { Line::Other } else { Line::Bad }
}

/// Three words that may be a secret.
fn secret<'a>(label: &[u8], name: &[u8], secret: &'a [u8]) -> Line<'a> {
    let label = last_word(label);
    if label.eq_ignore_ascii_case(b"RSA") {
        let session = after(name, b"Session-ID:").and_then(session_id).map(Name::Session);
        return match (session, after(secret, b"Master-Key:")) {
            (Some(name), Some(secret)) => {
                digits(secret).map_or(Line::Bad, |secret| Line::Named(name, secret))
            }
            _ => named(unhex(bare(name)).map(Name::Encrypted), secret),
        };
    }
    if label.eq_ignore_ascii_case(b"PMS_CLIENT_RANDOM") {
        return named(unhex(bare(name)).map(Name::Random), secret);
    }
    let (Some(random), Some(secret)) = (unhex(bare(name)), digits(secret)) else { return Line::Bad };
    if let Some(&(label, _)) =
        LABEL_NAMES.iter().find(|(_, text)| label.eq_ignore_ascii_case(text.as_bytes()))
    {
        return Line::Secret(label, Generation::Number(0), random, secret);
    }
    match updated(label) {
        Some((label, generation)) => Line::Secret(label, generation, random, secret),
        None if label.is_empty() => Line::Bad,
        None => Line::Other,
    }
}

/// The label of a traffic secret after key updates.
fn updated(label: &[u8]) -> Option<(Label, Generation)> {
    let client = after(label, b"CLIENT_TRAFFIC_SECRET_").map(|rest| (Label::ClientApplication, rest));
    let server = after(label, b"SERVER_TRAFFIC_SECRET_").map(|rest| (Label::ServerApplication, rest));
    let (label, rest) = client.or(server)?;
    if rest.eq_ignore_ascii_case(b"N") {
        return Some((label, Generation::Next));
    }
    let number = std::str::from_utf8(rest).ok()?.parse().ok()?;
    Some((label, Generation::Number(number)))
}

fn named(name: Option<Name>, secret: &[u8]) -> Line<'_> {
    name.zip(digits(secret)).map_or(Line::Bad, |(name, secret)| Line::Named(name, secret))
}

/// The letters, digits and underscores at the end of a word, which a quote, a bracket or a name with `=` may precede.
fn last_word(word: &[u8]) -> &[u8] {
    let word = word.trim_ascii_end();
    let before = word.iter().rposition(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    word.get(before.map_or(0, |before| before + 1)..).unwrap_or_default()
}

/// A word without quotes and the like around it.
fn bare(word: &[u8]) -> &[u8] {
    let start = word.iter().position(u8::is_ascii_alphanumeric).unwrap_or(word.len());
    let end = word.iter().rposition(u8::is_ascii_alphanumeric).map_or(start, |last| last + 1);
    word.get(start..end).unwrap_or_default()
}

/// The hexadecimal digits at the start of a word; no other letter or digit may follow at once.
fn digits(word: &[u8]) -> Option<&[u8]> {
    let start = word.iter().position(u8::is_ascii_alphanumeric)?;
    let word = word.get(start..)?;
    let len = word.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(word.len());
    let (digits, rest) = word.split_at_checked(len)?;
    let ends = rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    (ends && !digits.is_empty()).then_some(digits)
}

/// What follows a prefix that is written in either case.
fn after<'a>(word: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, tail) = word.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

fn session_id(text: &[u8]) -> Option<SessionId> {
    let text = bare(text);
    let mut bytes = [0; 32];
    let bytes = bytes.get_mut(..text.len() / 2)?;
    unhex_into(text, bytes)?;
    SessionId::new(bytes).filter(|id| !id.is_empty())
}

fn unhex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut out = [0; N];
    unhex_into(text, &mut out)?;
    Some(out)
}

/// Reads hexadecimal digits into all of `out`; `None` when they are more or fewer, or others.
pub(super) fn unhex_into(text: &[u8], out: &mut [u8]) -> Option<()> {
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

/// Adds bytes to `text` as hexadecimal digits.
pub(super) fn hex_onto(text: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    text.extend(bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit));
}

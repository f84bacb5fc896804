//! From key log and negotiation to the keys of one direction.

use super::cipher::{Opener, Writer};
use super::keylog::{ClientRandom, KeyStore, Label, Name};
use super::late::LateJoin;
use super::negotiation::{Early, Epoch, Joined, Negotiation};
use super::nonce::NonceSolver;
use super::record::Header;
use super::schedule::{master_secret, next_traffic_secret};
use super::secret::Secret;
use super::suite::{Suite, TLS13};
use crate::base::direction::Direction;
use crate::base::tls::NotDecrypted;
use std::cell::OnceCell;
use std::ops::Range;

/// The keys of one direction in one epoch, and how far they were used.
pub(crate) struct Protection {
    /// Its epoch.
    pub(crate) epoch: Epoch,
    /// Its cipher suite.
    pub(crate) suite: Suite,
    /// The client random by which its secret was found.
    pub(crate) random: ClientRandom,
    /// Sequence number of the next record.
    pub(crate) seq: u64,
    /// It opened a record.
    pub(crate) proven: bool,
    /// Key updates before it.
    pub(crate) generation: u16,
    opener: Opener,
    /// The traffic secret, of TLS 1.3.
    secret: Option<Secret>,
    source: KeyOrigin,
    /// What finds the numbers of its records, once that was wanted.
    solver: OnceCell<Option<Box<NonceSolver>>>,
}

/// Where in the key log it came from.
#[derive(Clone, Copy)]
enum KeyOrigin {
    Secret(Label),
    Named(Name),
}

impl Protection {
    /// Bytes of memory held beside itself.
    pub(crate) fn memory(&self) -> usize {
        if matches!(self.solver.get(), Some(Some(_))) { size_of::<NonceSolver>() } else { 0 }
    }

    /// Opens a record in place; as [`Opener::open`].
    pub(crate) fn open(&self, seq: u64, header: Header, fragment: &mut [u8]) -> Option<(u8, Range<usize>)> {
        self.opener.open(seq, header, fragment)
    }

    /// What finds the numbers of its records: of TLS 1.3 with AES-GCM only.
    pub(crate) fn solver(&self) -> Option<&NonceSolver> {
        let solver = || NonceSolver::new(self.suite, self.secret.as_ref()?).map(Box::new);
        self.solver.get_or_init(solver).as_deref()
    }

    /// Notes in the key store that it opened a record.
    pub(crate) fn mark_used(&self, keys: &KeyStore) {
        match &self.source {
            KeyOrigin::Secret(label) => keys.mark_used(&self.random, *label),
            KeyOrigin::Named(name) => keys.mark_named_used(name),
        }
    }

    /// The keys after a `KeyUpdate` (RFC 8446 section 7.2); `None` in TLS 1.2.
    pub(crate) fn next_generation(&self) -> Option<Self> {
        let secret = next_traffic_secret(self.suite.hash, self.secret.as_ref()?)?;
        let opener = Opener::tls13(self.suite, &secret)?;
        Some(Self {
            seq: 0,
            proven: false,
            generation: self.generation.saturating_add(1),
            opener,
            secret: Some(secret),
            solver: OnceCell::new(),
            ..*self
        })
    }
}

/// What a direction waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// The other side's hello.
    Hello,
    /// Secrets.
    Secrets,
    /// The server's answer to 0-RTT data.
    Early,
    /// Secrets of a connection that was joined late, to be found among those of the key log.
    Late,
}

/// What is known of the number that a direction's next record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// It is the key's next one.
    Running,
    /// It is the key's next one, or up to so many more.
    Within(u64),
    /// It may be any.
    Unknown,
}

/// What there is to open a direction's records with.
pub(crate) enum KeySearch {
    /// These, one of which fits; `tentative` when it may turn out that none does, because the server hello is
    /// still to come.
    Keys {
        /// To be tried in this order.
        candidates: Vec<Protection>,
        /// See above.
        tentative: bool,
        /// What is known of the first record's number.
        numbers: Numbers,
    },
    /// Something is missing that may still come.
    Wait(Waiting),
    /// Nothing, and nothing will come.
    Never(NotDecrypted),
}

/// Looks for the keys of `from` in `epoch`, or in the one that its first protected records have when that is
/// [`Epoch::Clear`].
pub(crate) fn find(negotiation: &Negotiation, keys: &KeyStore, from: Direction, epoch: Epoch) -> KeySearch {
    let Some(client) = negotiation.is_client(from) else {
        let missing = negotiation.is_missing(from.reverse());
        return if missing { search(keys) } else { KeySearch::Wait(Waiting::Hello) };
    };
    if let Joined::LateJoin(joining) = negotiation.joined(from) {
        return joined(joining, keys, client);
    }
    let (suites, tentative) = match suites(negotiation, from, client) {
        Ok(suites) => suites,
        Err(found) => return found,
    };
    let Some(hello) = &negotiation.hello else {
        let late = client || negotiation.is_missing(from.reverse());
        return if late { search(keys) } else { KeySearch::Wait(Waiting::Hello) };
    };
    // The server may have answered an encrypted hello, whose random only the key log tells.
    let encrypted = hello.ech && !tentative && !negotiation.is_by_trial() && keys.is_unknown(&hello.random);
    if encrypted || negotiation.awaits_join(from) {
        return search(keys);
    }
    let epoch = match epoch {
        Epoch::Clear if client => match first_client_epoch(negotiation, keys, from) {
            Ok(epoch) => epoch,
            Err(waiting) => return KeySearch::Wait(waiting),
        },
        Epoch::Clear => Epoch::Handshake,
        epoch => epoch,
    };
    let mut candidates = Vec::new();
    for &suite in &suites {
        if suite.is_tls13() {
            candidates.extend(tls13(keys, &hello.random, suite, client, epoch));
        } else {
            candidates.extend(tls12(negotiation, keys, &hello.random, suite, client));
        }
    }
    if !candidates.is_empty() {
        KeySearch::Keys { candidates, tentative, numbers: Numbers::Running }
    } else if tentative {
        KeySearch::Wait(Waiting::Hello)
    } else if keys.is_complete() {
        KeySearch::Never(without_secrets(negotiation, keys, &hello.random))
    } else {
        KeySearch::Wait(Waiting::Secrets)
    }
}

/// The key log is to be searched, where there is one.
fn search(keys: &KeyStore) -> KeySearch {
    if keys.is_complete() && keys.is_empty() {
        KeySearch::Never(NotDecrypted::NoSecrets)
    } else {
        KeySearch::Wait(Waiting::Late)
    }
}

/// Why a connection of that client random is not decrypted though the search is over.
fn without_secrets(negotiation: &Negotiation, keys: &KeyStore, random: &ClientRandom) -> NotDecrypted {
    let master = keys.secret(random, Label::Master).is_some();
    if negotiation.server.is_none() && master {
        NotDecrypted::ServerHelloMissing
    } else {
        NotDecrypted::NoSecrets
    }
}

/// The keys of a direction that a search has found: those of the record that was found, and those of the other epochs, as
/// the first record may be of any.
fn joined(joining: &LateJoin, keys: &KeyStore, client: bool) -> KeySearch {
    let labels: &[(Label, Epoch)] = if client {
        &[
            (Label::ClientApplication, Epoch::Application),
            (Label::ClientHandshake, Epoch::Handshake),
            (Label::ClientEarly, Epoch::Early),
        ]
    } else {
        &[(Label::ServerApplication, Epoch::Application), (Label::ServerHandshake, Epoch::Handshake)]
    };
    let before = joining.clue.index.saturating_add(joining.clue.missing);
    let mut candidates = Vec::new();
    for &(label, epoch) in labels {
        let Some(mut key) = from_label(keys, &joining.random, joining.suite, label, epoch) else { continue };
        if label == joining.label {
            while key.generation < joining.generation
                && let Some(next) = key.next_generation()
            {
                key = next;
            }
            key.seq = joining.number.saturating_sub(before);
            candidates.insert(0, key);
        } else {
            candidates.push(key);
        }
    }
    if candidates.is_empty() {
        return KeySearch::Never(NotDecrypted::NoSecrets);
    }
    let mut numbers = Numbers::Within(before);
    if joining.suite.is_gcm13() {
        for key in &mut candidates {
            key.seq = 0;
        }
        numbers = Numbers::Unknown;
    }
    KeySearch::Keys { candidates, tentative: false, numbers }
}

/// The keys that may follow `current`, when a record does not open with it: messages that change keys may have
/// been lost, or are not read for want of their secrets.
pub(crate) fn following(keys: &KeyStore, client: bool, current: &Protection) -> Vec<Protection> {
    let next = |epoch| tls13(keys, &current.random, current.suite, client, epoch);
    match current.epoch {
        Epoch::Early => next(Epoch::Handshake).into_iter().chain(next(Epoch::Application)).collect(),
        Epoch::Handshake => next(Epoch::Application).into_iter().collect(),
        Epoch::Application => current.next_generation().into_iter().collect(),
        Epoch::Clear => Vec::new(),
    }
}

/// The suites that are possible, and whether the server's choice is still to come.
fn suites(negotiation: &Negotiation, from: Direction, client: bool) -> Result<(Vec<Suite>, bool), KeySearch> {
    if let Some(server) = &negotiation.server {
        let tls13 = server.version == 0x0304;
        let suite = Suite::find(server.suite).filter(|suite| suite.mode.key_len() > 0);
        return match suite {
            Some(suite) if suite.is_tls13() == tls13 && server.version >= 0x0303 => Ok((vec![suite], false)),
            _ => Err(KeySearch::Never(NotDecrypted::UnsupportedSuite)),
        };
    }
    // The server's own direction has come to protected records without its hello.
    let missing = !client || negotiation.is_missing(from.reverse());
    let offered = |id: &u16| negotiation.hello.as_ref().is_none_or(|hello| hello.suites.contains(id));
    let tls13 = negotiation.hello.as_ref().is_some_and(|hello| hello.offers_tls13);
    let possible: Vec<_> = TLS13.into_iter().filter(offered).filter_map(Suite::find).collect();
    if tls13 && !possible.is_empty() {
        Ok((possible, !missing))
    } else if missing {
        Err(KeySearch::Never(NotDecrypted::ServerHelloMissing))
    } else {
        Err(KeySearch::Wait(Waiting::Hello))
    }
}

fn first_client_epoch(negotiation: &Negotiation, keys: &KeyStore, from: Direction) -> Result<Epoch, Waiting> {
    let random = negotiation.hello.as_ref().map(|hello| hello.random);
    let secret = random.and_then(|random| keys.secret(&random, Label::ClientEarly));
    match negotiation.early {
        Early::Undecided if secret.is_some() && !negotiation.is_missing(from.reverse()) => {
            Err(Waiting::Early)
        }
        Early::Undecided | Early::Accepted if secret.is_some() => Ok(Epoch::Early),
        _ => Ok(Epoch::Handshake),
    }
}

/// The keys of TLS 1.3 for that epoch; without handshake secrets those that follow.
fn tls13(
    keys: &KeyStore,
    random: &ClientRandom,
    suite: Suite,
    client: bool,
    epoch: Epoch,
) -> Option<Protection> {
    let application = if client { Label::ClientApplication } else { Label::ServerApplication };
    let (epoch, label) = match epoch {
        Epoch::Early => (epoch, Label::ClientEarly),
        Epoch::Handshake => {
            let label = if client { Label::ClientHandshake } else { Label::ServerHandshake };
            if keys.secret(random, label).is_some() {
                (epoch, label)
            } else {
                (Epoch::Application, application)
            }
        }
        Epoch::Application => (epoch, application),
        Epoch::Clear => return None,
    };
    from_label(keys, random, suite, label, epoch).filter(|key| key.generation == 0)
}

/// The keys of TLS 1.3 from the earliest secret for that use.
fn from_label(
    keys: &KeyStore,
    random: &ClientRandom,
    suite: Suite,
    label: Label,
    epoch: Epoch,
) -> Option<Protection> {
    let (secret, generation) = keys.entry(random)?.earliest(label)?;
    Some(Protection {
        epoch,
        suite,
        random: *random,
        seq: 0,
        proven: false,
        generation,
        opener: Opener::tls13(suite, secret)?,
        secret: Some(secret.clone()),
        source: KeyOrigin::Secret(label),
        solver: OnceCell::new(),
    })
}

/// The keys of TLS 1.2: from the master secret by client random or session id, or from a premaster secret.
fn tls12(
    negotiation: &Negotiation,
    keys: &KeyStore,
    random: &ClientRandom,
    suite: Suite,
    client: bool,
) -> Option<Protection> {
    let server = negotiation.server.as_ref()?;
    let derived; // a secret that lives as long as it is needed here
    let (master, source) = if let Some(master) = keys.secret(random, Label::Master) {
        (master, KeyOrigin::Secret(Label::Master))
    } else {
        let (name, secret) =
            negotiation.names().find_map(|name| keys.named(&name).map(|secret| (name, secret)))?;
        derived = if let Name::Session(_) = name {
            Secret::new(secret)?
        } else {
            let extended = server.extended_master_secret;
            let session_hash = if extended { Some(negotiation.transcript.session_hash()?) } else { None };
            master_secret(suite.hash, secret, random, &server.random, session_hash)?
        };
        (&derived, KeyOrigin::Named(name))
    };
    let writer = if client { Writer::Client } else { Writer::Server };
    let etm = server.encrypt_then_mac;
    Some(Protection {
        epoch: Epoch::Application,
        suite,
        random: *random,
        seq: 0,
        proven: false,
        generation: 0,
        solver: OnceCell::new(),
        opener: Opener::tls12(suite, master, random, &server.random, writer, etm)?,
        secret: None,
        source,
    })
}

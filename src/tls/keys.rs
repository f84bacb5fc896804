//! From key log and negotiation to the keys of one direction.

use super::cipher::{Opener, Writer};
use super::counters::Counters;
use super::keylog::{ClientRandom, KeyStore, Label, Name};
use super::negotiation::{Early, Epoch, Negotiation};
use super::record::Header;
use super::schedule::{master_secret, next_traffic_secret};
use super::secret::Secret;
use super::suite::{Suite, TLS13};
use crate::base::direction::Direction;
use crate::base::limits::{MAX_TLS_RANDOM_TRIES, MAX_TLS_RANDOM_TRIES_TOTAL};
use crate::base::tls::NotDecrypted;
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
    opener: Opener,
    /// The traffic secret, of TLS 1.3.
    secret: Option<Secret>,
    source: Source,
}

/// Where in the key log it came from.
#[derive(Clone, Copy)]
enum Source {
    Secret(Label),
    Named(Name),
}

impl Protection {
    /// Opens a record in place; as [`Opener::open`].
    pub(crate) fn open(&self, seq: u64, header: Header, fragment: &mut [u8]) -> Option<(u8, Range<usize>)> {
        self.opener.open(seq, header, fragment)
    }

    /// Notes in the key store that it opened a record.
    pub(crate) fn mark_used(&self, keys: &KeyStore) {
        match &self.source {
            Source::Secret(label) => keys.mark_used(&self.random, *label),
            Source::Named(name) => keys.mark_named_used(name),
        }
    }

    /// The keys after a `KeyUpdate` (RFC 8446 section 7.2); `None` in TLS 1.2.
    pub(crate) fn next_generation(&self) -> Option<Self> {
        let secret = next_traffic_secret(self.suite.hash, self.secret.as_ref()?)?;
        let opener = Opener::tls13(self.suite, &secret)?;
        Some(Self { seq: 0, proven: false, opener, secret: Some(secret), ..*self })
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
}

/// What there is to open a direction's records with.
pub(crate) enum Found {
    /// These, one of which fits; `tentative` when it may turn out that none does, because the server hello is
    /// still to come.
    Keys {
        /// To be tried in this order.
        candidates: Vec<Protection>,
        /// See above.
        tentative: bool,
    },
    /// Something is missing that may still come.
    Wait(Waiting),
    /// Nothing, and nothing will come.
    Never(NotDecrypted),
}

/// Looks for the keys of `from` in `epoch`, or in the one that its first protected records have when that is
/// [`Epoch::Clear`].
pub(crate) fn find(
    negotiation: &Negotiation,
    keys: &KeyStore,
    counters: &mut Counters,
    from: Direction,
    epoch: Epoch,
) -> Found {
    let Some(client) = negotiation.is_client(from) else {
        return if negotiation.is_missing(from.reverse()) {
            Found::Never(NotDecrypted::HandshakeNotCaptured)
        } else {
            Found::Wait(Waiting::Hello)
        };
    };
    let (suites, tentative) = match suites(negotiation, from, client) {
        Ok(suites) => suites,
        Err(found) => return found,
    };
    if negotiation.hello.is_none() && !client && !negotiation.is_missing(from.reverse()) {
        return Found::Wait(Waiting::Hello);
    }
    let epoch = match epoch {
        Epoch::Clear if client => match first_client_epoch(negotiation, keys, from) {
            Ok(epoch) => epoch,
            Err(waiting) => return Found::Wait(waiting),
        },
        Epoch::Clear => Epoch::Handshake,
        epoch => epoch,
    };
    let mut candidates = Vec::new();
    for random in &randoms(negotiation, keys, counters) {
        for &suite in &suites {
            if suite.is_tls13() {
                candidates.extend(tls13(keys, random, suite, client, epoch));
            } else {
                candidates.extend(tls12(negotiation, keys, random, suite, client));
            }
        }
    }
    if !candidates.is_empty() {
        Found::Keys { candidates, tentative }
    } else if negotiation.hello.is_none() {
        Found::Never(NotDecrypted::HandshakeNotCaptured)
    } else if tentative {
        Found::Wait(Waiting::Hello)
    } else if keys.is_complete() {
        Found::Never(NotDecrypted::NoSecrets)
    } else {
        Found::Wait(Waiting::Secrets)
    }
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
fn suites(negotiation: &Negotiation, from: Direction, client: bool) -> Result<(Vec<Suite>, bool), Found> {
    if let Some(server) = &negotiation.server {
        let tls13 = server.version == 0x0304;
        let suite = Suite::find(server.suite).filter(|suite| suite.mode.key_len() > 0);
        return match suite {
            Some(suite) if suite.is_tls13() == tls13 && server.version >= 0x0303 => Ok((vec![suite], false)),
            _ => Err(Found::Never(NotDecrypted::UnsupportedSuite)),
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
        Err(Found::Never(NotDecrypted::HandshakeNotCaptured)) // TLS 1.2 needs the server's random
    } else {
        Err(Found::Wait(Waiting::Hello))
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

/// The client random; those of the key log, newest first and within limits, without the client hello, or where it
/// carries an encrypted one with another random.
fn randoms(negotiation: &Negotiation, keys: &KeyStore, counters: &mut Counters) -> Vec<ClientRandom> {
    if let Some(hello) = &negotiation.hello
        && !(hello.ech && keys.is_unknown(&hello.random))
    {
        return vec![hello.random];
    }
    let left = MAX_TLS_RANDOM_TRIES_TOTAL.saturating_sub(counters.random_tries) as usize;
    let most = left.min(MAX_TLS_RANDOM_TRIES);
    let mut newest = keys.newest();
    let randoms: Vec<_> = newest.by_ref().take(most).copied().collect();
    counters.random_tries += randoms.len() as u64;
    counters.random_limit += u64::from(newest.next().is_some());
    randoms
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
    let secret = keys.secret(random, label)?;
    Some(Protection {
        epoch,
        suite,
        random: *random,
        seq: 0,
        proven: false,
        opener: Opener::tls13(suite, secret)?,
        secret: Some(secret.clone()),
        source: Source::Secret(label),
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
        (master, Source::Secret(Label::Master))
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
        (&derived, Source::Named(name))
    };
    let writer = if client { Writer::Client } else { Writer::Server };
    let etm = server.encrypt_then_mac;
    Some(Protection {
        epoch: Epoch::Application,
        suite,
        random: *random,
        seq: 0,
        proven: false,
        opener: Opener::tls12(suite, master, random, &server.random, writer, etm)?,
        secret: None,
        source,
    })
}

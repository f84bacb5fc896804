//! What both sides of a connection agreed on, as far as it was seen.

use super::handshake::Message;
use super::hello::{ClientHello, ServerHello};
use super::keylog::{ClientRandom, Label, Name};
use super::late::{Hints, LateJoin};
use super::sink::PlaintextSink;
use super::suite::Suite;
use super::transcript::Transcript;
use crate::base::direction::{Direction, PerDirection};
use crate::base::tls::{Alert, Description, NotDecrypted};

/// What protects the records of a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Epoch {
    /// Nothing.
    #[default]
    Clear,
    /// Early traffic secret (TLS 1.3, client).
    Early,
    /// Handshake traffic secrets (TLS 1.3).
    Handshake,
    /// Application traffic secrets of TLS 1.3; the keys of TLS 1.2.
    Application,
}

/// What became of 0-RTT data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Early {
    /// None was announced.
    #[default]
    None,
    /// Announced; the server's answer is not known yet.
    Undecided,
    /// The server reads it, or its answer cannot be known.
    Accepted,
    /// The server skips it, and the client sends it again.
    Rejected,
}

/// Whether a direction's hello is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HelloSeen {
    /// Nothing was seen yet, or no whole hello.
    #[default]
    Unseen,
    /// Seen.
    Hello,
    /// It is not in the capture.
    Missing,
}

/// What a search in the key log came to for a direction.
#[derive(Clone, Debug, Default)]
pub(crate) enum Joined {
    /// Nothing yet, or there was none.
    #[default]
    No,
    /// Its secrets, to be read on with.
    LateJoin(Box<LateJoin>),
    /// The direction is read on: its keys follow from one another.
    Done,
}

/// State that both directions of a connection share.
#[derive(Default)]
pub(crate) struct Negotiation {
    /// What is told to the outside.
    pub(crate) description: Description,
    /// The current client hello; or its random alone, found by trial.
    pub(crate) hello: Option<Box<ClientHello>>,
    /// The current server hello, not one that asks for another client hello.
    pub(crate) server: Option<Box<ServerHello>>,
    /// Fate of 0-RTT data.
    pub(crate) early: Early,
    /// The session hash in the making.
    pub(crate) transcript: Transcript,
    /// First bytes of the encrypted premaster secret.
    pub(crate) encrypted_premaster: Option<[u8; 8]>,
    /// Something was learned that a waiting direction may go on with.
    pub(crate) progress: bool,
    /// Plaintext was handed on, of either direction.
    pub(crate) plaintext: bool,
    /// The description has changed since it was handed on.
    untold: bool,
    opening: PerDirection<HelloSeen>,
    /// What the search for a late connection's secrets has found.
    joined: PerDirection<Joined>,
    /// The client random was found by trying.
    by_trial: bool,
    /// A record of application data was read.
    read: bool,
    /// Key updates before the first one of a direction, and its number; 0-RTT data aside.
    starts: PerDirection<Option<(u16, u64)>>,
    /// The server asked for another client hello, so that the version is TLS 1.3.
    retried: bool,
    /// The group that it asked for a key share of.
    asked: Option<u16>,
    /// A message of a full handshake of TLS 1.2 was seen, or may have been lost.
    full_handshake: bool,
}

impl Negotiation {
    /// Takes a message sent by `from`. Those of TLS 1.2's renegotiation start anew.
    pub(crate) fn message(&mut self, from: Direction, message: Message) {
        match message {
            Message::ClientHello(hello) => self.client_hello(from, hello),
            Message::ServerHello(hello) => self.server_hello(from, hello),
            Message::EncryptedExtensions(extensions) => {
                self.description.alpn = extensions.alpn.or(self.description.alpn.take());
                self.answer_early(extensions.early_data);
            }
            Message::ClientKeyExchange(prefix) => {
                self.encrypted_premaster = prefix;
                self.transcript.complete();
            }
            Message::FullHandshake if self.is_client(from) == Some(false) => {
                self.full_handshake = true;
                if self.version() != Some(0x0304) {
                    self.description.resumed.get_or_insert(false);
                }
            }
            _ => return,
        }
        (self.progress, self.untold) = (true, true);
    }

    fn client_hello(&mut self, from: Direction, mut hello: Box<ClientHello>) {
        let client = *self.description.client.get_or_insert(from);
        let same = self.hello.as_ref().filter(|old| old.random == hello.random);
        let known_by_trial = same.is_some_and(|old| old.suites.is_empty());
        let second = hello.is_second(self.asked);
        if client != from || same.is_some() && !known_by_trial {
            // Of the same random is the answer to a retry, or the hello before it, where that comes later.
            if client == from && !second && std::mem::take(&mut self.description.second_hello) {
                self.description.ja4 = Some(std::mem::take(&mut hello.ja4));
                self.untold = true;
            }
            return;
        }
        self.opening[from] = HelloSeen::Hello;
        self.judge_late();
        let description = &mut self.description;
        if description.ja4.is_none() && !description.second_hello {
            description.server_name = hello.server_name.take();
            description.alpn_offered = std::mem::take(&mut hello.alpn);
            description.alpn_cut = hello.alpn_cut;
            description.ja4 = (!second).then(|| std::mem::take(&mut hello.ja4));
            description.second_hello = second;
            description.ech = hello.ech;
        }
        // The server's answer may have come first when the capture has the packets in another order.
        if self.hello.is_some() && !known_by_trial {
            self.server = None;
            self.full_handshake = false;
        }
        self.encrypted_premaster = None;
        self.early = if hello.early_data { Early::Undecided } else { Early::None };
        self.hello = Some(hello);
        self.decide_early();
    }

    fn server_hello(&mut self, from: Direction, hello: Box<ServerHello>) {
        if *self.description.client.get_or_insert(from.reverse()) == from {
            return;
        }
        self.opening[from] = HelloSeen::Hello;
        self.judge_late();
        let tls13 = hello.version == 0x0304;
        let description = &mut self.description;
        description.version = version_name(hello.version).or(description.version);
        if hello.retry {
            self.retried = true;
            self.asked = hello.asked;
            // The client hello that it is answered with may have come before it.
            if self.hello.as_ref().is_some_and(|known| known.is_second(hello.asked)) {
                description.ja4 = None;
                description.second_hello = true;
            }
        } else {
            let suite = Suite::find(hello.suite);
            description.cipher = suite.map(|suite| suite.name);
            description.alpn = hello.alpn.clone().or(description.alpn.take());
            if tls13 {
                description.resumed = Some(hello.pre_shared_key);
            }
            let hashed = hello.version == 0x0303 && hello.extended_master_secret;
            self.transcript.choose(suite.filter(|_| hashed).map(|suite| suite.hash));
            self.server = Some(hello);
        }
        self.decide_early();
    }

    fn decide_early(&mut self) {
        let refused = self.server.as_ref().is_some_and(|server| !server.pre_shared_key);
        if self.retried || refused {
            self.answer_early(false);
        }
    }

    /// The server's answer to 0-RTT data is known, if there is any.
    pub(crate) fn answer_early(&mut self, accepted: bool) {
        if self.early != Early::None && self.description.early_data.is_none() {
            self.description.early_data = Some(accepted);
            self.untold = true;
        }
        if self.early == Early::Undecided {
            self.early = if accepted { Early::Accepted } else { Early::Rejected };
        }
    }

    /// The server's change of cipher specs in the clear: in TLS 1.2 before any message of a full handshake, it
    /// tells that a session is resumed.
    pub(crate) fn change_cipher_spec(&mut self, from: Direction) {
        if self.is_client(from) == Some(false) && !self.full_handshake && self.version() == Some(0x0303) {
            self.description.resumed.get_or_insert(true);
            self.untold = true;
        }
    }

    /// A hole in what a direction sends in the clear: a hello that has not come by now is lost.
    pub(crate) fn lose_clear(&mut self, from: Direction) {
        self.transcript.lose();
        if self.is_client(from) != Some(true) {
            self.full_handshake = true;
        }
        self.lose_hello(from);
    }

    /// The direction's hello, if it has not come, is not in the capture.
    pub(crate) fn lose_hello(&mut self, from: Direction) {
        let there = self.opening[from] == HelloSeen::Hello
            && (self.is_client(from) == Some(true) || self.server.is_some());
        if !there && self.opening[from] != HelloSeen::Missing {
            self.opening[from] = HelloSeen::Missing;
            self.progress = true;
            self.judge_late();
        }
    }

    /// The server's answer to 0-RTT data cannot be known; what is there is then shown.
    pub(crate) fn assume_early(&mut self) {
        if self.early == Early::Undecided {
            self.early = Early::Accepted;
            self.progress = true;
        }
    }

    /// Whether nothing was seen of the direction, not even that its hello is missing.
    pub(crate) fn is_unseen(&self, from: Direction) -> bool {
        self.opening[from] == HelloSeen::Unseen
    }

    /// Whether the direction's hello is known not to come.
    pub(crate) fn is_missing(&self, from: Direction) -> bool {
        self.opening[from] == HelloSeen::Missing
    }

    /// Whether that direction is the client's, when it is known which is.
    pub(crate) fn is_client(&self, from: Direction) -> Option<bool> {
        self.description.client.map(|client| client == from)
    }

    /// An alert: of TLS 1.2 its level says whether it ends the connection (RFC 5246 section 7.2), of TLS 1.3 its description.
    pub(crate) fn alert(&mut self, from: Direction, alert: &[u8]) {
        let &[level, description] = alert else { return };
        let alert = Alert(description);
        let ends = level == 2 || (self.version() == Some(0x0304) && !alert.is_close());
        if ends && !alert.is_close() && self.description.alert.is_none() {
            self.description.alert = Some((from, alert));
            self.untold = true;
        }
    }

    /// The version, once the server chose one.
    pub(crate) fn version(&self) -> Option<u16> {
        self.server.as_ref().map(|server| server.version).or(self.retried.then_some(0x0304))
    }

    /// A key opened the first record of an epoch: what it proves of a connection whose hellos were not both seen.
    pub(crate) fn prove(&mut self, from: Direction, random: &ClientRandom, suite: Suite) {
        let client = self.is_client(from).unwrap_or(true);
        self.identify(if client { from } else { from.reverse() }, random, suite);
    }

    /// The search in the key log has found a direction's secrets.
    pub(crate) fn join(&mut self, from: Direction, found: LateJoin) {
        let is_client =
            matches!(found.label, Label::ClientEarly | Label::ClientHandshake | Label::ClientApplication);
        let client = if is_client { from } else { from.reverse() };
        let client = self.description.client.unwrap_or(client);
        self.by_trial = true;
        self.progress = true;
        if let Some(hello) = &mut self.hello {
            hello.random = found.random; // of the encrypted hello
        }
        self.identify(client, &found.random, found.suite);
        if found.suite.is_tls13() {
            self.joined[from] = Joined::LateJoin(Box::new(found));
        } else {
            self.joined = PerDirection { forward: Joined::Done, backward: Joined::Done };
        }
    }

    /// Fills in what the hellos would have told.
    fn identify(&mut self, client: Direction, random: &ClientRandom, suite: Suite) {
        if self.hello.is_none() {
            self.hello = Some(Box::new(ClientHello { random: *random, ..ClientHello::default() }));
            self.progress = true;
        }
        if self.server.is_none() && suite.is_tls13() {
            let server = ServerHello { version: 0x0304, suite: suite.id, ..ServerHello::default() };
            self.description.client.get_or_insert(client);
            self.description.version = version_name(0x0304);
            self.description.cipher = Some(suite.name);
            self.server = Some(Box::new(server));
            (self.progress, self.untold) = (true, true);
        }
    }

    /// What a search for the secrets of `from` begins with.
    pub(crate) fn known(&self, from: Direction) -> Hints {
        let server = self.server.as_deref();
        let other = match &self.joined[from.reverse()] {
            Joined::LateJoin(found) => Some(found.number),
            Joined::No | Joined::Done => self.starts[from.reverse()].map(|(_, number)| number),
        };
        Hints {
            client: self.description.client,
            suite: server.and_then(|server| Suite::find(server.suite)),
            hello: self.hello.is_some() && !self.by_trial,
            random: self.hello.as_ref().filter(|_| self.by_trial).map(|hello| hello.random),
            near: other.filter(|_| self.by_trial),
            tls12: server
                .filter(|server| server.version < 0x0304)
                .map(|server| (server.random, server.encrypt_then_mac)),
        }
    }

    /// What a search has found for `from`.
    pub(crate) fn joined(&self, from: Direction) -> &Joined {
        &self.joined[from]
    }

    /// Whether the secrets of `from` are still to be found by trying, as the other direction's were.
    pub(crate) fn awaits_join(&self, from: Direction) -> bool {
        self.by_trial && matches!(self.joined[from], Joined::No)
    }

    /// The client random was found by trying.
    pub(crate) fn is_by_trial(&self) -> bool {
        self.by_trial
    }

    /// The keys that a search has found for `from` are in use.
    pub(crate) fn use_joined(&mut self, from: Direction) {
        if let Joined::LateJoin(_) = self.joined[from] {
            self.joined[from] = Joined::Done;
        }
    }

    /// A record of application data opened, 0-RTT data or with that number under keys of that generation.
    pub(crate) fn start(&mut self, from: Direction, start: Option<(u16, u64)>) {
        if !self.read || start.is_some() && self.starts[from].is_none() {
            self.read = true;
            self.starts[from] = self.starts[from].or(start);
            self.judge_late();
        }
    }

    /// Whether the connection is one that was joined late and is decrypted.
    fn judge_late(&mut self) {
        let missing = self.is_missing(Direction::Forward) || self.is_missing(Direction::Backward);
        let late = missing && self.read;
        if late || self.description.late {
            self.description.late = late;
            for from in [Direction::Forward, Direction::Backward] {
                let start = self.starts[from].filter(|_| late);
                self.description.records_missed[from] = start.map(|(_, number)| number);
                self.description.generation[from] = start.map_or(0, |(generation, _)| generation);
            }
            self.untold = true;
        }
    }

    /// The names, beside the client random, under which a key log may have a secret of this handshake of TLS 1.2.
    pub(crate) fn names(&self) -> impl Iterator<Item = Name> {
        let session = self.server.as_ref().map(|server| server.session).filter(|id| !id.is_empty());
        let encrypted = self.encrypted_premaster.map(Name::Encrypted);
        let random = self.hello.as_ref().map(|hello| Name::Random(hello.random));
        session.map(Name::Session).into_iter().chain(encrypted).chain(random)
    }

    /// Something could not be decrypted; the first reason stays.
    pub(crate) fn fail(&mut self, reason: NotDecrypted) {
        self.untold |= self.description.not_decrypted.is_none();
        self.description.not_decrypted.get_or_insert(reason);
    }

    /// Hands the description on if it has changed.
    pub(crate) fn tell(&mut self, sink: &mut dyn PlaintextSink) {
        if std::mem::take(&mut self.untold) {
            sink.describe(&self.description);
        }
    }
}

const fn version_name(version: u16) -> Option<&'static str> {
    Some(match version {
        0x0300 => "SSLv3",
        0x0301 => "1.0",
        0x0302 => "1.1",
        0x0303 => "1.2",
        0x0304 => "1.3",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_alert_that_ends_the_connection_is_told() {
        let mut shared = Negotiation::default();
        for alert in [&[1, 112][..], &[1, 0], &[2, 0], &[2], &[2, 40, 0], &[]] {
            shared.alert(Direction::Forward, alert);
            assert_eq!(shared.description.alert, None, "{alert:?}");
        }
        shared.alert(Direction::Backward, &[2, 48]);
        shared.alert(Direction::Forward, &[2, 40]);
        assert_eq!(shared.description.alert, Some((Direction::Backward, Alert(48))));
        assert_eq!((Alert(48).name(), Alert(77).name()), (Some("unknown_ca"), None));
    }

    /// In whatever order the capture has them, the first client hello is the one with the fingerprint.
    #[test]
    fn hellos_around_a_retry_in_any_order() {
        let client = |share, ja4: &str| {
            let hello = ClientHello {
                random: [7; 32],
                suites: vec![0x1301],
                ja4: ja4.to_owned(),
                only_share: Some(share),
                ..ClientHello::default()
            };
            Message::ClientHello(Box::new(hello))
        };
        let retry = || {
            let hello =
                ServerHello { version: 0x0304, retry: true, asked: Some(23), ..ServerHello::default() };
            Message::ServerHello(Box::new(hello))
        };
        let (from, first, second) = (Direction::Forward, || client(29, "first"), || client(23, "second"));
        for (order, ja4) in [
            (vec![(from, first()), (from.reverse(), retry()), (from, second())], Some("first")),
            (vec![(from.reverse(), retry()), (from, second())], None),
            (vec![(from, second()), (from.reverse(), retry())], None),
            (vec![(from.reverse(), retry()), (from, second()), (from, first())], Some("first")),
            (vec![(from, second())], Some("second")),
        ] {
            let mut shared = Negotiation::default();
            for (from, message) in order {
                shared.message(from, message);
            }
            assert_eq!(shared.description.ja4.as_deref(), ja4);
            assert_eq!(shared.description.second_hello, ja4.is_none());
        }
    }

    /// Of TLS 1.3 the level is no matter.
    #[test]
    fn a_warning_of_tls_1_3_ends_the_connection() {
        let mut shared = Negotiation { retried: true, ..Negotiation::default() };
        shared.alert(Direction::Forward, &[1, 90]);
        assert_eq!(shared.description.alert, None, "it is about to be closed");
        shared.alert(Direction::Forward, &[1, 116]);
        assert_eq!(shared.description.alert, Some((Direction::Forward, Alert(116))));
    }
}

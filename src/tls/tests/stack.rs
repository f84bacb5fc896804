//! rustls against rustls in memory, with all that goes over the wire.

use super::{BOTH, Direction, Event, PerDirection};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{ALL_CIPHER_SUITES, default_provider, kx_group};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, KeyLog, RootCertStore, ServerConfig, ServerConnection,
    SideData, SupportedCipherSuite, version,
};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::{Arc, LazyLock, Mutex};

/// A key log in memory.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<String>);

impl KeyLog for Log {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut text = self.0.lock().unwrap();
        write!(text, "{label} ").unwrap();
        for byte in client_random {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push(' ');
        for byte in secret {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push('\n');
    }
}

type Identity = (CertificateDer<'static>, Vec<u8>);

fn identity(key: &rcgen::KeyPair) -> Identity {
    let params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    (params.self_signed(key).unwrap().der().clone(), key.serialize_der())
}

static ECDSA: LazyLock<Identity> = LazyLock::new(|| identity(&rcgen::KeyPair::generate().unwrap()));
static RSA: LazyLock<Identity> = LazyLock::new(|| {
    let pem = include_str!("../../../testdata/tls/rsa-key.pem");
    identity(&rcgen::KeyPair::from_pem(pem).unwrap())
});

fn private_key(identity: &Identity) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(identity.1.clone()).into()
}

/// Both sides' configuration.
#[derive(Clone)]
pub(super) struct Stack {
    pub(super) client: ClientConfig,
    pub(super) server: ServerConfig,
    pub(super) log: Arc<Log>,
}

impl Stack {
    /// The server takes that suite alone, the client offers all of its version; `retry` makes the server ask for
    /// another client hello, `client_auth` for a certificate.
    pub(super) fn new(suite: SupportedCipherSuite, retry: bool, client_auth: bool) -> Self {
        let provider = |cipher_suites, kx_groups| {
            Arc::new(CryptoProvider { cipher_suites, kx_groups, ..default_provider() })
        };
        let mut offered = ALL_CIPHER_SUITES.to_vec();
        offered.retain(|offered| offered.version() == suite.version());
        let groups = vec![kx_group::X25519, kx_group::SECP256R1];
        let client_provider = provider(offered, groups.clone());
        let server_provider = provider(vec![suite], if retry { vec![kx_group::SECP256R1] } else { groups });
        let versions = [if suite.tls13().is_some() { &version::TLS13 } else { &version::TLS12 }];
        let identity = if format!("{:?}", suite.suite()).contains("_RSA_") { &*RSA } else { &*ECDSA };
        let mut roots = RootCertStore::empty();
        roots.add(identity.0.clone()).unwrap();
        let roots = Arc::new(roots);
        let builder = ClientConfig::builder_with_provider(client_provider)
            .with_protocol_versions(&versions)
            .unwrap()
            .with_root_certificates(roots.clone());
        let mut client = if client_auth {
            builder.with_client_auth_cert(vec![identity.0.clone()], private_key(identity)).unwrap()
        } else {
            builder.with_no_client_auth()
        };
        let builder = ServerConfig::builder_with_provider(server_provider.clone())
            .with_protocol_versions(&versions)
            .unwrap();
        let builder = if client_auth {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots, server_provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let mut server = builder.with_single_cert(vec![identity.0.clone()], private_key(identity)).unwrap();
        let log = Arc::new(Log::default());
        client.key_log = log.clone();
        client.resumption = Resumption::in_memory_sessions(4);
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        server.alpn_protocols = vec![b"h2".to_vec()];
        server.session_storage = ServerSessionMemoryCache::new(4);
        Self { client, server, log }
    }

    /// A connection of these two.
    pub(super) fn connect(&self) -> Pair {
        let name = ServerName::try_from("a.example").unwrap();
        let mut client = ClientConnection::new(Arc::new(self.client.clone()), name).unwrap();
        let mut server = ServerConnection::new(Arc::new(self.server.clone())).unwrap();
        client.set_buffer_limit(None);
        server.set_buffer_limit(None);
        Pair { client, server, events: Vec::new(), plain: PerDirection::default(), log: self.log.clone() }
    }
}

/// A connection: the client is the forward side.
pub(super) struct Pair {
    pub(super) client: ClientConnection,
    pub(super) server: ServerConnection,
    /// What went over the wire: one event for each flight of a side.
    pub(super) events: Vec<(Direction, Event)>,
    /// What each side sent.
    pub(super) plain: PerDirection<Vec<u8>>,
    log: Arc<Log>,
}

impl Pair {
    /// Bytes that `from` sends.
    pub(super) fn send(&mut self, from: Direction, bytes: &[u8]) {
        match from {
            Direction::Forward => self.client.writer().write_all(bytes).unwrap(),
            Direction::Backward => self.server.writer().write_all(bytes).unwrap(),
        }
        self.plain[from].extend_from_slice(bytes);
        self.pump();
    }

    /// 0-RTT data; `lost` when the server will not take it.
    pub(super) fn send_early(&mut self, bytes: &[u8], lost: bool) {
        self.client.early_data().expect("early data is possible").write_all(bytes).unwrap();
        if !lost {
            self.plain.forward.extend_from_slice(bytes);
        }
    }

    /// Both sides say `close_notify`.
    pub(super) fn close(&mut self) {
        self.client.send_close_notify();
        self.pump();
        self.server.send_close_notify();
        self.pump();
    }

    /// Lets the two talk until they are silent.
    pub(super) fn pump(&mut self) {
        loop {
            let mut silent = true;
            for from in BOTH {
                let bytes = match from {
                    Direction::Forward => sent_by(&mut self.client),
                    Direction::Backward => sent_by(&mut self.server),
                };
                if bytes.is_empty() {
                    continue;
                }
                silent = false;
                match from {
                    Direction::Forward => receive(&mut self.server, &bytes),
                    Direction::Backward => receive(&mut self.client, &bytes),
                }
                self.events.push((from, Event::Data(bytes)));
            }
            if silent {
                return;
            }
        }
    }

    /// The key log so far.
    pub(super) fn keys(&self) -> String {
        self.log.0.lock().unwrap().clone()
    }
}

fn sent_by<S: SideData>(side: &mut ConnectionCommon<S>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while side.wants_write() {
        side.write_tls(&mut bytes).unwrap();
    }
    bytes
}

fn receive<S: SideData>(side: &mut ConnectionCommon<S>, mut bytes: &[u8]) {
    let mut plain = [0; 4096];
    while !bytes.is_empty() {
        side.read_tls(&mut bytes).unwrap();
        side.process_new_packets().unwrap();
        while matches!(side.reader().read(&mut plain), Ok(1..)) {}
    }
}

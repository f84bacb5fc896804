//! TLS around the wire: rustls at both ends, with a key log.

use super::conversation::Event;
use super::endpoints::{Recording, Setup, block_on, converse};
use super::plan::Plan;
use super::tap;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{
    CipherSuite, ClientConfig, KeyLog, ProtocolVersion, RootCertStore, ServerConfig, SupportedCipherSuite,
};
use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A key log in NSS format, written as secrets come.
#[derive(Debug, Default)]
struct Log(Mutex<String>);

impl KeyLog for Log {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").unwrap();
                text
            })
        };
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        self.0.lock().unwrap().push_str(&line);
    }
}

/// What went over a TLS connection.
#[derive(Debug)]
pub(crate) struct TlsRecording {
    pub(crate) recording: Recording,
    pub(crate) keys: String,
    /// As OpenTelemetry has it: `1.2`, `1.3`.
    pub(crate) version: &'static str,
    /// IANA name.
    pub(crate) cipher: String,
}

/// The cipher suites of TLS 1.2 and 1.3 that rustls can use with the certificate made here.
pub(crate) fn suites() -> impl Iterator<Item = SupportedCipherSuite> {
    let all = rustls::crypto::ring::ALL_CIPHER_SUITES.iter().copied();
    all.filter(|suite| !iana_name(suite.suite()).contains("_RSA_"))
}

/// What clients send over TLS connections, each these bytes once its handshake is over, and the secrets. Each step is told: of
/// which connection, whether the client sent it, and the bytes.
pub(crate) fn each_sends(
    suite: SupportedCipherSuite,
    count: u16,
    bytes: &[u8],
    mut told: impl FnMut(u16, bool, &[u8]),
) -> String {
    let keys = Arc::new(Log::default());
    let (client, server) = configs(suite, Arc::clone(&keys));
    let (client, server) = (Arc::new(client), Arc::new(server));
    for number in 0..count {
        let name = ServerName::try_from("origin.example").unwrap();
        let mut client = rustls::ClientConnection::new(Arc::clone(&client), name).unwrap();
        let mut server = rustls::ServerConnection::new(Arc::clone(&server)).unwrap();
        client.set_buffer_limit(None);
        let mut written = false;
        while !written || client.wants_write() || server.wants_write() {
            if !written && !client.is_handshaking() {
                client.writer().write_all(bytes).unwrap();
                written = true;
            }
            let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
            while client.wants_write() {
                client.write_tls(&mut from_client).unwrap();
            }
            told(number, true, &from_client);
            let mut rest = from_client.as_slice();
            // The server need not read what the client sends in the end.
            while !rest.is_empty() && !written {
                server.read_tls(&mut rest).unwrap();
                server.process_new_packets().unwrap();
            }
            while server.wants_write() {
                server.write_tls(&mut from_server).unwrap();
            }
            told(number, false, &from_server);
            let mut rest = from_server.as_slice();
            while !rest.is_empty() {
                client.read_tls(&mut rest).unwrap();
                client.process_new_packets().unwrap();
            }
        }
    }
    keys.0.lock().unwrap().clone()
}

/// The same endpoints as in [`super::endpoints::record`], over TLS with this cipher suite.
pub(crate) fn record(plans: Vec<Plan>, setup: Setup, suite: SupportedCipherSuite) -> TlsRecording {
    let keys = Arc::new(Log::default());
    let (client, server) = configs(suite, Arc::clone(&keys));
    let (recording, version, cipher) = block_on(async {
        let (client_end, server_end, tape) = tap::wire(64 << 10);
        let name = ServerName::try_from("origin.example").unwrap();
        let connector = TlsConnector::from(Arc::new(client));
        let acceptor = TlsAcceptor::from(Arc::new(server));
        let (client, server) = tokio::join!(connector.connect(name, client_end), acceptor.accept(server_end));
        let (client, server) = (client.unwrap(), server.unwrap());
        let state = client.get_ref().1;
        let version = match state.protocol_version().unwrap() {
            ProtocolVersion::TLSv1_2 => "1.2",
            ProtocolVersion::TLSv1_3 => "1.3",
            other => panic!("{other:?}"),
        };
        let cipher = iana_name(state.negotiated_cipher_suite().unwrap().suite());
        assert_eq!(state.alpn_protocol(), Some(&b"h2"[..]));
        let exchanges = converse(client, server, plans, setup).await;
        let events: Vec<Event> = tap::recording(&tape);
        (Recording { events, exchanges }, version, cipher)
    });
    let keys = keys.0.lock().unwrap().clone();
    TlsRecording { recording, keys, version, cipher }
}

fn configs(suite: SupportedCipherSuite, keys: Arc<Log>) -> (ClientConfig, ServerConfig) {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites = vec![suite];
    let provider = Arc::new(provider);
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["origin.example".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let der = certificate.der().clone();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der.clone()], private)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(der).unwrap();
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    server.alpn_protocols = vec![b"h2".to_vec()];
    client.key_log = keys;
    (client, server)
}

/// rustls calls TLS 1.3 suites `TLS13_…`.
fn iana_name(suite: CipherSuite) -> String {
    suite.as_str().unwrap().replace("TLS13_", "TLS_")
}

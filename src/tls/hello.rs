//! The hello messages (RFC 8446 section 4.1, RFC 5246 section 7.4.1) and `EncryptedExtensions`, as far as a
//! passive reader needs them.

use super::extension;
use super::ja4::{self, Offer};
use super::keylog::{ClientRandom, SessionId};
use super::reader::Reader;
use crate::base::limits::{MAX_TLS_ALPN, MAX_TLS_ALPN_BYTES};
use crate::base::memory::of_block;
use crate::base::plain::escaped_len;

/// The longest names of hosts (RFC 1035 section 2.3.4) and protocols (RFC 7301 section 3.1).
const NAME: u64 = 255;

/// The random of a server hello that asks for another client hello (RFC 8446 section 4.1.3).
const HELLO_RETRY_REQUEST: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Whether a number is reserved to be ignored (RFC 8701).
pub(crate) const fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// What is kept of a client hello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientHello {
    /// Its random.
    pub(crate) random: ClientRandom,
    /// Suites offered, without those reserved to be ignored.
    pub(crate) suites: Vec<u16>,
    /// TLS 1.3 is offered.
    pub(crate) offers_tls13: bool,
    /// 0-RTT data is announced.
    pub(crate) early_data: bool,
    /// It carries an encrypted hello, or pretends to: the server may answer the inner one, whose random is another.
    pub(crate) ech: bool,
    /// The `server_name`'s host name.
    pub(crate) server_name: Option<String>,
    /// Protocols offered.
    pub(crate) alpn: Vec<String>,
    /// It offers more than these.
    pub(crate) alpn_cut: bool,
    /// JA4 fingerprint.
    pub(crate) ja4: String,
    /// It has a cookie, which a server has given the client before.
    pub(crate) cookie: bool,
    /// The group of its key share, if that is the only one.
    pub(crate) only_share: Option<u16>,
}

impl ClientHello {
    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>()
            + self.suites.capacity() * size_of::<u16>()
            + self.server_name.as_ref().map_or(0, String::capacity)
            + self.alpn.iter().map(|name| size_of::<String>() + of_block(name.len())).sum::<usize>()
            + self.ja4.capacity()
    }

    /// Whether it certainly answers a server that asked for another one (RFC 8446 section 4.1.2): it has that server's cookie,
    /// or one key share alone, of the group `asked` for, of which the first hello must have had none.
    pub(crate) fn is_second(&self, asked: Option<u16>) -> bool {
        self.cookie || asked.is_some() && self.only_share == asked
    }

    /// From the message's body; `None` when it is malformed before its extensions. Extensions that are cut or
    /// malformed are left out.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let mut offer = Offer { legacy_version: reader.u16()?, ..Offer::default() };
        let mut hello = Self { random: reader.array()?, ..Self::default() };
        reader.vector8()?; // legacy_session_id
        offer.suites = reader.vector16()?.u16s().filter(|&suite| !is_grease(suite)).collect();
        reader.vector8()?; // legacy_compression_methods
        for (number, mut data) in extensions(reader) {
            if !is_grease(number) {
                offer.extensions.push(number);
            }
            match number {
                extension::SERVER_NAME => hello.server_name = host_name(data),
                extension::ALPN => {
                    let mut names = data.vector16().unwrap_or(Reader::new(&[]));
                    let mut room = MAX_TLS_ALPN_BYTES;
                    while let Some(name) = names.vector8() {
                        let name = name.rest();
                        offer.first_alpn.get_or_insert(name);
                        let left = room.checked_sub(escaped_len(name) as usize);
                        hello.alpn_cut |= left.is_none() || hello.alpn.len() >= MAX_TLS_ALPN;
                        if !hello.alpn_cut {
                            hello.alpn.push(String::from_utf8_lossy(name).into_owned());
                        }
                        room = left.unwrap_or(0);
                    }
                }
                extension::SIGNATURE_ALGORITHMS => {
                    let list = data.vector16().into_iter().flat_map(Reader::u16s);
                    offer.signature_algorithms = list.filter(|&scheme| !is_grease(scheme)).collect();
                }
                extension::SUPPORTED_VERSIONS => {
                    let list = data.vector8().into_iter().flat_map(Reader::u16s);
                    offer.versions = list.filter(|&version| !is_grease(version)).collect();
                }
                extension::COOKIE => hello.cookie = true,
                extension::KEY_SHARE => hello.only_share = only_share(data),
                extension::EARLY_DATA => hello.early_data = true,
                extension::ENCRYPTED_CLIENT_HELLO => hello.ech = true,
                _ => {}
            }
        }
        hello.offers_tls13 = offer.versions.contains(&0x0304);
        hello.ja4 = ja4::fingerprint(&offer);
        hello.suites = offer.suites;
        Some(hello)
    }
}

/// What is kept of a server hello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerHello {
    /// Its random.
    pub(crate) random: [u8; 32],
    /// The version chosen, from `supported_versions` where it is there.
    pub(crate) version: u16,
    /// The suite chosen.
    pub(crate) suite: u16,
    /// The session's id (TLS 1.2), that of the session which is resumed if it is.
    pub(crate) session: SessionId,
    /// It asks for another client hello.
    pub(crate) retry: bool,
    /// The group that it asks for a key share of, then.
    pub(crate) asked: Option<u16>,
    /// A pre-shared key was accepted (TLS 1.3).
    pub(crate) pre_shared_key: bool,
    /// RFC 7366.
    pub(crate) encrypt_then_mac: bool,
    /// RFC 7627.
    pub(crate) extended_master_secret: bool,
    /// The protocol chosen (TLS 1.2).
    pub(crate) alpn: Option<String>,
}

impl ServerHello {
    /// From the message's body; `None` when it is malformed before its extensions.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let mut hello = Self { version: reader.u16()?, random: reader.array()?, ..Self::default() };
        hello.retry = hello.random == HELLO_RETRY_REQUEST;
        hello.session = SessionId::new(reader.vector8()?.rest()).unwrap_or_default();
        hello.suite = reader.u16()?;
        reader.u8()?; // legacy_compression_method
        for (number, mut data) in extensions(reader) {
            match number {
                extension::SUPPORTED_VERSIONS => hello.version = data.u16().unwrap_or(hello.version),
                extension::KEY_SHARE if hello.retry => hello.asked = data.u16(),
                extension::PRE_SHARED_KEY => hello.pre_shared_key = true,
                extension::ENCRYPT_THEN_MAC => hello.encrypt_then_mac = true,
                extension::EXTENDED_MASTER_SECRET => hello.extended_master_secret = true,
                extension::ALPN => hello.alpn = chosen_alpn(data),
                _ => {}
            }
        }
        Some(hello)
    }
}

/// What is kept of `EncryptedExtensions` (RFC 8446 section 4.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EncryptedExtensions {
    /// The protocol chosen.
    pub(crate) alpn: Option<String>,
    /// 0-RTT data was accepted.
    pub(crate) early_data: bool,
}

impl EncryptedExtensions {
    /// From the message's body.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut this = Self::default();
        for (number, data) in extensions(Reader::new(body)) {
            match number {
                extension::ALPN => this.alpn = chosen_alpn(data),
                extension::EARLY_DATA => this.early_data = true,
                _ => {}
            }
        }
        this
    }
}

/// Number and data of each extension; empty when there are none.
fn extensions(mut reader: Reader<'_>) -> impl Iterator<Item = (u16, Reader<'_>)> {
    let mut list = reader.vector16().unwrap_or(reader);
    std::iter::from_fn(move || Some((list.u16()?, list.vector16()?)))
}

/// The group of the only key share of a client (RFC 8446 section 4.2.8).
fn only_share(mut data: Reader<'_>) -> Option<u16> {
    let mut shares = data.vector16()?;
    let group = shares.u16()?;
    shares.vector16()?;
    shares.is_empty().then_some(group)
}

/// The `host_name` of RFC 6066 section 3.
fn host_name(mut data: Reader<'_>) -> Option<String> {
    let mut list = data.vector16()?;
    while let (Some(kind), Some(name)) = (list.u8(), list.vector16()) {
        if kind == 0 && !name.is_empty() {
            return Some(shown(name.rest()));
        }
    }
    None
}

/// The one protocol name of a server's ALPN extension (RFC 7301 section 3.1).
fn chosen_alpn(mut data: Reader<'_>) -> Option<String> {
    Some(shown(data.vector16()?.vector8()?.rest()))
}

/// A name as it is shown, up to the length that host names and protocols can have.
fn shown(name: &[u8]) -> String {
    let mut length = 0;
    let fits = |octet: &&[u8; 1]| {
        length += escaped_len(*octet);
        length <= NAME
    };
    let octets = name.as_chunks().0.iter().take_while(fits).count();
    String::from_utf8_lossy(name.get(..octets).unwrap_or(name)).into_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A client hello's body with these extensions.
    pub(crate) fn client_hello(extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let mut list = Vec::new();
        for (number, data) in extensions {
            list.extend(number.to_be_bytes());
            list.extend((data.len() as u16).to_be_bytes());
            list.extend(*data);
        }
        let mut body =
            [&[3, 3][..], &[7; 32], &[0], &[0, 6, 0x1a, 0x1a, 0x13, 0x01, 0xc0, 0x2f], &[1, 0]].concat();
        body.extend((list.len() as u16).to_be_bytes());
        body.extend(list);
        body
    }

    #[test]
    fn reads_a_client_hello_to_where_it_is_cut() {
        let body = client_hello(&[
            (0x2a2a, &[]),
            (0, b"\x00\x0c\x00\x00\x09a.example"),
            (16, b"\x00\x0c\x02h2\x08http/1.1"),
            (43, &[6, 0x0a, 0x0a, 3, 4, 3, 3]),
            (42, &[]),
        ]);
        let hello = ClientHello::parse(&body).unwrap();
        assert_eq!(hello.server_name.as_deref(), Some("a.example"));
        assert_eq!(hello.alpn, ["h2", "http/1.1"]);
        assert_eq!(hello.suites, [0x1301, 0xc02f]);
        assert!(hello.offers_tls13 && hello.early_data && hello.random == [7; 32]);
        for cut in 0..body.len() {
            let hello = ClientHello::parse(&body[..cut]);
            assert_eq!(hello.is_some(), cut >= 45, "{cut}");
        }
    }

    #[test]
    fn a_second_client_hello_has_a_cookie_or_the_share_that_was_asked_for() {
        let shares = |groups: &[u8]| {
            let list: Vec<u8> = groups.iter().flat_map(|&group| [0, group, 0, 2, 7, 7]).collect();
            [&(list.len() as u16).to_be_bytes()[..], &list].concat()
        };
        let hello = |number: u16, data: &[u8]| ClientHello::parse(&client_hello(&[(number, data)])).unwrap();
        let one = hello(51, &shares(&[23]));
        assert!(one.is_second(Some(23)) && !one.is_second(Some(24)) && !one.is_second(None));
        let two = hello(51, &shares(&[23, 29]));
        assert!(!two.is_second(Some(23)) && !hello(51, &shares(&[])).is_second(Some(23)));
        assert!(hello(44, &[0, 1, 7]).is_second(None));
        let mut body = vec![3, 3];
        body.extend(HELLO_RETRY_REQUEST);
        body.extend([0, 0x13, 2, 0, 0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 23]);
        assert_eq!(ServerHello::parse(&body).unwrap().asked, Some(23));
    }

    #[test]
    fn a_server_hello_may_ask_for_another() {
        let mut body = vec![3, 3];
        body.extend(HELLO_RETRY_REQUEST);
        body.extend([0, 0x13, 2, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
        let hello = ServerHello::parse(&body).unwrap();
        assert!(hello.retry && hello.version == 0x0304 && hello.suite == 0x1302 && hello.asked.is_none());
        for cut in 0..body.len() {
            ServerHello::parse(&body[..cut]);
            EncryptedExtensions::parse(&body[..cut]);
        }
    }
}

//! Numbers for the field names that are met all the time: compared, and kept in the table, instead of their text.

use super::static_table;

/// A field name's number: its first index in the static table, or one of a few beyond it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(u8);

/// The names beyond the static table, in order of their numbers.
const MORE: [&[u8]; 21] = [
    b":protocol",
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"upgrade",
    b"te",
    b"trailer",
    b"grpc-status",
    b"grpc-message",
    b"grpc-timeout",
    b"x-api-key",
    b"grpc-previous-rpc-attempts",
    b"traceparent",
    b"b3",
    b"x-b3-traceid",
    b"x-b3-spanid",
    b"x-request-id",
    b"x-correlation-id",
    b"x-datadog-trace-id",
    b"x-datadog-parent-id",
    b"x-amzn-trace-id",
];

impl NameId {
    /// A name without a number, or an unknown one.
    pub const OTHER: Self = Self(0);
    /// `:authority`
    pub const AUTHORITY: Self = Self(1);
    /// `:method`
    pub const METHOD: Self = Self(2);
    /// `:path`
    pub const PATH: Self = Self(4);
    /// `:scheme`
    pub const SCHEME: Self = Self(6);
    /// `:status`
    pub const STATUS: Self = Self(8);
    /// `authorization`
    pub const AUTHORIZATION: Self = Self(23);
    /// `content-length`
    pub const CONTENT_LENGTH: Self = Self(28);
    /// `content-type`
    pub const CONTENT_TYPE: Self = Self(31);
    /// `cookie`
    pub const COOKIE: Self = Self(32);
    /// `host`
    pub const HOST: Self = Self(38);
    /// `proxy-authorization`
    pub const PROXY_AUTHORIZATION: Self = Self(49);
    /// `set-cookie`
    pub const SET_COOKIE: Self = Self(55);
    /// `transfer-encoding`
    pub const TRANSFER_ENCODING: Self = Self(57);
    /// `user-agent`
    pub const USER_AGENT: Self = Self(58);
    /// `:protocol` (RFC 8441)
    pub const PROTOCOL: Self = Self(62);
    /// `connection`
    pub const CONNECTION: Self = Self(63);
    /// `keep-alive`
    pub const KEEP_ALIVE: Self = Self(64);
    /// `proxy-connection`
    pub const PROXY_CONNECTION: Self = Self(65);
    /// `upgrade`
    pub const UPGRADE: Self = Self(66);
    /// `te`
    pub const TE: Self = Self(67);
    /// `trailer`
    pub const TRAILER: Self = Self(68);
    /// `grpc-status`
    pub const GRPC_STATUS: Self = Self(69);
    /// `grpc-message`
    pub const GRPC_MESSAGE: Self = Self(70);
    /// `grpc-timeout`
    pub const GRPC_TIMEOUT: Self = Self(71);
    /// `x-api-key`
    pub const X_API_KEY: Self = Self(72);
    /// `grpc-previous-rpc-attempts`
    pub const GRPC_ATTEMPTS: Self = Self(73);
    /// `traceparent`
    pub const TRACEPARENT: Self = Self(74);
    /// `b3`
    pub const B3: Self = Self(75);
    /// `x-b3-traceid`
    pub const X_B3_TRACE_ID: Self = Self(76);
    /// `x-b3-spanid`
    pub const X_B3_SPAN_ID: Self = Self(77);
    /// `x-request-id`
    pub const X_REQUEST_ID: Self = Self(78);
    /// `x-correlation-id`
    pub const X_CORRELATION_ID: Self = Self(79);
    /// `x-datadog-trace-id`
    pub const X_DATADOG_TRACE_ID: Self = Self(80);
    /// `x-datadog-parent-id`
    pub const X_DATADOG_PARENT_ID: Self = Self(81);
    /// `x-amzn-trace-id`
    pub const X_AMZN_TRACE_ID: Self = Self(82);

    /// The name with that number.
    pub(super) const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The number, 0 for [`Self::OTHER`].
    pub const fn number(self) -> u8 {
        self.0
    }

    /// All names with a number.
    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (1..=u8::MAX).filter_map(|number| Self(number).name()).map(Self::of)
    }

    /// The pseudo-header fields that are defined (RFC 9113 section 8.3, RFC 8441 section 4).
    pub const PSEUDO: [Self; 6] =
        [Self::AUTHORITY, Self::METHOD, Self::PATH, Self::SCHEME, Self::STATUS, Self::PROTOCOL];

    /// It begins with a colon (RFC 9113 section 8.3) and is one of the six defined.
    pub const fn is_pseudo(self) -> bool {
        matches!(
            self,
            Self::AUTHORITY | Self::METHOD | Self::PATH | Self::SCHEME | Self::STATUS | Self::PROTOCOL
        )
    }

    /// It is known, and of those fields that may stand in any section, in any number, with any value.
    #[inline]
    pub const fn is_plain(self) -> bool {
        !self.is_pseudo()
            && !matches!(
                self,
                Self::OTHER
                    | Self::CONNECTION
                    | Self::KEEP_ALIVE
                    | Self::PROXY_CONNECTION
                    | Self::TRANSFER_ENCODING
                    | Self::UPGRADE
                    | Self::TE
                    | Self::CONTENT_LENGTH
            )
    }

    /// The name itself; `None` for [`Self::OTHER`].
    #[inline]
    pub fn name(self) -> Option<&'static [u8]> {
        let number = u32::from(self.0);
        if number <= static_table::LEN {
            static_table::get(number).map(|entry| entry.name)
        } else {
            MORE.get((number - static_table::LEN - 1) as usize).copied()
        }
    }

    /// The number of a name, which must be in lower case, as on the wire.
    pub fn of(name: &[u8]) -> Self {
        Self(match name {
            b":authority" => 1,
            b":method" => 2,
            b":path" => 4,
            b":scheme" => 6,
            b":status" => 8,
            b"accept-charset" => 15,
            b"accept-encoding" => 16,
            b"accept-language" => 17,
            b"accept-ranges" => 18,
            b"accept" => 19,
            b"access-control-allow-origin" => 20,
            b"age" => 21,
            b"allow" => 22,
            b"authorization" => 23,
            b"cache-control" => 24,
            b"content-disposition" => 25,
            b"content-encoding" => 26,
            b"content-language" => 27,
            b"content-length" => 28,
            b"content-location" => 29,
            b"content-range" => 30,
            b"content-type" => 31,
            b"cookie" => 32,
            b"date" => 33,
            b"etag" => 34,
            b"expect" => 35,
            b"expires" => 36,
            b"from" => 37,
            b"host" => 38,
            b"if-match" => 39,
            b"if-modified-since" => 40,
            b"if-none-match" => 41,
            b"if-range" => 42,
            b"if-unmodified-since" => 43,
            b"last-modified" => 44,
            b"link" => 45,
            b"location" => 46,
            b"max-forwards" => 47,
            b"proxy-authenticate" => 48,
            b"proxy-authorization" => 49,
            b"range" => 50,
            b"referer" => 51,
            b"refresh" => 52,
            b"retry-after" => 53,
            b"server" => 54,
            b"set-cookie" => 55,
            b"strict-transport-security" => 56,
            b"transfer-encoding" => 57,
            b"user-agent" => 58,
            b"vary" => 59,
            b"via" => 60,
            b"www-authenticate" => 61,
            b":protocol" => 62,
            b"connection" => 63,
            b"keep-alive" => 64,
            b"proxy-connection" => 65,
            b"upgrade" => 66,
            b"te" => 67,
            b"trailer" => 68,
            b"grpc-status" => 69,
            b"grpc-message" => 70,
            b"grpc-timeout" => 71,
            b"x-api-key" => 72,
            b"grpc-previous-rpc-attempts" => 73,
            b"traceparent" => 74,
            b"b3" => 75,
            b"x-b3-traceid" => 76,
            b"x-b3-spanid" => 77,
            b"x-request-id" => 78,
            b"x-correlation-id" => 79,
            b"x-datadog-trace-id" => 80,
            b"x-datadog-parent-id" => 81,
            b"x-amzn-trace-id" => 82,
            _ => 0,
        })
    }
}

/// A set of names with a number; [`NameId::OTHER`] is one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameSet {
    /// A bit for each number below 64.
    low: u64,
    /// And for each of the others, which are below 128.
    high: u64,
}

const _: () = assert!(static_table::LEN as usize + MORE.len() < 128);

impl NameSet {
    /// These.
    pub const fn of(names: &[NameId]) -> Self {
        let mut set = Self { low: 0, high: 0 };
        let mut rest = names;
        while let [name, others @ ..] = rest {
            set = set.with_one(*name);
            rest = others;
        }
        set
    }

    /// All there are.
    pub const ALL: Self = Self { low: u64::MAX, high: u64::MAX };
    /// Those whose fields are not [plain](NameId::is_plain).
    pub const SPECIAL: Self = {
        let (mut set, mut number) = (Self::of(&[]), 0);
        while number < 128 {
            if !NameId(number).is_plain() {
                set = set.with_one(NameId(number));
            }
            number += 1;
        }
        set
    };

    /// And those of another one.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self { low: self.low | other.low, high: self.high | other.high }
    }

    /// And this one.
    #[must_use]
    pub const fn with_one(self, name: NameId) -> Self {
        let bit = 1 << (name.0 % 64);
        if name.0 < 64 {
            Self { low: self.low | bit, ..self }
        } else {
            Self { high: self.high | bit, ..self }
        }
    }

    /// The name is among them.
    #[inline]
    pub const fn has(self, name: NameId) -> bool {
        let half = if name.0 < 64 { self.low } else { self.high };
        half >> (name.0 % 64) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_name_agree() {
        for number in 1..=u8::MAX {
            let id = NameId(number);
            let Some(name) = id.name() else {
                assert!(number as usize > static_table::LEN as usize + MORE.len());
                continue;
            };
            let first = (1..=number).find(|&n| NameId(n).name() == Some(name)).unwrap();
            assert_eq!(NameId::of(name), NameId(first), "{}", name.escape_ascii());
            let id = NameId::of(name);
            assert_eq!(id.is_pseudo(), name.starts_with(b":"));
            assert_eq!(id.is_pseudo(), NameId::PSEUDO.contains(&id));
        }
        assert_eq!(NameId::OTHER.name(), None);
    }

    #[test]
    fn the_constants_name_what_they_say() {
        for (id, name) in [
            (NameId::AUTHORITY, ":authority"),
            (NameId::METHOD, ":method"),
            (NameId::PATH, ":path"),
            (NameId::SCHEME, ":scheme"),
            (NameId::STATUS, ":status"),
            (NameId::AUTHORIZATION, "authorization"),
            (NameId::CONTENT_LENGTH, "content-length"),
            (NameId::CONTENT_TYPE, "content-type"),
            (NameId::COOKIE, "cookie"),
            (NameId::HOST, "host"),
            (NameId::PROXY_AUTHORIZATION, "proxy-authorization"),
            (NameId::SET_COOKIE, "set-cookie"),
            (NameId::TRANSFER_ENCODING, "transfer-encoding"),
            (NameId::USER_AGENT, "user-agent"),
            (NameId::PROTOCOL, ":protocol"),
            (NameId::CONNECTION, "connection"),
            (NameId::KEEP_ALIVE, "keep-alive"),
            (NameId::PROXY_CONNECTION, "proxy-connection"),
            (NameId::UPGRADE, "upgrade"),
            (NameId::TE, "te"),
            (NameId::TRAILER, "trailer"),
            (NameId::GRPC_STATUS, "grpc-status"),
            (NameId::GRPC_MESSAGE, "grpc-message"),
            (NameId::GRPC_TIMEOUT, "grpc-timeout"),
            (NameId::X_API_KEY, "x-api-key"),
            (NameId::GRPC_ATTEMPTS, "grpc-previous-rpc-attempts"),
            (NameId::TRACEPARENT, "traceparent"),
            (NameId::B3, "b3"),
            (NameId::X_B3_TRACE_ID, "x-b3-traceid"),
            (NameId::X_B3_SPAN_ID, "x-b3-spanid"),
            (NameId::X_REQUEST_ID, "x-request-id"),
            (NameId::X_CORRELATION_ID, "x-correlation-id"),
            (NameId::X_DATADOG_TRACE_ID, "x-datadog-trace-id"),
            (NameId::X_DATADOG_PARENT_ID, "x-datadog-parent-id"),
            (NameId::X_AMZN_TRACE_ID, "x-amzn-trace-id"),
        ] {
            assert_eq!(NameId::of(name.as_bytes()), id, "{name}");
        }
    }

    #[test]
    fn near_misses_have_no_number() {
        for name in ["", ":", "Host", ":path ", "hos", "grpc-statu", "content-lengths"] {
            assert_eq!(NameId::of(name.as_bytes()), NameId::OTHER, "{name}");
        }
    }
}

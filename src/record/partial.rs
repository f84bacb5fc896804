//! What of an exchange is missing, and which of its fields are unknown.

use super::value::Word;
use super::visit::{Type, Value, Visitor};

/// What is missing from an exchange: a set of reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partial(u16);

impl Partial {
    /// No header block of the request.
    pub const NO_REQUEST: Self = Self(1);
    /// No final header block of the response.
    pub const NO_RESPONSE: Self = Self(1 << 1);
    /// The response was not ended.
    pub const RESPONSE_CUT: Self = Self(1 << 2);
    /// The request was not ended.
    pub const REQUEST_CUT: Self = Self(1 << 3);
    /// Bytes lost in a hole of the TCP stream.
    pub const TCP_GAP: Self = Self(1 << 4);
    /// Bytes cut off by the snaplen.
    pub const SNAPLEN: Self = Self(1 << 5);
    /// The capture began in mid-stream.
    pub const MID_STREAM: Self = Self(1 << 6);
    /// A header value could not be known.
    pub const UNKNOWN_HEADER: Self = Self(1 << 7);
    /// Part of the exchange could not be decrypted.
    pub const NOT_DECRYPTED: Self = Self(1 << 8);
    /// A cap of h2lens struck.
    pub const LIMIT: Self = Self(1 << 9);
    /// Bytes had a wrong checksum, and there is no better copy of them.
    pub const BAD_CHECKSUM: Self = Self(1 << 10);

    const NAMES: [(Self, &'static str); 11] = [
        (Self::NO_REQUEST, "no_request"),
        (Self::NO_RESPONSE, "no_response"),
        (Self::RESPONSE_CUT, "response_cut"),
        (Self::REQUEST_CUT, "request_cut"),
        (Self::TCP_GAP, "tcp_gap"),
        (Self::SNAPLEN, "snaplen"),
        (Self::MID_STREAM, "mid_stream"),
        (Self::UNKNOWN_HEADER, "unknown_header"),
        (Self::NOT_DECRYPTED, "not_decrypted"),
        (Self::LIMIT, "limit"),
        (Self::BAD_CHECKSUM, "bad_checksum"),
    ];

    #[allow(clippy::indexing_slicing, reason = "while it is compiled")]
    const WORDS: [&'static str; Self::NAMES.len()] = {
        let mut words = [""; Self::NAMES.len()];
        let mut at = 0;
        while at < words.len() {
            words[at] = Self::NAMES[at].1;
            at += 1;
        }
        words
    };

    /// Nothing is missing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds the reasons of `other`.
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether all the reasons of `other` apply.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Nothing was lost: the exchange has only not come to its end.
    pub const fn only_unfinished(self) -> bool {
        let unfinished = Self::NO_RESPONSE.0 | Self::RESPONSE_CUT.0 | Self::REQUEST_CUT.0;
        self.0 & !unfinished == 0
    }

    /// The reasons' names in `h2.partial_reason`, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(reason, _)| self.contains(*reason)).map(|(_, name)| name)
    }
}

/// Fields whose value is unknown: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unknown(u16);

impl Unknown {
    /// `:method`
    pub const METHOD: Self = Self(1);
    /// `:scheme`
    pub const SCHEME: Self = Self(1 << 1);
    /// `:path`
    pub const PATH: Self = Self(1 << 2);
    /// `:authority`
    pub const AUTHORITY: Self = Self(1 << 3);
    /// `:status`
    pub const STATUS: Self = Self(1 << 4);
    /// `grpc-status`
    pub const GRPC_STATUS: Self = Self(1 << 5);

    /// Trailer fields of the request.
    pub const REQUEST_TRAILERS: Self = Self(1 << 6);
    /// Trailer fields of the response.
    pub const RESPONSE_TRAILERS: Self = Self(1 << 7);
    /// Where the time went.
    pub const TIME: Self = Self(1 << 8);

    const NAMES: [(Self, &'static str); 9] = [
        (Self::METHOD, "http.request.method"),
        (Self::SCHEME, "url.scheme"),
        (Self::PATH, "url.path"),
        (Self::AUTHORITY, "h2.request.authority"),
        (Self::STATUS, "http.response.status_code"),
        (Self::GRPC_STATUS, "h2.grpc.status"),
        (Self::REQUEST_TRAILERS, "h2.request.trailers"),
        (Self::RESPONSE_TRAILERS, "h2.response.trailers"),
        (Self::TIME, "h2.time"),
    ];

    /// Nothing is unknown.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All that was sent is known; where the time went need not be.
    pub const fn only_time(self) -> bool {
        self.0 & !Self::TIME.0 == 0
    }

    /// Adds the fields of `other`.
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether all the fields of `other` are among them.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The attribute names for `h2.unknown`, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(field, _)| self.0 & field.0 != 0).map(|(_, name)| name)
    }
}

/// `h2.partial_reason`
impl Value for Partial {
    const TYPE: Type = Type::List(&Type::Word(&Self::WORDS));
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.names().map(Word));
    }

    #[inline]
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// `h2.unknown`
impl Value for Unknown {
    const TYPE: Type = Type::List(&Word::TYPE);
    const OPTIONAL: bool = true;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.names().map(Word));
    }

    #[inline]
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

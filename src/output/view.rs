//! A transaction as all formats see it: its header fields looked up once, what follows from them decided here.

use super::json::{Json, Word, array};
use super::value::{ErrorCode, GrpcStatus};
use crate::transaction::{ConnectionMeta, EndHow, Fields, Known, Transaction};
use std::borrow::Cow;

/// A transaction with the fields that are shown by themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct TransactionView<'a> {
    /// The transaction.
    pub transaction: &'a Transaction,
    /// Its connection.
    pub connection: &'a ConnectionMeta,
    /// `:method`
    pub method: Option<&'a [u8]>,
    /// `:scheme`
    pub scheme: Option<&'a [u8]>,
    /// `:path` up to the first `?`; of CONNECT without `:protocol` there is none.
    pub path: Option<&'a [u8]>,
    /// `:path` after the first `?`
    pub query: Option<&'a [u8]>,
    /// `:authority`, else `host`
    pub authority: Option<&'a [u8]>,
    /// `:protocol` (RFC 8441)
    pub protocol: Option<&'a [u8]>,
    /// `user-agent`
    pub user_agent: Option<&'a [u8]>,
    /// `:status` of the final response, where it is a number.
    pub status: Option<u16>,
    /// Fields that were sent and whose value is not known.
    pub unknown: Unknown,
}

/// A field that the lookup cares about.
#[derive(Clone, Copy, Debug, Default)]
enum Slot<'a> {
    #[default]
    Absent,
    Unknown,
    Value(&'a [u8]),
}

impl<'a> Slot<'a> {
    /// Takes the first field line of a name.
    const fn fill(&mut self, value: Option<&'a [u8]>) {
        if let Self::Absent = self {
            *self = match value {
                Some(value) => Self::Value(value),
                None => Self::Unknown,
            };
        }
    }

    /// The value; an unknown one is noted under `name`.
    const fn value(self, unknown: &mut Unknown, name: Unknown) -> Option<&'a [u8]> {
        match self {
            Self::Absent => None,
            Self::Unknown => {
                unknown.0 |= name.0;
                None
            }
            Self::Value(value) => Some(value),
        }
    }

    /// The value of a field that cannot be missing: when a field of unknown name was there, it is that one.
    const fn required(self, nameless: bool, unknown: &mut Unknown, name: Unknown) -> Option<&'a [u8]> {
        match self {
            Self::Absent if nameless => Self::Unknown.value(unknown, name),
            other => other.value(unknown, name),
        }
    }
}

impl<'a> TransactionView<'a> {
    /// Looks the fields up.
    pub(super) fn new(connection: &'a ConnectionMeta, transaction: &'a Transaction) -> Self {
        let mut unknown = Unknown::default();
        let [mut method, mut scheme, mut path, mut authority, mut host, mut protocol, mut user_agent] =
            [Slot::Absent; 7];
        let mut nameless = false;
        for field in transaction.request.headers.iter() {
            match field.known {
                Known::Method => method.fill(field.value),
                Known::Scheme => scheme.fill(field.value),
                Known::Path => path.fill(field.value),
                Known::Authority => authority.fill(field.value),
                Known::Host => host.fill(field.value),
                Known::Protocol => protocol.fill(field.value),
                Known::UserAgent => user_agent.fill(field.value),
                _ => nameless |= field.name.is_none(),
            }
        }
        let method = method.required(nameless, &mut unknown, Unknown::METHOD);
        let protocol = protocol.value(&mut unknown, Unknown::PROTOCOL);
        // CONNECT has neither scheme nor path (RFC 9113 section 8.5), extended CONNECT has both (RFC 8441).
        let is_tunnel = method == Some(b"CONNECT") && protocol.is_none();
        let nameless = nameless && !is_tunnel;
        let scheme = scheme.required(nameless, &mut unknown, Unknown::SCHEME);
        let path = path.required(nameless, &mut unknown, Unknown::PATH).filter(|_| !is_tunnel);
        let (path, query) = match path.map(|path| (path, memchr::memchr(b'?', path))) {
            Some((path, Some(mark))) => (path.get(..mark), path.get(mark + 1..)),
            Some((path, None)) => (Some(path), None),
            None => (None, None),
        };
        let authority = match (authority, host) {
            (Slot::Absent, host) => host,
            (authority, _) => authority,
        }
        .value(&mut unknown, Unknown::AUTHORITY);
        let user_agent = user_agent.value(&mut unknown, Unknown::USER_AGENT);
        let status = status(&transaction.response.headers, &mut unknown);
        Self {
            transaction,
            connection,
            method,
            scheme,
            path,
            query,
            authority,
            protocol,
            user_agent,
            status,
            unknown,
        }
    }

    /// gRPC's name of the method, `package.Service/Method`: the path without its slash.
    pub(super) fn rpc_method(&self) -> Option<&'a [u8]> {
        self.transaction.grpc.as_ref()?;
        self.path.map(|path| path.strip_prefix(b"/").unwrap_or(path))
    }

    /// gRPC's status.
    pub(super) fn grpc_status(&self) -> Option<GrpcStatus> {
        self.transaction.grpc.as_ref()?.status.map(GrpcStatus)
    }

    /// `error.type`, as the client saw it: the gRPC status unless OK; else a status code of 400 or more; else
    /// the code of the RST_STREAM or GOAWAY that ended the stream, unless that is 0 (OpenTelemetry semantic
    /// conventions for HTTP client spans and for gRPC).
    pub(super) fn error_type(&self) -> Option<Cow<'static, str>> {
        if let Some(status) = self.grpc_status() {
            if status.0 != 0 {
                return Some(status.name());
            }
        } else if let Some(status) = self.status.filter(|&status| status >= 400) {
            return Some(Cow::Owned(status.to_string()));
        }
        match self.transaction.end.how {
            EndHow::RstStream | EndHow::Goaway => {
                self.transaction.end.code.filter(|&code| code != 0).map(|code| ErrorCode(code).name())
            }
            _ => None,
        }
    }
}

/// `:status` as a number.
fn status(headers: &Fields, unknown: &mut Unknown) -> Option<u16> {
    let mut status = Slot::Absent;
    let mut nameless = false;
    for field in headers.iter() {
        match field.known {
            Known::Status => {
                status.fill(field.value);
                break;
            }
            _ => nameless |= field.name.is_none(),
        }
    }
    match status.required(nameless, unknown, Unknown::STATUS)? {
        digits @ [_, _, _] if digits.iter().all(u8::is_ascii_digit) => {
            Some(digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0')))
        }
        _ => None,
    }
}

/// The set of fields whose value is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unknown(u8);

impl Unknown {
    const METHOD: Self = Self(1);
    const SCHEME: Self = Self(1 << 1);
    const PATH: Self = Self(1 << 2);
    const AUTHORITY: Self = Self(1 << 3);
    const PROTOCOL: Self = Self(1 << 4);
    const STATUS: Self = Self(1 << 5);
    const USER_AGENT: Self = Self(1 << 6);

    const NAMES: [(Self, &'static str); 7] = [
        (Self::METHOD, "http.request.method"),
        (Self::SCHEME, "url.scheme"),
        (Self::PATH, "url.path"),
        (Self::AUTHORITY, "h2.request.authority"),
        (Self::PROTOCOL, "h2.request.protocol"),
        (Self::STATUS, "http.response.status_code"),
        (Self::USER_AGENT, "user_agent.original"),
    ];

    /// The fields' attribute names, in a fixed order.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(field, _)| self.0 & field.0 != 0).map(|(_, name)| name)
    }
}

impl Json for Unknown {
    fn write(&self, out: &mut Vec<u8>) {
        array(out, self.names().map(Word));
    }

    fn is_absent(&self) -> bool {
        self.0 == 0
    }
}

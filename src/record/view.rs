//! A transaction as all formats see it: its header fields looked up once, what follows from them decided here.

use super::ending::Retry;
use super::value::GrpcStatus;
use super::{ConnectionMeta, Failure, FieldName, Transaction, Unknown};
use crate::base::origin::Origin;
use std::borrow::Cow;

/// A transaction with the fields that are shown by themselves.
#[derive(Clone, Copy, Debug)]
pub struct TransactionView<'a> {
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
    /// The input that it began in, where there are several.
    pub origin: Option<Origin<'a>>,
}

impl<'a> TransactionView<'a> {
    /// Looks the fields up.
    pub fn new(connection: &'a ConnectionMeta, transaction: &'a Transaction) -> Self {
        // The first field line of a name counts, even where its value is unknown.
        let headers = &transaction.request.headers;
        let [method, scheme, path, protocol, user_agent] = [
            FieldName::Method,
            FieldName::Scheme,
            FieldName::Path,
            FieldName::Protocol,
            FieldName::UserAgent,
        ]
        .map(|name| headers.value(name));
        let authority = headers.authority();
        // CONNECT has neither scheme nor path (RFC 9113 section 8.5), extended CONNECT has both (RFC 8441).
        let is_tunnel = method == Some(b"CONNECT") && protocol.is_none();
        let path = path.filter(|_| !is_tunnel);
        let (path, query) = match path.map(|path| (path, memchr::memchr(b'?', path))) {
            Some((path, Some(mark))) => (path.get(..mark), path.get(mark + 1..)),
            Some((path, None)) => (Some(path), None),
            None => (None, None),
        };
        let status = transaction.status();
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
            unknown: transaction.unknown,
            origin: None,
        }
    }

    /// `:path`, as sent; of CONNECT without `:protocol` there is none.
    pub fn target(&self) -> Option<Cow<'a, [u8]>> {
        let path = self.path?;
        Some(match self.query {
            Some(query) => Cow::Owned([path, b"?", query].concat()),
            None => Cow::Borrowed(path),
        })
    }

    /// The authority; where it is not known, the server's address and port.
    pub fn authority_or_server(&self) -> Cow<'a, [u8]> {
        let server = || Cow::Owned(self.connection.server.to_string().into_bytes());
        self.authority.map_or_else(server, Cow::Borrowed)
    }

    /// gRPC's name of the method, `package.Service/Method`: the path without its slash.
    pub fn rpc_method(&self) -> Option<&'a [u8]> {
        self.transaction.grpc.as_ref()?;
        self.path.map(|path| path.strip_prefix(b"/").unwrap_or(path))
    }

    /// gRPC's status.
    pub fn grpc_status(&self) -> Option<GrpcStatus> {
        self.transaction.grpc.as_ref()?.status.map(GrpcStatus)
    }

    /// Whether the exchange may be tried again, if it failed.
    pub fn retry(&self) -> Option<Retry> {
        self.transaction.retry_with(self.failure().is_some())
    }

    /// Why it failed.
    pub fn failure(&self) -> Option<Failure> {
        self.transaction.failure_with(self.status)
    }
}

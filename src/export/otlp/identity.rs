//! Identifiers of spans: the same in every run, others at another place of capture.

use crate::base::endpoint::Endpoint;
use crate::record::TransactionView;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// Identifiers that nobody gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The span's; not 0.
    pub(super) span: u64,
    /// The trace's, where the request names none; not 0.
    pub(super) trace: u128,
}

impl Identity {
    /// Of an exchange: of when and where it was captured, and which it is.
    pub(super) fn of(view: &TransactionView<'_>) -> Self {
        let (transaction, connection) = (view.transaction, view.connection);
        let mut hash = Sha256::new_with_prefix(b"h2lens");
        hash.update(transaction.first.time.as_nanos().to_be_bytes());
        for Endpoint { ip, port } in [connection.client, connection.server] {
            let ip = match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            hash.update(ip.octets());
            hash.update(port.to_be_bytes());
        }
        hash.update(connection.id.to_be_bytes());
        hash.update(transaction.stream.to_be_bytes());
        hash.update(transaction.first.packet.to_be_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let (words, _) = digest.as_chunks::<8>();
        let mut words = words.iter().map(|word| u64::from_be_bytes(*word));
        let mut next = || words.next().unwrap_or_default();
        Self { span: next().max(1), trace: (u128::from(next()) << 64 | u128::from(next())).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::{at, get, meta};

    #[test]
    fn the_same_exchange_has_the_same_identifiers_and_no_other_has_them() {
        let (connection, exchange) = (meta(), get());
        let own = Identity::of(&TransactionView::new(&connection, &exchange));
        assert_eq!(own, Identity::of(&TransactionView::new(&meta(), &get())));
        let mut later = get();
        later.first = at(12, 1);
        let mut other = get();
        other.stream = 3;
        for exchange in [later, other] {
            let another = Identity::of(&TransactionView::new(&connection, &exchange));
            assert!(another.span != own.span && another.trace != own.trace);
        }
    }
}

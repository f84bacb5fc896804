//! The frame that every pcapng block has (draft-ietf-opsawg-pcapng section 3.1).
//!
//! ```text
//! type 4 · total length 4 · body, padded to 4 · total length 4
//! ```

use super::Order;
use crate::base::limits;

/// Section Header Block; reads the same in either byte order.
pub(super) const SECTION: u32 = 0x0a0d_0d0a;
/// Interface Description Block.
pub(super) const INTERFACE: u32 = 1;
/// The obsolete Packet Block.
pub(super) const PACKET: u32 = 2;
/// Simple Packet Block.
pub(super) const SIMPLE_PACKET: u32 = 3;
/// Name Resolution Block.
const NAME_RESOLUTION: u32 = 4;
/// Interface Statistics Block.
pub(super) const STATISTICS: u32 = 5;
/// Enhanced Packet Block.
pub(super) const ENHANCED_PACKET: u32 = 6;
/// Decryption Secrets Block.
pub(super) const SECRETS: u32 = 10;

/// TLS key log, as a kind of secrets.
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// Bytes of the shortest block.
pub(in crate::capture) const SHORTEST: usize = 12;

/// The start of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture) struct BlockHead {
    /// The block's type.
    pub(super) kind: u32,
    /// Total length as it stands there.
    pub(in crate::capture) length: u32,
    /// Byte order of the block: that of its section, which a Section Header Block starts.
    pub(in crate::capture) order: Order,
}

impl BlockHead {
    /// From [`SHORTEST`] bytes at least; `None` if there are fewer. A section header with a bad byte-order mark
    /// gets the length zero, which no block has.
    #[inline]
    pub(in crate::capture) fn read(bytes: &[u8], order: Order) -> Option<Self> {
        let [kind, length, mark] = order.words(bytes)?;
        if kind != SECTION {
            return Some(Self { kind, length, order });
        }
        let (length, order) = match (mark, order) {
            (0x1a2b_3c4d, _) => (length, order),
            (0x4d3c_2b1a, Order::Little) => (length.swap_bytes(), Order::Big),
            (0x4d3c_2b1a, Order::Big) => (length.swap_bytes(), Order::Little),
            _ => (0, order),
        };
        Some(Self { kind, length, order })
    }

    /// Bytes of the whole block, or `None` if that cannot be. Some writers leave the padding of the body out of
    /// the total length, but not out of the file.
    #[inline]
    pub(in crate::capture) fn size(&self) -> Option<usize> {
        let shortest = match self.kind {
            SECTION => 28,
            INTERFACE | SECRETS => 20,
            PACKET | ENHANCED_PACKET => 32,
            SIMPLE_PACKET => 16,
            _ => SHORTEST as u32,
        };
        (shortest..=limits::BLOCK_BYTES)
            .contains(&self.length)
            .then(|| self.length.next_multiple_of(4) as usize)
    }

    /// This is a Decryption Secrets Block.
    pub(in crate::capture) fn is_secrets(&self) -> bool {
        self.kind == SECRETS
    }

    /// This is a kind of block that is often met. The rest (custom blocks, and what is not invented yet) is
    /// not believed where the place is in doubt.
    pub(super) fn is_usual(&self) -> bool {
        matches!(
            self.kind,
            SECTION
                | INTERFACE
                | PACKET
                | SIMPLE_PACKET
                | NAME_RESOLUTION
                | STATISTICS
                | ENHANCED_PACKET
                | SECRETS
        )
    }
}

/// The TLS key log in the body of a Decryption Secrets Block (section 4.7): `Ok(None)` if it holds other
/// secrets, `Err` if it contradicts itself.
///
/// ```text
/// secrets type 4 · secrets length 4 · secrets, padded to 4 · options
/// ```
pub(in crate::capture) fn tls_key_log(body: &[u8], order: Order) -> Result<Option<&[u8]>, ()> {
    let [kind, length] = order.words(body).ok_or(())?;
    let secrets = body.get(8..).and_then(|rest| rest.get(..length as usize)).ok_or(())?;
    Ok((kind == TLS_KEY_LOG).then_some(secrets))
}

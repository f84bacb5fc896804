//! One captured packet → at most one TCP segment, borrowed.
//!
//! ```text
//! link ─► ethernet (VLAN, LLC) ─► ppp, mpls ─► ip ─► tcp ─► Segment
//!            ▲                       ▲          │▲
//!            └───────────────────────┴─ tunnel ◄┘└─ fragments
//! ```
//!
//! Each step takes a layer of bytes and tells the next one; the decoder goes from step to step. The headers
//! are decoded here rather than by a crate because every length has two bounds, what was captured and what was on
//! the wire, and both have to come out exact after a snaplen cut or segmentation offload.

mod budget;
mod checksum;
mod counters;
mod decoder;
mod ethernet;
mod fragment;
mod fragments;
mod glance;
mod ip;
mod layer;
mod link;
mod mpls;
mod network;
mod next;
mod nflog;
mod nsh;
mod ppp;
mod segment;
mod skip;
mod tcp;
mod tcp_checksum;
mod tunnel;
mod unread;
mod wifi;

pub use checksum::Checksum;
pub use counters::PacketCounters;
pub use decoder::Decoder;
pub use fragments::FragmentCounters;
pub use network::Network;
pub use segment::{Segment, TcpFlags, offset_within};
pub use skip::Skip;
pub use unread::{UnreadLinks, link_type_name};

#[cfg(test)]
mod tests;

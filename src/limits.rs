//! Every cap in the program, in one place. Each has a counter that tells when it struck.

/// Tunnels that one packet may stand in (GRE, IP in IP, VXLAN, Geneve, GTP-U, pseudowires, …); a packet deeper
/// down is skipped as `tunnel_too_deep`.
pub const TUNNEL_DEPTH: u8 = 4;

/// VLAN tags and MPLS labels in one packet, all tunnels together; with more it is skipped as `too_many_tags`.
pub const LINK_TAGS: u8 = 16;

/// IPv6 extension headers (and IPv4 authentication headers) in one packet, all tunnels together; with more it
/// is skipped as `too_many_extensions`.
pub const IP_EXTENSIONS: u8 = 16;

/// Bytes that an IP packet of unstated length (segmentation offload, jumbogram) is believed to have had on the
/// wire: what Linux hands to a network card at most. Beyond, they are ignored and the limit `super_packet` is
/// counted.
pub const SUPER_PACKET_BYTES: usize = 512 * 1024;

/// IP datagrams of which fragments are held at the same time; the oldest is dropped for a new one and the limit
/// `fragment_table` is counted.
pub const FRAGMENTED_DATAGRAMS: usize = 1024;

/// Memory for held IP fragments, in bytes; the oldest datagrams are dropped to stay within, and the limit
/// `fragment_table` is counted.
pub const FRAGMENT_BYTES: usize = 8 * 1024 * 1024;

/// Pieces that one IP datagram may come in; with more it is dropped and the limit `fragments_per_datagram` is
/// counted. The smallest IPv4 link (68 bytes) needs about 1,365 for the largest datagram, Ethernet needs 45.
pub const FRAGMENTS_PER_DATAGRAM: usize = 1536;

/// Packet time after which the fragments of an incomplete IP datagram are dropped; hosts wait 15 to 60 seconds
/// (RFC 791 section 3.2, RFC 8200 section 4.5). Counted as `expired` datagrams.
pub const FRAGMENT_LIFETIME: std::time::Duration = std::time::Duration::from_secs(30);

/// Completed IP datagrams that are remembered, so that second copies of their fragments (a capture that sees
/// each packet twice) do not wait for the rest of theirs. More copies than these wait, and expire.
pub const RECENT_DATAGRAMS: usize = 64;

/// Packet time for which a completed IP datagram is remembered; a sender that reuses its identification later
/// is taken to mean a new datagram.
pub const RECENT_DATAGRAM_LIFETIME: std::time::Duration = std::time::Duration::from_secs(1);

//! Why a packet gave no TCP segment.

/// The reason for which a packet holds no TCP segment, or none that could be read. Inside tunnels it is that of
/// the innermost header reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Skip {
    /// A link type that is not decoded.
    UnknownLinkType,
    /// A link, VLAN, MPLS, `PPPoE` or PPP header that contradicts itself or its length.
    MalformedLink,
    /// Anything else than IP on the link: ARP, spanning tree, LLDP, PPP control protocols, …
    NotIp,
    /// More VLAN tags and MPLS labels than [`crate::base::limits::LINK_TAGS`].
    TooManyTags,
    /// An IP header that contradicts itself or its length.
    MalformedIp,
    /// More extension headers than [`crate::base::limits::IP_EXTENSIONS`].
    TooManyExtensions,
    /// UDP that carries no tunnel.
    Udp,
    /// ICMP and `ICMPv6`.
    Icmp,
    /// Encrypted by `IPsec`.
    Esp,
    /// Any other protocol above IP.
    OtherIpProtocol,
    /// A fragment that is held until the others of its datagram come, or was dropped waiting for them.
    Fragment,
    /// A fragment with nothing new: all its bytes were there before.
    DuplicateFragment,
    /// A fragment that contradicts its datagram: it ends beyond 64 KiB, beyond the last one, or is empty.
    MalformedFragment,
    /// A fragment whose datagram came in more pieces than [`crate::base::limits::FRAGMENTS_PER_DATAGRAM`].
    TooManyFragments,
    /// A tunnel header that contradicts itself or its length.
    MalformedTunnel,
    /// GRE with source routing or of a version that is not decoded, or IP in a compressed or outdated form.
    UnknownTunnel,
    /// ERSPAN of a version or with a kind of frame that is not decoded.
    UnknownErspan,
    /// VXLAN-GPE or NSH that carry a protocol which is not decoded.
    UnknownShim,
    /// PPP that is compressed, encrypted or divided over several links.
    PppCompressed,
    /// An 802.11 data frame that is encrypted.
    WifiEncrypted,
    /// An 802.11 data frame that is a fragment, or that holds several frames.
    WifiDivided,
    /// A packet inside more tunnels than [`crate::base::limits::TUNNEL_DEPTH`].
    TunnelTooDeep,
    /// A TCP header that contradicts itself or its length.
    MalformedTcp,
    /// The snaplen cut the packet within a header.
    Truncated,
}

impl Skip {
    /// All reasons, in the order of their declaration.
    pub const ALL: [Self; 24] = [
        Self::UnknownLinkType,
        Self::MalformedLink,
        Self::NotIp,
        Self::TooManyTags,
        Self::MalformedIp,
        Self::TooManyExtensions,
        Self::Udp,
        Self::Icmp,
        Self::Esp,
        Self::OtherIpProtocol,
        Self::Fragment,
        Self::DuplicateFragment,
        Self::MalformedFragment,
        Self::TooManyFragments,
        Self::MalformedTunnel,
        Self::UnknownTunnel,
        Self::UnknownErspan,
        Self::UnknownShim,
        Self::PppCompressed,
        Self::WifiEncrypted,
        Self::WifiDivided,
        Self::TunnelTooDeep,
        Self::MalformedTcp,
        Self::Truncated,
    ];

    /// The reason's name in the telemetry record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownLinkType => "unknown_link_type",
            Self::MalformedLink => "malformed_link",
            Self::NotIp => "not_ip",
            Self::TooManyTags => "too_many_tags",
            Self::MalformedIp => "malformed_ip",
            Self::TooManyExtensions => "too_many_extensions",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Esp => "esp",
            Self::OtherIpProtocol => "other_ip_protocol",
            Self::Fragment => "fragment",
            Self::DuplicateFragment => "duplicate_fragment",
            Self::MalformedFragment => "malformed_fragment",
            Self::TooManyFragments => "too_many_fragments",
            Self::MalformedTunnel => "malformed_tunnel",
            Self::UnknownTunnel => "unknown_tunnel",
            Self::UnknownErspan => "unknown_erspan",
            Self::UnknownShim => "unknown_shim",
            Self::PppCompressed => "ppp_compressed",
            Self::WifiEncrypted => "wifi_encrypted",
            Self::WifiDivided => "wifi_divided",
            Self::TunnelTooDeep => "tunnel_too_deep",
            Self::MalformedTcp => "malformed_tcp",
            Self::Truncated => "truncated",
        }
    }

    /// What there is in such a packet that is not read, in words, where TCP may have been in it: the analysis is
    /// incomplete then. `None` for packets that hold no TCP, for those whose headers are damaged, and where a cap struck,
    /// which is told of as such.
    pub const fn unread(self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownLinkType => "a link type",
            Self::Esp => "IPsec (ESP)",
            Self::UnknownTunnel => "a kind of GRE or IP in IP",
            Self::UnknownErspan => "a kind of ERSPAN",
            Self::UnknownShim => "a protocol in VXLAN-GPE or NSH",
            Self::PppCompressed => "compressed, encrypted or multilink PPP",
            Self::WifiEncrypted => "encrypted 802.11 frames",
            Self::WifiDivided => "fragmented or aggregated 802.11 frames",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_all_is_that_of_declaration_and_names_are_distinct() {
        for (index, skip) in Skip::ALL.iter().enumerate() {
            assert_eq!(*skip as usize, index, "{skip:?}");
            assert!(Skip::ALL.iter().take(index).all(|other| other.name() != skip.name()), "{skip:?}");
        }
    }
}

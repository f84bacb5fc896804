//! Link types that are not decoded, to be named.

use crate::base::tuning::UNREAD_LINKS;

/// The link types met of which no packet could be read, and how many packets each: the first [`UNREAD_LINKS`] of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnreadLinks([(u16, u64); UNREAD_LINKS]);

impl UnreadLinks {
    /// Counts a packet.
    pub(super) fn count(&mut self, link: u16) {
        let place = self.0.iter_mut().find(|(known, count)| *known == link || *count == 0);
        if let Some(entry) = place {
            *entry = (link, entry.1 + 1);
        }
    }

    /// Number in the tcpdump registry and packets of each, in the order in which they were met.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        self.0.iter().copied().filter(|&(_, count)| count > 0)
    }
}

/// The registry's name for a link type that is not decoded, if it is one that IP is met in.
pub fn link_type_name(link: u16) -> Option<&'static str> {
    Some(match link {
        6 => "TOKEN_RING",
        7 => "ARCNET",
        8 => "SLIP",
        10 => "FDDI",
        99 => "SYMANTEC_FIREWALL",
        100 => "ATM_RFC1483",
        107 => "FRELAY",
        119 => "IEEE802_11_PRISM",
        122 => "IP_OVER_FC",
        123 => "SUNATM",
        129 => "ARCNET_LINUX",
        138 => "APPLE_IP_OVER_IEEE1394",
        143 => "DOCSIS",
        147..=162 => "USER",
        163 => "IEEE802_11_AVS",
        166 => "PPP_PPPD",
        195 | 230 => "IEEE802_15_4",
        226 => "IPNET",
        242 => "IPOIB",
        247 => "INFINIBAND",
        252 => "WIRESHARK_UPPER_PDU",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_link_types_are_named_and_the_rest_is_not() {
        let mut links = UnreadLinks::default();
        assert_eq!(links.iter().count(), 0);
        for link in [119, 6, 119, 0] {
            links.count(link);
        }
        assert_eq!(links.iter().collect::<Vec<_>>(), [(119, 2), (6, 1), (0, 1)]);
        (1000..2000).for_each(|link| links.count(link));
        assert_eq!(links.iter().count(), UNREAD_LINKS);
    }
}

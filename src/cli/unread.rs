//! What of a capture is not read, in words.

use crate::packet::{Skip, link_type_name};
use crate::record::Coverage;
use std::fmt::Write;

/// A phrase for each kind of packet that may have held TCP and is not read: link types, tunnels, encryption.
pub(super) fn phrases(coverage: &Coverage) -> impl Iterator<Item = String> + '_ {
    coverage.skipped_packets.iter().filter_map(|&(name, count)| {
        let kind = Skip::ALL.into_iter().find(|reason| reason.name() == name)?;
        let what = kind.unread()?;
        let links = if kind == Skip::UnknownLinkType { links(coverage) } else { String::new() };
        Some(format!("{count} packets hold what is not read: {what}{links}"))
    })
}

/// The link types, by number and, where it is known, name.
fn links(coverage: &Coverage) -> String {
    let mut text = String::new();
    for (at, &(link, _)) in coverage.unread_link_types.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "{}{link}", if at == 0 { " (" } else { ", " });
        if let Some(name) = link_type_name(link) {
            let _ = write!(text, " {name}");
        }
    }
    if !text.is_empty() {
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_is_named() {
        let coverage = Coverage {
            skipped_packets: vec![("unknown_link_type", 3), ("udp", 9), ("wifi_encrypted", 2)],
            unread_link_types: vec![(119, 1), (300, 2)],
            ..Coverage::default()
        };
        assert_eq!(
            phrases(&coverage).collect::<Vec<_>>(),
            [
                "3 packets hold what is not read: a link type (119 IEEE802_11_PRISM, 300)",
                "2 packets hold what is not read: encrypted 802.11 frames",
            ]
        );
    }
}

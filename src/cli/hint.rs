//! The way out where an expression was given as a file.

use crate::capture::{OpenError, OpenErrorKind};
use std::io::ErrorKind;

/// Words that a pcap filter begins with.
const FILTER_WORDS: [&str; 16] = [
    "tcp",
    "udp",
    "ip",
    "ip6",
    "icmp",
    "host",
    "net",
    "port",
    "portrange",
    "src",
    "dst",
    "vlan",
    "ether",
    "greater",
    "less",
    "not",
];

/// The error, and what may have been meant by it.
pub(super) fn explain(error: OpenError) -> anyhow::Error {
    let missing = matches!(&error.kind, OpenErrorKind::Io(reason) if reason.kind() == ErrorKind::NotFound);
    match option_for(&error.input).filter(|_| missing) {
        Some(option) => {
            anyhow::anyhow!("{error}; is it an expression? Give it as {option} '{}'", error.input)
        }
        None => error.into(),
    }
}

/// The option that takes an expression like this; `None` if it looks like a file.
fn option_for(text: &str) -> Option<&'static str> {
    let compares = ["==", "!=", "<", ">", " ~ ", " in ("].iter().any(|sign| text.contains(sign));
    let first = text.split_whitespace().next()?.trim_start_matches('(');
    if compares {
        return Some("--where");
    }
    FILTER_WORDS.contains(&first).then_some("-f")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_told_from_files() {
        for (text, option) in [
            ("tcp port 8080", Some("-f")),
            ("(host 10.0.0.1 and tcp)", Some("-f")),
            ("port", Some("-f")),
            ("my capture.pcap", None),
            ("tcp.pcap", None),
            ("", None),
        ] {
            assert_eq!(option_for(text), option, "{text}");
        }
    }
}

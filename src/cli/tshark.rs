//! Display filters of tshark, as far as they can be written here.

/// Names of tshark's, and ours. Longer ones stand before what they begin with.
const NAMES: [(&str, &str); 18] = [
    ("http2.headers.authority", "host"),
    ("http2.headers.method", "method"),
    ("http2.headers.path", "path"),
    ("http2.headers.scheme", "scheme"),
    ("http2.headers.status", "status"),
    ("http2.headers.user_agent", "user_agent"),
    ("http2.streamid", "stream"),
    ("http.response.code", "status"),
    ("http.request.method", "method"),
    ("http.request.uri", "path"),
    ("http.host", "host"),
    ("grpc.status_code", "grpc"),
    ("tls.handshake.extensions_server_name", "tls.client.server_name"),
    ("ipv6.dst", "server"),
    ("ipv6.src", "client"),
    ("ip.dst", "server"),
    ("ip.src", "client"),
    ("tcp.dstport", "server.port"),
];

/// Words of tshark's, and ours.
const WORDS: [(&str, &str); 9] = [
    ("eq", "=="),
    ("ne", "!="),
    ("gt", ">"),
    ("lt", "<"),
    ("ge", ">="),
    ("le", "<="),
    ("contains", "~"),
    ("matches", "~"),
    ("http2", "h2.stream"),
];

/// How a display filter is written here.
pub(super) fn hint(filter: &str) -> String {
    let mut text = filter.to_owned();
    for (theirs, ours) in NAMES {
        text = text.replace(theirs, ours);
    }
    let words = text
        .split(' ')
        .map(|word| WORDS.iter().find(|(theirs, _)| *theirs == word).map_or(word, |(_, ours)| *ours));
    let text = words.collect::<Vec<_>>().join(" ");
    let quoted = text.replace('\'', "'\\''");
    match text.parse::<crate::filter::Filter>() {
        Ok(_) => format!("-Y is tshark's: write --where '{quoted}'"),
        Err(_) => "-Y is tshark's: here it is --where, with fields such as status, method, path, host, client, stream: \
                   --where 'status == 5xx and path ~ ^/v1/'"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_written_here_is() {
        for (theirs, ours) in [
            ("http2.headers.status == 500", "status == 500"),
            (
                "http2.headers.path contains \"/v1\" && ip.src eq 10.0.0.1",
                "path ~ \"/v1\" && client == 10.0.0.1",
            ),
            ("http2.streamid == 3", "stream == 3"),
        ] {
            assert_eq!(hint(theirs), format!("-Y is tshark's: write --where '{ours}'"));
        }
    }

    #[test]
    fn of_others_it_is_said_how_filters_look_here() {
        assert!(hint("frame.number > 5").contains("--where 'status == 5xx"));
    }
}

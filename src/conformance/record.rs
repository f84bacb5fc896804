//! What an exchange tells once it is over, and no single frame does.

use super::Judge;
use crate::base::certainty::Certainty;
use crate::http2::{Anomaly, Side};
use crate::record::{Failure, FieldName, Fields, Transaction};

impl Judge {
    /// An exchange has ended, and this is its record.
    pub fn take_record(&mut self, record: &Transaction) {
        if record.grpc.is_some() && record.failure() == Some(Failure::GrpcStatusMissing) {
            self.findings.add(Side::Server, record.stream, Anomaly::GrpcStatusMissing, record.last);
        }
        if !record.pushed && may_break(&record.request.headers) {
            let broken = authority(&record.request.headers);
            broken.for_each(|anomaly| self.findings.add(Side::Client, record.stream, anomaly, record.first));
        }
    }
}

/// Something may be wrong with the authority: there is a host beside, or a user in it. Most requests have neither.
fn may_break(headers: &Fields) -> bool {
    // Next to none has one: a pass without branches, which looks at many octets at once, is the cheapest.
    let has_user = |name: &[u8]| name.iter().fold(false, |any, &byte| any | matches!(byte, b'@'));
    headers.has(FieldName::Host) || headers.value(FieldName::Authority).is_some_and(has_user)
}

/// What is wrong with the authority of a request for http or https (RFC 9113 section 8.3.1).
fn authority(headers: &Fields) -> impl Iterator<Item = Anomaly> {
    let known = |name| headers.get(name).filter(|field| field.source == Certainty::Exact)?.value;
    let port: Option<&[u8]> = match known(FieldName::Scheme) {
        Some(b"http") => Some(b":80"),
        Some(b"https") => Some(b":443"),
        _ => None,
    };
    let authority = known(FieldName::Authority).zip(port);
    let has_user = authority.is_some_and(|(authority, _)| authority.contains(&b'@'));
    let differs = authority.zip(known(FieldName::Host)).is_some_and(|((authority, port), host)| {
        let [authority, host] = [authority, host].map(|name| name.strip_suffix(port).unwrap_or(name));
        !authority.eq_ignore_ascii_case(host)
    });
    let wrong = [(has_user, Anomaly::AuthorityUser), (differs, Anomaly::AuthorityHost)];
    wrong.into_iter().filter_map(|(is_so, anomaly)| is_so.then_some(anomaly))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Field;

    fn of(scheme: &str, authority: &str, host: Option<&str>) -> Vec<Anomaly> {
        let mut headers = Fields::default();
        let named = [
            (FieldName::Scheme, Some(scheme)),
            (FieldName::Authority, Some(authority)),
            (FieldName::Host, host),
        ];
        for (known, value) in named {
            let Some(value) = value else { continue };
            let (name, value) = (Some(&b"name"[..]), Some(value.as_bytes()));
            headers.push(Field { name, value, known, source: Certainty::Exact, reference: None });
        }
        let wrong: Vec<Anomaly> = super::authority(&headers).collect();
        assert!(super::may_break(&headers) || wrong.is_empty());
        wrong
    }

    #[test]
    fn a_host_that_is_another() {
        for (authority, host) in [("a.example", "a.example"), ("a.example:443", "A.example"), ("a", "a:443")]
        {
            assert_eq!(of("https", authority, Some(host)), [], "{authority} {host}");
        }
        for (authority, host) in [("a.example", "b.example"), ("a:80", "a"), ("a:8443", "a"), ("a", "")] {
            assert_eq!(of("https", authority, Some(host)), [Anomaly::AuthorityHost], "{authority} {host}");
        }
        assert_eq!(of("https", "a.example", None), []);
        assert_eq!(of("gopher", "a", Some("b")), [], "whose rules nobody knows");
    }

    #[test]
    fn a_user_in_the_authority() {
        assert_eq!(of("http", "me@a.example:80", Some("me@a.example")), [Anomaly::AuthorityUser]);
        assert_eq!(of("http", "a.example", None), []);
    }
}

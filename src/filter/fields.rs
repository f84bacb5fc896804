//! The fields of an exchange by their names.

use crate::record::path::{self, Path};
use crate::record::schema::TransactionObject;
use crate::record::visit::{Member, Type};

/// Short names of what is asked for most, and the attributes that they mean.
pub const SHORT_NAMES: [(&str, &str); 17] = [
    ("status", "http.response.status_code"),
    ("method", "http.request.method"),
    ("path", "url.path"),
    ("query", "url.query"),
    ("scheme", "url.scheme"),
    ("host", "h2.request.authority"),
    ("rpc", "rpc.method"),
    ("grpc", "rpc.response.status_code"),
    ("error", "error.type"),
    ("client", "client.address"),
    ("server", "server.address"),
    ("conn", "h2.connection.id"),
    ("stream", "h2.stream.id"),
    ("size", "http.response.body.size"),
    ("ttfb", "h2.timing.ttfb"),
    ("time", "h2.time"),
    ("user_agent", "user_agent.original"),
];

/// How near a name must be to be offered, of 1.
const NEAR: f64 = 0.55;
/// Names that are offered.
const OFFERED: usize = 3;

/// The field of that name: a short one, or an attribute's (with or without jq's dot in front).
pub(super) fn find(name: &str) -> Option<(String, Path)> {
    let name = name.strip_prefix('.').unwrap_or(name);
    let short = SHORT_NAMES.iter().find(|(short, _)| *short == name).map(|(_, full)| *full);
    let full = short.unwrap_or(name);
    if let Some(path) = Path::of::<TransactionObject<'_>>(full) {
        return Some((full.to_owned(), path));
    }
    // Of what is below a short name: `time.wait`.
    let (above, rest) = full.split_once('.')?;
    let (_, above) = SHORT_NAMES.iter().find(|(short, _)| *short == above)?;
    let full = format!("{above}.{rest}");
    let path = Path::of::<TransactionObject<'_>>(&full)?;
    Some((full, path))
}

/// The names that are most like one that there is not.
pub(super) fn near(name: &str) -> Vec<String> {
    let columns = path::columns::<TransactionObject<'_>>().into_iter().map(|column| column.path);
    let short = SHORT_NAMES.iter().map(|(short, _)| (*short).to_owned());
    nearest(name, short.chain(columns))
}

/// Those of `names` that are most like one that is none of them.
pub(super) fn nearest(name: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let name = name.trim_start_matches('.').to_lowercase();
    let alike = |other: &str| {
        let other = other.to_lowercase();
        // `status_code` means one that ends so.
        let last = other.rsplit('.').next().unwrap_or_default();
        let whole = strsim::normalized_damerau_levenshtein(&name, &other);
        whole.max(strsim::normalized_damerau_levenshtein(&name, last) - 0.05)
    };
    let mut rated: Vec<_> =
        names.map(|name| (alike(&name), name)).filter(|(alike, _)| *alike >= NEAR).collect();
    rated.sort_by(|(one, name), (two, other)| two.total_cmp(one).then_with(|| name.cmp(other)));
    rated.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// The members of an object, for the message that it has no value of its own.
pub(super) fn below(full: &str, members: &'static [Member]) -> String {
    let names: Vec<_> = members.iter().take(OFFERED).map(|member| format!("{full}.{}", member.key)).collect();
    names.join(", ")
}

/// When it is known that an exchange does not have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// Whenever it is not there.
    Always,
    /// When the request's header section was seen, all of it.
    Request,
    /// When the response's was.
    Response,
    /// When it is known where the time went.
    Timed,
    /// When nothing of the exchange was lost.
    NothingLost,
    /// When nothing of it is missing.
    Complete,
    /// Never: what is known of a record only when its turn has come.
    Never,
}

/// When it is known that there is no field of that name: the first row that has it, or an object that it is in.
const ABSENCE: [(Absence, &[&str]); 7] = [
    (Absence::Never, &["h2.retry_of", "h2.retried_by", "h2.agent"]),
    (
        Absence::Always,
        &[
            "record",
            "@timestamp",
            "duration",
            "client",
            "server",
            "network",
            "h2.connection",
            "h2.stream",
            "h2.complete",
            "h2.partial_reason",
            "h2.unknown",
            "h2.packets",
            "h2.lossy_text",
        ],
    ),
    (Absence::Complete, &["h2.request.trailers"]),
    (Absence::Request, &["http.request", "url", "user_agent", "h2.request", "rpc.method", "rpc.system"]),
    (Absence::Response, &["http.response", "h2.response.interim"]),
    (
        Absence::Timed,
        &[
            "h2.time",
            "h2.timing.stream_window_held",
            "h2.timing.connection_window_held",
            "h2.timing.request_blocked",
        ],
    ),
    (Absence::NothingLost, &["error"]),
];

/// When it is known that there is no field of that name.
pub(super) fn absence(full: &str) -> Absence {
    let is_in =
        |above: &str| full.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let found = ABSENCE.iter().find(|(_, names)| names.iter().any(|above| is_in(above)));
    found.map_or(Absence::Complete, |(absence, _)| *absence)
}

/// What values of a type are called.
pub(super) fn called(of: &Type) -> &'static str {
    match of {
        Type::Bool => "true or false",
        Type::Integer | Type::Float | Type::Difference | Type::Decimal => "a number",
        Type::Seconds => "a duration, such as 200ms or 1.5",
        Type::Time => "a time, such as 2026-11-22T04:17:00Z",
        Type::Address => "an address or a network, such as 10.0.0.0/8",
        Type::Text => "text",
        Type::Word(_) => "a name",
        Type::List(inner) => called(inner),
        Type::Map(_) | Type::Object(_) | Type::Json => "members",
    }
}

/// Whether an integer field is a size in bytes.
pub(super) fn is_size(full: &str) -> bool {
    let last = full.rsplit('.').next().unwrap_or_default();
    last == "size" || last == "length" || last.ends_with("bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::visit::Object;

    #[test]
    fn short_names_mean_fields_that_there_are() {
        for (short, full) in SHORT_NAMES {
            assert_eq!(find(short), find(full), "{short}");
            assert!(find(full).is_some(), "{full}");
            assert!(
                TransactionObject::MEMBERS
                    .iter()
                    .all(|member| member.key != short || full.starts_with(short))
            );
        }
        assert_eq!(find(".url.path"), find("url.path"));
    }

    #[test]
    fn near_names_are_offered() {
        for (name, offered) in [
            ("statsu", "status"),
            ("status_code", "http.response.status_code"),
            ("http.response.code", "http.response.status_code"),
            ("url.pth", "url.path"),
            ("Duration", "duration"),
            ("authority", "h2.request.authority"),
        ] {
            assert!(near(name).iter().any(|near| near == offered), "{name}: {:?}", near(name));
        }
        assert!(near("zzzzzzzzzzzzzz").is_empty());
    }
}

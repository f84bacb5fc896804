//! What the page says of a record, which is JSON.

use super::value::UNKNOWN;
use serde_json::Value;

/// A record; what is none has no values.
pub(super) fn record(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap_or_default()
}

pub(super) fn text<'r>(record: &'r Value, at: &str) -> &'r str {
    record.pointer(at).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn integer(record: &Value, at: &str) -> u64 {
    record.pointer(at).and_then(Value::as_u64).unwrap_or_default()
}

/// Seconds, as nanoseconds.
pub(super) fn nanos(record: &Value, at: &str) -> Option<u64> {
    record.pointer(at).and_then(Value::as_f64).map(|seconds| (seconds * 1e9).round() as u64)
}

/// `GET /path host`, as far as it is known.
pub(super) fn request(call: &Value) -> String {
    let method = text(call, "/http/request/method");
    let (host, path) = (text(call, "/h2/request/authority"), text(call, "/url/path"));
    format!("{} {path} {host}", if method.is_empty() { UNKNOWN } else { method })
}

/// What the script finds a call by.
pub(super) fn place(call: &Value) -> String {
    format!("{}/{}", integer(call, "/h2/connection/id"), integer(call, "/h2/stream/id"))
}

/// The status, and why it failed.
pub(super) fn outcome(call: &Value) -> String {
    let status = integer(call, "/http/response/status_code");
    match (status, text(call, "/error/type")) {
        (0, "") => UNKNOWN.to_owned(),
        (0, error) => error.to_owned(),
        (status, "") => status.to_string(),
        (status, error) if error == status.to_string() => error.to_owned(),
        (status, error) => format!("{status} {error}"),
    }
}

/// Address and port of a connection's side.
pub(super) fn socket(connection: &Value, side: &str) -> String {
    let address = text(connection, &format!("/{side}/address"));
    let port = integer(connection, &format!("/{side}/port"));
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// Whether a connection is TLS, and was decrypted.
pub(super) fn security(connection: &Value) -> String {
    let Some(tls) = connection.get("tls") else { return "none".to_owned() };
    match (text(tls, "/not_decrypted"), text(tls, "/protocol/version")) {
        ("", version) => format!("TLS {version}"),
        (why, _) => format!("TLS, not decrypted: {why}"),
    }
}

/// How a connection ended, by whom, and why.
pub(super) fn ending(connection: &Value) -> String {
    let [how, by, cause] = ["how", "by", "cause"].map(|key| text(connection, &format!("/h2/end/{key}")));
    if cause.is_empty() { format!("{how} by {by}") } else { format!("{how} by {by}: {cause}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_says_what_is_known_of_it() {
        let call = json!({
            "http": { "request": { "method": "GET" }, "response": { "status_code": 200 } },
            "url": { "path": "/" },
            "h2": { "connection": { "id": 1 }, "stream": { "id": 3 }, "request": { "authority": "a.test" } },
        });
        assert_eq!([request(&call), place(&call), outcome(&call)], ["GET / a.test", "1/3", "200"]);
        assert_eq!([request(&Value::Null), outcome(&Value::Null)], ["–  ", "–"]);
        let failed = |status: u64, error: &str| {
            outcome(&json!({ "http": { "response": { "status_code": status } }, "error": { "type": error } }))
        };
        assert_eq!(failed(500, "500"), "500");
        assert_eq!(failed(200, "grpc_status_missing"), "200 grpc_status_missing");
        assert_eq!(failed(0, "connection_reset"), "connection_reset");
    }

    #[test]
    fn a_connection_says_who_and_how() {
        let connection = json!({
            "client": { "address": "::1", "port": 9 }, "server": { "address": "10.0.0.1", "port": 443 },
            "tls": { "protocol": { "version": "1.3" } }, "h2": { "end": { "how": "fin", "by": "client" } },
        });
        let sides = ["client", "server"].map(|side| socket(&connection, side));
        assert_eq!(sides, ["[::1]:9", "10.0.0.1:443"]);
        assert_eq!([security(&connection), ending(&connection)], ["TLS 1.3", "fin by client"]);
        assert_eq!(security(&json!({})), "none");
        assert_eq!(
            security(&json!({ "tls": { "not_decrypted": "no_secrets" } })),
            "TLS, not decrypted: no_secrets"
        );
    }
}

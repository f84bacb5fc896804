//! Secrets in header fields: shown as `[redacted]` unless `--no-redact` is given.

/// What stands in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Fields whose values are credentials or session identifiers, in lower case.
pub const SECRET_FIELDS: [&str; 27] = [
    "api-key",
    "apikey",
    "authentication-info",
    "authorization",
    "cookie",
    "cookie2",
    "dd-api-key",
    "dd-application-key",
    "ocp-apim-subscription-key",
    "private-token",
    "proxy-authentication-info",
    "proxy-authorization",
    "set-cookie",
    "set-cookie2",
    "x-access-token",
    "x-amz-security-token",
    "x-api-key",
    "x-api-token",
    "x-auth-token",
    "x-authorization",
    "x-csrf-token",
    "x-forwarded-access-token",
    "x-functions-key",
    "x-goog-api-key",
    "x-id-token",
    "x-vault-token",
    "x-xsrf-token",
];

/// Whether the value of a field with this name is hidden. A field whose name is unknown may be any of them.
pub fn is_secret(name: Option<&[u8]>) -> bool {
    name.is_none_or(|name| {
        SECRET_FIELDS
            .iter()
            .any(|secret| secret.len() == name.len() && name.eq_ignore_ascii_case(secret.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case() {
        for name in ["authorization", "Cookie", "SET-COOKIE", "proxy-Authorization", "x-api-key"] {
            assert!(is_secret(Some(name.as_bytes())), "{name}");
        }
        for name in ["authorization2", "accept", "", ":path", "x-api-keys"] {
            assert!(!is_secret(Some(name.as_bytes())), "{name}");
        }
    }

    #[test]
    fn a_value_of_unknown_name_is_hidden() {
        assert!(is_secret(None));
    }

    #[test]
    fn the_list_is_sorted_and_in_lower_case() {
        assert!(SECRET_FIELDS.is_sorted());
        assert!(SECRET_FIELDS.iter().all(|name| !name.bytes().any(|byte| byte.is_ascii_uppercase())));
    }
}

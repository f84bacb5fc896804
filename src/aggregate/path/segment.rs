//! One spelling of a path, with the values that are known by their looks replaced.

use super::kind;
use std::borrow::Cow;

/// Octets of a segment beyond which it is a value, whatever it is.
const NAME_OCTETS: usize = 100;
/// Segments of a path that tell endpoints apart; what is deeper becomes [`REST`].
const DEPTH: usize = 24;
/// Octets of a file extension.
const EXTENSION_OCTETS: usize = 5;
/// What a long segment becomes.
const TEXT: &str = "{text}";
/// The rest of a path.
const REST: &str = "{*}";
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Writes the template of a path (without its query) behind what is in `out`: ASCII. Percent-encoding has one spelling
/// (RFC 3986 section 6.2.2), and matrix parameters (section 3.3) are left out, as the query is.
pub(in crate::aggregate) fn normalise(path: &[u8], out: &mut Vec<u8>) {
    let Some(rest) = path.strip_prefix(b"/") else {
        // `*`, and what is no path (RFC 9110 section 7.1).
        push_encoded(path.get(..path.len().min(NAME_OCTETS)).unwrap_or_default(), out);
        return;
    };
    for (depth, segment) in rest.split(|&byte| byte == b'/').enumerate() {
        out.push(b'/');
        if depth == DEPTH {
            out.extend_from_slice(REST.as_bytes());
            return;
        }
        let name = segment.split(|&byte| byte == b';').next().unwrap_or_default();
        push_segment(name, out);
    }
}

fn push_segment(name: &[u8], out: &mut Vec<u8>) {
    let text = &*decoded(name);
    if let Some(kind) = kind::of(text) {
        out.extend_from_slice(kind.as_bytes());
        return;
    }
    let (stem, extension) = split_extension(text);
    match kind::of(stem) {
        Some(kind) if !extension.is_empty() => {
            out.extend_from_slice(kind.as_bytes());
            push_encoded(extension, out);
        }
        _ if text.len() > NAME_OCTETS => {
            out.extend_from_slice(TEXT.as_bytes());
            push_encoded(extension, out);
        }
        _ if !extension.is_empty() && stem.contains(&b'.') => {
            push_hashed(stem, out);
            push_encoded(extension, out);
        }
        _ => push_encoded(text, out),
    }
}

/// `app.3f2a1b9c` of `app.3f2a1b9c.js`: the hash of a file's content is a value.
fn push_hashed(stem: &[u8], out: &mut Vec<u8>) {
    for (at, part) in stem.split(|&byte| byte == b'.').enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        match kind::of(part) {
            Some(kind @ ("{hex}" | "{uuid}" | "{base64}")) => out.extend_from_slice(kind.as_bytes()),
            _ => push_encoded(part, out),
        }
    }
}

/// The name of a file and its extension with the dot (`.tar.gz` is one), which is empty where there is none.
pub(super) fn split_extension<T: AsRef<[u8]> + ?Sized>(segment: &T) -> (&[u8], &[u8]) {
    let segment = segment.as_ref();
    let none = (segment, &[][..]);
    let Some(dot) = segment.iter().rposition(|&byte| byte == b'.').filter(|&dot| dot > 0) else {
        return none;
    };
    let (stem, extension) = segment.split_at(dot);
    let letters = extension.get(1..).unwrap_or_default();
    let is_extension = (1..=EXTENSION_OCTETS).contains(&letters.len())
        && letters.iter().all(u8::is_ascii_alphanumeric)
        && letters.iter().any(u8::is_ascii_alphabetic);
    if !is_extension {
        return none;
    }
    match stem.strip_suffix(b".tar") {
        Some(shorter) if !shorter.is_empty() => segment.split_at(shorter.len()),
        _ => (stem, extension),
    }
}

/// A segment without percent-encoding.
pub(super) fn decoded(segment: &[u8]) -> Cow<'_, [u8]> {
    if !segment.contains(&b'%') {
        return Cow::Borrowed(segment);
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((&first, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| first == b'%').and_then(|pair| u8::try_from(hex(pair)?).ok());
        decoded.push(pair.unwrap_or(first));
        rest = if pair.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    Cow::Owned(decoded)
}

fn hex(pair: &[u8]) -> Option<u32> {
    pair.iter().try_fold(0, |value, &byte| Some(value * 16 + char::from(byte).to_digit(16)?))
}

/// Writes text with whatever a path segment cannot hold (RFC 3986 section 3.3) percent-encoded.
fn push_encoded(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte) {
            out.push(byte);
        } else {
            let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or(b'0');
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn template(path: &[u8]) -> String {
        let mut out = Vec::new();
        normalise(path, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_are_replaced_and_names_stay() {
        for (path, expected) in [
            ("/", "/"),
            ("*", "*"),
            ("", ""),
            ("/users/42", "/users/{int}"),
            ("/users/alice", "/users/alice"),
            ("/users/42/", "/users/{int}/"),
            ("//users//42", "//users//{int}"),
            ("/api/hello.world", "/api/hello.world"),
            ("/v1/files/123.png", "/v1/files/{int}.png"),
            ("/dump/123.tar.gz", "/dump/{int}.tar.gz"),
            ("/static/app.3f2a1b9c.js", "/static/app.{hex}.js"),
            ("/hosts/10.0.0.1/ports", "/hosts/{ip}/ports"),
            ("/.well-known/security.txt", "/.well-known/security.txt"),
        ] {
            assert_eq!(template(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn percent_encoding_has_one_spelling() {
        for (path, expected) in [
            ("/%7euser", "/~user"),
            ("/a%2fb", "/a%2Fb"),
            ("/caf\u{e9}", "/caf%C3%A9"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/users/alice%40mail.example", "/users/{email}"),
            ("/%34%32", "/{int}"),
            ("/100%", "/100%25"),
            ("/%zz%4", "/%25zz%254"),
            ("/{id}", "/%7Bid%7D"),
            ("/a%00b", "/a%00b"),
        ] {
            assert_eq!(template(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn matrix_parameters_are_left_out() {
        assert_eq!(template(b"/cars;color=red;year=2020/42;v=1"), "/cars/{int}");
        assert_eq!(template(b"/login;jsessionid=ABC/;x"), "/login/");
    }

    #[test]
    fn long_names_and_deep_paths_are_cut() {
        let long = format!("/files/{}.txt", "x".repeat(200));
        assert_eq!(template(long.as_bytes()), "/files/{text}.txt");
        let deep = "/a".repeat(40);
        assert_eq!(template(deep.as_bytes()), format!("{}/{{*}}", "/a".repeat(24)));
    }

    proptest! {
        #[test]
        fn any_octets_give_a_printable_template(path in prop::collection::vec(any::<u8>(), 0..300)) {
            let path = [b"/".as_slice(), &path].concat();
            let once = template(&path);
            prop_assert!(once.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(once.len() <= 3 * path.len() + 16 * path.split(|&byte| byte == b'/').count());
        }

        #[test]
        fn another_spelling_is_the_same_path(path in "[a-z0-9/.-]{0,40}") {
            let encoded: String = path
                .bytes()
                .map(|byte| if byte == b'/' { "/".into() } else { format!("%{byte:02x}") })
                .collect();
            prop_assert_eq!(template(format!("/{path}").as_bytes()), template(format!("/{encoded}").as_bytes()));
        }
    }
}

//! The agent's URL quantizer, which it applies to HTTP/1 alone: what it would do to the paths of HTTP/2.

/// What stands for a segment that varies.
const WILDCARD: u8 = b'*';

/// Replaces the segments of a path that have digits or other characters than letters, `-` and `_`; versions, as `v2` or
/// `v1.2`, stay. The result is in `buffer`, and no longer than the path: `None` when that does not fit.
pub(super) fn quantize<'a>(path: &[u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut len = 0;
    let mut put = |bytes: &[u8]| {
        buffer.get_mut(len..len + bytes.len())?.copy_from_slice(bytes);
        len += bytes.len();
        Some(())
    };
    for (at, segment) in path.split(|&byte| byte == b'/').enumerate() {
        if at > 0 {
            put(b"/")?;
        }
        put(if varies(segment) { &[WILDCARD] } else { segment })?;
    }
    buffer.get(..len)
}

fn varies(segment: &[u8]) -> bool {
    let letters =
        segment.iter().filter(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')).count();
    let digits = segment.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_version = segment.starts_with(b"v") && letters == 1 && digits > 0;
    letters < segment.len() && !is_version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_that_vary_are_wildcards_and_versions_stay() {
        for (path, quantized) in [
            ("/", "/"),
            ("/users/42", "/users/*"),
            ("/api/v5/users/alice-b_c/x", "/api/v5/users/alice-b_c/x"),
            ("/v1.2/a", "/v1.2/a"),
            ("/v/va1/1v/V2", "/v/*/*/*"),
            ("/pkg.Svc/Method", "/*/Method"),
            ("/a//b/", "/a//b/"),
            ("/%20/\u{e9}", "/*/*"),
        ] {
            let mut buffer = [0; 64];
            let got = quantize(path.as_bytes(), &mut buffer).unwrap();
            assert_eq!(std::str::from_utf8(got), Ok(quantized));
        }
    }

    #[test]
    fn a_path_that_does_not_fit_is_none() {
        assert_eq!(quantize(b"/abc", &mut [0; 3]), None);
        assert_eq!(quantize(b"/abc", &mut [0; 4]), Some(&b"/abc"[..]));
        assert_eq!(quantize(b"/123", &mut [0; 2]), Some(&b"/*"[..]));
    }
}

//! Percent-encoding (RFC 3986 section 2.1).

/// Decodes what is encoded; what is not valid stays as it is.
pub fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, tail @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    rest = tail;
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    out
}

/// Appends text with all that no URI may have (RFC 3986 section 2) encoded; what is encoded already stays so.
pub fn push_uri(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte) {
            out.push(byte);
        } else {
            let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or_default();
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_the_rest_stays() {
        assert_eq!(decode(b"a%20b%zz%2"), b"a b%zz%2");
    }

    #[test]
    fn what_no_uri_may_have_is_encoded() {
        let mut out = Vec::new();
        push_uri(&mut out, b"http://a/\"<b>\x1b\xff?x=%20&y='1'#z");
        assert_eq!(out, b"http://a/%22%3Cb%3E%1B%FF?x=%20&y='1'#z");
    }
}

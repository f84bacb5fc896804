//! The text form of gRPC-Web: base64, perhaps several pieces with padding of their own.

/// Decodes base64 in pieces of any size.
#[derive(Clone, Copy, Debug, Default)]
pub struct Base64Text {
    /// Characters of a group of four.
    group: [u8; 4],
    have: u8,
    astray: bool,
}

impl Base64Text {
    /// The next characters; what they decode to is appended. False: they are no base64, or a hole was before them.
    pub fn push(&mut self, text: &[u8], out: &mut Vec<u8>) -> bool {
        for &character in text {
            if self.astray {
                return false;
            }
            if matches!(character, b'\r' | b'\n' | b' ') {
                continue;
            }
            if let Some(place) = self.group.get_mut(usize::from(self.have)) {
                *place = character;
            }
            self.have += 1;
            if self.have == 4 {
                self.have = 0;
                self.astray = !decode_group(self.group, out);
            }
        }
        !self.astray
    }

    /// Characters are missing: groups are no longer known.
    pub fn gap(&mut self) {
        self.astray = true;
    }

    /// No group has begun.
    pub fn at_end(&self) -> bool {
        self.have == 0 && !self.astray
    }
}

fn decode_group(group: [u8; 4], out: &mut Vec<u8>) -> bool {
    let [a, b, c, d] = group.map(value);
    let (Some(a), Some(b)) = (a, b) else { return false };
    let padding = |character: u8| character == b'=';
    out.push(a << 2 | b >> 4);
    match (c, d) {
        (Some(c), Some(d)) => out.extend_from_slice(&[b << 4 | c >> 2, c << 6 | d]),
        (Some(c), None) if padding(group[3]) => out.push(b << 4 | c >> 2),
        (None, None) if padding(group[2]) && padding(group[3]) => {}
        _ => return false,
    }
    true
}

const fn value(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_may_stand_between() {
        let text = b"YW1iZXI=YmFza2V0Y2FuZGxl\r\nZQ==";
        for piece in 1..text.len() {
            let (mut decoder, mut out) = (Base64Text::default(), Vec::new());
            assert!(text.chunks(piece).all(|piece| decoder.push(piece, &mut out)));
            assert_eq!((out.as_slice(), decoder.at_end()), (&b"amberbasketcandlee"[..], true));
        }
    }

    #[test]
    fn what_is_no_base64_ends_it() {
        for text in [&b"YW1$"[..], b"Y===", b"=W1i", b"YW=i"] {
            let mut out = Vec::new();
            assert!(!Base64Text::default().push(text, &mut out), "{text:?}");
        }
        let (mut decoder, mut out) = (Base64Text::default(), Vec::new());
        decoder.push(b"YW", &mut out);
        decoder.gap();
        assert!(!decoder.push(b"1iZXI=", &mut out) && out.is_empty());
    }
}

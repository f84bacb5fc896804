//! Text from the wire, made safe for a terminal: whatever could move the cursor, change colours, hide text or
//! turn its direction is shown as an escape. Only the table format needs it; JSON has its own escapes.

use std::fmt::Write;

/// Appends `bytes` with everything but visible text escaped, at most `limit` characters of it, `…` when more
/// were there. What is appended contains no control character, so that no `\x1f` and no `\n` can occur.
pub(super) fn push_visible(out: &mut String, bytes: &[u8], limit: usize) {
    // Printable ASCII without a backslash is nearly everything there is.
    if bytes.len() <= limit
        && bytes.iter().all(|&byte| matches!(byte, 0x20..=0x7e) && byte != b'\\')
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        out.push_str(text);
        return;
    }
    let mut left = limit;
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            if left == 0 {
                out.push('…');
                return;
            }
            left -= 1;
            push_char(out, char);
        }
        for byte in chunk.invalid() {
            if left == 0 {
                out.push('…');
                return;
            }
            left -= 1;
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}

/// `text` made safe, without a limit.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_visible(&mut out, text.as_bytes(), usize::MAX);
    out
}

fn push_char(out: &mut String, char: char) {
    match char {
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ if is_hidden(char) => {
            let _ = if char.is_ascii() {
                write!(out, "\\x{:02x}", u32::from(char))
            } else {
                write!(out, "\\u{{{:x}}}", u32::from(char))
            };
        }
        _ => out.push(char),
    }
}

/// Controls, and what has no width or acts on its neighbours: direction marks and overrides, joiners, fillers,
/// line separators, interlinear annotations, tags, variation selectors.
pub(super) const fn is_hidden(char: char) -> bool {
    matches!(char,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> String {
        let mut out = String::new();
        push_visible(&mut out, bytes, 40);
        out
    }

    #[test]
    fn plain_text_passes() {
        for text in ["/v1/users?q=1", "grüße", "日本"] {
            assert_eq!(shown(text.as_bytes()), text);
        }
    }

    #[test]
    fn terminal_escapes_become_visible() {
        assert_eq!(shown(b"\x1b[31mred\x1b]0;title\x07"), "\\x1b[31mred\\x1b]0;title\\x07");
        assert_eq!(shown("\u{9b}31m".as_bytes()), "\\u{9b}31m");
        assert_eq!(shown(b"a\r\nb\tc"), "a\\r\\nb\\tc");
    }

    #[test]
    fn direction_overrides_and_invisible_characters_become_visible() {
        assert_eq!(shown("a\u{202e}b".as_bytes()), "a\\u{202e}b");
        assert_eq!(shown("a\u{200b}\u{feff}\u{2066}".as_bytes()), "a\\u{200b}\\u{feff}\\u{2066}");
        assert_eq!(shown("\u{e0041}".as_bytes()), "\\u{e0041}");
    }

    #[test]
    fn escapes_cannot_be_forged() {
        assert_eq!(shown(b"\\x1b"), "\\\\x1b");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown_in_hex() {
        assert_eq!(shown(b"a\xff\xfeb"), "a\\xff\\xfeb");
    }

    #[test]
    fn long_text_is_cut_by_characters() {
        let mut out = String::new();
        push_visible(&mut out, "äöüß".as_bytes(), 3);
        assert_eq!(out, "äöü…");
        out.clear();
        push_visible(&mut out, b"abc", 3);
        assert_eq!(out, "abc");
    }

    proptest::proptest! {
        #[test]
        fn nothing_hidden_is_left(bytes: Vec<u8>) {
            proptest::prop_assert!(!shown(&bytes).chars().any(is_hidden));
        }
    }
}

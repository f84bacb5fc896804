//! Content for people to read: JSON over several lines, bytes in hexadecimal.

use std::fmt::Write;

/// Blanks a level.
const STEP: usize = 2;

/// JSON text with a line for each member and element; `None` where it is none.
///
/// Members keep their order, and numbers their digits: only white space is changed.
pub(super) fn json(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.starts_with(['{', '[']) || serde_json::from_str::<serde_json::Value>(text).is_err() {
        return None;
    }
    let mut out = String::with_capacity(text.len() + text.len() / 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut chars = text.chars().filter(|char| *char != '\r').peekable();
    let new_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', STEP * depth));
    };
    while let Some(char) = chars.next() {
        if in_string {
            out.push(char);
            (in_string, escaped) = (escaped || char != '"', !escaped && char == '\\');
            continue;
        }
        match char {
            ' ' | '\t' | '\n' => (),
            '{' | '[' => {
                out.push(char);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                if chars.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    out.extend(chars.next());
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(char);
            }
            ',' => {
                out.push(char);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                out.push(char);
                in_string = true;
            }
            _ => out.push(char),
        }
    }
    Some(out)
}

/// Appends bytes, sixteen a line: where they stand, what they are, and what of them is printable ASCII.
pub(super) fn hex(out: &mut String, bytes: &[u8]) {
    for (at, line) in bytes.chunks(16).enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(out, "{:08x} ", 16 * at);
        for place in 0..16 {
            let gap = if place % 8 == 0 { " " } else { "" };
            let _ = match line.get(place) {
                Some(byte) => write!(out, "{gap}{byte:02x} "),
                None => write!(out, "{gap}   "),
            };
        }
        out.push(' ');
        out.extend(line.iter().map(|&byte| if matches!(byte, 0x20..=0x7e) { byte as char } else { '.' }));
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_takes_a_line_for_each_member() {
        let text = r#" {"a":1.50,"b":["x","y{,"],"c":{},"d":[ ],"\"":"\\"} "#;
        let shown = "{\n  \"a\": 1.50,\n  \"b\": [\n    \"x\",\n    \"y{,\"\n  ],\n  \"c\": {},\n  \"d\": [],\n  \"\\\"\": \"\\\\\"\n}";
        assert_eq!(json(text).as_deref(), Some(shown));
    }

    #[test]
    fn what_is_no_json_stays_as_it_is() {
        for text in ["", "7", "plain", "{\"a\":", "[1,]", "{} {}"] {
            assert_eq!(json(text), None, "{text}");
        }
    }

    #[test]
    fn only_white_space_is_changed() {
        let text = r#"{"b":[1,{"x":null},"\u00e9 \\\" ,:"],"a":true}"#;
        let shown = json(text).unwrap();
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(text));
        assert_eq!(json(&shown).as_deref(), Some(shown.as_str()));
    }

    #[test]
    fn bytes_stand_sixteen_a_line() {
        let mut out = String::new();
        hex(&mut out, b"\x00\x01GET / HTTP/1.1\r\n");
        assert_eq!(
            out,
            "00000000  00 01 47 45 54 20 2f 20  48 54 54 50 2f 31 2e 31  ..GET / HTTP/1.1\n\
             00000010  0d 0a                                             ..\n"
        );
    }
}

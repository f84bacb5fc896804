//! JSON texts (RFC 8259) as they come: checked and made compact, without a model of their values.

use crate::base::tuning::BODY_JSON_DEPTH;

/// A piece of a text, with the text that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`, `}`, `[`, `]`, `:` or `,`.
    Mark(u8),
    /// A string with its quotation marks; the last one may be missing at the end of the text.
    String(&'a str),
    /// A number, a literal, or anything else without white space.
    Other(&'a str),
    /// White space.
    Space(&'a str),
}

/// Divides a text into tokens. Whatever the text, they are all of it.
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    /// The tokens of the text.
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn split(&mut self, at: usize) -> &'a str {
        let (token, rest) = self.rest.split_at_checked(at).unwrap_or((self.rest, ""));
        self.rest = rest;
        token
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.rest.as_bytes();
        let end = |of: &dyn Fn(u8) -> bool| bytes.iter().position(|&octet| !of(octet)).unwrap_or(bytes.len());
        Some(match bytes.first()? {
            mark @ (b'{' | b'}' | b'[' | b']' | b':' | b',') => {
                self.split(1);
                Token::Mark(*mark)
            }
            b'"' => {
                let at = string_end(bytes);
                Token::String(self.split(at))
            }
            octet if is_space(*octet) => {
                let at = end(&is_space);
                Token::Space(self.split(at))
            }
            _ => {
                let at = end(&|octet| !is_space(octet) && !b"{}[]:,\"".contains(&octet));
                Token::Other(self.split(at))
            }
        })
    }
}

const fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\n' | b'\r')
}

/// Where the string that begins the text ends.
fn string_end(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found + 1;
        if bytes.get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

/// The text without white space between its tokens, if it is one JSON text of believable depth.
pub fn compact(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut checker = Checker::default();
    for token in Tokens::new(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        checker.next(token)?;
        match token {
            Token::Mark(mark) => out.push(char::from(mark)),
            Token::String(token) | Token::Other(token) => out.push_str(token),
            Token::Space(_) => {}
        }
    }
    checker.is_done().then_some(out)
}

/// Follows the grammar.
#[derive(Default)]
pub(super) struct Checker {
    /// The objects (true) and arrays that are open.
    open: Vec<bool>,
    expect: Expect,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Expect {
    #[default]
    Value,
    /// A value, or the end of the array.
    First,
    /// A name, or the end of the object.
    FirstName,
    Name,
    Colon,
    /// A comma, or the end of what is open.
    Comma,
    /// Nothing.
    Done,
}

impl Checker {
    /// The next token; `None`: it may not stand here.
    pub(super) fn next(&mut self, token: Token<'_>) -> Option<()> {
        self.expect = match (token, self.expect) {
            (Token::Space(_), expect) => expect,
            (Token::Mark(mark @ (b'{' | b'[')), Expect::Value | Expect::First) => {
                if self.open.len() >= BODY_JSON_DEPTH {
                    return None;
                }
                self.open.push(mark == b'{');
                if mark == b'{' { Expect::FirstName } else { Expect::First }
            }
            (Token::Mark(b'}'), Expect::FirstName | Expect::Comma) if self.open.last() == Some(&true) => {
                self.close()
            }
            (Token::Mark(b']'), Expect::First | Expect::Comma) if self.open.last() == Some(&false) => {
                self.close()
            }
            (Token::Mark(b','), Expect::Comma) => {
                if self.open.last() == Some(&true) {
                    Expect::Name
                } else {
                    Expect::Value
                }
            }
            (Token::Mark(b':'), Expect::Colon) => Expect::Value,
            (Token::String(text), Expect::FirstName | Expect::Name) if is_string(text) => Expect::Colon,
            (Token::String(text), Expect::Value | Expect::First) if is_string(text) => self.after_value(),
            (Token::Other(text), Expect::Value | Expect::First) if is_scalar(text) => self.after_value(),
            _ => return None,
        };
        Some(())
    }

    fn close(&mut self) -> Expect {
        self.open.pop();
        self.after_value()
    }

    fn after_value(&self) -> Expect {
        if self.open.is_empty() { Expect::Done } else { Expect::Comma }
    }

    /// A whole text was read.
    pub(super) fn is_done(&self) -> bool {
        self.expect == Expect::Done
    }

    /// Objects and arrays that are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The next string would be a name.
    pub(super) fn at_name(&self) -> bool {
        matches!(self.expect, Expect::FirstName | Expect::Name)
    }
}

/// A well-formed string.
fn is_string(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return false };
    if text.len() < 2 || string_end(text.as_bytes()) != text.len() {
        return false;
    }
    let mut bytes = inner.bytes();
    while let Some(octet) = bytes.next() {
        let good = match octet {
            b'\\' => match bytes.next() {
                Some(b'u') => (0..4).all(|_| bytes.next().is_some_and(|octet| octet.is_ascii_hexdigit())),
                Some(escaped) => b"\"\\/bfnrt".contains(&escaped),
                None => false,
            },
            octet => octet >= 0x20,
        };
        if !good {
            return false;
        }
    }
    true
}

/// A literal or a number.
fn is_scalar(text: &str) -> bool {
    if matches!(text, "true" | "false" | "null") {
        return true;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let number = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = number.split_once(['e', 'E']).map_or((number, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// The text that a string token stands for; what is no escape stays.
pub(super) fn unescape(token: &str) -> String {
    let inner = token.strip_prefix('"').unwrap_or(token);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let (mut out, mut rest) = (String::with_capacity(inner.len()), inner);
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let mut characters = rest.chars();
        let character = match characters.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('u') => {
                let (character, length) = escaped_character(rest);
                rest = rest.get(length..).unwrap_or_default();
                out.push(character);
                continue;
            }
            Some(other) => other,
            None => break,
        };
        out.push(character);
        rest = characters.as_str();
    }
    out.push_str(rest);
    out
}

/// A character from `uXXXX`, or two of these, and the length of what it was read from.
fn escaped_character(text: &str) -> (char, usize) {
    let unit = |at: usize| text.get(at..at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(first) = unit(1) else { return ('\u{fffd}', 1) };
    if let (0xd800..0xdc00, Some("\\u"), Some(second @ 0xdc00..0xe000)) = (first, text.get(5..7), unit(7)) {
        let character = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(character).unwrap_or('\u{fffd}'), 11);
    }
    (char::from_u32(first).unwrap_or('\u{fffd}'), 5)
}

/// Appends a string with its quotation marks.
pub(super) fn push_string(out: &mut String, text: &str) {
    use std::fmt::Write;
    out.push('"');
    let mut rest = text;
    while let Some(at) =
        rest.find(|character: char| character < ' ' || matches!(character, '"' | '\\' | '\u{7f}'))
    {
        out.push_str(rest.get(..at).unwrap_or_default());
        let mut characters = rest.get(at..).unwrap_or_default().chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            // Writing to a string does not fail.
            Some(other) => drop(write!(out, "\\u{:04x}", other as u32)),
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_checked_and_made_compact() {
        let compacted =
            compact("\u{feff} { \"a\\\"\" : [ 1 , -0.5e+3, true,\r\n null, \"x y\", {}, [] ] }\n");
        assert_eq!(compacted.as_deref(), Some("{\"a\\\"\":[1,-0.5e+3,true,null,\"x y\",{},[]]}"));
        for wrong in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "01",
            "1.",
            "+1",
            "nul",
            "\"\\x\"",
            "\"a",
            "1 2",
            "[1}",
            "{,}",
            "\"\u{1}\"",
            "\"\\u12g4\"",
            "[,1]",
            "{\"a\":1,}",
            "'a'",
        ] {
            assert_eq!(compact(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn cap_body_json_depth() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(compact(&nested(BODY_JSON_DEPTH)).is_some());
        assert!(compact(&nested(BODY_JSON_DEPTH + 1)).is_none());
    }

    #[test]
    fn strings_are_read_as_they_are_written() {
        assert_eq!(
            unescape(r#""a\"\\\/\n\u00e9\ud83d\ude00\ud800x\q\u12""#),
            "a\"\\/\né😀\u{fffd}xq\u{fffd}12"
        );
        assert_eq!(unescape("\"open"), "open");
    }

    proptest! {
        #[test]
        fn any_string_is_written_and_read(text in any::<String>()) {
            let mut out = String::new();
            push_string(&mut out, &text);
            prop_assert_eq!(compact(&out), Some(out.clone()));
            prop_assert_eq!(unescape(&out), text);
        }

        #[test]
        fn tokens_are_all_of_a_text(text in "[\\[\\]{}:, \"\\\\a1é]{0,40}") {
            let joined: String = Tokens::new(&text)
                .map(|token| match token {
                    Token::Mark(mark) => char::from(mark).to_string(),
                    Token::String(text) | Token::Other(text) | Token::Space(text) => text.to_owned(),
                })
                .collect();
            prop_assert_eq!(joined, text.clone());
            if let Some(compacted) = compact(&text) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
                prop_assert_eq!(compact(&compacted), Some(compacted.clone()));
            }
        }
    }
}

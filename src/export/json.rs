//! JSON (RFC 8259) for the record types of [`super::schema`]: compact, appended to a `Vec`, nothing in between.
//!
//! The keys of an object are constants with their quotes, comma and colon, and a value goes straight behind them: a
//! transaction of 700 bytes takes 5,000 instructions, where a serde serializer took 9,800 and `serde_json` 13,300. Text that
//! needs escapes is left to `serde_json`.

use super::sanitize::is_hidden;
use std::borrow::Cow;
use std::io::Write;

/// What can be written as JSON.
pub trait Json {
    /// Appends the value.
    fn write(&self, out: &mut Vec<u8>);

    /// There is no value: the member that would hold it is left out.
    #[inline]
    fn is_absent(&self) -> bool {
        false
    }
}

/// Declares an object type: its members by key, in the order in which they are written.
macro_rules! object {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(<$life:lifetime>)? {
            $($(#[$doc:meta])* $key:literal: $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name $(<$life>)? {
            $($(#[$doc])* $field: $type,)+
        }

        impl $(<$life>)? $crate::export::json::Json for $name $(<$life>)? {
            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                let start = out.len();
                $(if !$crate::export::json::Json::is_absent(&self.$field) {
                    out.extend_from_slice(concat!(",\"", $key, "\":").as_bytes());
                    $crate::export::json::Json::write(&self.$field, out);
                })+
                $crate::export::json::close(out, start, [b'{', b'}']);
            }

            /// An object without members says nothing.
            #[inline]
            fn is_absent(&self) -> bool {
                true $(&& $crate::export::json::Json::is_absent(&self.$field))+
            }
        }
    };
}
pub(super) use object;

/// Turns the comma before the first member into the opening bracket, and closes.
#[inline]
pub(super) fn close(out: &mut Vec<u8>, start: usize, [open, close]: [u8; 2]) {
    match out.get_mut(start) {
        Some(comma) => *comma = open,
        None => out.push(open),
    }
    out.push(close);
}

/// Appends an array.
#[inline]
pub(super) fn array<T: Json>(out: &mut Vec<u8>, elements: impl IntoIterator<Item = T>) {
    let start = out.len();
    for element in elements {
        out.push(b',');
        element.write(out);
    }
    close(out, start, [b'[', b']']);
}

/// Appends an object whose keys are not known beforehand.
#[inline]
pub(super) fn map<T: Json>(out: &mut Vec<u8>, members: impl IntoIterator<Item = (impl AsRef<str>, T)>) {
    let start = out.len();
    for (key, value) in members {
        out.push(b',');
        key.as_ref().write(out);
        out.push(b':');
        value.write(out);
    }
    close(out, start, [b'{', b'}']);
}

impl<T: Json + ?Sized> Json for &T {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
    #[inline]
    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
}

impl<T: Json> Json for Option<T> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write(out),
            None => out.extend_from_slice(b"null"),
        }
    }
    #[inline]
    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(Json::is_absent)
    }
}

impl Json for bool {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

/// Unsigned integers.
macro_rules! integer {
    ($($type:ty)*) => {
        $(impl Json for $type {
            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(itoa::Buffer::new().format(*self).as_bytes());
            }
        })*
    };
}
integer!(u8 u16 u32 u64);

impl Json for str {
    fn write(&self, out: &mut Vec<u8>) {
        let bytes = self.as_bytes();
        if is_plain(bytes) {
            push_plain(out, bytes);
        } else {
            push_escaped(out, self);
        }
    }
}

impl Json for String {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_str().write(out);
    }
}

impl Json for Cow<'_, str> {
    fn write(&self, out: &mut Vec<u8>) {
        str::write(self, out);
    }
}

/// Text of our own, in which nothing needs an escape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Word(pub &'static str);

impl Json for Word {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        push_plain(out, self.0.as_bytes());
    }
}

/// Strings; absent when there are none.
#[derive(Clone, Copy, Debug)]
pub struct Strings<'a>(pub &'a [String]);

impl Json for Strings<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        array(out, self.0);
    }
    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends text in quotes; none of its bytes needs an escape.
#[inline]
pub(super) fn push_plain(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Printable ASCII without quotes and backslashes, as nearly all text is. Eight bytes at a time.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    // The high bit of each byte that the subtraction takes below zero; exact for bytes below 0x80, and those from 0x80
    // on have it set in `word` itself.
    let is_below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound));
    let is = |word: u64, byte: u8| is_below(word ^ (ONES * u64::from(byte)), 1);
    let (words, rest) = bytes.as_chunks::<8>();
    let mut odd = 0;
    for &word in words {
        let word = u64::from_le_bytes(word);
        odd |= word | is_below(word, 0x20) | is(word, b'"') | is(word, b'\\') | is(word, 0x7f);
    }
    odd & HIGHS == 0 && rest.iter().all(|&byte| byte < 0x80 && !needs_escape(byte))
}

#[inline]
const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte == 0x7f
}

/// Appends UTF-8 text in quotes, with escapes. Those characters are escaped too that JSON allows as they are, and that
/// would act on the terminal that it is shown on: [`super::sanitize::is_hidden`].
#[cold]
fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    // Writing a string into memory does not fail.
    let _ = serde_json::to_writer(&mut *out, text);
    if !text.chars().any(|char| is_hidden(char) && char >= '\x7f') {
        return;
    }
    let written = out.split_off(start);
    for char in String::from_utf8_lossy(&written).chars() {
        if is_hidden(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(value: &(impl Json + ?Sized)) -> String {
        let mut out = Vec::new();
        value.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn strings_read_back(text: String) {
            prop_assert_eq!(serde_json::from_str::<String>(&json(&text)).unwrap(), text);
        }

        #[test]
        fn control_characters_read_back(bytes in proptest::collection::vec(0u8..0x80, 0..40)) {
            let text = String::from_utf8(bytes).unwrap();
            let shown = json(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
            prop_assert!(!shown.bytes().any(|byte| byte < 0x20));
        }

        #[test]
        fn plain_is_what_needs_nothing(bytes: Vec<u8>) {
            let plain = bytes.iter().all(|&byte| byte < 0x80 && !needs_escape(byte));
            // Mistaking plain text for other text costs time alone; the reverse would be wrong.
            prop_assert!(plain || !is_plain(&bytes));
        }
    }

    #[test]
    fn each_byte_is_told_at_each_place() {
        for byte in 0..=255u8 {
            for place in 0..20 {
                let mut bytes = *b"abcdefghijklmnopqrst";
                bytes[place] = byte;
                assert_eq!(is_plain(&bytes), byte < 0x80 && !needs_escape(byte), "{byte:#x} at {place}");
            }
        }
    }

    #[test]
    fn what_acts_on_a_terminal_is_escaped_and_reads_back() {
        let text: String = (0..0x11_0000).filter_map(char::from_u32).collect();
        let shown = json(&text);
        assert!(!shown.chars().any(is_hidden));
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        assert_eq!(
            json("a\x1b[2J\x7f\u{9b}\u{202e}\u{e0041}ü"),
            r#""a\u001b[2J\u007f\u009b\u202e\udb40\udc41ü""#
        );
    }

    #[test]
    fn containers_are_closed_whether_or_not_they_are_empty() {
        let written = |fill: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            fill(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(&|out| array::<u8>(out, [])), "[]");
        assert_eq!(written(&|out| array(out, [1u8, 2])), "[1,2]");
        assert_eq!(written(&|out| map::<u8>(out, [] as [(&str, u8); 0])), "{}");
        assert_eq!(written(&|out| map(out, [("a", true), ("b", false)])), r#"{"a":true,"b":false}"#);
    }

    object! {
        /// An object for the tests.
        struct Sample {
            /// First.
            "a": first: Option<u8>,
            /// Second.
            "b": second: Option<Word>,
        }
    }

    #[test]
    fn members_without_a_value_are_left_out() {
        for (first, second, shown) in [
            (None, None, "{}"),
            (Some(1), None, r#"{"a":1}"#),
            (None, Some(Word("x")), r#"{"b":"x"}"#),
            (Some(255), Some(Word("")), r#"{"a":255,"b":""}"#),
        ] {
            assert_eq!(json(&Sample { first, second }), shown);
        }
    }
}

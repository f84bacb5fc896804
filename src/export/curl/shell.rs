//! Text as words of a POSIX shell (IEEE 1003.1, Shell Command Language, section 2.2).
//!
//! Within `'…'` nothing has a meaning but `'`. What would act on a terminal that the script is shown on, and bytes that
//! are no UTF-8, come from `printf`.

use crate::export::sanitize::is_hidden;
use std::io::Write;

/// Appends text as one word. NUL, which no argument can hold, must not be in it.
pub(super) fn push_quoted(out: &mut Vec<u8>, text: &[u8]) {
    let is_plain = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':' | b'=' | b',')
    };
    if !text.is_empty() && text.iter().all(is_plain) {
        return out.extend_from_slice(text);
    }
    let (mut quoted, start) = (false, out.len());
    for chunk in text.utf8_chunks() {
        for char in chunk.valid().chars() {
            if is_shown(char) {
                turn(out, &mut quoted, true);
                push_char(out, char);
            } else {
                turn(out, &mut quoted, false);
                push_printed(out, char.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        if !chunk.invalid().is_empty() {
            turn(out, &mut quoted, false);
            push_printed(out, chunk.invalid());
        }
    }
    turn(out, &mut quoted, false);
    if out.len() == start {
        out.extend_from_slice(b"''");
    }
}

/// Appends bytes as they stand between the quotes of `printf '…'`.
pub(super) fn push_format(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut first = true;
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '%' => out.extend_from_slice(b"%%"),
                '\\' => out.extend_from_slice(b"\\\\"),
                // At the beginning it would be an option.
                '-' if first => push_octal(out, b"-"),
                _ if is_shown(char) => push_char(out, char),
                _ => push_octal(out, char.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            first = false;
        }
        push_octal(out, chunk.invalid());
        first &= chunk.invalid().is_empty();
    }
}

/// Lines may end within quotes.
const fn is_shown(char: char) -> bool {
    matches!(char, '\n' | '\t') || !is_hidden(char)
}

/// Opens or closes quotes, where they are not.
fn turn(out: &mut Vec<u8>, quoted: &mut bool, to: bool) {
    if std::mem::replace(quoted, to) != to {
        out.push(b'\'');
    }
}

/// A character within quotes.
fn push_char(out: &mut Vec<u8>, char: char) {
    match char {
        '\'' => out.extend_from_slice(br"'\''"),
        _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Bytes that `printf` makes. None is a line end, which the shell would take away.
fn push_printed(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"\"$(printf '");
    push_octal(out, bytes);
    out.extend_from_slice(b"')\"");
}

fn push_octal(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        // Writing into memory cannot fail.
        let _ = write!(out, "\\{byte:03o}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    fn quoted(text: &[u8]) -> String {
        let mut out = Vec::new();
        push_quoted(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    /// What a shell makes of a script.
    fn run(script: &str) -> Vec<u8> {
        let output = Command::new("sh").args(["-c", script]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{script:?}: {output:?}");
        output.stdout
    }

    #[test]
    fn what_means_something_to_a_shell_is_quoted() {
        for (text, shown) in [
            (&b"GET"[..], "GET"),
            (b"", "''"),
            (b"a b", "'a b'"),
            (b"$(id) `id` \"$HOME\" \\ ! * ~", "'$(id) `id` \"$HOME\" \\ ! * ~'"),
            (b"it's", r"'it'\''s'"),
            (b"a\x1b[2J", r#"'a'"$(printf '\033')"'[2J'"#),
            (b"\xff", r#""$(printf '\377')""#),
            ("ü\u{202e}".as_bytes(), "'ü'\"$(printf '\\342\\200\\256')\""),
        ] {
            assert_eq!(quoted(text), shown);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn a_shell_reads_back_what_was_quoted(text in proptest::collection::vec(1u8.., 0..200)) {
            let script = quoted(&text);
            prop_assert!(!script.chars().any(|char| !is_shown(char)));
            // The mark keeps line ends.
            prop_assert_eq!(run(&format!("printf '%s.' {script}")), [&text[..], b"."].concat());
        }

        #[test]
        fn printf_writes_back_any_bytes(bytes: Vec<u8>) {
            let mut format = Vec::new();
            push_format(&mut format, &bytes);
            prop_assert_eq!(run(&format!("printf '{}'", String::from_utf8(format).unwrap())), bytes);
        }
    }
}

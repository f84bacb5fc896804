//! Secrets in contents: values of telling names, and texts that are credentials whatever their name.

use super::json::{Token, Tokens, unescape};
use std::borrow::Cow;

/// What stands in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// A name that holds one of these names a secret. Compared without case and separators.
const PARTS: [&str; 16] = [
    "accesskey",
    "apikey",
    "authorization",
    "cardnumber",
    "clientsecret",
    "cookie",
    "credential",
    "creditcard",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "securitycode",
    "sessionid",
    "signingkey",
];

/// A name that is one of these, or ends with `token`.
const NAMES: [&str; 10] = ["auth", "bearer", "cvc", "cvv", "jwt", "otp", "pass", "pin", "pwd", "ssn"];

/// Masks secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redactor {
    /// Further names.
    keys: Vec<String>,
}

impl Redactor {
    /// One that masks values of these names, too.
    pub fn new(keys: &[String]) -> Self {
        Self { keys: keys.iter().map(|key| plain(key)).filter(|key| !key.is_empty()).collect() }
    }

    /// A value of this name is a secret.
    pub fn is_secret(&self, name: &str) -> bool {
        let name = plain(name);
        name.ends_with("token")
            || NAMES.contains(&name.as_str())
            || PARTS.iter().any(|part| name.contains(part))
            || self.keys.contains(&name)
    }

    /// JSON, or what is left of it: all as it was but the secrets.
    pub fn json(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        // The last string, which a colon makes a name.
        let mut name: Option<&str> = None;
        let mut secret = false;
        // How deep within a secret object or array.
        let mut inside = 0_usize;
        for token in Tokens::new(text) {
            match token {
                Token::Space(space) => out.push_str(space),
                Token::Mark(mark) => {
                    out.push(char::from(mark));
                    match mark {
                        // A line break of another format may stand between a name and its value.
                        b':' if inside == 0 => {
                            secret |= name.take().is_some_and(|name| self.is_secret(&unescape(name)));
                        }
                        b'{' | b'[' if secret || inside > 0 => inside += 1,
                        b'}' | b']' if inside > 0 => {
                            inside -= 1;
                            secret = false;
                        }
                        b',' | b'}' | b']' if inside == 0 => secret = false,
                        _ => {}
                    }
                }
                Token::String(string) => {
                    // A name within a secret object is masked with the values: it may be one.
                    if secret || inside > 0 {
                        push_masked(&mut out);
                    } else {
                        name = Some(string);
                        out.push_str(&self.text(string));
                    }
                }
                Token::Other(other) => {
                    if secret || inside > 0 {
                        push_masked(&mut out);
                    } else {
                        out.push_str(&self.text(other));
                    }
                }
            }
        }
        out
    }

    /// A form: all as it was but the values of secret names, and values that are secrets.
    pub fn form(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for (at, pair) in text.split('&').enumerate() {
            if at > 0 {
                out.push('&');
            }
            let Some((name, value)) = pair.split_once('=') else {
                out.push_str(&self.text(pair));
                continue;
            };
            out.push_str(name);
            out.push('=');
            let decoded = super::form::decode(value);
            if self.is_secret(&super::form::decode(name)) || self.text(&decoded) != decoded {
                out.push_str(REDACTED);
            } else {
                out.push_str(value);
            }
        }
        out
    }

    /// Any text: bearer tokens, JSON Web Tokens and card numbers in it.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = String::new();
        let (mut done, mut at) = (0, 0);
        while let Some(length) = next_word(text, &mut at) {
            if let Some(masked) = secret_at(text, at, length) {
                out.push_str(text.get(done..masked.start).unwrap_or_default());
                out.push_str(REDACTED);
                (done, at) = (masked.end, masked.end);
            } else {
                at += length;
            }
        }
        if done == 0 {
            return text.into();
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out.into()
    }

    /// Bytes that hold a secret as text.
    pub fn finds_in(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        matches!(self.text(&text), Cow::Owned(_))
    }
}

fn push_masked(out: &mut String) {
    out.push('"');
    out.push_str(REDACTED);
    out.push('"');
}

/// In lower case, without what separates words.
fn plain(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Octets that words of credentials consist of.
const fn is_word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'~' | b'+' | b'/' | b'=')
}

/// Moves to the next word, and tells its length.
fn next_word(text: &str, at: &mut usize) -> Option<usize> {
    let rest = text.as_bytes().get(*at..)?;
    let start = rest.iter().position(|&octet| is_word(octet))?;
    *at += start;
    let rest = rest.get(start..)?;
    Some(rest.iter().position(|&octet| !is_word(octet)).unwrap_or(rest.len()))
}

/// The secret that begins at or after this word.
fn secret_at(text: &str, at: usize, length: usize) -> Option<std::ops::Range<usize>> {
    let word = text.get(at..at + length)?;
    if ["bearer", "basic"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme)) {
        let mut next = at + length;
        let following = next_word(text, &mut next)?;
        // Right behind, and no word of a sentence.
        let between = text.get(at + length..next)?;
        return (between == " " && following >= 8).then_some(next..next + following);
    }
    if let Some(found) = jwt(word) {
        return Some(at + found.start..at + found.end);
    }
    card_number(text, at)
}

/// A JSON Web Token (RFC 7519) in a word: two parts that are JSON objects in base64url, and a signature.
fn jwt(word: &str) -> Option<std::ops::Range<usize>> {
    let start = word.find("eyJ")?;
    let end = word.get(start..)?.find(['/', '+', '=', '~']).map_or(word.len(), |end| start + end);
    let token = word.get(start..end)?;
    // Cut at the end, it is one as well.
    (token.len() >= 16
        && token.split('.').nth(1).is_some_and(|part| "eyJ".starts_with(part.get(..3).unwrap_or(part))))
    .then_some(start..end)
}

/// A card number: 13 to 19 digits, perhaps in groups, that pass Luhn's check.
fn card_number(text: &str, at: usize) -> Option<std::ops::Range<usize>> {
    let bytes = text.as_bytes().get(at..)?;
    if !matches!(bytes.first()?, b'2'..=b'6') {
        return None;
    }
    let mut digits = Vec::with_capacity(20);
    let (mut end, mut separated) = (0, false);
    for (place, &octet) in bytes.iter().enumerate() {
        match octet {
            b'0'..=b'9' if digits.len() < 20 => {
                digits.push(octet - b'0');
                (end, separated) = (place + 1, false);
            }
            b' ' | b'-' if !separated => separated = true,
            b'0'..=b'9' => return None,
            octet if !separated && (octet.is_ascii_alphabetic() || matches!(octet, b'_' | b'.')) => {
                let sentence = octet == b'.' && !bytes.get(place + 1).is_some_and(u8::is_ascii_digit);
                if !sentence {
                    return None;
                }
                break;
            }
            _ => break,
        }
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| {
            let doubled = u32::from(digit) << (place & 1);
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    ((13..=19).contains(&digits.len()) && sum.is_multiple_of(10)).then_some(at..at + end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";

    fn json(text: &str) -> String {
        Redactor::new(&["Account-Id".to_owned()]).json(text)
    }

    #[test]
    fn names_are_compared_without_case_and_separators() {
        let redactor = Redactor::new(&["iban".to_owned()]);
        for name in [
            "password",
            "userPassword",
            "API-Key",
            "access_token",
            "Authorization",
            "client_secret",
            "IBAN",
            "pin",
        ] {
            assert!(redactor.is_secret(name), "{name}");
        }
        for name in ["max_tokens", "author", "key", "shipping", "name", "", "spin"] {
            assert!(!redactor.is_secret(name), "{name}");
        }
    }

    #[test]
    fn values_of_secret_names_are_masked_in_json() {
        assert_eq!(
            json(r#"{ "user":"ann", "password" : "x\"y", "n":[1] }"#),
            r#"{ "user":"ann", "password" : "[redacted]", "n":[1] }"#
        );
        assert_eq!(
            json(r#"{"secret":{"a":[1,{"b":"c"}]},"d":2}"#),
            r#"{"secret":{"[redacted]":["[redacted]",{"[redacted]":"[redacted]"}]},"d":2}"#
        );
        assert_eq!(json(r#"{"account_id":12,"a":"token"}"#), r#"{"account_id":"[redacted]","a":"token"}"#);
        assert_eq!(json(r#"{"pass\u0077ord":"x"}"#), r#"{"pass\u0077ord":"[redacted]"}"#);
    }

    #[test]
    fn what_is_left_of_a_json_text_is_masked_too() {
        assert_eq!(json(r#"{"token":"abc"#), r#"{"token":"[redacted]""#);
        assert_eq!(json(r#"..."password": 12, x"#), r#"..."password": "[redacted]", x"#);
        assert_eq!(
            json("data: {\"token\":\ndata: \"abc\"}"),
            "data: {\"token\":\n\"[redacted]\": \"[redacted]\"}"
        );
        assert_eq!(json(r#"}}]{"password":[1"#), r#"}}]{"password":["[redacted]""#);
    }

    #[test]
    fn credentials_are_found_in_any_text() {
        let redactor = Redactor::default();
        let masked = |text: &str| redactor.text(text).into_owned();
        assert_eq!(masked("say Bearer abcdef0123 now"), "say Bearer [redacted] now");
        assert_eq!(masked("bearer of news"), "bearer of news");
        assert_eq!(masked(&format!("a {JWT}, b")), "a [redacted], b");
        assert_eq!(masked(&JWT[..30]), "[redacted]");
        assert_eq!(masked("pay 4111 1111 1111 1111."), "pay [redacted].");
        assert_eq!(masked("5500-0000-0000-0004"), "[redacted]");
        for plain in [
            "4111 1111 1111 1112",
            "1790000000123456789",
            "id4111111111111111",
            "41111111111111111111111",
            "é",
        ] {
            assert_eq!(masked(plain), plain);
        }
        assert!(redactor.finds_in(format!("\u{1}\u{2}{JWT}").as_bytes()) && !redactor.finds_in(b"\xff\xfe"));
    }

    #[test]
    fn forms_keep_their_shape() {
        let redactor = Redactor::default();
        assert_eq!(
            redactor.form("user=ann&password=s3cret%2B20&q=a%26b&x"),
            "user=ann&password=[redacted]&q=a%26b&x"
        );
        assert_eq!(redactor.form("h=Bearer+abcdef0123"), "h=[redacted]");
    }

    proptest! {
        #[test]
        fn a_secret_never_shows(before in "[ -~]{0,20}", value in "[A-Za-z]{12,20}", after in "[ -~]{0,20}") {
            let value = format!("zQ{value}");
            let text = format!("{}:1,\"password\":\"{value}\"{after}", before.replace('"', ""));
            prop_assert!(!json(&text).contains(&value));
        }

        #[test]
        fn what_is_no_secret_stays(text in "[a-z \\[\\]{}:,1\"é]{0,60}") {
            prop_assert_eq!(json(&text), text.clone());
            let masked = Redactor::default().text(&text).into_owned();
            prop_assert_eq!(masked, text);
        }
    }
}

//! Cookies, with the attributes that HAR 1.2 has a place for, as they were sent.

use super::{Pairs, Text};
use crate::record::REDACTED;
use crate::record::visit::{Scalar, Type, Value, Visitor, object};

object! {
    /// An element of `cookies`.
    pub(super) struct Cookie<'a> {
        /// The name.
        "name": name: Text<'a>,
        /// The value.
        "value": value: Text<'a>,
        /// The attribute `Path`.
        "path": path: Option<Text<'a>>,
        /// The attribute `Domain`.
        "domain": domain: Option<Text<'a>>,
        /// The attribute `Expires`.
        "expires": expires: Option<Expires>,
        /// The attribute `HttpOnly`.
        "httpOnly": http_only: Option<bool>,
        /// The attribute `Secure`.
        "secure": secure: Option<bool>,
    }
}

/// The cookies of `cookie` or `set-cookie` (RFC 6265) whose values are shown.
#[derive(Clone, Copy, Debug)]
pub(in crate::export) struct Cookies<'a> {
    fields: Pairs<'a>,
    name: &'static str,
}

impl<'a> Cookies<'a> {
    /// The cookies of those field lines that have the name.
    pub(super) const fn new(fields: Pairs<'a>, name: &'static str) -> Self {
        Self { fields, name }
    }
}

impl<'a> Value for Cookies<'a> {
    const TYPE: Type = Type::List(&Cookie::<'a>::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        let name = self.name.as_bytes();
        let lines = self.fields.iter().filter(|pair| pair.name.0.eq_ignore_ascii_case(name));
        let shown = lines.map(|pair| pair.value.0).filter(|value| *value != REDACTED.as_bytes());
        if self.name == "cookie" {
            visitor.list(shown.flat_map(|line| pieces(line, b"; ")).map(Cookie::new));
        } else {
            visitor.list(shown.filter_map(Cookie::set));
        }
    }
}

impl<'a> Cookie<'a> {
    /// `name=value`
    fn new(pair: &'a [u8]) -> Self {
        let (name, value) = split_once(pair);
        let (name, value) = (Text(name), Text(value));
        Self { name, value, path: None, domain: None, expires: None, http_only: None, secure: None }
    }

    /// `name=value; Path=/; Secure`
    fn set(line: &'a [u8]) -> Option<Self> {
        let mut attributes = pieces(line, b";");
        let mut cookie = Self::new(attributes.next()?);
        for attribute in attributes {
            let (name, value) = split_once(attribute.trim_ascii());
            match name.to_ascii_lowercase().as_slice() {
                b"path" => cookie.path = Some(Text(value)),
                b"domain" => cookie.domain = Some(Text(value)),
                b"expires" => cookie.expires = Expires::read(value).or(cookie.expires),
                b"httponly" => cookie.http_only = Some(true),
                b"secure" => cookie.secure = Some(true),
                _ => (),
            }
        }
        Some(cookie)
    }
}

/// The parts of a text between separators, but for empty ones.
fn pieces<'a>(text: &'a [u8], separator: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = memchr::memmem::find(text, separator);
        rest = at.and_then(|at| text.get(at + separator.len()..));
        text.get(..at.unwrap_or(text.len()))
    })
    .filter(|piece| !piece.is_empty())
}

/// `name=value`
fn split_once(text: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr(b'=', text);
    let (name, value) = at.and_then(|at| text.split_at_checked(at)).unwrap_or((text, b""));
    (name, value.get(1..).unwrap_or_default())
}

/// A date as cookies have them (RFC 6265 section 5.1.1), shown in ISO 8601. Years are 1601 to 9999, times UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expires {
    year: u16,
    month: u8,
    day: u8,
    /// Hour, minute, second.
    time: [u8; 3],
}

impl Expires {
    /// The date that browsers make of a text; `None` where they make none.
    fn read(text: &[u8]) -> Option<Self> {
        let (mut time, mut day, mut month, mut year) = (None, None, None, None);
        for token in text.split(|&byte| is_delimiter(byte)) {
            // The first token of a kind is meant, and the kinds are tried in this order.
            if let (None, Some(found)) = (time, time_of(token)) {
                time = Some(found);
            } else if let (None, Some(found)) = (day, number(token, 1..=2)) {
                day = u8::try_from(found).ok();
            } else if let (None, Some(found)) = (month, month_of(token)) {
                month = Some(found);
            } else if let (None, Some(found)) = (year, number(token, 2..=4)) {
                year = Some(found);
            }
        }
        let year = match year? {
            year @ 0..=69 => 2000 + year,
            year @ 70..=99 => 1900 + year,
            year => year,
        };
        let date = Self { year, month: month?, day: day?, time: time? };
        date.exists().then_some(date)
    }

    /// There is such a day, and such a time.
    const fn exists(self) -> bool {
        let is_leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let days = match self.month {
            2 => 28 + is_leap as u8,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let [hour, minute, second] = self.time;
        self.year >= 1601 && 0 < self.day && self.day <= days && hour < 24 && minute < 60 && second < 60
    }
}

impl Value for Expires {
    const TYPE: Type = Type::Word(&[]);

    fn visit(&self, visitor: &mut impl Visitor) {
        let Self { year, month, day, time: [hour, minute, second] } = self;
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        visitor.scalar(Scalar::Word(&text));
    }
}

/// What stands between the tokens of a date.
const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// As many digits, and no further one behind them.
fn number(token: &[u8], digits: std::ops::RangeInclusive<usize>) -> Option<u16> {
    let length = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = token.get(..length).filter(|_| digits.contains(&length))?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `7:28:00`
fn time_of(token: &[u8]) -> Option<[u8; 3]> {
    let mut parts = token.splitn(3, |&byte| byte == b':');
    let mut part = |is_last: bool| {
        let part = parts.next()?;
        let is_number = is_last || part.iter().all(u8::is_ascii_digit);
        number(part, 1..=2).filter(|_| is_number).and_then(|number| u8::try_from(number).ok())
    };
    Some([part(false)?, part(false)?, part(true)?])
}

/// 1 to 12, by the first three letters.
fn month_of(token: &[u8]) -> Option<u8> {
    let name = token.get(..3)?.to_ascii_lowercase();
    let at = b"janfebmaraprmayjunjulaugsepoctnovdec".chunks(3).position(|month| month == name)?;
    u8::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::json;

    fn read(text: &str) -> String {
        let mut out = Vec::new();
        if let Some(date) = Expires::read(text.as_bytes()) {
            json::write(&mut out, &date);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn dates_are_read_as_browsers_read_them() {
        for (text, shown) in [
            ("Wed, 21 Oct 2026 07:28:00 GMT", "2026-10-21T07:28:00Z"),
            ("Thursday, 01-Jan-70 00:00:00 GMT", "1970-01-01T00:00:00Z"),
            ("Sun Nov  6 8:49:37 1994", "1994-11-06T08:49:37Z"),
            ("31-DEC-69 23:59:59", "2069-12-31T23:59:59Z"),
            ("Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59Z"),
            ("Mon, 1 Jan 1601 0:0:0 GMT", "1601-01-01T00:00:00Z"),
            ("29 Feb 2000 12:00:00.123", "2000-02-29T12:00:00Z"),
        ] {
            assert_eq!(read(text), format!("\"{shown}\""), "{text}");
        }
        for text in [
            "",
            "0",
            "-1",
            "Session",
            "1798761600",
            "Wed, 21 Oct 2026",
            "21 Oct 07:28:00",
            "Oct 2026 07:28:00",
            "29 Feb 2100 00:00:00",
            "31 Apr 2026 00:00:00",
            "0 Oct 2026 00:00:00",
            "1 Jan 1600 00:00:00",
            "1 Jan 2026 24:00:00",
            "1 Jan 2026 00:60:00",
            "1 Jan 2026 00:00:60",
            "1 Jan 2026 00:00",
            "1 Jan 20260 00:00:00",
            "1 Jan 2026 1x:00:00",
            "2026-10-21T07:28:00Z",
        ] {
            assert_eq!(read(text), "", "{text}");
        }
    }
}

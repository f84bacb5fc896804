//! JSON (RFC 8259) for [records](crate::record::schema): compact, appended to a `Vec`, nothing in between.
//!
//! The keys of an object are constants with their quotes, comma and colon, and a value goes straight behind them: a
//! transaction takes less than 4 instructions a byte, where a serde serializer took 14 and `serde_json` 19. Text that
//! needs escapes is left to `serde_json`.

use super::repeated::Repeated;
use super::sanitize::is_hidden;
use crate::base::endpoint::Endpoint;
use crate::base::plain::is_plain;
use crate::base::time::nine_digits;
use crate::record::Annotation;
use crate::record::schema::transaction::AnnotationObject;
use crate::record::visit::{Member, Object, Record, Scalar, Value, Visitor};
use std::borrow::Cow;
use std::io::Write;
use std::net::IpAddr;

/// Appends values to a text.
#[derive(Debug, Default)]
pub(super) struct JsonWriter<'a> {
    out: Vec<u8>,
    /// What stood in the records before.
    repeated: Option<&'a mut Repeated>,
    /// All text that comes is plain.
    plain: bool,
}

/// Appends a value to `out`.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, value: &impl Value) {
    with_writer(out, |writer| value.visit(writer));
}

/// Appends one of many records to `out`.
#[inline]
pub(super) fn write_record(out: &mut Vec<u8>, repeated: &mut Repeated, record: &impl Record) {
    let plain = record.is_plain();
    append(JsonWriter { repeated: Some(repeated), plain, ..JsonWriter::default() }, out, |writer| {
        record.visit(writer);
    });
}

/// Lets a writer append to `out`.
#[inline]
pub(super) fn with_writer(out: &mut Vec<u8>, write: impl FnOnce(&mut JsonWriter<'_>)) {
    append(JsonWriter::default(), out, write);
}

/// The same. The writer owns the text meanwhile, so that it is one pointer away and not two.
#[inline]
fn append<'a>(mut writer: JsonWriter<'a>, out: &mut Vec<u8>, write: impl FnOnce(&mut JsonWriter<'a>)) {
    std::mem::swap(&mut writer.out, out);
    write(&mut writer);
    *out = writer.out;
}

impl Visitor for JsonWriter<'_> {
    #[expect(clippy::inline_always, reason = "what kind it is was known where it was made")]
    #[inline(always)]
    fn scalar(&mut self, value: Scalar<'_>) {
        match (value, &mut self.repeated) {
            (Scalar::Text(text), _) => push_text_that(self.plain, &mut self.out, text),
            (Scalar::Time(time), Some(repeated)) => push_plain(&mut self.out, &repeated.rfc3339(time)),
            (value, _) => push_scalar(&mut self.out, value),
        }
    }

    fn end(&mut self, end: Endpoint, object: &impl Object) {
        if let Some(known) = self.repeated.as_ref().and_then(|repeated| repeated.end(end)) {
            return push_short(&mut self.out, known.text, known.behind);
        }
        let start = self.out.len();
        self.object(object);
        if let (Some(repeated), Some(written)) = (&mut self.repeated, self.out.get(start..)) {
            repeated.remember(end, written);
        }
    }

    #[inline]
    fn list<T: Value>(&mut self, elements: impl Iterator<Item = T>) {
        let start = self.out.len();
        for element in elements {
            self.out.push(b',');
            element.visit(self);
        }
        close(&mut self.out, start, [b'[', b']']);
    }

    #[inline]
    fn map<T: Value>(&mut self, entries: impl Iterator<Item = (Cow<'static, str>, T)>) {
        let start = self.out.len();
        for (name, value) in entries {
            self.out.push(b',');
            push_text(&mut self.out, name.as_bytes());
            self.out.push(b':');
            value.visit(self);
        }
        close(&mut self.out, start, [b'{', b'}']);
    }

    #[inline]
    fn object(&mut self, object: &impl Object) {
        let start = self.out.len();
        object.members(self);
        close(&mut self.out, start, [b'{', b'}']);
    }

    #[expect(clippy::inline_always, reason = "the key is a constant where it is known which member it is")]
    #[inline(always)]
    fn member(&mut self, member: &'static Member, value: &impl Value) {
        if !value.is_absent() {
            self.out.extend_from_slice(member.json_key.as_bytes());
            value.visit(self);
        }
    }
}

/// Appends the last members of `h2` behind another one.
pub(super) fn push_annotation(out: &mut Vec<u8>, annotation: Annotation) {
    with_writer(out, |writer| AnnotationObject::new(annotation).members(writer));
}

/// Turns the comma before the first member into the opening bracket, and closes.
#[inline]
fn close(out: &mut Vec<u8>, start: usize, [open, close]: [u8; 2]) {
    match out.get_mut(start) {
        Some(comma) => *comma = open,
        None => out.push(open),
    }
    out.push(close);
}

/// Appends a scalar. Times are RFC 3339 in UTC with nanoseconds.
#[expect(clippy::inline_always, reason = "of the arms one is left wherever the kind is known")]
#[inline(always)]
pub(super) fn push_scalar(out: &mut Vec<u8>, value: Scalar<'_>) {
    match value {
        Scalar::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Scalar::Integer(value) => push_integer(out, value),
        Scalar::Float(value) => push_float(out, value),
        Scalar::Seconds(billionths) | Scalar::Decimal(billionths) => push_seconds(out, billionths),
        Scalar::Difference(nanos) => push_difference(out, nanos),
        Scalar::Time(time) => push_plain(out, &time.rfc3339()),
        Scalar::Address(ip) => push_address(out, ip),
        Scalar::Text(text) => push_text(out, text),
        Scalar::Word(word) => push_plain(out, word.as_bytes()),
        Scalar::Json(text) => push_json(out, text),
    }
}

/// Appends a number.
#[inline]
pub(super) fn push_integer(out: &mut Vec<u8>, value: u64) {
    if value < 1000 {
        push_short_number(out, value as usize);
    } else {
        push_long(out, value);
    }
}

/// Appends a number from 1000 on.
fn push_long(out: &mut Vec<u8>, value: u64) {
    if value < 1_000_000 {
        push_short_number(out, (value / 1000) as usize);
        let [digits @ .., _] = THOUSAND.get((value % 1000) as usize).copied().unwrap_or_default();
        out.extend_from_slice(&digits);
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }
}

/// Appends a number below 1000.
#[inline]
fn push_short_number(out: &mut Vec<u8>, value: usize) {
    let digits = THOUSAND.get(value).copied().unwrap_or_default();
    let [.., zeros] = digits;
    let others = u32::from_le_bytes(digits) >> (8 * zeros);
    push_short(out, others.to_le_bytes(), usize::from(zeros) + 1);
}

/// The numbers below 1000, which most are: three digits, and how many zeros they begin with, the last digit aside.
#[allow(clippy::indexing_slicing, reason = "while it is compiled")]
static THOUSAND: [[u8; 4]; 1000] = {
    let mut table = [[0; 4]; 1000];
    let mut number = 0;
    while number < table.len() {
        let [.., hundreds, tens, ones] = nine_digits(number as u32);
        table[number] = [hundreds, tens, ones, (number < 100) as u8 + (number < 10) as u8];
        number += 1;
    }
    table
};

/// Appends a text but for its last bytes, so many: it is cheaper to copy a constant number of bytes and take some back.
#[inline]
fn push_short<const N: usize>(out: &mut Vec<u8>, text: [u8; N], without: usize) {
    out.extend_from_slice(&text);
    out.truncate(out.len() - without);
}

/// Appends nanoseconds as seconds: to the nanosecond, without trailing zeros, with one decimal at least, so that it is a
/// float whatever its value.
pub(super) fn push_seconds(out: &mut Vec<u8>, nanos: u64) {
    if nanos == 0 {
        return out.extend_from_slice(b"0.0");
    }
    let (whole, part) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if whole == 0 {
        out.push(b'0');
    } else {
        push_integer(out, whole);
    }
    let mut text = [b'.'; 10];
    if let Some(digits) = text.last_chunk_mut() {
        *digits = nine_digits(part as u32);
    }
    // The first digit stays, whatever it is.
    let others = text.last_chunk().map_or(0, |digits| u64::from_be_bytes(*digits));
    let zeros = (others ^ u64::from_be_bytes([b'0'; 8])).trailing_zeros() / 8;
    push_short(out, text, zeros as usize);
}

fn push_difference(out: &mut Vec<u8>, nanos: i64) {
    out.extend_from_slice(if nanos < 0 { b"-" } else { b"" });
    push_seconds(out, nanos.unsigned_abs());
}

fn push_address(out: &mut Vec<u8>, ip: IpAddr) {
    out.push(b'"');
    push_ip(out, ip);
    out.push(b'"');
}

/// Appends text in quotes, with escapes; bytes that are not UTF-8 as U+FFFD.
pub(super) fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    push_text_that(false, out, text);
}

/// The same of a text that is plain, if that is known.
fn push_text_that(is_known_plain: bool, out: &mut Vec<u8>, text: &[u8]) {
    debug_assert!(!is_known_plain || is_plain(text), "{}", text.escape_ascii());
    if is_known_plain || is_plain(text) {
        push_plain(out, text);
    } else {
        push_escaped(out, &String::from_utf8_lossy(text));
    }
}

/// Appends text in quotes; none of its bytes needs an escape.
#[inline]
fn push_plain(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Appends an IP address. IPv4 is written by hand: it stands twice in every record.
pub(super) fn push_ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            for octet in ip.octets() {
                push_integer(out, octet.into());
                out.push(b'.');
            }
            out.pop();
        }
        IpAddr::V6(ip) => {
            // Writing to a vector cannot fail.
            let _ = write!(out, "{ip}");
        }
    }
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
            push_escape(out, char);
        } else {
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// Appends a character as an escape, or two.
fn push_escape(out: &mut Vec<u8>, char: char) {
    for unit in char.encode_utf16(&mut [0; 2]) {
        // Writing into memory does not fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// Appends a JSON text as it is, but for characters that would act on a terminal: they can stand in strings alone.
fn push_json(out: &mut Vec<u8>, text: &str) {
    let mut rest = text;
    while let Some((at, hidden)) = rest.char_indices().find(|(_, char)| is_hidden(*char)) {
        let (shown, after) = rest.split_at(at);
        out.extend_from_slice(shown.as_bytes());
        push_escape(out, hidden);
        rest = after.get(hidden.len_utf8()..).unwrap_or_default();
    }
    out.extend_from_slice(rest.as_bytes());
}

/// Appends a number as all formats show it.
fn push_float(out: &mut Vec<u8>, value: f64) {
    let _ = write!(out, "{:?}", rounded(value));
}

/// A number to three decimals; what is none as 0.
pub(super) fn rounded(value: f64) -> f64 {
    let value = if value.is_finite() { value } else { 0.0 };
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::{everything, fields, get, meta, nothing, tls_meta};
    use crate::record::schema::{Shown, TransactionObject};
    use crate::record::{Grpc, TransactionView};
    use proptest::prelude::*;

    /// Text as JSON shows it.
    fn json(text: &str) -> String {
        let mut out = Vec::new();
        push_text(&mut out, text.as_bytes());
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
    }

    #[test]
    fn numbers_read_as_the_standard_library_writes_them() {
        let powers = (0..20).map(|n| 10u64.pow(n));
        for number in powers.flat_map(|power| [power - 1, power, power + 1]).chain([12_034, u64::MAX]) {
            let mut out = Vec::new();
            push_integer(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
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
    fn a_record_is_the_same_whatever_is_known_of_it_beforehand() {
        let mut odd = get();
        odd.request.headers = fields(&[(":path", "/\"a\\\u{7f}")]);
        let mut message = get();
        message.grpc = Some(Grpc { message: Some(b"\"".to_vec()), ..Grpc::default() });
        let mut repeated = Repeated::default();
        let mut plain = 0;
        for transaction in [get(), everything(), nothing(), odd, message, get()] {
            for meta in [meta(), tls_meta()] {
                let view = TransactionView::new(&meta, &transaction);
                let record = TransactionObject::new(&view, Shown::default());
                let (mut anew, mut known) = (Vec::new(), Vec::new());
                write(&mut anew, &record);
                write_record(&mut known, &mut repeated, &record);
                assert_eq!(String::from_utf8(known).unwrap(), String::from_utf8(anew).unwrap());
                plain += u32::from(record.is_plain());
            }
        }
        assert!((2..=4).contains(&plain), "{plain}");
    }

    #[test]
    fn containers_are_closed_whether_or_not_they_are_empty() {
        let written = |fill: &dyn Fn(&mut JsonWriter<'_>)| {
            let mut writer = JsonWriter::default();
            fill(&mut writer);
            String::from_utf8(writer.out).unwrap()
        };
        let named = |name: &'static str, value: bool| (Cow::Borrowed(name), value);
        assert_eq!(written(&|writer| writer.list(std::iter::empty::<u8>())), "[]");
        assert_eq!(written(&|writer| writer.list([1u8, 2].into_iter())), "[1,2]");
        assert_eq!(written(&|writer| writer.map(std::iter::empty::<(Cow<'_, str>, u8)>())), "{}");
        assert_eq!(
            written(&|writer| writer.map([named("a", true), named("b", false)].into_iter())),
            r#"{"a":true,"b":false}"#
        );
    }

    #[test]
    fn addresses_read_as_the_standard_library_writes_them() {
        for ip in ["0.0.0.0", "10.20.30.4", "255.255.255.255", "1.10.100.9", "::1", "2001:db8::ff00:42:8329"]
        {
            let ip: IpAddr = ip.parse().unwrap();
            let mut out = Vec::new();
            push_ip(&mut out, ip);
            assert_eq!(out, ip.to_string().as_bytes());
        }
    }

    #[test]
    fn seconds_have_no_exponent_and_no_noise() {
        for (nanos, shown) in [
            (0, "0.0"),
            (1, "0.000000001"),
            (100, "0.0000001"),
            (1_234_567, "0.001234567"),
            (100_000_000, "0.1"),
            (1_000_000_000, "1.0"),
            (86_400_000_000_001, "86400.000000001"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            let mut out = Vec::new();
            push_seconds(&mut out, nanos);
            assert_eq!(out, shown.as_bytes());
        }
    }
}

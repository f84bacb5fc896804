//! Which trace a call belongs to, as its request says.

use super::fields::{FieldName, Fields};

/// A trace and the caller's span in it, in hexadecimal as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext<'a> {
    /// The trace.
    pub trace: &'a [u8],
    /// The caller's span.
    pub span: Option<&'a [u8]>,
    /// The flags of a `traceparent`.
    pub flags: Option<u8>,
}

impl<'a> TraceContext<'a> {
    /// Of `traceparent` (W3C Trace Context), else of `b3`, else of `x-b3-traceid` and `x-b3-spanid` (B3 Propagation). `None`
    /// where it is not known what one of them says that comes first.
    pub fn of(request: &'a Fields) -> Option<Self> {
        let value = |known| request.value(known);
        // One that is sent twice is none.
        let once =
            |_: &&[u8]| request.iter().filter(|field| field.known == FieldName::Traceparent).count() == 1;
        let several = || {
            let trace = value(FieldName::B3TraceId).filter(|id| is_id(id, &[16, 32]))?;
            Some(Self { trace, span: value(FieldName::B3SpanId).filter(|id| is_id(id, &[16])), flags: None })
        };
        let known = |name| !request.has(name) || value(name).is_some();
        if !known(FieldName::Traceparent) {
            return None;
        }
        let standard = value(FieldName::Traceparent).filter(once).and_then(traceparent);
        let single = || value(FieldName::B3).and_then(b3);
        standard.or_else(single).or_else(|| several().filter(|_| known(FieldName::B3)))
    }
}

/// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`; later versions may say more.
fn traceparent(value: &[u8]) -> Option<TraceContext<'_>> {
    let mut parts = value.split(|&byte| byte == b'-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let more = parts.next().is_some();
    let lower = |part: &[u8], len| part.len() == len && part.iter().all(|byte| is_lower_hex(*byte));
    let valid = lower(version, 2)
        && version != b"ff"
        && !(version == b"00" && more)
        && lower(trace, 32)
        && lower(span, 16)
        && lower(flags, 2);
    let given = |id: &[u8]| id.iter().any(|&byte| byte != b'0');
    let flags = std::str::from_utf8(flags).ok().and_then(|flags| u8::from_str_radix(flags, 16).ok());
    (valid && given(trace) && given(span)).then_some(TraceContext { trace, span: Some(span), flags })
}

/// `80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1`; a sampling decision alone names no trace.
fn b3(value: &[u8]) -> Option<TraceContext<'_>> {
    let mut parts = value.split(|&byte| byte == b'-');
    let (trace, span) = (parts.next()?, parts.next()?);
    let sampled = parts.next().is_none_or(|sampled| matches!(sampled, b"0" | b"1" | b"d"));
    let parent =
        parts.next().is_none_or(|parent| parent.len() == 16 && parent.iter().copied().all(is_lower_hex));
    let valid = is_id(trace, &[16, 32]) && is_id(span, &[16]) && sampled && parent && parts.next().is_none();
    valid.then_some(TraceContext { trace, span: Some(span), flags: None })
}

fn is_id(id: &[u8], lengths: &[usize]) -> bool {
    lengths.contains(&id.len()) && id.iter().copied().all(is_lower_hex) && id.iter().any(|&byte| byte != b'0')
}

const fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::{fields, unknown};

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    /// Trace and span, as text.
    fn context(lines: &[(&str, &str)]) -> Option<(String, Option<String>)> {
        let fields = fields(lines);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        TraceContext::of(&fields).map(|context| (text(context.trace), context.span.map(text)))
    }

    #[test]
    fn a_traceparent_names_trace_and_span() {
        let known = Some((TRACE.to_owned(), Some(SPAN.to_owned())));
        assert_eq!(context(&[("traceparent", &format!("00-{TRACE}-{SPAN}-01"))]), known);
        assert_eq!(context(&[("traceparent", &format!("01-{TRACE}-{SPAN}-01-more"))]), known);
    }

    #[test]
    fn a_malformed_traceparent_names_none() {
        let zero = "0".repeat(32);
        for value in [
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{zero}-{SPAN}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-{SPAN}"),
            "x".to_owned(),
            String::new(),
        ] {
            assert_eq!(context(&[("traceparent", &value)]), None, "{value}");
        }
        let value = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(context(&[("traceparent", &value), ("traceparent", &value)]), None, "it is sent twice");
    }

    #[test]
    fn what_an_unknown_value_names_no_other_field_tells() {
        let several = [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN)];
        for name in ["traceparent", "b3"] {
            let mut fields = fields(&several);
            assert!(TraceContext::of(&fields).is_some());
            fields.push(unknown(Some(name), 0));
            assert_eq!(TraceContext::of(&fields), None, "{name}");
        }
    }

    #[test]
    fn b3_in_one_field_or_in_several() {
        let known = Some((TRACE.to_owned(), Some(SPAN.to_owned())));
        assert_eq!(context(&[("b3", &format!("{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90"))]), known);
        assert_eq!(context(&[("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN)]), known);
        assert_eq!(
            context(&[("x-b3-traceid", "463ac35c9f6413ad")]),
            Some(("463ac35c9f6413ad".to_owned(), None))
        );
        assert_eq!(context(&[("b3", "0")]), None, "a decision not to sample");
        for value in [
            format!("{}-{SPAN}", TRACE.to_uppercase()),
            format!("{TRACE}-{SPAN}-1-x"),
            format!("{TRACE}-{SPAN}-2"),
        ] {
            assert_eq!(context(&[("b3", &value)]), None, "{value}");
        }
        assert_eq!(context(&[("x-b3-traceid", "463ac35c9f6413")]), None);
    }
}

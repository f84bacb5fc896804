//! Header and trailer sections: field lines in order, their text in one buffer.

use super::visit::{Scalar, Type, Value, Visitor};
use crate::base::certainty::{Certainty, UnknownRef};
use crate::base::plain::is_plain;
use crate::base::tuning;
use crate::http2::hpack::{NameId, NameSet};
use std::fmt::{self, Debug, Formatter};

/// Field names that h2lens looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum FieldName {
    /// `:method`
    Method,
    /// `:scheme`
    Scheme,
    /// `:authority`
    Authority,
    /// `:path`
    Path,
    /// `:protocol` (RFC 8441)
    Protocol,
    /// `:status`
    Status,
    /// `host`
    Host,
    /// `user-agent`
    UserAgent,
    /// `content-type`
    ContentType,
    /// `content-length`
    ContentLength,
    /// `grpc-status`
    GrpcStatus,
    /// `grpc-message`
    GrpcMessage,
    /// `grpc-timeout`
    GrpcTimeout,
    /// `grpc-previous-rpc-attempts`
    GrpcAttempts,
    /// `traceparent`
    Traceparent,
    /// `b3`
    B3,
    /// `x-b3-traceid`
    B3TraceId,
    /// `x-b3-spanid`
    B3SpanId,
    /// `x-request-id`
    RequestId,
    /// `x-correlation-id`
    CorrelationId,
    /// `x-datadog-trace-id`
    DatadogTraceId,
    /// `x-datadog-parent-id`
    DatadogParentId,
    /// `x-amzn-trace-id`
    AmazonTraceId,
    /// Any other name.
    #[default]
    Other,
}

/// A field line, borrowed from [`Fields`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name; `None` when unknown.
    pub name: Option<&'a [u8]>,
    /// The value; `None` when unknown.
    pub value: Option<&'a [u8]>,
    /// What the name says.
    pub known: FieldName,
    /// Certainty of name and value together: the lesser of the two.
    pub source: Certainty,
    /// Which unknown entry was referred to.
    pub reference: Option<UnknownRef>,
}

impl<'a> Field<'a> {
    /// A field line that is known for certain.
    pub fn exact(name: &'a [u8], value: &'a [u8]) -> Self {
        let known = FieldName::of(name);
        Self { name: Some(name), value: Some(value), known, source: Certainty::Exact, reference: None }
    }
}

/// Field lines in order.
#[derive(Clone, Default)]
pub struct Fields {
    text: Vec<u8>,
    lines: Vec<Line>,
    /// For each [`FieldName`] name, 1 + the place of its first line; 0 where there is none.
    first: [u16; FieldName::Other as usize],
    /// Some line's name or value is unknown.
    has_unknown: bool,
    /// Of some text it was not known, when it was added, that it is plain.
    is_doubtful: bool,
}

impl PartialEq for Fields {
    /// All else follows from the lines, or how they came.
    fn eq(&self, other: &Self) -> bool {
        (&self.lines, &self.text) == (&other.lines, &other.text)
    }
}

impl Eq for Fields {}

/// A field line, and where its text is: first the name, unless `known` says it, then the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    start: u32,
    name: Len,
    value: Len,
    known: FieldName,
    source: Certainty,
    reference: Option<UnknownRef>,
}

/// The length of a text that is kept; of one that is not known [`Len::UNKNOWN`], so that it takes no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Len(u32);

impl Len {
    const UNKNOWN: Self = Self(u32::MAX);

    #[inline]
    const fn of(text: Option<&[u8]>) -> Self {
        match text {
            Some(text) => Self(text.len() as u32),
            None => Self::UNKNOWN,
        }
    }

    #[inline]
    const fn known(self) -> Option<u32> {
        if self.0 == Self::UNKNOWN.0 { None } else { Some(self.0) }
    }
}

/// `:path: /users`, with `?` for what is unknown, and how far it can be trusted where that is not wholly.
impl Debug for Field<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [name, value] = [self.name, self.value].map(|text| text.unwrap_or(b"?").escape_ascii());
        write!(f, "{name}: {value}")?;
        match (self.source, self.reference) {
            (Certainty::Exact, None) => Ok(()),
            (source, None) => write!(f, " ({source:?})"),
            (source, Some(UnknownRef { epoch, entry })) => write!(f, " ({source:?}, ?{epoch}.{entry})"),
        }
    }
}

impl Debug for Fields {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// `src` of a field line.
impl Value for Certainty {
    const TYPE: Type = Type::Word(&["exact", "inferred", "unknown"]);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Word(match self {
            Self::Exact => "exact",
            Self::Inferred => "inferred",
            Self::Unknown => "unknown",
        }));
    }
}

impl FieldName {
    /// The names by whose fields exchanges are told apart and judged.
    pub const COUNTED: NameSet = NameSet::of(&[
        NameId::METHOD,
        NameId::SCHEME,
        NameId::AUTHORITY,
        NameId::PATH,
        NameId::PROTOCOL,
        NameId::STATUS,
        NameId::HOST,
        NameId::CONTENT_TYPE,
        NameId::GRPC_STATUS,
        NameId::GRPC_MESSAGE,
        NameId::GRPC_TIMEOUT,
        NameId::GRPC_ATTEMPTS,
    ]);

    /// All names that h2lens looks at: those, and what is shown of an exchange beside.
    pub const ALL: NameSet = NameSet::of(&Self::IDS);

    /// What a field name says.
    pub fn of(name: &[u8]) -> Self {
        Self::from_id(NameId::of(name))
    }

    /// What a numbered field name says.
    #[inline]
    pub fn from_id(id: NameId) -> Self {
        match id {
            NameId::METHOD => Self::Method,
            NameId::SCHEME => Self::Scheme,
            NameId::AUTHORITY => Self::Authority,
            NameId::PATH => Self::Path,
            NameId::PROTOCOL => Self::Protocol,
            NameId::STATUS => Self::Status,
            NameId::HOST => Self::Host,
            NameId::USER_AGENT => Self::UserAgent,
            NameId::CONTENT_TYPE => Self::ContentType,
            NameId::CONTENT_LENGTH => Self::ContentLength,
            NameId::GRPC_STATUS => Self::GrpcStatus,
            NameId::GRPC_MESSAGE => Self::GrpcMessage,
            NameId::GRPC_TIMEOUT => Self::GrpcTimeout,
            NameId::GRPC_ATTEMPTS => Self::GrpcAttempts,
            NameId::TRACEPARENT => Self::Traceparent,
            NameId::B3 => Self::B3,
            NameId::X_B3_TRACE_ID => Self::B3TraceId,
            NameId::X_B3_SPAN_ID => Self::B3SpanId,
            NameId::X_REQUEST_ID => Self::RequestId,
            NameId::X_CORRELATION_ID => Self::CorrelationId,
            NameId::X_DATADOG_TRACE_ID => Self::DatadogTraceId,
            NameId::X_DATADOG_PARENT_ID => Self::DatadogParentId,
            NameId::X_AMZN_TRACE_ID => Self::AmazonTraceId,
            _ => Self::Other,
        }
    }

    /// It is one of [`Self::COUNTED`].
    #[inline]
    pub const fn is_counted(self) -> bool {
        !matches!(
            self,
            Self::UserAgent
                | Self::ContentLength
                | Self::Traceparent
                | Self::B3
                | Self::B3TraceId
                | Self::B3SpanId
                | Self::RequestId
                | Self::CorrelationId
                | Self::DatadogTraceId
                | Self::DatadogParentId
                | Self::AmazonTraceId
                | Self::Other
        )
    }

    /// The name, in lower case as on the wire; `None` of [`Self::Other`].
    #[inline]
    pub fn text(self) -> Option<&'static [u8]> {
        Self::IDS.get(self as usize)?.name()
    }

    /// The numbers of the names, in the order of the variants.
    const IDS: [NameId; Self::Other as usize] = [
        NameId::METHOD,
        NameId::SCHEME,
        NameId::AUTHORITY,
        NameId::PATH,
        NameId::PROTOCOL,
        NameId::STATUS,
        NameId::HOST,
        NameId::USER_AGENT,
        NameId::CONTENT_TYPE,
        NameId::CONTENT_LENGTH,
        NameId::GRPC_STATUS,
        NameId::GRPC_MESSAGE,
        NameId::GRPC_TIMEOUT,
        NameId::GRPC_ATTEMPTS,
        NameId::TRACEPARENT,
        NameId::B3,
        NameId::X_B3_TRACE_ID,
        NameId::X_B3_SPAN_ID,
        NameId::X_REQUEST_ID,
        NameId::X_CORRELATION_ID,
        NameId::X_DATADOG_TRACE_ID,
        NameId::X_DATADOG_PARENT_ID,
        NameId::X_AMZN_TRACE_ID,
    ];
}

impl Fields {
    /// Adds a field line.
    pub fn push(&mut self, field: Field<'_>) {
        self.push_that(false, field);
    }

    /// The same, of a value that is [plain](crate::base::plain::is_plain), if that is known.
    #[expect(clippy::inline_always, reason = "so that the field is never put together")]
    #[inline(always)]
    pub fn push_that(&mut self, is_known_plain: bool, field: Field<'_>) {
        self.is_doubtful |= !is_known_plain || field.known == FieldName::Other;
        let mut copied = field.name;
        if let Some(first) = self.first.get_mut(field.known as usize) {
            // What is looked at has a name that need not be copied.
            copied = copied.map(|_| &[][..]);
            if *first == 0 {
                *first = (self.lines.len() as u16).saturating_add(1);
            }
        }
        self.has_unknown |= field.name.is_none() || field.value.is_none();
        self.lines.push(Line {
            start: self.text.len() as u32,
            name: Len::of(copied),
            value: Len::of(field.value),
            known: field.known,
            source: field.source,
            reference: field.reference,
        });
        if let Some(name) = copied.filter(|name| !name.is_empty()) {
            self.text.extend_from_slice(name);
        }
        if let Some(value) = field.value {
            self.text.extend_from_slice(value);
        }
    }

    /// The field lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        self.lines.iter().map(|line| self.field(line))
    }

    /// The field lines with that name, in lower case here and in any case there.
    pub fn named<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = Field<'a>> {
        self.iter().filter(move |field| field.name.is_some_and(|own| own.eq_ignore_ascii_case(name)))
    }

    /// The first value of the field lines with that name that is known.
    pub fn first_value<'a>(&'a self, name: &'a [u8]) -> Option<&'a [u8]> {
        self.named(name).find_map(|field| field.value)
    }

    /// The first field line with that name; [`FieldName::Other`] names none.
    pub fn get(&self, known: FieldName) -> Option<Field<'_>> {
        Some(self.field(self.first_line(known)?))
    }

    /// A field line with that name is there; [`FieldName::Other`] names none.
    #[inline]
    pub fn has(&self, known: FieldName) -> bool {
        self.first_line(known).is_some()
    }

    /// The value of the first field line with that name, where it is known.
    #[inline]
    pub fn value(&self, known: FieldName) -> Option<&[u8]> {
        self.value_of(self.first_line(known)?)
    }

    #[inline]
    fn value_of(&self, line: &Line) -> Option<&[u8]> {
        let start = line.start + line.name.known().unwrap_or(0);
        self.text.get(start as usize..(start + line.value.known()?) as usize)
    }

    /// Some line's name or value is unknown.
    pub fn has_unknown(&self) -> bool {
        self.has_unknown
    }

    #[inline]
    fn first_line(&self, known: FieldName) -> Option<&Line> {
        let first = self.first.get(known as usize)?;
        self.lines.get(usize::from(first.checked_sub(1)?))
    }

    fn field(&self, line: &Line) -> Field<'_> {
        let name = |len| {
            let copied = || self.text.get(line.start as usize..(line.start + len) as usize);
            line.known.text().or_else(copied).unwrap_or_default()
        };
        Field {
            name: line.name.known().map(name),
            value: self.value_of(line),
            known: line.known,
            source: line.source,
            reference: line.reference,
        }
    }

    /// No field lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Number of field lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// All names and values are [plain](crate::base::plain::is_plain).
    #[inline]
    pub fn is_plain(&self) -> bool {
        // The names that are not copied are.
        !self.is_doubtful || is_plain(&self.text)
    }

    /// Bytes of names and values.
    pub fn text_len(&self) -> usize {
        let len = |text: Option<&[u8]>| text.map_or(0, <[u8]>::len);
        self.iter().map(|field| len(field.name) + len(field.value)).sum()
    }

    /// About so many bytes of memory are filled.
    pub fn filled(&self) -> usize {
        self.text.len() + self.lines.len() * size_of::<Line>()
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.text.capacity() + self.lines.capacity() * size_of::<Line>()
    }

    /// Gives memory back that is far more than the lines need: it was made for longer ones.
    pub fn fit(&mut self) {
        if self.memory() > tuning::FIELDS_SPARE
            && self.memory() > 2 * (self.text.len() + self.lines.len() * size_of::<Line>())
        {
            self.text.shrink_to_fit();
            self.lines.shrink_to_fit();
        }
    }

    /// Removes all lines and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.lines.clear();
        self.first = [0; FieldName::Other as usize];
        (self.has_unknown, self.is_doubtful) = (false, false);
    }

    /// Removes all lines and keeps no more memory than the next section is likely to need.
    pub fn trim(&mut self) {
        self.clear();
        self.text.shrink_to(tuning::FIELDS_KEPT);
        self.lines.shrink_to(tuning::FIELDS_KEPT / size_of::<Line>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_are_in_their_set() {
        for name in NameId::all() {
            let known = FieldName::from_id(name) != FieldName::Other;
            assert_eq!(FieldName::ALL.has(name), known, "{name:?}");
            assert_eq!(FieldName::COUNTED.has(name), FieldName::from_id(name).is_counted(), "{name:?}");
        }
        assert!(!FieldName::ALL.has(NameId::OTHER));
    }

    #[test]
    fn a_name_is_the_same_whether_it_is_copied_or_not() {
        let mut fields = Fields::default();
        let names: Vec<_> = NameId::all().filter_map(NameId::name).chain([&b"x-other"[..]]).collect();
        for name in &names {
            fields.push(Field::exact(name, b"1"));
        }
        assert!(
            fields
                .iter()
                .map(|field| (field.name, field.value))
                .eq(names.iter().map(|name| (Some(*name), Some(&b"1"[..]))))
        );
        assert!(fields.text.len() < fields.text_len(), "some are not");
        for name in names {
            assert!(FieldName::of(name).text().is_none_or(|text| text == name));
        }
    }

    #[test]
    fn what_is_known_to_be_plain_is_not_looked_at() {
        let mut fields = Fields::default();
        fields.push_that(true, Field::exact(b":path", b"/a"));
        assert!(fields.is_plain() && !fields.is_doubtful);
        fields.push(Field::exact(b":path", b"/b"));
        assert!(fields.is_plain() && fields.is_doubtful);
        fields.clear();
        fields.push_that(true, Field::exact(b"x-\xff", b"1"));
        assert!(!fields.is_plain(), "of a name that is copied nothing is known");
        let mut others = Fields::default();
        others.push(Field::exact(b"x-\xff", b"1"));
        others.push_that(true, Field::exact(b":path", b"/"));
        fields.push(Field::exact(b":path", b"/"));
        assert!(fields == others, "however they came");
    }

    #[test]
    fn finds_the_first_line_of_a_name() {
        let mut fields = Fields::default();
        let line = |name, value| Field {
            name: Some(name),
            value,
            known: FieldName::of(name),
            source: Certainty::Exact,
            reference: None,
        };
        fields.push(line(b"x-a", Some(b"1")));
        fields.push(line(b":path", Some(b"/a")));
        fields.push(line(b":path", Some(b"/b")));
        assert!(!fields.has_unknown());
        fields.push(line(b"host", None));
        assert_eq!(fields.value(FieldName::Path), Some(&b"/a"[..]));
        assert_eq!(fields.get(FieldName::Host).map(|field| field.value), Some(None));
        assert_eq!((fields.get(FieldName::Method), fields.get(FieldName::Other)), (None, None));
        assert!(fields.has_unknown());
        fields.clear();
        assert!(fields.is_empty() && fields.get(FieldName::Path).is_none() && !fields.has_unknown());
    }

    #[test]
    fn a_line_is_shown_as_text() {
        let exact = Field::exact(b":path", b"/\xffa");
        let reference = Some(UnknownRef { epoch: 1, entry: 7 });
        let unknown = Field { value: None, source: Certainty::Unknown, reference, ..exact };
        let mut fields = Fields::default();
        fields.push(exact);
        fields.push(unknown);
        assert_eq!(format!("{fields:?}"), r"[:path: /\xffa, :path: ? (Unknown, ?1.7)]");
    }
}

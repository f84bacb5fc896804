//! Header and trailer sections: field lines in order, their text in one buffer.

pub use crate::http2::hpack::{Source, UnknownRef};

use crate::http2::hpack::NameId;

/// Field names that h2lens looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
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
    /// Any other name.
    #[default]
    Other,
}

/// A field line, borrowed from [`Fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name; `None` when unknown.
    pub name: Option<&'a [u8]>,
    /// The value; `None` when unknown.
    pub value: Option<&'a [u8]>,
    /// What the name says.
    pub known: Known,
    /// Certainty of name and value together: the lesser of the two.
    pub source: Source,
    /// Which unknown entry was referred to.
    pub reference: Option<UnknownRef>,
}

/// Field lines in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    text: Vec<u8>,
    lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    start: u32,
    name_len: Option<u32>,
    value_len: Option<u32>,
    known: Known,
    source: Source,
    reference: Option<UnknownRef>,
}

impl Known {
    /// What a field name says.
    pub fn of(name: &[u8]) -> Self {
        Self::from_id(NameId::of(name))
    }

    /// What a numbered field name says.
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
            _ => Self::Other,
        }
    }
}

impl Fields {
    /// Adds a field line.
    pub fn push(&mut self, field: Field<'_>) {
        let start = self.text.len() as u32;
        self.text.extend_from_slice(field.name.unwrap_or_default());
        self.text.extend_from_slice(field.value.unwrap_or_default());
        self.lines.push(Line {
            start,
            name_len: field.name.map(|name| name.len() as u32),
            value_len: field.value.map(|value| value.len() as u32),
            known: field.known,
            source: field.source,
            reference: field.reference,
        });
    }

    /// The field lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        self.lines.iter().map(|line| {
            let value_start = line.start + line.name_len.unwrap_or(0);
            let text = |start: u32, len: u32| {
                self.text.get(start as usize..(start + len) as usize).unwrap_or_default()
            };
            Field {
                name: line.name_len.map(|len| text(line.start, len)),
                value: line.value_len.map(|len| text(value_start, len)),
                known: line.known,
                source: line.source,
                reference: line.reference,
            }
        })
    }

    /// The first field line with that name.
    pub fn get(&self, known: Known) -> Option<Field<'_>> {
        self.iter().find(|field| field.known == known)
    }

    /// The value of the first field line with that name, where it is known.
    pub fn value(&self, known: Known) -> Option<&[u8]> {
        self.get(known).and_then(|field| field.value)
    }

    /// No field lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Number of field lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Bytes of names and values.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Removes all lines and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.lines.clear();
    }
}

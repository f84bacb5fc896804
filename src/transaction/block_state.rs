//! What the fields of a header block tell while they are read.

use super::section::Shape;
use crate::http2::hpack;
use crate::record::{Field, FieldName, status_code};

/// What is known of the header block being read.
#[derive(Debug, Default)]
pub(super) struct BlockState {
    pub(super) fields: u32,
    pub(super) keep_all: bool,
    /// Pseudo-header fields of requests are there.
    pub(super) request: bool,
    /// `:status` is there.
    pub(super) response: bool,
    /// Its value, where that is known and a number.
    pub(super) status: Option<u16>,
    /// It is none.
    pub(super) malformed: bool,
    pub(super) regular: bool,
    /// A field whose name begins with `grpc-` is there.
    pub(super) grpc: bool,
    /// Fields with unknown names stand where pseudo-header fields do.
    pub(super) unknown_pseudo: bool,
    pub(super) path_len: Option<u64>,
}

impl BlockState {
    /// A new block; `keep_all` of its fields if that is certain already.
    pub(super) fn start(keep_all: bool) -> Self {
        Self { keep_all, ..Self::default() }
    }

    /// The field that comes is looked at, whatever its name: it is to be kept, or is the first, which tells what the section is.
    #[inline]
    pub(super) const fn wants_all(&self) -> bool {
        self.keep_all || self.fields == 0
    }

    /// A regular field that is not looked at.
    pub(super) const fn pass(&mut self) {
        self.fields += 1;
        self.regular = true;
    }

    /// Takes note of a field; what its name says, and whether the field is to be kept. Where exchanges are only added up
    /// (`!each`), one that does not count for that is kept if its value is not known.
    pub(super) fn field(&mut self, field: &hpack::Field<'_>, each: bool) -> (FieldName, bool) {
        self.fields += 1;
        let known = FieldName::from_id(field.id);
        match known {
            FieldName::Method | FieldName::Scheme | FieldName::Authority | FieldName::Protocol => {
                self.request = true;
            }
            FieldName::Path => {
                self.request = true;
                self.path_len = field.value.map(|path| path.len() as u64);
            }
            FieldName::Status => {
                if !std::mem::replace(&mut self.response, true) {
                    self.status = field.value.and_then(status_code);
                    self.malformed = field.value.is_some() && self.status.is_none();
                }
            }
            _ if field.name.is_none() => self.unknown_pseudo |= !self.regular,
            _ => {
                self.regular = true;
                self.grpc |= match known {
                    FieldName::GrpcStatus
                    | FieldName::GrpcMessage
                    | FieldName::GrpcTimeout
                    | FieldName::GrpcAttempts => true,
                    FieldName::Other if field.id == hpack::NameId::OTHER => {
                        field.name.is_some_and(|name| name.starts_with(b"grpc-"))
                    }
                    _ => false,
                };
                // A section that begins with a regular field is a trailer section.
                self.keep_all |= self.fields == 1;
            }
        }
        let counts = known != FieldName::Other && (each || known.is_counted() || field.value.is_none());
        (known, self.keep_all || counts || field.name.is_none())
    }

    pub(super) fn shape(&self, pseudo: bool, end_stream: bool) -> Shape {
        let regular_first = self.regular && !self.unknown_pseudo;
        Shape { pseudo, regular_first, status: self.status, malformed: self.malformed, end_stream }
    }
}

/// The field as the sections keep it.
pub(super) const fn kept<'a>(field: &hpack::Field<'a>, known: FieldName) -> Field<'a> {
    Field { name: field.name, value: field.value, known, source: field.source, reference: field.reference }
}

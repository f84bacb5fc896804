//! Protocol Buffers: messages by their schema as protobuf JSON, and without one every reading that is possible.

pub mod guess;
#[cfg(feature = "proto")]
pub mod reflection;
#[cfg(feature = "proto")]
mod scalar;
#[cfg(feature = "proto")]
pub mod schema;
#[cfg(feature = "proto")]
pub mod status;
#[cfg(feature = "proto")]
pub mod value;
mod wire;

use super::redact::Redactor;

/// The type of messages, where a schema names it.
#[derive(Clone, Debug, Default)]
pub struct Type {
    #[cfg(feature = "proto")]
    descriptor: Option<prost_reflect::MessageDescriptor>,
    /// The bytes are wanted beside the value.
    pub keep_bytes: bool,
}

/// Types and services; empty where the program was built without schemas.
#[cfg(not(feature = "proto"))]
#[derive(Clone, Debug, Default)]
pub struct Schema;

#[cfg(feature = "proto")]
pub use schema::Schema;

impl Type {
    /// The type that a side of the call sends.
    #[cfg(feature = "proto")]
    pub fn of(schema: &Schema, path: &str, from_client: bool) -> Self {
        let method = schema.method(path);
        let descriptor = method.map(|method| if from_client { method.input } else { method.output });
        Self { descriptor, keep_bytes: false }
    }

    /// The type that a side of the call sends.
    #[cfg(not(feature = "proto"))]
    pub const fn of(_schema: &Schema, _path: &str, _from_client: bool) -> Self {
        Self { keep_bytes: false }
    }

    /// The same, with the bytes of each message beside its value, or without.
    #[must_use]
    pub fn keeping(mut self, keep_bytes: bool) -> Self {
        self.keep_bytes = keep_bytes;
        self
    }

    /// Its full name.
    pub fn name(&self) -> Option<String> {
        #[cfg(feature = "proto")]
        return self.descriptor.as_ref().map(|descriptor| descriptor.full_name().to_owned());
        #[cfg(not(feature = "proto"))]
        None
    }

    /// A message as JSON of up to `limit` bytes.
    pub fn json(
        &self,
        message: &[u8],
        redactor: Option<&Redactor>,
        limit: usize,
    ) -> Result<Reading, Malformed> {
        #[cfg(feature = "proto")]
        if let Some(descriptor) = &self.descriptor {
            return value::json(message, descriptor, redactor, limit).map(Reading::Value);
        }
        guess::json(message, redactor, limit).map(Reading::Fields)
    }
}

/// A message as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// What its type says.
    Value(String),
    /// Without a type: its fields, each with every reading that its bytes allow.
    Fields(String),
}

/// The member that holds what the type of a message does not name.
pub const UNKNOWN: &str = "@unknown";

/// Why bytes are not shown as a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// They are no encoded message of this type.
    Data,
    /// Messages within messages, deeper than is followed.
    TooDeep,
    /// The text would be longer than what is kept.
    TooLong,
}

impl Malformed {
    /// The name of the reason: stable, `snake_case`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Data => "not_protobuf",
            Self::TooDeep => "too_deep",
            Self::TooLong => "too_long",
        }
    }
}

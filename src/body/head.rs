//! What the header section of a message says of its body.

use super::coding::{Coding, MessageCoding, Named};
use super::media_type::MediaType;

/// The fields that tell how to read a body.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// `:method`.
    pub method: Option<Vec<u8>>,
    /// `:path`.
    pub path: Option<String>,
    /// `:protocol` (RFC 8441).
    pub protocol: Option<Vec<u8>>,
    /// `:status`.
    pub status: Option<u16>,
    /// `content-type`.
    pub media_type: MediaType,
    /// `content-encoding`, all its fields, in the order of application.
    pub codings: Vec<Named>,
    /// `grpc-encoding`.
    pub grpc_encoding: MessageCoding,
    /// `connect-content-encoding`.
    pub connect_encoding: MessageCoding,
    /// `connect-protocol-version`.
    pub connect: bool,
    /// `sec-websocket-extensions`.
    pub extensions: Option<Vec<u8>>,
    /// `grpc-status-details-bin`, of the header section or the trailers.
    pub details: Option<Vec<u8>>,
    /// It was seen.
    pub seen: bool,
    /// A field of it, or its end, is unknown.
    pub unknown: bool,
}

/// Fields longer than this say nothing of a body.
const LONG: usize = 8 << 10;

impl Head {
    /// A field of the section.
    pub fn field(&mut self, name: &[u8], value: &[u8]) {
        if name == b"grpc-status-details-bin" {
            self.details = Some(value.to_vec());
        }
        if value.len() > LONG {
            // A path is told of elsewhere; here it only names a method.
            return;
        }
        match name {
            b":method" => self.method = Some(value.to_vec()),
            b":path" => self.path = Some(String::from_utf8_lossy(value).into_owned()),
            b":protocol" => self.protocol = Some(value.to_vec()),
            b":status" => self.status = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
            b"content-type" => self.media_type = MediaType::parse(value),
            b"content-encoding" => self.codings.extend(Coding::list(value)),
            b"grpc-encoding" => self.grpc_encoding = MessageCoding::of(value),
            b"connect-content-encoding" => self.connect_encoding = MessageCoding::of(value),
            b"connect-protocol-version" => self.connect = true,
            b"sec-websocket-extensions" => self.extensions = Some(value.to_vec()),
            _ => {}
        }
    }

    /// permessage-deflate as the server agreed to it (RFC 7692): for a side, whether its window is carried from message
    /// to message. `None`: not agreed on.
    pub fn deflate(&self, of_client: bool) -> Option<bool> {
        let text = String::from_utf8_lossy(self.extensions.as_deref()?).to_ascii_lowercase();
        let agreed = text.split(',').find(|extension| {
            extension.split(';').next().is_some_and(|name| name.trim() == "permessage-deflate")
        })?;
        let reset = if of_client { "client_no_context_takeover" } else { "server_no_context_takeover" };
        Some(!agreed.split(';').any(|parameter| parameter.trim() == reset))
    }

    /// Bytes of memory beside its own.
    pub fn memory(&self) -> usize {
        let optional = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::capacity);
        self.path.as_ref().map_or(0, String::capacity)
            + self.media_type.essence.capacity()
            + self.media_type.boundary.as_ref().map_or(0, String::capacity)
            + optional(&self.extensions)
            + optional(&self.details)
            + self.codings.capacity() * size_of::<Named>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_of_several_fields_are_one_list() {
        let mut head = Head::default();
        head.field(b"content-encoding", b"deflate");
        head.field(b"content-encoding", b"gzip");
        assert_eq!(head.codings, [Named::Known(Coding::Deflate), Named::Known(Coding::Gzip)]);
    }

    #[test]
    fn permessage_deflate_is_what_the_server_agreed_to() {
        let agreed = |value: &[u8], of_client| {
            let mut head = Head::default();
            head.field(b"sec-websocket-extensions", value);
            head.deflate(of_client)
        };
        let value = b"x-other, Permessage-Deflate; client_no_context_takeover; server_max_window_bits=10";
        assert_eq!((agreed(value, true), agreed(value, false)), (Some(false), Some(true)));
        assert_eq!(agreed(b"permessage-deflate-2", true), None);
        assert_eq!(Head::default().deflate(true), None);
    }
}

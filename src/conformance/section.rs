//! Header and trailer sections: which fields may stand in them, and where (RFC 9113 sections 8.2 and 8.3).

use super::Findings;
use crate::base::time::Moment;
use crate::http2::hpack::{Field, NameId, NameSet};
use crate::http2::{Anomaly, Block, BlockEnd, Side};
use crate::record::status_code;

/// What a block is, as far as what came before on its stream tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// Not known: something of the stream is missing.
    #[default]
    Unknown,
    /// A request's header section, or a promised one's.
    Request,
    /// A final or an interim response's header section.
    Response,
    /// A trailer section.
    Trailers,
}

/// What a request's method means for its response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Method {
    /// Not known.
    #[default]
    Unknown,
    /// HEAD: the response has no content.
    Head,
    /// CONNECT: a successful response has none.
    Connect,
    /// Any other.
    Other,
}

/// The section being read.
#[derive(Debug)]
pub(super) struct SectionRules {
    role: Role,
    from: Side,
    stream: u32,
    at: Moment,
    /// Pseudo-header fields that are there.
    seen: NameSet,
    /// Those that are defined for what this is.
    defined: NameSet,
    /// A regular field is there.
    regular: bool,
    /// A field whose name is not known is there, or may be.
    nameless: bool,
    /// `:path` is there, and empty, or neither begins with a slash nor is an asterisk.
    path_empty: bool,
    path_odd: bool,
    /// `:scheme` is known to be `http` or `https`.
    web: bool,
    /// `:method`.
    pub(super) method: Method,
    /// `:status`, where it is known and a number.
    pub(super) status: Option<u16>,
    /// It is known, and none.
    status_invalid: bool,
    /// `content-length`, where it is known, a number, and the only one.
    pub(super) length: Option<u64>,
    lengths: u32,
}

impl Default for SectionRules {
    fn default() -> Self {
        Self {
            role: Role::Unknown,
            from: Side::Client,
            stream: 0,
            at: Moment::default(),
            seen: NameSet::default(),
            defined: NameSet::default(),
            regular: false,
            nameless: false,
            path_empty: false,
            path_odd: false,
            web: false,
            method: Method::Unknown,
            status: None,
            status_invalid: false,
            length: None,
            lengths: 0,
        }
    }
}

impl SectionRules {
    /// The section of a block that begins. `cut`: fields of it may be missing.
    pub(super) fn new(block: &Block, role: Role, cut: bool) -> Self {
        Self {
            role,
            nameless: cut,
            defined: defined(role, block.from),
            from: block.from,
            stream: block.stream,
            at: block.last,
            ..Self::default()
        }
    }

    /// What it is.
    pub(super) const fn role(&self) -> Role {
        self.role
    }

    /// The next field.
    pub(super) fn field(&mut self, field: &Field<'_>, findings: &mut Findings) {
        if field.id.is_plain() {
            self.regular = true;
            if has_invalid_value(field) {
                findings.add(self.from, self.stream, Anomaly::FieldInvalid, self.at);
            }
        } else if field.plain && self.is_due(field.id) {
            self.pseudo(field);
        } else {
            self.special_field(field, findings);
        }
    }

    /// A field that breaks nothing: its name is one that may stand in any section, its value is plain.
    pub(super) const fn pass(&mut self) {
        self.regular = true;
    }

    /// A pseudo-header field that breaks nothing here, whatever its value.
    const fn is_due(&self, id: NameId) -> bool {
        !self.regular && self.defined.has(id) && !self.seen.has(id)
    }

    /// A field with a name that rules are about, or that may be none.
    fn special_field(&mut self, field: &Field<'_>, findings: &mut Findings) {
        let Some(name) = field.name else {
            self.nameless = true;
            return;
        };
        let mut broken = |anomaly| findings.add(self.from, self.stream, anomaly, self.at);
        // Binary metadata of gRPC: peers that have agreed on it send it as it is.
        if has_invalid_value(field) && !name.ends_with(b"-bin") {
            broken(Anomaly::FieldInvalid);
        }
        if name.first() == Some(&b':') {
            if self.regular {
                broken(Anomaly::PseudoAfterField);
            }
            if self.role == Role::Trailers {
                broken(Anomaly::PseudoTrailer);
            } else if !self.defined.has(field.id) {
                broken(Anomaly::PseudoUnknown);
            }
            if field.id.is_pseudo() {
                if self.has(field.id) {
                    broken(Anomaly::PseudoRepeated);
                }
                self.pseudo(field);
            }
            return;
        }
        self.regular = true;
        match field.id {
            NameId::OTHER => {
                // Next to no name has one: a pass without branches, which looks at many octets at once, is the cheapest.
                if !name.iter().fold(name.is_empty(), |any, &byte| any | is_invalid_in_name(byte)) {
                    return;
                }
                if name.iter().any(u8::is_ascii_uppercase) {
                    broken(Anomaly::FieldUppercase);
                }
                if name.is_empty()
                    || name.iter().any(|&byte| !byte.is_ascii_uppercase() && is_invalid_in_name(byte))
                {
                    broken(Anomaly::FieldInvalid);
                }
            }
            NameId::CONNECTION
            | NameId::KEEP_ALIVE
            | NameId::PROXY_CONNECTION
            | NameId::TRANSFER_ENCODING
            | NameId::UPGRADE => broken(Anomaly::FieldConnection),
            NameId::TE => {
                let refused = field.value.is_some_and(|value| !value.eq_ignore_ascii_case(b"trailers"));
                if refused || self.role == Role::Response {
                    broken(Anomaly::FieldTe);
                }
            }
            NameId::CONTENT_LENGTH => {
                let number = |value: &[u8]| {
                    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
                    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
                };
                let length = field.value.and_then(number);
                // One number several times, as a list too, may pass (RFC 9110 section 8.6).
                let is_none = length.is_none() && field.value.is_some_and(|value| !value.contains(&b','));
                let differs = self.length.zip(length).is_some_and(|(before, now)| before != now);
                if is_none || differs {
                    broken(Anomaly::ContentLength);
                }
                self.lengths += 1;
                self.length = length.filter(|_| self.lengths == 1);
            }
            _ => {}
        }
    }

    /// The section is over; what it lacks.
    pub(super) fn end(&self, end: &BlockEnd, findings: &mut Findings) {
        let whole = end.cut.is_none() && !end.broken && !end.limited && !self.nameless;
        let mut broken = |anomaly| findings.add(self.from, self.stream, anomaly, self.at);
        if self.path_empty && self.web && self.role == Role::Request {
            broken(Anomaly::PseudoPathEmpty);
        }
        if self.path_odd && self.web && self.role == Role::Request {
            broken(Anomaly::PseudoPathForm);
        }
        if self.status_invalid {
            broken(Anomaly::StatusInvalid);
        }
        if self.status == Some(101) {
            broken(Anomaly::StatusSwitching);
        }
        if !whole {
            return;
        }
        match self.role {
            Role::Request => {
                let method = self.has(NameId::METHOD);
                let plain_connect = self.method == Method::Connect && !self.has(NameId::PROTOCOL);
                let targeted = self.has(NameId::SCHEME) && self.has(NameId::PATH);
                if !method
                    || (plain_connect && !self.has(NameId::AUTHORITY))
                    || (self.method != Method::Unknown && !plain_connect && !targeted)
                {
                    broken(Anomaly::PseudoMissing);
                }
                if plain_connect && (self.has(NameId::SCHEME) || self.has(NameId::PATH)) {
                    broken(Anomaly::PseudoConnect);
                }
            }
            Role::Response if !self.has(NameId::STATUS) => broken(Anomaly::PseudoMissing),
            Role::Response | Role::Trailers | Role::Unknown => {}
        }
    }

    /// It asks for a protocol in a tunnel (RFC 8441 section 4).
    pub(super) fn is_extended_connect(&self) -> bool {
        self.role == Role::Request && self.has(NameId::PROTOCOL)
    }

    const fn has(&self, id: NameId) -> bool {
        self.seen.has(id)
    }

    /// Notes what a defined pseudo-header field says.
    fn pseudo(&mut self, field: &Field<'_>) {
        self.seen = self.seen.with_one(field.id);
        let Some(value) = field.value else { return };
        match field.id {
            NameId::METHOD => {
                self.method = match value {
                    b"HEAD" => Method::Head,
                    b"CONNECT" => Method::Connect,
                    _ => Method::Other,
                }
            }
            NameId::PATH => {
                self.path_empty = value.is_empty();
                self.path_odd = !matches!(value, [] | [b'/', ..] | b"*");
            }
            NameId::SCHEME => self.web = matches!(value, b"http" | b"https"),
            NameId::STATUS => {
                self.status = status_code(value);
                self.status_invalid = self.status.is_none();
            }
            _ => {}
        }
    }
}

/// The pseudo-header fields that are defined for a section of this side (sections 8.3.1 and 8.3.2, RFC 8441 section 4).
const fn defined(role: Role, from: Side) -> NameSet {
    match (role, from) {
        (Role::Trailers, _) => NameSet::of(&[]),
        // Promised requests, which a server sends too, are known to be such.
        (Role::Request, _) | (Role::Unknown, Side::Client) => {
            NameSet::of(&[NameId::METHOD, NameId::SCHEME, NameId::AUTHORITY, NameId::PATH, NameId::PROTOCOL])
        }
        (Role::Response, _) | (Role::Unknown, Side::Server) => NameSet::of(&[NameId::STATUS]),
    }
}

/// Octets that no value may hold, or begin or end with (section 8.2.1).
fn has_invalid_value(field: &Field<'_>) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let invalid = |value: &[u8]| {
        value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'))
            || blank(value.first())
            || blank(value.last())
    };
    !field.plain && field.value.is_some_and(invalid)
}

/// Octets that no name may hold (section 8.2.1).
const fn is_invalid_in_name(byte: u8) -> bool {
    matches!(byte, 0..=0x20 | b'A'..=b'Z' | 0x7f..=0xff | b':')
}

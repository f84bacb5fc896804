//! Header and trailer sections: which fields may stand in them, and where (RFC 9113 sections 8.2 and 8.3).

use super::Findings;
use crate::base::time::Moment;
use crate::http2::hpack::{Field, NameId};
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

/// A set of pseudo-header fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct PseudoSet(u16);

impl PseudoSet {
    const fn of(ids: &[NameId]) -> Self {
        let (mut set, mut rest) = (0, ids);
        while let [id, others @ ..] = rest {
            set |= Self::bit(*id);
            rest = others;
        }
        Self(set)
    }

    /// The one of that name; none where the name is another.
    #[expect(clippy::indexing_slicing, reason = "there is one for each number")]
    const fn bit(id: NameId) -> u16 {
        BITS[id.number() as usize]
    }

    const fn has(self, id: NameId) -> bool {
        self.0 & Self::bit(id) != 0
    }

    const fn has_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// By the number of a name, which each field asks for: the last four bits of the numbers tell the six that are defined apart.
#[expect(clippy::indexing_slicing, reason = "there is one for each number")]
const BITS: [u16; 256] = {
    let mut bits = [0; 256];
    let mut rest = NameId::PSEUDO.as_slice();
    while let [id, others @ ..] = rest {
        bits[id.number() as usize] = 1 << (id.number() & 15);
        rest = others;
    }
    bits
};

/// What all requests have but those of CONNECT.
const TARGETED: PseudoSet = PseudoSet::of(&[NameId::METHOD, NameId::SCHEME, NameId::PATH]);

/// The section being read.
#[derive(Debug)]
pub(super) struct SectionRules {
    role: Role,
    from: Side,
    stream: u32,
    at: Moment,
    /// Pseudo-header fields that are there.
    seen: PseudoSet,
    /// Those that are defined for what this is.
    defined: PseudoSet,
    /// Those of them that may come now: none behind a regular field, none twice.
    due: PseudoSet,
    /// A regular field is there.
    regular: bool,
    /// A field whose name is not known is there, or may be.
    nameless: bool,
    /// `:path` is there, and empty, or neither begins with a slash nor is an asterisk.
    path_empty: bool,
    path_odd: bool,
    /// A value of a pseudo-header field may break a rule.
    value_odd: bool,
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
            seen: PseudoSet::default(),
            defined: PseudoSet::default(),
            due: PseudoSet::default(),
            regular: false,
            nameless: false,
            path_empty: false,
            path_odd: false,
            value_odd: false,
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
        let defined = defined(role, block.from);
        Self {
            role,
            nameless: cut,
            defined,
            due: defined,
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
    #[inline]
    pub(super) fn field(&mut self, field: &Field<'_>, findings: &mut Findings) {
        if !field.plain {
            return self.odd_field(field, findings);
        }
        let own = PseudoSet::bit(field.id);
        if self.due.0 & own != 0 {
            // It breaks no rule here, whatever its value.
            self.pseudo(own, field);
        } else if field.id.is_plain() {
            self.pass();
        } else if field.id == NameId::CONTENT_LENGTH {
            self.length_field(field, findings);
        } else {
            self.odd_field(field, findings);
        }
    }

    /// A regular field, which breaks nothing if its name is one that may stand in any section and its value is plain.
    #[inline]
    pub(super) const fn pass(&mut self) {
        (self.regular, self.due) = (true, PseudoSet(0));
    }

    /// A field with a value that rules are about, or may be about, or with such a name.
    #[inline(never)]
    fn odd_field(&mut self, field: &Field<'_>, findings: &mut Findings) {
        if field.id.is_plain() {
            self.pass();
            if has_invalid_value(field) {
                findings.add(self.from, self.stream, Anomaly::FieldInvalid, self.at);
            }
        } else {
            self.special_field(field, findings);
        }
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
                self.pseudo(PseudoSet::bit(field.id), field);
            }
            return;
        }
        (self.regular, self.due) = (true, PseudoSet(0));
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
            NameId::CONTENT_LENGTH => self.length_field(field, findings),
            _ => {}
        }
    }

    /// `content-length`.
    #[inline(never)]
    fn length_field(&mut self, field: &Field<'_>, findings: &mut Findings) {
        self.pass();
        let length = field.value.and_then(number);
        // One number several times, as a list too, may pass (RFC 9110 section 8.6).
        let is_none = length.is_none() && field.value.is_some_and(|value| !value.contains(&b','));
        let differs = self.length.zip(length).is_some_and(|(before, now)| before != now);
        if is_none || differs {
            findings.add(self.from, self.stream, Anomaly::ContentLength, self.at);
        }
        self.lengths += 1;
        self.length = length.filter(|_| self.lengths == 1);
    }

    /// The section is over; what it lacks.
    pub(super) fn end(&self, end: &BlockEnd, findings: &mut Findings) {
        let whole = end.cut.is_none() && !end.broken && !end.limited && !self.nameless;
        if self.value_odd {
            self.judge_values(findings);
        }
        if whole && !self.has_all() {
            self.judge_names(findings);
        }
    }

    /// It has all that its kind needs and nothing that may break a rule; of a response it is the final one's, which may have
    /// content. It was read whole.
    pub(super) fn is_sound(&self) -> bool {
        let has_all = match self.role {
            Role::Request => {
                self.method == Method::Other && self.seen.has_all(TARGETED) && !self.has(NameId::PROTOCOL)
            }
            Role::Response => self.status.is_some_and(|status| status >= 200 && !matches!(status, 204 | 304)),
            Role::Trailers | Role::Unknown => false,
        };
        has_all && !self.value_odd && !self.nameless
    }

    /// It has what most sections of its kind have: nothing is missing, and nothing too much.
    const fn has_all(&self) -> bool {
        match self.role {
            Role::Request => matches!(self.method, Method::Other) && self.seen.has_all(TARGETED),
            Role::Response => self.has(NameId::STATUS),
            Role::Trailers | Role::Unknown => true,
        }
    }

    /// What the values of its pseudo-header fields break.
    #[cold]
    fn judge_values(&self, findings: &mut Findings) {
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
    }

    /// Which pseudo-header fields it lacks, or should not have, where all of its fields are known.
    #[cold]
    fn judge_names(&self, findings: &mut Findings) {
        let mut broken = |anomaly| findings.add(self.from, self.stream, anomaly, self.at);
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

    /// It is a request that asks for a protocol in a tunnel (RFC 8441 section 4).
    pub(super) fn is_extended_connect(&self) -> bool {
        self.role == Role::Request && self.has(NameId::PROTOCOL)
    }

    const fn has(&self, id: NameId) -> bool {
        self.seen.has(id)
    }

    /// Notes what a defined pseudo-header field says, `own` its bit.
    #[inline]
    fn pseudo(&mut self, own: u16, field: &Field<'_>) {
        (self.seen.0, self.due.0) = (self.seen.0 | own, self.due.0 & !own);
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
                self.value_odd |= self.path_empty | self.path_odd;
            }
            NameId::SCHEME => self.web = matches!(value, b"http" | b"https"),
            NameId::STATUS => {
                self.status = status_code(value);
                self.status_invalid = self.status.is_none();
                self.value_odd |= matches!(self.status, None | Some(101));
            }
            _ => {}
        }
    }
}

/// The pseudo-header fields that are defined for a section of this side (sections 8.3.1 and 8.3.2, RFC 8441 section 4).
const fn defined(role: Role, from: Side) -> PseudoSet {
    match (role, from) {
        (Role::Trailers, _) => PseudoSet::of(&[]),
        // Promised requests, which a server sends too, are known to be such.
        (Role::Request, _) | (Role::Unknown, Side::Client) => PseudoSet::of(&[
            NameId::METHOD,
            NameId::SCHEME,
            NameId::AUTHORITY,
            NameId::PATH,
            NameId::PROTOCOL,
        ]),
        (Role::Response, _) | (Role::Unknown, Side::Server) => PseudoSet::of(&[NameId::STATUS]),
    }
}

/// What a value of digits alone says; `None` where it is none, or larger than 2^64 − 1.
fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 { None } else { number.checked_mul(10)?.checked_add(digit.into()) }
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_alone() {
        for (value, expected) in [("0", Some(0)), ("007", Some(7)), ("18446744073709551615", Some(u64::MAX))]
        {
            assert_eq!(number(value.as_bytes()), expected);
        }
        for value in ["", "+1", "-1", "1 ", "1,1", "a", "18446744073709551616", "99999999999999999999"] {
            assert_eq!(number(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn pseudo_header_fields_are_told_apart() {
        let all: Vec<NameId> = NameId::all().collect();
        for &id in &all {
            let set = PseudoSet::of(&[id]);
            for &other in &all {
                assert_eq!(set.has(other), id == other && id.is_pseudo(), "{id:?} {other:?}");
            }
        }
        assert!(!PseudoSet(u16::MAX).has(NameId::OTHER));
    }
}

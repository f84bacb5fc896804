//! The names of response fields: which stood in every response of an endpoint, and which in any.

use crate::base::limits;
use crate::record::Fields;

/// Bytes that a name takes beside its own.
const OVERHEAD: usize = size_of::<Name>();

/// Names of the fields in an endpoint's responses, pseudo-header fields left out.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Responses of which all fields are known.
    responses: u64,
    /// In alphabetic order.
    names: Vec<Name>,
    /// Bytes that the names take.
    memory: usize,
    /// A field was not known by its name.
    unknown: bool,
    /// Fields that there was no room for.
    dropped: u64,
}

#[derive(Clone, Debug)]
struct Name {
    text: Box<[u8]>,
    /// Responses that it stood in.
    count: u64,
    /// The number of the last one, so that two lines of a name count once.
    last: u64,
}

impl Names {
    /// Counts a response's header section, of which all or only some is known.
    pub(super) fn add(&mut self, fields: &Fields, is_whole: bool) {
        let is_whole = is_whole && fields.iter().all(|field| field.name.is_some());
        self.unknown |= !is_whole;
        self.responses += u64::from(is_whole);
        let (response, count) = (self.responses, u64::from(is_whole));
        for text in fields.iter().filter_map(|field| field.name) {
            if text.starts_with(b":") {
                continue;
            }
            if let Some(name) = self.name(text) {
                name.count += if name.last == response { 0 } else { count };
                name.last = response;
            }
        }
    }

    /// The entry of a name, made when it is not there yet and there is room.
    fn name(&mut self, text: &[u8]) -> Option<&mut Name> {
        let at = match self.names.binary_search_by(|name| (*name.text).cmp(text)) {
            Ok(at) => at,
            Err(_) if self.memory + text.len() + OVERHEAD > limits::ENDPOINT_FIELDS => {
                self.dropped += 1;
                return None;
            }
            Err(at) => {
                self.memory += text.len() + OVERHEAD;
                self.names.insert(at, Name { text: text.into(), count: 0, last: 0 });
                at
            }
        };
        self.names.get_mut(at)
    }

    /// Adds what was counted elsewhere.
    pub(super) fn merge(&mut self, other: &Self) {
        self.responses += other.responses;
        self.unknown |= other.unknown;
        self.dropped += other.dropped;
        for theirs in &other.names {
            if let Some(name) = self.name(&theirs.text) {
                (name.count, name.last) = (name.count + theirs.count, 0);
            }
        }
    }

    /// The names that stood in every response, if there was one.
    pub fn in_every(&self) -> impl Iterator<Item = &[u8]> {
        let all = self.responses.max(1);
        self.names.iter().filter(move |name| name.count == all).map(|name| &*name.text)
    }

    /// Whether a name stood in none: what is not known may be it.
    pub fn is_in_none(&self, text: &[u8]) -> bool {
        let is_known = self.names.binary_search_by(|name| (*name.text).cmp(text)).is_ok();
        self.responses > 0 && !self.unknown && self.dropped == 0 && !is_known
    }

    /// Fields that there was no room for.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes of memory.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::{fields, unknown};

    fn names(responses: &[&[(&str, &str)]]) -> Names {
        let mut names = Names::default();
        for response in responses {
            names.add(&fields(response), true);
        }
        names
    }

    fn every(names: &Names) -> Vec<&[u8]> {
        names.in_every().collect()
    }

    #[test]
    fn a_name_of_every_response_stands_in_each_of_them() {
        let names =
            names(&[&[(":status", "200"), ("b", ""), ("a", "")], &[("a", "1"), ("a", "2"), ("c", "")]]);
        assert_eq!(every(&names), [b"a"]);
        assert!(names.is_in_none(b"d") && !names.is_in_none(b"c"));
        assert!(every(&Names::default()).is_empty() && !Names::default().is_in_none(b"a"));
    }

    #[test]
    fn parts_add_up() {
        let mut sum = names(&[&[("a", ""), ("b", "")], &[("a", "")]]);
        sum.merge(&names(&[&[("b", ""), ("a", "")]]));
        assert_eq!((every(&sum), sum.is_in_none(b"b")), (vec![&b"a"[..]], false));
    }

    #[test]
    fn what_is_not_known_may_be_any_name() {
        let mut names = names(&[&[("a", "")]]);
        let mut response = fields(&[("b", "")]);
        response.push(unknown(None, 0));
        names.add(&response, true);
        assert_eq!((every(&names), names.is_in_none(b"c")), (vec![&b"a"[..]], false));
    }

    #[test]
    fn cap_endpoint_fields() {
        let mut names = Names::default();
        for number in 0..limits::ENDPOINT_FIELDS {
            names.add(&fields(&[("server", "x"), (&format!("x-{number}"), "")]), true);
        }
        assert!(names.memory <= limits::ENDPOINT_FIELDS && names.dropped() > 0);
        assert_eq!((every(&names), names.is_in_none(b"other")), (vec![&b"server"[..]], false));
    }
}

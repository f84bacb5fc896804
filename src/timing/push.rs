//! What a server has pushed (RFC 9113 section 8.4), and what of it was of use.

use crate::base::limits;
use crate::http2::hpack::{Field, NameId};
use crate::record::Pushes;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The promises of a connection.
#[derive(Debug, Default)]
pub(super) struct Promises {
    counts: Pushes,
    /// The latest of them, while nothing is known against them.
    latest: Vec<Promise>,
    /// Of the request that is being read.
    request: Request,
    /// There were more than are remembered.
    limited: bool,
}

#[derive(Clone, Copy, Debug)]
struct Promise {
    stream: u32,
    request: u64,
    /// The client has requested the same.
    requested: bool,
}

/// What a request is known by; whatever the order of its fields.
#[derive(Clone, Copy, Debug, Default)]
struct Request {
    sum: u64,
    unknown: bool,
}

impl Promises {
    /// The fields of a request follow, promised or not.
    pub(super) fn start(&mut self) {
        self.request = Request::default();
    }

    /// The next one of them.
    pub(super) fn field(&mut self, field: &Field<'_>) {
        if matches!(field.id, NameId::METHOD | NameId::AUTHORITY | NameId::PATH) {
            let mut hasher = DefaultHasher::new();
            (field.id, field.value).hash(&mut hasher);
            self.request.sum = self.request.sum.wrapping_add(hasher.finish());
            self.request.unknown |= field.value.is_none();
        }
    }

    /// It was promised, on this stream.
    pub(super) fn promised(&mut self, stream: u32) {
        self.counts.promised += 1;
        if self.latest.len() >= limits::PROMISES || self.request.unknown {
            self.limited = true;
        } else {
            self.latest.push(Promise { stream, request: self.request.sum, requested: false });
        }
    }

    /// The client has made it.
    pub(super) fn requested(&mut self) {
        let Request { sum, unknown } = self.request;
        let same = self.latest.iter_mut().find(|promise| promise.request == sum && !promise.requested);
        same.into_iter().filter(|_| !unknown).for_each(|promise| promise.requested = true);
    }

    /// The client has reset a stream that was promised, of which so many octets had come.
    pub(super) fn cancelled(&mut self, stream: u32, octets: u64) {
        self.counts.cancelled += 1;
        self.counts.cancelled_bytes += octets;
        self.latest.retain(|promise| promise.stream != stream);
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.latest.capacity() * size_of::<Promise>()
    }

    /// Promises were too many to be remembered, or not known.
    pub(super) const fn is_limited(&self) -> bool {
        self.limited
    }

    /// What is known of them.
    pub(super) fn facts(&self) -> Pushes {
        let requested = self.latest.iter().filter(|promise| promise.requested).count() as u64;
        let used = self.counts.promised.saturating_sub(self.counts.cancelled).saturating_sub(requested);
        Pushes { used: (!self.limited).then_some(used), ..self.counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::certainty::Certainty;

    fn read(promises: &mut Promises, path: Option<&[u8]>) {
        promises.start();
        for (id, value) in [(NameId::PATH, path), (NameId::METHOD, Some(&b"GET"[..]))] {
            let name = id.name();
            let source = Certainty::Exact;
            promises.field(&Field {
                name,
                value,
                plain: false,
                id,
                source,
                reference: None,
                never_indexed: false,
            });
        }
    }

    fn promise(promises: &mut Promises, stream: u32, path: &[u8]) {
        read(promises, Some(path));
        promises.promised(stream);
    }

    #[test]
    fn what_is_reset_or_requested_all_the_same_is_of_no_use() {
        let mut promises = Promises::default();
        for (stream, path) in [(2, b"/a"), (4, b"/b"), (6, b"/c"), (8, b"/d")] {
            promise(&mut promises, stream, path);
        }
        promises.cancelled(2, 100);
        for path in [b"/b", b"/c", b"/x"] {
            read(&mut promises, Some(path));
            promises.requested();
        }
        promises.cancelled(6, 1000);
        let facts = promises.facts();
        assert_eq!((facts.promised, facts.cancelled, facts.cancelled_bytes), (4, 2, 1100));
        assert_eq!(facts.used, Some(1), "one was not reset, and not requested");
    }

    #[test]
    fn cap_promises() {
        let mut promises = Promises::default();
        for n in 0..=limits::PROMISES as u32 {
            assert!(!promises.is_limited() && promises.facts().used == Some(n.into()));
            promise(&mut promises, 2 * n + 2, &n.to_be_bytes());
        }
        assert!(promises.is_limited());
        assert_eq!((promises.facts().used, promises.latest.len()), (None, limits::PROMISES));
    }

    #[test]
    fn what_was_promised_must_be_known() {
        let mut promises = Promises::default();
        read(&mut promises, None);
        promises.promised(2);
        assert_eq!(promises.facts().used, None);
    }
}

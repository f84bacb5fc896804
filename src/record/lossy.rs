//! Whether a record's text can be shown as it is.

use super::visit::{Member, Object, Scalar, Value, Visitor};
use std::borrow::Cow;

/// Some text of the record is not UTF-8: bytes of it are shown with U+FFFD.
pub(super) fn is_lossy(record: &impl Object) -> bool {
    let mut finder = Finder(false);
    finder.object(record);
    finder.0
}

struct Finder(bool);

impl Visitor for Finder {
    fn scalar(&mut self, value: Scalar<'_>) {
        if let Scalar::Text(text) = value {
            self.0 |= std::str::from_utf8(text).is_err();
        }
    }

    fn list<T: Value>(&mut self, elements: impl Iterator<Item = T>) {
        elements.for_each(|element| element.visit(self));
    }

    fn map<T: Value>(&mut self, entries: impl Iterator<Item = (Cow<'static, str>, T)>) {
        entries.for_each(|(_, value)| value.visit(self));
    }

    fn member(&mut self, _: &'static Member, value: &impl Value) {
        if !self.0 && !value.is_absent() {
            value.visit(self);
        }
    }
}

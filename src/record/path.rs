//! Members by their paths: `http.response.status_code`.

use super::visit::{Member, Object, Scalar, Type, Value, Visitor};
use std::borrow::Cow;

/// The place of a member in a kind of record, found once and looked up in each record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Place after place, from the record down.
    places: Vec<usize>,
    /// The member.
    member: &'static Member,
}

impl Path {
    /// The member of `T` at the path `text`; `None` where there is none.
    pub fn of<T: Object>(text: &str) -> Option<Self> {
        let (mut members, mut places) = (T::MEMBERS, Vec::new());
        let mut keys = text.split('.').peekable();
        while let Some(key) = keys.next() {
            let place = members.iter().position(|member| member.key == key)?;
            let member = members.get(place)?;
            places.push(place);
            match member.r#type {
                _ if keys.peek().is_none() => return Some(Self { places, member }),
                Type::Object(below) => members = below,
                _ => return None,
            }
        }
        None
    }

    /// What the member is.
    pub const fn member(&self) -> &'static Member {
        self.member
    }

    /// Shows the member's value, if the record has one, to a visitor. Looks at no other member.
    pub fn visit(&self, record: &impl Object, visitor: &mut impl Visitor) {
        Descent { places: &self.places, visitor }.object(record);
    }

    /// What `take` makes of the member's value; `None` where there is none, or it is not a scalar.
    pub fn scalar<R>(&self, record: &impl Object, take: impl FnOnce(Scalar<'_>) -> R) -> Option<R> {
        let mut once = Once { take: Some(take), result: None };
        self.visit(record, &mut once);
        once.result
    }

    /// The record has a value there.
    pub fn is_present(&self, record: &impl Object) -> bool {
        let mut seen = Seen(false);
        self.visit(record, &mut seen);
        seen.0
    }
}

/// A member that is no object, with its path: a column of a flat table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its path, with dots.
    pub path: String,
    /// Some records do not have it: it, or an object that it is in, is optional.
    pub optional: bool,
    /// The member.
    pub member: &'static Member,
}

/// All members of `T` that are no objects, in order; `record` is none of them.
pub fn columns<T: Object>() -> Vec<Column> {
    fn add(members: &'static [Member], prefix: &str, optional: bool, into: &mut Vec<Column>) {
        for member in members.iter().filter(|member| !(prefix.is_empty() && member.key == "record")) {
            let optional = optional || member.optional;
            let path = format!("{prefix}{}", member.key);
            match member.r#type {
                Type::Object(below) => add(below, &format!("{path}."), optional, into),
                _ => into.push(Column { path, optional, member }),
            }
        }
    }
    let mut columns = Vec::new();
    add(T::MEMBERS, "", false, &mut columns);
    columns
}

/// Goes down to one member and lets another visitor see it.
struct Descent<'a, V> {
    places: &'a [usize],
    visitor: &'a mut V,
}

impl<V: Visitor> Visitor for Descent<'_, V> {
    fn object(&mut self, object: &impl Object) {
        if let [place, rest @ ..] = self.places {
            self.places = rest;
            object.member(*place, self);
        }
    }

    fn member(&mut self, _: &'static Member, value: &impl Value) {
        if value.is_absent() {
        } else if self.places.is_empty() {
            value.visit(self.visitor);
        } else {
            value.visit(self);
        }
    }

    // What has no members has no places below it.
    fn scalar(&mut self, _: Scalar<'_>) {}
    fn list<T: Value>(&mut self, _: impl Iterator<Item = T>) {}
    fn map<T: Value>(&mut self, _: impl Iterator<Item = (Cow<'static, str>, T)>) {}
}

/// Takes one scalar.
struct Once<F, R> {
    take: Option<F>,
    result: Option<R>,
}

impl<R, F: FnOnce(Scalar<'_>) -> R> Visitor for Once<F, R> {
    fn scalar(&mut self, value: Scalar<'_>) {
        self.result = self.take.take().map(|take| take(value));
    }
    fn object(&mut self, _: &impl Object) {}
    fn list<T: Value>(&mut self, _: impl Iterator<Item = T>) {}
    fn map<T: Value>(&mut self, _: impl Iterator<Item = (Cow<'static, str>, T)>) {}
}

/// Notes that there is a value.
struct Seen(bool);

impl Visitor for Seen {
    fn scalar(&mut self, _: Scalar<'_>) {
        self.0 = true;
    }
    fn object(&mut self, _: &impl Object) {
        self.0 = true;
    }
    fn list<T: Value>(&mut self, _: impl Iterator<Item = T>) {
        self.0 = true;
    }
    fn map<T: Value>(&mut self, _: impl Iterator<Item = (Cow<'static, str>, T)>) {
        self.0 = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::{everything, nothing, tls_meta};
    use crate::record::schema::{FindingObject, TelemetryObject, TransactionObject};
    use crate::record::{TransactionView, schema::Shown};

    /// What the path's scalar is in the two samples.
    fn values(path: &str) -> [Option<String>; 2] {
        let path = Path::of::<TransactionObject<'_>>(path).unwrap();
        [everything(), nothing()].map(|transaction| {
            let meta = tls_meta();
            let view = TransactionView::new(&meta, &transaction);
            path.scalar(&TransactionObject::new(&view, Shown::default()), |value| format!("{value:?}"))
        })
    }

    #[test]
    fn a_value_is_found_by_its_path() {
        assert_eq!(
            values("record"),
            [Some("Word(\"transaction\")".to_owned()), Some("Word(\"transaction\")".to_owned())]
        );
        assert_eq!(values("h2.stream.end.how")[0].as_deref(), Some("Word(\"rst_stream\")"));
        assert_eq!(values("h2.timing.ttfb")[1], None, "there is no such value");
        assert_eq!(values("http")[0], None, "it is no scalar");
        assert_eq!(values("h2.partial_reason")[0], None, "it is no scalar");
    }

    #[test]
    fn presence_is_told_of_any_value() {
        let meta = tls_meta();
        for (path, of_all, of_none) in [
            ("error", true, false),
            ("h2.partial_reason", true, true),
            ("url.path", true, false),
            ("h2", true, true),
        ] {
            let path = Path::of::<TransactionObject<'_>>(path).unwrap();
            for (transaction, present) in [(everything(), of_all), (nothing(), of_none)] {
                let view = TransactionView::new(&meta, &transaction);
                let record = TransactionObject::new(&view, Shown::default());
                assert_eq!(path.is_present(&record), present, "{:?}", path.member().key);
            }
        }
    }

    #[test]
    fn paths_that_lead_nowhere_are_none() {
        for path in
            ["", "http.", "http.response.status", "duration.x", "h2.partial_reason.x", "url.path.x", ".http"]
        {
            assert_eq!(Path::of::<TransactionObject<'_>>(path), None, "{path}");
        }
    }

    #[test]
    fn columns_are_as_many_as_the_type_says_and_found_by_their_paths() {
        fn check<T: Object>() {
            let columns = columns::<T>();
            assert_eq!(columns.len() + 1, T::TYPE.columns());
            for column in columns {
                let path = Path::of::<T>(&column.path).unwrap();
                assert_eq!(path.member(), column.member);
                assert!(!matches!(column.member.r#type, Type::Object(_)), "{}", column.path);
            }
        }
        check::<TransactionObject<'_>>();
        check::<FindingObject<'_>>();
        check::<TelemetryObject<'_>>();
    }
}

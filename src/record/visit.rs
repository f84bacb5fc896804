//! One walk over a record: each member with its path, what it means, and a typed value.
//!
//! A record is an [`Object`], declared once by `object!` in [`super::schema`]. From that come the walk itself and its
//! static description: [`Member`] and [`Type`] say which members there are, of what type, without any record. What
//! shows, compares or stores records is a [`Visitor`].
//!
//! ```text
//! visitor.object(&record)
//!     └─ visitor.member("http", …)           for each member, present or not
//!            └─ visitor.object(&http)
//!                   └─ visitor.member("status_code", …)
//!                          └─ visitor.scalar(Scalar::Integer(200))
//! ```
//!
//! All is generic, so that a visitor costs what the same code written by hand would.

use crate::base::endpoint::Endpoint;
use crate::base::time::Timestamp;
use std::borrow::Cow;
use std::net::IpAddr;

/// One value that is not made of others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// True or false.
    Bool(bool),
    /// A number or an amount; of bytes where the member's description says so.
    Integer(u64),
    /// A number with a fraction.
    Float(f64),
    /// A duration, in nanoseconds; shown in seconds.
    Seconds(u64),
    /// What one time is more than another, in nanoseconds; shown in seconds.
    Difference(i64),
    /// A number in billionths; shown with its decimals.
    Decimal(u64),
    /// A point in packet time.
    Time(Timestamp),
    /// An IP address.
    Address(IpAddr),
    /// Text from the wire, as it was there: any bytes.
    Text(&'a [u8]),
    /// A word of ours: an enumerated value, or a name of a registry. Printable ASCII that needs no escape.
    Word(&'a str),
    /// A JSON text from the wire, which was checked: any value.
    Json(&'a str),
}

/// The type of a member's values, the same in all records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// [`Scalar::Bool`]
    Bool,
    /// [`Scalar::Integer`]
    Integer,
    /// [`Scalar::Float`]
    Float,
    /// [`Scalar::Seconds`]
    Seconds,
    /// [`Scalar::Difference`]
    Difference,
    /// [`Scalar::Decimal`]
    Decimal,
    /// [`Scalar::Time`]
    Time,
    /// [`Scalar::Address`]
    Address,
    /// [`Scalar::Text`]
    Text,
    /// [`Scalar::Word`]: one of these; any, where there are none.
    Word(&'static [&'static str]),
    /// [`Scalar::Json`]
    Json,
    /// Values of one type.
    List(&'static Self),
    /// Values of one type by names that are not known beforehand.
    Map(&'static Self),
    /// Members known beforehand.
    Object(&'static [Member]),
}

impl Type {
    /// How many values there are below it that are no objects: the columns it takes in a flat table.
    pub const fn columns(&self) -> usize {
        let Self::Object(members) = self else { return 1 };
        let (mut columns, mut rest) = (0, *members);
        while let [member, others @ ..] = rest {
            columns += member.columns;
            rest = others;
        }
        columns
    }
}

/// A member of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub key: &'static str,
    /// `,"key":`, so that JSON takes one copy.
    pub json_key: &'static str,
    /// What it means, in one or two sentences.
    pub doc: &'static str,
    /// Some records do not have it.
    pub optional: bool,
    /// What its values are.
    pub r#type: Type,
    /// [`Type::columns`]
    pub columns: usize,
}

/// A value that can be visited.
pub trait Value {
    /// What such values are.
    const TYPE: Type;
    /// There may be none.
    const OPTIONAL: bool = false;

    /// Shows the value, which must not be absent.
    fn visit(&self, visitor: &mut impl Visitor);

    /// There is no value: a member that has none is left out.
    #[inline]
    fn is_absent(&self) -> bool {
        false
    }
}

/// A value with members.
pub trait Object: Value {
    /// The members, in order.
    const MEMBERS: &'static [Member];

    /// Visits all members, in order, those that are absent too.
    fn members(&self, visitor: &mut impl Visitor);

    /// Visits one member, by its place in [`Self::MEMBERS`].
    fn member(&self, place: usize, visitor: &mut impl Visitor);
}

/// An object that is a record.
pub trait Record: Object {
    /// Its kind, which the member `record` says.
    const NAME: &'static str;
    /// Several of them, as `--show` names them.
    const PLURAL: &'static str;

    /// All text from the wire in it is [plain](crate::base::plain::is_plain), as far as that is known.
    #[inline]
    fn is_plain(&self) -> bool {
        false
    }
}

/// Looks at values.
pub trait Visitor: Sized {
    /// One value.
    fn scalar(&mut self, value: Scalar<'_>);

    /// Values in order.
    fn list<T: Value>(&mut self, elements: impl Iterator<Item = T>);

    /// Values by name.
    fn map<T: Value>(&mut self, entries: impl Iterator<Item = (Cow<'static, str>, T)>);

    /// An object; its members follow when the visitor asks for them.
    #[inline]
    fn object(&mut self, object: &impl Object) {
        object.members(self);
    }

    /// An object that is all about one end of a connection, and so the same in many records: a visitor may remember what it made
    /// of it.
    #[inline]
    fn end(&mut self, end: Endpoint, object: &impl Object) {
        let _ = end;
        self.object(object);
    }

    /// A member, which may be absent.
    #[inline]
    fn member(&mut self, member: &'static Member, value: &impl Value) {
        let _ = member;
        if !value.is_absent() {
            value.visit(self);
        }
    }
}

/// Describes a member whose values are of type `T`.
pub(crate) const fn member<T: Value>(key: &'static str, json_key: &'static str, doc: &'static str) -> Member {
    Member { key, json_key, doc, optional: T::OPTIONAL, r#type: T::TYPE, columns: T::TYPE.columns() }
}

/// Declares an object type: its members by key, each with what it means, in the order in which they are visited. They are its
/// fields; or, where it is declared with what it holds, they are made of that when they are visited.
macro_rules! object {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(<$life:lifetime>)? {
            $($(#[doc = $doc:literal])+ $key:literal: $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name $(<$life>)? {
            $($(#[doc = $doc])+ pub(crate) $field: $type,)+
        }

        $crate::record::visit::object! {
            @walk ($name $(<$life>)?) (own) { $($(#[doc = $doc])+ $key: $type = own.$field,)+ }
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident <$life:lifetime>($held:ident: $holds:ty) {
            $($(#[doc = $doc:literal])+ $key:literal: $type:ty = $made:expr,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name <$life>(pub(crate) $holds);

        $crate::record::visit::object! {
            @walk ($name <$life>) ($name($held)) { $($(#[doc = $doc])+ $key: $type = $made,)+ }
        }
    };
    (
        @walk ($name:ident $(<$life:lifetime>)?) ($own:pat) {
            $($(#[doc = $doc:literal])+ $key:literal: $type:ty = $value:expr,)+
        }
    ) => {
        impl $(<$life>)? $crate::record::visit::Value for $name $(<$life>)? {
            const TYPE: $crate::record::visit::Type =
                $crate::record::visit::Type::Object(<Self as $crate::record::visit::Object>::MEMBERS);
            /// An object without members says nothing.
            const OPTIONAL: bool = true $(&& <$type as $crate::record::visit::Value>::OPTIONAL)+;

            #[inline]
            fn visit(&self, visitor: &mut impl $crate::record::visit::Visitor) {
                visitor.object(self);
            }

            #[inline]
            fn is_absent(&self) -> bool {
                let $own = self;
                true $(&& $crate::record::visit::Value::is_absent(&$value))+
            }
        }

        impl $(<$life>)? $crate::record::visit::Object for $name $(<$life>)? {
            const MEMBERS: &'static [$crate::record::visit::Member] = &[$(
                $crate::record::visit::member::<$type>(
                    $key, concat!(",\"", $key, "\":"), concat!($($doc),+).trim_ascii()
                ),
            )+];

            #[inline]
            fn members(&self, visitor: &mut impl $crate::record::visit::Visitor) {
                let $own = self;
                $(visitor.member(
                    const { &$crate::record::visit::member::<$type>(
                        $key, concat!(",\"", $key, "\":"), concat!($($doc),+).trim_ascii()
                    ) },
                    &$value,
                );)+
            }

            fn member(&self, place: usize, visitor: &mut impl $crate::record::visit::Visitor) {
                let $own = self;
                let mut left = place;
                $(
                    if left == 0 {
                        return visitor.member(
                            const { &$crate::record::visit::member::<$type>(
                                $key, concat!(",\"", $key, "\":"), concat!($($doc),+).trim_ascii()
                            ) },
                            &$value,
                        );
                    }
                    left = left.wrapping_sub(1);
                )+
                let _ = left;
            }
        }
    };
}
pub(crate) use object;

/// Names the values of an enumeration.
macro_rules! words {
    ($type:ident { $($variant:ident => $name:literal,)+ }) => {
        impl $type {
            /// All names.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The name that records show.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl $crate::record::visit::Value for $type {
            const TYPE: $crate::record::visit::Type = $crate::record::visit::Type::Word(Self::NAMES);

            #[inline]
            fn visit(&self, visitor: &mut impl $crate::record::visit::Visitor) {
                visitor.scalar($crate::record::visit::Scalar::Word(self.name()));
            }
        }
    };
}
pub(super) use words;

impl<T: Value> Value for &T {
    const TYPE: Type = T::TYPE;
    const OPTIONAL: bool = T::OPTIONAL;

    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        (**self).visit(visitor);
    }

    #[inline]
    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
}

impl<T: Value> Value for Option<T> {
    const TYPE: Type = T::TYPE;
    const OPTIONAL: bool = true;

    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        if let Some(value) = self {
            value.visit(visitor);
        }
    }

    #[inline]
    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(Value::is_absent)
    }
}

impl Value for bool {
    const TYPE: Type = Type::Bool;

    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Bool(*self));
    }
}

/// Unsigned integers.
macro_rules! integer {
    ($($type:ty)*) => {
        $(impl Value for $type {
            const TYPE: Type = Type::Integer;

            #[inline]
            fn visit(&self, visitor: &mut impl Visitor) {
                visitor.scalar(Scalar::Integer(u64::from(*self)));
            }
        })*
    };
}
integer!(u8 u16 u32 u64);

impl Value for f64 {
    const TYPE: Type = Type::Float;

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Float(*self));
    }
}

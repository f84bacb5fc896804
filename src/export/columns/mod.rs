//! Records as columns, for `-o parquet` and `-o arrow`: one column an attribute, of the same type whatever a capture holds.
//!
//! A worker writes a record on a [tape](tape), values one behind the other; the printer appends them to the columns, and
//! each so many rows are one Arrow record batch. Names and types come from the records' one definition
//! ([`Member`](crate::record::visit::Member)).
//!
//! | value | Arrow type |
//! |---|---|
//! | integer | `Int64`; one that does not fit is null |
//! | duration, number with a fraction | `Float64`, seconds |
//! | flag | `Boolean` |
//! | time | `Timestamp(Nanosecond, "UTC")` |
//! | text, address, enumeration, free JSON, map of objects (as JSON) | `Utf8` |
//! | list | `List`, of a `Struct` where the elements are objects |
//! | map with open keys | `Map`, from `Utf8` |

mod column;
mod format;
mod printer;
mod rows;
mod stream;
pub(super) mod tape;

#[cfg(test)]
mod tests;

pub(super) use format::begin;
pub(super) use printer::{Printer, coverage};
pub(super) use stream::{Batches, ColumnsError, Stream, metadata};

//! `--where`: which exchanges are shown.
//!
//! ```text
//! "status >= 500 and path ~ ^/v1/"
//!     ▼ grammar   what was typed, with its places
//!     ▼ compile   fields and values of the right types, once
//! Filter
//!     ▼ evaluate  for each exchange, before it is rendered
//! Truth
//! ```
//!
//! A comparison with a field that is not there is false (`not status == 200` finds exchanges without a status, too).
//! Where it is not known whether there is one, as part of the exchange is missing, it is neither true nor false.

mod compile;
mod error;
mod evaluate;
mod fields;
mod grammar;
mod value;

#[cfg(test)]
mod tests;

pub use error::FilterError;
pub use evaluate::Truth;
pub use fields::SHORT_NAMES;

use crate::record::TransactionView;
use std::str::FromStr;

/// A compiled filter.
#[derive(Clone, Debug)]
pub struct Filter {
    condition: compile::Condition,
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Ok(Self { condition: compile::compile(text, grammar::parse(text)?)? })
    }
}

impl Filter {
    /// Whether an exchange matches.
    pub fn evaluate(&self, exchange: &TransactionView<'_>) -> Truth {
        evaluate::evaluate(&self.condition, exchange)
    }
}

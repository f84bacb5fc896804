//! Why a filter is none.

use std::fmt;
use std::ops::Range;

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The filter.
    text: String,
    /// The octets that are meant.
    place: Range<usize>,
    /// What is wrong with them.
    message: String,
}

impl FilterError {
    pub(super) fn new(text: &str, place: Range<usize>, message: impl Into<String>) -> Self {
        Self { text: text.to_owned(), place, message: message.into() }
    }

    /// What is wrong.
    #[cfg(any(test, feature = "internals", feature = "tui"))]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The octets of the filter that are meant.
    #[cfg(any(test, feature = "internals"))]
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }
}

impl std::error::Error for FilterError {}

/// The message, the filter, and below it what points at the place.
impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = |range: Range<usize>| self.text.get(range).map_or(0, |text| text.chars().count());
        // Control characters would move the mark, or act on a terminal.
        let shown: String = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let (before, marked) = (columns(0..self.place.start), columns(self.place.clone()));
        write!(f, "{}\n  {shown}\n  {:before$}{:^<marks$}", self.message, "", "", marks = marked.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_points_at_the_place() {
        let error = FilterError::new("päth == 1", 0..5, "no");
        assert_eq!(error.to_string(), "no\n  päth == 1\n  ^^^^");
        let at_the_end = FilterError::new("a ==\t", 5..5, "a value is missing");
        assert_eq!(at_the_end.to_string(), "a value is missing\n  a == \n       ^");
    }
}

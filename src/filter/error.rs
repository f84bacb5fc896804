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

/// Characters of a long filter that are shown before the place, and in all.
const BEFORE: usize = 60;
const SHOWN: usize = 160;

/// The message, the filter or what is around the place, and below it what points there.
impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = |range: Range<usize>| self.text.get(range).map_or(0, |text| text.chars().count());
        let (before, marked) = (columns(0..self.place.start), columns(self.place.clone()));
        let is_long = columns(0..self.text.len()) > SHOWN;
        let left_out = if is_long { before.saturating_sub(BEFORE) } else { 0 };
        let mut chars = self.text.chars().skip(left_out);
        // Control characters would move the mark, or act on a terminal.
        let shown: String =
            chars.by_ref().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let [start, end] = [left_out > 0, chars.next().is_some()].map(|cut| if cut { "…" } else { "" });
        let before = before - left_out + start.chars().count();
        let marks = marked.clamp(1, SHOWN - before.min(SHOWN - 1));
        write!(f, "{}\n  {start}{shown}{end}\n  {:before$}{:^<marks$}", self.message, "", "")
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

    #[test]
    fn of_a_long_filter_what_is_around_the_place_is_shown() {
        let text = format!("{}pat == 1{}", "a or ".repeat(40_000), " or ä".repeat(40_000));
        let shown = FilterError::new(&text, 200_000..200_003, "no").to_string();
        let [message, line, marks] = shown.lines().collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(message, "no");
        assert!(line.chars().count() <= 2 + SHOWN + 2 && line.starts_with("  …") && line.ends_with('…'));
        let at = marks.find('^').unwrap();
        assert_eq!(line.chars().skip(at).take(3).collect::<String>(), "pat");
        assert!(marks.ends_with(" ^^^"));
        let whole = FilterError::new(&text, 0..text.len(), "no").to_string();
        assert!(whole.chars().count() < 3 * SHOWN, "{whole}");
    }
}

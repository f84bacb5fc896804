//! Values, as the page shows them: maud escapes what could be markup, [`Visible`] what could hide.

use crate::export::sanitize::visible;
use maud::Render;
use std::fmt::{Display, Formatter, Result};

/// What stands for a value that is not known.
pub(super) const UNKNOWN: &str = "–";

/// A value that a capture may have a say in: what could hide in it, or turn its direction, is shown as an escape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visible<T>(pub(super) T);

impl<T: Display> Render for Visible<T> {
    fn render_to(&self, out: &mut String) {
        visible(&self.0.to_string()).render_to(out);
    }
}

/// A number with spaces between thousands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grouped(pub(super) u64);

impl Display for Grouped {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.char_indices() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str("\u{202f}")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A part of all, of a hundred and with one decimal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share(pub(super) u64, pub(super) u64);

impl Display for Share {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self(part, all) = *self;
        write!(f, "{:.1} %", part as f64 * 100.0 / all.max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maud::html;

    #[test]
    fn values_are_never_markup() {
        let (quotes, tags) = ("\" onclick='x", "</td><script>&\u{202e}\x1b");
        assert_eq!(
            html! { td title=(Visible(quotes)) { (Visible(tags)) } }.into_string(),
            "<td title=\"&quot; onclick='x\">&lt;/td&gt;&lt;script&gt;&amp;\\u{202e}\\x1b</td>"
        );
    }

    #[test]
    fn numbers_are_easy_to_read() {
        let shown = [0, 999, 1000, 1_234_567].map(|number| Grouped(number).to_string());
        assert_eq!(shown, ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!([Share(1, 3), Share(0, 0)].map(|share| share.to_string()), ["33.3 %", "0.0 %"]);
    }
}

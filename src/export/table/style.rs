//! Colours of the table.

use super::Class;
use anstyle::AnsiColor;
pub(super) use anstyle::Style;

/// Headings.
pub(super) const HEADING: Style = Style::new().bold();

/// The colour of a class of rows.
const fn color(class: Class) -> Option<AnsiColor> {
    match class {
        Class::Plain => None,
        Class::Success => Some(AnsiColor::Green),
        Class::Other => Some(AnsiColor::Cyan),
        Class::ClientError => Some(AnsiColor::Yellow),
        Class::Error => Some(AnsiColor::Red),
    }
}

/// The style of a class of rows.
pub(super) fn of(class: Class) -> Style {
    Style::new().fg_color(color(class).map(Into::into))
}

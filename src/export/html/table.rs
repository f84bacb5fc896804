//! Tables, and what stands in them. The script sorts the rows by the cells' `data-value`.

use super::value::{Grouped, UNKNOWN, Visible};
use super::wording;
use crate::export::table::Span;
use maud::{Markup, Render, html};
use serde_json::Value;
use std::fmt::Display;

/// A table under the name that the script, and those of users, find it by.
pub(super) fn table(
    name: &'static str,
    label: &'static str,
    headings: &[Heading],
    rows: impl Iterator<Item = Markup>,
) -> Markup {
    html! {
        div.wide {
            table data-h2lens=(name) aria-label=(label) {
                "\n" thead { tr { @for heading in headings { (heading) } } }
                "\n" tbody { "\n" @for row in rows { (row) "\n" } }
            }
        }
    }
}

/// The heading of a column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Heading {
    /// Of a column of words.
    Words(&'static str),
    /// Of a column of numbers.
    Numbers(&'static str),
}

impl Render for Heading {
    fn render(&self) -> Markup {
        match self {
            Self::Words(name) => html! { th scope="col" { (name) } },
            Self::Numbers(name) => html! { th.number scope="col" { (name) } },
        }
    }
}

/// A cell of text. What it is sorted by can be no number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<T>(pub(super) T);

impl<T: Display> Render for Cell<T> {
    fn render(&self) -> Markup {
        let text = Visible(&self.0);
        html! { td data-value={ "=" (text) } { (text) } }
    }
}

/// A cell of a number, which is shown in another way than it is sorted by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<T> {
    value: u64,
    shown: T,
}

impl<T: Display> Number<T> {
    pub(super) const fn new(value: u64, shown: T) -> Self {
        Self { value, shown }
    }
}

impl Number<Grouped> {
    /// How many.
    pub(super) const fn count(count: u64) -> Self {
        Self::new(count, Grouped(count))
    }
}

impl Number<String> {
    /// How long, in nanoseconds.
    pub(super) fn span(nanos: Option<u64>) -> Self {
        let shown = nanos.map_or_else(|| UNKNOWN.to_owned(), |nanos| Span(nanos).to_string());
        Self::new(nanos.unwrap_or_default(), shown)
    }
}

impl<T: Display> Render for Number<T> {
    fn render(&self) -> Markup {
        html! { td.number data-value=(self.value) { (Visible(&self.shown)) } }
    }
}

/// A cell that leads to a call, of which this is the record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'r>(pub(super) &'r Value);

impl Render for Link<'_> {
    fn render(&self) -> Markup {
        let (place, request) = (wording::place(self.0), wording::request(self.0));
        html! { td data-call=(Visible(place)) { (Visible(request)) } }
    }
}

//! `-o html`: the report, one page that is complete in itself.
//!
//! The tables are markup and need no script; the records of the calls stand beside them as JSON, which `script/` shows,
//! filters and draws. Nothing of a capture is ever markup: maud escapes what stands in a template (and [`value::Visible`] shows
//! what could hide), in data `<` is escaped, and scripts only ever set text. The page's policy allows this script and this
//! style alone, by their hashes.
//!
//! [`page`] has the whole at one glance; each part of it is a function of what it shows.

mod calls;
mod connections;
mod coverage;
mod data;
mod endpoints;
mod first_screen;
mod held;
mod maker;
mod page;
mod printer;
mod steps;
mod table;
mod value;
mod waiting;
mod wording;

#[cfg(test)]
mod tests;

pub(super) use maker::Maker;
pub(super) use printer::Printer;

/// The style.
const STYLE: &str = include_str!("style.css");

/// The script: its parts share one scope, the last one begins.
const SCRIPT: &str = concat!(
    "'use strict';\n",
    include_str!("script/text.js"),
    include_str!("script/filter.js"),
    include_str!("script/calls.js"),
    include_str!("script/detail.js"),
    include_str!("script/waterfall.js"),
    include_str!("script/tables.js"),
    include_str!("script/main.js"),
);

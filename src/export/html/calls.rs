//! The calls: those that failed, by cause; the slowest ones; the table of all, whose rows the script makes.

use super::held::HeldCall;
use super::table::Heading::{Numbers, Words};
use super::table::{Cell, Link, Number, table};
use super::value::{Grouped, Share};
use super::waiting::{Cause, Causes};
use super::wording::{integer, nanos, outcome, record};
use maud::{Markup, html};
use std::cmp::Reverse;

/// Rows of the slowest calls.
const SLOWEST: usize = 20;

/// Failures by cause; of all that were `seen`.
pub(super) fn failures(causes: &Causes, seen: u64) -> Markup {
    let headings =
        [Words("Cause"), Numbers("Calls"), Numbers("Share"), Words("Try again?"), Words("First of them")];
    let sorted = causes.sorted();
    let rows = sorted.iter().map(|(name, cause)| failure(name, cause, seen));
    let rows = rows.chain((causes.others > 0).then(|| other_failures(causes.others, seen)));
    html! {
        section #failures {
            h2 { "Failures by cause" }
            (table("failures", "Failures by cause", &headings, rows))
            @if sorted.is_empty() { p { "No call failed." } }
        }
    }
}

fn failure(name: &str, cause: &Cause, seen: u64) -> Markup {
    html! {
        tr {
            (Cell(name))
            (Number::count(cause.calls))
            (Number::new(cause.calls, Share(cause.calls, seen)))
            (Cell(advice(cause)))
            (Link(&record(&cause.first)))
        }
    }
}

/// Those whose causes were too many.
fn other_failures(calls: u64, seen: u64) -> Markup {
    html! {
        tr {
            (Cell("other causes"))
            (Number::count(calls))
            (Number::new(calls, Share(calls, seen)))
            td {}
            td {}
        }
    }
}

/// Whether calls that failed alike may be tried again (RFC 9113 section 8.7).
fn advice(cause: &Cause) -> String {
    match cause.safe {
        0 => "Only what may be done twice: they may have been processed".to_owned(),
        all if all == cause.calls => "Yes: the server has promised not to have processed them".to_owned(),
        some => format!("{} of them: the server has promised not to have processed those", Grouped(some)),
    }
}

/// The slowest calls of those that are held.
pub(super) fn slowest(calls: &[HeldCall]) -> Markup {
    let headings = [
        Words("Call"),
        Words("Status"),
        Numbers("Duration"),
        Numbers("First byte after"),
        Numbers("Connection"),
        Numbers("Stream"),
    ];
    let mut slowest: Vec<_> = calls.iter().collect();
    slowest.sort_by_key(|call| Reverse(call.duration()));
    html! {
        section #slowest {
            h2 { "Slowest calls" }
            (table("slowest", "Slowest calls", &headings, slowest.into_iter().take(SLOWEST).map(slow)))
            @if calls.is_empty() { p { "There are no calls." } }
        }
    }
}

fn slow(call: &HeldCall) -> Markup {
    let record = record(&call.json);
    html! {
        tr {
            (Link(&record))
            (Cell(outcome(&record)))
            (Number::span(Some(call.duration())))
            (Number::span(nanos(&record, "/h2/timing/ttfb")))
            (Number::count(integer(&record, "/h2/connection/id")))
            (Number::count(integer(&record, "/h2/stream/id")))
        }
    }
}

/// All calls: of those that were `seen`, the ones that are held.
pub(super) fn all_calls(held: u64, seen: u64) -> Markup {
    html! {
        section #calls {
            h2 { "All calls" }
            @if held < seen {
                p {
                    "Of " (Grouped(seen)) " calls this report holds the " (Grouped(held)) " that matter most: "
                    "the slowest, those that failed or are incomplete, and an even sample of the others."
                }
            }
            div.bar {
                label for="filter" { "Show where" } " "
                input #filter data-h2lens="filter" type="search" spellcheck="false" autocomplete="off"
                    placeholder="status >= 500 and path ~ ^/v1/" aria-describedby="problem";
                " " output data-h2lens="count" for="filter" { (held) } " calls"
            }
            p #problem role="alert" hidden {}
            noscript { p { "The calls can be seen one by one where scripts may run." } }
            div #scroller { div #height { (rows(held)) } }
        }
    }
}

/// The table that the script fills.
fn rows(held: u64) -> Markup {
    let headings = [
        ("number", "At"),
        ("text", "Method"),
        ("text", "Host"),
        ("text", "Path"),
        ("number", "Status"),
        ("text", "Error"),
        ("number", "Duration"),
        ("number", "First byte"),
        ("number", "Connection"),
        ("number", "Stream"),
    ];
    html! {
        table data-h2lens="calls" aria-label="All calls" aria-rowcount=(held + 1) {
            thead { tr { @for (class, name) in headings { th.(class) scope="col" { (name) } } } }
            tbody {}
        }
    }
}

//! The page: its head, and the order of its parts.

use super::calls::{all_calls, failures, slowest};
use super::connections::{connections, findings};
use super::coverage::coverage;
use super::endpoints::endpoints;
use super::held::HeldCall;
use super::value::Visible;
use super::waiting::{Causes, Connections, Findings, Period};
use super::{SCRIPT, STYLE, data, first_screen};
use crate::record::Report;
use crate::record::endpoint::Endpoints;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
use sha2::{Digest, Sha256};
use std::cell::Cell;

/// As the page names the program.
const MAKER: &str = concat!("h2lens ", env!("CARGO_PKG_VERSION"));

/// What the page tells.
#[derive(Debug)]
pub(super) struct Page<'a> {
    /// The captures' names.
    pub(super) inputs: &'a [String],
    pub(super) period: Period,
    /// The calls that are held.
    pub(super) calls: &'a [HeldCall],
    /// All calls.
    pub(super) seen: u64,
    pub(super) endpoints: &'a Endpoints,
    pub(super) causes: &'a Causes,
    pub(super) findings: &'a Findings,
    pub(super) connections: &'a Connections,
    pub(super) report: &'a Report,
}

/// A place in the page for what is too much to be made with it: how many bytes of the page stand before it. Its template is
/// the outermost one, as others are texts of their own.
#[derive(Default)]
struct Place(Cell<usize>);

impl Render for Place {
    fn render_to(&self, out: &mut String) {
        self.0.set(out.len());
    }
}

impl Page<'_> {
    /// What stands before the [data](data::calls) of the calls, and what stands behind them.
    pub(super) fn around_data(&self) -> (String, String) {
        let held = self.calls.len() as u64;
        let data = Place::default();
        let page = html! {
            (DOCTYPE) "\n"
            html lang="en" {
                (self.head()) "\n"
                body {
                    a.skip href="#calls" { "Skip to all calls" } "\n"
                    (self.first_screen()) "\n"
                    (navigation()) "\n"
                    main {
                        (endpoints(self.endpoints)) "\n"
                        (failures(self.causes, self.seen)) "\n"
                        (slowest(self.calls)) "\n"
                        (connections(self.connections)) "\n"
                        (findings(self.findings)) "\n"
                        (coverage(self.report)) "\n"
                        (all_calls(held, self.seen)) "\n"
                    }
                    "\n"
                    aside #detail data-h2lens="detail" aria-label="One call" tabindex="-1" hidden {}
                    div #tip role="status" hidden {}
                    footer {
                        "Made by " (MAKER) " from a packet capture. All times are packet times, in UTC. "
                        "The page asks for nothing from anywhere."
                    }
                    "\n"
                    (data)
                    (data::about(self.calls.len(), self.period)) "\n"
                    // Ours, and as the policy's hash has it: escaped it would be another.
                    script { (PreEscaped(SCRIPT)) } "\n"
                }
                "\n"
            }
            "\n"
        };
        let mut before = page.into_string();
        let behind = before.split_off(data.0.get());
        (before, behind)
    }

    fn head(&self) -> Markup {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
        let policy = html! {
            "default-src 'none'; script-src 'sha256-" (hash(SCRIPT)) "'; style-src 'sha256-" (hash(STYLE))
            "'; base-uri 'none'; form-action 'none'"
        };
        html! {
            head {
                meta charset="utf-8"; "\n"
                meta http-equiv="Content-Security-Policy" content=(policy); "\n"
                meta name="viewport" content="width=device-width, initial-scale=1"; "\n"
                meta name="color-scheme" content="light dark"; "\n"
                meta name="generator" content=(MAKER); "\n"
                title { (Visible(self.title())) } "\n"
                // Ours, and as the policy's hash has it.
                style { (PreEscaped(STYLE)) }
            }
        }
    }

    fn title(&self) -> String {
        match self.inputs {
            [] => "HTTP/2 report".to_owned(),
            [only] => format!("HTTP/2 report: {only}"),
            [first, others @ ..] => format!("HTTP/2 report: {first} and {} more", others.len()),
        }
    }

    fn first_screen(&self) -> Markup {
        let (held, failed) = (self.calls.len() as u64, self.causes.calls());
        html! {
            header {
                h1 { "HTTP/2 report" } "\n"
                (first_screen::origin(self.inputs, self.period)) "\n"
                (first_screen::cards(self.seen, held, failed, &self.endpoints.total.duration)) "\n"
                (first_screen::completeness(&self.report.coverage)) "\n"
                div.two {
                    (first_screen::worst(self.endpoints)) "\n"
                    (first_screen::why(self.causes, self.seen))
                }
            }
        }
    }
}

fn navigation() -> Markup {
    html! {
        nav aria-label="Parts of the report" {
            a href="#endpoints" { "Endpoints" }
            a href="#failures" { "Failures" }
            a href="#slowest" { "Slowest" }
            a href="#connections" { "Connections" }
            a href="#findings" { "Findings" }
            a href="#coverage" { "Coverage" }
            a href="#calls" { "All calls" }
        }
    }
}

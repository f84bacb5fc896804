//! What stands in the tables of the window.

use super::call::{Call, OpenCall, shown};
use super::endpoints::{EndpointRow, Figures};
use super::model::{Connection, Model};
use crate::base::endpoint::Endpoint;
use crate::base::time::Timestamp;
use crate::export::Span;
use std::ops::Range;

/// The tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tab {
    #[default]
    Endpoints,
    Calls,
    Open,
    Connections,
}

/// A row: its cells, whether it tells of something bad, and the exchange that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TableRow {
    pub(super) cells: Vec<String>,
    pub(super) bad: bool,
    /// Its place in [`Model::latest`]; of exchanges alone.
    pub(super) call: Option<usize>,
}

/// How endpoints are sorted: by which column, the greatest first or last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SortBy {
    pub(super) column: usize,
    pub(super) descending: bool,
}

impl Default for SortBy {
    fn default() -> Self {
        Self { column: 5, descending: true }
    }
}

/// Seconds of age beyond which an exchange under way is taken to hang.
const HANGS_NANOS: u64 = 5_000_000_000;

impl Tab {
    pub(super) const ALL: [Self; 4] = [Self::Endpoints, Self::Calls, Self::Open, Self::Connections];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Endpoints => "Endpoints",
            Self::Calls => "Calls",
            Self::Open => "In flight",
            Self::Connections => "Connections",
        }
    }

    /// The names of its columns; each with the characters that it takes, 0 for what is left.
    pub(super) const fn columns(self) -> &'static [(&'static str, u16)] {
        match self {
            Self::Endpoints => &[
                ("endpoint", 0),
                ("/s 10s", 7),
                ("fail", 6),
                ("p50", 8),
                ("p99", 8),
                ("calls", 8),
                ("fail", 6),
                ("p50", 8),
                ("p99", 8),
            ],
            Self::Calls => &[("time", 12), ("call", 0), ("status", 22), ("took", 9), ("stream", 12)],
            Self::Open => &[("age", 9), ("call", 0), ("client", 24), ("stream", 12)],
            Self::Connections => &[
                ("id", 8),
                ("client", 24),
                ("server", 0),
                ("calls", 8),
                ("fail", 6),
                ("open", 6),
                ("blocked", 9),
                ("", 6),
            ],
        }
    }

    /// How many rows it has.
    pub(super) fn len(self, model: &Model) -> usize {
        match self {
            Self::Endpoints => model.endpoints.len(),
            Self::Calls => model.matching().len(),
            Self::Open => model.open.len(),
            Self::Connections => model.connections.len(),
        }
    }

    /// Those of its rows that are seen; `now` is when ages are counted to.
    pub(super) fn rows(
        self,
        model: &mut Model,
        sort: SortBy,
        now: Timestamp,
        seen: Range<usize>,
    ) -> Vec<TableRow> {
        let (skip, take) = (seen.start, seen.len());
        match self {
            Self::Endpoints => {
                sorted(model, sort, now).into_iter().skip(skip).take(take).map(endpoint).collect()
            }
            Self::Calls => {
                model.latest().enumerate().skip(skip).take(take).map(|(at, of)| call(at, of)).collect()
            }
            Self::Open => {
                let mut open: Vec<_> = model.open.values().collect();
                open.sort_by_key(|call| call.first);
                open.into_iter().skip(skip).take(take).map(|call| under_way(call, now)).collect()
            }
            Self::Connections => {
                let latest = model.connections.iter().rev();
                latest.skip(skip).take(take).map(|(id, of)| connection(*id, of)).collect()
            }
        }
    }
}

fn sorted(model: &mut Model, sort: SortBy, now: Timestamp) -> Vec<EndpointRow> {
    let mut rows = model.endpoints.rows(now);
    let of = |figures: &Figures, at| match at {
        0 => figures.calls,
        1 => figures.failed,
        2 => figures.p50.unwrap_or(0),
        _ => figures.p99.unwrap_or(0),
    };
    let number = |row: &EndpointRow| match sort.column {
        column @ 1..5 => of(&row.recent, column - 1),
        column => of(&row.all, column.saturating_sub(5)),
    };
    match sort.column {
        0 => rows.sort_by(|a, b| a.name.cmp(&b.name)),
        _ => rows.sort_by(|a, b| number(a).cmp(&number(b)).then_with(|| b.name.cmp(&a.name))),
    }
    if sort.descending {
        rows.reverse();
    }
    rows
}

fn endpoint(row: EndpointRow) -> TableRow {
    let EndpointRow { name, recent, all } = row;
    // Calls of ten seconds.
    let rate = format!("{}.{}", recent.calls / 10, recent.calls % 10);
    let cells = vec![
        name.into_string(),
        rate,
        count(recent.failed),
        quantile(recent.p50),
        quantile(recent.p99),
        all.calls.to_string(),
        count(all.failed),
        quantile(all.p50),
        quantile(all.p99),
    ];
    TableRow { cells, bad: recent.failed > 0, call: None }
}

fn call(at: usize, call: &Call) -> TableRow {
    let time = call.end().rfc3339();
    let (connection, stream) = (call.connection.id, call.transaction.stream);
    let cells = vec![
        String::from_utf8_lossy(time.get(11..23).unwrap_or_default()).into_owned(),
        call.what(),
        call.outcome(),
        span(call.nanos()),
        format!("{connection}:{stream}"),
    ];
    TableRow { cells, bad: call.view().failure().is_some(), call: Some(at) }
}

fn under_way(call: &OpenCall, now: Timestamp) -> TableRow {
    let age = u64::try_from(now.since(call.first).as_nanos()).unwrap_or(u64::MAX);
    let cells = vec![
        span(age),
        call.what.to_string(),
        address(call.client),
        format!("{}:{}", call.connection, call.stream),
    ];
    TableRow { cells, bad: age >= HANGS_NANOS, call: None }
}

fn connection(id: u64, connection: &Connection) -> TableRow {
    let cells = vec![
        id.to_string(),
        address(connection.client),
        address(connection.server),
        connection.calls.to_string(),
        count(connection.failed),
        count(connection.open),
        if connection.blocked == 0 { String::new() } else { span(connection.blocked) },
        if connection.closed { "ended" } else { "" }.to_owned(),
    ];
    TableRow { cells, bad: connection.blocked > 0, call: None }
}

fn address(end: Endpoint) -> String {
    shown(end.to_string().as_bytes())
}

/// A number, where there is something to count.
fn count(number: u64) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

fn quantile(nanos: Option<u64>) -> String {
    nanos.map(span).unwrap_or_default()
}

fn span(nanos: u64) -> String {
    Span(nanos).to_string()
}

//! Rows → text. A short table is held, and printed when all its cells are known; a long or live one is printed in
//! fixed columns as it comes.

use super::cells::{parts, widths};
use super::layout::{GAP, LAST_MIN, Layout, fit, fit_middle, hide_wide};
use super::style::{self, Style};
use super::{AGENT_CELL, CELL, Column, REPEATS, SERVER_CELL, TIME, TIME_CELL, columns, endpoints, telemetry};
use crate::base::tuning::{TABLE_HELD_BYTES, TABLE_HELD_ROWS};
use crate::base::verdict::Verdict;
use crate::export::Options;
use crate::record::endpoint::Endpoints;
use crate::record::{Kind, Report};
use unicode_width::UnicodeWidthStr;

const KINDS: [Kind; 5] = [Kind::Transaction, Kind::Connection, Kind::Frame, Kind::Message, Kind::Finding];

/// Prints rows.
#[derive(Debug)]
pub(in crate::export) struct TablePrinter {
    options: Options,
    held: Vec<(Kind, String)>,
    held_bytes: usize,
    /// Set once rows are printed as they come.
    layouts: Option<[Layout; 5]>,
    /// Kinds whose heading was printed.
    headed: [bool; 5],
    date: Date,
}

const fn index(kind: Kind) -> usize {
    match kind {
        Kind::Transaction => 0,
        Kind::Connection => 1,
        Kind::Frame => 2,
        Kind::Message => 3,
        Kind::Finding => 4,
    }
}

impl TablePrinter {
    /// A printer; a live one, and one that shows header fields below the rows, holds no rows.
    pub(in crate::export) fn new(options: Options) -> Self {
        let mut printer = Self {
            options,
            held: Vec::new(),
            held_bytes: 0,
            layouts: None,
            headed: [false; 5],
            date: Date::default(),
        };
        if options.live || options.wanted.headers || options.excerpts {
            printer.layouts = Some(printer.freeze());
        }
        printer
    }

    /// Takes a row as [`super::rows`] made it.
    pub(in crate::export) fn row(&mut self, out: &mut Vec<u8>, kind: Kind, row: &str) {
        let row = row.trim_end_matches('\n').to_owned();
        if let Some(layouts) = &self.layouts {
            if let Some(layout) = layouts.get(index(kind)) {
                stream(out, &self.options, layout, kind, &mut self.headed, &mut self.date, &row);
            }
            return;
        }
        self.held_bytes += row.len();
        self.held.push((kind, row));
        if self.held.len() > TABLE_HELD_ROWS || self.held_bytes > TABLE_HELD_BYTES {
            let layouts = self.freeze();
            for (kind, row) in std::mem::take(&mut self.held) {
                if let Some(layout) = layouts.get(index(kind)) {
                    stream(out, &self.options, layout, kind, &mut self.headed, &mut self.date, &row);
                }
            }
            self.layouts = Some(layouts);
        }
    }

    /// Prints the endpoints below what was printed so far, or in a few lines what all calls add up to.
    pub(in crate::export) fn endpoints(&mut self, out: &mut Vec<u8>, endpoints: &Endpoints) {
        self.finish(out);
        if self.options.wanted.endpoints {
            if self.shows_records() {
                out.push(b'\n');
            }
            endpoints::print(out, endpoints, &self.options);
        } else if self.options.footer {
            endpoints::footer(out, endpoints);
        }
    }

    /// Prints the telemetry below what was printed so far.
    pub(in crate::export) fn telemetry(&mut self, out: &mut Vec<u8>, report: &Report) {
        self.finish(out);
        if self.layouts.is_some() || self.shows_records() || self.options.wanted.endpoints {
            out.push(b'\n');
        }
        telemetry::print(out, report, self.options.color);
    }

    /// Prints the rows held.
    pub(in crate::export) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.layouts.is_some() {
            return;
        }
        let held = std::mem::take(&mut self.held);
        let mut first = true;
        for (kind, slot) in KINDS.into_iter().zip(0..) {
            let wanted = self.wants(kind);
            let Some(headed) = self.headed.get_mut(slot).filter(|headed| wanted && !**headed) else {
                continue;
            };
            *headed = true;
            if !std::mem::take(&mut first) {
                out.push(b'\n');
            }
            let rows: Vec<&str> =
                held.iter().filter(|(own, _)| *own == kind).map(|(_, row)| row.as_str()).collect();
            if rows.is_empty() {
                out.extend_from_slice(format!("No {}.\n", plural(kind)).as_bytes());
            } else {
                table(out, kind, &rows, &self.options, &mut Date::default());
            }
        }
    }

    fn wants(&self, kind: Kind) -> bool {
        let wanted = &self.options.wanted;
        match kind {
            Kind::Transaction => wanted.transactions,
            Kind::Connection => wanted.connections,
            Kind::Frame => wanted.frames,
            Kind::Message => wanted.messages,
            Kind::Finding => wanted.findings,
        }
    }

    fn shows_records(&self) -> bool {
        KINDS.into_iter().any(|kind| self.wants(kind))
    }

    /// Layouts for rows that are not known yet: the usual widths, or those of the rows held where they are greater.
    fn freeze(&self) -> [Layout; 5] {
        let tag = if self.options.several_kinds() { TAG_LEN } else { 0 };
        KINDS.map(|kind| {
            let columns = columns(kind);
            let rows = self.held.iter().filter(|(own, _)| *own == kind).map(|(_, row)| row.as_str());
            let mut widths = widths(columns, rows);
            for (at, (width, column)) in widths.iter_mut().zip(columns).enumerate() {
                if at + 1 == columns.len() {
                    *width = LAST_MIN;
                } else if kind != Kind::Transaction || at != AGENT_CELL || self.options.agent() {
                    *width = column.usual.max(*width);
                }
            }
            hide_wide(columns, &mut widths, self.options.width);
            Layout::new(
                columns,
                &widths,
                self.options.width.map(|line| usize::from(line).saturating_sub(tag)),
            )
        })
    }
}

/// Bytes of a row's tag and the blank behind it.
const TAG_LEN: usize = 6;

/// What rows begin with where several kinds are mixed.
const fn tag(kind: Kind) -> &'static str {
    match kind {
        Kind::Transaction => "call  ",
        Kind::Connection => "conn  ",
        Kind::Frame => "frame ",
        Kind::Message => "msg   ",
        Kind::Finding => "find  ",
    }
}

const fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Transaction => "transactions",
        Kind::Connection => "connections",
        Kind::Frame => "frames",
        Kind::Message => "messages",
        Kind::Finding => "findings",
    }
}

/// A transaction's row with the reason why the agent missed it; `None` where it did not.
pub(in crate::export) fn with_verdict(row: &str, verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::Missed(reason) => Some(with_cell(row, AGENT_CELL, reason.name())),
        Verdict::Seen(_) => None,
    }
}

/// The row with another text in one of its cells.
fn with_cell(row: &str, cell: usize, text: &str) -> String {
    let mut out = String::with_capacity(row.len() + text.len());
    for (at, own) in row.split(CELL).enumerate() {
        if at > 0 {
            out.push(CELL);
        }
        out.push_str(if at == cell { text } else { own });
    }
    out
}

/// Prints one row in fixed columns, below its heading if it is the first of its kind.
fn stream(
    out: &mut Vec<u8>,
    options: &Options,
    layout: &Layout,
    kind: Kind,
    headed: &mut [bool; 5],
    date: &mut Date,
    row: &str,
) {
    let tagged = options.several_kinds();
    if let Some(headed) = headed.get_mut(index(kind)).filter(|headed| !**headed) {
        *headed = true;
        heading(out, options, layout, (kind, tagged));
    }
    // Nobody knows yet whether the capture will cross a date: the first one goes without saying.
    if date.0.is_empty() {
        date.note(row);
    }
    date.line(out, row);
    print_row(out, options, layout, (kind, tagged), row);
}

/// Prints a table's heading.
fn heading(out: &mut Vec<u8>, options: &Options, layout: &Layout, (kind, tagged): (Kind, bool)) {
    let title = |column: &Column| if column.title == TIME { options.zone.title() } else { column.title };
    let titles: Vec<&str> = columns(kind).iter().map(title).collect();
    line(out, options, layout, (kind, tagged), |at| titles.get(at).copied(), |_| style::HEADING);
}

/// Prints a row and the lines below it.
fn print_row(out: &mut Vec<u8>, options: &Options, layout: &Layout, (kind, tagged): (Kind, bool), row: &str) {
    let (class, cells, extra) = parts(row);
    let mut cells: Vec<&str> = cells.collect();
    if let Some((_, time)) = cells.get(TIME_CELL).and_then(|time| time.split_once('T'))
        && let Some(cell) = cells.get_mut(TIME_CELL)
    {
        *cell = time;
    }
    // What the SERVER column tells is not told again.
    let told = kind == Kind::Transaction && layout.columns.iter().any(|&(at, _)| at == SERVER_CELL);
    let last = cells.pop().unwrap_or_default();
    let url = match last.split_once(REPEATS) {
        None => last.to_owned(),
        Some((_, path)) if told => path.to_owned(),
        Some((authority, path)) => authority.to_owned() + path,
    };
    cells.push(&url);
    let style = |column: &Column| if column.colored { style::of(class) } else { Style::new() };
    line(out, options, layout, (kind, tagged), |at| cells.get(at).copied(), style);
    for text in extra {
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    }
}

/// Prints one line in fixed columns; where kinds are mixed, it begins with the record's.
fn line<'a>(
    out: &mut Vec<u8>,
    options: &Options,
    layout: &Layout,
    (kind, tagged): (Kind, bool),
    cell: impl Fn(usize) -> Option<&'a str>,
    style: impl Fn(&Column) -> Style,
) {
    let columns = columns(kind);
    let mut text = String::with_capacity(options.width.unwrap_or(200).into());
    if tagged {
        text.push_str(tag(kind));
    }
    for &(at, width) in &layout.columns {
        let Some(column) = columns.get(at) else { continue };
        let value = cell(at).unwrap_or_default();
        if at + 1 == columns.len() {
            match (options.width, kind) {
                (Some(_), Kind::Transaction) => fit_middle(&mut text, value, width),
                (Some(_), _) if value.width() > width => fit(&mut text, value, width, false),
                _ => text.push_str(value),
            }
            break;
        }
        let style = style(column);
        if options.color && !value.is_empty() {
            text.push_str(&style.render().to_string());
            fit(&mut text, value, width, column.right);
            text.push_str(&style.render_reset().to_string());
        } else {
            fit(&mut text, value, width, column.right);
        }
        text.extend(std::iter::repeat_n(' ', GAP));
    }
    out.extend_from_slice(text.trim_end().as_bytes());
    out.push(b'\n');
}

/// Prints a whole table.
fn table(out: &mut Vec<u8>, kind: Kind, rows: &[&str], options: &Options, date: &mut Date) {
    let columns = columns(kind);
    let mut widths = widths(columns, rows.iter().copied());
    hide_wide(columns, &mut widths, options.width);
    let layout = Layout::new(columns, &widths, options.width.map(usize::from));
    heading(out, options, &layout, (kind, false));
    let mut dates = rows.iter().map(|row| date_of(row));
    let first = dates.next();
    let crossed = dates.any(|date| Some(date) != first);
    for row in rows {
        if crossed {
            date.line(out, row);
        }
        print_row(out, options, &layout, (kind, false), row);
    }
}

/// The date of a row.
fn date_of(row: &str) -> &str {
    let (_, mut cells, _) = parts(row);
    cells.nth(TIME_CELL).and_then(|time| time.split_once('T')).map_or("", |(date, _)| date)
}

/// The date of the row printed last.
#[derive(Debug, Default)]
struct Date(String);

impl Date {
    /// Prints a line with the row's date, unless the row before had the same.
    fn line(&mut self, out: &mut Vec<u8>, row: &str) {
        let date = date_of(row);
        if !date.is_empty() && date != self.0 {
            out.extend_from_slice(date.as_bytes());
            out.push(b'\n');
            self.note(row);
        }
    }

    /// Takes the row's date without a word.
    fn note(&mut self, row: &str) {
        self.0.clear();
        self.0.push_str(date_of(row));
    }
}

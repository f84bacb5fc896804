//! Draws the screen.

use super::endpoints::RECENT;
use super::keys::HELP;
use super::rows::{Tab, TableRow};
use super::screen::{Over, Screen};
use crate::base::time::Timestamp;
use crate::export::visible;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Clear, Paragraph, Row, Table};

const HEAD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const BAD: Style = Style::new().fg(Color::Red);
const MARKED: Style = Style::new().add_modifier(Modifier::REVERSED);

/// Columns that what takes the room that is left has at the least.
const LEAST: u16 = 10;

/// Draws it; `now` is when ages are counted to.
pub(super) fn draw(frame: &mut Frame<'_>, screen: &mut Screen, now: Timestamp) {
    let [title, tabs, table, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(2),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(title_line(screen), title);
    frame.render_widget(tab_line(screen), tabs);
    // The first line has the columns' names.
    let rows = screen.rows(usize::from(table.height.saturating_sub(1)), now);
    draw_table(frame, screen, rows, table);
    frame.render_widget(foot_line(screen), foot);
    match &screen.over {
        Over::Nothing | Over::Prompt(..) => (),
        Over::Help => help(frame),
        Over::Detail(lines, first) => detail(frame, lines, *first),
    }
}

fn title_line(screen: &Screen) -> Line<'_> {
    let counts = &screen.seen().counts;
    let state = match (screen.frozen.is_some(), screen.ended) {
        (true, _) => "stands still",
        (false, true) => "read to the end",
        (false, false) => "reading",
    };
    let mut spans = vec![
        Span::styled("h2lens ", HEAD),
        Span::raw(format!("{}  {state}  {} calls, ", visible(&screen.source), counts.calls)),
        Span::styled(format!("{} failed", counts.failed), if counts.failed > 0 { BAD } else { Style::new() }),
    ];
    // What is missing comes before what the window has no room for: a narrow terminal cuts the line.
    if counts.dropped > 0 {
        spans.push(Span::styled(format!(", {} packets dropped by the kernel", counts.dropped), BAD));
    }
    for (count, what) in [
        (counts.forgotten, "no longer held"),
        (counts.left_out, "not shown, too many"),
        (counts.missed, "missed, too fast"),
        (screen.seen().endpoints.recent_limited, "left out of the last 10 s"),
    ] {
        if count > 0 {
            spans.push(Span::styled(format!(", {count} {what}"), DIM));
        }
    }
    Line::from(spans)
}

fn tab_line(screen: &Screen) -> Line<'_> {
    let model = screen.seen();
    let mut spans = Vec::new();
    for (number, tab) in (1..).zip(Tab::ALL) {
        let text = format!(" {number} {} {} ", tab.title(), tab.len(model));
        spans.push(Span::styled(text, if tab == screen.tab { MARKED } else { Style::new() }));
    }
    if !screen.filter.trim().is_empty() {
        spans.push(Span::styled(format!("  where {}", visible(&screen.filter)), DIM));
    }
    Line::from(spans)
}

fn draw_table(frame: &mut Frame<'_>, screen: &Screen, rows: Vec<TableRow>, area: Rect) {
    let columns = screen.tab.columns();
    let kept = fitting(columns, area.width);
    let names = kept.iter().filter_map(|&at| Some((at, columns.get(at)?))).map(|(at, (name, width))| {
        let sorted = screen.tab == Tab::Endpoints && at == screen.sort.column;
        let arrow = if screen.sort.descending { "↓" } else { "↑" };
        cell(format!("{name}{}", if sorted { arrow } else { "" }), *width)
    });
    let names = Row::new(names.collect::<Vec<_>>()).style(HEAD);
    let marked = screen.selected - screen.top.min(screen.selected);
    let rows = rows.into_iter().enumerate().map(|(at, row)| {
        let cells = row.cells.into_iter().zip(columns).enumerate();
        let cells =
            cells.filter(|(at, _)| kept.contains(at)).map(|(_, (text, (_, width)))| cell(text, *width));
        let style = if row.bad { BAD } else { Style::new() };
        Row::new(cells.collect::<Vec<_>>()).style(if at == marked { style.patch(MARKED) } else { style })
    });
    let widths = kept.iter().filter_map(|&at| columns.get(at)).map(|(_, width)| match width {
        0 => Constraint::Min(LEAST),
        width => Constraint::Length(*width),
    });
    frame.render_widget(Table::new(rows, widths.collect::<Vec<_>>()).header(names), area);
}

/// Which of the columns there is room for: those at the right go first, and what takes the room that is left stays.
fn fitting(columns: &[(&str, u16)], room: u16) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let width =
        |at: &usize| columns.get(*at).map_or(0, |(_, width)| if *width == 0 { LEAST } else { *width });
    while kept.iter().map(width).sum::<u16>() + kept.len().saturating_sub(1) as u16 > room
        && let Some(last) = kept.iter().rposition(|&at| columns.get(at).is_some_and(|(_, width)| *width > 0))
    {
        kept.remove(last);
    }
    kept
}

/// Numbers stand at the right, what takes the room that is left at the left.
fn cell(text: String, width: u16) -> Cell<'static> {
    let is_number = width > 0 && width < 10;
    let line = Line::from(if width > 0 { cut(text, width.into()) } else { text });
    Cell::from(if is_number { line.alignment(Alignment::Right) } else { line })
}

/// The text in so many columns: of a number that is cut one must see that it is.
fn cut(text: String, width: usize) -> String {
    if Span::raw(&text).width() <= width {
        return text;
    }
    let mut end = text.len();
    while let Some((at, _)) = text.get(..end).and_then(|text| text.char_indices().next_back()) {
        end = at;
        if text.get(..end).is_none_or(|text| Span::raw(text).width() < width) {
            break;
        }
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

fn foot_line(screen: &Screen) -> Line<'_> {
    match &screen.over {
        Over::Prompt(text, Some(error)) => {
            Line::from(vec![Span::raw(format!("/{}  ", visible(text))), Span::styled(visible(error), BAD)])
        }
        Over::Prompt(text, None) => Line::from(format!("/{}▏", visible(text))),
        _ if !screen.note.is_empty() => Line::from(visible(&screen.note)),
        _ => {
            let recent = RECENT.as_secs();
            Line::styled(
                format!("? keys  / where  Space stand still  s save  q end  (left: last {recent} s)"),
                DIM,
            )
        }
    }
}

/// A box in the middle, with room for so many columns and lines.
fn over(frame: &mut Frame<'_>, width: u16, height: u16, title: &str) -> Rect {
    let whole = frame.area();
    let (width, height) = (width.min(whole.width), height.min(whole.height));
    let area = Rect {
        x: whole.x + (whole.width - width) / 2,
        y: whole.y + (whole.height - height) / 2,
        width,
        height,
    };
    let block = Block::bordered().title(format!(" {title} "));
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    inner
}

fn help(frame: &mut Frame<'_>) {
    let inner = over(frame, 84, HELP.len() as u16 + 2, "Keys");
    let lines = HELP
        .iter()
        .map(|(keys, what)| Line::from(vec![Span::styled(format!("{keys:<20}"), HEAD), Span::raw(*what)]));
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), inner);
}

fn detail(frame: &mut Frame<'_>, lines: &[(String, bool)], first: usize) {
    let whole = frame.area();
    let inner =
        over(frame, whole.width.saturating_sub(4), whole.height.saturating_sub(2), "Exchange: Esc closes");
    let seen = lines.iter().skip(first).take(usize::from(inner.height));
    let lines = seen.map(|(text, bad)| Line::styled(text.as_str(), if *bad { BAD } else { Style::new() }));
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), inner);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_without_room_are_left_out_and_not_cut() {
        let columns = [("name", 0), ("calls", 7), ("p99", 8)];
        for (room, kept) in [(100, 3), (27, 3), (26, 2), (18, 2), (17, 1), (1, 1), (0, 1)] {
            assert_eq!(fitting(&columns, room), (0..kept).collect::<Vec<_>>(), "{room}");
        }
        assert_eq!(fitting(&[("time", 12), ("call", 0), ("took", 9)], 15), [1]);
    }

    #[test]
    fn a_text_that_is_cut_says_so() {
        for (text, width, shown) in [
            ("3.49 ms", 7, "3.49 ms"),
            ("12345678", 7, "123456…"),
            ("中文字", 6, "中文字"),
            ("中文字", 5, "中文…"),
            ("中文字", 4, "中…"),
            ("ab", 1, "…"),
        ] {
            assert_eq!(cut(text.to_owned(), width), shown);
        }
    }
}

//! The cells of a row that a worker has rendered, and how wide they are.

use super::{CELL, Class, Column, EXTRA, TIME_CELL};
use unicode_width::UnicodeWidthStr;

/// A row's class, its cells, and the lines below it.
pub(super) fn parts(row: &str) -> (Class, impl Iterator<Item = &str>, impl Iterator<Item = &str>) {
    let mut lines = row.split(EXTRA);
    let cells = lines.next().unwrap_or_default();
    (Class::of(cells.bytes().next()), cells.get(1..).unwrap_or_default().split(CELL), lines)
}

/// The widest cell of each column.
pub(super) fn widths<'a>(columns: &[Column], rows: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut widths = vec![0; columns.len()];
    for row in rows {
        let (_, cells, _) = parts(row);
        for (at, (width, cell)) in widths.iter_mut().zip(cells).enumerate() {
            let time = cell.split_once('T').filter(|_| at == TIME_CELL);
            *width = time.map_or(cell, |(_, time)| time).width().max(*width);
        }
    }
    widths
}

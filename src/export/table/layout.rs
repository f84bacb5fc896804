//! Which columns fit, and how wide they are.

use super::Column;
use unicode_width::UnicodeWidthStr;

/// Blanks between columns.
pub(super) const GAP: usize = 2;
/// The last column has at least this much room where it needs it: other columns make way for it.
pub(super) const LAST_MIN: usize = 24;

/// The columns that are shown: index and width; the last one's width is what is left of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub columns: Vec<(usize, usize)>,
}

impl Layout {
    /// Chooses the columns. `widths` holds the widest cell of each; an empty column (0) is left out, if it is not the
    /// last. `line` is the room on a line.
    pub(super) fn new(columns: &[Column], widths: &[usize], line: Option<usize>) -> Self {
        let last = columns.len().saturating_sub(1);
        let mut shown: Vec<(usize, usize)> = columns
            .iter()
            .zip(widths)
            .enumerate()
            .filter(|&(index, (_, &width))| width > 0 || index == last)
            .map(|(index, (column, &width))| {
                let most = if line.is_some() { column.max } else { usize::MAX };
                (index, width.min(most).max(column.title.len()))
            })
            .collect();
        let Some(line) = line else { return Self { columns: shown } };
        let wanted = widths.get(last).copied().unwrap_or_default().clamp(1, LAST_MIN);
        loop {
            let others: usize =
                shown.iter().filter(|(index, _)| *index != last).map(|(_, width)| width + GAP).sum();
            if others + wanted <= line {
                if let Some((_, width)) = shown.last_mut() {
                    *width = line - others;
                }
                return Self { columns: shown };
            }
            let drop = |index: usize| columns.get(index).map_or(0, |column| column.drop);
            let Some(first) = shown
                .iter()
                .map(|&(index, _)| index)
                .filter(|&index| drop(index) > 0)
                .max_by_key(|&index| drop(index))
            else {
                // Nothing may go: the line is longer than the terminal.
                if let Some((_, width)) = shown.last_mut() {
                    *width = wanted;
                }
                return Self { columns: shown };
            };
            shown.retain(|&(index, _)| index != first);
        }
    }
}

/// `text` cut or filled up to `width` columns.
pub(super) fn fit(out: &mut String, text: &str, width: usize, right: bool) {
    let own = text.width();
    if own > width {
        let mut room = width.saturating_sub(1);
        for char in text.chars() {
            let char_width = text_width(char);
            if char_width > room {
                break;
            }
            room -= char_width;
            out.push(char);
        }
        out.push('…');
        out.extend(std::iter::repeat_n(' ', room));
        return;
    }
    let blanks = std::iter::repeat_n(' ', width - own);
    if right {
        out.extend(blanks);
        out.push_str(text);
    } else {
        out.push_str(text);
        out.extend(blanks);
    }
}

fn text_width(char: char) -> usize {
    char.encode_utf8(&mut [0; 4]).width()
}

#[cfg(test)]
mod tests {
    use super::super::{left, right};
    use super::*;

    const COLUMNS: [Column; 4] = [left("A", 2, 0), left("BB", 0, 0), right("C", 1, 0), left("URL", 0, 0)];

    #[test]
    fn everything_is_shown_where_there_is_room() {
        assert_eq!(
            Layout::new(&COLUMNS, &[5, 1, 3, 90], Some(80)).columns,
            [(0, 5), (1, 2), (2, 3), (3, 80 - 7 - 4 - 5)]
        );
        assert_eq!(Layout::new(&COLUMNS, &[5, 1, 3, 90], None).columns, [(0, 5), (1, 2), (2, 3), (3, 90)]);
    }

    #[test]
    fn columns_go_by_their_number() {
        assert_eq!(Layout::new(&COLUMNS, &[5, 1, 3, 90], Some(34)).columns, [(1, 2), (2, 3), (3, 25)]);
        assert_eq!(Layout::new(&COLUMNS, &[5, 1, 3, 90], Some(10)).columns, [(1, 2), (3, 24)]);
    }

    #[test]
    fn a_column_without_cells_is_left_out() {
        assert_eq!(Layout::new(&COLUMNS, &[0, 1, 3, 0], Some(80)).columns, [(1, 2), (2, 3), (3, 71)]);
    }

    #[test]
    fn cells_are_cut_and_filled_by_columns_not_characters() {
        for (text, right, shown) in [
            ("abc", false, "abc  "),
            ("abc", true, "  abc"),
            ("abcdef", false, "abcd…"),
            ("日本語", false, "日本…"),
            ("a日本x", false, "a日… "),
        ] {
            let mut out = String::new();
            fit(&mut out, text, 5, right);
            assert_eq!(out, shown);
        }
    }
}

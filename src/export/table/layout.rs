//! Which columns fit, and how wide they are.

use super::Column;
use unicode_width::UnicodeWidthStr;

/// Blanks between columns.
pub(super) const GAP: usize = 2;
/// The last column has at least this much room where it needs it: other columns make way for it.
pub(super) const LAST_MIN: usize = 24;
/// So much room it has when nothing may make way any more: other columns are cut for it.
const LAST_LEAST: usize = 12;
/// Columns are not cut to less.
const LEAST: usize = 4;

/// The columns that are shown: index and width; the last one's width is what is left of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub columns: Vec<(usize, usize)>,
}

impl Layout {
    /// Chooses the columns. `widths` holds the widest cell of each; an empty column (0) is left out. `line` is the room on a
    /// line.
    pub(super) fn new(columns: &[Column], widths: &[usize], line: Option<usize>) -> Self {
        let last = columns.len().saturating_sub(1);
        let Some((&wanted, others)) = widths.split_last() else { return Self { columns: Vec::new() } };
        if wanted == 0 {
            // The last but one does not take what is left of the line: it may be aligned to the right.
            let widths = [others, &[1]].concat();
            let mut layout = Self::new(columns, &widths, line.map(|line| line + GAP + 1));
            layout.columns.retain(|&(index, _)| index != last);
            return layout;
        }
        let mut shown: Vec<(usize, usize)> = columns
            .iter()
            .zip(widths)
            .enumerate()
            .filter(|&(_, (_, &width))| width > 0)
            .map(|(index, (column, &width))| {
                let most = if line.is_some() { column.max } else { usize::MAX };
                (index, width.min(most).max(column.title.len()))
            })
            .collect();
        let Some(line) = line else { return Self { columns: shown } };
        let wanted = wanted.min(LAST_MIN);
        loop {
            let others: usize =
                shown.iter().filter(|(index, _)| *index != last).map(|(_, width)| width + GAP).sum();
            if others + wanted <= line {
                return Self { columns: spread(shown, widths, line - others) };
            }
            let drop = |index: usize| columns.get(index).map_or(0, |column| column.drop);
            let Some(first) = shown
                .iter()
                .map(|&(index, _)| index)
                .filter(|&index| drop(index) > 0)
                .max_by_key(|&index| drop(index))
            else {
                return Self { columns: squeezed(shown, wanted.min(LAST_LEAST), line) };
            };
            shown.retain(|&(index, _)| index != first);
        }
    }
}

/// Leaves out the columns that want a longer line than this.
pub(super) fn hide_wide(columns: &[Column], widths: &mut [usize], line: Option<u16>) {
    for (column, width) in columns.iter().zip(widths) {
        if line.is_some_and(|line| line < column.from) {
            *width = 0;
        }
    }
}

/// The last column gets what is left of the line; what it does not need, others get that were cut.
fn spread(mut shown: Vec<(usize, usize)>, widths: &[usize], left: usize) -> Vec<(usize, usize)> {
    let Some(((last, own), others)) = shown.split_last_mut() else { return shown };
    let mut spare = left.saturating_sub(widths.get(*last).copied().unwrap_or_default());
    *own = left;
    for (index, width) in others {
        let more = widths.get(*index).copied().unwrap_or_default().saturating_sub(*width).min(spare);
        *width += more;
        *own -= more;
        spare -= more;
    }
    shown
}

/// No column may go any more: the last one gets what is left, but at least `least`, for which the widest others are cut.
fn squeezed(mut shown: Vec<(usize, usize)>, least: usize, line: usize) -> Vec<(usize, usize)> {
    let Some(((_, last), others)) = shown.split_last_mut() else { return shown };
    loop {
        let taken: usize = others.iter().map(|(_, width)| *width + GAP).sum();
        if taken + least <= line {
            *last = line - taken;
            return shown;
        }
        match others.iter_mut().map(|(_, width)| width).max() {
            Some(widest) if *widest > LEAST => *widest -= 1,
            _ => {
                *last = least;
                return shown;
            }
        }
    }
}

/// `text` with its middle cut out where it is wider than `width`: of a URL both ends tell more. The first part gets a
/// third of the room.
pub(super) fn fit_middle(out: &mut String, text: &str, width: usize) {
    if text.width() <= width {
        out.push_str(text);
        return;
    }
    let room = width.saturating_sub(1);
    let head = taken(text.chars(), room / 3);
    let tail = taken(text.chars().rev(), room - room / 3);
    out.extend(text.chars().take(head));
    out.push('…');
    let skipped = text.chars().count().saturating_sub(tail);
    out.extend(text.chars().skip(skipped));
}

/// How many characters fit into the room.
fn taken(chars: impl Iterator<Item = char>, mut room: usize) -> usize {
    chars
        .take_while(|&char| {
            let width = text_width(char);
            let fits = width <= room;
            room = room.saturating_sub(width);
            fits
        })
        .count()
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
        assert_eq!(Layout::new(&COLUMNS, &[5, 1, 3, 90], Some(26)).columns, [(1, 2), (3, 22)]);
        assert_eq!(Layout::new(&COLUMNS, &[5, 30, 3, 90], Some(30)).columns, [(1, 16), (3, 12)]);
        assert_eq!(Layout::new(&COLUMNS, &[5, 30, 3, 90], Some(9)).columns, [(1, 4), (3, 12)]);
    }

    #[test]
    fn a_column_without_cells_is_left_out() {
        assert_eq!(Layout::new(&COLUMNS, &[0, 1, 3, 0], Some(80)).columns, [(1, 2), (2, 3)]);
    }

    #[test]
    fn the_middle_of_a_url_is_cut_out() {
        for (text, width, shown) in [
            ("/short", 10, "/short"),
            ("users.example:8080/v1/users/42?q=1", 19, "users.…/users/42?q=1"),
            ("/日本語日本語日本語", 10, "/日…本語"),
            ("/abc", 1, "…"),
            ("/abc", 0, "…"),
        ] {
            let mut out = String::new();
            fit_middle(&mut out, text, width);
            assert!(out == shown || out.width() <= width.max(1), "{out}");
            assert_eq!(out.contains('…'), text.width() > width, "{out}");
        }
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

//! What the keys do.

use super::rows::Tab;
use super::screen::{Over, Screen};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::path::Path;

/// The keys, as `?` shows them.
pub(super) const HELP: [(&str, &str); 12] = [
    ("1 2 3 4, Tab", "endpoints, calls, in flight, connections"),
    ("↑ ↓, j k", "one row"),
    ("Page Up, Page Down", "one screen"),
    ("Home, End", "first and last row"),
    ("Enter", "open the exchange"),
    ("Esc", "back"),
    ("< >", "sort endpoints by the column before, or the next"),
    ("r", "sort the other way round"),
    ("/", "show those alone that match, as --where does; empty: all"),
    ("Space", "stand still, and go on"),
    ("s", "save the exchanges that are shown as NDJSON"),
    ("q, Ctrl-C", "end"),
];

/// Takes a key; `true` ends the window.
pub(super) fn take(screen: &mut Screen, key: KeyEvent, directory: &Path) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    if control && matches!(key.code, KeyCode::Char('c')) {
        return true;
    }
    screen.note.clear();
    if let Over::Prompt(text, error) = &mut screen.over {
        *error = None;
        match key.code {
            KeyCode::Esc => screen.over = Over::Nothing,
            KeyCode::Enter => {
                let text = std::mem::take(text);
                screen.filter(text);
            }
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Char('u') if control => text.clear(),
            KeyCode::Char(char) if !control && !char.is_control() => text.push(char),
            _ => (),
        }
        return false;
    }
    match key.code {
        KeyCode::Char('q') => return true,
        KeyCode::Esc | KeyCode::Char('?') if !matches!(screen.over, Over::Nothing) => {
            screen.over = Over::Nothing;
        }
        KeyCode::Char('?') => screen.over = Over::Help,
        KeyCode::Char('/') => screen.over = Over::Prompt(screen.filter.clone(), None),
        KeyCode::Char(' ') => screen.freeze(),
        KeyCode::Char('s') => screen.save(directory),
        KeyCode::Enter => screen.open(),
        code => go(screen, code),
    }
    false
}

fn go(screen: &mut Screen, code: KeyCode) {
    let page = isize::try_from(screen.height).unwrap_or(isize::MAX);
    match code {
        KeyCode::Down | KeyCode::Char('j') => screen.go(1),
        KeyCode::Up | KeyCode::Char('k') => screen.go(-1),
        KeyCode::PageDown => screen.go(page),
        KeyCode::PageUp => screen.go(-page),
        KeyCode::Home | KeyCode::Char('g') => screen.go(isize::MIN),
        KeyCode::End | KeyCode::Char('G') => screen.go(isize::MAX),
        // What lies over the table is moved alone.
        _ if !matches!(screen.over, Over::Nothing) => (),
        KeyCode::Char('<') => screen.sort_by(false),
        KeyCode::Char('>') => screen.sort_by(true),
        KeyCode::Char('r') => screen.sort.descending = !screen.sort.descending,
        KeyCode::Tab => {
            let at = Tab::ALL.iter().position(|tab| *tab == screen.tab).unwrap_or_default();
            let next = Tab::ALL.iter().cycle().nth(at + 1);
            screen.go_to(next.copied().unwrap_or_default());
        }
        KeyCode::Char(digit @ '1'..='4') => {
            let tab = Tab::ALL.get((digit as usize).saturating_sub('1' as usize));
            screen.go_to(tab.copied().unwrap_or_default());
        }
        _ => (),
    }
}

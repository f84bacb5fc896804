//! Screens, drawn to a buffer.

use super::call::{Call, OpenCall};
use super::collector::Event;
use super::draw::draw;
use super::keys;
use super::model::Model;
use super::screen::{Over, Screen};
use crate::base::time::Timestamp;
use crate::record::samples::{everything, get, meta, tls_meta};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::path::Path;
use std::sync::Arc;

/// Two calls that have ended, and one that has not.
fn screen() -> Screen {
    let mut model = Model::default();
    for (connection, transaction) in [(meta(), get()), (tls_meta(), everything())] {
        model.take(Event::Ended(Arc::new(Call { connection, transaction })));
    }
    let mut waiting = get();
    waiting.stream = 9;
    model.take(Event::Opened(Arc::new(OpenCall::new(&meta(), &waiting))));
    Screen::new(model, "a.pcap".to_owned(), String::new(), false)
}

fn drawn(screen: &mut Screen) -> String {
    let mut terminal = Terminal::new(TestBackend::new(110, 14)).unwrap();
    let now = screen.model.now.after(std::time::Duration::from_secs(7));
    terminal.draw(|frame| draw(frame, screen, now)).unwrap();
    terminal.backend().to_string()
}

fn press(screen: &mut Screen, keys: &str) -> bool {
    let key = |char| match char {
        '\n' => KeyCode::Enter,
        '\x1b' => KeyCode::Esc,
        char => KeyCode::Char(char),
    };
    let modifiers = KeyModifiers::NONE;
    keys.chars().any(|char| keys::take(screen, KeyEvent::new(key(char), modifiers), Path::new("/nowhere")))
}

#[test]
fn each_table() {
    let mut screen = screen();
    for (key, name) in [("1", "endpoints"), ("2", "calls"), ("3", "in_flight"), ("4", "connections")] {
        press(&mut screen, key);
        insta::assert_snapshot!(name, drawn(&mut screen));
    }
}

#[test]
fn the_first_line_says_what_was_dropped() {
    let mut screen = screen();
    assert!(!drawn(&mut screen).contains("dropped"));
    // However much else there is to say.
    let counts = &mut screen.model.counts;
    (counts.dropped, counts.forgotten, counts.left_out, counts.missed) = (7, 1_234_567, 1_234_567, 1_234_567);
    assert!(drawn(&mut screen).contains(", 7 packets dropped by the kernel"));
}

#[test]
fn what_lies_over_a_table() {
    let mut screen = screen();
    press(&mut screen, "?");
    insta::assert_snapshot!("keys", drawn(&mut screen));
    press(&mut screen, "\x1b2j\n");
    insta::assert_snapshot!("exchange", drawn(&mut screen));
}

#[test]
fn a_filter_is_typed_and_a_wrong_one_is_told_of() {
    let mut screen = screen();
    press(&mut screen, "/status ==\n");
    assert!(matches!(&screen.over, Over::Prompt(text, Some(_)) if text == "status =="));
    insta::assert_snapshot!("wrong_filter", drawn(&mut screen));
    press(&mut screen, " 200 and method == GET\n2");
    assert!(matches!(screen.over, Over::Nothing));
    assert_eq!(screen.model.latest().count(), 1);
    assert!(drawn(&mut screen).contains("where status == 200 and method == GET"));
}

#[test]
fn a_screen_that_stands_still_goes_on_where_the_capture_is() {
    let mut screen = screen();
    press(&mut screen, " ");
    let before = drawn(&mut screen);
    let mut later = get();
    later.stream = 11;
    screen.model.take(Event::Ended(Arc::new(Call { connection: meta(), transaction: later })));
    assert_eq!(drawn(&mut screen), before);
    press(&mut screen, " ");
    assert!(drawn(&mut screen).contains("3 calls"));
}

#[test]
fn what_is_shown_is_saved_whole_or_not_at_all() {
    let (dir, mut screen) = (tempfile::tempdir().unwrap(), screen());
    screen.save(dir.path());
    screen.save(dir.path());
    let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "none is written over");
    let text = std::fs::read_to_string(&files[0]).unwrap();
    assert!(
        text.lines().all(|line| line.starts_with("{\"record\":\"transaction\"")) && text.lines().count() == 2
    );
    assert!(!text.contains("id=secret"));
    screen.save(Path::new("/nowhere"));
    assert!(screen.note.starts_with("not saved: "));
}

#[test]
fn keys_move_and_end() {
    let mut screen = screen();
    press(&mut screen, "2G");
    drawn(&mut screen);
    assert_eq!(screen.selected, 1);
    press(&mut screen, "kkk");
    assert_eq!(screen.selected, 0);
    press(&mut screen, "1>>r<");
    assert_eq!((screen.sort.column, screen.sort.descending), (6, true));
    assert!(!press(&mut screen, "/q\x1b") && press(&mut screen, "q"));
}

#[test]
fn any_size_is_drawn() {
    let mut screen = screen();
    for keys in ["1", "2", "3", "4", "?", "\x1b2\n"] {
        press(&mut screen, keys);
        for (width, height) in [(0, 0), (1, 1), (3, 2), (20, 4), (300, 80)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| draw(frame, &mut screen, Timestamp::default())).unwrap();
        }
    }
}

/// A number without its first digits is another number.
#[test]
fn no_window_is_so_narrow_that_numbers_are_cut() {
    let mut screen = screen();
    let mut row = |width| {
        let mut terminal = Terminal::new(TestBackend::new(width, 6)).unwrap();
        terminal.draw(|frame| draw(frame, &mut screen, Timestamp::default())).unwrap();
        let text = terminal.backend().to_string();
        let line = text.lines().nth(3).unwrap_or_default().trim_matches('"').trim_end().to_owned();
        line.rsplit("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let wide = row(110);
    for width in 1..110 {
        let narrow = row(width);
        let numbers = narrow.iter().filter(|cell| cell.starts_with(|first: char| first.is_ascii_digit()));
        for number in numbers {
            assert!(wide.contains(number), "{number} at {width}: {narrow:?} {wide:?}");
        }
    }
}

//! What is on the screen, beside what is known: which table, which row, what is asked for.

use super::call::Call;
use super::detail;
use super::model::Model;
use super::rows::{SortBy, Tab, TableRow};
use crate::base::time::Timestamp;
use crate::export::json_line;
use crate::filter::Filter;
use crate::record::schema::{Shown, TransactionObject};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The state of the screen.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) model: Model,
    /// What is shown in place of it while the screen stands still.
    pub(super) frozen: Option<Model>,
    pub(super) tab: Tab,
    pub(super) sort: SortBy,
    /// The row that is marked.
    pub(super) selected: usize,
    /// The first row that is seen, and how many are.
    pub(super) top: usize,
    pub(super) height: usize,
    pub(super) over: Over,
    /// The filter, as it was typed.
    pub(super) filter: String,
    /// What was done last, or went wrong.
    pub(super) note: String,
    /// What is being read.
    pub(super) source: String,
    /// Nothing more will come.
    pub(super) ended: bool,
    show_secrets: bool,
}

/// What lies over the table.
#[derive(Debug, Default)]
pub(super) enum Over {
    #[default]
    Nothing,
    Help,
    /// An exchange, and the first of its lines that is seen.
    Detail(Vec<(String, bool)>, usize),
    /// A filter that is being typed, and what is wrong with it.
    Prompt(String, Option<String>),
}

impl Screen {
    pub(super) fn new(model: Model, source: String, filter: String, show_secrets: bool) -> Self {
        Self {
            model,
            frozen: None,
            tab: Tab::default(),
            sort: SortBy::default(),
            selected: 0,
            top: 0,
            height: 1,
            over: Over::Nothing,
            filter,
            note: String::new(),
            source,
            ended: false,
            show_secrets,
        }
    }

    /// What is shown.
    pub(super) fn shown(&mut self) -> &mut Model {
        self.frozen.as_mut().unwrap_or(&mut self.model)
    }

    /// The same, to be read.
    pub(super) fn seen(&self) -> &Model {
        self.frozen.as_ref().unwrap_or(&self.model)
    }

    /// The rows that are seen, where so many fit; ages are counted to `now`.
    pub(super) fn rows(&mut self, height: usize, now: Timestamp) -> Vec<TableRow> {
        let len = self.tab.len(self.seen());
        self.height = height.max(1);
        self.selected = self.selected.min(len.saturating_sub(1));
        let lowest = (self.selected + 1).saturating_sub(self.height);
        self.top = self.top.clamp(lowest, self.selected).min(len.saturating_sub(self.height));
        let (tab, sort, seen) = (self.tab, self.sort, self.top..self.top + self.height);
        tab.rows(self.shown(), sort, now, seen)
    }

    /// Shows another table.
    pub(super) fn go_to(&mut self, tab: Tab) {
        if self.tab != tab {
            (self.tab, self.selected, self.top) = (tab, 0, 0);
        }
    }

    /// The mark goes so many rows down, or up.
    pub(super) fn go(&mut self, by: isize) {
        if let Over::Detail(lines, first) = &mut self.over {
            *first = first.saturating_add_signed(by).min(lines.len().saturating_sub(1));
        } else {
            self.selected = self.selected.saturating_add_signed(by);
        }
    }

    /// Sorts endpoints by the next column, or the one before.
    pub(super) fn sort_by(&mut self, next: bool) {
        let columns = Tab::Endpoints.columns().len();
        let by = if next { 1 } else { columns - 1 };
        self.sort.column = (self.sort.column + by) % columns;
        self.sort.descending = self.sort.column != 0;
    }

    /// Stands still, or goes on.
    pub(super) fn freeze(&mut self) {
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(self.model.clone()),
        };
    }

    /// Opens the exchange that is marked.
    pub(super) fn open(&mut self) {
        if self.tab != Tab::Calls {
            "open an exchange in the table of calls".clone_into(&mut self.note);
            return;
        }
        let call: Option<Arc<Call>> = self.seen().latest().nth(self.selected).cloned();
        if let Some(call) = call {
            self.over = Over::Detail(detail::lines(&call, self.show_secrets), 0);
        }
    }

    /// Takes the filter that was typed; one that is wrong stays in the prompt.
    pub(super) fn filter(&mut self, text: String) {
        let filter = match text.trim() {
            "" => Ok(None),
            expression => expression.parse::<Filter>().map(|filter| Some(Arc::new(filter))),
        };
        match filter {
            Ok(filter) => {
                if let Some(frozen) = &mut self.frozen {
                    frozen.set_filter(filter.clone());
                }
                self.model.set_filter(filter);
                (self.filter, self.over) = (text, Over::Nothing);
            }
            Err(error) => self.over = Over::Prompt(text, Some(error.message().to_owned())),
        }
    }

    /// Saves the exchanges that are shown into a new file there.
    pub(super) fn save(&mut self, directory: &Path) {
        self.note = match self.write(directory) {
            Ok((count, path)) => format!("{count} exchanges saved in {}", path.display()),
            Err(error) => format!("not saved: {error}"),
        };
    }

    fn write(&self, directory: &Path) -> io::Result<(usize, PathBuf)> {
        let model = self.seen();
        let time = String::from_utf8_lossy(&model.now.rfc3339()).replace(['-', ':'], "");
        let time = time.get(..15).unwrap_or_default();
        let (mut bytes, mut count) = (Vec::new(), 0);
        for call in model.matching() {
            let shown = Shown { headers: true, secrets: self.show_secrets };
            json_line(&mut bytes, &TransactionObject::new(&call.view(), shown));
            count += 1;
        }
        for number in 1.. {
            let path = directory.join(format!("h2lens-{time}-{number}.ndjson"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    let written = file.write_all(&bytes);
                    if written.is_err() {
                        // No half file.
                        std::fs::remove_file(&path)?;
                    }
                    return written.map(|()| (count, path));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

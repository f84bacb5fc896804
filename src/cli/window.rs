//! `--tui`: the window, over captures and live.

use super::config::{Config, InputKind};
use super::live::{self, LiveFailure, LiveOptions};
use super::signals::{Request, Signals};
use crate::aggregate::Templates;
use crate::capture::Timeline;
use crate::engine::{self, Analysis, Outcome};
use crate::export::PrintError;
use crate::record::Report;
use crate::tui::{Stop, Window, WindowOptions};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// How long the window has to close when the process is told to end.
const CLOSING: Duration = Duration::from_millis(300);

/// What it is to show, where it is asked for.
pub(super) fn options(config: &Config, source: String, templates: &Arc<Templates>) -> Option<WindowOptions> {
    let window = config.window.as_ref()?;
    let live = matches!(config.source, InputKind::Live(_));
    Some(WindowOptions {
        source,
        live,
        templates: Arc::clone(templates),
        filter: config.matching.clone().zip(window.filter.clone()),
        show_secrets: config.output.show_secrets,
        memory: config.memory,
        directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        // Who reads a file, or waits for a pipe, does not look whether the window is still there.
        quit: (!live).then_some(|| std::process::exit(0)),
    })
}

/// Shows captures. To be called before threads are started: they must not take the signals that end the process.
pub(super) fn captures(
    options: WindowOptions,
    open: impl FnOnce() -> anyhow::Result<Timeline>,
    analysis: Analysis,
    duration: Option<Duration>,
) -> anyhow::Result<Option<(Outcome, Timeline)>> {
    let (stop, signals) = (Stop::default(), Signals::hold()?);
    let (asked, ended) = (stop.clone(), Arc::new(AtomicI32::new(0)));
    let told = Arc::clone(&ended);
    signals.watch(move |request| {
        if let Request::Stop(status) = request {
            told.store(status, Ordering::SeqCst);
            asked.stop();
            std::thread::sleep(CLOSING);
            std::process::exit(status);
        }
    })?;
    // What cannot be opened is told before there is a window.
    let mut timeline = open()?;
    // The window has a filter of its own, which may be changed.
    let analysis = Analysis { live: true, filter: None, ..analysis };
    let window = Window::open(options, stop)?;
    let shown = engine::captures(&mut timeline, analysis, duration, window);
    match ended.load(Ordering::SeqCst) {
        0 => (),
        status => std::process::exit(status),
    }
    match shown {
        Ok(outcome) => Ok(Some((outcome, timeline))),
        Err(PrintError::Closed) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Shows what is captured.
pub(super) fn live(
    options: &LiveOptions,
    analysis: Analysis,
    shown: WindowOptions,
) -> Result<Report, LiveFailure> {
    let stop = Stop::default();
    let asked = stop.clone();
    let analysis = Analysis { filter: None, ..analysis };
    live::run(options, analysis, io::sink(), || Window::open(shown, stop), move || asked.stop())
}

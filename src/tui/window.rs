//! The window's two ends: the consumer of records, and the thread that draws.

use super::collector::{Collector, Event};
use super::model::Model;
use super::screen::Screen;
use super::terminal::Taken;
use super::{draw, keys};
use crate::aggregate::Templates;
use crate::base::limits::{WINDOW_BATCH_BYTES, WINDOW_BATCHES};
use crate::base::memory::Memory;
use crate::base::time::Timestamp;
use crate::export::PrintError;
use crate::filter::Filter;
use crate::record::{Annotation, Consumer, Report};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use ratatui::crossterm::event::{self, Event as Input, KeyEventKind};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Events that are handed over together.
const BATCH: usize = 256;
/// How often it is drawn, at most.
const FRAME: Duration = Duration::from_millis(100);
/// How long the thread waits for a key.
const KEY: Duration = Duration::from_millis(20);

/// What the window is to show.
#[derive(Debug)]
pub struct WindowOptions {
    /// What is read.
    pub source: String,
    /// Packets come now: what cannot be taken in time is missed, and ages are counted by the clock.
    pub live: bool,
    /// How paths are grouped.
    pub templates: Arc<Templates>,
    /// What is shown at first, and as it was typed.
    pub filter: Option<(Arc<Filter>, String)>,
    /// The values of secret fields are shown.
    pub show_secrets: bool,
    /// Memory of the process, of which the window has its share.
    pub memory: Memory,
    /// Where exchanges are saved.
    pub directory: PathBuf,
    /// Called when the user ends the window while more may come.
    pub quit: Option<fn()>,
}

/// Asks the window to end; for who takes signals.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// It is to end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What does not reach the window, as those count it who see it.
#[derive(Debug, Default)]
struct Losses {
    /// Events that came too fast.
    missed: AtomicU64,
    /// Packets that were dropped before they were read.
    dropped: AtomicU64,
}

/// The consumer of records. While the window is open, each is shown; when it is closed, it takes no more.
#[derive(Debug)]
pub struct Window {
    batches: Option<Sender<Vec<Event>>>,
    batch: Vec<Event>,
    bytes: usize,
    /// Bytes with which a batch is full.
    room: usize,
    live: bool,
    losses: Arc<Losses>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Window {
    /// Takes the terminal, and shows what comes until `stop` or the user ends it.
    ///
    /// # Errors
    /// When standard output is no terminal that can be drawn on.
    pub fn open(options: WindowOptions, stop: Stop) -> io::Result<Self> {
        let (batches, events) = crossbeam_channel::bounded(WINDOW_BATCHES);
        let losses = Arc::<Losses>::default();
        let (live, room) = (options.live, options.memory.share(WINDOW_BATCH_BYTES));
        let taken = Taken::take()?;
        let quit = options.quit;
        let asked = stop.clone();
        let mut drawing = Drawing::new(options, events, stop, Arc::clone(&losses));
        let draw = move || {
            let result = drawing.run(taken);
            let by_user = result.is_ok() && !drawing.screen.ended && !asked.is_asked();
            if let Some(quit) = quit.filter(|_| by_user) {
                quit();
            }
            result
        };
        let thread = std::thread::Builder::new().name("window".to_owned()).spawn(draw)?;
        Ok(Self {
            batches: Some(batches),
            batch: Vec::new(),
            bytes: 0,
            room,
            live,
            losses,
            thread: Some(thread),
        })
    }

    /// So many packets were dropped by the kernel and the interface so far.
    pub fn set_dropped(&self, packets: u64) {
        self.losses.dropped.store(packets, Ordering::Relaxed);
    }

    /// Hands over what has come. That the window is closed is told once: what comes at the end is dropped.
    fn hand_over(&mut self) -> Result<(), PrintError> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        let Some(batches) = &self.batches else { return Ok(()) };
        let is_open = match (self.thread.as_ref().is_some_and(|thread| !thread.is_finished()), self.live) {
            (is_open, _) if !is_open || batch.is_empty() => is_open,
            // A file can wait.
            (_, false) => batches.send(batch).is_ok(),
            (_, true) => match batches.try_send(batch) {
                Err(TrySendError::Full(batch)) => {
                    self.losses.missed.fetch_add(batch.len() as u64, Ordering::Relaxed);
                    true
                }
                sent => sent.is_ok(),
            },
        };
        if is_open {
            return Ok(());
        }
        self.batches = None;
        Err(PrintError::Closed)
    }

    /// Waits until the window is closed.
    fn close(&mut self) -> io::Result<()> {
        self.batches = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Consumer for Window {
    type Part = Collector;
    type Error = PrintError;

    fn part(&self) -> Collector {
        Collector::default()
    }

    fn record(&mut self, part: &Collector, index: usize, _: Annotation) -> Result<(), PrintError> {
        let Some(event) = part.event(index) else { return Ok(()) };
        if let Event::Ended(call) = event {
            self.bytes += call.memory();
        }
        self.batch.push(event.clone());
        if self.batch.len() >= BATCH || self.bytes >= self.room { self.hand_over() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), PrintError> {
        self.hand_over()
    }

    fn finish(&mut self, _: &Report) -> Result<(), PrintError> {
        // Closed by the user or not: there is nothing more to tell.
        let _ = self.hand_over();
        Ok(self.close()?)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // After an error nobody waits for the user.
            if !thread.is_finished() {
                super::terminal::give_back();
            }
            let _ = thread.join();
        }
    }
}

/// The thread that draws.
struct Drawing {
    screen: Screen,
    events: Receiver<Vec<Event>>,
    stop: Stop,
    losses: Arc<Losses>,
    live: bool,
    directory: PathBuf,
}

impl Drawing {
    fn new(options: WindowOptions, events: Receiver<Vec<Event>>, stop: Stop, losses: Arc<Losses>) -> Self {
        let WindowOptions { source, live, templates, filter, show_secrets, memory, directory, .. } = options;
        let (filter, text) = filter.unzip();
        let model = Model::new(templates, filter, memory);
        let screen = Screen::new(model, source, text.unwrap_or_default(), show_secrets);
        Self { screen, events, stop, losses, live, directory }
    }

    fn run(&mut self, mut taken: Taken) -> io::Result<()> {
        let mut drawn: Option<Instant> = None;
        while !self.stop.is_asked() && !Taken::is_over() {
            let mut wait = if self.take() { Duration::ZERO } else { KEY };
            while event::poll(std::mem::take(&mut wait))? {
                if let Input::Key(key) = event::read()?
                    && key.kind != KeyEventKind::Release
                    && keys::take(&mut self.screen, key, &self.directory)
                {
                    return Ok(());
                }
                drawn = None;
            }
            if drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
                let now = self.now();
                taken.terminal.draw(|frame| draw::draw(frame, &mut self.screen, now))?;
                drawn = Some(Instant::now());
            }
        }
        Ok(())
    }

    /// Takes what came, for as long as a frame; whether more may be there.
    fn take(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < FRAME {
            match self.events.try_recv() {
                Ok(batch) => batch.into_iter().for_each(|event| self.screen.model.take(event)),
                Err(error) => {
                    self.screen.ended = error.is_disconnected();
                    let counts = &mut self.screen.model.counts;
                    counts.missed = self.losses.missed.load(Ordering::Relaxed);
                    counts.dropped = self.losses.dropped.load(Ordering::Relaxed);
                    return false;
                }
            }
        }
        true
    }

    /// When ages are counted to: the time of the packets, and of those that come now the clock's.
    fn now(&self) -> Timestamp {
        let packets = self.screen.seen().now;
        if !self.live || self.screen.ended || self.screen.frozen.is_some() {
            return packets;
        }
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        packets.max(Timestamp::from_nanos(u64::try_from(clock.as_nanos()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Moment;
    use crate::record::samples::{get, meta};
    use crate::record::{Part, RecordSink};

    /// A window whose thread takes nothing.
    fn stuck(live: bool) -> (Window, Receiver<Vec<Event>>, Sender<()>) {
        let (batches, events) = crossbeam_channel::bounded(WINDOW_BATCHES);
        let (end, ended) = crossbeam_channel::bounded(0);
        let thread = std::thread::spawn(move || {
            let _ = ended.recv();
            Ok(())
        });
        let (batches, losses) = (Some(batches), Arc::default());
        let room = WINDOW_BATCH_BYTES;
        (
            Window { batches, batch: Vec::new(), bytes: 0, room, live, losses, thread: Some(thread) },
            events,
            end,
        )
    }

    fn part(pieces: usize) -> Collector {
        let (mut part, mut transaction) = (Collector::default(), get());
        transaction.pieces = vec![(crate::record::TimePart::Wait, 1); pieces];
        part.transaction(Moment::default(), &meta(), &transaction);
        assert_eq!(part.len(), 1);
        part
    }

    #[test]
    fn cap_window_batches() {
        let (mut window, events, end) = stuck(true);
        let part = part(0);
        let told = (WINDOW_BATCHES + 2) * BATCH;
        for _ in 0..told {
            window.record(&part, 0, Annotation::default()).unwrap();
        }
        assert_eq!(events.len(), WINDOW_BATCHES);
        let taken = events.try_iter().map(|batch| batch.len()).sum::<usize>() + window.batch.len();
        let missed = window.losses.missed.load(Ordering::Relaxed) as usize;
        assert!(missed > 0 && taken + missed == told, "a live capture does not wait");
        drop(end);
    }

    #[test]
    fn cap_window_batch_bytes() {
        let (mut window, events, end) = stuck(true);
        let part = part(WINDOW_BATCH_BYTES);
        window.record(&part, 0, Annotation::default()).unwrap();
        assert_eq!(events.recv().unwrap().len(), 1, "a long exchange is handed over alone");
        drop(end);
    }

    #[test]
    fn that_it_is_closed_is_told_once() {
        let (mut window, events, end) = stuck(false);
        drop((events, end));
        while window.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            std::thread::yield_now();
        }
        assert!(matches!(window.flush(), Err(PrintError::Closed)));
        assert!(window.record(&part(0), 0, Annotation::default()).is_ok());
        assert!(window.finish(&Report::default()).is_ok());
    }
}

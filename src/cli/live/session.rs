//! The run of a live capture.

use super::feeder::{CHECK, Control, Feeder};
use super::key_log::{KeyLog, POLL};
use super::outbox::Outbox;
use super::status::{Counted, StatusLine};
use super::{LiveConsumer, LiveFailure, LiveOptions, Messages, rights};
use crate::base::limits;
use crate::base::time::Timestamp;
use crate::capture::{Batch, LiveCapture, LiveInput, Writer};
use crate::cli::decryption::{self, KeyLogs};
use crate::cli::metrics::{Metrics, Snapshot};
use crate::cli::signals::{Request, Signals};
use crate::cli::unread;
use crate::engine::{Analysis, Engine, Standing};
use crate::export::PrintError;
use crate::record::Report;
use crossbeam_channel::RecvTimeoutError;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often the session looks around when no packets come.
const TURN: Duration = Duration::from_millis(50);

/// How often what waits is given up by the clock.
const TICK: Duration = Duration::from_secs(1);

/// How far the clock is believed to be ahead of the packets: those that are on their way have older times.
const LAG: Duration = Duration::from_millis(500);

/// Captures, analyzes and hands records to the consumer until it is told to stop, all packets wanted have come, or the
/// interface goes. What `consumer` makes is made when there is nothing left that can fail; `stopping` is called on a signal.
/// Whoever calls it must not have started threads: the rights that are given up are those of this one.
///
/// # Errors
/// See [`LiveFailure`]. When the interface goes in the middle, all that was captured is printed before.
pub fn run<C: LiveConsumer>(
    options: &LiveOptions,
    analysis: Analysis,
    out: impl Write + Send + 'static,
    consumer: impl FnOnce() -> std::io::Result<C>,
    stopping: impl Fn() + Send + 'static,
) -> Result<Report, LiveFailure> {
    let signals = Signals::hold().map_err(LiveFailure::Start)?;
    let mut capture = LiveCapture::open(&LiveInput {
        interface: options.interface.clone(),
        filter: options.filter.clone(),
        snaplen: options.snaplen,
        buffer_size: options.buffer_size,
        promiscuous: options.promiscuous,
    })?;
    if let Some(count) = options.count {
        capture = capture.with_count(count);
    }
    let save = match &options.save {
        Some(path) => Some(Writer::create(path, options.rotation)?),
        None if options.print_packets => Some(Writer::stdout()?),
        None => None,
    };
    let key_logs = open_key_logs(options)?;
    let listener = match options.metrics {
        Some(address) => Some(Metrics::bind(address).map_err(|error| LiveFailure::Metrics(address, error))?),
        None => None,
    };
    let memory = File::open("/proc/self/statm").ok();
    rights::give_up(options)?;

    let metrics = match listener {
        Some(listener) => {
            let metrics = Metrics::default();
            metrics.serve(listener).map_err(LiveFailure::Start)?;
            Some(metrics)
        }
        None => None,
    };
    let summary_wanted = Arc::new(AtomicBool::new(false));
    let feeder = Feeder::start(capture).map_err(LiveFailure::Start)?;
    let (control, flag) = (feeder.control(), Arc::clone(&summary_wanted));
    signals
        .watch(move |request| match request {
            Request::Stop(_) => {
                stopping();
                control.stop();
            }
            Request::Summary => flag.store(true, Ordering::Relaxed),
        })
        .map_err(LiveFailure::Start)?;
    let mut analysis = analysis;
    analysis.live = true;
    analysis.idle_timeout = Some(options.idle_timeout);
    if key_logs.is_empty() {
        analysis.keys.set_complete();
    }
    let outbox = Outbox::new(out, analysis.memory.share(limits::LIVE_OUTPUT)).map_err(LiveFailure::Start)?;
    let now = Instant::now();
    let session = Session {
        options,
        engine: Engine::new(analysis, consumer().map_err(LiveFailure::Start)?),
        outbox,
        shipped: 0,
        save,
        key_logs,
        metrics,
        memory,
        summary_wanted,
        control: feeder.control(),
        started: now,
        last: Last { packets: now, tick: now, check: now, keys: None, summary: now },
        counted: Counted::default(),
    };
    if !options.drawn {
        session.greet();
    }
    session.run(feeder)
}

fn open_key_logs(options: &LiveOptions) -> Result<Vec<KeyLog>, LiveFailure> {
    let mut open = Vec::with_capacity(options.key_logs.len());
    for path in &options.key_logs {
        match KeyLog::open(path.clone()) {
            Ok(key_log) => open.push(key_log),
            Err(error) if options.key_logs_optional => {
                let path = path.display();
                options.messages.say(Messages::Normal, format_args!("$SSLKEYLOGFILE: {path}: {error}"));
            }
            Err(error) => return Err(LiveFailure::KeyLog(path.display().to_string(), error)),
        }
    }
    Ok(open)
}

/// When things were done last.
struct Last {
    packets: Instant,
    tick: Instant,
    check: Instant,
    keys: Option<Instant>,
    summary: Instant,
}

struct Session<'a, C: LiveConsumer> {
    options: &'a LiveOptions,
    engine: Engine<C>,
    outbox: Outbox,
    /// Records that the outbox was given.
    shipped: u64,
    save: Option<Writer>,
    key_logs: Vec<KeyLog>,
    metrics: Option<Metrics>,
    /// Tells how much memory is in use.
    memory: Option<File>,
    summary_wanted: Arc<AtomicBool>,
    control: Control,
    started: Instant,
    last: Last,
    counted: Counted,
}

impl<C: LiveConsumer> Session<'_, C> {
    fn run(mut self, feeder: Feeder) -> Result<Report, LiveFailure> {
        let mut failure: Option<LiveFailure> = None;
        loop {
            let result = match feeder.batches.recv_timeout(TURN) {
                Ok(batch) => self.batch(batch, &feeder),
                Err(RecvTimeoutError::Timeout) => self.idle(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Err(error) = result.and_then(|()| self.look_around(&feeder)) {
                // Nothing more can be done with packets, but what was understood may still be printed.
                failure = Some(error);
                self.control.stop();
                break;
            }
            if self.outbox.is_over() {
                self.control.stop();
                break;
            }
        }
        let (ended, dropped) = feeder.finish();
        let counts = self.engine.counts_mut();
        counts.dropped_by_kernel = dropped;
        counts.dropped_records = self.outbox.dropped();
        let report = self.finish()?;
        ended.map_err(LiveFailure::from)?;
        failure.map_or(Ok(report), Err)
    }

    fn greet(&self) {
        let Self { options, .. } = self;
        let filter = options.filter.as_ref().map(|filter| format!(", filter {filter:?}")).unwrap_or_default();
        let interface = &options.interface;
        options.messages.say(Messages::Normal, format_args!("capturing on {interface}{filter}; Ctrl-C ends"));
        for key_log in self.key_logs.iter().filter(|key_log| !key_log.is_there()) {
            let path = key_log.path().display();
            options.messages.say(Messages::Normal, format_args!("{path} is not there yet; it is waited for"));
        }
    }

    /// Analyzes a batch. Its records are printed at once when no other batch waits.
    fn batch(&mut self, batch: Batch, feeder: &Feeder) -> Result<(), LiveFailure> {
        self.last.packets = Instant::now();
        if let Some(save) = &mut self.save {
            for head in &batch.packets {
                save.packet(head, batch.packet(head))?;
            }
        }
        self.learn()?;
        let mut job = self.engine.job();
        let spare = std::mem::replace(&mut job.batch, batch);
        feeder.recycle(spare);
        self.engine.push(job)?;
        if feeder.batches.is_empty() {
            self.engine.drain()?;
        }
        self.ship();
        Ok(())
    }

    /// No packets have come for a while.
    fn idle(&mut self) -> Result<(), LiveFailure> {
        self.learn()?;
        self.engine.drain()?;
        self.ship();
        Ok(())
    }

    /// What is due by the clock.
    fn look_around(&mut self, feeder: &Feeder) -> Result<(), LiveFailure> {
        let now = Instant::now();
        if self.options.duration.is_some_and(|most| now.duration_since(self.started) >= most) {
            self.control.stop();
        }
        if now.duration_since(self.last.check) >= CHECK {
            self.last.check = now;
            feeder.nudge();
            if let Some(save) = &mut self.save {
                save.flush()?;
            }
        }
        if now.duration_since(self.last.tick) >= TICK {
            self.last.tick = now;
            self.engine.consumer().dropped(feeder.dropped());
            self.tick(now)?;
        }
        let due = self.options.summary.is_some_and(|every| now.duration_since(self.last.summary) >= every);
        let asked = self.summary_wanted.swap(false, Ordering::Relaxed);
        let scraped = self.metrics.as_ref().is_some_and(Metrics::is_wanted);
        if due || asked || scraped {
            let counts = self.engine.counts_mut();
            counts.dropped_by_kernel = feeder.dropped();
            counts.dropped_records = self.outbox.dropped();
            let standing = self.engine.standing()?;
            if due || asked {
                self.summarize(&standing, now)?;
            }
            self.publish(standing);
            self.ship();
        }
        Ok(())
    }

    /// Gives up what has waited for too long: by packet time while packets come, else by the clock.
    fn tick(&mut self, now: Instant) -> Result<(), LiveFailure> {
        let quiet = now.duration_since(self.last.packets) >= LAG;
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = if quiet {
            Timestamp::from_nanos(u64::try_from(clock.saturating_sub(LAG).as_nanos()).unwrap_or(u64::MAX))
        } else {
            Timestamp::default()
        };
        self.engine.tick(time)?;
        if quiet {
            self.engine.drain()?;
            self.ship();
        }
        Ok(())
    }

    /// Reads what the key logs have got.
    fn learn(&mut self) -> Result<(), LiveFailure> {
        if self.key_logs.is_empty() || self.last.keys.is_some_and(|last| last.elapsed() < POLL) {
            return Ok(());
        }
        self.last.keys = Some(Instant::now());
        for key_log in &mut self.key_logs {
            while let Some(read) = key_log.poll() {
                self.engine.learn(|keys| key_log.learn(read, keys))?;
            }
        }
        Ok(())
    }

    /// A telemetry record, and on a terminal a line of status.
    fn summarize(&mut self, standing: &Standing, now: Instant) -> Result<(), LiveFailure> {
        let elapsed = now.duration_since(self.last.summary);
        self.last.summary = now;
        if let Some(endpoints) = &standing.endpoints {
            self.engine.consumer().endpoints(endpoints)?;
        }
        self.engine.summarize(&standing.report)?;
        self.engine.drain()?;
        if self.options.status_line {
            let line = StatusLine { standing, before: self.counted, elapsed };
            self.options.messages.say(Messages::Normal, line);
        }
        self.counted = Counted::of(standing);
        Ok(())
    }

    /// A snapshot for the metrics.
    fn publish(&mut self, standing: Standing) {
        let output_bytes = self.outbox.held() as u64;
        let resident_bytes = self.resident();
        if let Some(metrics) = &self.metrics {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let start_seconds = since.saturating_sub(self.started.elapsed()).as_secs_f64();
            metrics.set(Snapshot { standing, output_bytes, resident_bytes, start_seconds });
        }
    }

    /// Bytes of memory in use (proc(5): the second number of statm, in pages).
    fn resident(&mut self) -> Option<u64> {
        let file = self.memory.as_mut()?;
        let mut text = String::new();
        file.rewind().ok()?;
        file.read_to_string(&mut text).ok()?;
        let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
        Some(pages * page_size())
    }

    /// Hands the records printed so far to the writer.
    fn ship(&mut self) {
        let (bytes, records) = self.take();
        self.outbox.push(bytes, records);
    }

    fn take(&mut self) -> (Vec<u8>, u64) {
        let consumer = self.engine.consumer();
        let (written, bytes) = (consumer.written(), consumer.take());
        (bytes, written - std::mem::replace(&mut self.shipped, written))
    }

    /// The capture is over: prints what is in flight, and the telemetry. A window is closed before anything is said.
    fn finish(mut self) -> Result<Report, LiveFailure> {
        let learned = self.learn();
        let report = self.engine.finish()?;
        let (bytes, records) = self.take();
        self.outbox.push_patiently(bytes, records);
        let saved = self.save.take().map_or(Ok(()), Writer::finish);
        match self.outbox.finish() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            written => written.map_err(PrintError::from)?,
        }
        let coverage = &report.coverage;
        self.options.messages.say(
            Messages::Normal,
            format_args!(
                "{} packets captured, {} dropped by the kernel or the interface",
                coverage.packets, coverage.dropped_by_kernel
            ),
        );
        for phrase in unread::phrases(coverage) {
            self.options.messages.say(Messages::Normal, phrase);
        }
        if coverage.dropped_records > 0 {
            self.options.messages.say(
                Messages::Normal,
                format_args!("{} records dropped: the output was read too slowly", coverage.dropped_records),
            );
        }
        let (lines, used) = self.engine.key_log();
        let given = !self.key_logs.is_empty() && !self.options.key_logs_optional;
        for notice in decryption::notices(coverage, KeyLogs { given, lines, used }) {
            self.options.messages.say(Messages::Normal, notice);
        }
        saved?;
        learned?;
        Ok(report)
    }
}

#[cfg(target_os = "linux")]
fn page_size() -> u64 {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(4096)
}

#[cfg(not(target_os = "linux"))]
const fn page_size() -> u64 {
    4096
}

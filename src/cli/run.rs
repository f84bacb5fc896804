//! Does what is to be done.

use super::bodies::Directory;
use super::config::{self, Action, Config, Contents, Exchange, InputKind, Live};
use super::decryption::{self, KeyLogs};
use super::diff;
use super::exit::Exit;
use super::follow;
use super::generate;
use super::grouping::{grouped, routed};
use super::inputs::{secrets, timeline};
use super::join;
use super::live::{self, LiveFailure, LiveOptions};
use super::merge;
use super::messages::{Bar, Messages, Verbosity};
use super::output_dir::OutputDir;
use super::rights;
use super::unread;
#[cfg(feature = "tui")]
use super::window;
use crate::aggregate::Templates;
use crate::body;
use crate::capture::{Batch, Expanded, Input, Timeline, WriteError, Writer};
use crate::engine::{Analysis, Outcome, captures, cut_at};
use crate::export::{Exporter, Options, PrintError};
use crate::record::{Coverage, PartOf, Report};
use crate::tls::KeyStore;
use anyhow::{Context, bail};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;

/// Does it.
///
/// # Errors
/// When an input cannot be opened or is no capture, or the output cannot be written. The message is one line.
pub fn run(action: Action) -> anyhow::Result<Exit> {
    match action {
        Action::Generate(what) => {
            let text = generate::text(what)?;
            match io::stdout().write_all(&text) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
                _ => Ok(Exit::Done),
            }
        }
        Action::ListInterfaces => {
            live::list_interfaces(&mut io::stdout())?;
            Ok(Exit::Done)
        }
        Action::Analyze(config) => analyze(*config),
        Action::Join(config) => join::run(&config),
        Action::Merge(args) => merge::run(&args),
        Action::Diff(config) => diff::run(&config),
    }
}

fn analyze(config: Config) -> anyhow::Result<Exit> {
    let messages = Messages::new(config.verbosity);
    match &config.source {
        InputKind::Captures(inputs) => {
            let keys = secrets(&config.keylogs, config.keylog_from_environment, config.memory, messages)?;
            let templates = grouped(&config.patterns, &config.templates)?;
            let Expanded { inputs, others } = Input::expand(inputs)?;
            for path in others {
                messages.detail(format_args!("{}: no capture, left out", path.display()));
            }
            files(&config, &inputs, keys, templates, messages)
        }
        InputKind::Live(interface) => {
            let options = live_options(&config, interface);
            let templates = grouped(&config.patterns, &config.templates)?;
            watch(config, &options, templates, messages)
        }
    }
}

/// What is asked of the bodies, with its schemas read; and where they are written to.
#[derive(Default)]
struct Bodies {
    options: Option<Arc<body::Options>>,
    directory: Option<Arc<Directory>>,
}

impl Bodies {
    /// All is read: the manifest is written.
    fn finish(&self, messages: Messages) -> anyhow::Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let path = directory.path().display();
        if let Some(name) = directory.finish().with_context(|| format!("--bodies {path}"))? {
            messages.notice(format_args!("--bodies {path}: {name} is there already, or cannot be written"));
        }
        Ok(())
    }
}

fn bodies(contents: Option<&Contents>) -> anyhow::Result<Bodies> {
    let Some(contents) = contents else { return Ok(Bodies::default()) };
    let directory = match &contents.files {
        Some((path, _)) => {
            let directory = Directory::create(path);
            Some(Arc::new(directory.with_context(|| format!("--bodies {}", path.display()))?))
        }
        None => None,
    };
    let as_sent = contents.files.as_ref().is_some_and(|(_, as_sent)| *as_sent);
    let store = directory.clone().map(|directory| (directory as Arc<dyn body::Store>, as_sent));
    #[cfg(feature = "proto")]
    let schema = body::Schema::load(&contents.schemas).context("--proto")?;
    #[cfg(not(feature = "proto"))]
    let schema = body::Schema::default();
    let options = Some(Arc::new(body::Options {
        store,
        limit: contents.limit,
        redactor: contents.redact.as_deref().map(body::Redactor::new),
        schema,
        contents: contents.in_transactions,
        messages: contents.messages,
    }));
    Ok(Bodies { options, directory })
}

/// Captures live until it is told to stop.
fn watch(
    config: Config,
    options: &LiveOptions,
    templates: Templates,
    messages: Messages,
) -> anyhow::Result<Exit> {
    check_key_logs(&config)?;
    let idle_timeout = config.idle_timeout;
    let contents = bodies(config.contents.as_ref())?;
    let bodies = contents.options.clone();
    let wanted = config.analyzed();
    let templates = Arc::new(templates);
    #[cfg(feature = "tui")]
    let shown = window::options(&config, options.interface.clone(), &templates);
    let Config { output, threads, memory, agent, strict, matching: filter, .. } = config;
    let output = routed(output, &templates);
    // The key logs are followed from their start.
    let analysis = Analysis {
        wanted,
        threads,
        memory,
        agent,
        idle_timeout,
        bodies,
        filter,
        templates,
        ..Analysis::default()
    };
    #[cfg(feature = "tui")]
    let result = match shown {
        Some(shown) => window::live(options, analysis, shown),
        None => export_live(options, analysis, output),
    };
    #[cfg(not(feature = "tui"))]
    let result = export_live(options, analysis, output);
    let report = match result {
        Ok(report) => report,
        Err(LiveFailure::Print(PrintError::Closed)) => return Ok(Exit::Done),
        Err(LiveFailure::Save(error)) if options.print_packets && error.is_closed() => return Ok(Exit::Done),
        Err(error) => return Err(error.into()),
    };
    contents.finish(messages)?;
    Ok(if strict && !report.coverage.complete { Exit::Incomplete } else { Exit::Done })
}

/// Prints what is captured.
fn export_live(options: &LiveOptions, analysis: Analysis, output: Options) -> Result<Report, LiveFailure> {
    let out: Box<dyn Write + Send> =
        if options.print_packets { Box::new(io::sink()) } else { Box::new(io::stdout()) };
    let exporter = || Ok(Exporter::new([(Vec::new(), Options { live: true, ..output })]));
    live::run(options, analysis, out, exporter, || ())
}

fn live_options(config: &Config, interface: &Live) -> LiveOptions {
    let save = config.write.as_ref();
    LiveOptions {
        filter: config.filter.clone(),
        snaplen: interface.snaplen,
        buffer_size: interface.buffer_size.into(),
        promiscuous: interface.promiscuous,
        count: config.count,
        duration: config.duration,
        bodies: config
            .contents
            .as_ref()
            .and_then(|contents| contents.files.as_ref())
            .map(|(path, _)| path.clone()),
        save: save.and_then(|save| save.path.clone()),
        saves: if config.is_drawn() { std::env::current_dir().ok() } else { None },
        print_packets: save.is_some_and(|save| save.path.is_none()),
        rotation: save.map(|save| save.rotation).unwrap_or_default(),
        idle_timeout: config.idle_timeout.unwrap_or(live::IDLE_TIMEOUT),
        summary: interface.summary,
        metrics: interface.metrics,
        sandbox: config.sandbox,
        user: config.user,
        key_logs: config.keylogs.clone(),
        key_logs_optional: config.keylog_from_environment,
        drawn: config.is_drawn(),
        status_line: config.progress && !config.is_drawn(),
        messages: match config.verbosity {
            Verbosity::Quiet => live::Messages::Errors,
            Verbosity::Normal => live::Messages::Normal,
            Verbosity::Verbose => live::Messages::Verbose,
        },
        ..LiveOptions::new(interface.interface.as_str())
    }
}

/// Opens the captures as the options say.
fn open(config: &Config, inputs: &[Input]) -> anyhow::Result<Timeline> {
    let mut timeline = timeline(inputs, config.filter.as_deref(), config.memory)?;
    if let Some(count) = config.count {
        timeline = timeline.with_count(count);
    }
    Ok(timeline)
}

/// Analyzes captures.
fn files(
    config: &Config,
    inputs: &[Input],
    keys: KeyStore,
    templates: Templates,
    messages: Messages,
) -> anyhow::Result<Exit> {
    rights::check(config.sandbox, config.user, config.made_later())?;
    if let Some(write) = &config.write {
        check_target(write.path.as_deref(), inputs)?;
        check_key_logs(config)?;
    }
    let contents = bodies(config.contents.as_ref())?;
    let analysis = Analysis {
        wanted: config.analyzed(),
        live: config.output.live,
        threads: config.threads,
        memory: config.memory,
        agent: config.agent.clone(),
        keys,
        idle_timeout: config.idle_timeout,
        summary: config.summary,
        bodies: contents.options.clone(),
        follow: None,
        filter: config.matching.clone(),
        templates: Arc::new(templates),
        part: config.partition.clone().map(|(partition, settings)| PartOf {
            partition,
            inputs: inputs.iter().map(name).collect(),
            settings,
        }),
        compared: false,
    };
    let Some((outcome, timeline)) = show(config, inputs, analysis)? else { return Ok(Exit::Done) };
    let Outcome { report, secrets, key_log, .. } = outcome;
    contents.finish(messages)?;
    for damage in timeline.damage() {
        messages.notice(damage);
    }
    for link in timeline.unfit_link_types() {
        messages
            .notice(format_args!("the filter does not fit link type {}: its packets are left out", link.0));
    }
    if let Some(write) = &config.write {
        let packets_only = write.path.is_none();
        match save(config, inputs, write, &secrets) {
            Err(error) if packets_only && is_closed(&error) => return Ok(Exit::Done),
            saved => saved?,
        }
    }
    let coverage = &report.coverage;
    let given = !config.keylogs.is_empty() && !config.keylog_from_environment;
    let key_logs = KeyLogs { given, lines: key_log, used: !secrets.is_empty() };
    for notice in decryption::notices(coverage, key_logs) {
        messages.notice(notice);
    }
    if coverage.complete {
        return Ok(Exit::Done);
    }
    messages.notice(format_args!("the analysis is incomplete: {}", incomplete(coverage)));
    Ok(if config.strict { Exit::Incomplete } else { Exit::Done })
}

/// Analyzes the captures and shows what is asked for, where it is asked for; `None` where nobody looks any more.
fn show(
    config: &Config,
    inputs: &[Input],
    analysis: Analysis,
) -> anyhow::Result<Option<(Outcome, Timeline)>> {
    #[cfg(feature = "tui")]
    {
        let names = inputs.iter().map(name_of).collect::<Vec<_>>().join(", ");
        if let Some(shown) = window::options(config, names, &analysis.templates) {
            rights::give_up(
                config.sandbox,
                config.user,
                config.made_later(),
                Messages::new(config.verbosity),
            )?;
            return window::captures(shown, || open(config, inputs), analysis, config.duration);
        }
    }
    let output = routed(config.output, &analysis.templates);
    let packets_only = config.write.as_ref().is_some_and(|write| write.path.is_none());
    let (directory, outputs): (_, Vec<(Box<dyn Write>, _)>) = match &config.directory {
        Some(directory) => {
            let (directory, outputs) = OutputDir::create(directory, &output)?;
            (Some(directory), outputs)
        }
        None if packets_only => (None, vec![(Box::new(io::sink()), output)]),
        None => (None, vec![(Box::new(io::stdout().lock()), output)]),
    };
    let printed = print(config, inputs, analysis, outputs)?;
    if let Some(directory) = directory.filter(|_| printed.is_some()) {
        directory.finish()?;
    }
    Ok(printed)
}

/// Analyzes the captures and prints what is asked for; `None` where the reader of the output has closed it.
fn print(
    config: &Config,
    inputs: &[Input],
    analysis: Analysis,
    outputs: Vec<(Box<dyn Write>, Options)>,
) -> anyhow::Result<Option<(Outcome, Timeline)>> {
    let mut timeline = open(config, inputs)?;
    let followed = config.follow.map(|exchange| Followed::open(exchange, config, inputs)).transpose()?;
    rights::give_up(config.sandbox, config.user, config.made_later(), Messages::new(config.verbosity))?;
    let bar = Bar::new(timeline.progress(), config.progress);
    if let Some(followed) = followed {
        let exchange = followed.locate(config)?;
        let analysis = Analysis { follow: Some(exchange), ..analysis };
        let outcome = follow::print(exchange, &mut timeline, analysis, config, bar.beside(io::stdout()))?;
        return Ok(outcome.map(|outcome| (outcome, timeline)));
    }
    let mut exporter = Exporter::new(outputs.into_iter().map(|(out, options)| (bar.beside(out), options)));
    exporter.name_inputs(&inputs.iter().map(name_of).collect::<Vec<_>>());
    match captures(&mut timeline, analysis, config.duration, exporter) {
        Ok(outcome) => Ok(Some((outcome, timeline))),
        Err(PrintError::Closed) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// An exchange that is to be followed, and what it takes to find it.
enum Followed {
    /// Its connection and its stream are given.
    Known(u64, u32),
    /// The packet that is one of its own. The captures are read once more for it.
    Packet(u64, Box<(Timeline, Analysis)>),
}

impl Followed {
    fn open(exchange: Exchange, config: &Config, inputs: &[Input]) -> anyhow::Result<Self> {
        let packet = match exchange {
            Exchange::Stream(connection, stream) => return Ok(Self::Known(connection, stream)),
            Exchange::Packet(packet) => packet,
        };
        let messages = Messages::new(Verbosity::Quiet);
        let keys = secrets(&config.keylogs, config.keylog_from_environment, config.memory, messages)?;
        let analysis = Analysis { keys, ..Analysis::default() };
        Ok(Self::Packet(packet, Box::new((open(config, inputs)?, analysis))))
    }

    /// Its connection and its stream.
    fn locate(self, config: &Config) -> anyhow::Result<(u64, u32)> {
        match self {
            Self::Known(connection, stream) => Ok((connection, stream)),
            Self::Packet(packet, captures) => follow::locate(packet, captures.0, captures.1, config),
        }
    }
}

/// An input as a report names it.
fn name_of(input: &Input) -> String {
    match input {
        Input::Stdin => "standard input".to_owned(),
        Input::File(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
    }
}

/// An input, as it was given.
fn name(input: &Input) -> String {
    match input {
        Input::Stdin => "-".to_owned(),
        Input::File(path) => path.display().to_string(),
    }
}

/// The packets cannot be saved over the captures that they come from, nor read twice from a pipe.
fn check_target(target: Option<&Path>, inputs: &[Input]) -> anyhow::Result<()> {
    for input in inputs {
        match input {
            Input::Stdin => {
                bail!("--write: standard input is already packets in a file's format; save it with tee")
            }
            Input::File(path) => {
                let Some(target) = target else { continue };
                if is_same_file(path, target) {
                    bail!("--write {}: is one of the captures; write to another file", target.display());
                }
            }
        }
    }
    // The file itself is made last: of what the capture's secrets opened it holds the secrets.
    target.map_or(Ok(()), |target| Ok(Writer::check_directory(target)?))
}

/// Nor over the secrets that they are read with.
fn check_key_logs(config: &Config) -> anyhow::Result<()> {
    let Some(target) = config.write.as_ref().and_then(|write| write.path.as_deref()) else { return Ok(()) };
    if config.keylogs.iter().any(|log| is_same_file(log, target)) {
        bail!("--write {}: is the key log; write to another file", target.display());
    }
    Ok(())
}

/// Both name one file, by whatever links.
fn is_same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let place = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino())).ok();
        place(a).is_some_and(|a| place(b) == Some(a))
    }
    #[cfg(not(unix))]
    {
        a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
    }
}

/// Whoever read the packets has closed the pipe.
fn is_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<WriteError>().is_some_and(WriteError::is_closed)
}

/// Saves the packets that were analyzed, with those secrets that they needed: so one file can be shared.
fn save(config: &Config, inputs: &[Input], write: &config::Write, secrets: &[u8]) -> anyhow::Result<()> {
    let mut timeline = open(config, inputs)?;
    let mut writer = match &write.path {
        Some(path) => Writer::create(path, write.rotation)?,
        None => Writer::stdout()?,
    };
    if !secrets.is_empty() {
        writer.secrets(secrets)?;
    }
    let mut batch = Batch::default();
    let mut end = None;
    while timeline.next_batch(&mut batch) {
        let over = config.duration.is_some_and(|duration| cut_at(&mut batch, duration, &mut end));
        for head in &batch.packets {
            writer.packet(head, batch.packet(head))?;
        }
        if over {
            break;
        }
    }
    Ok(writer.finish()?)
}

/// What makes an analysis incomplete, in a few words.
fn incomplete(coverage: &Coverage) -> String {
    let counts = [
        (coverage.gap_bytes, "bytes of HTTP/2 are missing"),
        (coverage.behind_end, "segments came for connections that were over"),
        (coverage.skipped_bytes, "bytes were skipped in search of a frame"),
        (coverage.unrecognised_bytes, "bytes may be HTTP/2 that began before the capture"),
        (coverage.header_blocks_lost, "header blocks are lost"),
        (coverage.header_blocks_partial, "header blocks are partly known"),
        (coverage.transactions_incomplete, "transactions are incomplete"),
        (coverage.connections_one_sided, "connections were seen from one side only"),
        (coverage.connections_tls_undecrypted, "TLS connections were not decrypted"),
        (coverage.damaged_inputs, "inputs are damaged"),
        (coverage.dropped_by_kernel, "packets were dropped by the kernel"),
        (coverage.dropped_records, "records were dropped"),
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let struck = coverage.limits.iter().filter(|(limit, _)| limit.costs());
    parts.extend(unread::phrases(coverage));
    parts.extend(struck.map(|(limit, count)| format!("limit {} struck {count} times", limit.name())));
    if parts.is_empty() {
        parts.push("the capture starts or ends within a connection".to_owned());
    }
    parts.join(", ")
}

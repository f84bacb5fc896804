//! What was typed → what is to be done: defaults, environment, and options that depend on one another.

pub use super::args::Exchange;
use super::args::{Args, Generate};
use super::command::Command;
use super::diff::DiffConfig;
use super::display::{color, not_for_terminals};
use super::environment::Environment;
use super::grouping::{Grouping, grouping, patterns};
use super::join::JoinConfig;
use super::merge::MergeArgs;
use super::messages::Verbosity;
use super::privileges::{User, named};
use super::sandbox::Sandbox;
use super::tshark;
use super::usage::UsageError;
use crate::agent::Params;
use crate::aggregate::Patterns;
use crate::base::limits;
use crate::base::memory::Memory;
use crate::base::partition::Partition;
use crate::capture::{Input, Rotation};
use crate::export::{Format, Options, Sort, Zone};
use crate::filter::Filter;
use crate::record::Wanted;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Print the man page or completions.
    Generate(Generate),
    /// List the interfaces.
    ListInterfaces,
    /// Analyze.
    Analyze(Box<Config>),
    /// Join two captures.
    Join(Box<JoinConfig>),
    /// Merge parts.
    Merge(MergeArgs),
    /// Compare two runs.
    Diff(Box<DiffConfig>),
}

/// A run, resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the packets come from.
    pub source: InputKind,
    /// A pcap-filter(7) expression.
    pub filter: Option<String>,
    /// Stop after so many packets.
    pub count: Option<u64>,
    /// Stop after so much time.
    pub duration: Option<Duration>,
    /// Save the packets.
    pub write: Option<Write>,
    /// Key logs, in order.
    pub keylogs: Vec<PathBuf>,
    /// The one key log is the environment's: it need not exist.
    pub keylog_from_environment: bool,
    /// The exchange that is followed, in place of all records.
    pub follow: Option<Exchange>,
    /// Which transactions are asked for.
    pub matching: Option<Arc<Filter>>,
    /// Patterns of paths that are one endpoint each.
    pub patterns: Patterns,
    /// How other paths are grouped.
    pub templates: Grouping,
    /// A window in the terminal, in place of output.
    #[cfg(feature = "tui")]
    pub window: Option<Window>,
    /// The output.
    pub output: Options,
    /// Each kind of record goes into a file there, not to standard output.
    pub directory: Option<Directory>,
    /// What is asked of the bodies.
    pub contents: Option<Contents>,
    /// The agent's rules and parameters.
    pub agent: Params,
    /// Forget connections idle for so long; the default of files is never.
    pub idle_timeout: Option<Duration>,
    /// Of captures: a telemetry record whenever so much packet time has passed.
    pub summary: Option<Duration>,
    /// Where the connections are divided among several processes: which are looked at, and what else decides what the
    /// records are.
    pub partition: Option<(Partition, String)>,
    /// Exit 1 when the analysis is incomplete.
    pub strict: bool,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Memory for what grows with the input.
    pub memory: Memory,
    /// Rights that are given up before a packet is looked at.
    pub sandbox: Sandbox,
    /// Whom root becomes then.
    pub user: Option<User>,
    /// Which messages are printed.
    pub verbosity: Verbosity,
    /// Standard error is a terminal that takes a progress bar, or lines of status.
    pub progress: bool,
}

/// A window in the terminal.
#[cfg(feature = "tui")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The filter that it begins with, as it was typed.
    pub filter: Option<String>,
}

/// A directory for files of one kind of record each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its path.
    pub path: PathBuf,
    /// Files in the way are written over.
    pub force: bool,
}

/// What is asked of the bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Bytes of a body, and of a message.
    pub limit: usize,
    /// They are shown in the transactions.
    pub in_transactions: bool,
    /// Each is told of as it ends.
    pub messages: bool,
    /// The directory that they are written to, and whether as they were sent.
    pub files: Option<(PathBuf, bool)>,
    /// Schemas.
    pub schemas: Vec<PathBuf>,
    /// Names whose values are masked beside those that are known; `None`: nothing is.
    pub redact: Option<Vec<String>>,
}

/// Where packets come from.
#[derive(Clone, Debug)]
pub enum InputKind {
    /// Captures, at least one.
    Captures(Vec<Input>),
    /// An interface.
    Live(Live),
}

/// A live capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The interface's name, or `any`.
    pub interface: String,
    /// Bytes of each packet to capture.
    pub snaplen: u32,
    /// Bytes of the kernel's buffer.
    pub buffer_size: u32,
    /// Put the interface into promiscuous mode.
    pub promiscuous: bool,
    /// Print telemetry so often.
    pub summary: Option<Duration>,
    /// Serve metrics there.
    pub metrics: Option<SocketAddr>,
}

/// Where packets are saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The file, or what the names of a series are made from; `None` is standard output, in place of records.
    pub path: Option<PathBuf>,
    /// When to begin a new file.
    pub rotation: Rotation,
}

/// Bytes of each packet that a live capture takes, unless told otherwise: libpcap's most.
const SNAPLEN: u32 = 262_144;
/// Bytes of the kernel's buffer, unless told otherwise.
const BUFFER_SIZE: u32 = 32 << 20;
/// Idle connections of a live capture are forgotten after this, unless told otherwise.
const LIVE_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

impl Config {
    /// The terminal is drawn on: nothing else may be written to it.
    pub const fn is_drawn(&self) -> bool {
        #[cfg(feature = "tui")]
        return self.window.is_some();
        #[cfg(not(feature = "tui"))]
        false
    }

    /// The option for which files are made, or opened again, once the captures were read.
    pub fn made_later(&self) -> Option<&'static str> {
        let bodies = self.contents.as_ref().is_some_and(|contents| contents.files.is_some());
        let several = matches!(&self.source, InputKind::Captures(inputs) if Input::are_opened_later(inputs));
        let options = [
            (several, "all but one FILE"),
            (self.write.is_some(), "--write"),
            (self.directory.is_some(), "--output-dir"),
            (bodies, "--bodies"),
            // It opens the captures again, and saves what is looked at.
            (self.is_drawn(), "--tui"),
        ];
        options.into_iter().find(|(given, _)| *given).map(|(_, option)| option)
    }

    /// What the analysis must give for what is printed and served.
    pub fn analyzed(&self) -> Wanted {
        let served = matches!(&self.source, InputKind::Live(live) if live.metrics.is_some());
        let endpoints = self.output.wanted.endpoints || self.output.footer || served;
        Wanted { endpoints, ..self.output.wanted }
    }
}

impl Action {
    /// Resolves the command line.
    ///
    /// # Errors
    /// One line that names the option and the way out.
    pub fn resolve(args: Args, environment: &Environment) -> Result<Self, UsageError> {
        match args.command {
            Some(Command::Join(join)) => Ok(Self::Join(Box::new(JoinConfig::resolve(*join, environment)?))),
            Some(Command::Merge(merge)) => Ok(Self::Merge(merge)),
            Some(Command::Diff(diff)) => Ok(Self::Diff(Box::new(DiffConfig::resolve(*diff, environment)?))),
            None => Self::of_flat(args, environment),
        }
    }

    /// Of a command line without a subcommand.
    fn of_flat(args: Args, environment: &Environment) -> Result<Self, UsageError> {
        if let Some(what) = args.generate {
            return Ok(Self::Generate(what));
        }
        if args.list_interfaces {
            return Ok(Self::ListInterfaces);
        }
        let source = source(&args, environment)?;
        let is_live = matches!(source, InputKind::Live(_));
        let write = write(&args, environment)?;
        let filter = matching(&args)?;
        let (patterns, templates) = templates(&args)?;
        check_follow(&args, &source)?;
        #[cfg(feature = "tui")]
        let window = window(&args, environment, write.as_ref())?;
        let mut output = output(&args, environment, is_live)?;
        #[cfg(feature = "tui")]
        if window.is_some() {
            output.wanted = crate::tui::WANTED;
        }
        output.sort = sort(&args, &source, &output)?;
        if write.as_ref().is_some_and(|write| write.path.is_none()) {
            output.wanted = Wanted::default();
        }
        let contents = contents(&args, output.wanted)?;
        let directory = args.output_dir.clone().map(|path| Directory { path, force: args.force });
        let partition = partition(&args, &output, is_live)?;
        let user = user(&args)?;
        let Args {
            keylog,
            agent_rules,
            agent_mode,
            agent_quantize,
            agent_ephemeral_ports,
            agent_idle_ttl,
            agent_max_requests,
            ..
        } = args;
        let keylog_from_environment = keylog.is_empty();
        let keylogs =
            if keylog.is_empty() { environment.key_log.iter().map(PathBuf::from).collect() } else { keylog };
        let defaults = Params::default();
        let agent = Params {
            rules: agent_rules.map_or(defaults.rules, Into::into),
            ephemeral_ports: agent_ephemeral_ports.unwrap_or(defaults.ephemeral_ports),
            idle_ttl: agent_idle_ttl.unwrap_or(defaults.idle_ttl),
            max_requests: agent_max_requests.map_or(defaults.max_requests, |requests| requests as usize),
            mode: agent_mode.map_or(defaults.mode, Into::into),
            quantize: agent_quantize,
            statistics: output.wanted.endpoints,
            memory: args.memory.unwrap_or_default(),
        };
        let verbosity = match (args.quiet, args.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, false) => Verbosity::Normal,
            (false, true) => Verbosity::Verbose,
        };
        Ok(Self::Analyze(Box::new(Config {
            source,
            filter: args.filter,
            follow: args.follow,
            matching: filter,
            patterns,
            templates,
            #[cfg(feature = "tui")]
            window,
            count: args.count,
            duration: args.duration,
            write,
            keylogs,
            keylog_from_environment,
            output,
            directory,
            contents,
            agent,
            partition,
            idle_timeout: args.idle_timeout.or(is_live.then_some(LIVE_IDLE_TIMEOUT)),
            summary: args.summary.filter(|_| !is_live),
            strict: args.strict,
            threads: args.threads.map_or(environment.processors, usize::from).max(1),
            memory: args.memory.unwrap_or_default(),
            sandbox: args.sandbox.unwrap_or_default(),
            user,
            verbosity,
            progress: environment.stderr_is_terminal && verbosity > Verbosity::Quiet,
        })))
    }
}

/// `--partition`, with a digest of the options that the records depend on.
fn partition(
    args: &Args,
    output: &Options,
    is_live: bool,
) -> Result<Option<(Partition, String)>, UsageError> {
    let Some(partition) = args.partition else { return Ok(None) };
    let unfit = [
        (is_live, "-i: a live capture is not divided"),
        (args.write.is_some(), "--write: save the packets without --partition"),
        (args.idle_timeout.is_some() && partition.divides_shards(), "--idle-timeout: give at most 8 parts"),
        (args.bodies.is_some(), "--bodies: write the bodies without --partition"),
        (args.top.is_some(), "--top: which come first is not known of a part"),
        (args.sort.is_some(), "--sort: parts are merged in the order of the capture"),
        (args.follow.is_some(), "--follow: it is of one connection"),
        (args.summary.is_some(), "--summary: one record tells of the whole part"),
    ];
    let name = output.format.name();
    if !["ndjson", "csv", "parquet", "arrow"].contains(&name) {
        let format = format!("--partition does not go with -o {name}: give -o ndjson, and merge the parts");
        return Err(UsageError(format));
    }
    if let Some((_, what)) = unfit.into_iter().find(|(given, _)| *given) {
        return Err(UsageError(format!("--partition does not go with {what}")));
    }
    let Options { wanted, show_secrets, format, .. } = output;
    let settings = format!(
        "{wanted:?} {show_secrets} {format:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        args.filter,
        args.matching,
        args.count,
        args.duration,
        args.path_template,
        args.path_templates,
        args.body,
        args.redact,
        args.agent_rules,
        args.agent_mode,
        args.agent_ephemeral_ports,
        args.agent_idle_ttl,
        (args.agent_max_requests, args.agent_quantize, args.memory),
        args.idle_timeout,
    );
    let digest = Sha256::digest(settings);
    let start = digest.first_chunk().map_or(0, |start| u64::from_be_bytes(*start));
    Ok(Some((partition, format!("{start:016x}"))))
}

/// `--where`, and what tshark calls so.
fn matching(args: &Args) -> Result<Option<Arc<Filter>>, UsageError> {
    if let Some(filter) = &args.display_filter {
        return Err(UsageError(tshark::hint(filter)));
    }
    let compile =
        |text: &String| Filter::from_str(text).map_err(|error| UsageError(format!("--where: {error}")));
    args.matching.as_ref().map(compile).transpose().map(|filter| filter.map(Arc::new))
}

/// `--sort` and `--top`. The table of a file is in order of start, unless other kinds of records stand between its rows.
fn sort(args: &Args, source: &InputKind, output: &Options) -> Result<Option<Sort>, UsageError> {
    let given = match (args.sort, args.top) {
        (Some(_), _) => Some("--sort"),
        (None, Some(_)) => Some("--top"),
        (None, None) => None,
    };
    let Wanted { transactions, endpoints, connections, frames, messages, findings, .. } = output.wanted;
    let InputKind::Captures(inputs) = source else {
        let refused = |option| {
            UsageError(format!("{option} is for captures: a live one shows transactions as they end"))
        };
        return given.map_or(Ok(None), |option| Err(refused(option)));
    };
    if let Some(option) = given
        && (args.follow.is_some() || !(transactions || endpoints && args.sort.is_none()))
    {
        return Err(UsageError(format!("{option} is for transactions: add them to --show, or leave it out")));
    }
    if !transactions || args.follow.is_some() {
        return Ok(None);
    }
    let (key, descending) = args.sort.unwrap_or_default();
    let sort = Sort { key, descending, top: args.top };
    let alone = !(connections || frames || messages || findings);
    // From a pipe rows are shown as they come.
    let by_itself = output.format == Format::Table && alone && !inputs.contains(&Input::Stdin);
    Ok((given.is_some() || by_itself).then_some(sort))
}

/// `--follow` takes the place of all records, and of what is said of them.
fn check_follow(args: &Args, source: &InputKind) -> Result<(), UsageError> {
    let Some(exchange) = args.follow else { return Ok(()) };
    let is_fixed = args.output.is_some_and(|output| Format::from(output).fixed().is_some());
    let others = [
        (args.show.is_some(), "--show"),
        (args.matching.is_some(), "--where"),
        (args.bodies.is_some(), "--bodies"),
        (args.output_dir.is_some(), "--output-dir"),
        (is_fixed, "--output, or choose table, ndjson, json, csv, parquet or arrow"),
    ];
    if let Some((_, option)) = others.into_iter().find(|(given, _)| *given) {
        return Err(UsageError(format!("--follow shows one exchange, all of it: leave out {option}")));
    }
    match source {
        InputKind::Live(_) => Err(UsageError("--follow is for captures: save one with -w FILE".to_owned())),
        InputKind::Captures(inputs)
            if matches!(exchange, Exchange::Packet(_)) && inputs.contains(&Input::Stdin) =>
        {
            Err(UsageError(
                "--follow :PACKET reads the captures twice: name a file, or the exchange as CONNECTION:STREAM"
                    .to_owned(),
            ))
        }
        InputKind::Captures(_) => Ok(()),
    }
}

/// `--user`
fn user(args: &Args) -> Result<Option<User>, UsageError> {
    if args.user.is_some() && args.sandbox == Some(Sandbox::Off) {
        return Err(UsageError(
            "--user: with --sandbox off all rights are kept; leave out one of them".to_owned(),
        ));
    }
    let user = args.user.as_deref().map(named).transpose();
    user.map_err(|reason| UsageError(format!("--user: {reason}")))
}

/// `--tui`
#[cfg(feature = "tui")]
fn window(
    args: &Args,
    environment: &Environment,
    write: Option<&Write>,
) -> Result<Option<Window>, UsageError> {
    if !args.tui {
        return Ok(None);
    }
    let others = [
        (args.show.is_some(), "--show"),
        (args.output.is_some(), "--output"),
        (args.json, "--json"),
        (args.follow.is_some(), "--follow"),
        (args.sort.is_some(), "--sort"),
        (args.top.is_some(), "--top"),
        (args.output_dir.is_some(), "--output-dir"),
        (args.partition.is_some(), "--partition"),
        (args.local_time, "--local-time"),
        (write.is_some_and(|write| write.path.is_none()), "--write -"),
    ];
    if let Some((_, option)) = others.into_iter().find(|(given, _)| *given) {
        return Err(UsageError(format!("--tui shows what it has room for: leave out {option}")));
    }
    if !environment.stdout_is_terminal {
        return Err(UsageError("--tui needs a terminal on standard output".to_owned()));
    }
    Ok(Some(Window { filter: args.matching.clone() }))
}

/// `--path-template` and `--path-templates`
fn templates(args: &Args) -> Result<(Patterns, Grouping), UsageError> {
    Ok((patterns(&args.path_template)?, grouping(args.path_templates.as_deref())))
}

fn source(args: &Args, environment: &Environment) -> Result<InputKind, UsageError> {
    let files = || args.files.iter().chain(&args.reads);
    let Some(interface) = &args.interface else {
        let live_only = [
            (args.snaplen.is_some(), "--snaplen"),
            (args.buffer_size.is_some(), "--buffer-size"),
            (args.no_promisc, "--no-promisc"),
            (args.metrics.is_some(), "--metrics"),
        ];
        if let Some((_, option)) = live_only.into_iter().find(|(given, _)| *given) {
            return Err(UsageError(format!("{option} is for live capture: add -i IFACE, or leave it out")));
        }
        let inputs: Vec<Input> = files().map(|file| Input::from_argument(file.as_os_str())).collect();
        if inputs.is_empty() {
            let hint = if environment.stdin_is_terminal {
                "nothing to read: name a capture (h2lens FILE) or an interface (h2lens -i IFACE)"
            } else {
                "nothing to read: name a capture, or '-' for standard input (h2lens -)"
            };
            return Err(UsageError(hint.to_owned()));
        }
        if inputs.iter().filter(|input| **input == Input::Stdin).count() > 1 {
            return Err(UsageError("'-' is given twice: standard input can be read once".to_owned()));
        }
        return Ok(InputKind::Captures(inputs));
    };
    if let Some(file) = files().next() {
        let file = file.display();
        return Err(UsageError(format!("-i {interface} captures live: leave out '{file}', or leave out -i")));
    }
    Ok(InputKind::Live(Live {
        interface: interface.clone(),
        // 0 is tcpdump's word for the most there is.
        snaplen: args.snaplen.filter(|&snaplen| snaplen > 0).unwrap_or(SNAPLEN),
        buffer_size: args.buffer_size.unwrap_or(BUFFER_SIZE),
        promiscuous: !args.no_promisc,
        summary: args.summary,
        metrics: args.metrics,
    }))
}

fn write(args: &Args, environment: &Environment) -> Result<Option<Write>, UsageError> {
    let rotation = Rotation {
        size: args.rotate_size,
        time: args.rotate_time,
        files: args.rotate_files.map(|files| files as usize),
    };
    let given = [
        (rotation.size.is_some(), "--rotate-size"),
        (rotation.time.is_some(), "--rotate-time"),
        (rotation.files.is_some(), "--rotate-files"),
    ];
    let first = given.into_iter().find(|(given, _)| *given);
    if args.write.as_ref().is_some_and(|path| path.as_os_str() == "-") {
        return to_stdout(args, environment, first.map(|(_, option)| option)).map(Some);
    }
    match (&args.write, first) {
        (None, Some((_, option))) => Err(UsageError(format!("{option} is for saved packets: add -w FILE"))),
        (Some(_), Some((_, option @ "--rotate-files"))) => {
            Err(UsageError(format!("{option} needs --rotate-size or --rotate-time, which begin new files")))
        }
        (None, None) => Ok(None),
        (Some(path), _) => Ok(Some(Write { path: Some(path.clone()), rotation })),
    }
}

/// `--write -`: packets take the place of the records, so that options about these make no sense.
fn to_stdout(args: &Args, environment: &Environment, rotate: Option<&str>) -> Result<Write, UsageError> {
    let of_records = [
        (args.show.is_some(), "--show"),
        (args.output.is_some(), "--output"),
        (args.output_dir.is_some(), "--output-dir"),
        (args.json, "--json"),
        (args.headers, "--headers"),
    ];
    if let Some((_, option)) = of_records.into_iter().find(|(given, _)| *given) {
        return Err(UsageError(format!(
            "-w - prints packets in place of records: leave out {option}, or give a file"
        )));
    }
    if let Some(option) = rotate {
        return Err(UsageError(format!("{option} makes several files, and -w - prints one: give a file")));
    }
    if environment.stdout_is_terminal {
        return Err(UsageError(
            "-w - prints packets, which are nothing for a terminal: redirect the output".to_owned(),
        ));
    }
    Ok(Write { path: None, rotation: Rotation::default() })
}

fn output(args: &Args, environment: &Environment, is_live: bool) -> Result<Options, UsageError> {
    let format = match args.output {
        Some(format) => format.into(),
        None if args.json || !environment.stdout_is_terminal => Format::Ndjson,
        None => Format::Table,
    };
    let into_files = args.output_dir.is_some();
    check_place(args, environment, format, is_live)?;
    let one_kind = format.holds_one_kind() && !into_files;
    let mut wanted = match (&args.show, format.fixed()) {
        (Some(_), Some(_)) => {
            let name = format.name();
            return Err(UsageError(format!("-o {name} always holds the same: leave out --show")));
        }
        (Some(list), None) => show(list)?,
        (None, Some(fixed)) => fixed,
        (None, None) if args.follow.is_some() => {
            Wanted { transactions: true, headers: true, ..Wanted::default() }
        }
        (None, None) => Wanted { transactions: true, telemetry: !one_kind, ..Wanted::default() },
    };
    let color = color(args.color, environment);
    wanted.headers |= args.headers;
    let width = environment.columns.filter(|_| environment.stdout_is_terminal);
    let footer = format == Format::Table && wanted.transactions && args.follow.is_none();
    let schemas: Vec<_> = args.proto.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let options = Options {
        format,
        wanted,
        telemetry_apart: false,
        show_secrets: args.no_redact,
        excerpts: args.body.is_some(),
        color,
        width,
        zone: zone(args, format)?,
        live: is_live,
        footer,
        sort: None,
        top: args.top,
        schemas: schemas.leak(),
        part: args.partition.is_some(),
        routes: None,
        memory: args.memory.unwrap_or_default(),
    };
    if one_kind && options.by_kind().len() > 1 {
        let (name, list) = (format.name(), args.show.as_deref().unwrap_or_default());
        return Err(UsageError(format!(
            "-o {name} holds one kind of record: choose one of --show {list}, or add --output-dir DIR"
        )));
    }
    Ok(options)
}

/// `--local-time`
fn zone(args: &Args, format: Format) -> Result<Zone, UsageError> {
    if !args.local_time {
        return Ok(Zone::default());
    }
    if format != Format::Table {
        let name = format.name();
        return Err(UsageError(format!(
            "--local-time is for tables: -o {name} has UTC always; add -o table"
        )));
    }
    let unknown =
        |error| UsageError(format!("--local-time: the machine's zone is not known: {error}; set TZ"));
    Zone::of_machine().map_err(unknown)
}

/// Whether a format can go where it is to go.
fn check_place(
    args: &Args,
    environment: &Environment,
    format: Format,
    is_live: bool,
) -> Result<(), UsageError> {
    let name = format.name();
    let problem = match &args.output_dir {
        Some(_) if is_live => "--output-dir is for captures: leave out -i, or leave it out".to_owned(),
        Some(_) if format.extension().is_none() => {
            format!("-o {name} is one output: leave out --output-dir, or choose ndjson, json or csv")
        }
        None if format.is_binary() && environment.stdout_is_terminal => {
            return Err(not_for_terminals(format));
        }
        _ => return Ok(()),
    };
    Err(UsageError(problem))
}

/// Bytes of a body that may be asked for: what a shard's bodies have together.
const BODY_LIMIT_MOST: usize = limits::BODY_MEMORY_SHARD;

/// Bytes of a body that are shown, unless told otherwise.
const BODY_LIMIT: usize = 1 << 20;

/// `--body` and the options that go with it.
fn contents(args: &Args, wanted: Wanted) -> Result<Option<Contents>, UsageError> {
    // A schema is given for the messages to be read.
    let in_transactions =
        args.body.is_some() || !args.proto.is_empty() && args.bodies.is_none() && !wanted.messages;
    if !in_transactions && args.bodies.is_none() && !wanted.messages {
        return match args.redact.as_slice() {
            [] => Ok(None),
            _ => Err(UsageError("--redact is for contents: add --body".to_owned())),
        };
    }
    if args.no_redact && !args.redact.is_empty() {
        return Err(UsageError("--no-redact shows all: leave it out, or leave out --redact".to_owned()));
    }
    if cfg!(not(feature = "proto")) && !args.proto.is_empty() {
        return Err(UsageError(
            "--proto: this build of h2lens reads no schemas (cargo feature 'proto')".to_owned(),
        ));
    }
    let limit = args.body.map_or(BODY_LIMIT, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if limit > BODY_LIMIT_MOST {
        return Err(UsageError(format!("--body: at most {} MiB", BODY_LIMIT_MOST >> 20)));
    }
    Ok(Some(Contents {
        limit,
        in_transactions,
        messages: wanted.messages,
        files: args.bodies.clone().map(|directory| (directory, args.raw_bodies)),
        schemas: args.proto.clone(),
        redact: (!args.no_redact).then(|| args.redact.clone()),
    }))
}

/// The records that `--show` takes.
pub(super) const KINDS: [&str; 7] =
    ["transactions", "endpoints", "connections", "frames", "messages", "findings", "telemetry"];

/// `--show`
fn show(list: &str) -> Result<Wanted, UsageError> {
    let mut wanted = Wanted::default();
    for kind in list.split(',').map(str::trim) {
        let flag = match kind {
            "transactions" => &mut wanted.transactions,
            "endpoints" => &mut wanted.endpoints,
            "connections" => &mut wanted.connections,
            "frames" => &mut wanted.frames,
            "messages" => &mut wanted.messages,
            "findings" => &mut wanted.findings,
            "telemetry" => &mut wanted.telemetry,
            _ => {
                let (last, others) =
                    KINDS.split_last().map_or(("", &[][..]), |(last, others)| (*last, others));
                let others = others.join(", ");
                return Err(UsageError(format!(
                    "--show: unknown record '{kind}': choose {others} or {last}, separated by commas"
                )));
            }
        };
        *flag = true;
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests;

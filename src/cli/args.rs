//! The command line as it was typed. Help, man page and completions come from here.

use super::command::Command as Subcommand;
use super::display::{Color, OutputFormat};
use super::sandbox::Sandbox;
use super::units;
use crate::agent::{Mode, Rules};
use crate::base::memory::Memory;
use crate::base::partition::Partition;
use crate::export::SortKey;
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches, Parser, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// What h2lens is, for the help and the man page.
const ABOUT: &str = "Print the HTTP/2 transactions in a capture or on an interface, with telemetry";

const LONG_ABOUT: &str = "\
Reads packets from captures, standard input or a live interface, finds HTTP/2 on any port, and prints its \
transactions with the telemetry counters that the Datadog Agent's in-kernel HTTP/2 monitor keeps: as the agent would \
have counted them, and as they were on the wire.";

const USAGE: &str = "h2lens [OPTIONS] FILE...     (- is standard input)\n       h2lens [OPTIONS] -i IFACE";

/// Command line options. Their comments are the help: plain text.
#[allow(clippy::doc_markdown)]
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "h2lens", version, about = ABOUT, long_about = LONG_ABOUT, override_usage = USAGE)]
#[command(disable_help_flag = true, disable_version_flag = true, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Args {
    /// What to do in place of printing the records of a capture. A capture of such a name is read as "./join".
    #[command(subcommand)]
    pub command: Option<Subcommand>,

    /// Captures to read: pcap or pcapng, plain or compressed with gzip, zstd or lz4; "-" is standard input, which may
    /// be a pipe that is still growing. A directory means the captures in it. Several files are one timeline, merged by
    /// packet time.
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath, hide_short_help = true)]
    pub files: Vec<PathBuf>,

    /// A capture to read: the same as FILE
    #[arg(short, long = "read", value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input", hide_short_help = true)]
    pub reads: Vec<PathBuf>,

    /// Capture live from IFACE; "any" works
    #[arg(short, long, value_name = "IFACE", help_heading = "Input")]
    pub interface: Option<String>,

    /// List the interfaces one can capture on
    #[arg(short = 'D', long, help_heading = "Input", exclusive = true)]
    pub list_interfaces: bool,

    /// Only packets that match a pcap filter
    ///
    /// Only packets that match a pcap-filter(7) expression, such as "tcp port 8080", in files as in live capture.
    #[arg(short, long, value_name = "BPF", help_heading = "Input")]
    pub filter: Option<String>,

    /// Stop after N packets
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Input")]
    pub count: Option<u64>,

    /// Stop after a time, as 30s, 5m
    ///
    /// Stop after a time: 500ms, 30s, 5m, 1h30m. In files it is packet time, from the first packet on.
    #[arg(
        long,
        value_name = "T",
        value_parser = units::duration,
        hide_short_help = true,
        help_heading = "Input"
    )]
    pub duration: Option<Duration>,

    /// TLS secrets [default: $SSLKEYLOGFILE]
    ///
    /// TLS secrets in NSS key log format (RFC 9850); may be given several times. Without it $SSLKEYLOGFILE is used.
    /// Decryption Secrets Blocks in a pcapng are used by themselves.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    pub keylog: Vec<PathBuf>,

    /// Records to show, separated by commas
    ///
    /// Records to show, separated by commas: transactions, endpoints, connections, frames, messages, findings, telemetry. The
    /// default is transactions,telemetry; for CSV, which holds one kind of record, transactions. An endpoint is what the
    /// calls of a service, method and path template add up to.
    #[arg(short = 'S', long, value_name = "LIST", help_heading = "Output")]
    pub show: Option<String>,

    /// Only transactions that match, as 'status >= 500'
    ///
    /// Only transactions that match, and endpoints of those alone: 'status == 5xx and path ~ ^/v1/',
    /// 'not (duration < 200ms)', 'client in (10.0.0.0/8, ::1)', 'error'. Fields are named by their JSON paths, or short:
    /// status, method, path, query, host, rpc, grpc, error, client, server, conn, stream, size, ttfb, user_agent. Operators
    /// are == != < <= > >= ~ (a regular expression) and in; a field alone asks whether it is there. Those of which that
    /// cannot be known are left out, and counted in coverage.where_unknown.
    #[arg(
        short = 'W',
        long = "where",
        value_name = "EXPR",
        allow_hyphen_values = true,
        help_heading = "Output"
    )]
    pub matching: Option<String>,

    /// One exchange, all of it: CONNECTION:STREAM, or :PACKET
    ///
    /// One exchange from its start to its end: frames, fields, gaps, credit and trailers, and with --body its contents.
    /// 30:1 is stream 1 of connection 30, as h2.connection.id and h2.stream.id name them; :35 is the exchange that packet 35
    /// tells of, for which the captures are read twice. As NDJSON, CSV, Parquet or Arrow each step is a record.
    #[arg(long, value_name = "CONN:STREAM", value_parser = exchange, help_heading = "Output", hide_short_help = true)]
    pub follow: Option<Exchange>,

    /// A window in the terminal: what goes on, while it is read
    ///
    /// A window in the terminal, live and for captures while they are read: endpoints with rate, failures and quantiles of the
    /// last 10 s and of all, calls as they end, those in flight with their age, connections with the time that they were
    /// blocked. Enter opens a call, / takes a filter as --where does, Space stands still, s saves what is shown, ? lists the
    /// keys.
    #[cfg(feature = "tui")]
    #[arg(long, hide_short_help = true, help_heading = "Output")]
    pub tui: bool,

    /// Order of the transactions: start, duration, ttfb or bytes; -KEY for the greatest first
    ///
    /// Order of the transactions of captures: by start (the default of a table), duration, ttfb or bytes; -duration and the
    /// like for the greatest first. Without it they come in the order of their ends. What does not fit into memory is kept
    /// in a temporary file.
    #[arg(long, value_name = "KEY", value_parser = sort, allow_hyphen_values = true, help_heading = "Output", hide_short_help = true)]
    pub sort: Option<(SortKey, bool)>,

    /// The first N transactions of that order, and endpoints
    ///
    /// No more than N transactions, the first ones of the order that --sort says, or by start; and no more than N endpoints.
    #[arg(long, value_name = "N", help_heading = "Output", hide_short_help = true)]
    pub top: Option<u64>,

    /// How to write a display filter of tshark here
    #[arg(short = 'Y', long = "display-filter", value_name = "FILTER", hide = true)]
    pub display_filter: Option<String>,

    /// Paths that are one endpoint, as '/users/{id}'
    ///
    /// Paths that are one endpoint, as '/users/{id}', '/files/{name}.json' or '/static/{*rest}'; may be given several
    /// times. The most specific one counts; what matches none is grouped as --path-templates says.
    #[arg(long, value_name = "PATTERN", help_heading = "Output", hide_short_help = true)]
    pub path_template: Vec<String>,

    /// auto, off, or an OpenAPI document
    ///
    /// How paths are grouped into endpoints: auto (the default) by what looks like a value and by how many siblings there
    /// are, off not at all; a FILE is an OpenAPI document, in YAML or JSON, whose paths come first.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output", hide_short_help = true)]
    pub path_templates: Option<PathBuf>,

    /// table, ndjson, json, csv, parquet, arrow, har, otlp, trace, curl or html
    ///
    /// Output format. The default is table on a terminal, ndjson otherwise. Parquet is a file, Arrow an IPC stream of
    /// columns, with one fixed schema for each kind of record. HAR 1.2 is for the network panels of browsers, otlp is
    /// OTLP/JSON traces, for the OpenTelemetry collector, trace is Chrome trace events, for Perfetto, curl is commands for a
    /// shell that repeat the requests; html is a report, one page for people; what these hold is fixed.
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        value_enum,
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub output: Option<OutputFormat>,

    /// Write each kind of record into a file of its own
    ///
    /// Write each kind of record into a file of its own in DIR, which is made if it is missing: transactions.csv,
    /// connections.csv and so on. A file has another name until all of them are whole, and none is written over
    /// without --force.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Output", hide_short_help = true)]
    pub output_dir: Option<PathBuf>,

    /// Write over files that are in the way of --output-dir
    #[arg(long, requires = "output_dir", help_heading = "Output", hide_short_help = true)]
    pub force: bool,

    /// Short for -o ndjson
    #[arg(long, conflicts_with = "output", help_heading = "Output")]
    pub json: bool,

    /// Show all header fields
    #[arg(short = 'H', long, help_heading = "Output")]
    pub headers: bool,

    /// Show what is in the bodies, N bytes of each [default: 1MiB]
    ///
    /// Show what is in the bodies, at most N bytes of each, and the messages of gRPC, gRPC-Web, Connect, server-sent
    /// events, WebSocket, JSON lines, multipart and DNS: decoded, and without secrets unless --no-redact is given.
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "1MiB", value_parser = units::size, help_heading = "Contents", hide_short_help = true)]
    pub body: Option<u64>,

    /// Read protobuf messages by this schema
    ///
    /// Schemas of protobuf messages: descriptor sets, or .proto files, whose imports are looked for beside them and in
    /// the directories above. May be given several times. Alone it looks into the bodies as --body does. What servers tell
    /// by reflection is used by itself.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Contents", hide_short_help = true)]
    pub proto: Vec<PathBuf>,

    /// Write each body to a file in this directory
    ///
    /// Write each body to a file in this directory, decoded and as it was, secrets too; for their owner alone, and over
    /// no file that is there. manifest.ndjson says what they are.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Contents", hide_short_help = true)]
    pub bodies: Option<PathBuf>,

    /// Write bodies as they were sent, not decoded
    #[arg(long, requires = "bodies", help_heading = "Contents", hide_short_help = true)]
    pub raw_bodies: bool,

    /// Also mask the values of this name in contents
    #[arg(long, value_name = "KEY", help_heading = "Contents", hide_short_help = true)]
    pub redact: Vec<String>,

    /// Show secrets in header fields
    ///
    /// Show secrets. Without it the values of authorization, cookie, set-cookie, proxy-authorization, x-api-key and the
    /// like read [redacted] everywhere, and so do values of fields whose name is not known.
    #[arg(long, help_heading = "Output")]
    #[allow(rustdoc::broken_intra_doc_links, reason = "what the values read, not a link")]
    pub no_redact: bool,

    /// Also save the captured packets
    ///
    /// Also save the packets, as pcapng. With --keylog the secrets that they need are put into the file, which then can
    /// be read by its owner only. "-" is standard output: packets then take the place of the records.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub write: Option<PathBuf>,

    /// auto, always or never
    ///
    /// When to colour the table. With auto it is coloured on a terminal, unless NO_COLOR is set.
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        hide_possible_values = true,
        help_heading = "Output",
        hide_short_help = true
    )]
    pub color: Option<Color>,

    /// Tell times in the machine's zone
    ///
    /// Tell times in a table, and of --follow, in the machine's zone, as TZ or /etc/localtime says, instead of UTC. The
    /// other formats have UTC always.
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    pub local_time: bool,

    /// Exit 1 when the analysis is incomplete
    ///
    /// Exit with status 1 when something of an HTTP/2 connection is known to be missing or could not be decoded: when
    /// coverage.complete of the telemetry record is false.
    #[arg(long, help_heading = "Output")]
    pub strict: bool,

    /// No messages but errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,

    /// More messages
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,

    /// Which agent to model: 2025, 2026 or 2026b
    ///
    /// The agent's rules: 2025 is its base version, 2026 has two later changes, by which it reads HEADERS with priority,
    /// and paths whose field name is spelled out; with 2026b (the default) methods and statuses, too.
    #[arg(
        long,
        value_name = "RULES",
        value_enum,
        hide_possible_values = true,
        help_heading = "Agent view",
        hide_short_help = true
    )]
    pub agent_rules: Option<AgentRules>,

    /// What the agent's statistics tell apart: endpoints or discovery
    ///
    /// With endpoints (the default) the agent keeps latencies by method, path and status; in discovery mode by connection
    /// alone, with statuses as 200 (below 400) or 400, and sums in place of quantiles.
    #[arg(
        long,
        value_name = "MODE",
        value_enum,
        hide_possible_values = true,
        help_heading = "Agent view",
        hide_short_help = true
    )]
    pub agent_mode: Option<AgentMode>,

    /// Quantize paths in the agent's statistics
    ///
    /// Let the agent's URL quantizer replace the segments of paths that have digits or other special characters, as
    /// /pkg.Service/Method becomes /*/Method. The agent itself does that for HTTP/1 alone, where it is told to.
    #[arg(long, help_heading = "Agent view", hide_short_help = true)]
    pub agent_quantize: bool,

    /// Ephemeral ports of the agent's host [default: 32768-60999]
    ///
    /// The ports that the agent's host gives to clients (net.ipv4.ip_local_port_range), by which the agent tells client
    /// from server.
    #[arg(long, value_name = "A-B", value_parser = port_range, help_heading = "Agent view", hide_short_help = true)]
    pub agent_ephemeral_ports: Option<RangeInclusive<u16>>,

    /// Age at which the agent forgets a stream [default: 30s]
    #[arg(long, value_name = "T", value_parser = units::duration, help_heading = "Agent view", hide_short_help = true)]
    pub agent_idle_ttl: Option<Duration>,

    /// Capacity of the agent's maps [default: 65536]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Agent view", hide_short_help = true)]
    pub agent_max_requests: Option<u32>,

    /// Bytes of each packet to capture [default: 262144]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=262_144), help_heading = "Live capture", hide_short_help = true)]
    pub snaplen: Option<u32>,

    /// Kernel buffer, as 32MiB [default: 32MiB]
    #[arg(long, value_name = "N", value_parser = buffer_size, help_heading = "Live capture", hide_short_help = true)]
    pub buffer_size: Option<u32>,

    /// Do not put the interface into promiscuous mode
    #[arg(long, help_heading = "Live capture", hide_short_help = true)]
    pub no_promisc: bool,

    /// Tell of connections idle for so long, and forget those without HTTP/2 [default: 5m]
    #[arg(long, value_name = "T", value_parser = units::duration, help_heading = "Live capture", hide_short_help = true)]
    pub idle_timeout: Option<Duration>,

    /// Begin a new file of -w at this size, as 100M
    #[arg(long, value_name = "N", value_parser = units::size, help_heading = "Live capture", hide_short_help = true)]
    pub rotate_size: Option<u64>,

    /// Begin a new file of -w after this time, as 1h
    #[arg(long, value_name = "T", value_parser = units::duration, help_heading = "Live capture", hide_short_help = true)]
    pub rotate_time: Option<Duration>,

    /// Keep so many files of -w, and remove the oldest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Live capture", hide_short_help = true)]
    pub rotate_files: Option<u32>,

    /// Print telemetry every T [default: 30s]
    ///
    /// Print a telemetry record every T, 30s if T is left out, with what that time added. Of captures T is packet time. Live, a
    /// terminal shows a line of status, too.
    #[arg(long, value_name = "T", num_args = 0..=1, require_equals = true, default_missing_value = "30s", value_parser = units::duration, help_heading = "Live capture", hide_short_help = true)]
    pub summary: Option<Duration>,

    /// Serve Prometheus metrics at ADDR:PORT/metrics
    ///
    /// Serve the counters as Prometheus text at http://ADDR:PORT/metrics. PORT alone is a port on the loopback address.
    #[arg(long, value_name = "ADDR:PORT", value_parser = socket, help_heading = "Live capture", hide_short_help = true)]
    pub metrics: Option<SocketAddr>,

    /// off, auto or strict
    ///
    /// Restrict the program once the interface, or all captures, are open: auto (the default) as far as the system can, strict or
    /// not at all, off not. Root becomes the user who called sudo, or nobody; no capability is kept; live, the file system is
    /// closed but for what is still needed. Captures are analyzed with the rights of who starts it where several are given, or
    /// files are made later (-w, --output-dir, --bodies, --tui).
    #[arg(
        long,
        value_name = "MODE",
        value_enum,
        hide_possible_values = true,
        help_heading = "Other",
        hide_short_help = true
    )]
    pub sandbox: Option<Sandbox>,

    /// user whom root becomes
    ///
    /// Whom root becomes once the interface, or the capture, is open, in place of the user who called sudo, or of nobody. What is
    /// written live with -w and --bodies is that user's: a series of files needs a directory that belongs to it.
    #[arg(long, value_name = "NAME", help_heading = "Other", hide_short_help = true)]
    pub user: Option<String>,

    /// Analyze part I of N of the connections, as 0/8
    ///
    /// Analyze part I of N of the connections, from 0 to N - 1, N at most 64: all packets are read, and so the numbers of
    /// packets and connections are those of the whole. What is told of the capture as a whole stands in part 0. h2lens merge
    /// makes one result of all parts' NDJSON.
    #[arg(long, value_name = "I/N", help_heading = "Other", hide_short_help = true)]
    pub partition: Option<Partition>,

    /// Memory for what grows with the input, at least 64M [default: 512M]
    ///
    /// Memory for what grows with the input, at least 64M, by default 512M. When it is full, what is worth least goes first, and
    /// coverage.limits counts it. The process takes up to 32M more.
    #[arg(long, value_name = "SIZE", value_parser = units::memory, help_heading = "Other", hide_short_help = true)]
    pub memory: Option<Memory>,

    /// Worker threads [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Other", hide_short_help = true)]
    pub threads: Option<u16>,

    /// Print the man page, completions, or the records' schema: man, man-join, man-diff, man-merge, bash, zsh, fish, schema, duckdb
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        hide_possible_values = true,
        help_heading = "Other",
        hide_short_help = true
    )]
    pub generate: Option<Generate>,

    /// Print help; --help shows all options
    #[arg(short, long, action = ArgAction::Help, help_heading = "Other")]
    help: Option<bool>,

    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version, help_heading = "Other")]
    version: Option<bool>,
}

impl Args {
    /// The definition of the command line, for the parser, the help, the man pages and the completions.
    pub fn definition() -> Command {
        Self::command().mut_args(with_long_help).mut_subcommands(|command| command.mut_args(with_long_help))
    }

    /// Reads a command line, its first word the program's name.
    ///
    /// # Errors
    /// The parser's; [`super::usage::UsageError`] makes one line of it. Help and version come as errors, too.
    pub fn read(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        Self::from_arg_matches(&Self::definition().try_get_matches_from(words)?)
    }
}

/// An option with all that is to be said of it in its long help.
fn with_long_help(arg: Arg) -> Arg {
    // A doc comment's first paragraph is the short help, and stands before the long one again.
    let short = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let long = arg.get_long_help().map(ToString::to_string).unwrap_or_default();
    let long = long.strip_prefix(&short).unwrap_or(&long).trim_start().to_owned();
    let long = if long.is_empty() { short } else { long };
    let values = unnamed_values(&arg, &long);
    arg.long_help(long + &values)
}

/// A sentence that lists the values of an option and what they mean, unless its help names them all.
fn unnamed_values(arg: &Arg, help: &str) -> String {
    let values = if arg.get_action().takes_values() { arg.get_possible_values() } else { Vec::new() };
    if values.iter().all(|value| help.contains(value.get_name())) {
        return String::new();
    }
    let told = values.iter().map(|value| {
        let meaning = value.get_help().map(ToString::to_string).unwrap_or_default();
        let (first, rest) = meaning.split_at_checked(1).unwrap_or_default();
        format!("{} ({}{rest})", value.get_name(), first.to_lowercase())
    });
    format!(" Values: {}.", told.collect::<Vec<_>>().join(", "))
}

/// `--agent-rules`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AgentRules {
    /// The base version
    #[value(name = "2025")]
    Y2025,
    /// With two later changes
    #[value(name = "2026")]
    Y2026,
    /// The newest
    #[value(name = "2026b")]
    Y2026b,
}

/// `--agent-mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AgentMode {
    /// Methods, paths and statuses
    Endpoints,
    /// Connections alone
    Discovery,
}

impl From<AgentMode> for Mode {
    fn from(mode: AgentMode) -> Self {
        match mode {
            AgentMode::Endpoints => Self::Endpoints,
            AgentMode::Discovery => Self::Discovery,
        }
    }
}

impl From<AgentRules> for Rules {
    fn from(rules: AgentRules) -> Self {
        match rules {
            AgentRules::Y2025 => Self::Y2025,
            AgentRules::Y2026 => Self::Y2026,
            AgentRules::Y2026b => Self::Y2026b,
        }
    }
}

/// `--generate`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Generate {
    /// The man page, roff
    Man,
    /// The man page of join
    ManJoin,
    /// The man page of diff
    ManDiff,
    /// The man page of merge
    ManMerge,
    /// Completions for bash
    Bash,
    /// Completions for zsh
    Zsh,
    /// Completions for fish
    Fish,
    /// The JSON Schema of the records
    Schema,
    /// Views for `DuckDB` over the records, SQL
    Duckdb,
}

/// `--sort`: what by, and whether the greatest come first.
fn sort(text: &str) -> Result<(SortKey, bool), String> {
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let key = match name {
        "start" => SortKey::Start,
        "duration" => SortKey::Duration,
        "ttfb" => SortKey::Ttfb,
        "bytes" => SortKey::Bytes,
        _ => {
            return Err("give start, duration, ttfb or bytes, or -duration for the greatest first".to_owned());
        }
    };
    Ok((key, descending))
}

/// `--follow`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Connection and stream.
    Stream(u64, u32),
    /// The one that a packet tells of.
    Packet(u64),
}

/// `30:1`, `:35`
fn exchange(text: &str) -> Result<Exchange, String> {
    let parse = || {
        let (connection, number) = text.split_once(':')?;
        Some(match connection {
            "" => Exchange::Packet(number.parse().ok().filter(|&packet| packet > 0)?),
            _ => {
                Exchange::Stream(connection.parse().ok()?, number.parse().ok().filter(|&stream| stream > 0)?)
            }
        })
    };
    parse().ok_or_else(|| "give a connection and a stream, as 30:1, or a packet, as :35".to_owned())
}

/// `32768-60999`
fn port_range(text: &str) -> Result<RangeInclusive<u16>, String> {
    text.split_once('-')
        .and_then(|(from, to)| Some(from.trim().parse().ok()?..=to.trim().parse().ok()?))
        .filter(|range| !range.is_empty())
        .ok_or_else(|| "give two ports, the lower first, as 32768-60999".to_owned())
}

/// `127.0.0.1:9100`, `[::1]:9100`; `9100`, `:9100` and `localhost:9100` are on the loopback address.
fn socket(text: &str) -> Result<SocketAddr, String> {
    let port =
        text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')).unwrap_or(text).parse().ok();
    let loopback = port.map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    loopback
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "give an address and a port, as 127.0.0.1:9100 or [::1]:9100".to_owned())
}

/// A size that libpcap can take.
fn buffer_size(text: &str) -> Result<u32, String> {
    units::size(text)?
        .try_into()
        .ok()
        .filter(|&size| i32::try_from(size).is_ok())
        .ok_or_else(|| "at most 2047MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::definition().debug_assert();
    }

    #[test]
    fn short_help_fits_a_screen() {
        let help = Args::definition().term_width(80).render_help().to_string();
        assert!(help.lines().count() <= 33, "{} lines:\n{help}", help.lines().count());
        assert!(help.lines().all(|line| line.len() <= 80), "{help}");
    }

    #[test]
    fn long_help_has_every_option_and_what_values_it_takes() {
        let help = Args::definition().term_width(100).render_long_help().to_string();
        let shown = Args::definition();
        let shown = shown.get_arguments().filter(|argument| !argument.is_hide_set());
        for argument in shown.filter_map(clap::Arg::get_long) {
            assert!(help.contains(&format!("--{argument}")), "{argument}");
        }
        for argument in Args::definition().get_arguments() {
            let own = argument.get_long_help().unwrap().to_string();
            for value in
                argument.get_possible_values().iter().filter(|_| argument.get_action().takes_values())
            {
                assert!(own.contains(value.get_name()), "{argument}: {}", value.get_name());
            }
        }
    }

    #[test]
    fn orders() {
        assert_eq!(sort("start"), Ok((SortKey::Start, false)));
        assert_eq!(sort("-bytes"), Ok((SortKey::Bytes, true)));
        for text in ["", "-", "--ttfb", "size", "Duration"] {
            assert!(sort(text).is_err(), "{text}");
        }
    }

    #[test]
    fn exchanges() {
        assert_eq!(exchange("30:1"), Ok(Exchange::Stream(30, 1)));
        assert_eq!(exchange(":35"), Ok(Exchange::Packet(35)));
        for text in ["", "30", ":", "30:", "30:0", ":0", "a:1", "1:-1", "1:2:3"] {
            assert!(exchange(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ports_and_addresses() {
        assert_eq!(port_range("1-2"), Ok(1..=2));
        for text in ["", "1", "2-1", "1-65536", "a-b", "-1-2"] {
            assert!(port_range(text).is_err(), "{text}");
        }
        for (text, shown) in [
            ("9100", "127.0.0.1:9100"),
            (":9100", "127.0.0.1:9100"),
            ("localhost:1", "127.0.0.1:1"),
            ("0.0.0.0:1", "0.0.0.0:1"),
            ("[::1]:1", "[::1]:1"),
        ] {
            assert_eq!(socket(text).unwrap().to_string(), shown);
        }
        for text in ["", "host:1", "1.2.3.4", "::1:x", "70000"] {
            assert!(socket(text).is_err(), "{text}");
        }
        assert_eq!(buffer_size("32MiB"), Ok(32 << 20));
        assert!(buffer_size("2G").is_err());
    }
}

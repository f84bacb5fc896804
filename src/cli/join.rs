//! `h2lens join CLIENT SERVER`: two captures of the same calls.

use super::common::{Common, Sides, limits, signed_time};
use super::environment::Environment;
use super::exit::Exit;
use super::messages::Messages;
use super::rights;
use super::sandbox::Sandbox;
use super::usage::UsageError;
use crate::body;
use crate::capture::Input;
use crate::engine::{Analysis, captures};
use crate::export::{JoinPrinter, PrintError};
use crate::join::{self, Endpoints, Joining, PairSink, Place, Side, Turns};
use crate::record::pair::{Join, Pair};
use crate::tls::KeyStore;
use clap::{Args, ValueHint};
use std::ffi::OsString;
use std::io::{self, Stdout};
use std::sync::Arc;

/// What it does, for its help and its man page.
pub(super) const LONG_ABOUT: &str = "\
Pairs the calls of two captures that were made at two places, such as the client's host and the server's, or before and \
behind a proxy. Tells for each call how much of its time lay between the two, how the clocks differ, which segments never \
arrived, and which calls one place alone has seen.";

/// Options of `join`. Their comments are the help: plain text.
#[allow(clippy::doc_markdown)]
#[derive(Args, Clone, Debug, Default)]
pub struct JoinArgs {
    /// Captures made at the client's place
    ///
    /// Captures made at the client's place: a file, a directory, several of them with commas in between, or "-" for
    /// standard input. All are from one clock.
    #[arg(value_name = "CLIENT", value_hint = ValueHint::AnyPath)]
    pub client: OsString,

    /// Captures made at the server's place
    ///
    /// Captures made at the server's place, likewise. With several backends, capture at the proxy.
    #[arg(value_name = "SERVER", value_hint = ValueHint::AnyPath)]
    pub server: OsString,

    /// A request header field that holds an id
    ///
    /// A request header field that holds an id by which calls are paired; may be given several times. It comes before
    /// traceparent, x-request-id and x-b3-traceid, which are used by themselves.
    #[arg(long, value_name = "NAME", help_heading = "Pairing")]
    pub join_by: Vec<String>,

    /// The server's clock less the client's, as 1.5s
    ///
    /// The server's clock less the client's, as 1.5s or -200ms: taken as it is. Without it the offset is found from what
    /// both places saw.
    #[arg(long, value_name = "T", value_parser = signed_time, allow_hyphen_values = true, help_heading = "Pairing")]
    pub clock_offset: Option<i64>,

    /// Compare the contents of bodies, too
    #[arg(long, help_heading = "Pairing")]
    pub body: bool,

    #[command(flatten)]
    pub(super) common: Common,
}

/// Two captures to be joined, resolved.
#[derive(Clone, Debug)]
pub struct JoinConfig {
    args: JoinArgs,
    sides: Sides,
}

impl JoinConfig {
    /// Resolves the options.
    pub(super) fn resolve(args: JoinArgs, environment: &Environment) -> Result<Self, UsageError> {
        let sides = args.common.resolve([(&args.client, "CLIENT"), (&args.server, "SERVER")], environment)?;
        Ok(Self { args, sides })
    }
}

/// Joins the captures, and prints what they tell.
pub(super) fn run(config: &JoinConfig) -> anyhow::Result<Exit> {
    let messages = config.sides.messages;
    let templates = Arc::new(config.sides.templates()?);
    let names = config.args.join_by.iter().map(|name| name.to_ascii_lowercase()).collect();
    let options = join::Options { join_by: names, clock_offset: config.args.clock_offset };
    let [first, second] = &config.sides.inputs;
    let mut inputs =
        [(Place::Client, config.sides.open(first)?), (Place::Server, config.sides.open(second)?)];
    let several = [first, second].into_iter().any(|captures| Input::are_opened_later(captures));
    rights::give_up(Sandbox::Auto, None, several.then_some("several captures of a side"), messages)?;
    let printer = match JoinPrinter::new(io::stdout(), &config.sides.output) {
        Err(PrintError::Closed) => return Ok(Exit::Done),
        printer => printer?,
    };
    let [client, server] = [(); 2].map(|()| Side::with_memory(config.sides.memory));
    let asked: Arc<[String]> = options.join_by.as_slice().into();
    let told = Told { printer, endpoints: Endpoints::new(&templates, config.sides.memory) };
    let turns = Turns::new(Joining::new(client, server, options, told));
    std::thread::scope(|scope| {
        for (place, (timeline, keys)) in &mut inputs {
            let collector = turns.collector(*place, Arc::clone(&asked));
            let analysis = analysis(config, std::mem::take(keys));
            // A sink that takes no more says why in the end.
            scope.spawn(|| captures(timeline, analysis, None, collector).is_ok());
        }
    });
    for (_, (timeline, _)) in &inputs {
        for damage in timeline.damage() {
            messages.notice(damage);
        }
    }
    let printed = turns.finish().and_then(|joined| {
        let Told { printer, endpoints } = joined.sink;
        printer.finish(&joined.summary, &endpoints.rows())?;
        Ok((joined.summary, joined.clock_was_set))
    });
    match printed {
        Ok((summary, clock_was_set)) => notices(&summary, clock_was_set, messages),
        Err(PrintError::Closed) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Done)
}

/// Prints pairs, and adds them up.
struct Told {
    printer: JoinPrinter<Stdout>,
    endpoints: Endpoints,
}

impl PairSink for Told {
    type Error = PrintError;

    fn pair(&mut self, pair: &Pair) -> Result<(), PrintError> {
        self.endpoints.add(pair);
        self.printer.pair(pair)
    }
}

/// How the captures of one place are analyzed.
fn analysis(config: &JoinConfig, keys: KeyStore) -> Analysis {
    Analysis {
        wanted: Side::wanted(!config.args.join_by.is_empty()),
        threads: config.sides.threads,
        memory: config.sides.memory.divided(4),
        keys,
        bodies: config.args.body.then(|| Arc::new(hashes())),
        ..Analysis::default()
    }
}

/// Bodies are hashed, and not kept.
fn hashes() -> body::Options {
    let schema = body::Schema::default();
    body::Options { limit: 1, redactor: None, schema, contents: true, messages: false, store: None }
}

/// What one should know of a result.
fn notices(join: &Join, clock_was_set: bool, messages: Messages) {
    if join.pairs == 0 {
        messages
            .notice("nothing that the two captures hold belongs together: no call was seen at both places");
    }
    if join.swapped {
        messages.notice(
            "the captures are taken exchanged: bytes would arrive before they leave; CLIENT is the second",
        );
    }
    if clock_was_set && join.clock.is_none() && join.pairs > 0 {
        messages.notice(
            "a clock was set during the captures: no offset and drift fit, so times are not compared",
        );
    }
    if join.conflicts > 0 {
        messages.notice(format_args!(
            "{} calls on paired connections differ, and were not paired",
            join.conflicts
        ));
    }
    limits(&join.limits, messages);
}

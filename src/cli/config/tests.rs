//! What options mean, alone and together.

use super::*;
use crate::export::SortKey;

fn terminal() -> Environment {
    Environment {
        stdin_is_terminal: true,
        stdout_is_terminal: true,
        stderr_is_terminal: true,
        columns: Some(80),
        processors: 4,
        ..Environment::default()
    }
}

fn resolve(line: &str, environment: &Environment) -> Result<Action, String> {
    let args = Args::read(["h2lens"].into_iter().chain(line.split_whitespace()));
    Action::resolve(args.map_err(|error| UsageError::from(&error).0)?, environment).map_err(|error| error.0)
}

fn config(line: &str, environment: &Environment) -> Config {
    match resolve(line, environment) {
        Ok(Action::Analyze(config)) => *config,
        other => panic!("{line}: {other:?}"),
    }
}

fn error(line: &str) -> String {
    resolve(line, &terminal()).unwrap_err()
}

#[test]
fn a_terminal_gets_a_table_and_a_pipe_ndjson() {
    let on_terminal = config("a.pcap", &terminal()).output;
    assert_eq!((on_terminal.format, on_terminal.color, on_terminal.width), (Format::Table, true, Some(80)));
    let pipe = Environment { stdout_is_terminal: false, ..terminal() };
    let in_pipe = config("a.pcap", &pipe).output;
    assert_eq!((in_pipe.format, in_pipe.color, in_pipe.width), (Format::Ndjson, false, None));
    assert_eq!(config("a.pcap -o table", &pipe).output.width, None);
    assert_eq!(config("a.pcap --json", &terminal()).output.format, Format::Ndjson);
}

#[test]
fn the_machine_s_zone_is_for_tables() {
    config("a.pcap --local-time", &terminal());
    config("a.pcap --local-time --follow 1:1", &terminal());
    assert!(
        error("a.pcap --local-time --json").contains("--local-time is for tables: -o ndjson has UTC always")
    );
}

#[test]
fn colour_follows_the_option_before_the_environment() {
    let no_color = Environment { no_color: true, ..terminal() };
    assert!(!config("a.pcap", &no_color).output.color);
    assert!(config("a.pcap --color always", &no_color).output.color);
    assert!(!config("a.pcap --color never", &terminal()).output.color);
}

#[test]
fn records_shown() {
    let shown = |line: &str| {
        let Wanted { transactions, connections, frames, findings, telemetry, headers, .. } =
            config(line, &terminal()).output.wanted;
        [transactions, connections, frames, findings, telemetry, headers].map(u8::from)
    };
    assert_eq!(shown("a"), [1, 0, 0, 0, 1, 0]);
    assert_eq!(shown("a -H -S frames,findings"), [0, 0, 1, 1, 0, 1]);
    assert_eq!(shown("a -o csv"), [1, 0, 0, 0, 0, 0]);
    assert_eq!(shown("a -o csv -S telemetry"), [0, 0, 0, 0, 1, 0]);
    assert!(error("a -S frame").starts_with("--show: unknown record 'frame': choose transactions,"));
    assert!(error("a --show=").starts_with("--show: unknown record '': choose"));
    assert_eq!(
        error("a -o csv -S frames,findings"),
        "-o csv holds one kind of record: choose one of --show frames,findings, or add --output-dir DIR"
    );
}

#[test]
fn files_of_one_kind() {
    let kinds = |line: &str| {
        let options = config(line, &terminal()).output;
        options.by_kind().into_iter().map(|(name, options)| (name, options.agent())).collect::<Vec<_>>()
    };
    assert_eq!(kinds("a --json --output-dir d"), [("transactions", true), ("telemetry", false)]);
    assert_eq!(
        kinds("a -o csv --output-dir d -S frames,transactions"),
        [("transactions", false), ("frames", false)]
    );
    assert_eq!(
        config("a --json --output-dir d --force", &terminal()).directory,
        Some(Directory { path: "d".into(), force: true })
    );
    assert!(error("a --output-dir d").starts_with("-o table is one output"));
    assert!(error("-i any --json --output-dir d").starts_with("--output-dir is for captures"));
    assert!(error("a --json --force").contains("--output-dir"));
}

#[test]
fn inputs() {
    let inputs = |line: &str| match config(line, &terminal()).source {
        InputKind::Captures(inputs) => inputs.iter().map(Input::name).collect::<Vec<_>>().join(" "),
        InputKind::Live(live) => live.interface,
    };
    assert_eq!(inputs("a -r b -"), "a standard input b");
    assert_eq!(inputs("-i any"), "any");
    assert_eq!(error("-i eth0 a.pcap"), "-i eth0 captures live: leave out 'a.pcap', or leave out -i");
    assert_eq!(error("-i eth0 -r b.pcap"), "-i eth0 captures live: leave out 'b.pcap', or leave out -i");
    assert!(error("- -").contains("twice"));
    assert!(error("").contains("h2lens FILE"));
    let piped = Environment { stdin_is_terminal: false, ..terminal() };
    assert!(resolve("", &piped).unwrap_err().contains("'-' for standard input"));
}

#[test]
fn a_terminal_gets_progress_of_files_and_status_of_live_captures() {
    assert!(config("a", &terminal()).progress && config("-i any --summary", &terminal()).progress);
    assert!(!config("-i any --summary -q", &terminal()).progress);
    let log = Environment { stderr_is_terminal: false, ..terminal() };
    assert!(!config("-i any --summary", &log).progress);
}

#[test]
fn packets_are_not_for_a_terminal() {
    assert!(error("a -w -").contains("redirect the output"));
    let piped = Environment { stdout_is_terminal: false, ..terminal() };
    let config = config("a -w -", &piped);
    assert_eq!(config.write.unwrap().path, None);
    assert!(!config.output.wanted.transactions && !config.output.wanted.telemetry);
}

#[test]
fn transactions_are_sorted_where_that_can_be() {
    let sort = |line: &str| config(line, &terminal()).output.sort;
    assert_eq!(sort("a"), Some(Sort::default()));
    for line in ["a --json", "-", "a -S transactions,frames", "a -S endpoints --top 3", "a --follow 1:1"] {
        assert_eq!(sort(line), None, "{line}");
    }
    let slowest = Sort { key: SortKey::Duration, descending: true, top: Some(9) };
    assert_eq!(sort("- --json --sort -duration --top 9"), Some(slowest));
    assert_eq!(sort("a --json --top 9"), Some(Sort { top: Some(9), ..Sort::default() }));
    assert!(error("-i any --top 3").contains("is for captures"));
    assert!(error("a -S endpoints --sort ttfb").contains("is for transactions"));
    assert!(error("a -S telemetry --top 3").contains("is for transactions"));
}

#[test]
fn an_exchange_is_followed_alone() {
    let config = config("a --follow 30:1", &terminal());
    assert_eq!(config.follow, Some(Exchange::Stream(30, 1)));
    let Wanted { transactions, headers, telemetry, .. } = config.output.wanted;
    assert_eq!((transactions, headers, telemetry, config.output.footer), (true, true, false, false));
    assert!(error("a --follow 1:1 --show frames").contains("leave out --show"));
    assert!(error("a --follow 1:1 --where error").contains("leave out --where"));
    assert!(error("-i any --follow 1:1").contains("save one with -w"));
    assert!(error("- --follow :7").contains("reads the captures twice"));
    assert!(error("a --follow 7").contains("as 30:1"));
}

#[test]
fn live_options_need_an_interface_and_rotation_a_file() {
    for option in ["-s 96", "--buffer-size 1M", "--no-promisc", "--metrics 9100"] {
        assert!(error(&format!("a {option}")).contains("is for live capture: add -i IFACE"), "{option}");
    }
    assert_eq!(error("a --rotate-size 1M"), "--rotate-size is for saved packets: add -w FILE");
    assert!(error("a -w b --rotate-files 3").contains("needs --rotate-size or --rotate-time"));
    let write = config("-i any -w b --rotate-time 1h --rotate-files 3", &terminal()).write.unwrap();
    assert_eq!(
        write.rotation,
        Rotation { size: None, time: Some(Duration::from_secs(3600)), files: Some(3) }
    );
}

#[test]
fn live_defaults() {
    let InputKind::Live(live) = config("-i eth0 -s 0 --summary", &terminal()).source else { panic!() };
    assert_eq!((live.snaplen, live.buffer_size, live.promiscuous), (262_144, 32 << 20, true));
    assert_eq!(live.summary, Some(Duration::from_secs(30)));
    assert_eq!(config("-i eth0", &terminal()).idle_timeout, Some(Duration::from_secs(300)));
    assert_eq!(config("a", &terminal()).idle_timeout, None);
    assert!(config("-i eth0", &terminal()).output.live);
}

#[test]
fn key_logs_come_from_the_option_else_from_the_environment() {
    let with_log = Environment { key_log: Some("env.log".into()), ..terminal() };
    let from_env = config("a", &with_log);
    assert_eq!((from_env.keylogs, from_env.keylog_from_environment), (vec!["env.log".into()], true));
    let given = config("a --keylog x --keylog y", &with_log);
    assert_eq!((given.keylogs, given.keylog_from_environment), (vec!["x".into(), "y".into()], false));
}

#[test]
fn the_agent_has_its_defaults() {
    let agent = config("a", &terminal()).agent;
    assert_eq!(
        (agent.rules.name(), agent.ephemeral_ports, agent.max_requests),
        ("2026b", 32_768..=60_999, 65_536)
    );
    let agent = config(
        "a --agent-rules 2025 --agent-ephemeral-ports 1024-65535 --agent-idle-ttl 1m --agent-max-requests 10 --agent-mode discovery --agent-quantize",
        &terminal(),
    )
    .agent;
    assert_eq!((agent.rules.name(), agent.ephemeral_ports), ("2025", 1024..=65_535));
    assert_eq!((agent.idle_ttl, agent.max_requests), (Duration::from_secs(60), 10));
    assert_eq!((agent.mode.name(), agent.quantize), ("discovery", true));
}

#[test]
fn messages_and_threads() {
    assert_eq!(config("a -q", &terminal()).verbosity, Verbosity::Quiet);
    assert_eq!(config("a -v", &terminal()).verbosity, Verbosity::Verbose);
    assert!(config("a", &terminal()).progress && !config("a -q", &terminal()).progress);
    assert_eq!((config("a", &terminal()).threads, config("a --threads 2", &terminal()).threads), (4, 2));
}

#[test]
fn other_actions_need_no_input() {
    assert!(matches!(resolve("--generate man", &terminal()), Ok(Action::Generate(Generate::Man))));
    assert!(matches!(resolve("-D", &terminal()), Ok(Action::ListInterfaces)));
}

//! h2lens
use h2lens::capture::{Input, Timeline};
use h2lens::cli::analyze::{Analysis, captures};
use h2lens::output::{Format, Options};
use h2lens::transaction::Wanted;
fn main() {
    let mut files = vec![];
    let mut wanted = Wanted { transactions: true, telemetry: true, ..Wanted::default() };
    let mut format = Format::Ndjson;
    let mut keys = h2lens::tls::KeyStore::default();
    let mut threads = 1;
    let mut secrets = false;
    let mut args = std::env::args().skip(1);
    let mut live = h2lens::cli::live::LiveOptions::new("");
    let seconds = |text: String| {
        let text = text.trim_end_matches('s');
        std::time::Duration::from_secs_f64(text.parse().unwrap())
    };
    while let Some(a) = args.next() {
        match a.as_str() {
            "--show" => {
                let v = args.next().unwrap();
                wanted = Wanted { headers: wanted.headers, ..Wanted::default() };
                for k in v.split(',') {
                    match k {
                        "transactions" => wanted.transactions = true,
                        "connections" => wanted.connections = true,
                        "frames" => wanted.frames = true,
                        "findings" => wanted.findings = true,
                        _ => wanted.telemetry = true,
                    }
                }
            }
            "-o" | "--output" => {
                format = match args.next().unwrap().as_str() {
                    "table" => Format::Table,
                    "csv" => Format::Csv,
                    "json" => Format::Json,
                    _ => Format::Ndjson,
                }
            }
            "--no-redact" => secrets = true,
            "--headers" => wanted.headers = true,
            "--threads" => threads = args.next().unwrap().parse().unwrap(),
            "--keylog" => live.key_log = args.next().map(Into::into),
            "-D" => {
                if let Err(e) = h2lens::cli::live::list_interfaces(&mut std::io::stdout()) {
                    eprintln!("h2lens: {e}");
                    std::process::exit(2)
                }
                return;
            }
            "-i" => live.interface = args.next().unwrap(),
            "-f" => live.filter = args.next(),
            "-s" => live.snaplen = args.next().unwrap().parse().unwrap(),
            "--buffer-size" => live.buffer_size = args.next().unwrap().parse().unwrap(),
            "--no-promisc" => live.promiscuous = false,
            "-c" => live.count = Some(args.next().unwrap().parse().unwrap()),
            "--duration" => live.duration = Some(seconds(args.next().unwrap())),
            "-w" => live.save = Some(args.next().unwrap().into()),
            "--rotate-size" => live.rotation.size = Some(args.next().unwrap().parse().unwrap()),
            "--rotate-time" => live.rotation.time = Some(seconds(args.next().unwrap())),
            "--rotate-files" => live.rotation.files = Some(args.next().unwrap().parse().unwrap()),
            "--idle-timeout" => live.idle_timeout = seconds(args.next().unwrap()),
            "--summary" => live.summary = Some(h2lens::cli::live::SUMMARY),
            a if a.starts_with("--summary=") => live.summary = Some(seconds(a[10..].into())),
            "--metrics" => {
                live.metrics = Some(h2lens::cli::live::metrics_address(&args.next().unwrap()).unwrap());
            }
            "--sandbox" => {
                live.sandbox = match args.next().unwrap().as_str() {
                    "off" => h2lens::cli::sandbox::Sandbox::Off,
                    "strict" => h2lens::cli::sandbox::Sandbox::Strict,
                    _ => h2lens::cli::sandbox::Sandbox::Auto,
                }
            }
            "-v" => live.messages = h2lens::cli::live::Messages::Verbose,
            "-q" => live.messages = h2lens::cli::live::Messages::Errors,
            f => files.push(Input::File(f.into())),
        }
    }
    let output = Options { format, wanted, show_secrets: secrets, ..Options::default() };
    if !live.interface.is_empty() {
        use std::io::IsTerminal;
        live.status_line = std::io::stderr().is_terminal();
        let analysis =
            Analysis { output, threads, agent: h2lens::agent::Params::default(), keys, idle_timeout: None };
        if let Err(e) = h2lens::cli::live::run(&live, analysis, std::io::stdout()) {
            eprintln!("h2lens: {e}");
            std::process::exit(2)
        }
        return;
    }
    if let Some(path) = live.key_log {
        keys.add_text(&std::fs::read(path).unwrap());
    }
    keys.set_complete();
    let mut timeline = match Timeline::open(&files) {
        Ok(t) => t,
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(2)
        }
    };
    let analysis =
        Analysis { output, threads, agent: h2lens::agent::Params::default(), keys, idle_timeout: None };
    if let Err(e) = captures(&mut timeline, analysis, std::io::stdout()) {
        eprintln!("{e}");
    }
    for d in timeline.damage() {
        eprintln!("{d}");
    }
}

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
            "--keylog" => keys.add_text(&std::fs::read(args.next().unwrap()).unwrap()),
            f => files.push(Input::File(f.into())),
        }
    }
    keys.set_complete();
    let mut timeline = match Timeline::open(&files) {
        Ok(t) => t,
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(2)
        }
    };
    let output = Options { format, wanted, show_secrets: secrets, ..Options::default() };
    let analysis =
        Analysis { output, threads, agent: h2lens::agent::Params::default(), keys, idle_timeout: None };
    if let Err(e) = captures(&mut timeline, analysis, std::io::stdout()) {
        eprintln!("{e}");
    }
    for d in timeline.damage() {
        eprintln!("{d}");
    }
}

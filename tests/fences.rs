//! Who may import whom: reads the `use` lines and paths of `src/` and enforces the tables of ARCHITECTURE.md.

mod circles;

use std::fs;
use std::path::{Path, PathBuf};

/// Module → the other modules that it may name: such as stand before it, so that no arrow runs back up.
const MODULES: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("capture", &["base"]),
    ("packet", &["base"]),
    ("flow", &["base", "packet"]),
    ("tls", &["base", "flow"]),
    ("http1", &["base", "flow"]),
    ("http2", &["base", "flow"]),
    ("agent", &["base", "packet"]),
    // Of HTTP/2 the views of frames, the names of codes and fields: a record of a frame lends its view.
    ("record", &["base", "http2"]),
    ("body", &["base", "flow", "http2", "record"]),
    ("conformance", &["base", "flow", "http2", "record"]),
    ("transaction", &["base", "flow", "http2", "record"]),
    ("timing", &["base", "flow", "http2", "record"]),
    ("course", &["base", "flow", "http2", "record"]),
    (
        "pipeline",
        &[
            "base",
            "packet",
            "flow",
            "tls",
            "http1",
            "http2",
            "transaction",
            "conformance",
            "timing",
            "course",
            "body",
            "record",
        ],
    ),
    ("filter", &["base", "record"]),
    ("aggregate", &["base", "record"]),
    (
        "engine",
        &[
            "base",
            "capture",
            "packet",
            "flow",
            "tls",
            "http2",
            "agent",
            "transaction",
            "body",
            "record",
            "pipeline",
            "filter",
            "aggregate",
        ],
    ),
    // Of HTTP/2 the frames' views, which a consumer of records is lent.
    ("join", &["base", "http2", "record", "aggregate"]),
    ("diff", &["base", "record", "aggregate"]),
    ("export", &["base", "http2", "record"]),
    // What the telemetry counts of packets has its order there.
    ("merge", &["base", "packet", "record", "aggregate", "engine", "export"]),
    // A consumer, with sums of its own.
    ("tui", &["base", "http2", "record", "filter", "aggregate", "export"]),
];

/// What may use all of them.
const TOP: &[&str] = &["cli", "lib", "main"];

/// Third-party crate → the places that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("pcap", &["capture/live", "capture/filter", "cli/live"]),
    ("etherparse", &["packet"]),
    ("ring", &["tls"]),
    ("aes", &["tls"]),
    ("cbc", &["tls"]),
    ("ccm", &["tls"]),
    ("brotli_decompressor", &["body"]),
    ("encoding_rs", &["body"]),
    ("prost_reflect", &["body/protobuf"]),
    ("protox", &["body/protobuf"]),
    ("sha2", &["body", "cli", "export/otlp", "export/html"]),
    ("snap", &["body"]),
    ("maud", &["export/html"]),
    ("serde_json", &["export", "merge", "diff"]),
    ("tempfile", &["export", "cli", "body/protobuf"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("libm", &["diff"]),
    ("sketches_ddsketch", &["agent", "aggregate"]),
    ("saphyr_parser", &["aggregate"]),
    ("winnow", &["filter"]),
    ("regex", &["filter"]),
    ("httparse", &["http1", "cli/metrics"]),
    ("indicatif", &["cli"]),
    ("flate2", &["capture", "body"]),
    ("zstd", &["capture", "body"]),
    ("lz4_flex", &["capture"]),
    ("crossbeam_channel", &["engine", "cli", "tui"]),
    ("ratatui", &["tui"]),
    ("landlock", &["cli"]),
    ("caps", &["cli"]),
    ("nix", &["cli", "capture"]),
];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The production code of a source file: without comments and without its test module.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Files of `src/` with their path below it, tests left out.
fn production() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    assert!(paths.len() > 100, "the sources are not where they were");
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let is_test = |name: &str| {
        ["tests", "testing.rs", "samples.rs"]
            .iter()
            .any(|part| name.split('/').any(|piece| piece.starts_with(part)))
    };
    let all = paths.iter().map(|path| (name(path), code(path)));
    all.filter(|(name, _)| !is_test(name)).collect()
}

/// The names that follow `prefix` in the code: `crate::` gives the modules that are named.
fn named(code: &str, prefix: &str) -> Vec<String> {
    let after = code.match_indices(prefix).map(|(at, _)| &code[at + prefix.len()..]);
    after.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}

#[test]
fn every_module_is_known_and_uses_earlier_ones() {
    for (at, (module, allowed)) in MODULES.iter().enumerate() {
        for other in *allowed {
            assert!(MODULES[..at].iter().any(|(known, _)| known == other), "{module} may use {other}?");
        }
    }
    for (name, _) in production() {
        let module = name.split(['/', '.']).next().unwrap();
        let known = MODULES.iter().any(|(known, _)| *known == module) || TOP.contains(&module);
        assert!(known, "src/{name}: the module {module} is in no table: say what it may use");
    }
}

#[test]
fn modules_import_downwards_only() {
    let mut broken = Vec::new();
    for (name, code) in production() {
        let module = name.split(['/', '.']).next().unwrap();
        let Some((_, allowed)) = MODULES.iter().find(|(known, _)| *known == module) else { continue };
        for import in named(&code, "crate::") {
            let is_module =
                MODULES.iter().any(|(known, _)| *known == import) || TOP.contains(&import.as_str());
            if is_module && import != module && !allowed.contains(&import.as_str()) {
                broken.push(format!("{name} may not use crate::{import}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn no_room_passes_on_what_another_defines() {
    let passes_on =
        |code: &str| ["pub use crate::", "pub(crate) use crate::"].iter().any(|line| code.contains(line));
    let broken: Vec<_> =
        production().into_iter().filter(|(_, code)| passes_on(code)).map(|(name, _)| name).collect();
    assert!(broken.is_empty(), "{broken:?} re-export what another room defines");
}

#[test]
fn crates_stay_behind_their_fences() {
    let mut broken = Vec::new();
    for (name, code) in production() {
        for (krate, places) in CRATES {
            let uses = format!("\n{code}");
            let names_it = uses.contains(&format!("use {krate}::"))
                || uses.contains(&format!("use {krate};"))
                || uses.match_indices(&format!("{krate}::")).any(|(at, _)| {
                    !uses[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                });
            // A module of ours may have a crate's name.
            let names_it = names_it && !uses.contains(&format!("\nmod {krate};"));
            if names_it && !places.iter().any(|place| name.starts_with(place)) {
                broken.push(format!("{name} may not use {krate}: it belongs in {}", places.join(", ")));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn nothing_below_the_command_line_reads_a_clock() {
    let clocks = ["Instant::now", "SystemTime::now"];
    let read: Vec<String> = production()
        .into_iter()
        .filter(|(name, code)| !name.starts_with("cli/") && clocks.iter().any(|clock| code.contains(clock)))
        .map(|(name, _)| name)
        .collect();
    // The window draws so often, and ages of live exchanges grow without packets.
    let may = |name: &String| name.starts_with("capture/live") || name == "tui/window.rs";
    assert!(read.iter().all(may), "{read:?} read a clock");
}

/// A newcomer looks for the files that the map of the house names.
#[test]
fn the_map_names_files_that_are_there() {
    let map = include_str!("../ARCHITECTURE.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let mut missing = Vec::new();
    for line in map.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, room, what, _] = cells[..] else { continue };
        let rooms: Vec<_> = quoted(room).into_iter().filter(|room| room.ends_with('/')).collect();
        let is_file =
            |name: &String| name.chars().all(|char| char.is_ascii_lowercase() || "_/".contains(char));
        for name in quoted(what).into_iter().filter(is_file) {
            let is_there = |room: &String| {
                let path = root.join(room).join(&name);
                path.is_dir() || path.with_extension("rs").is_file() || root.join(&name).is_dir()
            };
            if !rooms.is_empty() && !rooms.iter().any(is_there) {
                missing.push(format!("{}{name}", rooms[0]));
            }
        }
    }
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there: {missing:?}");
}

//! What completes a value: records, interfaces and captures, put into the scripts that are made from the options.

use super::args::Args;
use super::config::KINDS;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

/// Functions for bash.
const BASH: &str = r#"
_h2lens_captures() {
    compopt -o filenames 2>/dev/null
    local IFS=$'\n'
    COMPREPLY=($(compgen -d -- "$1"; compgen -f -- "$1" | grep -E '\.(pcap|pcapng|cap)(\.(gz|zst|lz4))?$'))
    [[ ${COMP_CWORD} -eq 1 ]] && COMPREPLY+=($(compgen -W "COMMANDS" -- "$1"))
}

_h2lens_parts() {
    compopt -o filenames 2>/dev/null
    local IFS=$'\n'
    COMPREPLY=($(compgen -f -- "$1"))
}

_h2lens_interfaces() {
    COMPREPLY=($(compgen -W "$(h2lens -D 2>/dev/null | cut -d ' ' -f 1)" -- "$1"))
}

_h2lens_records() {
    local before="${1%"${1##*,}"}" kind
    COMPREPLY=()
    for kind in RECORDS; do
        [[ "$before$kind" == "$1"* ]] && COMPREPLY+=("$before$kind")
    done
}
"#;

/// Functions for zsh.
const ZSH: &str = r#"
_h2lens_captures() {
    _files -g '*.(pcap|pcapng|cap)(|.gz|.zst|.lz4)(-.)'
}

_h2lens_interfaces() {
    local -a interfaces
    interfaces=(${${(f)"$(h2lens -D 2>/dev/null)"}%% *})
    compadd -a interfaces
}

_h2lens_records() {
    _values -s , record RECORDS
}
"#;

/// Lines for fish.
const FISH: &str = r#"
complete -c h2lens -s i -l interface -x -a "(h2lens -D 2>/dev/null | string replace -r ' .*' '')"
complete -c h2lens -s S -l show -x -a "(__fish_append , RECORDS)"
complete -c h2lens -k -a "(__fish_complete_suffix .pcap .pcapng .cap .gz .zst .lz4)"
"#;

/// The script for a shell.
pub(super) fn script(shell: Shell) -> String {
    let mut out = Vec::new();
    // The values of --show are a list, which the script's maker does not know; it may still name them.
    let mut command =
        Args::definition().mut_arg("show", |show| show.value_parser(PossibleValuesParser::new(KINDS)));
    clap_complete::generate(shell, &mut command, "h2lens", &mut out);
    let script = String::from_utf8_lossy(&out).into_owned();
    let records = KINDS.join(" ");
    let commands: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
    match shell {
        Shell::Bash => {
            bash(&script) + &BASH.replace("RECORDS", &records).replace("COMMANDS", &commands.join("\n"))
        }
        Shell::Zsh => zsh(&script, &ZSH.replace("RECORDS", &records)),
        _ => script + &FISH.replace("RECORDS", &records),
    }
}

/// Where the value of one of these options is completed, a function is called; and for what is no option's.
fn bash(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let mut lines = script.lines().peekable();
    let mut files = "captures";
    while let Some(line) = lines.next() {
        match line.trim().strip_prefix("h2lens__subcmd__") {
            Some("merge)") => files = "parts",
            Some(_) => files = "captures",
            None => {}
        }
        out.extend([line, "\n"]);
        let function = match line.trim() {
            "-r)" | "--read)" => "captures",
            "-i)" | "--interface)" => "interfaces",
            "-S)" | "--show)" => "records",
            // Only where a word is completed, not where the command is found.
            "*)" if lines.peek().is_some_and(|next| next.trim() == "COMPREPLY=()") => files,
            _ => continue,
        };
        out.extend(["                    _h2lens_", function, " \"${cur}\"\n                    return 0\n"]);
        while lines.next_if(|rest| rest.trim() != ";;").is_some() {}
    }
    // A first word that is no option is a capture, too.
    ["1", "2"].iter().fold(out, |out, word| {
        out.replace(&format!("[[ ${{cur}} == -* || ${{COMP_CWORD}} -eq {word} ]]"), "[[ ${cur} == -* ]]")
    })
}

/// The same, by the names of the functions.
fn zsh(script: &str, functions: &str) -> String {
    let mut out = String::with_capacity(script.len());
    for line in script.lines() {
        let (before, function) = match line {
            _ if line.starts_with("'*-r+") || line.starts_with("'*--read=") => {
                (":_files", ":_h2lens_captures")
            }
            _ if line.starts_with("'*::files") || line.starts_with("'::files") => {
                (":_files", ":_h2lens_captures")
            }
            _ if line.contains(":IFACE:_default") => (":_default", ":_h2lens_interfaces"),
            _ if line.starts_with("'-S+") || line.starts_with("'--show=") => {
                (":LIST:", ":LIST:_h2lens_records")
            }
            _ => ("", ""),
        };
        match line.rsplit_once(before).filter(|_| !before.is_empty()) {
            // What stands behind is the list of values, then the quote.
            Some((head, tail)) => out.extend([
                head,
                function,
                tail.rfind('\'').and_then(|at| tail.get(at..)).unwrap_or_default(),
            ]),
            None => out.push_str(line),
        }
        out.push('\n');
        if line.starts_with("autoload") {
            out.push_str(functions);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_completed_by_functions() {
        let bash = script(Shell::Bash);
        for option in ["-r", "--read", "-i", "--interface", "-S", "--show", "*"] {
            let after = bash.split(&format!("                {option})\n")).nth(1).unwrap();
            assert!(
                after.trim_start().starts_with("_h2lens_"),
                "{option}: {}",
                after.lines().next().unwrap()
            );
        }
        let zsh = script(Shell::Zsh);
        for (start, function) in [
            ("'*-r+", "captures"),
            ("'*--read=", "captures"),
            ("'-i+", "interfaces"),
            ("'--interface=", "interfaces"),
            ("'-S+", "records"),
            ("'--show=", "records"),
            ("'::files", "captures"),
        ] {
            let line = zsh.lines().find(|line| line.starts_with(start)).unwrap();
            assert!(line.ends_with(&format!(":_h2lens_{function}' \\")), "{line}");
        }
        assert!(script(Shell::Fish).contains(&format!("__fish_append , {}", KINDS.join(" "))));
    }

    /// What bash offers for these words, where there is a bash.
    fn offered(directory: &std::path::Path, words: &[&str]) -> Option<Vec<String>> {
        let call = format!(
            "h2lens() {{ printf 'eth0  up\\nlo    up\\n'; }}\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_h2lens h2lens '{}' '{}'\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2]
        );
        let text = script(Shell::Bash) + &call;
        let output = std::process::Command::new("bash").args(["-c", &text]).current_dir(directory).output();
        Some(String::from_utf8(output.ok()?.stdout).unwrap().lines().map(str::to_owned).collect())
    }

    #[test]
    fn bash_offers_records_interfaces_and_captures() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a.pcap", "b.pcapng.gz", "notes.txt"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let offered = |words: &[&str]| offered(directory.path(), words);
        let Some(captures) = offered(&["h2lens", ""]) else { return };
        assert_eq!(captures, ["a.pcap", "b.pcapng.gz", "join", "diff", "merge"]);
        assert_eq!(offered(&["h2lens", "join", "a"]).unwrap(), ["a.pcap"]);
        assert_eq!(offered(&["h2lens", "merge", "n"]).unwrap(), ["notes.txt"]);
        assert_eq!(offered(&["h2lens", "-i", "l"]).unwrap(), ["lo"]);
        assert_eq!(offered(&["h2lens", "-S", "frames,te"]).unwrap(), ["frames,telemetry"]);
        assert_eq!(offered(&["h2lens", "a.pcap", "--read", "b"]).unwrap(), ["b.pcapng.gz"]);
        assert_eq!(offered(&["h2lens", "--str"]).unwrap(), ["--strict"]);
        assert!(offered(&["h2lens", "-o", "nd"]).unwrap().contains(&"ndjson".to_owned()));
    }
}

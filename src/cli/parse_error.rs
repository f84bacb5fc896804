//! The argument parser's errors, as usage errors.

use super::args::Args;
use super::usage::UsageError;
use clap::error::{ContextKind, ContextValue, ErrorKind};

impl From<&clap::Error> for UsageError {
    /// The argument parser's error, several lines long, in one.
    fn from(error: &clap::Error) -> Self {
        let text = |kind| error.get(kind).map(shown).unwrap_or_default();
        // `--show <LIST>` is the option `--show`.
        let named = text(ContextKind::InvalidArg);
        let option = named.split([' ', '=', '[']).next().unwrap_or_default();
        let value = text(ContextKind::InvalidValue);
        let usage = text(ContextKind::Usage);
        let usage = usage.lines().next().unwrap_or_default().trim_start_matches("Usage: ");
        let see = format!("'{} --help' lists all options", command_in(usage));
        Self(match error.kind() {
            ErrorKind::UnknownArgument if !option.starts_with('-') => {
                format!("'{named}' is one too many: {usage}")
            }
            ErrorKind::UnknownArgument => match text(ContextKind::SuggestedArg).as_str() {
                "" => format!("unknown option '{option}': {see}"),
                suggestion => format!("unknown option '{option}': did you mean '{suggestion}'? {see}"),
            },
            ErrorKind::InvalidValue if value.is_empty() => {
                format!("{option} needs a value: {}", usage_of(option).unwrap_or(named.clone()))
            }
            ErrorKind::InvalidValue => {
                format!(
                    "{option}: unknown value '{value}': choose {}",
                    choices(&text(ContextKind::ValidValue))
                )
            }
            ErrorKind::ValueValidation => {
                let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
                format!("{option}: '{value}' will not do: {source}")
            }
            ErrorKind::ArgumentConflict => {
                let other = text(ContextKind::PriorArg);
                match other.split([' ', '=', '[']).next().unwrap_or_default() {
                    "" => format!("{option} stands alone: leave out the other options"),
                    same if same == option => format!("{option} is given twice: leave one out"),
                    other => format!("{option} and {other} exclude each other: leave one out"),
                }
            }
            ErrorKind::MissingRequiredArgument if option.starts_with('<') => {
                let are = if named.contains(", ") { "are" } else { "is" };
                format!("{named} {are} not given: {usage}")
            }
            ErrorKind::MissingRequiredArgument => {
                let missing = usage_of(option).unwrap_or(named.clone());
                format!("another option makes no sense without {option}: add {missing}, or leave both out")
            }
            ErrorKind::TooManyValues => format!("{option} takes no value: leave out '{value}'"),
            ErrorKind::InvalidUtf8 => format!("an option is not UTF-8: {see}"),
            _ => {
                let all = error.to_string();
                let first = all.lines().next().unwrap_or_default();
                format!("{}: {see}", first.strip_prefix("error: ").unwrap_or(first))
            }
        })
    }
}

/// `h2lens join [OPTIONS] …` → `h2lens join`
fn command_in(usage: &str) -> &str {
    usage
        .split(['[', '<'])
        .next()
        .map(str::trim_end)
        .filter(|command| !command.is_empty())
        .unwrap_or("h2lens")
}

/// An option with its value, as the help shows it.
fn usage_of(option: &str) -> Option<String> {
    let command = Args::definition();
    let all = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let argument = command.get_arguments().chain(all).find(|argument| {
        argument.get_long().is_some_and(|long| option.strip_prefix("--") == Some(long))
            || argument
                .get_short()
                .is_some_and(|short| option.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4])))
    })?;
    let name = argument.get_value_names()?.first()?;
    Some(format!("{option} {name}"))
}

fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(list) => list.join(", "),
        ContextValue::StyledStr(text) => text.to_string(),
        _ => String::new(),
    }
}

/// `a, b, c` → `a, b or c`
fn choices(list: &str) -> String {
    match list.rsplit_once(", ") {
        Some((head, last)) => format!("{head} or {last}"),
        None => list.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(arguments: &[&str]) -> String {
        let error = Args::read([&["h2lens"], arguments].concat()).unwrap_err();
        UsageError::from(&error).0
    }

    #[test]
    fn each_error_is_one_line_with_a_way_out() {
        for (arguments, text) in [
            (
                &["--shwo", "x"][..],
                "unknown option '--shwo': did you mean '--show'? 'h2lens --help' lists all options",
            ),
            (&["-x"], "unknown option '-x': 'h2lens --help' lists all options"),
            (&["--zzz=1"], "unknown option '--zzz': 'h2lens --help' lists all options"),
            (&["-o", "xml"], "--output: unknown value 'xml': choose table, ndjson, json"),
            (
                &["--generate", "pdf"],
                "--generate: unknown value 'pdf': choose man, man-join, man-diff, man-merge, bash, zsh, fish, schema or duckdb",
            ),
            (&["--keylog"], "--keylog needs a value: --keylog FILE"),
            (&["--duration", "5x"], "--duration: '5x' will not do: give a time as 500ms, 30s, 5m or 1h30m"),
            (
                &["--rotate-size", "5x"],
                "--rotate-size: '5x' will not do: give a size as 65536, 64k, 32M or 32MiB",
            ),
            (&["-c", "0"], "--count: '0' will not do: 0 is not in 1.."),
            (&["-c", "many"], "--count: 'many' will not do: invalid digit found in string"),
            (&["-q", "-v"], "--quiet and --verbose exclude each other: leave one out"),
            (&["--json", "-o", "csv"], "--json and --output exclude each other: leave one out"),
            (&["-f", "a", "-f", "b"], "--filter is given twice: leave one out"),
            (&["-D", "x.pcap"], "--list-interfaces stands alone: leave out the other options"),
            (
                &["--force", "a"],
                "another option makes no sense without --output-dir: add --output-dir DIR, or leave both out",
            ),
            (&["join"], "<CLIENT>, <SERVER> are not given: h2lens join <CLIENT> <SERVER>"),
            (&["diff", "a"], "<AFTER> is not given: h2lens diff <BEFORE> <AFTER>"),
            (&["merge"], "<PART>... is not given: h2lens merge <PART>..."),
            (&["join", "a", "b", "c d"], "'c d' is one too many: h2lens join [OPTIONS] <CLIENT> <SERVER>"),
            (&["join", "a", "b", "--zzz"], "unknown option '--zzz': 'h2lens join --help' lists all options"),
            (&["--json=yes"], "--json takes no value: leave out 'yes'"),
            (&["--summary=never"], "--summary: 'never' will not do: give a time as 500ms, 30s, 5m or 1h30m"),
        ] {
            let shown = line(arguments);
            assert!(shown.starts_with(text), "{arguments:?}: {shown}");
            assert_eq!(shown.lines().count(), 1, "{shown}");
        }
    }
}

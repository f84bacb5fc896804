//! `--generate`: the man page and the shell completions, from the definition of the options; the records' schema.

use super::args::{Args, Generate};
use super::completions;
use crate::export::schema;
use clap_complete::Shell;
use clap_mangen::Man;

/// The sections that the definition of the options does not hold.
const SECTIONS: &str = include_str!("man.roff");

/// The text asked for.
pub(super) fn text(what: Generate) -> std::io::Result<Vec<u8>> {
    let shell = match what {
        Generate::Man => return man(),
        Generate::ManJoin => return subcommand("join"),
        Generate::ManDiff => return subcommand("diff"),
        Generate::ManMerge => return subcommand("merge"),
        Generate::Schema => return Ok(schema::json_schema().into_bytes()),
        Generate::Duckdb => return Ok(schema::duckdb().into_bytes()),
        Generate::Bash => Shell::Bash,
        Generate::Zsh => Shell::Zsh,
        Generate::Fish => Shell::Fish,
    };
    Ok(completions::script(shell).into_bytes())
}

fn man() -> std::io::Result<Vec<u8>> {
    let command = Args::definition();
    let page = Man::new(command.clone())
        .title("H2LENS")
        .section("1")
        .source(format!("h2lens {}", command.get_version().unwrap_or_default()))
        .manual("User Commands");
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    out.extend_from_slice(
        b".SH SYNOPSIS\n\\fBh2lens\\fR [\\fIOPTIONS\\fR] [\\fIFILE\\fR]...\n.br\n\\fBh2lens\\fR [\\fIOPTIONS\\fR] \\fB\\-i\\fR \\fIIFACE\\fR\n.br\n\\fBh2lens join\\fR [\\fIOPTIONS\\fR] \\fICLIENT\\fR \\fISERVER\\fR\n.br\n\\fBh2lens diff\\fR [\\fIOPTIONS\\fR] \\fIBEFORE\\fR \\fIAFTER\\fR\n.br\n\\fBh2lens merge\\fR \\fIPART\\fR...\n",
    );
    page.render_description_section(&mut out)?;
    out.extend_from_slice(options(&page)?.as_bytes());
    out.extend_from_slice(SECTIONS.as_bytes());
    Ok(out)
}

/// The man page of a subcommand.
fn subcommand(name: &str) -> std::io::Result<Vec<u8>> {
    let mut all = Args::definition();
    all.build();
    let version = all.get_version().unwrap_or_default().to_owned();
    let Some(command) = all.find_subcommand(name) else { return Ok(Vec::new()) };
    let page = Man::new(command.clone())
        .title(format!("H2LENS-{}", name.to_uppercase()))
        .section("1")
        .source(format!("h2lens {version}"))
        .manual("User Commands");
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    page.render_description_section(&mut out)?;
    out.extend_from_slice(options(&page)?.as_bytes());
    out.extend_from_slice(b".SH \"SEE ALSO\"\n.BR h2lens (1)\n");
    Ok(out)
}

/// The options, each heading of the help a subsection.
fn options(page: &Man) -> std::io::Result<String> {
    let mut sections = Vec::new();
    page.render_options_section(&mut sections)?;
    let mut out = String::from(".SH OPTIONS\n");
    for line in String::from_utf8_lossy(&sections).lines() {
        match line.strip_prefix(".SH ") {
            Some("OPTIONS") => (),
            Some(heading) => {
                let heading = heading.trim_matches('"');
                let (first, rest) = heading.split_at_checked(1).unwrap_or((heading, ""));
                out.extend([".SS \"", first, &rest.to_lowercase(), "\""]);
            }
            None => out += line,
        }
        out.push('\n');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every option but those that clap adds to a shell's words by itself.
    fn long_options() -> Vec<String> {
        Args::definition()
            .get_arguments()
            .filter(|argument| !argument.is_hide_set())
            .filter_map(|argument| argument.get_long().map(str::to_owned))
            .collect()
    }

    #[test]
    fn the_committed_man_page_is_what_is_generated() {
        let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/man/h2lens.1");
        let committed = std::fs::read_to_string(committed).unwrap();
        let generated = String::from_utf8(text(Generate::Man).unwrap()).unwrap();
        assert!(committed == generated, "run: h2lens --generate man > man/h2lens.1");
    }

    #[test]
    fn the_committed_man_pages_of_subcommands_are_what_is_generated() {
        for (what, name) in
            [(Generate::ManJoin, "join"), (Generate::ManDiff, "diff"), (Generate::ManMerge, "merge")]
        {
            let committed = format!("{}/man/h2lens-{name}.1", env!("CARGO_MANIFEST_DIR"));
            let committed = std::fs::read_to_string(committed).unwrap();
            let generated = String::from_utf8(text(what).unwrap()).unwrap();
            assert!(committed == generated, "run: h2lens --generate man-{name} > man/h2lens-{name}.1");
            assert!(generated.contains("\\-\\-help"), "its options");
        }
    }

    #[test]
    fn the_man_page_has_every_option_and_section() {
        let page = String::from_utf8(text(Generate::Man).unwrap()).unwrap();
        for option in long_options() {
            assert!(page.contains(&format!("\\-\\-{}", option.replace('-', "\\-"))), "{option}");
        }
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "RECORDS",
            "THE TWO VIEWS",
            "EXIT STATUS",
            "ENVIRONMENT",
            "EXAMPLES",
        ] {
            assert!(
                page.contains(&format!("\n.SH {section}\n"))
                    || page.contains(&format!("\n.SH \"{section}\"\n")),
                "{section}"
            );
        }
    }

    #[test]
    fn completions_have_every_option() {
        for what in [Generate::Bash, Generate::Zsh, Generate::Fish] {
            let script = String::from_utf8(text(what).unwrap()).unwrap();
            for option in long_options() {
                let shown =
                    if what == Generate::Fish { format!("-l {option}") } else { format!("--{option}") };
                assert!(script.contains(&shown), "{what:?} has no {option}");
            }
        }
    }
}

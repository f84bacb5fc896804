//! How paths are grouped into endpoints: `--path-template` and `--path-templates`.

use super::usage::UsageError;
use crate::aggregate::{Patterns, Templates};
use crate::export::{Format, Options};
use anyhow::Context;
use std::path::{Path, PathBuf};

/// How paths are grouped into endpoints, beside the patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// By themselves.
    Auto,
    /// Not at all.
    Off,
    /// By an OpenAPI document's paths, then by themselves.
    Document(PathBuf),
}

/// `--path-template`
pub(super) fn patterns(given: &[String]) -> Result<Patterns, UsageError> {
    let mut patterns = Patterns::default();
    patterns
        .add(given.iter().map(String::as_str))
        .map_err(|error| UsageError(format!("--path-template: {error}")))?;
    Ok(patterns)
}

/// `--path-templates`
pub(super) fn grouping(given: Option<&Path>) -> Grouping {
    match given {
        Some(word) if word.as_os_str() == "off" => Grouping::Off,
        Some(word) if word.as_os_str() != "auto" => Grouping::Document(word.to_owned()),
        _ => Grouping::Auto,
    }
}

/// How paths are grouped.
pub(super) fn grouped(patterns: &Patterns, grouping: &Grouping) -> anyhow::Result<Templates> {
    let mut templates = Templates { patterns: patterns.clone(), literal: *grouping == Grouping::Off };
    if let Grouping::Document(path) = grouping {
        let named = || format!("--path-templates {}", path.display());
        let document = std::fs::read_to_string(path).with_context(named)?;
        templates.patterns.add_openapi(&document).with_context(named)?;
    }
    Ok(templates)
}

/// The output's options, with the routes that the user has named.
pub(super) fn routed(output: Options, templates: &Templates) -> Options {
    if output.format != Format::Otlp || templates.patterns.is_empty() {
        return output;
    }
    let routes: &'static Patterns = Box::leak(Box::new(templates.patterns.clone()));
    Options { routes: Some(routes), ..output }
}

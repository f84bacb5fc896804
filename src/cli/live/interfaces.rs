//! `-D`: the interfaces one can capture on.

use super::LiveFailure;
use crate::capture::{Interface, interfaces};
use crate::export::PrintError;
use std::io::Write;

/// Lists the interfaces one can capture on, a line each: name, state, addresses, description.
///
/// # Errors
/// The system does not tell, or the list cannot be written.
pub fn list_interfaces(out: &mut impl Write) -> Result<(), LiveFailure> {
    let text = listing(&interfaces()?);
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(PrintError::from)?;
    Ok(())
}

fn listing(all: &[Interface]) -> String {
    let rows: Vec<[String; 4]> = all
        .iter()
        .map(|interface| {
            let addresses: Vec<_> = interface.addresses.iter().map(ToString::to_string).collect();
            let description = interface.description.clone().unwrap_or_default();
            [interface.name.clone(), interface.state.join(", "), addresses.join(", "), description]
        })
        .collect();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let (names, states, addresses) = (width(0), width(1), width(2));
    rows.iter().fold(String::new(), |text, [name, state, address, description]| {
        let line = format!("{name:names$}  {state:states$}  {address:addresses$}  {description}");
        text + line.trim_end() + "\n"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let interface = |name: &str, state: &[&'static str], addresses: &[&str]| Interface {
            name: name.to_owned(),
            description: (name == "any").then(|| "all of them".to_owned()),
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
            state: state.to_vec(),
        };
        let all =
            [interface("eth0", &["up", "running"], &["10.0.0.1", "fe80::1"]), interface("any", &["up"], &[])];
        let expected =
            "eth0  up, running  10.0.0.1, fe80::1\nany   up                              all of them\n";
        assert_eq!(listing(&all), expected);
    }
}

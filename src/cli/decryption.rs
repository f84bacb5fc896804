//! What is said of TLS that was not decrypted, and of key logs that were of no use.

use crate::base::tls::NotDecrypted;
use crate::record::Coverage;
use crate::tls::KeyLogCounters;

/// What a run knows of its key logs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KeyLogs {
    /// A key log was asked for, by option or in the environment.
    pub(super) given: bool,
    /// What their lines were, and those of the captures themselves.
    pub(super) lines: KeyLogCounters,
    /// A secret opened a record.
    pub(super) used: bool,
}

/// The messages, each one line; none when there is nothing that one should know.
pub(super) fn notices(coverage: &Coverage, logs: KeyLogs) -> Vec<String> {
    let mut notices = Vec::new();
    let KeyLogs { given, lines, used } = logs;
    if lines.bad_lines > 0 {
        notices.push(format!("{} lines of the key log could not be read", lines.bad_lines));
    }
    let secrets = lines.secrets > 0;
    let undecrypted = |reason: NotDecrypted| {
        let index = NotDecrypted::ALL.iter().position(|&other| other == reason);
        index.and_then(|index| coverage.not_decrypted.get(index).copied()).filter(|&count| count > 0)
    };
    let unread = NotDecrypted::ALL.iter().any(|&reason| undecrypted(reason).is_some());
    if secrets && !used && unread {
        notices
            .push(format!("the key log has {} secrets, and none of them decrypted anything", lines.secrets));
    } else if given && !secrets {
        notices.push("the key log has no secrets".to_owned());
    }
    let mut say = |reason, why: &str| {
        if let Some(count) = undecrypted(reason) {
            let connections = if count == 1 { "TLS connection was" } else { "TLS connections were" };
            notices.push(format!("{count} {connections} not decrypted: {why}"));
        }
    };
    let missing = if secrets || given {
        "no secret in the key log fits; give the log of a process that took part (--keylog FILE, docs/keys.md)"
    } else {
        "there is no key log; give one with --keylog FILE (docs/keys.md)"
    };
    say(NotDecrypted::NoSecrets, missing);
    say(
        NotDecrypted::ServerHelloMissing,
        "TLS 1.2 needs the server hello, which is not in the capture; begin it before the connection does",
    );
    say(
        NotDecrypted::SearchBound,
        "joined late, and too many secrets to try; give a key log of these connections alone, or begin the capture \
         before they do",
    );
    say(NotDecrypted::UnsupportedSuite, "their cipher suite is not one that h2lens decrypts");
    notices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(
        not_decrypted: [u64; NotDecrypted::ALL.len()],
        given: bool,
        secrets: u64,
        bad_lines: u64,
        used: bool,
    ) -> String {
        let coverage = Coverage { not_decrypted, ..Coverage::default() };
        let lines = KeyLogCounters { secrets, bad_lines, ..KeyLogCounters::default() };
        notices(&coverage, KeyLogs { given, lines, used }).join("; ")
    }

    #[test]
    fn nothing_is_said_when_nothing_is_amiss() {
        assert_eq!(said([0; 5], false, 0, 0, false), "");
        assert_eq!(said([0; 5], true, 9, 0, true), "");
        assert_eq!(said([0; 5], true, 9, 0, false), "");
    }

    #[test]
    fn key_logs_of_no_use_are_told_of() {
        assert_eq!(said([0; 5], true, 9, 3, true), "3 lines of the key log could not be read");
        assert_eq!(said([0; 5], true, 0, 0, false), "the key log has no secrets");
        let said = said([2, 0, 0, 0, 0], true, 9, 0, false);
        assert!(
            said.starts_with("the key log has 9 secrets, and none of them decrypted anything; 2 TLS"),
            "{said}"
        );
    }

    #[test]
    fn the_way_out_is_named() {
        let said = said([1, 0, 0, 0, 0], false, 0, 0, false);
        assert_eq!(
            said,
            "1 TLS connection was not decrypted: there is no key log; give one with --keylog FILE (docs/keys.md)"
        );
    }
}

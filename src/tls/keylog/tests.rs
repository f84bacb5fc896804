use super::*;
use crate::base::limit_counters::Limit;
use crate::base::limits::{KEY_LOG_MEMORY, MAX_KEY_LOG_CONNECTIONS, MAX_KEY_LOG_LINE, MAX_TLS_PREMASTER};
use crate::base::memory::Memory;
use crate::base::tuning::KEY_LOG_CHANGES_KEPT;

fn line(label: &str, random: u8, secret: u8, len: usize) -> String {
    format!("{label} {} {}", format!("{random:02x}").repeat(32), format!("{secret:02x}").repeat(len))
}

#[test]
fn accepts_the_ways_in_which_logs_are_written() {
    let mut keys = KeyStore::default();
    let text = [
        "\u{feff}# comment".to_owned(),
        String::new(),
        line("CLIENT_RANDOM", 0xab, 1, 48) + "\r",
        line("client_random", 0xab, 1, 48).to_uppercase(),
        "  ".to_owned() + &line("CLIENT_TRAFFIC_SECRET_0", 2, 3, 32).replace(' ', " \t ") + "  ",
        line("EXPORTER_SECRET", 2, 3, 32),
        line("SERVER_TRAFFIC_SECRET_0", 2, 3, 33),
        line("CLIENT_RANDOM", 2, 3, 32),
        "secret 00112233 of nothing".to_owned(),
        "CLIENT_RANDOM zz 00".to_owned(),
        "\u{1}\u{2}".to_owned(),
        "RSA 0011223344556677 0303".to_owned(),
        line("PMS_CLIENT_RANDOM", 5, 6, 66),
        line("SERVER_TRAFFIC_SECRET_0", 2, 9, 48),
    ]
    .join("\n");
    keys.add_text(text.as_bytes());
    let counters =
        KeyLogCounters { secrets: 5, duplicates: 1, other_labels: 1, bad_lines: 5, ..Default::default() };
    assert_eq!(keys.counters(), counters);
    assert_eq!(keys.secret(&[0xab; 32], Label::Master).unwrap().bytes(), [1; 48]);
    assert_eq!(keys.secret(&[2; 32], Label::ServerApplication).unwrap().bytes(), [9; 48]);
    assert_eq!(keys.named(&Name::Random([5; 32])).unwrap(), [6; 66]);
    assert!(keys.secret(&[2; 32], Label::Master).is_none());
    assert!(!format!("{keys:?}").contains("abab"));
}

#[test]
fn a_followed_log_counts_a_line_when_it_is_whole() {
    let text = line("CLIENT_RANDOM", 1, 2, 48) + "\n" + &line("CLIENT_TRAFFIC_SECRET_0", 3, 4, 48) + "\n";
    for cut in 0..text.len() {
        let (mut keys, mut reader) = (KeyStore::default(), KeyLogReader::default());
        reader.push(&text.as_bytes()[..cut], &mut keys);
        assert_eq!(keys.counters().secrets, text[..cut].matches('\n').count() as u64);
        reader.push(&text.as_bytes()[cut..], &mut keys);
        assert_eq!((keys.counters().secrets, keys.counters().bad_lines), (2, 0), "cut at {cut}");
    }
}

#[test]
fn half_a_byte_order_mark_is_a_bad_line() {
    for text in [&b"\xff"[..], b"\xfe", b"\xff\xff", b"\xfe\n"] {
        let mut keys = KeyStore::default();
        keys.add_text(text);
        assert_eq!(keys.counters(), KeyLogCounters { bad_lines: 1, ..Default::default() }, "{text:?}");
    }
}

#[test]
fn cap_max_key_log_line() {
    let (mut keys, mut reader) = (KeyStore::default(), KeyLogReader::default());
    for len in [MAX_KEY_LOG_LINE - 1, MAX_KEY_LOG_LINE, MAX_KEY_LOG_LINE + 1, 10 * MAX_KEY_LOG_LINE] {
        for chunk in [b"#".repeat(len), b"\n".to_vec()].concat().chunks(1000) {
            reader.push(chunk, &mut keys);
            assert!(reader.partial.capacity() <= MAX_KEY_LOG_LINE);
        }
    }
    reader.push(line("CLIENT_RANDOM", 1, 2, 48).as_bytes(), &mut keys);
    reader.finish(&mut keys);
    let counters = keys.counters();
    assert_eq!((counters.secrets, counters.bad_lines, counters.too_long), (1, 2, 2));
}

#[test]
fn cap_max_tls_premaster() {
    let mut keys = KeyStore::default();
    for (random, len, struck) in
        [(1, MAX_TLS_PREMASTER - 1, 0), (2, MAX_TLS_PREMASTER, 0), (3, MAX_TLS_PREMASTER + 1, 1)]
    {
        keys.add_text(line("PMS_CLIENT_RANDOM", random, 7, len).as_bytes());
        let taken = keys.named(&Name::Random([random; 32])).map(<[u8]>::len);
        assert_eq!((taken, keys.counters().too_long), ((struck == 0).then_some(len), struck));
    }
}

#[test]
fn cap_key_log_memory() {
    let names = ["CLIENT_RANDOM", "PMS_CLIENT_RANDOM"];
    for name in names {
        let mut keys = KeyStore::default();
        keys.set_memory(Memory::new(Memory::LEAST).unwrap());
        let room = KEY_LOG_MEMORY / (Memory::DEFAULT / Memory::LEAST);
        let line = |n: usize| format!("{name} {n:064x} {}", "ab".repeat(48));
        let count = (0..1 << 20).find(|&n| {
            keys.add_line(line(n).as_bytes());
            keys.counters().forgotten > 0
        });
        assert!((room / 1000..room / 100).contains(&count.unwrap()), "{name}: {count:?}");
        keys.add_line(line(1 << 20).as_bytes());
        assert_eq!(keys.counters().forgotten, 2, "the oldest goes for the newest");
        assert_eq!(keys.counters().limits().of(Limit::KeyLogConnections), 2);
    }
}

#[test]
fn cap_max_key_log_connections() {
    let mut keys = KeyStore::default();
    keys.set_memory(Memory::new(2 << 30).unwrap());
    let secret = "00".repeat(48);
    for n in 0..MAX_KEY_LOG_CONNECTIONS {
        keys.add_line(format!("CLIENT_RANDOM {n:064x} {secret}").as_bytes());
    }
    assert!(keys.counters().forgotten == 0 && keys.secret(&[0; 32], Label::Master).is_some());
    keys.add_line(format!("CLIENT_RANDOM {MAX_KEY_LOG_CONNECTIONS:064x} {secret}").as_bytes());
    assert_eq!(keys.around(0).count(), MAX_KEY_LOG_CONNECTIONS);
    assert_eq!(keys.counters().forgotten, 1);
    assert!(keys.secret(&[0; 32], Label::Master).is_none());
}

#[test]
fn only_used_secrets_are_written() {
    let mut keys = KeyStore::default();
    let wanted = [
        line("CLIENT_TRAFFIC_SECRET_0", 9, 4, 48) + "\n",
        line("CLIENT_RANDOM", 1, 2, 48) + "\n",
        "RSA 0011223344556677 0303aa\n".to_owned(),
    ];
    keys.add_text((wanted.concat() + &line("SERVER_TRAFFIC_SECRET_0", 9, 4, 48)).as_bytes());
    assert!(keys.used_lines().is_empty());
    keys.mark_used(&[1; 32], Label::Master);
    keys.mark_used(&[9; 32], Label::ClientApplication);
    keys.mark_used(&[8; 32], Label::ClientApplication);
    keys.mark_named_used(&Name::Encrypted([0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77]));
    assert_eq!(String::from_utf8(keys.used_lines().to_vec()).unwrap(), wanted.concat());
}

#[test]
fn reads_lines_that_went_through_loggers_and_shells() {
    let master = line("CLIENT_RANDOM", 1, 2, 48);
    let session = format!("RSA Session-ID:{} Master-Key:{}", "0b".repeat(32), "07".repeat(48));
    for (text, secrets) in [
        (format!("{master} # of the proxy"), 1),
        (format!("{master}# of the proxy"), 1),
        (format!("\"{master}\""), 1),
        (format!("'{master}',"), 1),
        (format!("2026-11-22T04:17:00Z [debug] tls: {master} (worker 3)"), 1),
        (format!("{{\"keylog\":\"{master}\\n\",\"n\":1}}"), 1),
        (format!("SSLKEYLOG={master}"), 1),
        (format!("echo CLIENT_RANDOM {master}"), 1),
        (format!("> {session}"), 1),
        (session.to_lowercase(), 1),
        (format!("{master}zz"), 0),
        (format!("NOT_{master}"), 0),
        (format!("RSA Session-ID:{} Master-Key:{}", "0b".repeat(33), "07".repeat(48)), 0),
        (format!("RSA Session-ID: Master-Key:{}", "07".repeat(48)), 0),
        (format!("RSA Session-ID:{} Master-Key:{}", "0b".repeat(32), "07".repeat(47)), 0),
    ] {
        let mut keys = KeyStore::default();
        keys.add_text(text.as_bytes());
        assert_eq!(keys.counters().secrets, secrets, "{text}");
        if secrets > 0 && text.contains("CLIENT_RANDOM") {
            assert_eq!(keys.secret(&[1; 32], Label::Master).unwrap().bytes(), [2; 48], "{text}");
        } else if secrets > 0 {
            let id = SessionId::new(&[0x0b; 32]).unwrap();
            assert_eq!(keys.named(&Name::Session(id)), Some(&[7; 48][..]), "{text}");
        }
    }
}

#[test]
fn reads_utf_16_however_it_is_cut() {
    let text =
        line("CLIENT_RANDOM", 1, 2, 48) + "\r\n# \u{20ac}\r\n" + &line("CLIENT_TRAFFIC_SECRET_0", 3, 4, 48);
    let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for bytes in [little, big] {
        for cut in 0..bytes.len() {
            let (mut keys, mut reader) = (KeyStore::default(), KeyLogReader::default());
            reader.push(&bytes[..cut], &mut keys);
            reader.push(&bytes[cut..], &mut keys);
            reader.finish(&mut keys);
            assert_eq!((keys.counters().secrets, keys.counters().bad_lines), (2, 0), "cut at {cut}");
        }
    }
}

#[test]
fn a_byte_that_may_begin_a_mark_is_kept_when_it_does_not() {
    for first in [0xff, 0xfe] {
        let (mut keys, mut reader) = (KeyStore::default(), KeyLogReader::default());
        reader.push(&[first], &mut keys);
        reader.push(&[b"\n", line("CLIENT_RANDOM", 1, 2, 48).as_bytes()].concat(), &mut keys);
        reader.finish(&mut keys);
        assert_eq!((keys.counters().secrets, keys.counters().bad_lines), (1, 1));
    }
}

/// The earliest secret counts: later ones follow from it.
#[test]
fn secrets_after_key_updates() {
    let later = |label: &str, secret| line(label, 1, secret, 32);
    for (text, expected, secrets) in [
        (vec![later("CLIENT_TRAFFIC_SECRET_N", 7), later("CLIENT_TRAFFIC_SECRET_N", 8)], (7, 1), 1),
        (vec![later("CLIENT_TRAFFIC_SECRET_0", 6), later("CLIENT_TRAFFIC_SECRET_N", 7)], (6, 0), 1),
        (vec![later("CLIENT_TRAFFIC_SECRET_5", 6), later("CLIENT_TRAFFIC_SECRET_3", 7)], (7, 3), 2),
        (vec![later("CLIENT_TRAFFIC_SECRET_N", 6), later("CLIENT_TRAFFIC_SECRET_0", 7)], (7, 0), 2),
    ] {
        let mut keys = KeyStore::default();
        keys.add_text(text.join("\n").as_bytes());
        let (secret, generation) = keys.entry(&[1; 32]).unwrap().earliest(Label::ClientApplication).unwrap();
        assert_eq!((secret.bytes()[0], generation), expected, "{text:?}");
        assert_eq!(keys.counters().secrets, secrets);
        assert_eq!(keys.secret(&[1; 32], Label::ClientApplication).is_some(), generation == 0);
        keys.mark_used(&[1; 32], Label::ClientApplication);
        let written = String::from_utf8(keys.used_lines().to_vec()).unwrap();
        assert!(written.starts_with(&format!("CLIENT_TRAFFIC_SECRET_{generation} ")), "{written}");
    }
}

#[test]
fn connections_are_gone_through_from_any_of_them() {
    let mut keys = KeyStore::default();
    for random in 0..5 {
        keys.add_text((line("CLIENT_TRAFFIC_SECRET_0", random, 1, 32)).as_bytes());
    }
    for (place, order) in
        [(0, [0, 1, 2, 3, 4]), (2, [2, 3, 4, 1, 0]), (5, [4, 3, 2, 1, 0]), (9, [4, 3, 2, 1, 0])]
    {
        let around: Vec<(u64, u8)> =
            keys.around(place).map(|(place, entry)| (place, entry.random()[0])).collect();
        assert_eq!(around, order.map(|n| (n, n as u8)));
    }
}

#[test]
fn what_has_changed_is_told_without_a_look_at_all() {
    let mut keys = KeyStore::default();
    for random in 0..5 {
        keys.add_text((line("CLIENT_TRAFFIC_SECRET_0", random, 1, 32)).as_bytes());
    }
    let since = keys.version();
    let changed = |keys: &KeyStore, since| -> Option<Vec<u8>> {
        let changed = keys.changed_since(since)?;
        Some(changed.into_iter().map(|(_, entry)| entry.random()[0]).collect())
    };
    assert_eq!((changed(&keys, since), changed(&keys, 0)), (Some(Vec::new()), None));
    for (label, random) in [("SERVER_TRAFFIC_SECRET_0", 3), ("CLIENT_TRAFFIC_SECRET_0", 9)] {
        keys.add_text(line(label, random, 2, 32).as_bytes());
        keys.add_text(line(label, random, 2, 32).as_bytes());
    }
    assert_eq!(changed(&keys, since), Some(vec![3, 9]));
    assert_eq!(changed(&keys, since + 1), Some(vec![9]));
    for n in 0..KEY_LOG_CHANGES_KEPT {
        keys.add_text(format!("CLIENT_TRAFFIC_SECRET_0 {:064x} {n:064x}", n % 2).as_bytes());
    }
    assert_eq!(changed(&keys, since + 1), None);
    assert_eq!(changed(&keys, since + 2).map(|changed| changed.len()), Some(2));
}

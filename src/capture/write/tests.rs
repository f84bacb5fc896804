//! What is written is read back, here and by others.

use super::*;
use crate::capture::damage::Damage;
use crate::capture::testing::{Outcome, Read1, read, samples};
use std::path::Path;

fn head(packet: &Read1) -> PacketHead {
    PacketHead {
        number: 0,
        time: Timestamp::from_nanos(packet.nanos),
        link: LinkType(packet.link),
        original_len: packet.original,
        range: 0..packet.bytes.len() as u32,
    }
}

fn write(writer: &mut Writer, packets: &[Read1]) {
    for packet in packets {
        writer.packet(&head(packet), &packet.bytes).unwrap();
    }
}

fn read_file(path: &Path) -> Outcome {
    read(&std::fs::read(path).unwrap()).unwrap()
}

/// The files in a directory, by name.
fn listing(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn packets_come_back_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.pcapng");
    let mut packets = samples(50);
    for (index, packet) in packets.iter_mut().enumerate() {
        packet.link = [1, 113, 1, 101][index % 4];
        packet.nanos += index as u64 * 7 + 1;
    }
    packets[9].bytes.clear();
    packets[10].nanos = 3; // time may jump back
    let mut writer = Writer::create(&path, Rotation::default()).unwrap();
    assert!(path.exists(), "created before the first packet");
    write(&mut writer, &packets);
    writer.finish().unwrap();
    let outcome = read_file(&path);
    assert_eq!(outcome.packets, packets);
    assert_eq!(outcome.damage, Vec::<Damage>::new());
}

#[test]
fn the_second_opinion_reads_every_block() {
    use pcap_parser::{Block, PcapBlockOwned, PcapError, SecretsType, traits::PcapReaderIterator};
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.pcapng");
    let mut writer = Writer::create(&path, Rotation::default()).unwrap();
    writer.secrets(b"CLIENT_RANDOM 00 11").unwrap();
    write(&mut writer, &samples(3));
    writer.finish().unwrap();
    let mut reader = pcap_parser::PcapNGReader::new(65536, std::fs::File::open(&path).unwrap()).unwrap();
    let mut seen = Vec::new();
    loop {
        match reader.next() {
            Ok((offset, PcapBlockOwned::NG(block))) => {
                seen.push(match &block {
                    Block::SectionHeader(header) => header.shb_userappl().unwrap().unwrap().to_owned(),
                    Block::InterfaceDescription(interface) => format!("resolution {}", interface.if_tsresol),
                    Block::DecryptionSecrets(secrets) if secrets.secrets_type == SecretsType::TlsKeyLog => {
                        "keys".to_owned()
                    }
                    Block::EnhancedPacket(packet) => format!("{} bytes", packet.caplen),
                    _ => panic!("another block"),
                });
                reader.consume(offset);
            }
            Ok(_) => panic!("not pcapng"),
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(error) => panic!("{error:?}"),
        }
    }
    let program = format!("h2lens {}", env!("CARGO_PKG_VERSION"));
    let mut expected = vec![program, "keys".to_owned(), "resolution 9".to_owned()];
    expected.extend(samples(3).iter().map(|packet| format!("{} bytes", packet.bytes.len())));
    assert_eq!(seen, expected);
}

#[test]
fn what_is_flushed_can_be_read_while_writing_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.pcapng");
    let mut writer = Writer::create(&path, Rotation::default()).unwrap();
    for count in 1..5 {
        write(&mut writer, &samples(count)[count - 1..]);
        writer.flush().unwrap();
        assert_eq!(read_file(&path).packets, samples(count));
    }
}

#[cfg(unix)]
#[test]
fn secrets_are_for_the_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.pcapng");
    std::fs::write(&path, "was here before").unwrap();
    let mut writer = Writer::create(&path, Rotation::default()).unwrap();
    assert_ne!(mode(&path), 0o600, "nothing secret in it");
    writer.secrets(b"one\n").unwrap();
    assert_eq!(mode(&path), 0o600);
    write(&mut writer, &samples(2));
    writer.secrets(b"two\n").unwrap();
    writer.finish().unwrap();
    let outcome = read_file(&path);
    assert_eq!(outcome.secrets, [(0, b"one\n".to_vec()), (2, b"two\n".to_vec())]);
    assert_eq!(outcome.packets, samples(2));
}

#[cfg(target_os = "linux")]
#[test]
fn no_link_is_followed_to_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let (path, file) = (directory.path().join("a.pcapng"), directory.path().join("theirs"));
    std::fs::write(&file, "was here before").unwrap();
    std::os::unix::fs::symlink(&file, &path).unwrap();
    assert!(Writer::create(&path, Rotation::default()).is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"was here before");
    std::fs::remove_file(&file).unwrap();
    assert!(Writer::create(&path, Rotation::default()).is_err());
    assert!(!file.exists(), "nor is one made there");
    let device = directory.path().join("device");
    std::os::unix::fs::symlink("/dev/null", &device).unwrap();
    Writer::create(&device, Rotation::default()).unwrap();
    let fresh = directory.path().join("fresh.pcapng");
    Writer::create(&fresh, Rotation::default()).unwrap();
    assert_eq!(mode(&fresh), 0o600, "packets are for the owner only");
}

#[test]
fn a_long_key_log_is_cut_between_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.pcapng");
    let line = [&[b'k'; 99][..], b"\n"].concat();
    let log = line.repeat(limits::BLOCK_BYTES as usize / 100 + 5);
    let mut writer = Writer::create(&path, Rotation::default()).unwrap();
    writer.secrets(&log).unwrap();
    writer.finish().unwrap();
    let secrets = read_file(&path).secrets;
    assert_eq!(secrets.len(), 3);
    assert!(secrets.iter().all(|(_, text)| text.ends_with(b"\n")));
    assert_eq!(secrets.into_iter().flat_map(|(_, text)| text).collect::<Vec<_>>(), log);
}

#[test]
fn rotates_by_size() {
    let directory = tempfile::tempdir().unwrap();
    let rotation = Rotation { size: Some(1000), ..Rotation::default() };
    let mut writer = Writer::create(directory.path().join("base.pcapng"), rotation).unwrap();
    assert_eq!(listing(directory.path()).len(), 0);
    writer.secrets(b"keys").unwrap();
    let mut packets = samples(60);
    packets[20].bytes = vec![1; 2000]; // larger than a file may be, so it gets one of its own
    packets[20].original = 2000;
    write(&mut writer, &packets);
    writer.finish().unwrap();
    let files = listing(directory.path());
    let mut all = Vec::new();
    for file in &files {
        let outcome = read_file(file);
        let size = std::fs::metadata(file).unwrap().len();
        assert!(size <= 1000 || outcome.packets.len() == 1, "{size}");
        assert_eq!(outcome.secrets, [(0, b"keys\n".to_vec())], "each file stands alone");
        #[cfg(unix)]
        assert_eq!(mode(file), 0o600);
        all.extend(outcome.packets);
    }
    assert!(files.len() > 5);
    assert_eq!(all, packets);
    let name = files[0].file_name().unwrap().to_str().unwrap();
    assert_eq!(name, "base_00001_20231114221320.pcapng");
}

#[test]
fn rotates_by_packet_time_and_keeps_a_ring() {
    let directory = tempfile::tempdir().unwrap();
    let rotation = Rotation { size: None, time: Some(Duration::from_secs(10)), files: Some(3) };
    let mut writer = Writer::create(directory.path().join("base"), rotation).unwrap();
    let packets: Vec<_> = (0..50)
        .map(|index| Read1 {
            nanos: 1_700_000_000_000_000_000 + index * 2_000_000_000,
            ..samples(1)[0].clone()
        })
        .collect();
    write(&mut writer, &packets[..1]);
    let other = directory.path().join("base_00000_not_ours");
    std::fs::write(&other, "").unwrap();
    write(&mut writer, &packets[1..]);
    writer.finish().unwrap();
    let files = listing(directory.path());
    assert_eq!(files[0], other);
    let names: Vec<_> = files[1..].iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(
        names,
        ["base_00008_20231114221430", "base_00009_20231114221440", "base_00010_20231114221450"]
    );
    let last: Vec<_> = files[1..].iter().flat_map(|file| read_file(file).packets).collect();
    assert_eq!(last, packets[35..]);
}

#[test]
fn errors_name_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("no/such/a.pcapng");
    let error = Writer::create(&missing, Rotation::default()).err().unwrap();
    assert_eq!(error.to_string(), missing.display().to_string());
    assert_eq!(error.source.kind(), io::ErrorKind::NotFound);
    let rotation = Rotation { size: Some(1), ..Rotation::default() };
    let error = Writer::create(&missing, rotation).err().unwrap();
    assert_eq!(Some(error.path.as_path()), missing.parent());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let mut writer = Writer::create("/dev/full", Rotation::default()).unwrap();
    writer.secrets(b"keys").unwrap();
    write(&mut writer, &samples(1));
    let error = writer.finish().unwrap_err();
    assert_eq!(error.path, Path::new("/dev/full"));
}

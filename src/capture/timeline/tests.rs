//! Several inputs as one: order, numbers, filter, count, secrets.

use super::*;
use crate::base::tuning;
#[cfg(not(feature = "live"))]
use crate::capture::FilterError;
use crate::capture::source::OpenErrorKind;
use crate::capture::testing::{Outcome, PcapFile, PcapngFile, Read1, sample, samples};
use crate::capture::{LinkType, OpenError};
use proptest::prelude::*;
use std::io::Write;
use tempfile::TempDir;

const TLS: u32 = 0x544c_534b;

/// A directory with files in it, named `0`, `1` and so on.
fn files(contents: &[Vec<u8>]) -> (TempDir, Vec<Input>) {
    let directory = tempfile::tempdir().unwrap();
    let inputs = contents.iter().enumerate().map(|(index, bytes)| {
        let path = directory.path().join(index.to_string());
        std::fs::write(&path, bytes).unwrap();
        Input::File(path)
    });
    let inputs = inputs.collect();
    (directory, inputs)
}

fn pcap(packets: &[Read1]) -> Vec<u8> {
    PcapFile::usual().packets(packets).bytes
}

/// Reads all, and checks that numbers count up.
fn all(mut timeline: Timeline) -> Outcome {
    let (mut batch, mut outcome) = (Batch::default(), Outcome::default());
    let mut last = 0;
    while timeline.next_batch(&mut batch) {
        for packet in &batch.packets {
            assert!(packet.number > last);
            last = packet.number;
        }
        assert!(!batch.packets.is_empty() || !batch.secrets.is_empty());
        assert!(batch.secrets.iter().all(|(before, _)| *before <= batch.packets.len()));
        outcome.add(&batch);
    }
    assert!(!timeline.next_batch(&mut batch) && batch.packets.is_empty());
    outcome.damage = timeline.damage();
    assert_eq!(timeline.damaged_inputs(), outcome.damage.len() as u64);
    outcome
}

fn read(inputs: &[Input]) -> Outcome {
    all(Timeline::open(inputs).unwrap())
}

fn sorted(mut packets: Vec<Read1>) -> Vec<Read1> {
    packets.sort_by_key(|packet| packet.nanos);
    packets
}

#[test]
fn rotated_files_continue_each_other_in_any_order() {
    let packets = samples(9000);
    let (_directory, inputs) =
        files(&[pcap(&packets[..3000]), pcap(&packets[3000..6000]), pcap(&packets[6000..])]);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]] {
        let inputs = order.map(|index| inputs[index].clone());
        assert_eq!(read(&inputs).packets, packets, "{order:?}");
    }
}

#[test]
fn more_files_than_lanes_of_full_size() {
    let packets = samples(2000);
    let pieces: Vec<_> = packets.chunks(50).map(pcap).collect();
    assert!(pieces.len() > 4 * tuning::MERGE_LANES);
    let (_directory, mut inputs) = files(&pieces);
    inputs.reverse();
    assert_eq!(read(&inputs).packets, packets);
}

#[test]
fn interleaved_files_are_merged_by_time() {
    let packets = samples(6000);
    let part = |rest: usize| {
        packets
            .iter()
            .enumerate()
            .filter(move |(index, _)| index * index % 3 == rest)
            .map(|(_, packet)| packet.clone())
    };
    let (_directory, mut inputs) =
        files(&[pcap(&part(0).collect::<Vec<_>>()), pcap(&part(1).collect::<Vec<_>>())]);
    let merged = read(&inputs);
    assert_eq!(merged.packets, packets);
    inputs.reverse();
    assert_eq!(read(&inputs), merged);
}

#[test]
fn equal_times_are_ordered_by_first_packet_then_name() {
    let with = |nanos: u64, byte: u8| Read1 { nanos, bytes: vec![byte; 40], ..sample(0) };
    let first = [with(2000, 1), with(5000, 2)];
    let second = [with(1000, 3), with(5000, 4)];
    let third = [with(1000, 5), with(5000, 6)];
    let (_directory, inputs) = files(&[pcap(&first), pcap(&second), pcap(&third)]);
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
        let merged = read(&order.map(|index| inputs[index].clone()));
        let bytes: Vec<_> = merged.packets.iter().map(|packet| packet.bytes[0]).collect();
        assert_eq!(bytes, [3, 5, 1, 4, 6, 2], "{order:?}");
    }
}

#[test]
fn time_that_jumps_back_does_not_reorder_a_file() {
    let with = |nanos: u64, byte: u8| Read1 { nanos, bytes: vec![byte; 40], ..sample(0) };
    let jumpy = [with(10_000, 1), with(90_000, 2), with(5000, 3), with(6000, 4), with(95_000, 5)];
    let steady = [with(20_000, 11), with(50_000, 12), with(92_000, 13), with(99_000, 14)];
    let (_directory, inputs) = files(&[pcap(&jumpy), pcap(&steady)]);
    let bytes: Vec<_> = read(&inputs).packets.iter().map(|packet| packet.bytes[0]).collect();
    assert_eq!(bytes, [1, 11, 12, 2, 3, 4, 13, 5, 14]);
}

#[test]
fn all_inputs_are_checked_before_any_is_read() {
    let (directory, inputs) = files(&[pcap(&samples(3)), b"text".to_vec(), vec![]]);
    let missing = Input::File(directory.path().join("missing"));
    let folder = Input::File(directory.path().to_owned());
    for (bad, input) in [(1, &inputs[1]), (2, &inputs[2]), (3, &missing), (4, &folder)] {
        let OpenError { input: name, kind } =
            Timeline::open(&[inputs[0].clone(), input.clone()]).err().expect("opens");
        assert_eq!(name, input.name());
        let expected = match bad {
            1 => matches!(kind, OpenErrorKind::NotACapture),
            2 => matches!(kind, OpenErrorKind::Empty),
            _ => matches!(kind, OpenErrorKind::Io(_)),
        };
        assert!(expected, "{kind:?}");
        assert!(Timeline::open(std::slice::from_ref(input)).is_err());
    }
}

#[test]
fn damage_names_its_file_and_the_others_go_on() {
    let packets = samples(30);
    let mut cut = pcap(&packets[..10]);
    cut.truncate(cut.len() - 3);
    let (_directory, inputs) = files(&[pcap(&packets[10..20]), cut, pcap(&packets[20..])]);
    let outcome = read(&inputs);
    assert_eq!(outcome.packets.len(), 30);
    let captured = packets[9].bytes.len();
    assert_eq!(
        outcome.lines(),
        [format!(
            "{}: cut off in packet 10: {} of {captured} bytes are there",
            inputs[1].name(),
            captured - 3
        )]
    );
}

#[test]
fn a_file_that_goes_away_is_damage() {
    let (_directory, inputs) = files(&[pcap(&samples(3)), pcap(&samples(9)[5..])]);
    let timeline = Timeline::open(&inputs).unwrap();
    let Input::File(path) = &inputs[1] else { panic!() };
    std::fs::remove_file(path).unwrap();
    let outcome = all(timeline);
    assert_eq!(outcome.packets, samples(3));
    assert!(outcome.lines()[0].starts_with(&format!("{}: cannot be read after packet 0: ", path.display())));
}

#[cfg(target_os = "linux")]
#[test]
fn pipes_and_files_are_merged() {
    use std::os::fd::AsRawFd;
    let packets = samples(40);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let pipe = Input::File(format!("/proc/self/fd/{}", reader.as_raw_fd()).into());
    let bytes = PcapngFile::usual().secrets(TLS, b"keys").packets(&packets[10..30]).bytes;
    let feeder = std::thread::spawn(move || {
        for piece in bytes.chunks(100) {
            writer.write_all(piece).unwrap();
        }
    });
    let others = [packets[..15].to_vec(), packets[25..].to_vec()];
    let (_directory, inputs) = files(&others.clone().map(|packets| pcap(&packets)));
    let mut timeline = Timeline::open(&[inputs[1].clone(), pipe, inputs[0].clone()]).unwrap();
    drop(reader);
    assert_eq!(timeline.progress().total(), None);
    assert_eq!(secrets_of(&mut timeline).0, Vec::<Vec<u8>>::new());
    let outcome = all(timeline);
    feeder.join().unwrap();
    let expected = sorted([&others[0][..], &packets[10..30], &others[1]].concat());
    assert_eq!(outcome.packets, expected);
    // The file that begins first goes first at the time that both have.
    assert_eq!(outcome.secrets, [(11, b"keys".to_vec())]);
}

#[test]
fn numbers_count_what_the_filter_drops() {
    let with_port = |index: usize, port: u8| {
        let mut packet = sample(index);
        packet.bytes = vec![0; 60];
        packet.bytes[12..15].copy_from_slice(&[8, 0, 0x45]);
        packet.bytes[23] = 6;
        packet.bytes[37] = port;
        packet
    };
    let ports = [80, 81, 80, 80, 81, 81, 80];
    let packets: Vec<_> = ports.iter().enumerate().map(|(index, port)| with_port(index, *port)).collect();
    let mut file = PcapngFile::usual();
    for (index, packet) in packets.iter().enumerate() {
        file = file.secrets(TLS, &[index as u8]).enhanced(0, packet.nanos, packet);
    }
    let (_directory, inputs) = files(&[file.secrets(TLS, b"end").bytes]);
    let open = |expression: &str| match Filter::compile(expression) {
        Ok(filter) => Some(Timeline::open(&inputs).unwrap().with_filter(filter)),
        #[cfg(not(feature = "live"))]
        Err(FilterError::NotBuilt) => None,
        Err(error) => panic!("{error}"),
    };
    let Some(mut timeline) = open("tcp port 81") else { return };
    let mut batch = Batch::default();
    assert!(timeline.next_batch(&mut batch));
    let numbers: Vec<_> = batch.packets.iter().map(|packet| packet.number).collect();
    assert_eq!(numbers, [2, 5, 6]);
    let before: Vec<_> = batch.secrets.iter().map(|(before, _)| *before).collect();
    assert_eq!(before, [0, 0, 1, 1, 1, 2, 3, 3]);
    assert_eq!(timeline.counts(), TimelineCounts { packets: 7, filtered: 4, filter_unfit: 0 });

    let mut timeline = open("tcp port 81").unwrap().with_count(2);
    assert!(timeline.next_batch(&mut batch));
    assert_eq!(batch.packets.iter().map(|packet| packet.number).collect::<Vec<_>>(), [2, 5]);
    assert!(!timeline.next_batch(&mut batch));
    assert_eq!(timeline.counts().packets, 5);
    assert_eq!(all(open("tcp port 82").unwrap()).packets, []);
}

#[test]
fn packets_that_a_filter_cannot_judge_are_counted() {
    let Ok(filter) = Filter::compile("ether host 00:00:00:00:00:01") else { return };
    let mut packets = samples(5);
    packets[3].link = 195;
    let file = PcapngFile::usual().interface(LinkType(195), 0, &[9, 0, 1, 0, 9, 0, 0, 0]);
    let file = file.packets(&packets[..3]).enhanced(1, packets[3].nanos, &packets[3]).packets(&packets[4..]);
    let (_directory, inputs) = files(&[file.bytes]);
    let mut timeline = Timeline::open(&inputs).unwrap().with_filter(filter);
    assert!(!timeline.next_batch(&mut Batch::default()));
    assert_eq!(timeline.counts(), TimelineCounts { packets: 5, filtered: 5, filter_unfit: 1 });
    assert_eq!(timeline.unfit_link_types(), [LinkType(195)]);
}

#[test]
fn ends_after_so_many_packets() {
    let (_directory, inputs) = files(&[pcap(&samples(10)), pcap(&samples(20)[10..])]);
    for count in [0, 1, 9, 10, 11, 20, 21] {
        let outcome = all(Timeline::open(&inputs).unwrap().with_count(count as u64));
        assert_eq!(outcome.packets, samples(count.min(20)), "{count}");
        let outcome = all(Timeline::open(&inputs[..1]).unwrap().with_count(count as u64));
        assert_eq!(outcome.packets, samples(count.min(10)), "{count}");
    }
}

#[test]
fn secrets_are_found_before_the_packets_and_only_once() {
    let large = Read1 { bytes: vec![1; 100_000], original: 100_000, ..sample(3) };
    let late = PcapngFile::usual()
        .packets(&samples(3))
        .enhanced(0, large.nanos, &large)
        .enhanced(0, large.nanos, &large)
        .secrets(TLS, b"late")
        .section(crate::capture::file::Order::Big)
        .interface(LinkType(1), 0, &[])
        .secrets(TLS + 1, b"other")
        .enhanced(0, large.nanos / 1000, &large)
        .secrets(TLS, &vec![b'x'; 70_000]);
    let early = PcapngFile::usual().secrets(TLS, b"early");
    let compressed = zstd::encode_all(&*PcapngFile::usual().secrets(TLS, b"within").bytes, 0).unwrap();
    let (_directory, inputs) = files(&[late.bytes, early.bytes, compressed, pcap(&samples(1))]);
    let mut timeline = Timeline::open(&inputs).unwrap();
    let (secrets, _) = secrets_of(&mut timeline);
    assert_eq!(secrets, [b"early".to_vec(), b"late".to_vec(), vec![b'x'; 70_000]]);
    let outcome = all(timeline);
    assert_eq!(outcome.secrets, [(0, b"within".to_vec())]);
    assert_eq!(outcome.packets.len(), 7);

    let outcome = read(&inputs[..2]);
    let texts: Vec<_> = outcome.secrets.into_iter().map(|(before, text)| (before, text.len())).collect();
    assert_eq!(texts, [(0, 5), (5, 4), (6, 70_000)]);
}

/// What is found of secrets beforehand, and whether that is all.
fn secrets_of(timeline: &mut Timeline) -> (Vec<Vec<u8>>, bool) {
    let mut found = Vec::new();
    let complete = timeline.take_secrets(&mut |text| found.push(text.to_vec()));
    (found, complete)
}

/// Who opened a capture may have given his rights up by the time that its secrets are looked for.
#[test]
fn a_capture_is_not_opened_again_for_its_secrets() {
    let (directory, inputs) = files(&[PcapngFile::usual().packets(&samples(2)).secrets(TLS, b"late").bytes]);
    let mut timeline = Timeline::open(&inputs).unwrap();
    directory.close().unwrap();
    assert_eq!(secrets_of(&mut timeline), (vec![b"late".to_vec()], true));
    assert_eq!(all(timeline).packets.len(), 2);
}

/// Of a pipe it is not known what comes, but a classic pcap has no place for secrets.
#[test]
fn a_pipe_in_a_format_without_secrets_will_have_none() {
    for (bytes, complete) in
        [(pcap(&samples(2)), true), (PcapngFile::usual().packets(&samples(2)).bytes, false)]
    {
        let mut timeline = Timeline::of_reader(std::io::Cursor::new(bytes)).unwrap();
        assert_eq!(secrets_of(&mut timeline), (vec![], complete));
    }
}

#[test]
fn secrets_behind_a_damaged_place_come_with_the_packets() {
    let file = PcapngFile::usual().secrets(TLS, b"before").packets(&samples(2));
    let at = file.bytes.len();
    let mut bytes = file.packets(&samples(3)[2..]).secrets(TLS, b"behind").packets(&samples(4)[3..]).bytes;
    bytes[at + 4..at + 8].fill(0xff);
    let (_directory, inputs) = files(&[bytes]);
    let mut timeline = Timeline::open(&inputs).unwrap();
    assert_eq!(secrets_of(&mut timeline).0, [b"before".to_vec()]);
    let outcome = all(timeline);
    assert_eq!((outcome.packets.len(), outcome.damage.len()), (3, 1));
    assert_eq!(outcome.secrets, [(2, b"behind".to_vec())]);
}

/// The length at the end of a block lies: what is behind it may be anything, and is for the reader of the packets to
/// find.
#[test]
fn secrets_of_a_block_whose_lengths_differ_are_not_taken_beforehand() {
    let file = PcapngFile::usual().secrets(TLS, b"before");
    let end = file.bytes.len();
    let mut bytes = file.packets(&samples(1)).secrets(TLS, b"behind").bytes;
    bytes[end - 4] ^= 4;
    let (_directory, inputs) = files(&[bytes]);
    let mut timeline = Timeline::open(&inputs).unwrap();
    assert!(secrets_of(&mut timeline).0.is_empty());
    let outcome = all(timeline);
    assert_eq!((outcome.packets.len(), outcome.damage.len()), (1, 1));
    assert_eq!(outcome.secrets, [(0, b"before".to_vec()), (1, b"behind".to_vec())]);
}

#[test]
fn progress_ends_at_the_total() {
    let (_directory, inputs) = files(&[pcap(&samples(100)), pcap(&samples(200)[100..])]);
    for inputs in [&inputs[..1], &inputs] {
        let timeline = Timeline::open(inputs).unwrap();
        let progress = timeline.progress();
        let size = |input: &Input| match input {
            Input::File(path) => std::fs::metadata(path).unwrap().len(),
            Input::Stdin => 0,
        };
        assert_eq!(progress.total(), Some(inputs.iter().map(size).sum()));
        assert!(Some(progress.read()) < progress.total() || inputs.len() == 1);
        all(timeline);
        assert_eq!(Some(progress.read()), progress.total());
    }
}

#[test]
fn a_reader_thread_can_own_it() {
    let (_directory, inputs) = files(&[pcap(&samples(7))]);
    let timeline = Timeline::open(&inputs).unwrap();
    assert_eq!(std::thread::spawn(move || all(timeline).packets).join().unwrap(), samples(7));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn merging_keeps_each_file_and_ignores_the_order_of_arguments(
        times in prop::collection::vec(prop::collection::vec(0..200_u64, 0..40), 1..12),
        rotation in any::<prop::sample::Index>(),
    ) {
        let packet = |file: usize, index: usize, time: u64| Read1 {
            nanos: 1_700_000_000_000_000_000 + time * 1000,
            bytes: vec![file as u8, index as u8],
            original: 2,
            link: 1,
        };
        let contents: Vec<Vec<_>> = times
            .iter()
            .enumerate()
            .map(|(file, times)| times.iter().enumerate().map(|(i, time)| packet(file, i, *time)).collect())
            .collect();
        let (_directory, mut inputs) = files(&contents.iter().map(|packets| pcap(packets)).collect::<Vec<_>>());
        let merged = read(&inputs);
        let rotation = rotation.index(inputs.len());
        inputs.rotate_left(rotation);
        prop_assert_eq!(&read(&inputs), &merged);
        for (file, packets) in contents.iter().enumerate() {
            let own: Vec<_> =
                merged.packets.iter().filter(|packet| usize::from(packet.bytes[0]) == file).cloned().collect();
            prop_assert_eq!(&own, packets);
        }
        // By the latest time of each file so far, the merged times never fall.
        let mut clocks = vec![0; contents.len()];
        let mut last = 0;
        for packet in &merged.packets {
            let clock = &mut clocks[usize::from(packet.bytes[0])];
            *clock = packet.nanos.max(*clock);
            prop_assert!(*clock >= last);
            last = *clock;
        }
    }
}

use super::*;

/// Packets of which the snaplen left nothing: no byte is searched, and none may be kept.
#[test]
fn holes_without_bytes_between_them_take_no_memory() {
    let mut buffer = SearchBuffer::default();
    for _ in 0..10_000 {
        buffer.push_gap(&Arrival::default(), 1400, GapCause::Snaplen);
        assert!(buffer.len() <= limits::RESYNC_BUFFER);
    }
    assert!(buffer.memory() <= 4 * limits::RESYNC_BUFFER, "{} bytes", buffer.memory());
}

#[test]
fn cap_resync_buffer() {
    let expect = Expect { max_stream: 1, ..Expect::ANY };
    let most = limits::RESYNC_BUFFER;
    for (len, kept) in [(most - 1, most - 1), (most, most), (most + 1, most / 2)] {
        let mut buffer = SearchBuffer::default();
        buffer.push_data(&Arrival::default(), &vec![0xff; len]);
        assert_eq!(buffer.search(&expect, RequiredEvidence::BOUNDARY, false), None);
        assert_eq!((buffer.len(), buffer.skipped()), (kept, (len - kept) as u64));
    }
}

#[test]
fn cap_resync_start() {
    for (octets, pays) in
        [(limits::RESYNC_START - 1, true), (limits::RESYNC_START, true), (limits::RESYNC_START + 1, false)]
    {
        assert_eq!(DecodeCredit::default().pay(octets as usize, || false), pays, "{octets}");
    }
}

#[test]
fn cap_resync_decode() {
    for more in [0, 1] {
        let mut credit = DecodeCredit { searched: 1000, decoded: limits::RESYNC_START };
        let octets = (limits::RESYNC_DECODE * 1000) as usize + more;
        assert_eq!(credit.pay(octets, || false), more == 0);
        assert_eq!(credit.decoded > limits::RESYNC_START, more == 0);
    }
    let mut credit = DecodeCredit { searched: 0, decoded: limits::RESYNC_START };
    assert!(credit.pay(1000, || true), "what is likely is decoded still");
    assert!(!credit.pay(limits::RESYNC_START as usize, || true), "but not without end");
}

/// What was decoded in vain counts on when framing is found and lost again.
#[test]
fn decoding_is_in_proportion_to_what_is_searched() {
    let expect = Expect { max_stream: 1, ..Expect::ANY };
    // A field whose value is the header of a frame of 16,000 octets, and then fields of its block.
    let header = [0, 0x3e, 0x80, 1, 4, 0, 0, 0, 1];
    let field = [&[0, 1, b'a', 109][..], &header, &[0x82; 100]].concat();
    let mut buffer = SearchBuffer::default();
    let mut pushed = 0;
    for round in 0..40 {
        let bytes = field.repeat(200);
        buffer.push_data(&Arrival::default(), &bytes);
        pushed += bytes.len() as u64;
        assert_eq!(buffer.search(&expect, RequiredEvidence::BOUNDARY, false), None);
        if round % 3 == 0 {
            buffer.clear();
        }
        let DecodeCredit { searched, decoded } = buffer.credit;
        assert_eq!(searched, pushed);
        assert!(decoded <= 2 * (limits::RESYNC_START + limits::RESYNC_DECODE * pushed));
    }
    assert!(buffer.credit.decoded > limits::RESYNC_DECODE * pushed / 2, "it is what costs");
}

/// Headers of long frames, of which none can be told yet whether it is one, and then a frame that is.
#[test]
fn cap_resync_candidates() {
    let expect = Expect { max_stream: 1, ..Expect::ANY };
    let frames = [0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84].repeat(4);
    for more in [0, 1, 2] {
        let before = limits::RESYNC_CANDIDATES - 2 + more;
        let mut buffer = SearchBuffer::default();
        // DATA on stream 1, of 0x3000 octets, behind an octet of something else: where a segment begins they would be awaited.
        let data = [0, 0x30, 0, 0, 0, 0, 0, 0, 1].repeat(before);
        buffer.push_data(&Arrival::default(), &[&[0xff], &data[..]].concat());
        buffer.push_data(&Arrival::default(), &frames[..11]);
        assert_eq!(buffer.search(&expect, RequiredEvidence::BOUNDARY, false), None);
        assert!(buffer.candidates.len() <= limits::RESYNC_CANDIDATES);
        buffer.push_data(&Arrival::default(), &frames[11..]);
        assert!(buffer.search(&expect, RequiredEvidence::BOUNDARY, false).is_some());
        // Passed over, it costs its own octets.
        let skipped = 1 + before * 9 + if more == 2 { 12 } else { 0 };
        assert_eq!(buffer.skipped(), skipped as u64, "{before}");
    }
}

/// Of frames in a frame, as in a tunnel, the outer one is the boundary.
#[test]
fn a_frame_that_holds_frames_comes_before_them() {
    let expect = Expect { max_stream: 1, ..Expect::ANY };
    let inner = [0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84].repeat(6);
    let outer = [&[0, 0, inner.len() as u8, 0, 0, 0, 0, 0, 1][..], &inner].concat();
    for (required, waits) in [(RequiredEvidence::BOUNDARY, false), (RequiredEvidence::PROTOCOL, true)] {
        let mut buffer = SearchBuffer::default();
        buffer.push_data(&Arrival::default(), &outer);
        let mut found = buffer.search(&expect, required, false);
        assert_eq!(found.is_none(), waits, "of one frame it is not known whether it is HTTP/2's");
        for _ in 0..3 {
            buffer.push_data(&Arrival::default(), &outer);
            found = found.or_else(|| buffer.search(&expect, required, false));
        }
        assert!(found.is_some());
        assert_eq!(buffer.skipped(), 0);
    }
}

/// What only looks like a frame is waited for no longer than it claims to be, and than there is room.
#[test]
fn a_frame_that_is_none_does_not_hide_the_next_one() {
    let expect = Expect { max_stream: 1, ..Expect::ANY };
    let frames = [0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84].repeat(6);
    for (claimed, ends) in [(0x20, false), (0x3f, false), (0x3f, true)] {
        let mut buffer = SearchBuffer::default();
        buffer.push_data(&Arrival::default(), &[&[0, claimed, 0, 0, 0, 0, 0, 0, 1][..], &frames].concat());
        let mut pushed = 9 + frames.len();
        while buffer.search(&expect, RequiredEvidence::BOUNDARY, ends).is_none() {
            assert!(pushed <= limits::RESYNC_BUFFER / 2 + 1500, "{claimed}");
            buffer.push_data(&Arrival::default(), &[0xff; 1500]);
            pushed += 1500;
        }
        assert_eq!(buffer.skipped(), 9, "{claimed}");
    }
}

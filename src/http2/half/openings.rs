//! Whether a header block can have been lost in a hole. Where none was, the dynamic table is still what it was.
//!
//! | there was none, as | because |
//! |---|---|
//! | the hole has the size of one empty frame, and lies between two frames | fields take an octet at the least, and there is none for them |
//! | the client opened no stream in it, and ended none with trailers | the next stream that it opens has the next identifier, and they increase (RFC 9113 section 5.1.1). Behind trailers there is nothing of a stream (section 8.1): what was open went on with DATA behind the hole |
//!
//! Of a server only the first can be shown: it answers in whatever order.

use crate::base::tuning;
use crate::http2::frame::{self, Flags, FrameHeader};
use crate::http2::hpack;

/// Which streams a client has opened and not ended, and the hole behind which no header block was read yet.
#[derive(Debug, Default)]
pub(super) struct Openings {
    /// Every stream that was opened is known, or ended.
    complete: bool,
    newest: u32,
    /// What was opened and is not ended, by the client.
    open: Vec<u32>,
    hole: Option<Hole>,
}

/// Where framing was lost, once or more.
#[derive(Debug, Default)]
struct Hole {
    /// It lies between two frames, and has the size of one that is empty.
    is_empty_frame: bool,
    /// What was open before, and has not been heard of since.
    doubtful: Vec<u32>,
}

impl Openings {
    /// Of a client that is read from its first octet on.
    pub(super) fn of_all() -> Self {
        Self { complete: true, ..Self::default() }
    }

    /// Streams may have been opened that are not known.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Octets are lost, so many behind the last frame; `None` where that was not the last one's end, or it is not known.
    pub(super) fn lose(&mut self, octets: Option<u64>) {
        let is_first = self.hole.is_none();
        let hole = self.hole.get_or_insert_default();
        hole.is_empty_frame = is_first && octets == Some(frame::LEN as u64);
        hole.doubtful.clone_from(&self.open);
    }

    /// The hole that was lost last ends further on, or not where a frame begins.
    pub(super) fn lose_more(&mut self) {
        self.hole.iter_mut().for_each(|hole| hole.is_empty_frame = false);
    }

    /// The client has sent DATA, or the stream's reset.
    #[inline]
    pub(super) fn heard_of(&mut self, stream: u32, ended: bool) {
        if let Some(hole) = &mut self.hole {
            hole.doubtful.retain(|&doubtful| doubtful != stream);
        }
        if ended && !self.open.is_empty() {
            self.open.retain(|&open| open != stream);
        }
    }

    /// A header block of the client begins. Whether no other was lost since the last one.
    pub(super) fn block(&mut self, header: &FrameHeader, fragment: &[u8]) -> bool {
        let ends = header.flags.has(Flags::END_STREAM);
        let none_lost = self.hole.take().is_none_or(|hole| {
            // Without a request's field it may be the trailers of a stream that was opened in the hole.
            let opens = || !ends || hpack::opens_request(fragment);
            hole.is_empty_frame || self.is_next(header.stream) && hole.doubtful.is_empty() && opens()
        });
        if !none_lost {
            self.forget();
        }
        if !self.complete && header.stream == 1 && hpack::opens_request(fragment) {
            // Joined late, and none the less with the first of all streams.
            *self = Self::of_all();
        }
        self.note(header.stream, ends);
        none_lost
    }

    /// No stream can have been opened before this one and after those that are known.
    fn is_next(&self, stream: u32) -> bool {
        self.complete && stream == (self.newest + 1) | 1
    }

    /// The client has opened a stream, or ends one, or both.
    pub(super) fn note(&mut self, stream: u32, ends: bool) {
        if !self.complete {
            return;
        }
        if stream <= self.newest {
            return self.heard_of(stream, ends);
        }
        self.newest = stream;
        if !ends {
            self.open.push(stream);
        }
        if self.open.len() > tuning::OPEN_UPLOADS {
            self.forget();
        }
    }

    /// The same of a server.
    #[inline]
    pub(super) fn block_of_server(&mut self) -> bool {
        self.hole.take().is_none_or(|hole| hole.is_empty_frame)
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        let doubtful = self.hole.as_ref().map_or(0, |hole| hole.doubtful.capacity());
        (self.open.capacity() + doubtful) * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use crate::base::time::Moment;
    use crate::flow::{Arrival, Gap, GapCause};
    use crate::http2::connection::{Connection, Start};
    use crate::http2::event::{EventSink, UpgradeRequest};
    use crate::http2::hpack::Field;
    use crate::http2::side::Side;

    const END: u8 = 1;
    const OPEN: u8 = 0;
    /// `:method: GET`, and `n: v` that is inserted.
    const FIRST: &[u8] = b"\x82\x40\x01n\x01v";
    /// `:method: GET`, and the newest entry of the dynamic table.
    const NEXT: &[u8] = b"\x82\xbe";

    /// Values of fields without a numbered name.
    #[derive(Default)]
    struct Values(Vec<Option<Vec<u8>>>);

    impl EventSink for Values {
        fn field(&mut self, field: &Field<'_>) {
            if field.name.is_none_or(|name| name == b"n") {
                self.0.push(field.value.map(<[u8]>::to_vec));
            }
        }
    }

    fn headers(stream: u8, end: u8, block: &[u8]) -> Vec<u8> {
        [&[0, 0, block.len() as u8, 1, 4 | end, 0, 0, 0, stream], block].concat()
    }

    fn data(stream: u8, end: u8) -> Vec<u8> {
        vec![0, 0, 1, 0, end, 0, 0, 0, stream, b'x']
    }

    fn ping() -> Vec<u8> {
        [&[0, 0, 8, 6, 0, 0, 0, 0, 0][..], b"12345678"].concat()
    }

    /// Either octets, or a hole of so many.
    enum Piece {
        Sent(Vec<u8>),
        Hole(u64),
    }
    use Piece::{Hole, Sent};

    /// Whether the newest entry is known in the last block.
    fn is_known(start: Start, from: Side, pieces: &[Piece]) -> bool {
        is_known_of(Connection::new(start, start, false), from, pieces)
    }

    fn is_known_of(mut connection: Connection, from: Side, pieces: &[Piece]) -> bool {
        let (arrival, mut values) = (Arrival::default(), Values::default());
        connection.data(from, &arrival, b"\0\0\0\x04\0\0\0\0\0", &mut values);
        (0..8).for_each(|_| connection.data(from, &arrival, &ping(), &mut values));
        for piece in pieces {
            match piece {
                Sent(bytes) => {
                    // A server's blocks begin with `:status: 200`.
                    let of_side = |byte: u8| if from == Side::Server && byte == 0x82 { 0x88 } else { byte };
                    let bytes: Vec<_> = bytes.iter().map(|&byte| of_side(byte)).collect();
                    connection.data(from, &arrival, &bytes, &mut values);
                }
                &Hole(len) => {
                    connection.gap(from, &arrival, Gap::new(Some(len), GapCause::Lost), &mut values);
                }
            }
        }
        connection.finish(from, arrival.at, &mut values);
        assert!(values.0.len() > 1, "both blocks are read: {from:?} {:?}", values.0);
        values.0.last().is_some_and(|value| value.as_deref() == Some(b"v"))
    }

    fn of_client(pieces: &[Piece]) -> bool {
        is_known(Start::Frames, Side::Client, pieces)
    }

    #[test]
    fn between_neighbours_no_request_was_lost() {
        for len in [9, 13, 26, 40_000] {
            let around = |stream| [Sent(headers(1, END, FIRST)), Hole(len), Sent(headers(stream, END, NEXT))];
            assert!(of_client(&around(3)), "{len}");
            assert_eq!(of_client(&around(5)), len == 9, "{len}");
        }
        let twice = |stream| {
            let middle = [Hole(13), Sent(ping()), Hole(13)];
            let mut all = vec![Sent(headers(1, END, FIRST))];
            all.extend(middle);
            all.push(Sent(headers(stream, END, NEXT)));
            all
        };
        assert!(of_client(&twice(3)) && !of_client(&twice(5)));
    }

    #[test]
    fn an_upload_that_goes_on_had_no_trailers() {
        let upload = |behind: Vec<u8>| {
            [Sent(headers(1, OPEN, FIRST)), Hole(100), Sent(behind), Sent(headers(3, END, NEXT))]
        };
        assert!(of_client(&upload(data(1, OPEN))));
        assert!(of_client(&upload(data(1, END))));
        assert!(!of_client(&upload(ping())), "it may have ended with trailers");
        let ended =
            [Sent(headers(1, OPEN, FIRST)), Sent(data(1, END)), Hole(100), Sent(headers(3, END, NEXT))];
        assert!(of_client(&ended));
        let reset = [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8].to_vec();
        let ended = [Sent(headers(1, OPEN, FIRST)), Sent(reset), Hole(100), Sent(headers(3, END, NEXT))];
        assert!(of_client(&ended));
    }

    #[test]
    fn trailers_of_a_lost_request_do_not_look_like_one() {
        let behind =
            |end, block: &[u8]| [Sent(headers(1, END, FIRST)), Hole(100), Sent(headers(3, end, block))];
        assert!(!of_client(&behind(END, b"\xbe")));
        assert!(of_client(&behind(OPEN, b"\xbe")), "trailers end the stream");
        assert!(of_client(&behind(END, b"\xbe\x87")));
    }

    #[test]
    fn a_request_to_upgrade_opens_the_first_stream() {
        for upgraded in [false, true] {
            let mut connection = Connection::new(Start::Frames, Start::Frames, false);
            let moment = Moment::default();
            let request = UpgradeRequest { fields: &[], body: 0, content: &[], first: moment, last: moment };
            if upgraded {
                connection.upgrade(&request, &[], &mut Values::default());
            }
            let pieces = [Hole(13), Sent(headers(3, END, FIRST)), Hole(13), Sent(headers(5, END, NEXT))];
            assert_eq!(is_known_of(connection, Side::Client, &pieces), upgraded);
        }
    }

    #[test]
    fn what_was_opened_in_a_hole_may_end_in_the_next_one() {
        let pieces = [
            Sent(headers(1, END, FIRST)),
            Hole(100),
            Sent(headers(5, END, FIRST)),
            Hole(100),
            Sent(headers(7, END, NEXT)),
        ];
        assert!(!of_client(&pieces));
    }

    #[test]
    fn an_empty_frame_holds_no_block_whoever_sent_it() {
        for start in [Start::Frames, Start::Late] {
            for from in [Side::Client, Side::Server] {
                let around = |len| [Sent(headers(1, END, FIRST)), Hole(len), Sent(headers(9, END, NEXT))];
                assert!(is_known(start, from, &around(9)), "{start:?} {from:?}");
                assert!(!is_known(start, from, &around(10)), "{start:?} {from:?}");
                let apart =
                    [Sent(headers(1, END, FIRST)), Sent(vec![0, 0]), Hole(9), Sent(headers(9, END, NEXT))];
                assert!(!is_known(start, from, &apart), "{start:?} {from:?}");
                let behind =
                    [Sent(headers(1, END, FIRST)), Hole(9), Sent(vec![0xff; 3]), Sent(headers(9, END, NEXT))];
                assert!(!is_known(start, from, &behind), "{start:?} {from:?}");
            }
        }
    }

    #[test]
    fn of_a_server_and_behind_an_unknown_beginning_identifiers_tell_nothing() {
        let pieces =
            |first, block| [Sent(headers(first, END, block)), Hole(13), Sent(headers(first + 2, END, NEXT))];
        assert!(!is_known(Start::Frames, Side::Server, &pieces(1, FIRST)));
        assert!(!is_known(Start::Late, Side::Client, &pieces(3, FIRST)));
        assert!(is_known(Start::Late, Side::Client, &pieces(1, FIRST)), "none is opened before the first");
        let response = b"\x40\x01n\x01v";
        assert!(!is_known(Start::Late, Side::Client, &pieces(1, response)));
        let [_, hole, next] = pieces(1, response);
        let opened = [Sent(headers(1, OPEN, response)), Sent(data(1, END)), hole, next];
        assert!(!is_known(Start::Late, Side::Client, &opened));
    }

    #[test]
    fn more_uploads_than_are_followed_cost_the_table() {
        let pieces = |uploads: u8| {
            let mut pieces = vec![Sent(headers(1, END, FIRST))];
            pieces.extend((1..=uploads).map(|n| Sent(headers(2 * n + 1, OPEN, b"\x82"))));
            pieces.extend([Hole(13)]);
            pieces.extend((1..=uploads).map(|n| Sent(data(2 * n + 1, END))));
            pieces.push(Sent(headers(2 * uploads + 3, END, NEXT)));
            pieces
        };
        assert!(of_client(&pieces(64)));
        assert!(!of_client(&pieces(65)));
    }
}

use super::*;
use crate::base::time::Timestamp;
use crate::flow::Arrival;
use crate::http2::Ledger;
use crate::http2::frame::{Flags, FrameHeader};
use crate::http2::hpack::NameId;

const MILLISECOND: u64 = 1_000_000;

/// A course that is told events, each a millisecond after the one before.
struct Told {
    course: Course,
    ledger: Ledger,
    now: u64,
}

impl Told {
    fn new(stream: u32) -> Self {
        Self { course: Course::new(stream), ledger: Ledger::default(), now: 0 }
    }

    fn tell(&mut self, from: Side, event: impl FnOnce(&EventContext<'_>, &mut Course)) {
        self.now += 1;
        let at = Moment { packet: self.now, time: Timestamp::from_nanos(self.now * MILLISECOND) };
        let arrival = Arrival { at, ..Arrival::default() };
        event(&EventContext { from, arrival: &arrival, ledger: &self.ledger }, &mut self.course);
    }

    fn frame(&mut self, from: Side, stream: u32, kind: FrameType, payload: &[u8]) {
        let header =
            FrameHeader { length: payload.len() as u32, kind, flags: Flags(0), stream, reserved: false };
        self.tell(from, |cx, course| {
            let frame = FrameView { at: cx.at(), from_client: from.is_client(), header, payload };
            course.frame(cx, &frame);
        });
    }

    fn block(&mut self, from: Side, stream: u32, end_stream: bool, fields: &[(&[u8], &[u8])]) {
        self.tell(from, |cx, course| {
            let (at, spot) = (cx.at(), FrameSpot::default());
            let block = Block { from, stream, promised: None, first: at, last: at, end_stream, spot };
            course.block_start(cx, &block);
            for &(name, value) in fields {
                course.field(&hpack::Field {
                    name: Some(name),
                    value: Some(value),
                    plain: false,
                    id: NameId::of(name),
                    source: Certainty::Exact,
                    reference: None,
                    never_indexed: false,
                });
            }
            course.block_end(cx, &block, &BlockEnd::default());
        });
    }

    fn take(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        self.course.take(|step| steps.push(step.clone()));
        steps
    }
}

fn parts(steps: &[Step]) -> Vec<Option<SectionPart>> {
    let part = |step: &Step| match &step.what {
        StepKind::Section(section) => Some(section.part),
        _ => None,
    };
    steps.iter().filter_map(part).collect()
}

#[test]
fn sections_are_told_apart() {
    use SectionPart::{Interim, Request, Response, Trailers};
    let mut told = Told::new(1);
    told.block(Side::Client, 1, false, &[(b":method", b"POST"), (b":path", b"/")]);
    told.block(Side::Client, 1, true, &[(b"x-sum", b"1")]);
    told.block(Side::Server, 1, false, &[(b":status", b"103")]);
    told.block(Side::Server, 1, false, &[(b":status", b"200")]);
    told.block(Side::Server, 1, true, &[(b"grpc-status", b"0")]);
    let expected = [Request, Trailers, Interim, Response, Trailers].map(Some);
    assert_eq!(parts(&told.take()), expected);
}

#[test]
fn of_a_block_that_may_be_either_it_is_not_said_which() {
    let mut told = Told::new(1);
    told.block(Side::Server, 1, false, &[]);
    assert_eq!(parts(&told.take()), [None]);
}

#[test]
fn times_count_from_the_first_frame() {
    let mut told = Told::new(3);
    told.now = 41;
    told.frame(Side::Client, 3, FrameType::HEADERS, &[]);
    told.now = 51;
    told.frame(Side::Server, 3, FrameType::DATA, &[0; 9]);
    let steps = told.take();
    assert_eq!((steps[0].first.packet, steps[0].at.as_millis()), (42, 0));
    assert_eq!((steps[1].first.packet, steps[1].at.as_millis(), steps[1].from_client), (52, 10, false));
}

#[test]
fn other_streams_are_left_out_and_the_connection_is_told_of_while_the_stream_is_open() {
    let mut told = Told::new(3);
    let update: &[u8] = &[0, 0, 0, 9];
    told.frame(Side::Client, 0, FrameType::WINDOW_UPDATE, update);
    told.frame(Side::Client, 1, FrameType::HEADERS, &[]);
    assert!(told.take().is_empty());
    told.frame(Side::Client, 3, FrameType::HEADERS, &[]);
    told.frame(Side::Server, 0, FrameType::WINDOW_UPDATE, update);
    told.frame(Side::Server, 0, FrameType::PING, &[0; 8]);
    told.frame(Side::Server, 1, FrameType::DATA, &[]);
    assert_eq!(told.take().len(), 2);
    told.tell(Side::Client, |cx, course| course.data_end(cx, 3, true, FrameSpot::default()));
    told.tell(Side::Server, |cx, course| course.data_end(cx, 3, true, FrameSpot::default()));
    told.frame(Side::Server, 0, FrameType::WINDOW_UPDATE, update);
    assert!(told.take().is_empty());
    // A reset that comes late is of the stream all the same.
    told.frame(Side::Client, 3, FrameType::RST_STREAM, &[0; 4]);
    assert_eq!(told.take().len(), 1);
}

#[test]
fn a_promise_begins_the_exchange_that_is_promised() {
    let mut told = Told::new(2);
    told.frame(Side::Server, 1, FrameType::PUSH_PROMISE, &[0, 0, 0, 2]);
    told.frame(Side::Server, 1, FrameType::PUSH_PROMISE, &[0, 0, 0, 4]);
    let steps = told.take();
    assert_eq!((steps.len(), steps[0].stream), (1, 2));
}

#[test]
fn what_is_missing_is_told_with_its_cause() {
    let mut told = Told::new(1);
    told.tell(Side::Server, |cx, course| course.lost(cx, GapCause::Lost));
    assert!(told.take().is_empty(), "before it began");
    told.frame(Side::Client, 1, FrameType::HEADERS, &[]);
    told.tell(Side::Server, |cx, course| course.data_lost(cx, 1, 700, GapCause::Snaplen));
    told.tell(Side::Server, |cx, course| course.data_lost(cx, 5, 700, GapCause::Snaplen));
    told.tell(Side::Server, |cx, course| course.lost(cx, GapCause::Lost));
    told.tell(Side::Client, |cx, course| course.reset(cx, 1, Some(8), FrameSpot::default()));
    told.tell(Side::Server, |cx, course| course.lost(cx, GapCause::Lost));
    let losses: Vec<_> = told
        .take()
        .iter()
        .filter_map(|step| match step.what {
            StepKind::Loss { bytes, cause } => Some((bytes, cause)),
            _ => None,
        })
        .collect();
    assert_eq!(losses, [(Some(700), "snaplen"), (None, "tcp_gap")]);
}

/// What is told of each exchange of a connection.
fn told_of_each(
    tell: impl FnOnce(&mut dyn FnMut(Side, &dyn Fn(&EventContext<'_>, &mut Courses))),
) -> Courses {
    let (mut courses, ledger, mut now) = (Courses::default(), Ledger::default(), 0);
    tell(&mut |from, event| {
        now += 1;
        let at = Moment { packet: now, time: Timestamp::from_nanos(now * MILLISECOND) };
        let arrival = Arrival { at, ..Arrival::default() };
        event(&EventContext { from, arrival: &arrival, ledger: &ledger }, &mut courses);
    });
    courses
}

fn frame_of(cx: &EventContext<'_>, kind: FrameType, stream: u32, payload: &[u8], courses: &mut Courses) {
    let length = payload.len() as u32;
    let header = FrameHeader { length, kind, flags: Flags(0), stream, reserved: false };
    courses.frame(cx, &FrameView { at: cx.at(), from_client: cx.from.is_client(), header, payload });
}

#[test]
fn each_exchange_has_its_own_frames() {
    let mut courses = told_of_each(|tell| {
        tell(Side::Client, &|cx, courses| frame_of(cx, FrameType::HEADERS, 1, &[1; 900], courses));
        tell(Side::Client, &|cx, courses| frame_of(cx, FrameType::HEADERS, 3, &[1; 900], courses));
        tell(Side::Client, &|cx, courses| frame_of(cx, FrameType::WINDOW_UPDATE, 0, &[0, 0, 0, 9], courses));
        tell(Side::Server, &|cx, courses| frame_of(cx, FrameType::PUSH_PROMISE, 1, &[0, 0, 0, 2], courses));
        tell(Side::Server, &|cx, courses| courses.data_lost(cx, 3, 70, GapCause::Lost));
        tell(Side::Server, &|cx, courses| frame_of(cx, FrameType::RST_STREAM, 3, &[0, 0, 0, 8], courses));
    });
    assert!(courses.memory() < 8000, "header blocks are not kept: {}", courses.memory());
    let mut of = |stream| -> Vec<(u64, u128)> {
        let steps = courses.take(stream).unwrap();
        steps.first().iter().map(|step| (step.first.packet, step.at.as_millis())).collect()
    };
    assert_eq!(of(1), [(1, 0), (4, 3)]);
    assert_eq!(of(3), [(2, 0), (5, 3), (6, 4)]);
    assert_eq!(of(2), [(4, 0)]);
    assert_eq!(courses.held, 0);
}

#[test]
fn late_frames_of_exchanges_that_ended_are_forgotten() {
    let mut courses = told_of_each(|tell| {
        for stream in 1..200 {
            tell(Side::Client, &|cx, courses| {
                frame_of(cx, FrameType::WINDOW_UPDATE, stream, &[0, 0, 0, 9], courses);
                courses.prune(1, |open| open == 7);
            });
        }
    });
    assert!(courses.exchanges.len() <= 19, "{}", courses.exchanges.len());
    assert!(courses.take(7).is_some());
}

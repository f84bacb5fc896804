//! The paths of an aggregate as bytes, for other processes that [merge](super::Aggregate::merge) what several counted: nothing
//! is lost, so that the rows come out as if one had counted all.
//!
//! A piece is a path with its numbers, or what stands for all. Its numbers are [octets](super::octets).

use super::endpoints::{Aggregate, Group, Leaf, Service, What, joined};
use super::octets::{PieceError, Reader, address, bytes, integer, option};
use super::stats::Stats;

/// What a piece is, and its version: others are refused.
const PATH: u64 = 0x10;
const FOLDED: u64 = 0x11;
const WHOLE: u64 = 0x12;

impl Aggregate {
    /// All pieces, those of paths in the order of their names.
    pub fn pieces(&self) -> Vec<Vec<u8>> {
        let mut pieces: Vec<_> =
            self.leaves.iter().filter_map(|(key, &at)| self.path_piece(key, at)).collect();
        pieces.sort_unstable();
        if self.folded.paths > 0 {
            let mut piece = Vec::new();
            integer(&mut piece, FOLDED);
            integer(&mut piece, self.folded.paths);
            self.folded.stats.write(&mut piece);
            pieces.push(piece);
        }
        let mut piece = Vec::new();
        integer(&mut piece, WHOLE);
        integer(&mut piece, self.is_lossy.into());
        option(&mut piece, self.time, |out, (start, end)| {
            integer(out, start);
            integer(out, end);
        });
        pieces.push(piece);
        pieces
    }

    fn path_piece(&self, key: &[u8], at: usize) -> Option<Vec<u8>> {
        let leaf = Leaf::read(key)?;
        let Group { service, method } = self.groups.get(leaf.group as usize)?;
        let mut piece = Vec::new();
        integer(&mut piece, PATH);
        let (authority, server) = match service {
            Service::Authority(authority) => (Some(authority), None),
            Service::Server(server) => (None, Some(*server)),
        };
        option(&mut piece, authority, |out, authority| bytes(out, authority));
        option(&mut piece, server, address);
        option(&mut piece, method.as_ref(), |out, method| bytes(out, method));
        integer(&mut piece, leaf.what as u64);
        integer(&mut piece, leaf.unplaced.into());
        bytes(&mut piece, leaf.text);
        self.stats.get(at)?.write(&mut piece);
        Some(piece)
    }

    /// Adds a piece of another aggregate.
    pub fn add_piece(&mut self, piece: &[u8]) -> Result<(), PieceError> {
        let mut reader = Reader(piece);
        let read = match reader.integer() {
            Some(PATH) => self.add_path(&mut reader),
            Some(FOLDED) => reader.integer().zip(Stats::read(&mut reader)).map(|(paths, stats)| {
                self.folded.paths = self.folded.paths.saturating_add(paths);
                self.folded.stats.merge(&stats);
            }),
            Some(WHOLE) => self.add_whole(&mut reader),
            _ => None,
        };
        read.filter(|()| reader.0.is_empty()).ok_or(PieceError)
    }

    fn add_whole(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        self.is_lossy |= reader.integer()? == 1;
        let time = reader.option(|reader| reader.integer().zip(reader.integer())).ok()?;
        self.time = joined(self.time, time);
        time.is_none_or(|(start, end)| start <= end).then_some(())
    }

    fn add_path(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let authority = reader.option(Reader::bytes).ok()?;
        let server = reader.option(Reader::address).ok()?;
        let service = match (authority, server) {
            (Some(authority), None) => Service::Authority(authority.into()),
            (None, Some(server)) => Service::Server(server),
            _ => return None,
        };
        let method = reader.option(Reader::bytes).ok()?.map(Into::into);
        let what = What::of(reader.integer()?)?;
        let unplaced = reader.integer()? == 1;
        let text = reader.bytes()?;
        let stats = Stats::read(reader)?;
        let group = self.group(&Group { service, method });
        self.put(Leaf { group, what, unplaced, text }, &stats);
        self.stay_within_budget();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Exchange, Place, Span, Target, Templates};
    use super::*;
    use proptest::prelude::*;

    /// Exchanges of many kinds, by number.
    fn add(aggregate: &mut Aggregate, number: u64) {
        let path = format!("/items/{}/{}", number % 7, number % 101);
        let span = |nanos| match number % 11 {
            0 => Span::at_least(nanos),
            1 => Span::unknown(),
            2 => Span { shown: Some(nanos), least: nanos / 2, trusted: nanos, most: Some(nanos * 2) },
            _ => Span::exact(nanos),
        };
        aggregate.add(&Exchange {
            authority: (!number.is_multiple_of(5)).then_some(b"a.example"),
            server: if number.is_multiple_of(2) {
                ([10, 0, 0, (number % 9) as u8], 80).into()
            } else {
                ([0, 0, 0, 0, 0, 0, 0, 1], 443).into()
            },
            method: (!number.is_multiple_of(13)).then_some(b"GET"),
            target: match number % 6 {
                0 => Target::Rpc(b"pkg.Service/Method"),
                1 => Target::None,
                2 => Target::Operation(b"/graphql", b"Viewer"),
                _ => Target::Path(path.as_bytes()),
            },
            unplaced: number.is_multiple_of(17),
            failure: number.is_multiple_of(3).then_some(["UNAVAILABLE", "500"][(number % 2) as usize]),
            status: (!number.is_multiple_of(4)).then_some(200 + (number % 4) as u16),
            incomplete: number.is_multiple_of(10),
            reset: number.is_multiple_of(19),
            lossy: false,
            time: None,
            start: 1_700_000_000_000_000_000 + number * 400_000_000,
            duration: span(number * 1_000_003 % 9_000_000_000),
            ttfb: (!number.is_multiple_of(3)).then(|| span(number * 999_983 % 3_000_000)),
            request_bytes: number,
            response_bytes: number * 1000,
            place: Place { connection: number, stream: 1, packet: number },
        });
    }

    fn shown(aggregate: &Aggregate) -> String {
        format!("{:?}", crate::record::endpoint::Endpoints::from(aggregate.rows()))
    }

    fn fresh() -> Aggregate {
        Aggregate::new(Templates::default().into(), 8 << 20)
    }

    #[test]
    fn pieces_of_several_make_the_rows_of_one() {
        for count in [0, 1, 60, 5_000] {
            let (mut one, mut parts) = (fresh(), [fresh(), fresh(), fresh()]);
            for number in 0..count {
                add(&mut one, number);
                add(&mut parts[(number / 8 % 3) as usize], number);
            }
            let mut sum = fresh();
            for part in parts {
                for piece in part.pieces() {
                    sum.add_piece(&piece).unwrap();
                }
            }
            assert_eq!(shown(&sum), shown(&one), "{count}");
        }
    }

    #[test]
    fn what_was_folded_is_added_too() {
        let mut short = Aggregate::new(Templates::default().into(), 20 << 10);
        (0..5_000).for_each(|number| add(&mut short, number));
        assert!(short.folded_paths() > 0);
        let mut sum = fresh();
        short.pieces().iter().for_each(|piece| sum.add_piece(piece).unwrap());
        assert_eq!(shown(&sum), shown(&short));
    }

    #[test]
    fn a_cut_piece_is_refused_wherever_it_is_cut() {
        let mut aggregate = fresh();
        (0..300).for_each(|number| add(&mut aggregate, number));
        for piece in aggregate.pieces().iter().step_by(7) {
            for end in 0..piece.len() {
                assert_eq!(fresh().add_piece(&piece[..end]), Err(PieceError), "{end} of {}", piece.len());
            }
            assert_eq!(fresh().add_piece(&[piece.as_slice(), &[0]].concat()), Err(PieceError));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_piece_or_none(
            seed in 0_u64..50, at in any::<prop::sample::Index>(), to in any::<u8>(), more in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut aggregate = fresh();
            (seed..seed + 80).for_each(|number| add(&mut aggregate, number));
            let mut piece = at.get(&aggregate.pieces()).clone();
            let at = at.index(piece.len());
            piece[at] = to;
            let _ = aggregate.add_piece(&piece);
            let _ = aggregate.add_piece(&more);
            let _ = shown(&aggregate);
        }
    }
}

//! Inputs that fail, and how they are named.

use super::*;
use crate::base::tuning;
use crate::capture::testing::{PcapFile, read_from, samples};

#[test]
fn a_failing_read_is_damage() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("bad sector"))
        }
    }
    let bytes = PcapFile::usual().packets(&samples(5)).bytes;
    let outcome = read_from(Cursor::new(bytes).chain(Broken), None, tuning::READ_BYTES).unwrap();
    assert_eq!(outcome.packets, samples(5));
    assert_eq!(outcome.lines(), ["x: cannot be read after packet 5: bad sector"]);
}

#[test]
fn a_dash_is_standard_input() {
    assert_eq!(Input::from_argument(OsStr::new("-")), Input::Stdin);
    let file = Input::from_argument(OsStr::new("-x"));
    assert_eq!((file.name().as_str(), &file), ("-x", &Input::File("-x".into())));
}

//! RFC 8448: from traffic secrets to opened records.

use crate::tls::cipher::Opener;
use crate::tls::hex;
use crate::tls::record::{HEADER_LEN, Header};
use crate::tls::secret::Secret;
use crate::tls::suite::Suite;

fn open(secret: &str, seq: u64, record: &str) -> Option<(u8, Vec<u8>)> {
    let opener = Opener::tls13(Suite::find(0x1301).unwrap(), &Secret::new(&hex(secret)).unwrap()).unwrap();
    let mut record = hex(record);
    let header = Header::parse(&record).unwrap();
    assert_eq!(header.total(), record.len());
    let fragment = &mut record[HEADER_LEN..];
    let (content, range) = opener.open(seq, header, fragment)?;
    Some((content, fragment[range].to_vec()))
}

#[test]
fn application_data_of_the_simple_handshake() {
    // Section 3: client_application_traffic_secret_0, application data, then close_notify.
    let secret = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
    let record = "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b\
                  62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";
    assert_eq!(open(secret, 0, record), Some((23, (0..50).collect())));
    assert_eq!(open(secret, 1, record), None);
    let alert = "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3";
    assert_eq!(open(secret, 1, alert), Some((21, vec![1, 0])));
}

#[test]
fn early_data_of_the_resumed_handshake() {
    // Section 4: client_early_traffic_secret, 0-RTT application data.
    let secret = "3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62";
    let record = "1703030017ab1df420e75c457a7cc5d2844f76d5aee4b4edbf049be0";
    assert_eq!(open(secret, 0, record), Some((23, b"ABCDEF".to_vec())));
}

#[test]
fn secrets_that_do_not_fit_the_suite_are_refused() {
    let secret = Secret::new(&[0; 48]).unwrap();
    assert!(Opener::tls13(Suite::find(0x1301).unwrap(), &secret).is_none());
    assert!(Opener::tls13(Suite::find(0xc02f).unwrap(), &secret).is_none());
    assert!(Opener::tls13(Suite::find(0x1302).unwrap(), &secret).is_some());
}

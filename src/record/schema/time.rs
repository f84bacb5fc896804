//! Where the time went, as records show it: of an exchange, and of all those of an endpoint.

use crate::record::value::Seconds;
use crate::record::visit::object;
use crate::record::{Time, TimePart, TimeParts, Transaction};

object! {
    /// `h2.timing`
    pub struct Timing {
        /// From the request's first byte to the response's first.
        "ttfb": ttfb: Option<Seconds>,
        /// From the request's first byte to its last.
        "send": send: Option<Seconds>,
        /// From the response's first byte to its last.
        "receive": receive: Option<Seconds>,
        /// Of `h2.time.stream_window`, what the receiver held back: it gave no credit.
        "stream_window_held": stream_window_held: Option<Seconds>,
        /// The same of `h2.time.connection_window`.
        "connection_window_held": connection_window_held: Option<Seconds>,
        /// Of both windows, what came before the request's end.
        "request_blocked": request_blocked: Option<Seconds>,
    }
}

impl Timing {
    /// Of an exchange.
    pub fn new(transaction: &Transaction) -> Self {
        let Transaction { request, response, time, .. } = transaction;
        let beside = |value: fn(&Time) -> u64| time.as_ref().and_then(|time| seconds(value(time)));
        Self {
            ttfb: transaction.ttfb_nanos().map(Seconds),
            send: transaction.nanos_of(request).map(Seconds),
            receive: transaction.nanos_of(response).map(Seconds),
            stream_window_held: beside(|time| time.stream_window_held),
            connection_window_held: beside(|time| time.connection_window_held),
            request_blocked: beside(|time| time.request_blocked),
        }
    }
}

/// Declares an object with a member for each part, made by its `parts`, and further ones.
macro_rules! parts {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])+ $key:literal: $field:ident: $type:ty,)* }) => {
        object! {
            $(#[$meta])*
            pub struct $name {
                /// The request had ended, and the final response had not begun.
                "wait": wait: Option<Seconds>,
                /// The response had begun, and the server's application was silent.
                "server_pause": server_pause: Option<Seconds>,
                /// The request had begun, and the client's application was silent.
                "client_pause": client_pause: Option<Seconds>,
                /// The sender had no credit on the stream.
                "stream_window": stream_window: Option<Seconds>,
                /// It had some on the stream, and none on the connection.
                "connection_window": connection_window: Option<Seconds>,
                /// Bytes were missing that a later segment had jumped over.
                "tcp_loss": tcp_loss: Option<Seconds>,
                /// The receiver's TCP window was full.
                "tcp_window": tcp_window: Option<Seconds>,
                /// The direction carried other streams.
                "other_streams": other_streams: Option<Seconds>,
                /// It carried this stream.
                "transfer": transfer: Option<Seconds>,
                $($(#[doc = $doc])+ $key: $field: $type,)*
            }
        }

        impl $name {
            fn parts(parts: &TimeParts, $($field: $type),*) -> Self {
                let part = |part| seconds(parts.get(part));
                Self {
                    wait: part(TimePart::Wait),
                    server_pause: part(TimePart::ServerPause),
                    client_pause: part(TimePart::ClientPause),
                    stream_window: part(TimePart::StreamWindow),
                    connection_window: part(TimePart::ConnectionWindow),
                    tcp_loss: part(TimePart::TcpLoss),
                    tcp_window: part(TimePart::TcpWindow),
                    other_streams: part(TimePart::OtherStreams),
                    transfer: part(TimePart::Transfer),
                    $($field,)*
                }
            }
        }
    };
}

parts! {
    /// `h2.time` of an exchange.
    TimeObject {
        /// The sender stopped with next to no credit, and went on when it got some.
        "stream_window_low": stream_window_low: Option<bool>,
        /// No round trip was seen; 10 ms were assumed.
        "assumed_rtt": assumed_rtt: Option<bool>,
    }
}

parts! {
    /// `h2.time` of an endpoint: sums, of those exchanges of which it is known.
    TimeSums {}
}

impl TimeObject {
    pub(super) fn new(time: &Time) -> Self {
        let flag = |set: bool| set.then_some(true);
        Self::parts(&time.parts, flag(time.stream_window_low), flag(time.assumed_rtt))
    }
}

impl TimeSums {
    pub(super) fn new(parts: &TimeParts) -> Self {
        Self::parts(parts)
    }
}

/// Those above zero.
fn seconds(nanos: u64) -> Option<Seconds> {
    (nanos > 0).then_some(Seconds(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::path::Path;

    #[test]
    fn a_part_of_no_time_is_absent() {
        let mut parts = TimeParts::default();
        parts.add(TimePart::ServerPause, 1);
        let object = TimeSums::new(&parts);
        for part in TimePart::ALL {
            let path = Path::of::<TimeSums>(part.name()).unwrap();
            assert_eq!(path.is_present(&object), part == TimePart::ServerPause, "{part:?}");
        }
    }
}

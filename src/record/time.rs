//! Where the time of an exchange went, and the round trips of its connection.

use super::visit::words;
use std::time::Duration;

/// A cause that time is spent on. The order is that of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TimePart {
    /// The request had ended and the final response had not begun: the server's application, and the way to it.
    Wait,
    /// The response had begun, and the server's application sent nothing of it.
    ServerPause,
    /// The request had begun and not ended, and the client's application sent nothing of it.
    ClientPause,
    /// No credit was left on the stream (RFC 9113 section 5.2).
    StreamWindow,
    /// Credit was left on the stream, and none on the connection.
    ConnectionWindow,
    /// Bytes were missing that a later segment had jumped over.
    TcpLoss,
    /// The receiver's TCP window was full.
    TcpWindow,
    /// The direction carried other streams.
    OtherStreams,
    /// It carried this one.
    Transfer,
}

impl TimePart {
    /// How many there are.
    pub const COUNT: usize = 9;

    /// All of them, in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Wait,
        Self::ServerPause,
        Self::ClientPause,
        Self::StreamWindow,
        Self::ConnectionWindow,
        Self::TcpLoss,
        Self::TcpWindow,
        Self::OtherStreams,
        Self::Transfer,
    ];

    /// In words, for people.
    pub const fn called(self) -> &'static str {
        match self {
            Self::Wait => "server",
            Self::ServerPause => "server pause",
            Self::ClientPause => "client pause",
            Self::StreamWindow => "stream window",
            Self::ConnectionWindow => "connection window",
            Self::TcpLoss => "loss",
            Self::TcpWindow => "TCP window",
            Self::OtherStreams => "other streams",
            Self::Transfer => "transfer",
        }
    }
}

words! {
    TimePart {
        Wait => "wait",
        ServerPause => "server_pause",
        ClientPause => "client_pause",
        StreamWindow => "stream_window",
        ConnectionWindow => "connection_window",
        TcpLoss => "tcp_loss",
        TcpWindow => "tcp_window",
        OtherStreams => "other_streams",
        Transfer => "transfer",
    }
}

/// Nanoseconds by [`TimePart`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeParts([u64; TimePart::COUNT]);

impl TimeParts {
    /// Of one part.
    pub fn get(&self, part: TimePart) -> u64 {
        self.0.get(part as usize).copied().unwrap_or(0)
    }

    /// Adds to one part; saturates.
    pub fn add(&mut self, part: TimePart, nanos: u64) {
        if let Some(own) = self.0.get_mut(part as usize) {
            *own = own.saturating_add(nanos);
        }
    }

    /// Takes from one part as much of this as it has; what is left over.
    pub fn take(&mut self, part: TimePart, nanos: u64) -> u64 {
        let Some(own) = self.0.get_mut(part as usize) else { return nanos };
        let taken = nanos.min(*own);
        *own -= taken;
        nanos - taken
    }

    /// All together; saturates.
    pub fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum, &part| sum.saturating_add(part))
    }

    /// Adds another one's.
    pub fn merge(&mut self, other: &Self) {
        for part in TimePart::ALL {
            self.add(part, other.get(part));
        }
    }

    /// The part that most time was spent in, and its share in percent, rounded; of equal ones the first. `None` where
    /// there is no time.
    pub fn largest(&self) -> Option<(TimePart, u64)> {
        let sum = u128::from(self.sum());
        let largest = TimePart::ALL.into_iter().rev().max_by_key(|&part| self.get(part))?;
        let share = (u128::from(self.get(largest)) * 200 + sum).checked_div(2 * sum)?;
        Some((largest, share as u64))
    }

    /// Makes the parts add up to this: what is missing is transfer, what is too much is taken from the least certain.
    pub fn fit(&mut self, total: u64) {
        let sum = self.sum();
        self.add(TimePart::Transfer, total.saturating_sub(sum));
        let mut over = sum.saturating_sub(total);
        for part in TimePart::ALL.into_iter().rev() {
            if over == 0 {
                return;
            }
            over = self.take(part, over);
        }
    }
}

/// Where the time of an exchange went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time {
    /// The parts; together they are the exchange's duration.
    pub parts: TimeParts,
    /// Of [`TimePart::StreamWindow`], nanoseconds in which the receiver gave no credit.
    pub stream_window_held: u64,
    /// The same of [`TimePart::ConnectionWindow`].
    pub connection_window_held: u64,
    /// Of both windows, nanoseconds before the request's end.
    pub request_blocked: u64,
    /// The sender stopped with next to no credit and went on when it got some: it may have been blocked all the same.
    pub stream_window_low: bool,
    /// No round trip was seen, and 10 ms were assumed.
    pub assumed_rtt: bool,
}

/// How long it took to open a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handshakes {
    /// From the SYN to the acknowledgment of the SYN-ACK.
    pub tcp: Option<Duration>,
    /// From there to the first byte of HTTP/2, inside TLS.
    pub tls: Option<Duration>,
}

/// Round-trip times that were measured in one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips {
    /// The smallest.
    pub smallest: Option<Duration>,
    /// How many.
    pub count: u64,
}

impl RoundTrips {
    /// One more.
    pub fn add(&mut self, time: Duration) {
        self.smallest = Some(self.smallest.map_or(time, |smallest| smallest.min(time)));
        self.count += 1;
    }
}

/// What the timing of a connection tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionTiming {
    /// From the place of capture to the client and back.
    pub rtt_client: Option<Duration>,
    /// From the place of capture to the server and back.
    pub rtt_server: Option<Duration>,
    /// From PING to its acknowledgment.
    pub ping: RoundTrips,
    /// From SETTINGS to their acknowledgment.
    pub settings: RoundTrips,
    /// From the SYN to the acknowledgment of the SYN-ACK.
    pub tcp_handshake: Option<Duration>,
    /// From the end of that to the first byte of HTTP/2, inside TLS.
    pub tls_handshake: Option<Duration>,
    /// From the first packet to the first request.
    pub first_request: Option<Duration>,
    /// Nanoseconds in which the client could not send, by part.
    pub client_blocked: Blocked,
    /// The same of the server.
    pub server_blocked: Blocked,
    /// The windows of what the client sent; `None` where they are not known.
    pub client_windows: Option<WindowFacts>,
    /// The same of the server.
    pub server_windows: Option<WindowFacts>,
    /// Nanoseconds in which the client had as many streams open as the server let it.
    pub at_limit: u64,
    /// Streams that it opened as soon as there were fewer.
    pub queued: u64,
    /// What the server pushed.
    pub pushes: Pushes,
    /// What it sent out of order; `None` where urgency is not stated, or not known.
    pub inversion: Option<Inversion>,
}

/// Octets of DATA that a server sent although a more urgent stream (RFC 9218 section 4.1) could have sent some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inversion {
    /// So many, at the most.
    pub octets: u64,
    /// Of so many.
    pub of: u64,
}

/// The flow-control windows of what a side sent (RFC 9113 section 5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowFacts {
    /// Octets that a stream's window has at first, by its peer's settings in force at the end.
    pub initial: u32,
    /// The largest credit on the connection.
    pub largest: u64,
    /// Times that none was left on the connection.
    pub emptied: u64,
    /// Nanoseconds in which none was.
    pub empty: u64,
}

/// Streams that a server has promised (RFC 9113 section 8.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushes {
    /// How many.
    pub promised: u64,
    /// Those that the client did not reset, and did not request the same again; `None` where that is not known.
    pub used: Option<u64>,
    /// Those that the client reset.
    pub cancelled: u64,
    /// Octets of DATA that had come of these: for nothing.
    pub cancelled_bytes: u64,
}

/// Nanoseconds in which a direction could not send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    /// [`TimePart::StreamWindow`] of at least one stream; other streams may have gone on meanwhile.
    pub stream_window: u64,
    /// [`TimePart::ConnectionWindow`]
    pub connection_window: u64,
    /// [`TimePart::TcpLoss`]
    pub tcp_loss: u64,
    /// [`TimePart::TcpWindow`]
    pub tcp_window: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_part_and_its_share() {
        let parts = |list: &[(TimePart, u64)]| {
            let mut parts = TimeParts::default();
            for &(part, nanos) in list {
                parts.add(part, nanos);
            }
            parts
        };
        assert_eq!(parts(&[]).largest(), None);
        let half = parts(&[(TimePart::TcpLoss, 5), (TimePart::Wait, 5)]);
        assert_eq!(half.largest(), Some((TimePart::Wait, 50)), "of equal ones the first");
        assert_eq!(
            parts(&[(TimePart::Transfer, 2), (TimePart::Wait, 1)]).largest(),
            Some((TimePart::Transfer, 67))
        );
        let most = parts(&[(TimePart::StreamWindow, u64::MAX), (TimePart::Wait, 9)]);
        assert_eq!(most.largest(), Some((TimePart::StreamWindow, 100)));
    }

    #[test]
    fn parts_are_made_to_add_up() {
        let mut parts = TimeParts::default();
        parts.add(TimePart::Wait, 70);
        parts.add(TimePart::OtherStreams, 40);
        parts.fit(100);
        assert_eq!((parts.get(TimePart::Wait), parts.get(TimePart::OtherStreams)), (70, 30));
        parts.fit(120);
        assert_eq!((parts.get(TimePart::Transfer), parts.sum()), (20, 120));
    }
}

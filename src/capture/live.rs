//! Packets from an interface, by libpcap.

use super::batch::{Batch, LinkType, PacketHead};
use super::filter::FilterError;
use crate::base::limits;
use crate::base::time::Timestamp;
use crate::base::tuning;
use pcap::{Active, BreakLoop, Capture};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How long the kernel may keep packets back to hand over more at once, in milliseconds.
const TIMEOUT_MS: i32 = 10;

/// What to capture, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveInput {
    /// The interface; `any` for all of them.
    pub interface: String,
    /// A pcap-filter(7) expression.
    pub filter: Option<String>,
    /// Bytes of a packet that are captured.
    pub snaplen: u32,
    /// Bytes of the kernel's buffer.
    pub buffer_size: u64,
    /// Ask the interface for packets that are not its own, too.
    pub promiscuous: bool,
}

impl Default for LiveInput {
    fn default() -> Self {
        Self {
            interface: "any".to_owned(),
            filter: None,
            snaplen: limits::PACKET_BYTES,
            buffer_size: 32 << 20,
            promiscuous: true,
        }
    }
}

/// Why an interface cannot be captured on, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// There is none of that name.
    #[error("{0}: no such interface; -D lists those there are")]
    NoSuchInterface(String),
    /// The process may not capture.
    #[error(
        "{0}: no permission to capture; run it with sudo, or allow it once: \
         sudo setcap cap_net_raw+ep \"$(command -v h2lens)\""
    )]
    NotPermitted(String),
    /// It went down, or away.
    #[error("{0}: the interface went down")]
    Down(String),
    /// The filter is no good.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// Anything else that libpcap says.
    #[error("{0}: {1}")]
    Other(String, String),
}

/// An interface that is captured on.
pub struct LiveCapture {
    capture: Capture<Active>,
    interface: String,
    link: LinkType,
    waker: Waker,
    /// Number of the last packet.
    number: u64,
    /// Packets that may still come.
    left: u64,
    drops: Drops,
}

/// Makes [`LiveCapture::fill`] return although no packet has come, from any thread.
#[derive(Clone)]
pub struct Waker {
    handle: Arc<BreakLoop>,
    asked: Arc<AtomicBool>,
}

impl Waker {
    /// Wakes the capture up.
    pub fn wake(&self) {
        self.asked.store(true, Ordering::Release);
        self.handle.breakloop();
    }
}

impl LiveCapture {
    /// Opens an interface.
    ///
    /// # Errors
    /// There is no such interface, it is down, the right to capture is missing, or the filter is not understood.
    pub fn open(input: &LiveInput) -> Result<Self, LiveError> {
        let interface = input.interface.clone();
        let open = |promiscuous| {
            let capture = Capture::from_device(interface.as_str())?
                .promisc(promiscuous)
                .snaplen(input.snaplen.clamp(1, limits::PACKET_BYTES) as i32)
                .buffer_size(i32::try_from(input.buffer_size).unwrap_or(i32::MAX))
                .timeout(TIMEOUT_MS);
            // Linux gives nanoseconds on every interface. Elsewhere libpcap would not say whether it does.
            #[cfg(target_os = "linux")]
            let capture = capture.precision(pcap::Precision::Nano);
            capture.open()
        };
        // "any" cannot be promiscuous, and some drivers refuse: the packets of the machine itself are there anyway.
        let promiscuous = input.promiscuous && interface != "any";
        let mut capture = open(promiscuous)
            .or_else(|error| if promiscuous { open(false) } else { Err(error) })
            .map_err(|error| why_not(&interface, error))?;
        if let Some(filter) = &input.filter {
            capture.filter(filter, true).map_err(|error| FilterError::Syntax {
                expression: filter.clone(),
                message: message(error),
            })?;
        }
        let link = link_type(capture.get_datalink().0);
        let waker =
            Waker { handle: Arc::new(capture.breakloop_handle()), asked: Arc::new(AtomicBool::new(false)) };
        Ok(Self { capture, interface, link, waker, number: 0, left: u64::MAX, drops: Drops::default() })
    }

    /// Ends after so many packets.
    #[must_use]
    pub fn with_count(mut self, packets: u64) -> Self {
        self.left = packets;
        self
    }

    /// All packets asked for have come.
    pub const fn is_over(&self) -> bool {
        self.left == 0
    }

    /// What makes [`LiveCapture::fill`] return.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Fills the batch with packets: waits for one, then takes what the kernel has, up to the caps of a batch. The
    /// batch stays empty when the capture was woken up.
    ///
    /// # Errors
    /// The interface is gone.
    pub fn fill(&mut self, batch: &mut Batch) -> Result<(), LiveError> {
        batch.clear();
        let Batch { bytes, packets, .. } = batch;
        bytes.clear();
        let Self { link, waker, number, left, .. } = self;
        let result = self.capture.dispatch(None, |packet| {
            if *left == 0 {
                return;
            }
            *left -= 1;
            *number += 1;
            let start = bytes.len() as u32;
            bytes.extend_from_slice(packet.data);
            packets.push(PacketHead {
                number: *number,
                time: timestamp(packet.header),
                link: *link,
                original_len: packet.header.len,
                range: start..bytes.len() as u32,
            });
            let full = bytes.len() >= tuning::LIVE_BATCH_BYTES || packets.len() >= tuning::LIVE_BATCH_PACKETS;
            if full || *left == 0 {
                waker.wake();
            }
        });
        match result {
            Ok(_) | Err(pcap::Error::TimeoutExpired | pcap::Error::NoMorePackets) => Ok(()),
            // An interruption cannot be told from an error; but an error comes again.
            Err(_) if self.waker.asked.swap(false, Ordering::AcqRel) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// From here on [`LiveCapture::fill`] does not wait: it gives what the kernel still has.
    ///
    /// # Errors
    /// libpcap refuses.
    pub fn without_waiting(self) -> Result<Self, LiveError> {
        let interface = self.interface.clone();
        let capture =
            self.capture.setnonblock().map_err(|error| LiveError::Other(interface, message(error)))?;
        Ok(Self { capture, ..self })
    }

    /// Packets that the kernel or the interface has dropped since the capture began.
    pub fn dropped(&mut self) -> u64 {
        if let Ok(stat) = self.capture.stats() {
            self.drops.update(stat.dropped, stat.if_dropped);
        }
        self.drops.total
    }

    /// The interface is still there and up.
    ///
    /// # Errors
    /// [`LiveError::Down`].
    pub fn check(&self) -> Result<(), LiveError> {
        if is_up(&self.interface) { Ok(()) } else { Err(LiveError::Down(self.interface.clone())) }
    }

    fn failed(&self, error: pcap::Error) -> LiveError {
        match self.check() {
            Err(down) => down,
            Ok(()) => LiveError::Other(self.interface.clone(), message(error)),
        }
    }
}

/// libpcap's drop counts, which are of 32 bits and wrap around.
#[derive(Debug, Default)]
struct Drops {
    last: [u32; 2],
    total: u64,
}

impl Drops {
    fn update(&mut self, kernel: u32, interface: u32) {
        for (last, now) in self.last.iter_mut().zip([kernel, interface]) {
            self.total += u64::from(now.wrapping_sub(*last));
            *last = now;
        }
    }
}

/// The number of a link type in files, from the one that the system has for it.
const fn link_type(system: i32) -> LinkType {
    match system {
        12 | 14 => LinkType(101), // raw IP
        other => LinkType(other as u16),
    }
}

/// The time of a packet.
const fn timestamp(header: &pcap::PacketHeader) -> Timestamp {
    let (seconds, fraction) = (header.ts.tv_sec as u64, header.ts.tv_usec as u64);
    Timestamp::from_parts(seconds, if cfg!(target_os = "linux") { fraction } else { fraction * 1000 })
}

fn why_not(interface: &str, error: pcap::Error) -> LiveError {
    let text = message(error);
    let known = pcap::Device::list().map(|all| all.iter().any(|device| device.name == interface));
    let lower = text.to_lowercase();
    if known == Ok(false) || lower.contains("no such device") {
        LiveError::NoSuchInterface(interface.to_owned())
    } else if lower.contains("permission") || lower.contains("not permitted") || lower.contains("cap_net") {
        LiveError::NotPermitted(interface.to_owned())
    } else if lower.contains("not up") || lower.contains("is down") || !is_up(interface) {
        LiveError::Down(interface.to_owned())
    } else {
        LiveError::Other(interface.to_owned(), text)
    }
}

/// What libpcap says, on one line.
fn message(error: pcap::Error) -> String {
    let text = match error {
        pcap::Error::PcapError(text) => text,
        error => error.to_string(),
    };
    let text = text.lines().collect::<Vec<_>>().join(" ");
    if text.is_empty() { "libpcap failed and does not say why".to_owned() } else { text }
}

/// The interface is there and up; `any` always is.
#[cfg(target_os = "linux")]
fn is_up(interface: &str) -> bool {
    use nix::net::if_::InterfaceFlags;
    let Ok(mut all) = nix::ifaddrs::getifaddrs() else { return true };
    // Devices that are no network interfaces (nflog, usbmon, …) are not for this list to judge.
    let network = nix::net::if_::if_nametoindex(interface).is_ok();
    interface == "any"
        || all.any(|entry| entry.interface_name == interface && entry.flags.contains(InterfaceFlags::IFF_UP))
        || (!network && is_special(interface))
}

/// Capture devices that are no network interfaces.
#[cfg(target_os = "linux")]
fn is_special(interface: &str) -> bool {
    ["nflog", "nfqueue", "usbmon", "bluetooth", "dbus"].iter().any(|kind| interface.starts_with(kind))
}

/// libpcap tells itself when an interface goes.
#[cfg(not(target_os = "linux"))]
fn is_up(_interface: &str) -> bool {
    true
}

/// An interface that one could capture on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name, for `-i`.
    pub name: String,
    /// What the system says it is.
    pub description: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Its state, in words: `up`, `running`, `loopback`, `wireless`, `connected`, `disconnected`.
    pub state: Vec<&'static str>,
}

/// The interfaces there are.
///
/// # Errors
/// The system does not tell.
pub fn interfaces() -> Result<Vec<Interface>, LiveError> {
    let devices = pcap::Device::list()
        .map_err(|error| LiveError::Other("cannot list the interfaces".to_owned(), message(error)))?;
    Ok(devices.into_iter().map(Interface::from).collect())
}

impl From<pcap::Device> for Interface {
    fn from(device: pcap::Device) -> Self {
        let flags = &device.flags;
        let connected = flags.connection_status == pcap::ConnectionStatus::Connected;
        let disconnected = flags.connection_status == pcap::ConnectionStatus::Disconnected;
        let state = [
            (if flags.is_up() { "up" } else { "down" }, true),
            ("running", flags.is_running()),
            ("loopback", flags.is_loopback()),
            ("wireless", flags.is_wireless()),
            ("connected", connected),
            ("disconnected", disconnected),
        ];
        Self {
            name: device.name,
            description: device.desc,
            addresses: device.addresses.into_iter().map(|address| address.addr).collect(),
            state: state.into_iter().filter(|(_, applies)| *applies).map(|(word, _)| word).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_counts_survive_the_wrap() {
        let mut drops = Drops::default();
        for (kernel, interface, total) in
            [(0, 0, 0), (7, 1, 8), (u32::MAX, 1, u64::from(u32::MAX) + 1), (4, 2, u64::from(u32::MAX) + 7)]
        {
            drops.update(kernel, interface);
            assert_eq!(drops.total, total);
        }
    }

    #[test]
    fn an_unknown_interface_is_named() {
        let input = LiveInput { interface: "nosuch0".to_owned(), ..LiveInput::default() };
        let error = LiveCapture::open(&input).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with("nosuch0: "), "{error}");
        assert!(!is_up("nosuch0") && is_up("any"));
    }

    #[test]
    fn the_loopback_interface_is_listed() {
        let all = interfaces().unwrap();
        assert!(all.iter().any(|interface| interface.state.contains(&"loopback")), "{all:?}");
    }

    #[test]
    fn raw_ip_has_its_number_of_files() {
        assert_eq!([12, 14, 1, 113].map(link_type), [101, 101, 1, 113].map(LinkType));
    }
}

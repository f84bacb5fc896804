//! Signals, taken by a thread that waits for them: nothing happens at a bad moment.

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// End: SIGINT, SIGTERM, SIGHUP. With the exit status of a process that such a signal ends.
    Stop(i32),
    /// Print a telemetry record now: SIGUSR1.
    Summary,
}

#[cfg(target_os = "linux")]
pub(super) use linux::Signals;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Signals;

#[cfg(target_os = "linux")]
mod linux {
    use super::Request;
    use nix::sys::signal::{SigSet, Signal};
    use std::io;

    /// Signals that are held back until somebody waits for them.
    pub(in crate::cli) struct Signals(SigSet);

    impl Signals {
        /// Holds the signals back, in this thread and those that it starts from here on.
        pub(in crate::cli) fn hold() -> io::Result<Self> {
            let mut set = SigSet::empty();
            for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR1] {
                set.add(signal);
            }
            // nohup(1) means it.
            if !is_ignored(Signal::SIGHUP) {
                set.add(Signal::SIGHUP);
            }
            set.thread_block()?;
            Ok(Self(set))
        }

        /// Calls `take` for every signal, on another thread. The second one that asks to stop ends the process at
        /// once.
        pub(in crate::cli) fn watch(self, take: impl Fn(Request) + Send + 'static) -> io::Result<()> {
            let wait = move || {
                let mut stopping = false;
                while let Ok(signal) = self.0.wait() {
                    if signal == Signal::SIGUSR1 {
                        take(Request::Summary);
                    } else if std::mem::replace(&mut stopping, true) {
                        std::process::exit(128 + signal as i32);
                    } else {
                        take(Request::Stop(128 + signal as i32));
                    }
                }
            };
            std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
        }
    }

    fn is_ignored(signal: Signal) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        mask >> (signal as u32 - 1) & 1 == 1
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn rust_ignores_broken_pipes() {
            assert!(is_ignored(Signal::SIGPIPE) && !is_ignored(Signal::SIGTERM));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use super::Request;
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// The signals.
    pub(in crate::cli) struct Signals(());

    impl Signals {
        /// Nothing needs to be done beforehand.
        pub(in crate::cli) fn hold() -> io::Result<Self> {
            Ok(Self(()))
        }

        /// Calls `take` when the process is asked to stop. The second time it ends at once, with status 130.
        pub(in crate::cli) fn watch(self, take: impl Fn(Request) + Send + 'static) -> io::Result<()> {
            let stopping = AtomicBool::new(false);
            let handler = move || {
                if stopping.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
                take(Request::Stop(130));
            };
            ctrlc::set_handler(handler).map_err(io::Error::other)
        }
    }
}

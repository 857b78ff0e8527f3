//! Whether the host has memory left for a trial.

use std::fs;

use crate::error::{Error, ErrorKind, Result};
use crate::network::At;

/// There is too little memory to look at results, whatever the tactic itself needs.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoRoomForResults(String);

/// An error of something that only a check needs.
pub(super) fn of_results(error: Error) -> Error {
    match error.kind() {
        ErrorKind::OutOfMemory => Error::from_error(ErrorKind::OutOfMemory, NoRoomForResults(error.to_string())),
        _ => error,
    }
}

/// A trial at a profile's min or max may take one part in so many of the memory that is available.
const SHARE: u64 = 2;

/// Refuses a trial that would take too much of the host's memory; none at a profile's opt, where the engine has to run.
///
/// # Errors
/// Where it is refused.
pub(super) fn check(at: At, bytes: usize) -> Result<()> {
    if at == At::Opt {
        return Ok(());
    }
    let available = available();
    match available {
        Some(available) if bytes as u64 > available / SHARE => Err(Error::new(
            ErrorKind::OutOfMemory,
            format_args!("it would take {bytes} bytes of the host's memory, and {available} are available"),
        )),
        _ => Ok(()),
    }
}

/// Bytes of memory that can be had without swapping, where the system tells.
fn available() -> Option<u64> {
    available_in(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_tells_is_read() {
        assert_eq!(available_in("MemTotal: 9 kB\nMemAvailable:    2048 kB\nBuffers: 1 kB\n"), Some(2 << 20));
        for strange in ["", "MemAvailable: many kB", "MemAvailable: 99999999999999999999 kB", "MemAvailable: 4 MB"] {
            assert_eq!(available_in(strange), None, "{strange}");
        }
    }

    #[test]
    fn only_what_need_not_run_is_refused() {
        assert!(check(At::Max, 0).is_ok());
        assert!(check(At::Opt, usize::MAX).is_ok());
        if available().is_some() {
            let refused = check(At::Max, usize::MAX).unwrap_err().to_string();
            assert!(refused.starts_with("it would take 18446744073709551615 bytes"), "{refused}");
        }
    }
}

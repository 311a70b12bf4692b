//! What the drivers share: how much processor time and memory a process uses.
//!
//! The drivers are the examples of this crate; `make bench` runs them. They print ratios, because absolute
//! numbers say more about the machine than about the program.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

/// Linux counts processor time in hundredths of a second on every machine that this runs on.
const TICK: Duration = Duration::from_millis(10);

/// The processor time that this process has used, all threads together, in steps of 10 ms.
///
/// # Errors
/// When the system does not say.
pub fn cpu_time() -> Result<Duration> {
    let text = fs::read_to_string("/proc/self/stat").context("can't read this process's statistics")?;
    parse_cpu_time(&text).context("the system's process statistics are not as expected")
}

/// The memory that a process holds (resident set), in bytes.
///
/// # Errors
/// When there is no such process.
pub fn resident_bytes(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("can't read {path}; has the process ended?"))?;
    parse_resident(&text).context("the system's process status is not as expected")
}

fn parse_cpu_time(stat: &str) -> Option<Duration> {
    // The program's name stands in brackets and may hold spaces; user and system time are the 14th and 15th field.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    Some(TICK * (times.next()?.ok()? + times.next()?.ok()?))
}

fn parse_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_files_are_read() {
        let stat = "42 (odd) name) S 1 42 42 0 -1 4194560 900 0 0 0 150 25 0 0 20 0 9 0 100 1 1";
        assert_eq!(parse_cpu_time(stat), Some(Duration::from_millis(1750)));
        assert_eq!(parse_resident("Name:\tx\nVmRSS:\t   2048 kB\nThreads:\t1\n"), Some(2 * 1024 * 1024));
        assert_eq!(parse_resident("Name:\tx\n"), None);
        assert!(cpu_time().is_ok());
        assert!(resident_bytes(std::process::id()).unwrap() > 100_000);
    }
}

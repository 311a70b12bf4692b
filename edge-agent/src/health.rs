//! How this edge is: assembled from the machine, the outbox and what runs.

use std::{path::PathBuf, time::Instant};

use protocol::{EdgeHealth, HealthWarning, InferenceHealth, Timestamp};

use crate::outbox::{Outbox, OutboxCounts, OutboxLimits};

/// Free space below which a person is told.
const LOW_DISK_BYTES: u64 = 512 << 20;

/// Measures the machine and the outbox.
#[derive(Debug)]
pub struct Health {
    started: Instant,
    data_dir: PathBuf,
    outbox: Outbox,
}

impl Health {
    /// Begins to count the uptime.
    pub fn new(data_dir: PathBuf, outbox: Outbox) -> Self {
        Self { started: Instant::now(), data_dir, outbox }
    }

    /// The health at `now`. Whether the edge is online is for the link to say.
    pub fn measure(&self, now: Timestamp, inference: InferenceHealth, others: Vec<HealthWarning>) -> EdgeHealth {
        let (counts, disk_free) = (self.outbox.counts(), disk_free_bytes(&self.data_dir));
        let mut warnings = warnings(counts, self.outbox.limits(), disk_free);
        if let Some(path) = self.outbox.set_aside() {
            let message = format!(
                "the outbox was damaged and put aside as {}; events in it were not delivered, \
                 keep the folder and ask support to recover them",
                path.display()
            );
            warnings.push(HealthWarning { code: "outbox_damaged".into(), message });
        }
        warnings.extend(others);
        EdgeHealth {
            online: false,
            at: now,
            version: env!("CARGO_PKG_VERSION").into(),
            uptime_secs: self.started.elapsed().as_secs(),
            memory_bytes: memory_bytes().unwrap_or(0),
            disk_free_bytes: disk_free.unwrap_or(0),
            outbox_events: counts.events,
            outbox_evidence_bytes: counts.evidence_bytes,
            dropped_evidence: counts.dropped_evidence,
            inference,
            warnings,
        }
    }
}

/// What about the outbox needs a person.
fn warnings(counts: OutboxCounts, limits: OutboxLimits, disk_free: Option<u64>) -> Vec<HealthWarning> {
    let mut warnings = Vec::new();
    let mut warn = |code: &str, message: String| warnings.push(HealthWarning { code: code.into(), message });
    if counts.dropped_events > 0 {
        warn(
            "events_dropped",
            format!(
                "the outbox was full and the oldest {} events were lost; restore the connection to the control plane",
                counts.dropped_events
            ),
        );
    } else if counts.events * 10 >= limits.max_events * 8 {
        warn(
            "outbox_filling",
            format!(
                "{} of at most {} events wait on the edge; restore the connection to the control plane",
                counts.events, limits.max_events
            ),
        );
    }
    if counts.dropped_evidence > 0 {
        warn(
            "evidence_dropped",
            format!(
                "{} pictures or clips were dropped since the start; restore the connection to the control plane, \
                 or raise outbox.max_evidence_bytes where the disk allows",
                counts.dropped_evidence
            ),
        );
    }
    if counts.unreadable_events > 0 {
        warn(
            "outbox_unreadable",
            format!("{} events in the outbox cannot be read; ask support to recover them", counts.unreadable_events),
        );
    }
    if let Some(free) = disk_free.filter(|free| *free < LOW_DISK_BYTES) {
        warn("disk_low", format!("only {} MB are free on the edge's disk; free some space", free >> 20));
    }
    warnings
}

/// Resident memory of this process.
fn memory_bytes() -> Option<u64> {
    // In kilobytes here, whereas statm counts pages, whose size differs between machines.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Space that this user may still use where `path` is.
fn disk_free_bytes(path: &std::path::Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail * stat.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: OutboxCounts, disk_free: u64, expect: &[&str]) {
        let limits = OutboxLimits { max_evidence_bytes: 1_000, max_events: 100 };
        let warnings = warnings(counts, limits, Some(disk_free));
        assert_eq!(warnings.iter().map(|w| w.code.as_str()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn says_what_needs_a_person() {
        let none = OutboxCounts::default();
        check(none, 1 << 40, &[]);
        check(OutboxCounts { events: 79, ..none }, 1 << 40, &[]);
        check(OutboxCounts { events: 80, ..none }, 1 << 40, &["outbox_filling"]);
        check(OutboxCounts { events: 100, dropped_events: 3, ..none }, 1 << 40, &["events_dropped"]);
        check(
            OutboxCounts { dropped_evidence: 1, unreadable_events: 1, ..none },
            1 << 20,
            &["evidence_dropped", "outbox_unreadable", "disk_low"],
        );
    }

    #[test]
    fn measures_this_machine() {
        assert!(memory_bytes().unwrap() > 1 << 20);
        assert!(disk_free_bytes(std::path::Path::new("/")).unwrap() > 0);
    }
}

//! Lock-out after failed attempts to sign in, per user and address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use protocol::Timestamp;

/// Counts failures. In memory: a restart forgives, which an attacker cannot cause.
#[derive(Debug, Default)]
pub struct Lockout(Mutex<HashMap<(String, IpAddr), Attempts>>);

#[derive(Clone, Copy, Debug)]
struct Attempts {
    failed: u32,
    last: Timestamp,
}

/// Too many failures; try again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    /// How long to wait.
    pub wait: Duration,
}

impl Lockout {
    /// Failures before the door closes.
    pub const FAILURES: u32 = 5;
    /// How long it stays closed.
    pub const LASTS: Duration = Duration::from_mins(5);
    /// Most pairs that are remembered; beyond it the ones that are longest ago are forgotten.
    const MOST: usize = 10_000;

    /// Takes one attempt. It counts as failed until [`Lockout::succeeded`], so that parallel guesses count too.
    ///
    /// # Errors
    /// When the door is closed.
    pub fn attempt(&self, username: &str, address: IpAddr, now: Timestamp) -> Result<(), Locked> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= Self::MOST {
            forget_oldest(&mut all, now);
        }
        let attempts = all.entry(key(username, address)).or_insert(Attempts { failed: 0, last: now });
        let quiet = now.since(attempts.last);
        if quiet >= Self::LASTS {
            attempts.failed = 0;
        }
        if attempts.failed >= Self::FAILURES {
            return Err(Locked { wait: Self::LASTS.saturating_sub(quiet) });
        }
        attempts.failed += 1;
        attempts.last = now;
        Ok(())
    }

    /// Forgives: the password was right.
    pub fn succeeded(&self, username: &str, address: IpAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(username, address));
    }
}

fn key(username: &str, address: IpAddr) -> (String, IpAddr) {
    (username.chars().take(100).collect::<String>().to_ascii_lowercase(), address)
}

fn forget_oldest(all: &mut HashMap<(String, IpAddr), Attempts>, now: Timestamp) {
    all.retain(|_, a| now.since(a.last) < Lockout::LASTS);
    if all.len() >= Lockout::MOST {
        let mut times: Vec<_> = all.values().map(|a| a.last).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        all.retain(|_, a| a.last > median);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn closes_after_five_failures_for_five_minutes_for_that_pair_only() {
        let (door, here) = (Lockout::default(), IpAddr::from(Ipv4Addr::new(10, 0, 0, 1)));
        let now = Timestamp::from_secs(1_000);
        for _ in 0..5 {
            assert_eq!(door.attempt("Admin", here, now), Ok(()));
        }
        assert_eq!(door.attempt("admin", here, now), Err(Locked { wait: Lockout::LASTS }));
        assert_eq!(door.attempt("other", here, now), Ok(()));
        assert_eq!(door.attempt("admin", IpAddr::from(Ipv4Addr::new(10, 0, 0, 2)), now), Ok(()));
        let later = now + Lockout::LASTS;
        assert_eq!(door.attempt("admin", here, later), Ok(()));
        door.succeeded("admin", here);
        for _ in 0..5 {
            assert_eq!(door.attempt("admin", here, later), Ok(()));
        }
        assert!(door.attempt("admin", here, later).is_err());
    }

    #[test]
    fn remembers_a_bounded_number() {
        let (door, here) = (Lockout::default(), IpAddr::from(Ipv4Addr::LOCALHOST));
        for n in 0..30_000_i64 {
            let _ = door.attempt(&format!("user{n}"), here, Timestamp::from_micros(n));
        }
        assert!(door.0.lock().unwrap().len() <= Lockout::MOST);
    }
}

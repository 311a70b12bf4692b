//! SSRCs of calls (GB/T 28181-2016 annex G: the `y=` line): a digit for live or history, digits 4 to 8 of the
//! domain, a serial number of four digits.

use std::collections::BTreeSet;

/// Serial numbers of one kind.
const SERIALS: u16 = 10_000;

/// Hands out numbers that nobody else has.
#[derive(Debug)]
pub(super) struct Ssrcs {
    /// Digits 4 to 8 of the domain as a number.
    domain: u32,
    used: BTreeSet<u32>,
    next: [u16; 2],
}

impl Ssrcs {
    pub(super) fn new(domain: &str) -> Self {
        let digits = domain.bytes().filter(u8::is_ascii_digit).chain(*b"00000000");
        let domain = digits.skip(3).take(5).fold(0, |n, d| n * 10 + u32::from(d - b'0'));
        Self { domain, used: BTreeSet::new(), next: [1, 1] }
    }

    /// A free number; `None` when 10,000 calls of the kind are on. Numbers rest as long as possible before
    /// they are given again, so that late packets of an old call are not taken for a new one.
    pub(super) fn take(&mut self, history: bool) -> Option<u32> {
        let next = &mut self.next[usize::from(history)];
        let base = u32::from(history) * 1_000_000_000 + self.domain * 10_000;
        for _ in 0..SERIALS {
            let serial = *next % SERIALS;
            *next = (serial + 1) % SERIALS;
            let ssrc = base + u32::from(serial);
            // 0 means no opinion
            if ssrc != 0 && self.used.insert(ssrc) {
                return Some(ssrc);
            }
        }
        None
    }

    pub(super) fn give_back(&mut self, ssrc: u32) {
        self.used.remove(&ssrc);
    }

    pub(super) fn used(&self) -> usize {
        self.used.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_tell_what_they_are_for() {
        let mut ssrcs = Ssrcs::new("3402000000");
        assert_eq!(format!("{:010}", ssrcs.take(false).unwrap()), "0200000001");
        assert_eq!(format!("{:010}", ssrcs.take(true).unwrap()), "1200000001");
        for _ in 1..10_000 {
            ssrcs.take(false).unwrap();
        }
        assert_eq!(ssrcs.take(false), None);
        ssrcs.give_back(200_000_777);
        assert_eq!(ssrcs.take(false), Some(200_000_777));
        assert_eq!(ssrcs.used(), 10_001);
    }
}

//! Running numbers for tracks and alarms.

/// Hands out 1, 2, 3 …
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

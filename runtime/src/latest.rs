//! A slot that keeps only the newest value: before the outbox, a new frame is worth more than an old one.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Hands the newest value from a producer to a consumer thread; an unread older value is dropped and counted.
#[derive(Debug)]
pub struct Latest<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    dropped: u64,
    closed: bool,
}

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        let state = Mutex::new(State { value: None, dropped: 0, closed: false });
        Self(Arc::new(Shared { state, changed: Condvar::new() }))
    }
}

impl<T> Latest<T> {
    /// Puts a value, replacing one that was not taken.
    pub fn put(&self, value: T) {
        let mut state = self.lock();
        if state.value.replace(value).is_some() {
            state.dropped += 1;
        }
        drop(state);
        self.0.changed.notify_one();
    }

    /// Takes the value if there is one.
    pub fn try_take(&self) -> Option<T> {
        self.lock().value.take()
    }

    /// Waits for a value; `None` once closed and empty.
    pub fn take(&self) -> Option<T> {
        let waiting = |s: &mut State<T>| s.value.is_none() && !s.closed;
        let mut state = self.0.changed.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner);
        state.value.take()
    }

    /// Ends every wait.
    pub fn close(&self) {
        self.lock().closed = true;
        self.0.changed.notify_all();
    }

    /// How many values were replaced before anybody took them.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<T>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_and_counts_the_rest() {
        let slot = Latest::default();
        for n in 0..5 {
            slot.put(n);
        }
        assert_eq!((slot.take(), slot.try_take(), slot.dropped()), (Some(4), None, 4));
        slot.close();
        assert_eq!(slot.take(), None);
    }
}

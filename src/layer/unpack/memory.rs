//! The memory that the windows of all decoders may take together: whoever opens one waits until there is room. Knows no
//! format.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Room for windows.
#[derive(Debug)]
pub struct Memory {
    most: u64,
    taken: Mutex<u64>,
    less: Condvar,
}

/// A part of it, until it is dropped.
#[derive(Debug)]
pub struct Held<'a> {
    memory: &'a Memory,
    bytes: u64,
}

impl Memory {
    /// Room for `most` bytes of windows, or for one that is larger.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self { most, taken: Mutex::new(0), less: Condvar::new() }
    }

    /// Waits until there is room for a window of so many bytes. Who holds a part must not ask for another one.
    #[must_use]
    pub fn take(&self, bytes: u64) -> Held<'_> {
        let is_full = |taken: &mut u64| *taken > 0 && taken.saturating_add(bytes) > self.most;
        let mut taken = self.less.wait_while(self.lock(), is_full).unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_add(bytes);
        Held { memory: self, bytes }
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut taken = self.memory.lock();
        *taken = taken.saturating_sub(self.bytes);
        drop(taken);
        // Several small ones may fit where a large one was.
        self.memory.less.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn no_more_is_taken_than_there_is_and_everybody_gets_some() {
        let (memory, taken, served) = (Memory::new(10), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (memory, taken, served) = (&memory, &taken, &served);
                scope.spawn(move || {
                    for round in 0..50 {
                        let bytes = [1, 3, 7, 25][(thread + round) % 4];
                        let held = memory.take(bytes);
                        let before = taken.fetch_add(bytes, Ordering::SeqCst);
                        assert!(before == 0 || before + bytes <= 10, "{before} and {bytes}");
                        std::thread::yield_now();
                        taken.fetch_sub(bytes, Ordering::SeqCst);
                        drop(held);
                        served.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(served.into_inner(), 8 * 50);
    }
}

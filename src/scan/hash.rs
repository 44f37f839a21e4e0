//! The hash of a layer's decompressed stream, fed by whichever threads hold its blocks, in the order of the stream.

use crate::image::Digest;
use sha2::{Digest as _, Sha256, Sha512};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Blocks that may wait for an earlier one; whoever brings one more waits itself.
const WAITING: usize = 16;

/// A hash over blocks that arrive in any order.
pub struct Chain {
    state: Mutex<State>,
    shorter: Condvar,
}

struct State {
    next: u64,
    waiting: BTreeMap<u64, (Vec<u8>, usize)>,
    /// Taken while a thread hashes.
    hasher: Option<Hasher>,
}

enum Hasher {
    /// The config promises nothing.
    Nothing,
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Chain {
    /// A hash by `algorithm` (`sha256`, `sha512`); without one nothing is hashed.
    #[must_use]
    pub fn new(algorithm: Option<&str>) -> Self {
        let hasher = match algorithm {
            Some("sha256") => Hasher::Sha256(Sha256::new()),
            Some("sha512") => Hasher::Sha512(Sha512::new()),
            _ => Hasher::Nothing,
        };
        Self {
            state: Mutex::new(State { next: 0, waiting: BTreeMap::new(), hasher: Some(hasher) }),
            shorter: Condvar::new(),
        }
    }

    /// Adds the bytes behind `new` of block `sequence`; every buffer that is done with goes to `spare`. A thread that finds
    /// another one hashing leaves its block to it, and waits only when too many blocks are left that way.
    pub fn add(&self, sequence: u64, bytes: Vec<u8>, new: usize, spare: impl Fn(Vec<u8>)) {
        let mut state = self.lock();
        state.waiting.insert(sequence, (bytes, new));
        while let Some(mut hasher) = state.hasher.take() {
            let next = state.next;
            let Some((bytes, new)) = state.waiting.remove(&next) else {
                state.hasher = Some(hasher);
                return;
            };
            drop(state);
            match &mut hasher {
                Hasher::Nothing => {}
                Hasher::Sha256(sha) => sha.update(&bytes[new..]),
                Hasher::Sha512(sha) => sha.update(&bytes[new..]),
            }
            spare(bytes);
            state = self.lock();
            state.next += 1;
            state.hasher = Some(hasher);
            self.shorter.notify_all();
        }
        while state.hasher.is_none() && state.waiting.len() > WAITING {
            state = self.shorter.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The digest, once every block was added.
    #[must_use]
    pub fn finish(&self) -> Option<Digest> {
        match self.lock().hasher.take()? {
            Hasher::Nothing => None,
            Hasher::Sha256(sha) => Some(Digest::sha256(&sha.finalize().into())),
            Hasher::Sha512(sha) => Some(Digest::sha512(&sha.finalize().into())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_arrival_does_not_matter() {
        let whole = Chain::new(Some("sha256"));
        whole.add(0, b"one two three".to_vec(), 0, drop);
        let pieces = Chain::new(Some("sha256"));
        pieces.add(2, b"xx three".to_vec(), 2, drop);
        pieces.add(1, b" two".to_vec(), 0, drop);
        pieces.add(0, b"one".to_vec(), 0, drop);
        assert_eq!(whole.finish(), pieces.finish());
        assert_eq!(Chain::new(None).finish(), None);
    }
}

//! The hash of a stream; and that of a layer's decompressed stream, fed by whichever threads hold its blocks, in the order
//! of the stream.

use super::sha256::Sha256;
use crate::image::Digest;
use sha2::{Digest as _, Sha512};
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
    waiting: BTreeMap<u64, Bytes>,
    /// Taken while a thread hashes.
    hasher: Option<Hasher>,
}

/// A hash of what was added so far.
pub enum Hasher {
    /// No digest is promised, so none is wanted.
    Nothing,
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

/// A buffer, and where in it the bytes begin that count.
pub struct Bytes {
    pub buffer: Vec<u8>,
    pub new: usize,
}

/// A block whose turn it is, and the hash to add it to.
struct Turn<'a> {
    chain: &'a Chain,
    hasher: Hasher,
    bytes: Bytes,
}

/// Adds to each chain the block of this number; two at a time where it can. Every buffer that is done with goes to `spare`.
/// A thread that finds another one hashing leaves its block to it, and waits only when too many blocks are left that way.
pub fn add<'a>(blocks: impl Iterator<Item = (&'a Chain, u64, Bytes)>, spare: impl Fn(Vec<u8>)) {
    let mut chains = Vec::new();
    let mut turns = Vec::new();
    for (chain, sequence, bytes) in blocks {
        chain.lock().waiting.insert(sequence, bytes);
        chains.push(chain);
        turns.extend(chain.turn());
    }
    while !turns.is_empty() {
        match &mut turns[..] {
            [one, other] => {
                let (bytes, others) = (one.bytes.added(), other.bytes.added());
                let (taken, others_taken) = one.hasher.update_with(bytes, &mut other.hasher, others);
                one.hasher.update(&bytes[taken..]);
                other.hasher.update(&others[others_taken..]);
            }
            turns => turns.iter_mut().for_each(|turn| turn.hasher.update(turn.bytes.added())),
        }
        turns = turns.into_iter().filter_map(|turn| turn.done(&spare)).collect();
    }
    chains.into_iter().for_each(Chain::wait);
}

impl Chain {
    /// A hash by `algorithm` (`sha256`, `sha512`); without one nothing is hashed.
    #[must_use]
    pub fn new(algorithm: Option<&str>) -> Self {
        let hasher = Some(Hasher::new(algorithm));
        Self { state: Mutex::new(State { next: 0, waiting: BTreeMap::new(), hasher }), shorter: Condvar::new() }
    }

    /// The next block, when it is here and no other thread hashes.
    fn turn(&self) -> Option<Turn<'_>> {
        let mut state = self.lock();
        let next = state.next;
        let hasher = state.hasher.take()?;
        if let Some(bytes) = state.waiting.remove(&next) {
            return Some(Turn { chain: self, hasher, bytes });
        }
        state.hasher = Some(hasher);
        None
    }

    fn wait(&self) {
        let mut state = self.lock();
        while state.hasher.is_none() && state.waiting.len() > WAITING {
            state = self.shorter.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The digest, once every block was added.
    #[must_use]
    pub fn finish(&self) -> Option<Digest> {
        self.lock().hasher.take()?.finish()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Turn<'a> {
    /// Gives the hash back; the chain's next turn.
    fn done(self, spare: impl Fn(Vec<u8>)) -> Option<Turn<'a>> {
        spare(self.bytes.buffer);
        let mut state = self.chain.lock();
        state.next += 1;
        state.hasher = Some(self.hasher);
        drop(state);
        self.chain.shorter.notify_all();
        self.chain.turn()
    }
}

impl Bytes {
    fn added(&self) -> &[u8] {
        &self.buffer[self.new..]
    }
}

impl Hasher {
    /// A hash by `algorithm` (`sha256`, `sha512`); without one nothing is hashed.
    #[must_use]
    pub fn new(algorithm: Option<&str>) -> Self {
        match algorithm {
            Some("sha256") => Self::Sha256(Sha256::new()),
            Some("sha512") => Self::Sha512(Box::default()),
            _ => Self::Nothing,
        }
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Nothing => {}
            Self::Sha256(sha) => sha.update(bytes),
            Self::Sha512(sha) => sha.update(bytes),
        }
    }

    /// Adds `bytes` to this and `others` to the `other` hash, as far as that can be done side by side: so many of each,
    /// from their beginning.
    pub fn update_with(&mut self, bytes: &[u8], other: &mut Self, others: &[u8]) -> (usize, usize) {
        match (self, other) {
            (Self::Sha256(one), Self::Sha256(other)) => one.update_with(bytes, other, others),
            _ => (0, 0),
        }
    }

    /// The digest of what was added.
    #[must_use]
    pub fn finish(&mut self) -> Option<Digest> {
        match std::mem::replace(self, Self::Nothing) {
            Self::Nothing => None,
            Self::Sha256(sha) => Some(Digest::sha256(&sha.finish())),
            Self::Sha512(sha) => Some(Digest::sha512(&sha.finalize().into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(all: &[u8], new: usize) -> Bytes {
        Bytes { buffer: all.to_vec(), new }
    }

    #[test]
    fn order_of_arrival_does_not_matter() {
        for algorithm in ["sha256", "sha512"] {
            let (whole, pieces) = (Chain::new(Some(algorithm)), Chain::new(Some(algorithm)));
            add([(&whole, 0, bytes(b"one two three", 0))].into_iter(), drop);
            add([(&pieces, 2, bytes(b"xx three", 2))].into_iter(), drop);
            add([(&pieces, 1, bytes(b" two", 0))].into_iter(), drop);
            add([(&pieces, 0, bytes(b"one", 0))].into_iter(), drop);
            assert_eq!(whole.finish(), pieces.finish());
        }
        assert_eq!(Chain::new(None).finish(), None);
    }

    #[test]
    fn two_chains_at_once() {
        let chain = || Chain::new(Some("sha256"));
        let (one, other, together, other_together) = (chain(), chain(), chain(), chain());
        let (short, long) = ([7; 100], [9; 1000]);
        add([(&one, 0, bytes(&short, 0))].into_iter(), drop);
        add([(&one, 1, bytes(&long, 0))].into_iter(), drop);
        add([(&other, 0, bytes(&long, 3))].into_iter(), drop);
        add([(&together, 1, bytes(&long, 0))].into_iter(), drop);
        add([(&together, 0, bytes(&short, 0)), (&other_together, 0, bytes(&long, 3))].into_iter(), drop);
        assert_eq!(one.finish(), together.finish());
        assert_eq!(other.finish(), other_together.finish());
    }
}

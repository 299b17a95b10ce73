//! Random numbers of one named algorithm: ChaCha8, whose output is fixed by its definition and not
//! by a library's version. The key is the run's seed as 8 little-endian bytes followed by zeros.
//!
//! Each direction of each link has a stream of its own for each purpose, so that adding a link,
//! or jitter to a link that loses, leaves every other decision as it was.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// The stream of a lane (two lanes a link, in the order of links) of this number.
    pub(crate) fn new(seed: u64, lane: u16, number: u8) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(u64::from(lane) << 8 | u64::from(number));
        Self(generator)
    }

    /// True so many times in a million.
    pub(crate) fn falls(&mut self, per_million: u32) -> bool {
        let scaled = (u64::from(self.0.next_u32()) * 1_000_000) >> 32;
        scaled < u64::from(per_million)
    }

    /// A number in `0..=max`, by the high half of a 128-bit product: its unevenness is below one
    /// part in 2^64 / max.
    pub(crate) fn up_to(&mut self, max: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * (u128::from(max) + 1);
        (product >> 64) as u64
    }
}

/// Where the streams of nodes begin: behind those of all lanes.
const NODES: u64 = 1 << 32;

/// What a node of a run draws at random comes from this: a stream of its own by the node's number,
/// so that a node more leaves every other decision as it was.
#[must_use]
pub fn node_seed(seed: u64, node: usize) -> u64 {
    let Random(mut generator) = Random::new(seed, 0, 0);
    generator.set_stream(NODES + node as u64);
    generator.next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goldens hang on these numbers: when this test fails, every seeded golden changes.
    #[test]
    fn the_stream_is_what_it_always_was() {
        let mut random = Random::new(1, 0, 0);
        let first: Vec<u32> = (0..4).map(|_| random.0.next_u32()).collect();
        assert_eq!(first, [0xa0e9_5ecf, 0x61a9_4a49, 0xedd5_053e, 0x4b80_5b72]);
    }

    /// ChaCha8 with key and nonce of zeros: the first block of the published test vectors (TC1).
    #[test]
    fn the_algorithm_is_chacha8() {
        let mut random = Random::new(0, 0, 0);
        let mut block = [0; 8];
        random.0.fill_bytes(&mut block);
        assert_eq!(block, [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
    }

    #[test]
    fn lanes_and_numbers_and_seeds_have_streams_of_their_own() {
        let first = |seed, lane, number| Random::new(seed, lane, number).0.next_u64();
        let here = first(1, 0, 0);
        assert_ne!(here, first(2, 0, 0));
        assert_ne!(here, first(1, 1, 0));
        assert_ne!(here, first(1, 0, 5));
    }

    #[test]
    fn nodes_have_streams_of_their_own() {
        let seeds = [node_seed(1, 0), node_seed(1, 1), node_seed(2, 0)];
        assert!(seeds[0] != seeds[1] && seeds[0] != seeds[2] && seeds[1] != seeds[2]);
        assert_eq!(node_seed(1, 0), seeds[0]);
        assert_ne!(node_seed(1, 0), Random::new(1, 0, 0).0.next_u64());
    }

    #[test]
    fn chance_holds_at_both_ends_and_near_the_middle() {
        let mut random = Random::new(7, 0, 0);
        assert!((0..1000).all(|_| !random.falls(0)));
        assert!((0..1000).all(|_| random.falls(1_000_000)));
        let hits = (0..10_000).filter(|_| random.falls(300_000)).count();
        assert!((2800..3200).contains(&hits), "{hits}");
    }

    #[test]
    fn a_range_includes_both_its_ends() {
        let mut random = Random::new(7, 0, 4);
        let drawn: Vec<u64> = (0..200).map(|_| random.up_to(3)).collect();
        assert!((0..=3).all(|n| drawn.contains(&n)) && drawn.iter().all(|&n| n <= 3));
        assert_eq!(random.up_to(0), 0);
        random.up_to(u64::MAX);
    }
}

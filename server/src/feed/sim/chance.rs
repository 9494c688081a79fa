//! Chance that depends on a seed and a name only.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// The chance of something with this name.
pub(super) fn chance(seed: u64, name: &str) -> ChaCha8Rng {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(&seed.to_le_bytes());
    context.update(name.as_bytes());
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    ChaCha8Rng::from_seed(key)
}

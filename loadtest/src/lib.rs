//! What the programs that measure have in common.

pub mod machine;
pub mod market;

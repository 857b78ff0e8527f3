//! The sample runner.
fn main() {}

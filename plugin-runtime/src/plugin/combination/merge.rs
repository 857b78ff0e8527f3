//! From what an autotune function lists to concrete combinations.

use super::auto_tune::AutoTuneCombination;
use super::expansion::{Combination, Merged};
use crate::error::{Error, Result};

/// Expands and merges all that an autotune function lists. A combination of types and layouts that is listed twice gets
/// the tactics of both; the order is that of first mention.
///
/// # Errors
/// As [`AutoTuneCombination::expand`]; also when the list is empty.
pub fn merge(listed: &[AutoTuneCombination], inputs: usize, outputs: usize) -> Result<Vec<Combination>> {
    if listed.is_empty() {
        return Err(Error::plugin("autotune lists no combination; list at least one that the plugin's impl supports"));
    }
    let mut merged = Merged::default();
    for combination in listed {
        for expanded in combination.expand(inputs, outputs)? {
            merged.add(expanded)?;
        }
    }
    Ok(merged.combinations)
}

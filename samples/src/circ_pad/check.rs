//! Which pads suit which shapes.

use plugin_runtime::prelude::*;

/// The (before, after) pairs, last dimension first.
///
/// # Errors
/// When one is cut in half, there are more than dimensions, or one is negative.
pub(crate) fn pairs(rank: usize, pads: &[i32]) -> Result<&[[i32; 2]]> {
    let (pairs, half) = pads.as_chunks();
    if !half.is_empty() {
        bail!("`pads` holds {} numbers; write (before, after) pairs, the last dimension's first", pads.len());
    }
    if pairs.len() > rank {
        bail!("`pads` has pairs for {} dimensions, but the input has {rank}", pairs.len());
    }
    if let Some(pad) = pads.iter().find(|&&pad| pad < 0) {
        bail!("`pads` holds {pad}; circular padding can only add elements, so write 0 or more");
    }
    Ok(pairs)
}

/// Whether a dimension can be padded so.
///
/// # Errors
/// When there is nothing to repeat.
pub(crate) fn extent(dim: usize, extent: i64, pair: [i32; 2]) -> Result<()> {
    if extent == 0 && pair != [0, 0] {
        let [before, after] = pair;
        bail!("dimension {dim} is empty, so it can't be padded by {before} and {after}: there is nothing to repeat");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::circ_pad::plan::Plan;

    #[test]
    fn pads_that_do_not_suit_are_refused_with_what_to_write() {
        let of = |shape: &[i64], pads: &[i32]| Plan::new(shape, pads).unwrap_err().to_string();
        assert_eq!(
            of(&[4, 4], &[1, 1, 1]),
            "`pads` holds 3 numbers; write (before, after) pairs, the last dimension's first"
        );
        assert_eq!(of(&[4], &[1, 1, 1, 1]), "`pads` has pairs for 2 dimensions, but the input has 1");
        assert_eq!(of(&[4], &[1, -2]), "`pads` holds -2; circular padding can only add elements, so write 0 or more");
        assert_eq!(
            of(&[4, 0], &[1, 0]),
            "dimension 1 is empty, so it can't be padded by 1 and 0: there is nothing to repeat"
        );
        assert_eq!(
            of(&[1 << 40, 1 << 30], &[1, 1, 1, 1]),
            "shape [1099511627776, 1073741824] padded by [1, 1, 1, 1] is too large"
        );
        assert_eq!(of(&[i64::MAX, 4], &[]), format!("shape [{}, 4] padded by [] is too large", i64::MAX));
    }
}

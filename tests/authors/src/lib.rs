//! Plugins as a user writes them. A test counts their lines.

pub mod bias_add;
pub mod masked_softmax;
pub mod mul_rows;
pub mod rms_norm;
pub mod roll;
pub mod softmax_rows;
pub mod tile_rows;
pub mod topk_mask;
pub mod unique_sorted;

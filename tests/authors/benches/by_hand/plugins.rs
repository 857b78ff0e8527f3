//! The crate's plugins, compiled along with their twins, so that both are laid out alike.

#[path = "../../src/bias_add.rs"]
pub mod bias_add;
#[path = "../../src/mul_rows.rs"]
pub mod mul_rows;
#[path = "../../src/rms_norm.rs"]
pub mod rms_norm;
#[path = "../../src/roll.rs"]
pub mod roll;
#[path = "../../src/softmax_rows.rs"]
pub mod softmax_rows;
#[path = "../../src/tile_rows.rs"]
pub mod tile_rows;
#[path = "../../src/topk_mask.rs"]
pub mod topk_mask;
#[path = "../../src/unique_sorted.rs"]
pub mod unique_sorted;

//! Sample plugins: an element-wise addition, the same in place, non-zero indices, circular padding.

pub mod add;
pub mod circ_pad;
mod elementwise;
mod elementwise_cuda;
pub mod inplace_add;
pub mod non_zero;
pub mod reference;
#[cfg(test)]
mod testing;

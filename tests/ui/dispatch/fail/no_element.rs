use plugin_runtime::prelude::*;

fn bytes(x: Tensor) -> Result<usize> {
    dispatch!(x.dtype(), T in [f32, f64] => Ok(size_of::<T>() * x.numel()))
}

fn main() {}

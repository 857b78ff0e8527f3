use plugin_runtime::prelude::*;

fn without_a_name(x: Tensor) -> Result<usize> {
    dispatch!(x.dtype(), [f32, f16] => Ok(x.numel()))
}

fn without_a_list(x: Tensor) -> Result<usize> {
    dispatch!(x.dtype(), T in f32, f16 => Ok(size_of::<T>()))
}

fn with_an_empty_list(x: Tensor) -> Result<usize> {
    dispatch!(x.dtype(), T in [] => Ok(size_of::<T>()))
}

fn with_a_comma(x: Tensor) -> Result<usize> {
    dispatch!(x.dtype(), T in [f32, f16], Ok(size_of::<T>()))
}

fn with_texts(x: Tensor) -> Result<usize> {
    dispatch!(x.dtype(), T in ["FP32", "FP16"] => Ok(size_of::<T>()))
}

fn of_a_tensor(x: Tensor) -> Result<usize> {
    dispatch!(x, T in [f32, f16] => Ok(size_of::<T>()))
}

fn main() {}

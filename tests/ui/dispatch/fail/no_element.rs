use plugin_runtime::prelude::*;

/// What the body does with such a type isn't said to be wrong, too, and the body uses what it uses.
fn scale(x: Tensor, factor: f32, y: TensorMut) -> Result<()> {
    dispatch!(x.dtype(), T in [f32, f64] => {
        for (y, x) in y.into_slice::<T>()?.iter_mut().zip(x.as_slice::<T>()?) {
            *y = T::from_f32(x.to_f32() * factor);
        }
        Ok(())
    })
}

fn bytes(x: Tensor) -> Result<usize> {
    dispatch!(x.dtype(), T in [bool, DataType::Int64, BF16] => Ok(size_of::<T>() * x.numel()))
}

fn main() {}

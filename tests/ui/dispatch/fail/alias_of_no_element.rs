use plugin_runtime::prelude::*;

type Double = f64;
struct Mine;

/// The body says nothing of such a type, and the types that are right are still checked.
fn scale(x: Tensor, factor: f32, y: TensorMut) -> Result<()> {
    dispatch!(x.dtype(), T in [f32, Double, Mine, Unknown] => {
        for (y, x) in y.into_slice::<T>()?.iter_mut().zip(x.as_slice::<T>()?) {
            *y = T::from_f32(x.to_f32() * factor);
        }
        Ok(())
    })
}

fn joined(x: Tensor) -> Result<usize> {
    dispatch!(x.dtype(), T in [f32 | f16] => Ok(size_of::<T>()))
}

fn main() {}

use plugin_runtime::prelude::*;

#[derive(Clone, Copy)]
struct Extents {
    rows: i64,
}

kernels! {
    source A = "kernels.cu";
    fn scale_f32(x: Tensor, n: &i64, factor: bool, y: &mut [f32]);
}

kernels! {
    source B = "kernels.cu";
    fn mangled_by_hand(x: *const f32, text: &str, extents: Extents, y: TensorMut);
}

kernels! {
    source C = "kernels.cu";
    fn add<T in [f32, f16]>(a: DeviceSlice<f32>, b: T, sum: DeviceSliceMut<f32>);
}

fn main() {}

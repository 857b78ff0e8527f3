#[derive(Clone, Copy)]
struct Extents {
    rows: i64,
}

mod one {
    use plugin_runtime::prelude::*;

    kernels! {
        source A = "kernels.cu";
        fn scale_f32(x: Tensor, n: &i64, factor: bool, y: &mut [f32]);
    }
}

mod two {
    use plugin_runtime::prelude::*;

    kernels! {
        source B = "kernels.cu";
        fn mangled_by_hand(x: *const f32, text: &str, extents: super::Extents, y: TensorMut);
    }
}

mod three {
    use plugin_runtime::prelude::*;

    kernels! {
        source C = "kernels.cu";
        fn add<T in [f32, f16]>(a: DeviceSlice<f32>, b: T, sum: DeviceSliceMut<f32>);
    }
}

fn main() {}

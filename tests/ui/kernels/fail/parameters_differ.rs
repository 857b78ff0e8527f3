mod one {
    use plugin_runtime::prelude::*;

    kernels! {
        source A = "kernels.cu";
        fn scale_f32(x: DeviceSlice<f32>, n: i64, y: DeviceSliceMut<f32>);
    }
}

mod two {
    use plugin_runtime::prelude::*;

    kernels! {
        source B = "kernels.cu";
        fn scale_f32(x: DeviceSliceMut<f32>, n: i32, factor: i32, y: DeviceSlice<f32>);
    }
}

mod three {
    use plugin_runtime::prelude::*;

    kernels! {
        source C = "kernels.cu";
        fn scale_f32(x: DeviceSlice<i32>, n: DeviceSlice<i64>, factor: f32, y: f32);
        fn add<T in [f32, bf16]>(a: DeviceSlice<T>, b: DeviceSlice<f32>, sum: DeviceSlice<T>);
    }
}

fn main() {}

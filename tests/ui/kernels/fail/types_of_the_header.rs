use plugin_runtime::prelude::*;

kernels! {
    source NORM = "header.cu";
    fn norm<T in [f32, f16]>(
        x: DeviceSlice<T>,
        scale: DeviceSlice<T>,
        bias: DeviceSlice<T>,
        rows: f64,
        n: i64,
        step: f32,
        epsilon: f64,
        y: DeviceSliceMut<T>,
    );
    fn scale<T in [f32, f16]>(x: DeviceSlice<T>, factor: f32, y: DeviceSliceMut<T>);
}

fn main() {}

use plugin_runtime::prelude::*;

kernels! {
    source KERNELS = "kernels.cu";
    fn scal_f32(x: DeviceSlice<f32>, n: i64, factor: f32, y: DeviceSliceMut<f32>);
    fn mangled(y: DeviceSliceMut<f32>);
    fn subtract<T in [f32, f16]>(a: DeviceSlice<T>, b: DeviceSlice<T>, sum: DeviceSliceMut<T>);
    fn add(a: DeviceSlice<f32>, b: DeviceSlice<f32>, sum: DeviceSliceMut<f32>);
}

fn main() {}

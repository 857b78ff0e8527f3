use plugin_runtime::prelude::*;

kernels! {
    source KERNELS = "kernels.cu";
    fn scale_f32(DeviceSlice<f32>, n: long, factor: float, DeviceSliceMut<half>);
    fn scale_f16(x: DeviceSlice<__half>, n: size_t = x.len(), factor double, y DeviceSliceMut<f32>);
    fn shift_f32(3, x: DeviceSlice<f32> n: i64);
}

fn main() {}

use plugin_runtime::prelude::*;

kernels! {
    source KERNELS = "kernel.cu", headers ["common.cuh"];
    fn scale_f32(x: DeviceSlice<f32>, n: i64, factor: f32, y: DeviceSliceMut<f32>);
}

fn main() {}

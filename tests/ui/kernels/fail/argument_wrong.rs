use plugin_runtime::prelude::*;

kernels! {
    source KERNELS = "kernels.cu";
    fn scale_f32(x: DeviceSlice<f32>, n: i64 = x.len(), factor: f32, y: DeviceSliceMut<f32>);
}

fn swapped(x: Tensor, y: TensorMut, stream: &Stream) -> Result<()> {
    scale_f32(stream, LaunchConfig::blocks(1, 32)?, y, 2.0, x)
}

fn of_another_type(x: DeviceSlice<f16>, y: TensorMut, stream: &Stream) -> Result<()> {
    scale_f32(stream, LaunchConfig::blocks(1, 32)?, x, 2.0, y)
}

fn main() {}

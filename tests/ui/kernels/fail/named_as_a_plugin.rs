use plugin_runtime::prelude::*;

kernels! {
    source KERNELS = "kernels.cu";
    fn scale_f32(x: DeviceSlice<f32>, n: i64 = x.len(), factor: f32, y: DeviceSliceMut<f32>);
}

#[register("test::scale_f32")]
fn scale_f32(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::scale_f32", device = cuda)]
fn scale_cuda(x: Tensor, factor: f32, [y]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let launch = LaunchConfig::for_elements(x.numel(), 256)?;
    scale_f32(stream, launch, x, factor, y)
}

/// Another module's names are its own.
mod kernels {
    use plugin_runtime::prelude::*;

    kernels! {
        source KERNELS = "kernels.cu";
        fn scale_f32(x: DeviceSlice<f32>, n: i64 = x.len(), factor: f32, y: DeviceSliceMut<f32>);
    }
}

fn main() {}

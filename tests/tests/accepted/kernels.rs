//! Kernels for one type and for several, given what can be.

use plugin_runtime::prelude::*;

kernels! {
    /// The kernels.
    pub(crate) source KERNELS = "kernels.cu";
    /// y[i] = x[i] * factor
    pub fn scale_f32(x: DeviceSlice<'_, f32>, n: i64 = x.len(), factor: f32, y: DeviceSliceMut<'_, f32>);
    fn add<T in [f32, f16, bf16,]>(a: DeviceSlice<T>, b: DeviceSlice<T>, sum: DeviceSliceMut<T>,);
}

/// Tensors, slices, and what is used again.
pub fn launch(x: Tensor, mut y: TensorMut, mut workspace: Workspace, stream: &Stream) -> Result<()> {
    let launch = LaunchConfig::blocks(4, 128)?.shared(16);
    scale_f32(stream, launch, x, 2.0, &mut y)?;
    scale_f32(stream, launch, x, 2.0, &mut workspace)?;
    scale_f32(stream, launch, &workspace, 2.0, &mut y)?;
    scale_f32(stream, launch, x.device_slice()?, 2.0, workspace.into_device_slice()?)?;
    add(stream, launch, x, x, &mut y)?;
    add(stream, launch, x, x.device_slice::<f16>()?, y)
}

#[test]
fn one_instance_a_type() {
    assert_eq!(KERNELS.instances.len(), 3);
    assert_eq!(KERNELS.instances[2].name, "add_bf16");
}

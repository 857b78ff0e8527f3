use plugin_runtime::prelude::*;

kernels! {
    source KERNELS = "kernels.cu";
    fn add<T in [f32, f16]>(a: DeviceSlice<T>, b: DeviceSlice<T>, sum: DeviceSliceMut<T>);
}

fn to_scratch(x: Tensor, mut workspace: Workspace, y: TensorMut, stream: &Stream) -> Result<()> {
    let launch = LaunchConfig::blocks(1, 32)?;
    add(stream, launch, x, x, &mut workspace)?;
    add(stream, launch, x, &workspace, y)
}

/// As the advice says.
fn to_scratch_of_a_type(x: Tensor, workspace: Workspace, y: TensorMut, stream: &Stream) -> Result<()> {
    let launch = LaunchConfig::blocks(1, 32)?;
    let mut sum = workspace.into_device_slice::<f32>()?;
    add(stream, launch, x, x, &mut sum)?;
    add(stream, launch, x, &sum, y)
}

fn main() {}

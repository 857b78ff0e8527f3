use plugin_runtime::prelude::*;

#[derive(Clone, Copy)]
struct Extents {
    rows: i64,
}

kernels! {
    source KERNELS = "structs.cu";
    fn fill(y: DeviceSliceMut<f32>, extents: Extents);
}

fn main() {}

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[derive(Clone, Copy, Tactic)]
enum Way {
    Rows = 1,
    Tiles = 2,
}

#[impl_plugin("test::scale", device = cuda, workspace = 64)]
fn scale_cuda(x: Tensor, [_y]: [TensorMut; 1], scratch: Workspace, s: &Stream, way: Way) -> Result<()> {
    match way {
        Way::Rows => Ok(()),
        Way::Tiles => Ok(()),
    }
}

#[impl_plugin("test::scale", device = cpu)]
fn scale_cpu(x: Tensor, [_y]: [TensorMut; 1], tactic: &Way) -> Result<()> {
    match tactic {
        Way::Rows => Ok(()),
        Way::Tiles => Ok(()),
    }
}

fn main() {}

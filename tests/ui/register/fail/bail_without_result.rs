use plugin_runtime::prelude::*;

#[register("test::square")]
fn square(x: &TensorDesc) -> TensorDesc {
    if x.rank() != 2 {
        bail!("a matrix is needed, not {x}");
    }
    x.like()
}

#[impl_plugin("test::square", device = cpu)]
fn square_cpu(x: Tensor, [y]: [TensorMut; 1]) {
    if x.numel() == 0 {
        bail!("it is empty");
    }
    let _ = (x, y);
}

fn main() {}

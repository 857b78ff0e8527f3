use plugin_runtime::prelude::*;

#[register("ui::missing", compare)]
fn missing(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ui::a_number", compare = 0.1)]
fn a_number(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ui::too_many", compare = [Compare::new(), Compare::new()])]
fn too_many(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ui::misspelt", compare = Compare::new().close(tolerence, 0.0))]
fn misspelt(x: &TensorDesc, tolerance: f64) -> TensorDesc {
    x.like()
}

#[register("ui::elsewhere")]
fn elsewhere(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("ui::elsewhere", device = cpu, compare = Compare::new())]
fn elsewhere_cpu(x: Tensor, outputs: [TensorMut; 1]) {
    let [_y] = outputs;
}

fn main() {}

use plugin_runtime::prelude::*;

#[register("test::negate")]
fn negate(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn check<P: plugin_runtime::plugin::PluginSpec>() {}

fn conforms() {
    check::<negate::Op>();
}

fn main() {}

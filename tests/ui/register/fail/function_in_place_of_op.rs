use plugin_runtime::network::{Network, TensorId};
use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn add(network: &mut Network, x: TensorId, desc: &TensorDesc) -> Result<()> {
    let [y] = network.add_plugin(scale(desc))?;
    network.mark_output(y, "Y")
}

fn main() {}

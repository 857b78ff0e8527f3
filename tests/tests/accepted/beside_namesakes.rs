//! Names that the function shares with other items, conditions that leave it out, and functions inside of functions.
#![deny(warnings)]

use plugin_runtime::prelude::*;

#[cfg(any())]
#[register("test::absent")]
fn absent(x: &Missing) {}

#[register("test::absent")]
#[cfg(any())]
fn absent(x: &TensorDesc) -> Result<TensorDesc> {
    missing()
}

/// The id names the module, the function may be called otherwise.
#[register("test::scale")]
fn infer_scale(x: &TensorDesc, y: &plugin_runtime::tensor::TensorDesc) -> (TensorDesc,) {
    (x.like(),)
}

mod second_version {
    use plugin_runtime::prelude::*;

    #[register("test::scale", version = 2)]
    pub(super) fn scale(op: &TensorDesc, #[default(1)] clone: i32, #[default(2)] into_op: i64) -> TensorDesc {
        op.like()
    }

    #[impl_plugin("test::scale", device = cpu)]
    fn run(op: Tensor, outputs: [TensorMut; 1]) {}
}

#[impl_plugin("test::scale", device = cpu)]
#[cfg(any())]
fn absent_impl(x: Missing) {}

fn scale() {}

fn inner() {
    /// Another plugin of the same name, seen in this function only.
    #[register("inner::scale")]
    fn infer_inner(x: &TensorDesc) -> TensorDesc {
        x.like()
    }

    #[impl_plugin("inner::scale", device = cpu)]
    fn scale_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
        bail!("not here")
    }
}

#[test]
fn constructors_beside_methods_of_their_names() {
    use plugin_runtime::network::IntoOp;

    scale();
    inner();
    let _ = |x| IntoOp::into_op(second_version::scale::op(x).clone(5).into_op(6).clone(7));
}

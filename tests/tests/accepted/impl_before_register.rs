use plugin_runtime::prelude::*;

#[register("test::scale_rows")]
fn scale_rows(x: &TensorDesc) -> TensorDesc {
    x.like()
}

// Before its own plugin, and after one of nearly the same id.
#[impl_plugin("test::scale_row", device = cpu)]
fn scale_row_cpu(x: Tensor, outputs: [TensorMut; 1]) {}

#[register("test::scale_row")]
fn scale_row(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[test]
fn in_a_function_too() {
    #[impl_plugin("test::scale_rows_twice", device = cpu)]
    fn scale_rows_twice_cpu(x: Tensor, outputs: [TensorMut; 1]) {}

    #[register("test::scale_rows_twice")]
    fn scale_rows_twice(x: &TensorDesc) -> TensorDesc {
        x.like()
    }
}

use plugin_runtime::prelude::*;

#[register("test::a", onnx = "Scale")]
fn a(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("test::b", onnx = ["com.example::B", "com.example::B", "test::b", "::B", "ai.onnx::Cast", "com example::B"])]
fn b(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("test::c", onnx = com.example::C)]
fn c(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("test::d", onnx = [], version = 2)]
fn d(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("test::e", onnx)]
fn e(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("test::f", onx = "com.example::F")]
fn f(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}

#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("ops::f")]
const fn f(x: &TensorDesc) -> TensorDesc {
    loop {}
}

#[register("ops::g")]
unsafe extern "C" fn g(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}

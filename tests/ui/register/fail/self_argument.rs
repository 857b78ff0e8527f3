#![allow(unused_variables)]

use plugin_runtime::prelude::*;

struct Plugin;

impl Plugin {
    #[register("ops::f")]
    fn f(&self, x: &TensorDesc) -> TensorDesc {
        x.like()
    }
}

fn main() {}

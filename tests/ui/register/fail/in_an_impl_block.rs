use plugin_runtime::prelude::*;

struct Ops;

impl Ops {
    #[register("test::scale")]
    fn scale(x: &TensorDesc) -> TensorDesc {
        x.like()
    }
}

fn main() {}

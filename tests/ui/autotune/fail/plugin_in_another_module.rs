#![allow(unused_variables)]

mod ops {
    use plugin_runtime::prelude::*;

    #[register("test::scale")]
    pub(crate) fn scale(x: &TensorDesc) -> TensorDesc {
        x.like()
    }
}

mod tuning {
    use super::ops::scale;
    use plugin_runtime::prelude::*;

    #[autotune("test::scale")]
    fn scale_autotune(y: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
        Vec::new()
    }
}

fn main() {}

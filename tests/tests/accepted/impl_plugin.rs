//! Impls in other modules than `register`, with each kind of parameter, return type and workspace.
#![deny(warnings)]

mod ops {
    use plugin_runtime::prelude::*;

    #[register("test::scale")]
    pub(crate) fn scale(x: &TensorDesc, y: &TensorDesc, rows: i64, pads: &[i64]) -> (TensorDesc, TensorDesc) {
        (x.like(), y.like())
    }

    #[impl_plugin("test::scale", device = cpu, workspace = SCRATCH)]
    fn constant(x: Tensor, y: Tensor, outputs: [TensorMut; COUNT], workspace: Workspace) {
        let _ = workspace;
    }

    const SCRATCH: i64 = 64;
    const COUNT: usize = 2;
}

mod with_use {
    use super::ops::scale;
    use plugin_runtime::prelude::*;

    #[impl_plugin("test::scale", device = cpu, workspace = sizes::in_bytes)]
    fn function(x: Tensor, y: Tensor, pads: &[i64], outputs: [TensorMut; 2], workspace: Workspace) -> Result<()> {
        let _ = (pads, workspace);
        Ok(())
    }

    mod sizes {
        use plugin_runtime::prelude::*;

        pub(super) fn in_bytes(x: &TensorDesc, y: &TensorDesc, pads: &[i64]) -> ShapeExpr {
            x.numel() * y.numel() * pads.len()
        }
    }
}

mod with_path {
    use plugin_runtime::prelude::*;

    #[impl_plugin("test::scale", device = cuda, plugin = crate::impl_plugin::ops::scale, workspace = rows, device_shape = true)]
    fn attribute(x: Tensor, y: Tensor, rows: i64, outputs: [TensorMut; 1 + 1], workspace: Workspace) {
        let _ = (rows, workspace);
    }

    #[impl_plugin("test::scale", device = cuda, plugin = super::ops::scale, device_shape = false, workspace = {
        let elements = x.numel().max(outputs[1].numel());
        elements * 4 + rows
    })]
    fn block(
        x: Tensor<'_>,
        mut y: Tensor<'_>,
        rows: i64,
        outputs: [TensorMut<'_>; 2],
        workspace: Workspace<'_>,
        stream: &Stream,
        tactic: std::primitive::i32,
    ) -> plugin_runtime::Result<()> {
        let _ = &mut y;
        let _ = (y, rows, workspace, stream, tactic);
        Ok(())
    }
}

//! A kernel described ahead of time, so that an engine can hold it.

use crate::shape::ShapeExpr;

/// What `#[aot_impl]` returns: a kernel and how to launch it. Its parameters are, in order, the inputs' pointers, the
/// extra arguments, the outputs' pointers.
#[derive(Clone, Debug)]
pub struct AotKernel {
    /// The kernel's name in the image.
    pub name: String,
    /// PTX or cubin.
    pub image: Vec<u8>,
    /// How it is launched.
    pub launch: LaunchParams,
    /// 32-bit integer arguments that follow from the shapes.
    pub extra_args: Vec<ShapeExpr>,
}

/// Launch dimensions, as expressions of the inputs' shapes.
#[derive(Clone, Debug)]
pub struct LaunchParams {
    /// Blocks in x, y and z.
    pub grid: [ShapeExpr; 3],
    /// Threads of a block in x, y and z.
    pub block: [ShapeExpr; 3],
    /// Dynamic shared memory of a block, in bytes.
    pub shared_mem: ShapeExpr,
}

impl Default for LaunchParams {
    /// One block of one thread, no shared memory.
    fn default() -> Self {
        let ones = || [1, 1, 1].map(ShapeExpr::constant);
        LaunchParams { grid: ones(), block: ones(), shared_mem: ShapeExpr::constant(0) }
    }
}

impl AotKernel {
    /// A kernel launched as one block of one thread, without extra arguments.
    pub fn new(name: impl Into<String>, image: impl Into<Vec<u8>>) -> Self {
        AotKernel { name: name.into(), image: image.into(), launch: LaunchParams::default(), extra_args: Vec::new() }
    }
}

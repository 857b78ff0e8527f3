//! One launch of a kernel that was described ahead of time.

use crate::shape::{IntoExprs, ShapeExpr, into_list, into_list_of_tuple};

/// One launch of one kernel.
#[derive(Clone, Debug)]
pub struct AotLaunch {
    /// The kernel's name in the image: C++ kernels are `extern "C"`.
    pub name: String,
    /// How it is launched.
    pub launch: LaunchParams,
    /// Scalars that the kernel takes between the inputs' and the outputs' pointers.
    pub extra_args: Vec<AotArg>,
    /// All parameters of the kernel, in order, where they aren't the inputs' pointers, the extra arguments, the outputs'
    /// pointers; then there are no `extra_args` besides.
    pub parameters: Option<Vec<AotParameter>>,
}

/// Launch dimensions, as expressions of the inputs' shapes. Each has to be a 32-bit number that the device takes when it
/// runs; a grid with an extent of 0 isn't launched. Where a size tensor is in one of them, see `device_shape` of
/// [`aot_impl`](macro@crate::prelude::aot_impl): its true value without that option, its upper bound with it, and of the
/// plugin's own size tensors always the upper bound.
#[derive(Clone, Debug)]
pub struct LaunchParams {
    /// Blocks in x, y and z.
    pub grid: [ShapeExpr; 3],
    /// Threads of a block in x, y and z.
    pub block: [ShapeExpr; 3],
    /// Dynamic shared memory of a block, in bytes.
    pub shared_mem: ShapeExpr,
}

/// A scalar that a kernel takes: a number, or an expression of the inputs' shapes, as in [`LaunchParams`].
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum AotArg {
    /// `int`. A value beyond 32 bits is an error of the run.
    I32(ShapeExpr),
    /// `long long`.
    I64(ShapeExpr),
    /// `float`.
    F32(f32),
}

/// One parameter of a kernel.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum AotParameter {
    /// The pointer of an input, counted from 0.
    Input(usize),
    /// The pointer of an output, counted from 0.
    Output(usize),
    /// The pointer of the scratch memory that [`AotKernel::workspace`](super::AotKernel::workspace) asks for.
    Workspace,
    /// A scalar.
    Extra(AotArg),
}

impl Default for LaunchParams {
    /// One block of one thread, no shared memory.
    fn default() -> Self {
        let ones = || [1, 1, 1].map(ShapeExpr::constant);
        LaunchParams { grid: ones(), block: ones(), shared_mem: ShapeExpr::constant(0) }
    }
}

impl AotLaunch {
    /// A kernel launched as one block of one thread, without extra arguments.
    pub fn new(name: impl Into<String>) -> Self {
        AotLaunch { name: name.into(), launch: LaunchParams::default(), extra_args: Vec::new(), parameters: None }
    }

    /// Blocks in x, y and z; those that are left out are 1.
    #[must_use]
    pub fn grid<M>(mut self, blocks: impl IntoExprs<M>) -> Self {
        self.launch.grid = three("grid", blocks);
        self
    }

    /// Threads of a block in x, y and z; those that are left out are 1.
    #[must_use]
    pub fn block<M>(mut self, threads: impl IntoExprs<M>) -> Self {
        self.launch.block = three("block", threads);
        self
    }

    /// Dynamic shared memory of a block, in bytes.
    #[must_use]
    pub fn shared_mem(mut self, bytes: impl Into<ShapeExpr>) -> Self {
        self.launch.shared_mem = bytes.into();
        self
    }

    /// Scalars that the kernel takes between the inputs' and the outputs' pointers: an array, or a tuple of several kinds. A
    /// shape expression is an `int`.
    #[must_use]
    pub fn extra_args<M>(mut self, arguments: impl IntoArguments<M>) -> Self {
        self.extra_args = arguments.into_arguments();
        self
    }

    /// All parameters of the kernel, in order, in place of the inputs' pointers, the extra arguments, the outputs'
    /// pointers.
    #[must_use]
    pub fn parameters<P: Into<AotParameter>>(mut self, parameters: impl IntoIterator<Item = P>) -> Self {
        self.parameters = Some(parameters.into_iter().map(Into::into).collect());
        self
    }
}

/// Extents in x, y and z. Too many of them become an expression that carries the mistake.
fn three<M>(what: &str, extents: impl IntoExprs<M>) -> [ShapeExpr; 3] {
    let mut extents = extents.into_exprs().into_iter();
    let mut given = [(); 3].map(|()| extents.next().unwrap_or_else(|| ShapeExpr::constant(1)));
    if extents.next().is_some() {
        given[0] = ShapeExpr::invalid(format!("a {what} has at most 3 dimensions"));
    }
    given
}

macro_rules! int_arguments {
    ($($from:ty)*) => {
        $(impl From<$from> for AotArg {
            /// An `int`.
            fn from(value: $from) -> Self {
                AotArg::I32(value.into())
            }
        })*
    };
}

int_arguments!(ShapeExpr &ShapeExpr i32);

/// What `extra_args` takes: anything that is iterated over, or a tuple of up to 8 expressions, integers and floats. `M` is
/// found by the compiler.
pub trait IntoArguments<M> {
    /// The arguments, first to last.
    fn into_arguments(self) -> Vec<AotArg>;
}

into_list!(IntoArguments, into_arguments, AotArg, [Into<AotArg>], into);

impl From<usize> for AotArg {
    /// A `long long`.
    fn from(value: usize) -> Self {
        AotArg::I64(value.into())
    }
}

impl From<i64> for AotArg {
    /// A `long long`.
    fn from(value: i64) -> Self {
        AotArg::I64(value.into())
    }
}

impl From<f32> for AotArg {
    /// A `float`.
    fn from(value: f32) -> Self {
        AotArg::F32(value)
    }
}

impl From<AotArg> for AotParameter {
    fn from(argument: AotArg) -> Self {
        AotParameter::Extra(argument)
    }
}

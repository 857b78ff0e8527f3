//! Kernels described ahead of time, so that an engine can hold them: what `#[aot_impl]` functions return.

mod image;
mod launch;
mod launches;
mod module;
mod program;

pub use image::AotImage;
pub use launch::{AotArg, AotLaunch, AotParameter, IntoArguments, LaunchParams};
pub(crate) use launches::AotLaunches;
pub(crate) use module::{AotBinary, AotCompiler, AotModule, LARGEST_IMAGE};
#[cfg(feature = "tensorrt")]
pub(crate) use program::DIMENSIONS;
pub(crate) use program::{AotProgram, AotSlots, CheckedLaunches, ProgramLaunch, ProgramParameter};

use crate::shape::{IntoExprs, ShapeExpr};
use crate::tensor::DataType;

/// AOT kernels, as `#[aot_impl]` returns them: an image, launches one after another, and the scratch memory that these
/// share.
///
/// One kernel, whose parameters are the inputs' pointers, the extra arguments, the outputs' pointers:
///
/// ```
/// # use plugin_runtime::prelude::*;
/// # const PTX: &str = "";
/// # fn describe(x: &TensorDesc) -> AotKernel {
/// AotKernel::new("add_one", PTX).grid([x.numel().ceil_div(256)]).block([256]).extra_args([x.numel()])
/// # }
/// ```
///
/// Two, of which the second reads what the first put into scratch memory:
///
/// ```
/// # use plugin_runtime::prelude::*;
/// # const PTX: &str = "";
/// # fn describe(x: &TensorDesc) -> AotKernel {
/// let blocks = x.numel().ceil_div(256);
/// let sums = AotLaunch::new("block_sums").grid([&blocks]).block([256]).parameters([
///     AotParameter::Input(0),
///     AotParameter::Workspace,
///     AotParameter::Extra(x.numel().into()),
/// ]);
/// let total = AotLaunch::new("total").block([256]).parameters([
///     AotParameter::Workspace,
///     AotParameter::Output(0),
///     AotParameter::Extra((&blocks).into()),
/// ]);
/// AotKernel::sequence(PTX, [sums, total]).workspace(blocks * 4)
/// # }
/// ```
///
/// It is checked when an engine is built: the expressions, the indices, and, as far as the image tells them, the kernels'
/// names and the sizes of their parameters.
#[derive(Clone, Debug)]
pub struct AotKernel {
    /// The image with all its kernels.
    pub image: AotImage,
    /// The launches, in the order in which they run.
    pub launches: Vec<AotLaunch>,
    /// Bytes of scratch memory that the launches share; what is in it at first isn't specified.
    pub workspace: Option<ShapeExpr>,
}

impl AotKernel {
    /// One kernel of an image, launched as one block of one thread, without extra arguments.
    pub fn new(name: impl Into<String>, image: impl Into<AotImage>) -> Self {
        AotKernel::sequence(image, [AotLaunch::new(name)])
    }

    /// As [`AotKernel::new`], of a kernel that [`kernels!`](crate::kernels) declares for several element types: that for one
    /// of them.
    pub fn of_type(name: &str, dtype: DataType, image: impl Into<AotImage>) -> Self {
        AotKernel::new(format!("{name}_{}", dtype.rust_name()), image)
    }

    /// Launches of an image's kernels, one after another.
    pub fn sequence(image: impl Into<AotImage>, launches: impl IntoIterator<Item = AotLaunch>) -> Self {
        AotKernel { image: image.into(), launches: launches.into_iter().collect(), workspace: None }
    }

    /// Adds a launch after those that are there. [`AotKernel::grid`] and the like are of this one from here on.
    #[must_use]
    pub fn then(mut self, launch: AotLaunch) -> Self {
        self.launches.push(launch);
        self
    }

    /// Bytes of scratch memory that the launches share: see [`AotParameter::Workspace`].
    #[must_use]
    pub fn workspace(mut self, bytes: impl Into<ShapeExpr>) -> Self {
        self.workspace = Some(bytes.into());
        self
    }

    /// As [`AotLaunch::grid`], of the last launch.
    #[must_use]
    pub fn grid<M>(self, blocks: impl IntoExprs<M>) -> Self {
        self.of_last(|launch| launch.grid(blocks))
    }

    /// As [`AotLaunch::block`], of the last launch.
    #[must_use]
    pub fn block<M>(self, threads: impl IntoExprs<M>) -> Self {
        self.of_last(|launch| launch.block(threads))
    }

    /// As [`AotLaunch::shared_mem`], of the last launch.
    #[must_use]
    pub fn shared_mem(self, bytes: impl Into<ShapeExpr>) -> Self {
        self.of_last(|launch| launch.shared_mem(bytes))
    }

    /// As [`AotLaunch::extra_args`], of the last launch.
    #[must_use]
    pub fn extra_args<M>(self, arguments: impl IntoArguments<M>) -> Self {
        self.of_last(|launch| launch.extra_args(arguments))
    }

    /// As [`AotLaunch::parameters`], of the last launch.
    #[must_use]
    pub fn parameters<P: Into<AotParameter>>(self, parameters: impl IntoIterator<Item = P>) -> Self {
        self.of_last(|launch| launch.parameters(parameters))
    }

    fn of_last(mut self, change: impl FnOnce(AotLaunch) -> AotLaunch) -> Self {
        let last = self.launches.pop().map(change);
        self.launches.extend(last);
        self
    }
}

#[cfg(test)]
mod tests;

//! A plugin with the values of its attributes: all that can be asked of it before there is memory.
//!
//! Nothing else calls an author's function, but for [`Work`](super::Work), which runs one.

use std::sync::Arc;

use super::combination::{Combination, merge};
use super::{AotEntry, AttributeValue, Compare, ImplEntry, Plugin, Sample, Work, output_rules};
use crate::device::DynAttributes;
use crate::device::cuda::{AotCompiler, AotImage, AotProgram, AotSlots, CheckedLaunches};
use crate::error::{Error, Result};
use crate::guard::guarded;
use crate::shape::ShapeExpr;
use crate::tensor::{OutputDesc, TensorDesc};

/// A plugin with the values of its attributes.
#[derive(Clone, Debug)]
pub(crate) struct BoundPlugin {
    plugin: &'static Plugin,
    /// One value per attribute, in the registered order.
    values: Arc<[AttributeValue]>,
    /// The same as the struct that `#[register]` makes.
    typed: Arc<DynAttributes>,
}

/// Kernels compiled ahead of time, and the scratch memory that they share.
#[derive(Clone, Debug)]
pub(crate) struct DescribedKernels {
    pub(crate) program: Arc<AotProgram>,
    /// Bytes of scratch memory.
    pub(crate) workspace: Option<ShapeExpr>,
}

/// Launches of kernels, and the image that these are in, before anything is compiled.
#[derive(Debug)]
pub(crate) struct DescribedLaunches {
    pub(crate) image: AotImage,
    pub(crate) launches: CheckedLaunches,
    /// Bytes of scratch memory.
    pub(crate) workspace: Option<ShapeExpr>,
}

impl BoundPlugin {
    /// `values` holds one value per attribute, in the registered order.
    ///
    /// # Errors
    /// When there are more or fewer, or one has another type.
    pub(crate) fn new(plugin: &'static Plugin, values: Arc<[AttributeValue]>) -> Result<Self> {
        let typed = (plugin.entry.attributes_from_values)(&values)?.into();
        Ok(BoundPlugin { plugin, values, typed })
    }

    pub(crate) fn plugin(&self) -> &'static Plugin {
        self.plugin
    }

    /// One value per attribute, in the registered order.
    pub(crate) fn values(&self) -> &Arc<[AttributeValue]> {
        &self.values
    }

    /// An impl of the plugin with a tactic.
    pub(crate) fn work(&self, implementation: &'static ImplEntry, tactic: i32) -> Work {
        Work::Impl { implementation, attributes: self.typed.clone(), tactic }
    }

    /// The outputs for inputs of these types and shapes. Size tensors are described over the inputs' symbols; tensors may
    /// depend on them.
    ///
    /// # Errors
    /// When there are more or fewer inputs than the plugin has, its register function fails, or what it says of an output
    /// can't be.
    pub(crate) fn outputs(&self, inputs: &[TensorDesc]) -> Result<Vec<OutputDesc>> {
        let entry = &self.plugin.entry;
        output_rules::check_inputs(entry, inputs.len())?;
        let outputs = guarded(|| (entry.infer)(inputs, &*self.typed))?;
        output_rules::check_outputs(entry, inputs, &outputs)?;
        Ok(outputs)
    }

    /// The combinations that the autotune function lists, each with its tactics; `None` where there is no such function.
    ///
    /// # Errors
    /// When it fails, or what it lists doesn't fit the plugin.
    pub(crate) fn combinations(
        &self,
        inputs: &[TensorDesc],
        outputs: &[TensorDesc],
    ) -> Result<Option<Vec<Combination>>> {
        let Some(autotune) = self.plugin.autotune else { return Ok(None) };
        let listed = guarded(|| (autotune.combinations)(inputs, outputs, &*self.typed))?;
        merge(&listed, inputs.len(), outputs.len()).map(Some)
    }

    /// How each output is compared, where the author says so.
    ///
    /// # Errors
    /// When the author's function fails.
    pub(crate) fn comparisons(&self, inputs: &[TensorDesc]) -> Result<Option<Vec<Compare>>> {
        let compare = self.plugin.entry.compare;
        compare.map(|compare| guarded(|| compare(inputs, &*self.typed))).transpose()
    }

    /// A sample of each input, where the author gives some.
    ///
    /// # Errors
    /// When the author's function fails.
    pub(crate) fn samples(&self, inputs: &[TensorDesc]) -> Result<Option<Vec<Sample>>> {
        let describe = self.plugin.entry.sample_inputs;
        describe.map(|describe| guarded(|| describe(inputs, &*self.typed))).transpose()
    }

    /// The scratch memory that an impl asks for, in bytes.
    ///
    /// # Errors
    /// When the author's function fails, or its expression carries a mistake.
    pub(crate) fn workspace(
        &self,
        implementation: &ImplEntry,
        inputs: &[TensorDesc],
        outputs: &[TensorDesc],
    ) -> Result<Option<ShapeExpr>> {
        let Some(workspace) = implementation.workspace else { return Ok(None) };
        let bytes = guarded(|| workspace(inputs, outputs, &*self.typed))?;
        check_workspace(&bytes)?;
        Ok(Some(bytes))
    }

    /// The launches that `#[aot_impl]` describes. Nothing is compiled.
    ///
    /// # Errors
    /// When the author's function fails, or whatever is wrong with what it describes but for its image.
    pub(crate) fn launches(
        &self,
        entry: &AotEntry,
        (inputs, outputs): (&[TensorDesc], &[TensorDesc]),
        tactic: i32,
    ) -> Result<DescribedLaunches> {
        let kernel = guarded(|| (entry.kernel)(inputs, outputs, &*self.typed, tactic))?;
        kernel.workspace.as_ref().map_or(Ok(()), check_workspace)?;
        let slots = AotSlots {
            inputs: inputs.len(),
            outputs: outputs.len(),
            workspace: kernel.workspace.is_some(),
            device_shape: entry.device_shape,
        };
        let launches = CheckedLaunches::new(&kernel.launches, slots)?;
        Ok(DescribedLaunches { image: kernel.image, launches, workspace: kernel.workspace })
    }

    /// The kernels that `#[aot_impl]` describes, compiled.
    ///
    /// # Errors
    /// As [`BoundPlugin::launches`], and when the image can't be made, or lacks a kernel.
    pub(crate) fn kernels(
        &self,
        entry: &AotEntry,
        descs: (&[TensorDesc], &[TensorDesc]),
        tactic: i32,
        compiler: &AotCompiler,
    ) -> Result<DescribedKernels> {
        self.launches(entry, descs, tactic)?.compiled(compiler)
    }
}

impl DescribedLaunches {
    /// With an image for each architecture of a compiler.
    ///
    /// # Errors
    /// When the image can't be made, or lacks a kernel.
    pub(crate) fn compiled(self, compiler: &AotCompiler) -> Result<DescribedKernels> {
        let module = compiler.module(&self.image).map_err(|e| match self.launches.launches.first() {
            Some(launch) => e.within(format_args!("kernel `{}`", launch.kernel.escape_debug())),
            None => e,
        })?;
        let program = Arc::new(AotProgram::of_checked(module, self.launches)?);
        Ok(DescribedKernels { program, workspace: self.workspace })
    }
}

fn check_workspace(bytes: &ShapeExpr) -> Result<()> {
    match bytes.error() {
        Some(reason) => Err(Error::plugin(format_args!("its workspace: {reason}"))),
        None => Ok(()),
    }
}

//! The runtime's own kernels, kept in engines that need no compiler otherwise.

use std::sync::Arc;

use super::plan::{Plan, PlannedWork};
use crate::device::cuda::{AotCompiler, AotModule};
use crate::device::cuda::{Gpu, Source, kernel, reformat, runtime};
use crate::error::Result;
use crate::shape::ShapeExpr;

/// One of the runtime's sources, compiled.
#[derive(Clone, Debug)]
pub(super) struct RuntimeKernels {
    source: &'static Source,
    module: Arc<AotModule>,
}

impl RuntimeKernels {
    pub(super) fn new(source: &'static Source, module: Arc<AotModule>) -> Self {
        RuntimeKernels { source, module }
    }

    /// The kernels that the plans need between their layers; none where a layer needs the compiler anyway.
    ///
    /// # Errors
    /// When one can't be compiled for an architecture that the user named.
    pub(super) fn of(plans: &[Plan], compiler: &AotCompiler) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for source in needed(plans)? {
            let module = compiler
                .optional_module(source)
                .map_err(|e| e.within("the engine needs the runtime's own kernels between its layers"))?;
            all.extend(module.map(|module| RuntimeKernels { source, module }));
        }
        Ok(all)
    }

    pub(super) fn source(&self) -> &'static Source {
        self.source
    }

    pub(super) fn module(&self) -> &AotModule {
        &self.module
    }

    /// Loads them, so that the GPU's needn't be compiled. Where no image suits the GPU, they are compiled at first use.
    ///
    /// # Errors
    /// When the driver refuses the image.
    pub(super) fn provide(&self, gpu: &'static Gpu) -> Result<()> {
        let Ok(binary) = self.module.binary_for(gpu.architecture()) else { return Ok(()) };
        kernel::provide(self.source, gpu, &binary.image)
            .map_err(|e| e.within(format_args!("the runtime's own kernels of `{}`", self.source.name)))
    }
}

/// The runtime's sources that plans need, where all layers run AOT kernels; else none.
pub(super) fn needed(plans: &[Plan]) -> Result<Vec<&'static Source>> {
    let steps = || plans.iter().flat_map(|plan| &plan.steps);
    if steps().any(|step| matches!(step.work, PlannedWork::Impl { .. })) {
        return Ok(Vec::new());
    }
    let mut needed: Vec<&Source> = Vec::new();
    for step in steps() {
        if step.data_dependent && !step.waits() {
            needed.push(runtime::extents_source());
        }
        if let (PlannedWork::Reformat, [from], [to]) = (&step.work, step.memory.inputs(), step.memory.outputs()) {
            let (from, to) = (&from.tensor.info, &to.info);
            let fixed = step.extents.iter().all(ShapeExpr::is_constant);
            needed.extend(reformat::sources(from.representation(), to.representation(), &from.dims, fixed)?);
        }
    }
    let is_needed = |source: &&Source| needed.iter().any(|needed| std::ptr::eq(*needed, *source));
    Ok(runtime::sources().into_iter().filter(is_needed).collect())
}

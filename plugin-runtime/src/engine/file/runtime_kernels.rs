//! The runtime's own kernels, to and from what a file says.

use std::sync::Arc;

use super::images::Images;
use super::records::RuntimeKernelsRecord;
use crate::device::cuda::AotModule;
use crate::device::cuda::{Source, runtime};
use crate::engine::runtime_kernels::RuntimeKernels;
use crate::error::{Error, Result};

pub(super) fn save(kernels: &[RuntimeKernels], images: &Images<'_>) -> Result<Vec<RuntimeKernelsRecord>> {
    let record = |kernels: &RuntimeKernels| {
        let source = kernels.source();
        let module = images.module(kernels.module())?;
        Ok(RuntimeKernelsRecord { source: source.name.into(), checksum: source.checksum(), module })
    };
    kernels.iter().map(record).collect()
}

/// The saved kernels whose sources this version of the runtime has, too.
pub(super) fn load(records: &[RuntimeKernelsRecord], modules: &[Arc<AotModule>]) -> Result<Vec<RuntimeKernels>> {
    let known: Vec<_> = runtime::sources().into_iter().map(|source| (source, source.checksum())).collect();
    let mut loaded: Vec<RuntimeKernels> = Vec::new();
    for record in records {
        let module = modules.get(record.module as usize).ok_or_else(|| {
            let (index, count) = (record.module, modules.len());
            Error::invalid(format_args!("the runtime's own kernels are in module {index}: there are {count}"))
        })?;
        let same =
            |(source, checksum): &&(&Source, u32)| (source.name, *checksum) == (&*record.source, record.checksum);
        let Some(&(source, _)) = known.iter().find(same) else { continue };
        if loaded.iter().any(|other| std::ptr::eq(other.source(), source)) {
            return Err(Error::invalid(format_args!("the runtime's own kernels of `{}` are there twice", source.name)));
        }
        for kernel in runtime::kernels_of(source) {
            let sizes: Vec<usize> = kernel.parameters.iter().map(|parameter| parameter.bytes).collect();
            let place = format_args!("the runtime's own kernel `{}`", kernel.name);
            module.check_kernel(kernel.name, &sizes).map_err(|e| e.within(place))?;
        }
        loaded.push(RuntimeKernels::new(source, module.clone()));
    }
    Ok(loaded)
}

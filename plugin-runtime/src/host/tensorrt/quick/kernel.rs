//! Kernels that lie in the host's plan.

use std::ffi::CString;
use std::sync::PoisonError;

use super::super::abi::TensorDesc;
use super::super::instance::Instance;
use super::launch::single;
use super::lent::KernelPlace;
use crate::device::cuda::{AotCompiler, AotImage, AotProgram};
use crate::device::{Device, cuda};
use crate::error::{Error, Result};
use crate::plugin::DescribedLaunches;

impl Instance {
    /// The kernel for these tensors, and for the tactic that was set: compiled for the thread's GPU, where it is source. It is
    /// lent as long as this lives.
    pub(super) fn kernel(&self, inputs: &[TensorDesc], outputs: &[TensorDesc]) -> Result<KernelPlace> {
        let described = self.described_as(inputs.iter())?;
        let launches = self.launches(&described, inputs.iter().chain(outputs))?;
        let (name, image) = single(&launches, self.shared.counts())
            .map(|_| ())
            .and_then(|()| image(launches))
            .map_err(|error| self.in_tactic(error))?;
        self.lent.lock().unwrap_or_else(PoisonError::into_inner).kernel(name, &image)
    }
}

/// The name and the image of the one kernel.
fn image(launches: DescribedLaunches) -> Result<(CString, Box<[u8]>)> {
    let device = cuda::current().and_then(Device::cuda);
    let (device, architecture) = match device {
        Ok(device) => {
            let architecture = device.gpu().map(cuda::Gpu::architecture);
            (device, architecture)
        }
        Err(missing) => match launches.image {
            // The driver compiles it where it runs.
            AotImage::Ptx(_) => (Device::cpu(), None),
            AotImage::Source(_) => return Err(missing.within("its kernel is to be compiled for the GPU that builds")),
            AotImage::Cubins(_) => return Err(missing.within("its cubin is to be chosen for the GPU that builds")),
        },
    };
    let program = launches.compiled(&AotCompiler::new(&device, &[]))?.program;
    let AotProgram { module, launches, .. } = &*program;
    let binary = match architecture {
        Some(architecture) => module.binary_for(architecture)?,
        None => module.binaries().first().ok_or_else(|| Error::invalid("it has no image"))?,
    };
    let name = launches.first().and_then(|launch| CString::new(&*launch.kernel).ok());
    let name = name.ok_or_else(|| Error::invalid("its kernel has no name"))?;
    Ok((name, binary.image.bytes().into()))
}

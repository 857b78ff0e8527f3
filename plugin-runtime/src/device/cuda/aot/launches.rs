//! Runs kernels that were described ahead of time.

use std::ffi::c_void;
use std::sync::Arc;

use super::{AotProgram, ProgramParameter};
use crate::device::cuda::LaunchConfig;
use crate::device::cuda::module::Function;
use crate::device::{Device, StepViews, Stream};
use crate::error::Result;

/// The launches of one step, with room for their arguments.
#[derive(Debug)]
pub(crate) struct AotLaunches {
    program: Arc<AotProgram>,
    launches: Vec<PreparedLaunch>,
}

#[derive(Debug)]
struct PreparedLaunch {
    function: Function,
    arguments: Arguments,
}

/// A kernel's launch dimensions and arguments.
#[derive(Debug)]
struct Arguments {
    config: LaunchConfig,
    /// One value per parameter: a pointer or a scalar, from the lowest address on.
    values: Box<[[u8; 8]]>,
    /// Pointers to the values, as `cuLaunchKernel` takes them.
    places: Box<[*mut c_void]>,
}

// SAFETY: `places` is only followed while a launch has the whole block to itself, and is filled anew before that.
#[expect(unsafe_code, reason = "pointers that are not followed may change threads")]
unsafe impl Send for Arguments {}
// SAFETY: as above; a shared reference gives no access to what they point at.
#[expect(unsafe_code, reason = "pointers that are not followed may be shared")]
unsafe impl Sync for Arguments {}

impl AotLaunches {
    /// Loads the kernels, if they aren't yet, and makes room for their arguments.
    ///
    /// # Errors
    /// When no image suits the device, or it lacks a kernel or gives it other parameters.
    pub(crate) fn new(program: &Arc<AotProgram>, device: &Device) -> Result<Self> {
        let module = program.module.loaded(device)?;
        let launches = program.launches.iter().map(|launch| {
            let sizes: Vec<usize> = launch.parameters.iter().map(|parameter| parameter.bytes()).collect();
            let function = module.function(&launch.kernel, Some(&sizes))?;
            Ok(PreparedLaunch { function, arguments: Arguments::new(launch.parameters.len()) })
        });
        Ok(AotLaunches { launches: launches.collect::<Result<_>>()?, program: program.clone() })
    }

    /// Sets launch dimensions and scalars: `values` are those of the program's expressions.
    ///
    /// # Errors
    /// When a launch dimension or an argument is out of range: names the kernel and the value.
    pub(crate) fn set(&mut self, values: &[i64]) -> Result<()> {
        let program = &self.program;
        for (launch, planned) in self.launches.iter_mut().zip(&program.launches) {
            launch.arguments.config = planned.config(&program.exprs, values)?;
            for (slot, &parameter) in launch.arguments.values.iter_mut().zip(&planned.parameters) {
                if let Some(scalar) = planned.scalar(parameter, &program.exprs, values)? {
                    *slot = scalar;
                }
            }
        }
        Ok(())
    }

    /// Launches all, on the memory of a step that has the inputs and outputs that the program was checked against.
    ///
    /// # Errors
    /// When the memory isn't there, or the device refuses a launch.
    pub(crate) fn launch(&mut self, views: &StepViews<'_>, stream: &Stream) -> Result<()> {
        let queue = stream.cuda()?;
        for (launch, planned) in self.launches.iter_mut().zip(&self.program.launches) {
            if launch.arguments.config.is_empty() {
                continue;
            }
            launch.arguments.place(&planned.parameters, views)?;
            let PreparedLaunch { function, arguments } = launch;
            // SAFETY: there is one place a parameter, each of a value of 8 bytes; the sizes that the kernel takes were
            // compared with the parameters' when it was loaded.
            #[expect(unsafe_code, reason = "the driver reads the arguments")]
            unsafe {
                function.launch(&planned.kernel, queue, &arguments.config, arguments.places.as_mut_ptr())?;
            }
        }
        Ok(())
    }
}

impl Arguments {
    fn new(parameters: usize) -> Self {
        Arguments {
            config: LaunchConfig { grid: [0; 3], block: [1; 3], ..LaunchConfig::default() },
            values: vec![[0; 8]; parameters].into(),
            places: vec![std::ptr::null_mut(); parameters].into(),
        }
    }

    /// Fills in the pointers.
    #[inline]
    fn place(&mut self, parameters: &[ProgramParameter], views: &StepViews<'_>) -> Result<()> {
        for ((value, place), &parameter) in self.values.iter_mut().zip(&mut self.places).zip(parameters) {
            let address = match parameter {
                ProgramParameter::Input(index) => Some(views.input_address(index)?),
                ProgramParameter::Output(index) => Some(views.output_address(index)?),
                ProgramParameter::Workspace => Some(views.workspace_address()?),
                _ => None,
            };
            if let Some(address) = address {
                *value = address.to_ne_bytes();
            }
            *place = std::ptr::from_mut(value).cast();
        }
        Ok(())
    }
}

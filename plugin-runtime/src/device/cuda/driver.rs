//! The driver: whether it is there, and what it answers.

use std::panic::catch_unwind;
use std::sync::OnceLock;

use cudarc::driver::sys::{self, CUresult};

use super::gpu::Gpu;
use crate::error::{Error, ErrorKind, Result};
use crate::guard::discard;

/// The oldest driver that has all that is called, as `cuDriverGetVersion` counts: CUDA 12.8, for `cuEventElapsedTime_v2`.
const OLDEST: i32 = 12080;

/// What is said where a driver is there that isn't one, or is too old to say how old.
const LACKS_FUNCTIONS: &str = "the CUDA driver lacks functions that are needed: update NVIDIA's driver";

/// A call of the driver that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {code} ({reason}){}", if *.lost { LOST } else { "" })]
pub struct DeviceError {
    /// What was called.
    pub call: String,
    /// The driver's name of the error, such as `CUDA_ERROR_OUT_OF_MEMORY`.
    pub code: String,
    /// What the driver says of it.
    pub reason: String,
    /// Whether the GPU can't be used by this process any more.
    pub lost: bool,
}

const LOST: &str = "; what this process had on the GPU is lost: its memory, streams and engines there can't be used any \
                    more, and only a new process can use the GPU again; host memory, other GPUs and other processes aren't \
                    affected";

impl DeviceError {
    /// Whether the device had too little memory.
    pub fn is_out_of_memory(&self) -> bool {
        self.code == "CUDA_ERROR_OUT_OF_MEMORY"
    }
}

impl From<DeviceError> for Error {
    fn from(error: DeviceError) -> Self {
        let kind = match &error {
            error if error.lost => ErrorKind::DeviceLost,
            error if error.is_out_of_memory() => ErrorKind::OutOfMemory,
            _ => ErrorKind::Device,
        };
        Error::from_error(kind, error)
    }
}

/// Turns a driver's answer into a result.
#[inline]
pub(super) fn check(code: CUresult, call: &'static str) -> Result<()> {
    match code {
        CUresult::CUDA_SUCCESS => Ok(()),
        code => Err(failed(code, call)),
    }
}

#[cold]
fn failed(code: CUresult, call: &'static str) -> Error {
    let reason = cudarc::driver::DriverError(code).error_string().map(|text| text.to_string_lossy().into_owned());
    let reason = reason.unwrap_or_else(|_| "the driver doesn't say more".into());
    let lost = loses_the_context(code);
    DeviceError { call: call.into(), code: format!("{code:?}"), reason, lost }.into()
}

/// Whether nothing works any more in a context after this error.
fn loses_the_context(code: CUresult) -> bool {
    matches!(
        code,
        CUresult::CUDA_ERROR_ILLEGAL_ADDRESS
            | CUresult::CUDA_ERROR_LAUNCH_TIMEOUT
            | CUresult::CUDA_ERROR_ASSERT
            | CUresult::CUDA_ERROR_HARDWARE_STACK_ERROR
            | CUresult::CUDA_ERROR_ILLEGAL_INSTRUCTION
            | CUresult::CUDA_ERROR_MISALIGNED_ADDRESS
            | CUresult::CUDA_ERROR_INVALID_ADDRESS_SPACE
            | CUresult::CUDA_ERROR_INVALID_PC
            | CUresult::CUDA_ERROR_LAUNCH_FAILED
            | CUresult::CUDA_ERROR_ECC_UNCORRECTABLE
            | CUresult::CUDA_ERROR_CONTEXT_IS_DESTROYED
    )
}

/// All GPUs, by ordinal; looked for once.
///
/// # Errors
/// What is missing, for each call again.
pub(crate) fn find_gpus() -> Result<&'static [Gpu]> {
    static GPUS: OnceLock<Result<Vec<Gpu>, String>> = OnceLock::new();
    let found = GPUS.get_or_init(|| {
        // A driver that lacks a function that is called makes the loader panic.
        catch_unwind(probe).unwrap_or_else(|payload| {
            discard(payload);
            Err(LACKS_FUNCTIONS.into())
        })
    });
    match found {
        Ok(gpus) => Ok(gpus),
        Err(reason) => {
            Err(Error::invalid(format_args!("device `cuda` isn't available: {reason}; or use device `cpu`")))
        }
    }
}

fn probe() -> Result<Vec<Gpu>, String> {
    // SAFETY: loads and unloads libraries by the driver's names, whose initializers are the driver's own.
    #[expect(unsafe_code, reason = "looks whether a library can be loaded")]
    let present = unsafe { sys::is_culib_present() };
    if !present {
        return Err("no CUDA driver was found: looked for libcuda.so, libcuda.so.1 and nvcuda.dll where the system's \
                    loader looks; install NVIDIA's driver, or add its folder to LD_LIBRARY_PATH"
            .into());
    }
    // SAFETY: the library is there; what is found isn't called here.
    #[expect(unsafe_code, reason = "looks up what is called before the version is known")]
    let complete = unsafe {
        let driver = sys::culib();
        ["cuInit", "cuDriverGetVersion"].into_iter().all(|name| driver.get::<unsafe extern "C" fn()>(name).is_ok())
    };
    if !complete {
        return Err(LACKS_FUNCTIONS.into());
    }
    let mut version = 0;
    // SAFETY: the library is there; the pointer is to a local.
    #[expect(unsafe_code, reason = "calls the driver")]
    let (ready, known) = unsafe { (sys::cuInit(0), sys::cuDriverGetVersion(&raw mut version)) };
    if ready == CUresult::CUDA_ERROR_NO_DEVICE {
        return Err("the CUDA driver is there, but no GPU".into());
    }
    check(ready, "cuInit")
        .and(check(known, "cuDriverGetVersion"))
        .map_err(|e| format!("the CUDA driver refuses: {e}"))?;
    if version < OLDEST {
        return Err(format!(
            "the driver supports CUDA {}, and {} is the oldest that is supported: update NVIDIA's driver",
            shown_version(version),
            shown_version(OLDEST)
        ));
    }
    let mut count = 0;
    // SAFETY: the driver was initialized; the pointer is to a local.
    #[expect(unsafe_code, reason = "calls the driver")]
    let counted = unsafe { sys::cuDeviceGetCount(&raw mut count) };
    check(counted, "cuDeviceGetCount").map_err(|e| e.to_string())?;
    (0..count).map(|ordinal| Gpu::new(ordinal, version).map_err(|e| format!("GPU {ordinal}: {e}"))).collect()
}

/// `13.0` for 13000.
pub(super) fn shown_version(version: i32) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}

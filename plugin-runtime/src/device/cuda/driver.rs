//! Errors of the driver.

use super::sys::{self, CUresult};
use std::ffi::CStr;

use crate::error::{Error, ErrorKind, Result};

/// A call of the driver that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {code} ({reason}){}", if *.lost { LOST } else { "" })]
#[non_exhaustive]
pub struct DeviceError {
    /// The function that was called.
    pub call: String,
    /// The driver's name of the error, such as `CUDA_ERROR_OUT_OF_MEMORY`.
    pub code: String,
    /// The driver's description of the error.
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
    let lost = loses_the_context(code);
    DeviceError { call: call.into(), code: format!("{code:?}"), reason: reason(code), lost }.into()
}

/// The driver's description of an error.
fn reason(code: CUresult) -> String {
    let mut text = std::ptr::null();
    // SAFETY: the pointer is to a local.
    #[expect(unsafe_code, reason = "calls the driver")]
    let answered = unsafe { sys::cuGetErrorString(code, &raw mut text) };
    if answered != CUresult::CUDA_SUCCESS || text.is_null() {
        return "the driver doesn't say more".into();
    }
    // SAFETY: the driver gives a text of its own, which ends in NUL and stays.
    #[expect(unsafe_code, reason = "reads the driver's text")]
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().into_owned()
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

/// `13.0` for 13000.
pub(super) fn shown_version(version: i32) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}

/// Calls the driver for something that isn't part of what this thread may be capturing.
pub(super) fn relaxed<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let exchange = |mode: &mut sys::CUstreamCaptureMode| {
        // SAFETY: the pointer is to a local.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuThreadExchangeStreamCaptureMode(mode) }, "cuThreadExchangeStreamCaptureMode")
    };
    let mut mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED;
    exchange(&mut mode)?;
    let done = work();
    exchange(&mut mode)?;
    done
}

//! Whether there is a driver, and which GPUs it shows.

use std::panic::catch_unwind;
use std::sync::OnceLock;

use super::sys::{self, CUresult};
use libloading::Library;

use super::driver::{check, shown_version};
use super::gpu::Gpu;
use crate::error::{Error, Result};
use crate::guard::discard;

/// The oldest driver that has all functions that are called, as `cuDriverGetVersion` counts: CUDA 12.8, for
/// `cuEventElapsedTime_v2`.
const OLDEST: i32 = 12080;

/// An error for a driver library that isn't one, or is too old to tell its version.
const LACKS_FUNCTIONS: &str = "the CUDA driver lacks functions that are needed: update NVIDIA's driver";

/// All GPUs, by ordinal; looked for once.
///
/// # Errors
/// When there is no driver or no GPU: says what is missing, at each call.
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
    if cfg!(not(feature = "cuda")) {
        return Err("this was built without the feature `cuda` of plugin-runtime".into());
    }
    let Some(library) = library() else {
        return Err("no CUDA driver was found: looked for libcuda.so, libcuda.so.1 and nvcuda.dll where the system's \
                    loader looks; install NVIDIA's driver, or add its folder to LD_LIBRARY_PATH"
            .into());
    };
    // SAFETY: what is found isn't called here.
    #[expect(unsafe_code, reason = "looks up what is called before the version is known")]
    let has = |name: &str| unsafe { library.get::<unsafe extern "C" fn()>(name.as_bytes()) }.is_ok();
    if !["cuInit", "cuDriverGetVersion"].into_iter().all(has) {
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

/// The driver's library, by the names that calls of it look for.
fn library() -> Option<Library> {
    // SAFETY: the initializers are the driver's own.
    #[expect(unsafe_code, reason = "looks whether a library can be loaded")]
    ["libcuda.so", "libcuda.so.1", "nvcuda.dll"].into_iter().find_map(|name| unsafe { Library::new(name) }.ok())
}

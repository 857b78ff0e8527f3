//! One GPU: what it is, its context and its memory pool.

use std::cell::Cell;
use std::ffi::CStr;
use std::sync::OnceLock;

use super::sys::{self, CUcontext, CUdevice, CUdevice_attribute as Attribute, CUmemoryPool};

use super::Architecture;
use super::driver::{check, shown_version};
use crate::error::Result;

thread_local! {
    /// The GPU that was bound last on this thread.
    static BOUND: Cell<i32> = const { Cell::new(-1) };
}

/// The compute capability, and the driver's version, from which on programmatic dependent launches can be recorded.
const DEPENDENT_LAUNCHES: ((u32, u32), i32) = ((9, 0), 12030);

/// Properties of a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CudaProperties {
    /// The model, such as `NVIDIA H200`.
    pub name: String,
    /// Major and minor.
    pub compute_capability: (u32, u32),
    /// How many multiprocessors it has.
    pub multiprocessors: u32,
    /// The most threads per block.
    pub max_threads_per_block: u32,
    /// The most threads of a block in x, y and z.
    pub max_block: [u32; 3],
    /// The most blocks in x, y and z.
    pub max_grid: [u32; 3],
    /// Shared memory per block without opt-in, in bytes.
    pub shared_bytes_per_block: u32,
    /// Shared memory per block with opt-in, in bytes.
    pub shared_bytes_per_block_optin: u32,
    /// The second-level cache, in bytes.
    pub l2_bytes: usize,
    /// The memory, in bytes.
    pub total_bytes: usize,
    /// The CUDA version that the driver supports, such as `13.0`.
    pub driver: String,
}

/// A guard: a GPU's context is current on the thread, and the one before is restored when this is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Bound {
    /// The context to restore; null where there is none.
    previous: CUcontext,
}

impl Drop for Bound {
    #[inline]
    fn drop(&mut self) {
        if !self.previous.is_null() {
            BOUND.set(-1);
            // SAFETY: the context was this thread's when it was replaced, and belongs to who made it so.
            #[expect(unsafe_code, reason = "calls the driver")]
            let _ = unsafe { sys::cuCtxSetCurrent(self.previous) };
        }
    }
}

/// One GPU of this machine. Its context is made at first use and stays as long as the process.
#[derive(Debug)]
pub(crate) struct Gpu {
    ordinal: i32,
    device: CUdevice,
    properties: CudaProperties,
    launches_dependents: bool,
    opened: OnceLock<Result<Opened>>,
}

#[derive(Debug)]
struct Opened {
    context: CUcontext,
    pool: CUmemoryPool,
}

// SAFETY: contexts and pools are handles that the driver allows every thread to use.
#[expect(unsafe_code, reason = "handles of a driver that locks by itself")]
unsafe impl Send for Opened {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "handles of a driver that locks by itself")]
unsafe impl Sync for Opened {}

impl PartialEq for Gpu {
    fn eq(&self, other: &Self) -> bool {
        self.ordinal == other.ordinal
    }
}

impl Eq for Gpu {}

impl Gpu {
    pub(super) fn new(ordinal: i32, driver: i32) -> Result<Gpu> {
        let mut device = 0;
        // SAFETY: the driver was initialized; the pointer is to a local.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuDeviceGet(&raw mut device, ordinal) }, "cuDeviceGet")?;
        let properties = properties(device, driver)?;
        let launches_dependents =
            properties.compute_capability >= DEPENDENT_LAUNCHES.0 && driver >= DEPENDENT_LAUNCHES.1;
        Ok(Gpu { ordinal, device, properties, launches_dependents, opened: OnceLock::new() })
    }

    /// From 0, as the driver counts.
    pub(crate) fn ordinal(&self) -> usize {
        self.ordinal as usize
    }

    pub(crate) fn properties(&self) -> &CudaProperties {
        &self.properties
    }

    /// Whether it knows programmatic dependent launches, recorded ones too.
    #[inline]
    pub(super) fn launches_dependents(&self) -> bool {
        self.launches_dependents
    }

    pub(crate) fn architecture(&self) -> Architecture {
        let (major, minor) = self.properties.compute_capability;
        Architecture { major, minor }
    }

    #[inline]
    fn opened(&self) -> Result<&Opened> {
        match self.opened.get_or_init(|| self.open()) {
            Ok(opened) => Ok(opened),
            Err(error) => Err(error.clone()),
        }
    }

    /// Makes its context current on the calling thread, until the guard is dropped. A thread that had none keeps this
    /// one.
    #[inline]
    pub(crate) fn bind(&self) -> Result<Bound> {
        let opened = self.opened()?;
        let current = current_context()?;
        if current == opened.context {
            BOUND.set(self.ordinal);
            return Ok(Bound { previous: std::ptr::null_mut() });
        }
        // SAFETY: the context was retained and is never released.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuCtxSetCurrent(opened.context) }, "cuCtxSetCurrent")?;
        BOUND.set(self.ordinal);
        Ok(Bound { previous: current })
    }

    /// As [`Gpu::bind`], without asking the driver where this thread did it last. Where other code changed the thread's
    /// context since, launches bind again.
    #[inline]
    pub(crate) fn bind_again(&self) -> Result<Option<Bound>> {
        if self.is_bound() { Ok(None) } else { self.bind().map(Some) }
    }

    /// Whether its context was the last that this thread was given here.
    #[inline]
    pub(crate) fn is_bound(&self) -> bool {
        BOUND.get() == self.ordinal
    }

    /// Whether its context is current on the calling thread. [`Gpu::bind_again`] goes by that, until other code runs.
    #[cfg(feature = "tensorrt")]
    #[inline]
    pub(crate) fn is_current(&self) -> Result<bool> {
        let is_current = current_context()? == self.opened()?.context;
        BOUND.set(if is_current { self.ordinal } else { -1 });
        Ok(is_current)
    }

    pub(super) fn pool(&self) -> Result<CUmemoryPool> {
        Ok(self.opened()?.pool)
    }

    /// Free and total memory in bytes, as the driver sees it.
    pub(crate) fn memory(&self) -> Result<(usize, usize)> {
        let _bound = self.bind()?;
        let (mut free, mut total) = (0, 0);
        // SAFETY: the pointers are to locals; a context is current.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuMemGetInfo_v2(&raw mut free, &raw mut total) }, "cuMemGetInfo")?;
        Ok((free, total))
    }

    fn open(&self) -> Result<Opened> {
        let (mut context, mut pool) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the device is the driver's; the pointer is to a local. What is retained is never released.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuDevicePrimaryCtxRetain(&raw mut context, self.device) }, "cuDevicePrimaryCtxRetain")?;
        let mut previous = std::ptr::null_mut();
        // SAFETY: the context was retained; the pointer is to a local.
        #[expect(unsafe_code, reason = "calls the driver")]
        let set = unsafe { (sys::cuCtxGetCurrent(&raw mut previous), sys::cuCtxSetCurrent(context)) };
        check(set.0, "cuCtxGetCurrent").and(check(set.1, "cuCtxSetCurrent"))?;
        let _bound = Bound { previous };
        // SAFETY: all zeros are a valid value of this plain struct: no handle type, no limit.
        #[expect(unsafe_code, reason = "a C struct whose rest has to be zero")]
        let mut wanted: sys::CUmemPoolProps = unsafe { std::mem::zeroed() };
        wanted.allocType = sys::CUmemAllocationType::CU_MEM_ALLOCATION_TYPE_PINNED;
        wanted.location.type_ = sys::CUmemLocationType::CU_MEM_LOCATION_TYPE_DEVICE;
        wanted.location.id = self.ordinal;
        // SAFETY: both pointers are to locals.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuMemPoolCreate(&raw mut pool, &raw const wanted) }, "cuMemPoolCreate")?;
        let mut keep = u64::MAX;
        let threshold = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        // SAFETY: the attribute is a 64-bit number, which the pointer is to.
        #[expect(unsafe_code, reason = "calls the driver")]
        let code = unsafe { sys::cuMemPoolSetAttribute(pool, threshold, (&raw mut keep).cast()) };
        check(code, "cuMemPoolSetAttribute")?;
        Ok(Opened { context, pool })
    }
}

/// The calling thread's; null where it has none.
#[inline]
fn current_context() -> Result<CUcontext> {
    let mut current = std::ptr::null_mut();
    // SAFETY: the pointer is to a local.
    #[expect(unsafe_code, reason = "calls the driver")]
    check(unsafe { sys::cuCtxGetCurrent(&raw mut current) }, "cuCtxGetCurrent")?;
    Ok(current)
}

/// The GPU whose context is current on the calling thread, from 0; where there is none the first, as CUDA's own libraries
/// have it.
///
/// # Errors
/// When there is no driver, or it doesn't tell.
#[cfg(feature = "tensorrt")]
#[inline]
pub(crate) fn current() -> Result<usize> {
    super::find_gpus()?;
    let mut device = 0;
    // SAFETY: the driver was initialized; the pointer is to a local.
    #[expect(unsafe_code, reason = "calls the driver")]
    let code = unsafe { sys::cuCtxGetDevice(&raw mut device) };
    if code == sys::CUresult::CUDA_ERROR_INVALID_CONTEXT {
        return Ok(0);
    }
    check(code, "cuCtxGetDevice")?;
    // The driver numbers devices as they are counted.
    Ok(usize::try_from(device).unwrap_or(0))
}

fn attribute(device: CUdevice, attribute: Attribute) -> Result<u32> {
    let mut value = 0;
    // SAFETY: the device is the driver's; the pointer is to a local.
    #[expect(unsafe_code, reason = "calls the driver")]
    check(unsafe { sys::cuDeviceGetAttribute(&raw mut value, attribute, device) }, "cuDeviceGetAttribute")?;
    Ok(u32::try_from(value).unwrap_or(0))
}

/// The model, such as `NVIDIA H200`.
fn name(device: CUdevice) -> Result<String> {
    const LONGEST: u8 = 128;
    let mut text = [0_u8; LONGEST as usize];
    // SAFETY: the device is the driver's; it writes at most as many bytes as there are.
    #[expect(unsafe_code, reason = "calls the driver")]
    let code = unsafe { sys::cuDeviceGetName(text.as_mut_ptr().cast(), LONGEST.into(), device) };
    check(code, "cuDeviceGetName")?;
    Ok(CStr::from_bytes_until_nul(&text).unwrap_or_default().to_string_lossy().into_owned())
}

fn properties(device: CUdevice, driver: i32) -> Result<CudaProperties> {
    let get = |wanted| attribute(device, wanted);
    let mut total_bytes = 0;
    // SAFETY: the device is the driver's; the pointer is to a local.
    #[expect(unsafe_code, reason = "calls the driver")]
    check(unsafe { sys::cuDeviceTotalMem_v2(&raw mut total_bytes, device) }, "cuDeviceTotalMem")?;
    Ok(CudaProperties {
        name: name(device)?,
        compute_capability: (
            get(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            get(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        ),
        multiprocessors: get(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
        max_threads_per_block: get(Attribute::CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK)?,
        max_block: [
            get(Attribute::CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X)?,
            get(Attribute::CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y)?,
            get(Attribute::CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z)?,
        ],
        max_grid: [
            get(Attribute::CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X)?,
            get(Attribute::CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y)?,
            get(Attribute::CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z)?,
        ],
        shared_bytes_per_block: get(Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK)?,
        shared_bytes_per_block_optin: get(Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?,
        l2_bytes: get(Attribute::CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE)? as usize,
        total_bytes,
        driver: shown_version(driver),
    })
}

//! Compiled kernels, loaded into a GPU.

use std::ffi::{CString, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::sys::{
    self, CUfunction, CUfunction_attribute as Attribute, CUlaunchAttribute, CUlaunchAttributeID, CUlaunchConfig,
    CUmodule, CUresult,
};

use super::driver::{check, relaxed};
use super::gpu::Gpu;
use super::launch::LaunchConfig;
use super::stream::CudaStream;
use crate::error::{Error, Result};

/// An image of kernels in a GPU.
#[derive(Debug)]
pub(crate) struct Module {
    gpu: &'static Gpu,
    raw: CUmodule,
}

// SAFETY: the driver allows every thread to use a module.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Send for Module {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Sync for Module {}

impl Module {
    /// Loads a cubin, fat binary, or PTX that ends in NUL. The driver reads as far as the image says, so images from
    /// strangers have to be checked before.
    pub(crate) fn load(gpu: &'static Gpu, image: &[u8]) -> Result<Arc<Module>> {
        let _bound = gpu.bind()?;
        let mut raw = std::ptr::null_mut();
        // A first launch may be where the thread captures a stream, and loading isn't part of that.
        relaxed(|| {
            // SAFETY: the image lives during the call; the pointer is to a local; a context is current.
            #[expect(unsafe_code, reason = "calls the driver")]
            let code = unsafe { sys::cuModuleLoadData(&raw mut raw, image.as_ptr().cast()) };
            check(code, "cuModuleLoadData").map_err(|error| unloadable(code, gpu, error))
        })?;
        Ok(Arc::new(Module { gpu, raw }))
    }

    /// One of its kernels. `parameters` are the sizes that will be given to it.
    pub(crate) fn function(self: &Arc<Self>, name: &str, parameters: Option<&[usize]>) -> Result<Function> {
        let _bound = self.gpu.bind()?;
        let text = CString::new(name).map_err(|_| Error::invalid("a kernel's name can't hold NUL"))?;
        let mut raw = std::ptr::null_mut();
        // SAFETY: the module lives; the name ends in NUL; the pointer is to a local.
        #[expect(unsafe_code, reason = "calls the driver")]
        let mut find = || unsafe { sys::cuModuleGetFunction(&raw mut raw, self.raw, text.as_ptr()) };
        let code = relaxed(|| Ok(find()))?;
        if code == CUresult::CUDA_ERROR_NOT_FOUND {
            return Err(Error::invalid(format_args!(
                "there is no kernel `{name}` in the image: declare it extern \"C\" __global__, under this name"
            )));
        }
        check(code, "cuModuleGetFunction")?;
        let function = |attribute| {
            let mut value = 0;
            // SAFETY: the function was just found; the pointer is to a local.
            #[expect(unsafe_code, reason = "calls the driver")]
            check(unsafe { sys::cuFuncGetAttribute(&raw mut value, attribute, raw) }, "cuFuncGetAttribute")?;
            Ok::<u32, Error>(u32::try_from(value).unwrap_or(0))
        };
        let found = Function {
            raw,
            max_threads: function(Attribute::CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK)?,
            shared_limit: AtomicU32::new(function(Attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)?),
            module: self.clone(),
        };
        if let Some(expected) = parameters {
            let compiled = found.parameters()?;
            if compiled != expected {
                return Err(Error::invalid(format_args!(
                    "kernel `{name}` takes {}, but is given {}",
                    shown_sizes(&compiled),
                    shown_sizes(expected)
                )));
            }
        }
        Ok(found)
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // SAFETY: nobody else has it; contexts wait for their runs before they let go of it.
        #[expect(unsafe_code, reason = "calls the driver")]
        let _ = self.gpu.bind().map(|_bound| unsafe { sys::cuModuleUnload(self.raw) });
    }
}

fn unloadable(code: CUresult, gpu: &Gpu, error: Error) -> Error {
    let advice = match code {
        CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU => "it holds no code for this GPU: compile it for this architecture",
        CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION => {
            "its PTX is newer than the driver: update the driver, or compile to a cubin or with an older compiler"
        }
        CUresult::CUDA_ERROR_INVALID_PTX => "its PTX isn't valid",
        CUresult::CUDA_ERROR_INVALID_IMAGE => "it is neither a cubin nor PTX that this driver reads",
        _ => return error,
    };
    let properties = gpu.properties();
    Error::invalid(format_args!(
        "the kernel image can't be loaded on {} ({}, driver for CUDA {}): {advice}; {error}",
        properties.name,
        gpu.architecture(),
        properties.driver
    ))
}

/// The attribute of a launch whose blocks may start before the kernel ahead has ended.
fn programmatic_stream_serialization() -> CUlaunchAttribute {
    // SAFETY: all zeros are a valid value of this plain struct.
    #[expect(unsafe_code, reason = "a C struct whose rest has to be zero")]
    let mut attribute: CUlaunchAttribute = unsafe { std::mem::zeroed() };
    attribute.id = CUlaunchAttributeID::CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    attribute.value.programmaticStreamSerializationAllowed = 1;
    attribute
}

/// `3 parameters of 8, 8, 4 bytes`
pub(super) fn shown_sizes(sizes: &[usize]) -> String {
    match sizes {
        [] => "no parameters".into(),
        [one] => format!("1 parameter of {one} bytes"),
        many => {
            let sizes: Vec<String> = many.iter().map(usize::to_string).collect();
            format!("{} parameters of {} bytes", many.len(), sizes.join(", "))
        }
    }
}

/// A kernel in a GPU.
#[derive(Debug)]
pub(crate) struct Function {
    raw: CUfunction,
    max_threads: u32,
    /// The most dynamic shared memory that it may be launched with at present.
    shared_limit: AtomicU32,
    module: Arc<Module>,
}

// SAFETY: the driver allows every thread to use a function; its module lives as long.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Send for Function {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Sync for Function {}

impl Function {
    /// The sizes of its parameters in bytes, as they were compiled.
    pub(crate) fn parameters(&self) -> Result<Vec<usize>> {
        let mut sizes = Vec::new();
        loop {
            let (mut offset, mut size) = (0, 0);
            // SAFETY: the function lives; the pointers are to locals.
            #[expect(unsafe_code, reason = "calls the driver")]
            let code = unsafe { sys::cuFuncGetParamInfo(self.raw, sizes.len(), &raw mut offset, &raw mut size) };
            if code == CUresult::CUDA_ERROR_INVALID_VALUE {
                return Ok(sizes);
            }
            check(code, "cuFuncGetParamInfo")?;
            sizes.push(size);
        }
    }

    /// Launches it. Allocates nothing.
    ///
    /// # Errors
    /// When `config` is beyond what the device or the kernel allows, or the driver refuses.
    ///
    /// # Safety
    /// `arguments` points to one pointer per parameter, each to a value of the parameter's size.
    #[expect(unsafe_code, reason = "the driver reads what the pointers point to")]
    #[inline]
    pub(super) unsafe fn launch(
        &self,
        name: &str,
        stream: &CudaStream,
        config: &LaunchConfig,
        arguments: *mut *mut c_void,
    ) -> Result<()> {
        if config.is_empty() {
            return Ok(());
        }
        if config.shared_bytes > self.shared_limit.load(Ordering::Relaxed) {
            self.allow_shared(name, config)?;
        }
        // SAFETY: the caller vouches for the arguments.
        let code = unsafe { self.enqueue(stream, config, arguments) };
        if code == CUresult::CUDA_SUCCESS {
            return Ok(());
        }
        // SAFETY: as before.
        unsafe { self.launch_again(code, name, stream, config, arguments) }
    }

    /// Launches it where the driver just refused to, if only the thread's context was in the way.
    ///
    /// # Safety
    /// As [`Function::launch`].
    #[expect(unsafe_code, reason = "the driver reads what the pointers point to")]
    #[cold]
    unsafe fn launch_again(
        &self,
        refused: CUresult,
        name: &str,
        stream: &CudaStream,
        config: &LaunchConfig,
        arguments: *mut *mut c_void,
    ) -> Result<()> {
        let mut code = refused;
        if matches!(code, CUresult::CUDA_ERROR_INVALID_CONTEXT | CUresult::CUDA_ERROR_INVALID_HANDLE) {
            let _bound = self.module.gpu.bind()?;
            // SAFETY: the caller vouches for the arguments.
            code = unsafe { self.enqueue(stream, config, arguments) };
        }
        check(code, "cuLaunchKernel").map_err(|error| self.refused(name, config, error))
    }

    /// # Safety
    /// As [`Function::launch`].
    #[expect(unsafe_code, reason = "the driver reads what the pointers point to")]
    #[inline]
    unsafe fn enqueue(&self, stream: &CudaStream, config: &LaunchConfig, arguments: *mut *mut c_void) -> CUresult {
        if config.dependent && self.module.gpu.launches_dependents() {
            // SAFETY: the caller vouches for the arguments.
            return unsafe { self.enqueue_dependent(stream, config, arguments) };
        }
        let [grid_x, grid_y, grid_z] = config.grid;
        let [block_x, block_y, block_z] = config.block;
        let (shared, queue, nothing) = (config.shared_bytes, stream.raw(), std::ptr::null_mut());
        // SAFETY: the function lives, and so does the stream; the caller vouches for the arguments.
        unsafe {
            sys::cuLaunchKernel(
                self.raw, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared, queue, arguments, nothing,
            )
        }
    }

    /// # Safety
    /// As [`Function::launch`].
    #[expect(unsafe_code, reason = "the driver reads what the pointers point to")]
    #[inline(never)]
    unsafe fn enqueue_dependent(
        &self,
        stream: &CudaStream,
        config: &LaunchConfig,
        arguments: *mut *mut c_void,
    ) -> CUresult {
        let mut attribute = programmatic_stream_serialization();
        let launch = CUlaunchConfig {
            gridDimX: config.grid[0],
            gridDimY: config.grid[1],
            gridDimZ: config.grid[2],
            blockDimX: config.block[0],
            blockDimY: config.block[1],
            blockDimZ: config.block[2],
            sharedMemBytes: config.shared_bytes,
            hStream: stream.raw(),
            attrs: &raw mut attribute,
            numAttrs: 1,
        };
        // SAFETY: the function lives, and so does the stream; the configuration and its attribute live during the call;
        // the caller vouches for the arguments.
        unsafe { sys::cuLaunchKernelEx(&raw const launch, self.raw, arguments, std::ptr::null_mut()) }
    }

    #[cold]
    fn allow_shared(&self, name: &str, config: &LaunchConfig) -> Result<()> {
        let attribute = Attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        let wanted = i32::try_from(config.shared_bytes).unwrap_or(i32::MAX);
        // SAFETY: the function lives.
        #[expect(unsafe_code, reason = "calls the driver")]
        let code = unsafe { sys::cuFuncSetAttribute(self.raw, attribute, wanted) };
        check(code, "cuFuncSetAttribute").map_err(|error| self.refused(name, config, error))?;
        self.shared_limit.fetch_max(config.shared_bytes, Ordering::Relaxed);
        Ok(())
    }

    #[cold]
    fn refused(&self, name: &str, config: &LaunchConfig, error: Error) -> Error {
        let gpu = self.module.gpu;
        match config.beyond_limits(gpu.properties(), self.max_threads) {
            Some(what) => Error::plugin(format_args!("kernel `{name}` can't be launched with {what}")),
            None => Error::plugin(format_args!(
                "kernel `{name}` can't be launched with {:?} blocks of {:?} threads and {} bytes of shared memory: {error}",
                config.grid, config.block, config.shared_bytes
            )),
        }
    }
}

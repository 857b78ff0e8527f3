//! Another user of the driver: streams, memory and graphs that plugin-runtime knows nothing of.

#![expect(unsafe_code, reason = "calls the driver, as a host does")]

use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;

use libloading::Library;
use tests::tensorrt::{Kernel, Launch};

/// The driver, called directly.
pub(crate) struct Driver(Library);

macro_rules! calls {
    ($($method:ident = $symbol:literal ($($name:ident: $ty:ty),*);)*) => {
        impl Driver {
            $(
                fn $method(&self, $($name: $ty),*) {
                    let symbol = concat!($symbol, "\0").as_bytes();
                    // SAFETY: the signature is the driver's; pointers are to locals of the callers here.
                    let code = unsafe {
                        let call = self.0.get::<unsafe extern "C" fn($($ty),*) -> c_int>(symbol).expect($symbol);
                        call($($name),*)
                    };
                    assert_eq!(code, 0, $symbol);
                }
            )*
        }
    };
}

calls! {
    retain = "cuDevicePrimaryCtxRetain"(context: *mut *mut c_void, device: c_int);
    get_current = "cuCtxGetCurrent"(context: *mut *mut c_void);
    set_current = "cuCtxSetCurrent"(context: *mut c_void);
    create_context = "cuCtxCreate_v2"(context: *mut *mut c_void, flags: c_uint, device: c_int);
    destroy_context = "cuCtxDestroy_v2"(context: *mut c_void);
    create_stream = "cuStreamCreate"(stream: *mut *mut c_void, flags: c_uint);
    destroy_stream = "cuStreamDestroy_v2"(stream: *mut c_void);
    synchronize_stream = "cuStreamSynchronize"(stream: *mut c_void);
    allocate = "cuMemAlloc_v2"(address: *mut u64, bytes: usize);
    free = "cuMemFree_v2"(address: u64);
    upload = "cuMemcpyHtoD_v2"(to: u64, from: *const c_void, bytes: usize);
    download = "cuMemcpyDtoH_v2"(to: *mut c_void, from: u64, bytes: usize);
    copy_async = "cuMemcpyDtoDAsync_v2"(to: u64, from: u64, bytes: usize, stream: *mut c_void);
    begin_capture = "cuStreamBeginCapture_v2"(stream: *mut c_void, mode: c_int);
    end_capture = "cuStreamEndCapture"(stream: *mut c_void, graph: *mut *mut c_void);
    instantiate = "cuGraphInstantiateWithFlags"(graph: *mut *mut c_void, of: *mut c_void, flags: u64);
    launch = "cuGraphLaunch"(graph: *mut c_void, stream: *mut c_void);
    destroy_instance = "cuGraphExecDestroy"(graph: *mut c_void);
    destroy_graph = "cuGraphDestroy"(graph: *mut c_void);
    load_module = "cuModuleLoadData"(module: *mut *mut c_void, image: *const c_void);
    unload_module = "cuModuleUnload"(module: *mut c_void);
    get_function = "cuModuleGetFunction"(function: *mut *mut c_void, module: *mut c_void, name: *const c_char);
    launch_kernel = "cuLaunchKernel"(
        function: *mut c_void, grid_x: c_uint, grid_y: c_uint, grid_z: c_uint, block_x: c_uint, block_y: c_uint,
        block_z: c_uint, shared: c_uint, stream: *mut c_void, parameters: *mut *mut c_void, extra: *mut *mut c_void
    );
}

impl Driver {
    /// Makes the primary context of the first GPU the thread's.
    pub(crate) fn new() -> Driver {
        let names = ["libcuda.so.1", "libcuda.so", "nvcuda.dll"];
        // SAFETY: the initializers are the driver's own.
        let library = names.iter().find_map(|name| unsafe { Library::new(*name) }.ok()).expect("a GPU has a driver");
        let driver = Driver(library);
        let mut context = null_mut();
        driver.retain(&mut context, 0);
        driver.set_current(context);
        driver
    }

    pub(crate) fn current(&self) -> *mut c_void {
        let mut context = null_mut();
        self.get_current(&mut context);
        context
    }

    /// Runs `work` with a context of its own as the thread's.
    pub(crate) fn in_another_context(&self, work: impl FnOnce(*mut c_void)) {
        let before = self.current();
        let mut context = null_mut();
        self.create_context(&mut context, 0, 0);
        work(context);
        self.destroy_context(context);
        self.set_current(before);
    }

    pub(crate) fn stream(&self) -> *mut c_void {
        let mut stream = null_mut();
        self.create_stream(&mut stream, 1);
        stream
    }

    pub(crate) fn destroy(&self, stream: *mut c_void) {
        self.destroy_stream(stream);
    }

    pub(crate) fn synchronize(&self, stream: *mut c_void) {
        self.synchronize_stream(stream);
    }

    /// Runs what `enqueue` puts into a stream `times` times, as a graph.
    pub(crate) fn captured(
        &self,
        stream: *mut c_void,
        enqueue: impl FnOnce(),
        between: &mut dyn FnMut(),
        times: usize,
    ) {
        const GLOBAL: c_int = 0;
        let (mut graph, mut instance) = (null_mut(), null_mut());
        self.begin_capture(stream, GLOBAL);
        let enqueued = catch_unwind(AssertUnwindSafe(enqueue));
        if let Err(panic) = enqueued {
            // Others may go on, and the first mistake is what is told.
            let _ = catch_unwind(AssertUnwindSafe(|| self.end_capture(stream, &mut graph)));
            resume_unwind(panic);
        }
        self.end_capture(stream, &mut graph);
        self.instantiate(&mut instance, graph, 0);
        for _ in 0..times {
            between();
            self.launch(instance, stream);
            self.synchronize(stream);
        }
        self.destroy_instance(instance);
        self.destroy_graph(graph);
    }

    /// Waits for bytes that were copied from the host: the call may return before they are there, and streams that don't
    /// wait for the default one would read too early.
    fn arrived(&self) {
        self.synchronize_stream(null_mut());
    }

    /// Copies bytes on the GPU, in the order of a stream.
    pub(crate) fn copy(&self, from: *mut c_void, to: *mut c_void, bytes: usize, stream: *mut c_void) {
        self.copy_async(to.addr() as u64, from.addr() as u64, bytes, stream);
    }

    /// Floats that are at an address now.
    pub(crate) fn floats_at(&self, address: usize, count: usize) -> Vec<f32> {
        let mut values = vec![0.0f32; count];
        self.download(values.as_mut_ptr().cast(), address as u64, count * size_of::<f32>());
        values
    }

    pub(crate) fn memory<'d>(&'d self, values: &[f32]) -> Memory<'d> {
        let mut address = 0;
        self.allocate(&mut address, size_of_val(values).max(1));
        let memory = Memory { driver: self, address, len: values.len() };
        memory.write(values);
        memory
    }
}

/// A kernel of a plan, on the GPU.
pub(crate) struct Loaded<'d> {
    driver: &'d Driver,
    module: *mut c_void,
    function: *mut c_void,
}

impl Driver {
    /// Loads a kernel's image.
    pub(crate) fn loaded(&self, kernel: &Kernel) -> Loaded<'_> {
        let (mut module, mut function) = (null_mut(), null_mut());
        self.load_module(&raw mut module, kernel.image.as_ptr().cast());
        let name = CString::new(kernel.name.as_str()).expect("no 0");
        self.get_function(&raw mut function, module, name.as_ptr());
        Loaded { driver: self, module, function }
    }
}

impl Loaded<'_> {
    /// Launches it as TensorRT does: with the inputs' addresses, the arguments, the outputs' addresses. A grid with an extent
    /// of 0 isn't launched.
    pub(crate) fn launch(
        &self,
        launch: &Launch,
        inputs: &[*const c_void],
        outputs: &[*mut c_void],
        stream: *mut c_void,
    ) {
        let dimensions = launch.dimensions.map(|dimension| dimension.expect("all are given") as c_uint);
        let [grid_x, grid_y, grid_z, block_x, block_y, block_z, shared] = dimensions;
        if [grid_x, grid_y, grid_z].contains(&0) {
            return;
        }
        let inputs = inputs.iter().map(|input| input.expose_provenance() as u64);
        let arguments =
            launch.arguments.iter().map(|&argument| u64::from(i32::try_from(argument).expect("32 bits") as u32));
        let outputs = outputs.iter().map(|output| output.expose_provenance() as u64);
        let mut values: Vec<u64> = inputs.chain(arguments).chain(outputs).collect();
        let mut places: Vec<*mut c_void> = values.iter_mut().map(|value| std::ptr::from_mut(value).cast()).collect();
        self.driver.launch_kernel(
            self.function,
            grid_x,
            grid_y,
            grid_z,
            block_x,
            block_y,
            block_z,
            shared,
            stream,
            places.as_mut_ptr(),
            null_mut(),
        );
    }
}

impl Drop for Loaded<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.driver.unload_module(self.module);
        }
    }
}

impl Driver {
    /// Memory that holds these bytes.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Bytes<'_> {
        let mut address = 0;
        self.allocate(&mut address, bytes.len().max(1));
        let memory = Bytes { driver: self, address, len: bytes.len() };
        memory.write(bytes);
        memory
    }
}

/// Bytes in a GPU's memory.
pub(crate) struct Bytes<'d> {
    driver: &'d Driver,
    address: u64,
    len: usize,
}

impl Bytes<'_> {
    pub(crate) fn address(&self) -> *mut c_void {
        std::ptr::with_exposed_provenance_mut(self.address as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        assert_eq!(bytes.len(), self.len);
        if !bytes.is_empty() {
            self.driver.upload(self.address, bytes.as_ptr().cast(), self.len);
            self.driver.arrived();
        }
    }

    pub(crate) fn read(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        if !bytes.is_empty() {
            self.driver.download(bytes.as_mut_ptr().cast(), self.address, self.len);
        }
        bytes
    }
}

impl std::fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes at {:#x}", self.len, self.address)
    }
}

impl Drop for Bytes<'_> {
    fn drop(&mut self) {
        // A test that failed may have left a capture open, in which nothing can be freed.
        if !std::thread::panicking() {
            self.driver.free(self.address);
        }
    }
}

/// Floats in a GPU's memory.
pub(crate) struct Memory<'d> {
    driver: &'d Driver,
    address: u64,
    len: usize,
}

impl Memory<'_> {
    pub(crate) fn address(&self) -> *mut c_void {
        std::ptr::with_exposed_provenance_mut(self.address as usize)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.len * size_of::<f32>()
    }

    pub(crate) fn write(&self, values: &[f32]) {
        assert_eq!(values.len(), self.len);
        self.driver.upload(self.address, values.as_ptr().cast(), self.bytes());
        self.driver.arrived();
    }

    pub(crate) fn read(&self) -> Vec<f32> {
        self.driver.floats_at(self.address as usize, self.len)
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        // A test that failed may have left a capture open, in which nothing can be freed.
        if !std::thread::panicking() {
            self.driver.free(self.address);
        }
    }
}

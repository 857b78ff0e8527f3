//! What is used of ONNX Runtime's C interface: its structures, and the slots of its table of functions.
//!
//! The table is as long as the runtime's version says, so it is only ever read slot by slot, each where the runtime has it.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// The newest version of the interface that was looked at.
const NEWEST: u32 = 31;
/// The first that hands shapes to operators.
const OLDEST: u32 = 17;

macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Debug)]
        pub(super) struct $name([u8; 0]);
    )*};
}

opaque! {
    OrtStatus OrtSessionOptions OrtCustomOpDomain OrtValue OrtTensorTypeAndShapeInfo OrtTypeInfo OrtKernelInfo
    OrtKernelContext OrtShapeInferContext OrtOpAttr OrtAllocator OrtMemoryInfo OrtLogger OrtKeyValuePairs OrtEnv OrtSession
    OrtRunOptions OrtCudaOptions
}

/// What an operator library is given when it is loaded.
#[repr(C)]
#[derive(Debug)]
pub struct OrtApiBase {
    get_api: unsafe extern "system" fn(u32) -> *const c_void,
    version: unsafe extern "system" fn() -> *const c_char,
}

/// Null is success.
pub(super) type Status = *mut OrtStatus;

/// An operator, as the runtime reads it: the first field of our own.
#[repr(C)]
pub(super) struct OrtCustomOp {
    pub(super) version: u32,
    pub(super) create_kernel: *const c_void,
    pub(super) name: unsafe extern "system" fn(*const OrtCustomOp) -> *const c_char,
    pub(super) provider: unsafe extern "system" fn(*const OrtCustomOp) -> *const c_char,
    pub(super) input_type: unsafe extern "system" fn(*const OrtCustomOp, usize) -> c_int,
    pub(super) inputs: unsafe extern "system" fn(*const OrtCustomOp) -> usize,
    pub(super) output_type: unsafe extern "system" fn(*const OrtCustomOp, usize) -> c_int,
    pub(super) outputs: unsafe extern "system" fn(*const OrtCustomOp) -> usize,
    pub(super) compute: *const c_void,
    pub(super) destroy: unsafe extern "system" fn(*mut c_void),
    pub(super) input_characteristic: unsafe extern "system" fn(*const OrtCustomOp, usize) -> c_int,
    pub(super) output_characteristic: unsafe extern "system" fn(*const OrtCustomOp, usize) -> c_int,
    pub(super) input_memory: unsafe extern "system" fn(*const OrtCustomOp, usize) -> c_int,
    pub(super) variadic: [unsafe extern "system" fn(*const OrtCustomOp) -> c_int; 4],
    pub(super) create_kernel_v2:
        unsafe extern "system" fn(*const OrtCustomOp, *const c_void, *const OrtKernelInfo, *mut *mut c_void) -> Status,
    pub(super) compute_v2: unsafe extern "system" fn(*mut c_void, *mut OrtKernelContext) -> Status,
    pub(super) infer: unsafe extern "system" fn(*const OrtCustomOp, *mut OrtShapeInferContext) -> Status,
    pub(super) start_version: unsafe extern "system" fn(*const OrtCustomOp) -> c_int,
    pub(super) end_version: unsafe extern "system" fn(*const OrtCustomOp) -> c_int,
    pub(super) may_inplace: Option<unsafe extern "system" fn(*mut *mut c_int, *mut *mut c_int) -> usize>,
    pub(super) release_may_inplace: Option<unsafe extern "system" fn(*mut c_int, *mut c_int)>,
    pub(super) alias: *const c_void,
    pub(super) release_alias: *const c_void,
}

/// The table of functions, and how far it goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Api {
    table: *const c_void,
    version: u32,
}

// SAFETY: the table is constant and lives as long as the runtime, which outlives its operators.
#[expect(unsafe_code, reason = "a pointer to a constant table")]
unsafe impl Send for Api {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a pointer to a constant table")]
unsafe impl Sync for Api {}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ONNX Runtime 1.{}", self.version)
    }
}

impl Api {
    /// The newest version that both sides know. `None` where the runtime gives none.
    ///
    /// # Safety
    /// `base` is what the runtime gave.
    #[expect(unsafe_code, reason = "calls the runtime")]
    pub(super) unsafe fn newest(base: *const OrtApiBase) -> Option<Api> {
        // SAFETY: as the caller says; the version is a constant text.
        let (get_api, text) = unsafe { ((*base).get_api, CStr::from_ptr(((*base).version)())) };
        let version = minor_version(text.to_str().ok()?)?.min(NEWEST);
        // SAFETY: any number may be asked for; the runtime has this one.
        let table = unsafe { get_api(version) };
        (!table.is_null()).then_some(Api { table, version })
    }

    /// A table that the runtime gave for a version.
    pub(super) fn of(table: *const c_void, version: u32) -> Api {
        Api { table, version }
    }

    pub(super) fn version(self) -> u32 {
        self.version
    }

    /// # Errors
    /// Where the runtime is too old.
    pub(super) fn check_version(self) -> Result<()> {
        match self.version {
            ..OLDEST => Err(Error::invalid(format_args!(
                "this is ONNX Runtime 1.{}; plugins need 1.{OLDEST} or newer",
                self.version
            ))),
            _ => Ok(()),
        }
    }

    /// # Safety
    /// The table has this slot, and `F` is its type.
    #[inline]
    #[expect(unsafe_code, reason = "reads a slot of the runtime's table")]
    unsafe fn slot<F: Copy>(self, index: usize) -> F {
        const { assert!(size_of::<F>() == size_of::<usize>()) };
        // SAFETY: as the caller says.
        unsafe { self.table.cast::<usize>().add(index).cast::<F>().read() }
    }

    #[cold]
    fn lacks(self, function: &str, since: u32) -> Error {
        Error::invalid(format_args!("this is ONNX Runtime 1.{}: `{function}` is there from 1.{since}", self.version))
    }

    /// Takes over what the runtime says went wrong.
    #[cold]
    pub(super) fn error(self, status: Status) -> Error {
        // SAFETY: the status is the runtime's own and not null; its text lives as long as it, and it is released once.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let text = unsafe {
            let text = self.slot::<unsafe extern "system" fn(Status) -> *const c_char>(2)(status);
            let text = CStr::from_ptr(text).to_string_lossy().into_owned();
            self.slot::<unsafe extern "system" fn(Status)>(93)(status);
            text
        };
        Error::invalid(format_args!("ONNX Runtime says: {text}"))
    }

    /// What the runtime shows of an error: the kind becomes its exception's class. The code of a failed provider isn't among
    /// them, as a session would be made anew without it.
    pub(super) fn status(self, kind: ErrorKind, message: &str) -> Status {
        const FAIL: c_int = 1;
        const INVALID_ARGUMENT: c_int = 2;
        const RUNTIME_EXCEPTION: c_int = 6;
        let code = match kind {
            ErrorKind::Plugin => FAIL,
            ErrorKind::Device | ErrorKind::DeviceLost | ErrorKind::OutOfMemory | ErrorKind::Io => RUNTIME_EXCEPTION,
            _ => INVALID_ARGUMENT,
        };
        let mut text = message.replace('\0', "\u{fffd}").into_bytes();
        text.push(0);
        // SAFETY: every version has the slot; the text ends with 0 and is copied.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            self.slot::<unsafe extern "system" fn(c_int, *const c_char) -> Status>(0)(code, text.as_ptr().cast())
        }
    }
}

/// 31 of `1.31.1`.
fn minor_version(text: &str) -> Option<u32> {
    let mut parts = text.split('.');
    let major: u32 = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    if major == 1 { Some(minor) } else { Some(NEWEST) }
}

/// Functions that return a status, by slot and the first version that has them.
macro_rules! functions {
    ($($slot:literal $since:literal $name:ident($($argument:ident: $ty:ty),*);)*) => {
        impl Api {$(
            /// # Safety
            /// The arguments are as the runtime's header says.
            ///
            /// # Errors
            /// What the runtime says, or where it is too old.
            #[inline]
            #[expect(unsafe_code, reason = "calls the runtime")]
            #[allow(clippy::too_many_arguments, reason = "as many as the runtime takes")]
            pub(super) unsafe fn $name(self, $($argument: $ty),*) -> Result<()> {
                if $since > OLDEST && self.version < $since {
                    return Err(self.lacks(stringify!($name), $since));
                }
                // SAFETY: the table has the slot from this version on; the rest is as the caller says.
                let status = unsafe { self.slot::<unsafe extern "system" fn($($ty),*) -> Status>($slot)($($argument),*) };
                if status.is_null() { Ok(()) } else { Err(self.error(status)) }
            }
        )*}
    };
}

/// Functions that return nothing.
macro_rules! releases {
    ($($slot:literal $name:ident($ty:ty);)*) => {
        impl Api {$(
            /// # Safety
            /// The value is the caller's to release.
            #[inline]
            #[expect(unsafe_code, reason = "calls the runtime")]
            pub(super) unsafe fn $name(self, value: $ty) {
                // SAFETY: the slot is there wherever such a value can come from.
                unsafe { self.slot::<unsafe extern "system" fn($ty)>($slot)(value) }
            }
        )*}
    };
}

functions! {
    26 17 create_domain(name: *const c_char, domain: *mut *mut OrtCustomOpDomain);
    27 17 add_operator(domain: *mut OrtCustomOpDomain, operator: *const OrtCustomOp);
    28 17 add_domain(options: *mut OrtSessionOptions, domain: *mut OrtCustomOpDomain);
    130 17 add_config_entry(options: *mut OrtSessionOptions, key: *const c_char, value: *const c_char);
    237 17 has_config_entry(options: *const OrtSessionOptions, key: *const c_char, has: *mut c_int);

    51 17 tensor_data(value: *mut OrtValue, data: *mut *mut c_void);
    65 17 tensor_shape(value: *const OrtValue, shape: *mut *mut OrtTensorTypeAndShapeInfo);
    414 24 tensor_shape_reference(value: *const OrtValue, ty: *mut c_int, extents: *mut *const i64, count: *mut usize);

    55 17 as_tensor(info: *const OrtTypeInfo, shape: *mut *const OrtTensorTypeAndShapeInfo);
    57 17 create_shape(shape: *mut *mut OrtTensorTypeAndShapeInfo);
    58 17 set_element_type(shape: *mut OrtTensorTypeAndShapeInfo, ty: c_int);
    59 17 set_extents(shape: *mut OrtTensorTypeAndShapeInfo, extents: *const i64, count: usize);
    60 17 element_type(shape: *const OrtTensorTypeAndShapeInfo, ty: *mut c_int);
    61 17 rank(shape: *const OrtTensorTypeAndShapeInfo, rank: *mut usize);
    62 17 extents(shape: *const OrtTensorTypeAndShapeInfo, extents: *mut i64, count: usize);
    63 17 extent_names(shape: *const OrtTensorTypeAndShapeInfo, names: *mut *const c_char, count: usize);
    271 17 set_extent_names(shape: *mut OrtTensorTypeAndShapeInfo, names: *const *const c_char, count: usize);

    85 17 info_float(info: *const OrtKernelInfo, name: *const c_char, value: *mut f32);
    86 17 info_int(info: *const OrtKernelInfo, name: *const c_char, value: *mut i64);
    87 17 info_text(info: *const OrtKernelInfo, name: *const c_char, text: *mut c_char, size: *mut usize);
    162 17 info_floats(info: *const OrtKernelInfo, name: *const c_char, values: *mut f32, count: *mut usize);
    163 17 info_ints(info: *const OrtKernelInfo, name: *const c_char, values: *mut i64, count: *mut usize);
    236 17 info_tensor(info: *const OrtKernelInfo, name: *const c_char, allocator: *mut OrtAllocator, value: *mut *mut OrtValue);
    417 25 info_texts(
        info: *const OrtKernelInfo,
        name: *const c_char,
        allocator: *mut OrtAllocator,
        texts: *mut *mut *mut c_char,
        count: *mut usize
    );
    230 17 info_inputs(info: *const OrtKernelInfo, count: *mut usize);
    234 17 info_input_type(info: *const OrtKernelInfo, index: usize, ty: *mut *mut OrtTypeInfo);
    235 17 info_output_type(info: *const OrtKernelInfo, index: usize, ty: *mut *mut OrtTypeInfo);
    244 17 info_node_name(info: *const OrtKernelInfo, name: *mut c_char, size: *mut usize);
    245 17 info_logger(info: *const OrtKernelInfo, logger: *mut *const OrtLogger);
    278 18 info_allocator(info: *const OrtKernelInfo, memory: c_int, allocator: *mut *mut OrtAllocator);
    391 24 info_config(info: *const OrtKernelInfo, entries: *mut *mut OrtKeyValuePairs);

    90 17 input(context: *const OrtKernelContext, index: usize, value: *mut *const OrtValue);
    91 17 output(context: *mut OrtKernelContext, index: usize, extents: *const i64, rank: usize, value: *mut *mut OrtValue);
    193 17 gpu_stream(context: *const OrtKernelContext, stream: *mut *mut c_void);
    274 17 parallel_for(
        context: *const OrtKernelContext,
        task: unsafe extern "C" fn(*mut c_void, usize),
        tasks: usize,
        batches: usize,
        data: *mut c_void
    );
    277 18 scratch(context: *const OrtKernelContext, memory: *const OrtMemoryInfo, bytes: usize, buffer: *mut *mut c_void);

    267 17 infer_inputs(context: *const OrtShapeInferContext, count: *mut usize);
    268 17 infer_input(context: *const OrtShapeInferContext, index: usize, shape: *mut *mut OrtTensorTypeAndShapeInfo);
    269 17 infer_attribute(context: *const OrtShapeInferContext, name: *const c_char, attribute: *mut *const OrtOpAttr);
    270 17 infer_output(context: *const OrtShapeInferContext, index: usize, shape: *const OrtTensorTypeAndShapeInfo);
    272 17 read_attribute(attribute: *const OrtOpAttr, ty: c_int, data: *mut c_void, len: usize, needed: *mut usize);

    72 17 memory_id(memory: *const OrtMemoryInfo, id: *mut c_int);
    75 17 allocate(allocator: *mut OrtAllocator, bytes: usize, memory: *mut *mut c_void);
    76 17 free(allocator: *mut OrtAllocator, memory: *mut c_void);
    77 17 allocator_memory(allocator: *const OrtAllocator, memory: *mut *const OrtMemoryInfo);
    78 17 default_allocator(allocator: *mut *mut OrtAllocator);

    247 17 log(
        logger: *const OrtLogger,
        level: c_int,
        message: *const c_char,
        file: *const c_char,
        line: c_int,
        function: *const c_char
    );
    248 17 log_level(logger: *const OrtLogger, level: *mut c_int);
}

functions! {
    3 17 create_environment(level: c_int, name: *const c_char, environment: *mut *mut OrtEnv);
    7 17 create_session(
        environment: *const OrtEnv,
        path: *const c_char,
        options: *const OrtSessionOptions,
        session: *mut *mut OrtSession
    );
    8 17 create_session_of_bytes(
        environment: *const OrtEnv,
        model: *const c_void,
        bytes: usize,
        options: *const OrtSessionOptions,
        session: *mut *mut OrtSession
    );
    9 17 run(
        session: *mut OrtSession,
        options: *const OrtRunOptions,
        names: *const *const c_char,
        inputs: *const *const OrtValue,
        count: usize,
        output_names: *const *const c_char,
        output_count: usize,
        outputs: *mut *mut OrtValue
    );
    10 17 create_options(options: *mut *mut OrtSessionOptions);
    22 17 set_log_level(options: *mut OrtSessionOptions, level: c_int);
    24 17 set_threads(options: *mut OrtSessionOptions, threads: c_int);
    30 17 session_inputs(session: *const OrtSession, count: *mut usize);
    31 17 session_outputs(session: *const OrtSession, count: *mut usize);
    33 17 session_input_type(session: *const OrtSession, index: usize, ty: *mut *mut OrtTypeInfo);
    34 17 session_output_type(session: *const OrtSession, index: usize, ty: *mut *mut OrtTypeInfo);
    36 17 session_input_name(
        session: *const OrtSession, index: usize, allocator: *mut OrtAllocator, name: *mut *mut c_char);
    37 17 session_output_name(
        session: *const OrtSession, index: usize, allocator: *mut OrtAllocator, name: *mut *mut c_char);
    49 17 tensor_over(
        memory: *const OrtMemoryInfo,
        data: *mut c_void,
        bytes: usize,
        extents: *const i64,
        rank: usize,
        ty: c_int,
        value: *mut *mut OrtValue
    );
    69 17 create_cpu_memory(allocator: c_int, kind: c_int, memory: *mut *mut OrtMemoryInfo);
    204 17 append_cuda(options: *mut OrtSessionOptions, cuda: *const OrtCudaOptions);
    205 17 create_cuda_options(options: *mut *mut OrtCudaOptions);
    206 17 update_cuda_options(
        options: *mut OrtCudaOptions, keys: *const *const c_char, values: *const *const c_char, count: usize);
}

releases! {
    92 release_environment(*mut OrtEnv);
    94 release_memory(*mut OrtMemoryInfo);
    95 release_session(*mut OrtSession);
    100 release_options(*mut OrtSessionOptions);
    208 release_cuda_options(*mut OrtCudaOptions);
    96 release_value(*mut OrtValue);
    98 release_type(*mut OrtTypeInfo);
    99 release_shape(*mut OrtTensorTypeAndShapeInfo);
    132 release_allocator(*mut OrtAllocator);
    300 release_entries(*mut OrtKeyValuePairs);
}

impl Api {
    /// The value of a key, which lives as long as the entries; null where there is none.
    ///
    /// # Safety
    /// The entries are the runtime's, and the key ends with 0.
    #[expect(unsafe_code, reason = "calls the runtime")]
    pub(super) unsafe fn entry(self, entries: *const OrtKeyValuePairs, key: *const c_char) -> *const c_char {
        type Get = unsafe extern "system" fn(*const OrtKeyValuePairs, *const c_char) -> *const c_char;
        // SAFETY: the slot is there wherever such entries can come from; the rest is as the caller says.
        unsafe { self.slot::<Get>(297)(entries, key) }
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::{OrtCustomOp, minor_version};

    #[test]
    fn an_operator_lies_in_memory_as_the_runtime_reads_it() {
        assert_eq!(size_of::<OrtCustomOp>(), 208);
        let offsets = [
            offset_of!(OrtCustomOp, create_kernel),
            offset_of!(OrtCustomOp, provider),
            offset_of!(OrtCustomOp, compute),
            offset_of!(OrtCustomOp, destroy),
            offset_of!(OrtCustomOp, input_memory),
            offset_of!(OrtCustomOp, variadic),
            offset_of!(OrtCustomOp, create_kernel_v2),
            offset_of!(OrtCustomOp, infer),
            offset_of!(OrtCustomOp, may_inplace),
            offset_of!(OrtCustomOp, release_alias),
        ];
        assert_eq!(offsets, [8, 24, 64, 72, 96, 104, 136, 152, 176, 200]);
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(
            [minor_version("1.31.1"), minor_version("1.17.3"), minor_version("1.9")],
            [Some(31), Some(17), Some(9)]
        );
        assert_eq!([minor_version("2.0.0"), minor_version(""), minor_version("1.x")], [Some(31), None, None]);
    }
}

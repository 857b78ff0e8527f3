//! What is used of PyTorch's stable C interface, found in the process that loaded this library.
//!
//! Functions that tell of failure by a number catch what is thrown in them. The one that throws is [`Torch::raise`].

use std::ffi::{CStr, c_char, c_void};

use libloading::os::unix::Library;

use crate::error::{Error, Result};
use crate::host::library::loaded;

/// A tensor, a list or a text of PyTorch's, or a registration.
pub(super) type Handle = *mut c_void;

/// A kernel: arguments come in the words of a stack, and results are left there.
pub(super) type Kernel = unsafe extern "C-unwind" fn(*mut u64, u64, u64);

/// The first version that has lists and texts.
const OLDEST: u64 = version(2, 10);

const fn version(major: u64, minor: u64) -> u64 {
    major << 56 | minor << 48
}

macro_rules! functions {
    (needed { $($name:ident: fn($($ty:ty),*) $(-> $result:ty)?;)* } optional { $($other:ident: fn($($other_ty:ty),*) $(-> $other_result:ty)?;)* }) => {
        /// The functions that were found.
        #[derive(Clone, Copy, Debug)]
        #[expect(non_snake_case, reason = "one is C++'s `operator delete`")]
        pub(super) struct Functions {
            $(pub(super) $name: unsafe extern "C-unwind" fn($($ty),*) $(-> $result)?,)*
            $(pub(super) $other: Option<unsafe extern "C-unwind" fn($($other_ty),*) $(-> $other_result)?>,)*
        }

        impl Functions {
            /// # Errors
            /// Names the first that is missing.
            fn find(from: &Libraries) -> Result<Functions> {
                // SAFETY: these are the types that PyTorch's headers declare them with.
                #[expect(unsafe_code, reason = "takes the types of functions on trust")]
                unsafe {
                    Ok(Functions {
                        $($name: match from.find(concat!(stringify!($name), "\0")) {
                            Some(found) => std::mem::transmute::<*mut c_void, unsafe extern "C-unwind" fn($($ty),*) $(-> $result)?>(found),
                            None => return Err(missing(stringify!($name))),
                        },)*
                        $($other: from.find(concat!(stringify!($other), "\0")).map(|found| {
                            std::mem::transmute::<*mut c_void, unsafe extern "C-unwind" fn($($other_ty),*) $(-> $other_result)?>(found)
                        }),)*
                    })
                }
            }
        }
    };
}

functions! {
    needed {
        aoti_torch_abi_version: fn() -> u64;
        aoti_torch_library_init_fragment: fn(*const c_char, *const c_char, u32, *mut Handle) -> i32;
        aoti_torch_library_init_impl: fn(*const c_char, *const c_char, *const c_char, u32, *mut Handle) -> i32;
        aoti_torch_library_def: fn(Handle, *const c_char) -> i32;
        aoti_torch_library_impl: fn(Handle, *const c_char, Kernel) -> i32;
        aoti_torch_check: fn(bool, *const c_char, *const c_char, u32, *const c_char);
        aoti_torch_get_data_ptr: fn(Handle, *mut *mut c_void) -> i32;
        aoti_torch_get_dim: fn(Handle, *mut i64) -> i32;
        aoti_torch_get_sizes: fn(Handle, *mut *const i64) -> i32;
        aoti_torch_get_dtype: fn(Handle, *mut i32) -> i32;
        aoti_torch_get_device_type: fn(Handle, *mut i32) -> i32;
        aoti_torch_get_device_index: fn(Handle, *mut i32) -> i32;
        aoti_torch_is_contiguous: fn(Handle, *mut bool) -> i32;
        aoti_torch_empty_strided: fn(i64, *const i64, *const i64, i32, i32, i32, *mut Handle) -> i32;
        aoti_torch_new_tensor_handle: fn(Handle, *mut Handle) -> i32;
        aoti_torch_delete_tensor_object: fn(Handle) -> i32;
        aoti_torch_call_dispatcher: fn(*const c_char, *const c_char, *mut u64) -> i32;
        aoti_torch_device_type_cpu: fn() -> i32;
        aoti_torch_device_type_cuda: fn() -> i32;
        aoti_torch_dtype_float32: fn() -> i32;
        aoti_torch_dtype_float16: fn() -> i32;
        aoti_torch_dtype_bfloat16: fn() -> i32;
        aoti_torch_dtype_float8_e4m3fn: fn() -> i32;
        aoti_torch_dtype_int64: fn() -> i32;
        aoti_torch_dtype_int32: fn() -> i32;
        aoti_torch_dtype_int8: fn() -> i32;
        aoti_torch_dtype_uint8: fn() -> i32;
        aoti_torch_dtype_bool: fn() -> i32;
        torch_list_size: fn(Handle, *mut usize) -> i32;
        torch_list_get_item: fn(Handle, usize, *mut u64) -> i32;
        torch_delete_list: fn(Handle) -> i32;
        torch_string_length: fn(Handle, *mut usize) -> i32;
        torch_string_c_str: fn(Handle, *mut *const c_char) -> i32;
        torch_delete_string: fn(Handle) -> i32;
    }
    optional {
        torch_library_impl: fn(Handle, *const c_char, Kernel, u64) -> i32;
        torch_library_def_with_tags: fn(Handle, *const c_char, *const i32, i32) -> i32;
        torch_tag_pt2_compliant_tag: fn() -> i32;
        torch_delete_stable_ivalue: fn(*mut u64) -> i32;
        torch_exception_get_what_without_backtrace: fn() -> *const c_char;
        _ZdlPv: fn(*mut c_void);
    }
}

fn missing(name: &str) -> Error {
    Error::invalid(format_args!("this PyTorch has no `{name}`: 2.10 or newer is needed"))
}

/// Where functions are looked for.
struct Libraries(Vec<Library>);

impl Libraries {
    fn new() -> Libraries {
        let known = ["libtorch_cpu.so", "libtorch_cuda.so", "libtorch.so"];
        Libraries([Library::this()].into_iter().chain(known.iter().filter_map(|name| loaded(name))).collect())
    }

    /// A function by its name, which ends with 0.
    fn find(&self, name: &str) -> Option<*mut c_void> {
        self.0.iter().find_map(|library| {
            // SAFETY: nothing is called; the address isn't used as anything else than its name says.
            #[expect(unsafe_code, reason = "looks up a symbol")]
            let found = unsafe { library.get::<*mut c_void>(name.as_bytes()) };
            found.ok().map(|symbol| symbol.as_raw_ptr()).filter(|found| !found.is_null())
        })
    }
}

/// The PyTorch of this process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Torch {
    pub(super) functions: Functions,
    version: u64,
    pub(super) cpu: i32,
    pub(super) cuda: i32,
}

/// Finds the current stream of a GPU.
pub(super) type CurrentStream = unsafe extern "C-unwind" fn(i32, *mut *mut c_void) -> i32;

impl Torch {
    /// `None` where there is none in this process.
    ///
    /// # Errors
    /// When it is too old.
    pub(super) fn find() -> Result<Option<Torch>> {
        let libraries = Libraries::new();
        if libraries.find("aoti_torch_library_init_fragment\0").is_none() {
            return Ok(None);
        }
        let functions = Functions::find(&libraries)?;
        // SAFETY: they take and change nothing.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        let (version, cpu, cuda) = unsafe {
            (
                (functions.aoti_torch_abi_version)(),
                (functions.aoti_torch_device_type_cpu)(),
                (functions.aoti_torch_device_type_cuda)(),
            )
        };
        if version < OLDEST {
            return Err(Error::invalid(format_args!(
                "this is PyTorch {}.{}; plugins need 2.10 or newer",
                version >> 56,
                version >> 48 & 0xff
            )));
        }
        Ok(Some(Torch { functions, version, cpu, cuda }))
    }

    /// The version that kernels are written for: that of the first that has all they need, or the process's.
    pub(super) fn written_for(&self) -> u64 {
        self.version.min(OLDEST)
    }

    /// What finds the current stream of a GPU; `None` where PyTorch was built without CUDA.
    pub(super) fn current_stream() -> Option<CurrentStream> {
        let found = Libraries::new().find("aoti_torch_get_current_cuda_stream\0")?;
        // SAFETY: this is the type that PyTorch's header declares it with.
        #[expect(unsafe_code, reason = "takes the type of a function on trust")]
        Some(unsafe { std::mem::transmute::<*mut c_void, CurrentStream>(found) })
    }

    /// Takes a function's number for an error.
    ///
    /// # Errors
    /// When it isn't 0.
    #[inline]
    pub(super) fn done(&self, code: i32, what: &str) -> Result<()> {
        if code == 0 { Ok(()) } else { Err(self.failed(what)) }
    }

    #[cold]
    fn failed(&self, what: &str) -> Error {
        // SAFETY: the text is that of the last exception of this thread, and is copied.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        let why = self.functions.torch_exception_get_what_without_backtrace.and_then(|why| unsafe {
            let why = why();
            (!why.is_null()).then(|| CStr::from_ptr(why).to_string_lossy().into_owned())
        });
        match why {
            Some(why) => Error::invalid(format_args!("PyTorch can't {what}: {why}")),
            None => Error::invalid(format_args!("PyTorch can't {what}; it says why on stderr")),
        }
    }

    /// Throws an exception of PyTorch's with a text.
    ///
    /// # Safety
    /// The text ends with 0 and lives on. Nothing that has a destructor is alive in the frames between PyTorch and this, and
    /// nothing catches there.
    #[cold]
    #[expect(unsafe_code, reason = "throws through the caller's frame")]
    pub(super) unsafe extern "C-unwind" fn raise(&self, text: *const c_char) {
        // SAFETY: as the caller says.
        unsafe {
            (self.functions.aoti_torch_check)(false, c"plugin".as_ptr(), c"plugin_runtime".as_ptr(), 0, text);
        }
    }
}

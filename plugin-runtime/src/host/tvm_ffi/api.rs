//! The functions of libtvm_ffi, which the program has loaded.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use libloading::os::unix::Library;

use super::abi::{Any, ByteArray, Call, types};
use crate::device::dlpack::{DLManagedTensorVersioned, DLTensor};
use crate::error::{Error, ErrorKind, Result};
use crate::host::library::loaded;

/// Those that are used here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api {
    /// Kind, message, backtrace.
    error_create: unsafe extern "C" fn(*const ByteArray, *const ByteArray, *const ByteArray, *mut *mut c_void) -> i32,
    raise: unsafe extern "C" fn(*mut c_void),
    error_move: unsafe extern "C" fn(*mut *mut c_void),
    env_alloc: unsafe extern "C" fn(*mut DLTensor, *mut *mut c_void) -> i32,
    env_allocator: unsafe extern "C" fn() -> *mut c_void,
    from_dlpack: unsafe extern "C" fn(*mut DLManagedTensorVersioned, i32, i32, *mut *mut c_void) -> i32,
    env_stream: unsafe extern "C" fn(i32, i32) -> *mut c_void,
    get_global: unsafe extern "C" fn(*const ByteArray, *mut *mut c_void) -> i32,
    call: unsafe extern "C" fn(*mut c_void, *const Any, i32, *mut Any) -> i32,
    create: unsafe extern "C" fn(*mut c_void, Call, Option<unsafe extern "C" fn(*mut c_void)>, *mut *mut c_void) -> i32,
    dec_ref: unsafe extern "C" fn(*mut c_void) -> i32,
}

#[cfg(target_vendor = "apple")]
const LIBRARY: &str = "libtvm_ffi.dylib";
#[cfg(not(target_vendor = "apple"))]
const LIBRARY: &str = "libtvm_ffi.so";

impl Api {
    /// Those of the library that this process has; found once.
    pub(super) fn get() -> Option<&'static Api> {
        static API: OnceLock<Option<Api>> = OnceLock::new();
        API.get_or_init(|| {
            let libraries = [Some(Library::this()), loaded(LIBRARY)];
            libraries.into_iter().flatten().find_map(|library| {
                let api = Api::of(&library);
                // What it holds is used as long as the process lives.
                std::mem::forget(library);
                api
            })
        })
        .as_ref()
    }

    fn of(library: &Library) -> Option<Api> {
        /// # Safety
        /// The library's function of that name is of that type.
        #[expect(unsafe_code, reason = "takes a function's type on trust")]
        unsafe fn function<T: Copy>(library: &Library, name: &str) -> Option<T> {
            // SAFETY: as the caller says.
            unsafe { library.get::<T>(name).ok().map(|function| *function) }
        }
        // SAFETY: these are the types that tvm-ffi's header gives them, and they have had since 0.1.0.
        #[expect(unsafe_code, reason = "takes functions' types on trust")]
        unsafe {
            Some(Api {
                error_create: function(library, "TVMFFIErrorCreate")?,
                raise: function(library, "TVMFFIErrorSetRaised")?,
                error_move: function(library, "TVMFFIErrorMoveFromRaised")?,
                env_alloc: function(library, "TVMFFIEnvTensorAlloc")?,
                env_allocator: function(library, "TVMFFIEnvGetDLPackManagedTensorAllocator")?,
                from_dlpack: function(library, "TVMFFITensorFromDLPackVersioned")?,
                env_stream: function(library, "TVMFFIEnvGetStream")?,
                get_global: function(library, "TVMFFIFunctionGetGlobal")?,
                call: function(library, "TVMFFIFunctionCall")?,
                create: function(library, "TVMFFIFunctionCreate")?,
                dec_ref: function(library, "TVMFFIObjectDecRef")?,
            })
        }
    }

    /// Raises an error in the caller's language; what the function then has to return.
    #[cold]
    pub(super) fn raise(&self, kind: ErrorKind, message: &str) -> i32 {
        let name = match kind {
            _ if message.contains(NOT_CONTIGUOUS) => "BufferError",
            ErrorKind::OutOfMemory => "MemoryError",
            ErrorKind::Invalid | ErrorKind::Shape | ErrorKind::ElementType | ErrorKind::Registry => "ValueError",
            _ => "RuntimeError",
        };
        let [name, message, backtrace] =
            [name, message, ""].map(|text| ByteArray { data: text.as_ptr().cast(), size: text.len() });
        let mut error = ptr::null_mut();
        // SAFETY: the texts are there, and copied; the error that is made is handed over, and given back.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            if (self.error_create)(&raw const name, &raw const message, &raw const backtrace, &raw mut error) == 0 {
                (self.raise)(error);
                (self.dec_ref)(error);
            }
        }
        FAILED
    }

    /// Whether the caller's framework allocates.
    #[inline]
    pub(super) fn has_allocator(&self) -> bool {
        // SAFETY: it takes nothing.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            !(self.env_allocator)().is_null()
        }
    }

    /// Memory of the caller's framework, of the prototype's type, extents and device.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn allocate(&self, prototype: &mut DLTensor) -> Result<Object> {
        let mut object = ptr::null_mut();
        // SAFETY: the prototype's extents are there; both pointers are to what lives.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let status = unsafe { (self.env_alloc)(prototype, &raw mut object) };
        self.made(status, object).ok_or_else(|| {
            Error::new(ErrorKind::OutOfMemory, "the caller's framework can't allocate memory for an output")
        })
    }

    /// A tensor of memory that is handed over by DLPack.
    ///
    /// # Safety
    /// The capsule is one, and nobody else's. It is given back where this fails.
    ///
    /// # Errors
    /// When the runtime refuses.
    #[expect(unsafe_code, reason = "takes a pointer on trust")]
    pub(super) unsafe fn tensor(&self, capsule: NonNull<DLManagedTensorVersioned>) -> Result<Object> {
        let mut object = ptr::null_mut();
        // SAFETY: as the caller says.
        let status = unsafe { (self.from_dlpack)(capsule.as_ptr(), 0, 0, &raw mut object) };
        self.made(status, object).ok_or_else(|| {
            // SAFETY: the runtime hasn't taken it.
            unsafe { (*capsule.as_ptr()).deleter.into_iter().for_each(|delete| delete(capsule.as_ptr())) };
            Error::invalid("tvm-ffi doesn't take the memory of an output")
        })
    }

    /// The stream of a device that the caller works in.
    #[inline]
    pub(super) fn stream(&self, device_type: i32, device: i32) -> *mut c_void {
        // SAFETY: it takes any numbers.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            (self.env_stream)(device_type, device)
        }
    }

    /// A function that owns `this`, which `delete` takes back.
    ///
    /// # Safety
    /// `call` and `delete` take `this` for what it is, on any thread.
    ///
    /// # Errors
    /// When the runtime refuses; `this` is still the caller's then.
    #[expect(unsafe_code, reason = "takes functions on trust")]
    pub(super) unsafe fn function(
        &self,
        this: *mut c_void,
        call: Call,
        delete: unsafe extern "C" fn(*mut c_void),
    ) -> Result<Object> {
        let mut object = ptr::null_mut();
        // SAFETY: as the caller says.
        let status = unsafe { (self.create)(this, call, Some(delete), &raw mut object) };
        self.made(status, object).ok_or_else(|| Error::invalid("tvm-ffi can't make a function"))
    }

    /// A list of values; those stay the caller's.
    ///
    /// # Errors
    /// When the runtime has no lists.
    pub(super) fn list(&self, values: &[Any]) -> Result<Any> {
        let failed = || Error::invalid("tvm-ffi can't make a list of outputs");
        let make = self.lists().ok_or_else(failed)?;
        let (mut list, count) = (Any::NONE, i32::try_from(values.len()).map_err(|_| failed())?);
        // SAFETY: the function is the runtime's own and lives as long as that; the values are there.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let status = unsafe { (self.call)(make.0.as_ptr(), values.as_ptr(), count, &raw mut list) };
        match status {
            0 => Ok(list),
            _ => {
                self.forget_raised();
                Err(failed())
            }
        }
    }

    /// The runtime's function that makes lists; kept.
    fn lists(&self) -> Option<&'static Object> {
        static LISTS: OnceLock<Option<Object>> = OnceLock::new();
        let find = || {
            const NAME: &str = "ffi.Array";
            let name = ByteArray { data: NAME.as_ptr().cast(), size: NAME.len() };
            let mut object = ptr::null_mut();
            // SAFETY: the name is there, and the other pointer is to a local.
            #[expect(unsafe_code, reason = "calls the runtime")]
            let status = unsafe { (self.get_global)(&raw const name, &raw mut object) };
            self.made(status, object)
        };
        LISTS.get_or_init(find).as_ref()
    }

    /// What the runtime made, if it did.
    fn made(&self, status: i32, object: *mut c_void) -> Option<Object> {
        if status != 0 {
            self.forget_raised();
            return None;
        }
        NonNull::new(object).map(Object)
    }

    /// Takes back an error that the runtime raised, which an error of ours replaces.
    #[cold]
    fn forget_raised(&self) {
        let mut raised = ptr::null_mut();
        // SAFETY: the pointer is to a local; what it gives is owned.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            (self.error_move)(&raw mut raised);
            if !raised.is_null() {
                (self.dec_ref)(raised);
            }
        }
    }
}

/// What a function returns that raised an error.
pub(super) const FAILED: i32 = -1;

/// What the message of an input says that a contiguous copy would do for.
pub(super) const NOT_CONTIGUOUS: &str = "make a contiguous copy first";

/// An object of the runtime that is owned.
#[derive(Debug)]
pub(super) struct Object(NonNull<c_void>);

// SAFETY: objects are counted atomically, and those here aren't written.
#[expect(unsafe_code, reason = "a counted object")]
unsafe impl Send for Object {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a counted object")]
unsafe impl Sync for Object {}

impl Object {
    pub(super) fn as_ptr(&self) -> *mut c_void {
        self.0.as_ptr()
    }

    /// As a value that whoever gets it owns.
    pub(super) fn into_any(self, type_index: i32) -> Any {
        let any = Any::object(type_index, self.0.as_ptr());
        std::mem::forget(self);
        any
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Some(api) = Api::get() {
            // SAFETY: it is owned, and not used afterwards.
            #[expect(unsafe_code, reason = "calls the runtime")]
            unsafe {
                (api.dec_ref)(self.0.as_ptr());
            }
        }
    }
}

/// Drops a value of [`Object::into_any`] that nobody took.
pub(super) fn drop_any(any: Any) {
    if any.type_index >= types::STR {
        // SAFETY: from there on values are objects.
        #[expect(unsafe_code, reason = "reads what it is by its type")]
        let object = unsafe { any.payload.pointer };
        drop(NonNull::new(object).map(Object));
    }
}

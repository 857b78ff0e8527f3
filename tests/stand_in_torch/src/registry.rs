//! Operators, and how they are called.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;

use crate::Handle;

type Kernel = unsafe extern "C-unwind" fn(*mut u64, u64, u64);

#[derive(Default)]
struct Registry {
    /// By `namespace::name`.
    schemas: BTreeMap<String, CString>,
    /// By `namespace::name key`.
    kernels: BTreeMap<String, Kernel>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { schemas: BTreeMap::new(), kernels: BTreeMap::new() });

/// What a library registers for.
struct Library {
    namespace: String,
    key: String,
}

/// What is thrown.
struct Thrown(CString);

/// # Safety
/// It ends with 0.
unsafe fn text(start: *const c_char) -> String {
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(start) }.to_str().expect("UTF-8").to_owned()
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn aoti_torch_library_init_fragment(
    namespace: *const c_char,
    _file: *const c_char,
    _line: u32,
    out: *mut Handle,
) -> i32 {
    // SAFETY: as the caller says.
    unsafe {
        let library = Library { namespace: text(namespace), key: String::new() };
        out.write(Box::into_raw(Box::new(library)).cast());
    }
    0
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn aoti_torch_library_init_impl(
    namespace: *const c_char,
    key: *const c_char,
    _file: *const c_char,
    _line: u32,
    out: *mut Handle,
) -> i32 {
    // SAFETY: as the caller says.
    unsafe {
        let library = Library { namespace: text(namespace), key: text(key) };
        out.write(Box::into_raw(Box::new(library)).cast());
    }
    0
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn aoti_torch_library_def(library: Handle, schema: *const c_char) -> i32 {
    // SAFETY: as the caller says.
    let (library, schema) = unsafe { (&*library.cast::<Library>(), text(schema)) };
    let name = schema.split('(').next().unwrap_or_default();
    let mut registry = REGISTRY.lock().expect("no test panics in here");
    let name = format!("{}::{name}", library.namespace);
    let schema = CString::new(schema).expect("a schema holds no 0");
    i32::from(registry.schemas.insert(name, schema).is_some())
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn aoti_torch_library_impl(library: Handle, name: *const c_char, kernel: Kernel) -> i32 {
    // SAFETY: as the caller says.
    let (library, name) = unsafe { (&*library.cast::<Library>(), text(name)) };
    let mut registry = REGISTRY.lock().expect("no test panics in here");
    registry.kernels.insert(format!("{}::{name} {}", library.namespace, library.key), kernel);
    0
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn aoti_torch_check(
    condition: bool,
    _function: *const c_char,
    _file: *const c_char,
    _line: u32,
    message: *const c_char,
) {
    if !condition {
        // SAFETY: as the caller says.
        let message = unsafe { CStr::from_ptr(message) }.to_owned();
        resume_unwind(Box::new(Thrown(message)));
    }
}

/// The schema of `namespace::name`; null where there is none.
///
/// # Safety
/// The name ends with 0.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn stand_in_schema(name: *const c_char) -> *const c_char {
    // SAFETY: as the caller says.
    let name = unsafe { text(name) };
    let registry = REGISTRY.lock().expect("no test panics in here");
    registry.schemas.get(&name).map_or(std::ptr::null(), |schema| schema.as_ptr())
}

/// Calls `namespace::name` for a dispatch key; the message of what it threw, which is never freed, or null.
///
/// # Safety
/// The name ends with 0, and the stack is as the operator's schema says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn stand_in_call(
    name: *const c_char,
    key: *const c_char,
    stack: *mut u64,
    arguments: u64,
    results: u64,
) -> *const c_char {
    // SAFETY: as the caller says.
    let name = unsafe { format!("{} {}", text(name), text(key)) };
    let kernel = REGISTRY.lock().expect("no test panics in here").kernels.get(&name).copied();
    let Some(kernel) = kernel else { return c"there is no such kernel".as_ptr() };
    // SAFETY: as the caller says.
    let called = catch_unwind(AssertUnwindSafe(|| unsafe { kernel(stack, arguments, results) }));
    match called {
        Ok(()) => std::ptr::null(),
        Err(thrown) => match thrown.downcast::<Thrown>() {
            Ok(thrown) => thrown.0.into_raw(),
            Err(_) => c"something else was thrown".as_ptr(),
        },
    }
}

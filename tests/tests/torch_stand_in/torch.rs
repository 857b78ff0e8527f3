//! The library that stands in for PyTorch, and the library of plugins that was loaded beside it.

use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY, RTLD_LOCAL};
use tests::command::library;

const FLOAT32: i32 = 6;
const FLOAT64: i32 = 7;
const INT32: i32 = 3;
const INT64: i32 = 4;

/// PyTorch's stand-in, with the plugins of the tests.
pub(crate) struct Torch {
    stand_in: Library,
    plugins: Library,
}

/// A tensor that is given back when this is dropped.
pub(crate) struct Tensor {
    pub(crate) raw: *mut c_void,
}

/// An argument.
#[derive(Clone, Copy)]
pub(crate) enum Value<'v> {
    Tensor(&'v Tensor),
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(&'v str),
    Ints(&'v [i64]),
    Floats(&'v [f64]),
}

impl Torch {
    /// Loaded once.
    pub(crate) fn get() -> &'static Torch {
        static TORCH: OnceLock<Torch> = OnceLock::new();
        TORCH.get_or_init(|| {
            let open = |package: &str, flags| {
                // SAFETY: what the libraries do when they are loaded may be done by any thread.
                unsafe { Library::open(Some(library(package)), RTLD_LAZY | flags) }.unwrap()
            };
            Torch { stand_in: open("stand-in-torch", RTLD_GLOBAL), plugins: open("tests", RTLD_LOCAL) }
        })
    }

    /// Held by tests that count what is kept, or make something.
    pub(crate) fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn load(&self, package: &str) -> Library {
        // SAFETY: as above.
        unsafe { Library::open(Some(library(package)), RTLD_LAZY | RTLD_LOCAL) }.unwrap()
    }

    fn function<F: Copy>(&self, name: &str) -> F {
        // SAFETY: each caller names the type that the function has.
        unsafe { *self.stand_in.get::<F>(name.as_bytes()).unwrap() }
    }

    pub(crate) fn register(&self) -> Option<String> {
        self.register_of(&self.plugins)
    }

    /// Why a library's plugins aren't registered.
    pub(crate) fn register_of(&self, plugins: &Library) -> Option<String> {
        // SAFETY: it is the function's type, and what it gives lives for ever.
        unsafe {
            let register = plugins.get::<extern "C" fn() -> *const c_char>("plugin_runtime_register_torch");
            text(register.unwrap()())
        }
    }

    pub(crate) fn schema(&self, name: &str) -> Option<String> {
        let schema: unsafe extern "C-unwind" fn(*const c_char) -> *const c_char = self.function("stand_in_schema");
        let name = CString::new(name).unwrap();
        // SAFETY: the name ends with 0, and what it gives lives for ever.
        unsafe { text(schema(name.as_ptr())) }
    }

    /// How many tensors, and how many other values, aren't given back.
    pub(crate) fn kept(&self) -> [i64; 2] {
        ["stand_in_tensors", "stand_in_values"].map(|name| {
            let count: extern "C-unwind" fn() -> i64 = self.function(name);
            count()
        })
    }

    pub(crate) fn tensor<T: bytemuck::Pod>(&self, dtype: i32, values: &[T], sizes: &[i64]) -> Tensor {
        type Empty = unsafe extern "C-unwind" fn(i64, *const i64, *const i64, i32, i32, i32, *mut *mut c_void) -> i32;
        let empty: Empty = self.function("aoti_torch_empty_strided");
        let mut strides = vec![1; sizes.len()];
        for axis in (1..sizes.len()).rev() {
            strides[axis - 1] = strides[axis] * sizes[axis].max(1);
        }
        let mut raw = std::ptr::null_mut();
        let rank = sizes.len() as i64;
        // SAFETY: there are as many extents and strides as the rank says.
        assert_eq!(unsafe { empty(rank, sizes.as_ptr(), strides.as_ptr(), dtype, 0, 0, &raw mut raw) }, 0);
        let tensor = Tensor { raw };
        let bytes: &[u8] = bytemuck::cast_slice(values);
        // SAFETY: the tensor has room for its elements, which these are.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), tensor.data(), bytes.len()) };
        tensor
    }

    pub(crate) fn floats(&self, values: &[f32], sizes: &[i64]) -> Tensor {
        self.tensor(FLOAT32, values, sizes)
    }

    pub(crate) fn doubles(&self, values: &[f64], sizes: &[i64]) -> Tensor {
        self.tensor(FLOAT64, values, sizes)
    }

    /// A view by other extents and strides.
    pub(crate) fn view(&self, tensor: &Tensor, sizes: &[i64], strides: &[i64], offset: usize) -> Tensor {
        type View = unsafe extern "C-unwind" fn(*mut c_void, usize, *const i64, *const i64, usize) -> *mut c_void;
        let view: View = self.function("stand_in_view");
        // SAFETY: there are as many extents and strides.
        Tensor { raw: unsafe { view(tensor.raw, sizes.len(), sizes.as_ptr(), strides.as_ptr(), offset) } }
    }

    fn word(&self, value: Value<'_>) -> u64 {
        let list = |words: Vec<u64>| {
            let list: unsafe extern "C-unwind" fn(*const u64, usize) -> *mut c_void = self.function("stand_in_list");
            // SAFETY: there are so many words.
            unsafe { list(words.as_ptr(), words.len()) }.expose_provenance() as u64
        };
        match value {
            Value::Tensor(tensor) => {
                type Share = unsafe extern "C-unwind" fn(*mut c_void, *mut *mut c_void) -> i32;
                let share: Share = self.function("aoti_torch_new_tensor_handle");
                let mut raw = std::ptr::null_mut();
                // SAFETY: the tensor lives.
                assert_eq!(unsafe { share(tensor.raw, &raw mut raw) }, 0);
                raw.expose_provenance() as u64
            }
            Value::Int(value) => value.cast_unsigned(),
            Value::Float(value) => value.to_bits(),
            // The rest of the word is anything.
            Value::Bool(value) => 0xabcd_ef00 | u64::from(value),
            Value::Text(text) => {
                type Make = unsafe extern "C-unwind" fn(*const u8, usize) -> *mut c_void;
                let string: Make = self.function("stand_in_string");
                // SAFETY: there are so many bytes.
                unsafe { string(text.as_ptr(), text.len()) }.expose_provenance() as u64
            }
            Value::Ints(values) => list(values.iter().map(|value| value.cast_unsigned()).collect()),
            Value::Floats(values) => list(values.iter().map(|value| value.to_bits()).collect()),
        }
    }

    /// Calls an operator, which gets a value for each argument, and gives so many tensors.
    pub(crate) fn call(&self, name: &str, values: &[Value<'_>], results: usize) -> Result<Vec<Tensor>, String> {
        type Call = unsafe extern "C-unwind" fn(*const c_char, *const c_char, *mut u64, u64, u64) -> *const c_char;
        let call: Call = self.function("stand_in_call");
        let mut stack: Vec<u64> = values.iter().map(|value| self.word(*value)).collect();
        stack.resize(values.len().max(results), 0);
        let name = CString::new(name).unwrap();
        // SAFETY: the stack has a word an argument, and room for the results.
        let thrown =
            unsafe { call(name.as_ptr(), c"CPU".as_ptr(), stack.as_mut_ptr(), values.len() as u64, results as u64) };
        // SAFETY: what it gives ends with 0 and lives on.
        match unsafe { text(thrown) } {
            Some(message) => Err(message),
            None => {
                let raw = |word: &u64| Tensor { raw: std::ptr::with_exposed_provenance_mut(*word as usize) };
                Ok(stack[..results].iter().map(raw).collect())
            }
        }
    }
}

/// # Safety
/// It is null, or ends with 0.
unsafe fn text(start: *const c_char) -> Option<String> {
    // SAFETY: as the caller says.
    (!start.is_null()).then(|| unsafe { CStr::from_ptr(start) }.to_str().unwrap().to_owned())
}

impl Tensor {
    fn ask<T>(&self, name: &str, mut answer: T) -> T {
        let ask: unsafe extern "C-unwind" fn(*mut c_void, *mut T) -> i32 = Torch::get().function(name);
        // SAFETY: the tensor lives; each caller gives the answer's type.
        assert_eq!(unsafe { ask(self.raw, &raw mut answer) }, 0);
        answer
    }

    pub(crate) fn data(&self) -> *mut u8 {
        self.ask("aoti_torch_get_data_ptr", std::ptr::null_mut())
    }

    pub(crate) fn sizes(&self) -> Vec<i64> {
        let rank = self.ask("aoti_torch_get_dim", 0i64) as usize;
        let sizes = self.ask("aoti_torch_get_sizes", std::ptr::null::<i64>());
        // SAFETY: there are as many as the rank says.
        if rank == 0 { Vec::new() } else { unsafe { std::slice::from_raw_parts(sizes, rank) }.to_vec() }
    }

    fn elements<T: bytemuck::Pod>(&self, dtype: i32) -> Vec<T> {
        assert_eq!(self.ask("aoti_torch_get_dtype", 0), dtype);
        let count: i64 = self.sizes().iter().product();
        if count == 0 {
            return Vec::new();
        }
        // SAFETY: there are so many elements, row by row.
        unsafe { std::slice::from_raw_parts(self.data().cast::<T>(), count as usize) }.to_vec()
    }

    pub(crate) fn floats(&self) -> Vec<f32> {
        self.elements(FLOAT32)
    }

    pub(crate) fn ints(&self) -> Vec<i32> {
        self.elements(INT32)
    }

    pub(crate) fn longs(&self) -> Vec<i64> {
        self.elements(INT64)
    }
}

impl Drop for Tensor {
    fn drop(&mut self) {
        let delete: unsafe extern "C-unwind" fn(*mut c_void) -> i32 =
            Torch::get().function("aoti_torch_delete_tensor_object");
        // SAFETY: it isn't used any more.
        unsafe { delete(self.raw) };
    }
}

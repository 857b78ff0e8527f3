//! Kernels that are declared in Rust, compiled when they are first used, and launched.

use crate::tensor::{DeviceSlice, DeviceSliceMut};
use std::collections::HashMap;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::compiler::compile;
use super::find_gpus;
use super::gpu::Gpu;
use super::image::Image;
use super::launch::LaunchConfig;
use super::module::{Function, Module};
use super::source::{KernelEntry, Parameter, Source};
use crate::device::Stream;
use crate::error::{Error, Result};

/// An argument of a kernel: device memory, passed as its address, or a plain value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a kernel's parameter",
    label = "a kernel takes `DeviceSlice<T>`, `DeviceSliceMut<T>` or a plain value (`i32`, `f32`, a `bytemuck::Pod` struct)",
    note = "for a struct: `#[repr(C)]`, `#[derive(Clone, Copy, Pod, Zeroable)]` of `plugin_runtime::bytemuck`, and \
            `#[bytemuck(crate = \"plugin_runtime::bytemuck\")]`"
)]
pub trait KernelArgument: Sized {
    /// Its size in bytes.
    const BYTES: usize;

    #[doc(hidden)]
    fn argument(&self) -> Argument<'_>;
}

/// A pointer to an argument's value, for a launch.
#[doc(hidden)]
#[derive(Debug)]
#[repr(transparent)]
pub struct Argument<'a> {
    value: *mut c_void,
    borrowed: PhantomData<&'a ()>,
}

impl<'a> Argument<'a> {
    pub(super) fn of<T>(value: &'a T) -> Self {
        Argument { value: std::ptr::from_ref(value).cast_mut().cast(), borrowed: PhantomData }
    }
}

impl<T: bytemuck::Pod> KernelArgument for T {
    const BYTES: usize = size_of::<T>();

    #[inline]
    fn argument(&self) -> Argument<'_> {
        Argument::of(self)
    }
}

macro_rules! memory_argument {
    ($slice:ident) => {
        impl<T> KernelArgument for $slice<'_, T> {
            const BYTES: usize = size_of::<u64>();

            #[inline]
            fn argument(&self) -> Argument<'_> {
                Argument::of(self.address_ref())
            }
        }
    };
}

memory_argument!(DeviceSlice);
memory_argument!(DeviceSliceMut);

/// A parameter of a type.
#[doc(hidden)]
pub const fn parameter<T: KernelArgument>(name: &'static str, ty: &'static str) -> Parameter {
    Parameter { name, ty, bytes: T::BYTES }
}

/// A declared kernel, and its loaded function on each GPU.
#[doc(hidden)]
#[derive(Debug)]
pub struct Kernel {
    entry: KernelEntry,
    /// One per GPU.
    functions: OnceLock<Box<[OnceLock<Function>]>>,
}

impl Kernel {
    pub const fn new(entry: KernelEntry) -> Self {
        Kernel { entry, functions: OnceLock::new() }
    }

    /// Launches it. Compiles and loads it where it is used for the first time; else it allocates nothing.
    ///
    /// # Errors
    /// When it doesn't compile, differs from its declaration, or `config` is beyond what the GPU allows.
    #[inline]
    pub fn launch<const N: usize>(
        &self,
        stream: &Stream,
        config: LaunchConfig,
        mut arguments: [Argument<'_>; N],
    ) -> Result<()> {
        if N != self.entry.parameters.len() {
            return Err(Error::invalid(format_args!("kernel `{}` is given {N} arguments", self.entry.name)));
        }
        let stream = stream.cuda()?;
        let function = self.function(stream.gpu())?;
        // SAFETY: there is one argument per parameter; their types' sizes were compared with the compiled kernel's; each
        // points to a value that is borrowed during the call.
        #[expect(unsafe_code, reason = "hands the driver pointers to the arguments")]
        unsafe {
            function.launch(self.entry.name, stream, &config, arguments.as_mut_ptr().cast())
        }
    }

    #[inline]
    fn function(&self, gpu: &'static Gpu) -> Result<&Function> {
        match self.functions.get().and_then(|functions| functions.get(gpu.ordinal())?.get()) {
            Some(function) => Ok(function),
            None => self.load(gpu),
        }
    }

    #[cold]
    fn load(&self, gpu: &'static Gpu) -> Result<&Function> {
        let gpus = find_gpus()?.len();
        let functions = self.functions.get_or_init(|| (0..gpus).map(|_| OnceLock::new()).collect());
        let function = functions.get(gpu.ordinal()).ok_or_else(|| Error::invalid("no such GPU"))?;
        let sizes: Vec<usize> = self.entry.parameters.iter().map(|p| p.bytes).collect();
        let found = loaded(self.entry.source, gpu)?.function(self.entry.name)?;
        let compiled = found.parameters()?;
        if compiled != sizes {
            return Err(self.entry.differs_from(&compiled));
        }
        Ok(function.get_or_init(|| found))
    }
}

impl KernelEntry {
    /// An error for a compiled kernel with parameters of other sizes.
    pub(super) fn differs_from(&self, compiled: &[usize]) -> Error {
        let declared: Vec<String> =
            self.parameters.iter().map(|p| format!("{}: {} ({} bytes)", p.name, p.ty, p.bytes)).collect();
        let first = (0..).find(|&i| self.parameters.get(i).map(|p| p.bytes) != compiled.get(i).copied());
        let first = first.unwrap_or(0);
        let what = match (self.parameters.get(first), compiled.get(first)) {
            (Some(p), Some(size)) => {
                format!("parameter {first}, `{}`, has {} bytes, but {size} there", p.name, p.bytes)
            }
            (Some(p), None) => format!("parameter {first}, `{}`, isn't there", p.name),
            (None, _) => format!("parameter {first} isn't declared"),
        };
        Error::plugin(format_args!(
            "kernel `{}` of `{}` takes {}, but is declared as fn {}({}): {what}",
            self.name,
            self.source.path().display(),
            super::module::shown_sizes(compiled),
            self.name,
            declared.join(", ")
        ))
    }
}

/// A source's kernels in a GPU, and the symbols of those that are of templates.
#[derive(Debug)]
struct Loaded {
    module: Arc<Module>,
    symbols: Vec<(&'static str, String)>,
}

impl Loaded {
    fn new(source: &'static Source, gpu: &'static Gpu, image: &Image) -> Result<Arc<Loaded>> {
        let module = Module::load(gpu, image.bytes())?;
        Ok(Arc::new(Loaded { module, symbols: image.symbols(source) }))
    }

    fn function(&self, name: &str) -> Result<Function> {
        let symbol = self.symbols.iter().find(|(known, _)| *known == name);
        self.module.function(symbol.map_or(name, |(_, symbol)| symbol), None)
    }
}

/// The result of loading a source's kernels into a GPU.
type Attempt = OnceLock<Result<Arc<Loaded>>>;

/// The slot of a source's kernels on a GPU. With `again`, a failed attempt is forgotten.
fn kept(source: &'static Source, gpu: &'static Gpu, again: bool) -> Arc<Attempt> {
    type Attempts = HashMap<(usize, usize), Arc<Attempt>>;
    static LOADED: OnceLock<Mutex<Attempts>> = OnceLock::new();
    let mut loaded = LOADED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let attempt = loaded.entry((std::ptr::from_ref(source).addr(), gpu.ordinal())).or_default();
    if again && matches!(attempt.get(), Some(Err(_))) {
        *attempt = Arc::default();
    }
    attempt.clone()
}

/// A source's kernels on a GPU; compiled and loaded once, and kept.
fn loaded(source: &'static Source, gpu: &'static Gpu) -> Result<Arc<Loaded>> {
    let compiled = || Loaded::new(source, gpu, &compile(source, gpu.architecture())?);
    kept(source, gpu, false).get_or_init(compiled).clone()
}

/// Gives a GPU an image of a source's kernels, so that they needn't be compiled. Those that it has already stay.
///
/// # Errors
/// When the driver refuses the image.
pub(crate) fn provide(source: &'static Source, gpu: &'static Gpu, image: &Image) -> Result<()> {
    let attempt = kept(source, gpu, true);
    if attempt.get().is_none() {
        let loaded = Loaded::new(source, gpu, image)?;
        // Where another thread was faster, its module is as good.
        let _ = attempt.set(Ok(loaded));
    }
    Ok(())
}

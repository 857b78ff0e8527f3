//! Whole models that hold linked plugins, in an ONNX Runtime that this program loaded.

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;

use super::owned::Owned;
use super::{Library, SessionOptions};
use crate::error::{Error, Result};
use crate::host::onnxruntime::abi::{Api, OrtMemoryInfo, OrtSession, OrtTypeInfo, OrtValue};
use crate::host::onnxruntime::api::TensorShape;
use crate::network::Dim;
use crate::network::onnx::{data_type, type_code};
use crate::suggest::did_you_mean;
use crate::tensor::{DataType, HostTensor};

/// A model in ONNX Runtime, with the linked plugins beside the runtime's own operators. May be run by several threads at
/// once.
#[derive(Debug)]
pub struct Session {
    library: Library,
    raw: *mut OrtSession,
    memory: *mut OrtMemoryInfo,
    inputs: Vec<Slot>,
    outputs: Vec<Slot>,
    names: Names,
}

// SAFETY: the runtime allows every thread to run a session.
#[expect(unsafe_code, reason = "a handle of a library that locks by itself")]
unsafe impl Send for Session {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a handle of a library that locks by itself")]
unsafe impl Sync for Session {}

/// Where a model is.
#[derive(Clone, Copy, Debug)]
enum Model<'m> {
    File(&'m CStr),
    Bytes(&'m [u8]),
}

/// As the runtime is given them.
#[derive(Debug, Default)]
struct Names {
    inputs: Vec<CString>,
    outputs: Vec<CString>,
}

/// An input or output of a model.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Element type.
    pub dtype: DataType,
    /// Dimensions; `None` where the model doesn't say how many there are, or says that there are none.
    pub dims: Option<Vec<Dim>>,
}

impl Session {
    /// Reads a model and makes it ready to run.
    ///
    /// # Errors
    /// What the runtime says: the file can't be read, isn't a model, has operators that neither the runtime nor a plugin is,
    /// or a plugin refuses its node; the runtime has no CUDA provider; an input or output is no tensor of a type that
    /// plugins know.
    pub fn new(library: &Library, model: impl AsRef<Path>, options: &SessionOptions) -> Result<Session> {
        let model = model.as_ref();
        let session = c_path(model).and_then(|path| Session::open(library, Model::File(&path), options));
        session.map_err(|error| error.within(format_args!("{}", model.display())))
    }

    /// The same with the bytes of a model whose data are all in it, such as [`Network::to_onnx`] makes.
    ///
    /// [`Network::to_onnx`]: crate::network::Network::to_onnx
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn from_bytes(library: &Library, model: &[u8], options: &SessionOptions) -> Result<Session> {
        Session::open(library, Model::Bytes(model), options)
    }

    fn open(library: &Library, model: Model<'_>, options: &SessionOptions) -> Result<Session> {
        let api = library.api();
        let options = options.made(library)?;
        let mut session = Session {
            library: library.clone(),
            raw: ptr::null_mut(),
            memory: ptr::null_mut(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            names: Names::default(),
        };
        const ARENA: c_int = 1;
        const DEFAULT: c_int = 0;
        let (environment, made) = (library.environment(), &raw mut session.raw);
        // SAFETY: the handles are the runtime's, the path ends with 0, the model has as many bytes and is copied, and the
        // other pointers are to a local's fields.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            match model {
                Model::File(path) => api.create_session(environment, path.as_ptr(), options.raw, made)?,
                Model::Bytes(model) => {
                    api.create_session_of_bytes(environment, model.as_ptr().cast(), model.len(), options.raw, made)?;
                }
            }
            api.create_cpu_memory(ARENA, DEFAULT, &raw mut session.memory)?;
        }
        (session.inputs, session.names.inputs) = session.slots(Direction::Input)?;
        (session.outputs, session.names.outputs) = session.slots(Direction::Output)?;
        Ok(session)
    }

    /// The model's inputs that have to be given.
    pub fn inputs(&self) -> &[Slot] {
        &self.inputs
    }

    /// The model's outputs.
    pub fn outputs(&self) -> &[Slot] {
        &self.outputs
    }

    /// Runs the model on tensors by name, and returns all outputs, in the model's order.
    ///
    /// # Errors
    /// When an input is missing, unknown, given twice or of another type; what the runtime or a plugin says went wrong.
    pub fn run(&self, inputs: &[(&str, &HostTensor)]) -> Result<Vec<(String, HostTensor)>> {
        let api = self.library.api();
        let mut values = Vec::with_capacity(self.inputs.len());
        for tensor in self.ordered(inputs)? {
            values.push(Owned::new(api, self.value(tensor)?, Api::release_value));
        }
        let given: Vec<*const OrtValue> = values.iter().map(|value| value.raw.cast_const()).collect();
        let pointers = |names: &[CString]| names.iter().map(|name| name.as_ptr()).collect::<Vec<*const c_char>>();
        let (input_names, output_names) = (pointers(&self.names.inputs), pointers(&self.names.outputs));
        let mut found: Vec<*mut OrtValue> = vec![ptr::null_mut(); output_names.len()];
        // SAFETY: the session lives; there are as many names and places as the counts say, and the tensors that the inputs
        // show stay borrowed until this returns.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let ran = unsafe {
            let (names, values) = (input_names.as_ptr(), given.as_ptr());
            let (wanted, wanted_count) = (output_names.as_ptr(), output_names.len());
            api.run(self.raw, ptr::null(), names, values, given.len(), wanted, wanted_count, found.as_mut_ptr())
        };
        let found: Vec<Owned<OrtValue>> =
            found.into_iter().map(|raw| Owned::new(api, raw, Api::release_value)).collect();
        ran?;
        let results = self.outputs.iter().zip(&found).map(|(slot, value)| {
            let tensor = self.tensor(value.raw).map_err(|e| e.within(format_args!("output `{}`", slot.name)))?;
            Ok((slot.name.clone(), tensor))
        });
        results.collect()
    }

    /// The tensors in the order of the model's inputs.
    fn ordered<'t>(&self, given: &[(&str, &'t HostTensor)]) -> Result<Vec<&'t HostTensor>> {
        for (position, (name, tensor)) in given.iter().enumerate() {
            let Some(slot) = self.inputs.iter().find(|slot| slot.name == *name) else {
                let nearest = did_you_mean(name, self.inputs.iter().map(|slot| &*slot.name));
                return Err(Error::invalid(format_args!("the model has no input `{name}`{nearest}")));
            };
            if slot.dtype != tensor.dtype() {
                let (expected, got) = (slot.dtype, tensor.dtype());
                return Err(Error::invalid(format_args!("input `{name}` is {expected}, but {got} was given")));
            }
            if given[..position].iter().any(|(earlier, _)| earlier == name) {
                return Err(Error::invalid(format_args!("input `{name}` was given twice")));
            }
        }
        let find = |slot: &Slot| {
            let found = given.iter().find(|(name, _)| *name == slot.name).map(|(_, tensor)| *tensor);
            found.ok_or_else(|| Error::invalid(format_args!("input `{}` is missing", slot.name)))
        };
        self.inputs.iter().map(find).collect()
    }

    /// A value that shows a tensor's own memory.
    fn value(&self, tensor: &HostTensor) -> Result<*mut OrtValue> {
        let (bytes, dims) = (tensor.bytes(), tensor.extents());
        let data = bytes.as_ptr().cast_mut().cast::<c_void>();
        let mut value = ptr::null_mut();
        // SAFETY: as many bytes and extents lie there; the runtime only reads what a session is given.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            let (shape, ty) = ((dims.as_ptr(), dims.len()), type_code(tensor.dtype()));
            self.library.api().tensor_over(self.memory, data, bytes.len(), shape.0, shape.1, ty, &raw mut value)?;
        }
        Ok(value)
    }

    /// A copy of a value.
    fn tensor(&self, value: *mut OrtValue) -> Result<HostTensor> {
        let api = self.library.api();
        if value.is_null() {
            return Err(Error::invalid("the runtime gives nothing"));
        }
        let mut info = Owned::new(api, ptr::null_mut(), Api::release_shape);
        // SAFETY: the value is the runtime's; the other pointer is to a local's field.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let shape = unsafe {
            api.tensor_shape(value, &raw mut info.raw)?;
            TensorShape::read(api, info.raw)?
        };
        let extents = shape.dims.iter().flatten().map(|dim| match dim {
            Dim::Fixed(extent) => Ok(*extent),
            _ => Err(Error::invalid("the runtime doesn't tell its extents")),
        });
        let mut tensor = HostTensor::zeros(data_type(shape.ty)?, &extents.collect::<Result<Vec<i64>>>()?)?;
        let mut data = ptr::null_mut();
        // SAFETY: the value is a tensor; as many bytes as its type and extents say lie there until it is released.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            api.tensor_data(value, &raw mut data)?;
            let bytes = tensor.bytes_mut();
            if !bytes.is_empty() {
                bytes.copy_from_slice(std::slice::from_raw_parts(data.cast(), bytes.len()));
            }
        }
        Ok(tensor)
    }

    fn slots(&self, direction: Direction) -> Result<(Vec<Slot>, Vec<CString>)> {
        let api = self.library.api();
        let mut count = 0;
        // SAFETY: the session lives; the other pointer is to a local.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            match direction {
                Direction::Input => api.session_inputs(self.raw, &raw mut count)?,
                Direction::Output => api.session_outputs(self.raw, &raw mut count)?,
            }
        }
        let (mut slots, mut names) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for index in 0..count {
            let name = self.name(direction, index)?;
            let text = name.to_string_lossy().into_owned();
            let what = direction.name();
            slots.push(self.slot(direction, index, &text).map_err(|e| e.within(format_args!("{what} `{text}`")))?);
            names.push(name);
        }
        Ok((slots, names))
    }

    fn name(&self, direction: Direction, index: usize) -> Result<CString> {
        let api = self.library.api();
        let (mut allocator, mut name) = (ptr::null_mut(), ptr::null_mut::<c_char>());
        // SAFETY: the session lives and has as many; the name is a text of the runtime's, freed once it is copied.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            api.default_allocator(&raw mut allocator)?;
            match direction {
                Direction::Input => api.session_input_name(self.raw, index, allocator, &raw mut name)?,
                Direction::Output => api.session_output_name(self.raw, index, allocator, &raw mut name)?,
            }
            let copy = CStr::from_ptr(name).to_owned();
            api.free(allocator, name.cast())?;
            Ok(copy)
        }
    }

    fn slot(&self, direction: Direction, index: usize, name: &str) -> Result<Slot> {
        let api = self.library.api();
        let mut info = Owned::<OrtTypeInfo>::new(api, ptr::null_mut(), Api::release_type);
        let mut shape = ptr::null();
        // SAFETY: the session lives and has as many; the shape is a part of what `info` holds.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            match direction {
                Direction::Input => api.session_input_type(self.raw, index, &raw mut info.raw)?,
                Direction::Output => api.session_output_type(self.raw, index, &raw mut info.raw)?,
            }
            api.as_tensor(info.raw, &raw mut shape)?;
        }
        if shape.is_null() {
            return Err(Error::invalid("it isn't a tensor"));
        }
        // SAFETY: as above.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let TensorShape { ty, dims } = unsafe { TensorShape::read(api, shape)? };
        Ok(Slot { name: name.to_owned(), dtype: data_type(ty)?, dims })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let api = self.library.api();
        // SAFETY: both came from the runtime, and are released here only; it takes null.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            api.release_session(self.raw);
            api.release_memory(self.memory);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Direction {
    Input,
    Output,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Direction::Input => "input",
            Direction::Output => "output",
        }
    }
}

/// A path as the runtime takes it.
fn c_path(path: &Path) -> Result<CString> {
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(AsRef::<OsStr>::as_ref(path));
    #[cfg(not(unix))]
    let bytes = AsRef::<OsStr>::as_ref(path).as_encoded_bytes();
    CString::new(bytes).map_err(|_| Error::invalid("a path holds a 0"))
}

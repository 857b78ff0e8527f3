//! Sessions of the crate `ort`.

use std::collections::HashMap;
use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use half::{bf16, f16};
use ort::AsPointer;
use ort::environment::Environment;
use ort::session::Session;
use ort::value::PrimitiveTensorElementType;
use ort::value::{DynValue, Tensor};
use plugin_runtime::host::onnxruntime::register;
use plugin_runtime::prelude::{DataType, Element, Result};
use plugin_runtime::tensor::HostTensor;
use tests::command::{python_is_asked_for, python_with, skipped};
use tests::suite::{self, Case, Run, Runtime};

/// What ONNX Runtime's library gives its interface by.
type Base = *const c_void;

/// The library in memory.
struct Loaded {
    environment: Environment,
    library: libloading::Library,
}

impl Loaded {
    /// The one of the process. `None` where there is none.
    fn get() -> Option<&'static Loaded> {
        static LOADED: OnceLock<Option<Loaded>> = OnceLock::new();
        let load = || {
            let path = path()?;
            let builder = ort::init_from(&path).expect("the library is ONNX Runtime's");
            let environment = builder.build().expect("ONNX Runtime starts");
            // SAFETY: `ort` has loaded it already.
            #[expect(unsafe_code, reason = "loads a library")]
            let library = unsafe { libloading::Library::new(&path) }.expect("it is loaded again");
            Some(Loaded { environment, library })
        };
        LOADED.get_or_init(load).as_ref()
    }

    fn base(&self) -> Base {
        // SAFETY: every ONNX Runtime has this function, which takes nothing and returns a pointer.
        #[expect(unsafe_code, reason = "calls ONNX Runtime")]
        unsafe {
            let base = self.library.get::<unsafe extern "C" fn() -> Base>(b"OrtGetApiBase\0");
            base.expect("ONNX Runtime exports it")()
        }
    }
}

/// The library that ONNXRUNTIME_LIBRARY names, or that of Python's package.
fn path() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("ONNXRUNTIME_LIBRARY") {
        return Some(named.into());
    }
    let Some(python) = python_with(&["onnxruntime"]) else {
        assert!(!python_is_asked_for(), "the Python that PYTHON names can't import onnxruntime");
        return None;
    };
    let ask = "import onnxruntime, os; print(os.path.dirname(onnxruntime.__file__))";
    let answer = Command::new(python).args(["-c", ask]).output().expect("Python ran before");
    let package = String::from_utf8(answer.stdout).expect("a path is text");
    let files = std::fs::read_dir(Path::new(package.trim()).join("capi")).expect("the package has its library");
    let mut files = files.map(|file| file.expect("the folder can be read").path());
    files.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libonnxruntime.so.")))
}

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct InOrt(&'static Loaded);

impl Runtime for InOrt {
    fn name(&self) -> &'static str {
        "ort"
    }

    fn leaves_out(&self, case: &Case) -> Option<String> {
        let laid_out = case.name.starts_with("layouts");
        laid_out.then(|| "a host's tensors are LINEAR, which its plugin doesn't take".into())
    }

    fn run(&mut self, case: &Case) -> Result<Vec<Vec<HostTensor>>> {
        let mut session = session(self.0, &case.network.to_onnx()?)?;
        Ok(case.runs.iter().map(|run| run_once(&mut session, run)).collect::<Outcome<_>>()?)
    }
}

/// A session of a model, with this program's plugins among its operators.
fn session(loaded: &Loaded, model: &[u8]) -> Outcome<Session> {
    let mut builder = Session::builder(&loaded.environment)?;
    // SAFETY: both are ONNX Runtime's own, and nothing else has the options.
    #[expect(unsafe_code, reason = "hands on pointers of ONNX Runtime")]
    unsafe {
        register(builder.ptr_mut().cast(), loaded.base())?;
    }
    Ok(builder.commit_from_memory(model)?)
}

fn run_once(session: &mut Session, run: &Run) -> Outcome<Vec<HostTensor>> {
    let mut inputs: HashMap<&str, DynValue> = HashMap::new();
    for (name, tensor) in run.inputs() {
        inputs.insert(name, given(tensor)?);
    }
    let names: Vec<String> = session.outputs().iter().map(|output| output.name().to_owned()).collect();
    let outputs = session.run(inputs)?;
    let found =
        names.iter().zip(&run.expected).map(|(name, expected)| found(&outputs[name.as_str()], expected.dtype()));
    found.collect()
}

fn given(tensor: &HostTensor) -> Outcome<DynValue> {
    fn of<T: PrimitiveTensorElementType + Element + std::fmt::Debug>(tensor: &HostTensor) -> Outcome<DynValue> {
        let values = tensor.as_slice::<T>()?.to_vec();
        Ok(Tensor::from_array((tensor.shape().to_vec(), values))?.into_dyn())
    }
    match tensor.dtype() {
        DataType::Float32 => of::<f32>(tensor),
        DataType::Float16 => of::<f16>(tensor),
        DataType::BFloat16 => of::<bf16>(tensor),
        DataType::Int32 => of::<i32>(tensor),
        DataType::Int64 => of::<i64>(tensor),
        other => Err(format!("no case has inputs of {other}").into()),
    }
}

fn found(value: &DynValue, dtype: DataType) -> Outcome<HostTensor> {
    fn of<T: PrimitiveTensorElementType + Element>(value: &DynValue) -> Outcome<HostTensor> {
        let (shape, values) = value.try_extract_tensor::<T>()?;
        Ok(HostTensor::from_slice(values, shape)?)
    }
    match dtype {
        DataType::Float32 => of::<f32>(value),
        DataType::Float16 => of::<f16>(value),
        DataType::BFloat16 => of::<bf16>(value),
        DataType::Int32 => of::<i32>(value),
        DataType::Int64 => of::<i64>(value),
        other => Err(format!("no case has outputs of {other}").into()),
    }
}

macro_rules! in_ort {
    ($($case:ident)*) => {$(
        #[test]
        fn $case() {
            match Loaded::get() {
                Some(loaded) => suite::check(&mut InOrt(loaded), suite::cases::$case()),
                None => skipped(
                    concat!(stringify!($case), " on ort"),
                    "ONNX Runtime isn't there; set ONNXRUNTIME_LIBRARY, or PYTHON to one that has it",
                ),
            }
        }
    )*};
}

tests::for_each_case!(in_ort);

#[test]
fn what_a_plugin_refuses_is_an_error_of_the_session() {
    const NAME: &str = "what_a_plugin_refuses_is_an_error_of_the_session";
    let Some(loaded) = Loaded::get() else {
        return skipped(NAME, "ONNX Runtime isn't there; set ONNXRUNTIME_LIBRARY, or PYTHON to one that has it");
    };
    use plugin_runtime::network::onnx::proto::Message as _;
    use tests::onnx::{FLOAT, ints, model, node, value};
    let graph = plugin_runtime::network::onnx::proto::GraphProto {
        node: vec![node("sample::circ_pad_plugin", &["x"], &["y"], &[ints("pads", &[1, 1, 1])])],
        input: vec![value("x", FLOAT, "1x1x4x4")],
        output: vec![value("y", FLOAT, "")],
        ..Default::default()
    };
    let error =
        session(loaded, &model(graph).encode_to_vec()).map(|_| ()).expect_err("three pads aren't pairs").to_string();
    assert!(error.contains("circ_pad_plugin") && error.contains("pads"), "{error}");
}

//! What a file holds that a command was given: a model, an engine or a tuning lockfile.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use plugin_runtime::engine::Engine;
use plugin_runtime::host::onnxruntime::Slot as ModelSlot;
use plugin_runtime::network::{Dim, Network};
use plugin_runtime::shape::{ShapeExpr, Symbol, SymbolKind, display_shape};
use plugin_runtime::tensor::DataType;

use super::device::DeviceName;
use super::failure::{Failure, Result};

/// What engine files begin with.
const ENGINE: &[u8] = b"\x89PLAN\r\n\x1a";
/// What tuning lockfiles begin with.
const LOCKFILE: &[u8] = b"tuning lockfile, format ";
const NPY: &[u8] = b"\x93NUMPY";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Taken for one, unless it begins as something else.
    Model,
    Engine,
    Lockfile,
}

impl Kind {
    /// Tells from the first bytes of a file.
    ///
    /// # Errors
    /// When it can't be read, or is of another kind.
    pub(super) fn of(path: &Path) -> Result<Kind> {
        let failed = |why: &dyn std::fmt::Display| Failure::work(format_args!("can't read {}: {why}", path.display()));
        // To open what isn't a file can take forever.
        let metadata = fs::metadata(path).map_err(|e| failed(&e))?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "it is a directory" } else { "it isn't a file" };
            return Err(failed(&format_args!("{what}; expected an ONNX model or an engine")));
        }
        let mut start = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LOCKFILE.len() as u64).read_to_end(&mut start));
        read.map_err(|e| failed(&e))?;
        // A beginning that was cut off counts as well.
        let begins = |magic: &[u8]| start.starts_with(magic) || magic.starts_with(&start);
        match () {
            () if start.is_empty() => Err(failed(&"it is empty")),
            () if begins(ENGINE) => Ok(Kind::Engine),
            () if begins(LOCKFILE) => Ok(Kind::Lockfile),
            () if begins(NPY) => Err(failed(&"it is an .npy array; expected an ONNX model or an engine")),
            () => Ok(Kind::Model),
        }
    }
}

/// Something that can run, or be made to.
pub(super) enum Source {
    Model(Box<Network>),
    Engine(Engine),
}

impl Source {
    /// An engine is loaded on `device`, if one is named.
    ///
    /// # Errors
    /// When the file can't be read, is neither a model nor an engine, names plugins that aren't linked, or is an engine
    /// for another device.
    pub(super) fn open(path: &Path, device: Option<DeviceName>) -> Result<Source> {
        match Kind::of(path)? {
            Kind::Model => Ok(Source::Model(Box::new(Network::from_onnx(path)?))),
            Kind::Engine => load_engine(path, device).map(Source::Engine),
            Kind::Lockfile => Err(Failure::work(format_args!(
                "{} is a tuning lockfile; expected an ONNX model or an engine",
                path.display()
            ))),
        }
    }

    pub(super) fn inputs(&self) -> Vec<Slot> {
        match self {
            Source::Model(network) => {
                network.inspect().inputs.into_iter().map(|t| Slot::new(t.name, t.dtype, t.shape)).collect()
            }
            Source::Engine(engine) => {
                engine.inspect().inputs.into_iter().map(|b| Slot::new(b.name, b.dtype, b.shape)).collect()
            }
        }
    }

    pub(super) fn outputs(&self) -> Vec<Slot> {
        match self {
            Source::Model(network) => {
                let outputs = network.inspect().outputs.into_iter().map(|o| o.output);
                outputs.map(|t| Slot::new(t.name, t.dtype, t.shape)).collect()
            }
            Source::Engine(engine) => {
                engine.inspect().outputs.into_iter().map(|b| Slot::new(b.name, b.dtype, b.shape)).collect()
            }
        }
    }
}

/// Refuses to save an engine where its model lies.
///
/// # Errors
/// When both paths lead to the same file.
pub(super) fn check_target(model: &Path, engine: &Path) -> Result<()> {
    match (model.canonicalize(), engine.canonicalize()) {
        (Ok(model), Ok(there)) if model == there => {
            Err(Failure::usage(format_args!("--save {} would overwrite the model", engine.display())))
        }
        _ => Ok(()),
    }
}

/// Loads it on `device`, if one is named.
///
/// # Errors
/// When it isn't an engine that this program can run there.
pub(super) fn load_engine(path: &Path, device: Option<DeviceName>) -> Result<Engine> {
    let loaded = |loaded: plugin_runtime::Result<Engine>| loaded.map_err(Failure::from);
    let Some(device) = device else { return loaded(Engine::load(path)) };
    device.find().and_then(|found| loaded(Engine::load_on(path, &found))).map_err(|failure| match Engine::load(path) {
        Ok(engine) if engine.device().kind() != device.kind() => Failure::usage(format_args!(
            "{} was built for device {}: leave --device out, or build the model for {device}",
            path.display(),
            engine.device().kind(),
        )),
        _ => failure,
    })
}

/// An input or output.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) dtype: DataType,
    pub(super) shape: Vec<ShapeExpr>,
}

impl Slot {
    fn new(name: String, dtype: DataType, shape: Vec<ShapeExpr>) -> Self {
        Slot { name, dtype, shape }
    }

    /// Of a model that another engine read.
    pub(super) fn of_model(slot: &ModelSlot) -> Self {
        Slot::of_dims(&slot.name, slot.dtype, slot.dims.as_deref().unwrap_or_default())
    }

    /// Of dimensions, of which some may be open.
    pub(super) fn of_dims(name: &str, dtype: DataType, dims: &[Dim]) -> Self {
        let extent = |(axis, dim): (usize, &Dim)| match dim {
            Dim::Fixed(extent) => ShapeExpr::constant(*extent),
            Dim::Named(name) => symbol(axis, name),
            _ => symbol(axis, "?"),
        };
        Slot::new(name.into(), dtype, dims.iter().enumerate().map(extent).collect())
    }

    pub(super) fn is_dynamic(&self) -> bool {
        self.shape.iter().any(|extent| !extent.is_constant())
    }
}

fn symbol(axis: usize, name: &str) -> ShapeExpr {
    ShapeExpr::symbol(Symbol { kind: SymbolKind::Dim, index: axis as u32, name: name.into() })
}

/// `X FP32 [batch, 3]`
impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.name, self.dtype, display_shape(&self.shape))
    }
}

//! The part of a file's engine that its plans share, once it is read.

use std::sync::Arc;

use crate::device::Constant;
use crate::device::cuda::AotModule;
use crate::engine::InputInfo;
use crate::engine::plan::{OutputShape, OwnSize};
use crate::error::{Error, Result};
use crate::network::SymbolDef;
use crate::plugin::{BoundPlugin, ImplEntry};
use crate::shape::{Dims, MAX_RANK, ShapeExpr, Symbol, decode_exprs};
use crate::tensor::DataType;

/// The part of an engine that its plans share: inputs, constants, layers, symbols.
pub(super) struct Graph {
    pub(super) inputs: Vec<InputInfo>,
    pub(super) input_shapes: Vec<Vec<ShapeExpr>>,
    pub(super) outputs: Vec<(Arc<str>, DataType)>,
    pub(super) output_shapes: Arc<[OutputShape]>,
    pub(super) constants: Arc<[Constant]>,
    pub(super) definitions: Vec<SymbolDef>,
    pub(super) symbols: Vec<Symbol>,
    pub(super) layers: Vec<LoadedLayer>,
    pub(super) modules: Vec<Arc<AotModule>>,
}

pub(super) struct LoadedLayer {
    pub(super) name: Arc<str>,
    /// The plugin's id and version.
    pub(super) label: String,
    /// The names of the plugin's inputs.
    pub(super) inputs: Vec<Arc<str>>,
    pub(super) work: LoadedWork,
    /// For each output, the input that it is updated in place over.
    pub(super) in_place: Vec<Option<usize>>,
    pub(super) sizes: Vec<Arc<OwnSize>>,
}

/// The impl or the AOT kernels that a layer runs.
pub(super) enum LoadedWork {
    Impl {
        implementation: &'static ImplEntry,
        bound: BoundPlugin,
    },
    /// Kernels that lie in the file.
    Aot {
        id: Arc<str>,
        version: u32,
        /// Whether they cope with extents that only the device knows.
        device_shape: bool,
    },
}

impl Graph {
    /// The inputs as (name, extents), -1 where one is dynamic.
    pub(super) fn input_dims(&self) -> Vec<(&str, Dims)> {
        self.inputs.iter().map(|input| (&*input.name, input.dims)).collect()
    }
}

/// The extents of one tensor.
pub(super) fn shape(bytes: &[u8], symbols: &[Symbol]) -> Result<Vec<ShapeExpr>> {
    let shape = decode_exprs(bytes, symbols)?;
    if shape.len() > MAX_RANK {
        let rank = shape.len();
        return Err(Error::invalid(format_args!("it has {rank} dimensions; at most {MAX_RANK} are possible")));
    }
    Ok(shape)
}

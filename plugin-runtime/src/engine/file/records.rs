//! The graph section, as protocol buffers. A tag once used keeps its meaning; fields may be added, and
//! [`FORMAT_VERSION`](super::container::FORMAT_VERSION) counts up when an older program couldn't go without one.
//!
//! Shapes and sizes are expressions as [`encode_exprs`](crate::shape::encode_exprs) writes them, over the engine's
//! symbols. No times are kept, so that two builds that chose the same give the same bytes.

/// An engine.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct EngineRecord {
    /// The name of the device kind that it was built for.
    #[prost(string, tag = "1")]
    pub(super) device: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) inputs: Vec<TensorRecord>,
    #[prost(message, repeated, tag = "3")]
    pub(super) outputs: Vec<OutputRecord>,
    /// One for each section of constants.
    #[prost(message, repeated, tag = "4")]
    pub(super) constants: Vec<TensorRecord>,
    #[prost(message, repeated, tag = "5")]
    pub(super) symbols: Vec<SymbolRecord>,
    #[prost(message, repeated, tag = "6")]
    pub(super) plugins: Vec<PluginRecord>,
    /// In the order in which they run.
    #[prost(message, repeated, tag = "7")]
    pub(super) layers: Vec<LayerRecord>,
    /// One for each optimization profile.
    #[prost(message, repeated, tag = "8")]
    pub(super) plans: Vec<PlanRecord>,
    /// One for each section of images.
    #[prost(message, repeated, tag = "9")]
    pub(super) images: Vec<ImageRecord>,
    #[prost(message, repeated, tag = "10")]
    pub(super) modules: Vec<ModuleRecord>,
    /// Kernels of the runtime itself, at most one record per source.
    #[prost(message, repeated, tag = "11")]
    pub(super) runtime: Vec<RuntimeKernelsRecord>,
}

/// The architecture that an image was made for; 0 and 0 where it doesn't say.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct ImageRecord {
    #[prost(uint32, tag = "1")]
    pub(super) major: u32,
    #[prost(uint32, tag = "2")]
    pub(super) minor: u32,
}

/// Images that hold the same kernels, each for other architectures.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ModuleRecord {
    #[prost(uint32, repeated, tag = "1")]
    pub(super) images: Vec<u32>,
}

/// Kernels of the runtime that wrote the file. Another one, whose source differs, has no use for them.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RuntimeKernelsRecord {
    /// The name of the source.
    #[prost(string, tag = "1")]
    pub(super) source: String,
    /// The CRC-32 of the source, its headers and options.
    #[prost(fixed32, tag = "2")]
    pub(super) checksum: u32,
    #[prost(uint32, tag = "3")]
    pub(super) module: u32,
}

/// An input or a constant.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TensorRecord {
    /// An input's; constants have none.
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(uint32, tag = "2")]
    pub(super) dtype: u32,
    /// -1 where an extent is dynamic.
    #[prost(sint64, repeated, tag = "3")]
    pub(super) dims: Vec<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OutputRecord {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(uint32, tag = "2")]
    pub(super) dtype: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) shape: Vec<u8>,
}

/// A variable of shapes: a dynamic dimension, or a size tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SymbolRecord {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// The input and axis of a dynamic dimension.
    #[prost(message, repeated, tag = "2")]
    pub(super) places: Vec<PlaceRecord>,
    #[prost(message, optional, tag = "3")]
    pub(super) size: Option<SizeRecord>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct PlaceRecord {
    #[prost(uint32, tag = "1")]
    pub(super) input: u32,
    #[prost(uint32, tag = "2")]
    pub(super) axis: u32,
}

/// The size tensor that an output of a layer is.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SizeRecord {
    #[prost(uint32, tag = "1")]
    pub(super) layer: u32,
    #[prost(uint32, tag = "2")]
    pub(super) output: u32,
    /// Over earlier symbols, as the next.
    #[prost(bytes = "vec", tag = "3")]
    pub(super) opt: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) upper_bound: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub(super) struct PluginRecord {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(uint32, tag = "2")]
    pub(super) version: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LayerRecord {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// Index into the plugins.
    #[prost(uint32, tag = "2")]
    pub(super) plugin: u32,
    /// The attributes that the impl names, in its order.
    #[prost(message, repeated, tag = "3")]
    pub(super) attributes: Vec<AttributeRecord>,
    /// For each output 0, or 1 + the input that it is updated in place over.
    #[prost(uint32, repeated, tag = "4")]
    pub(super) in_place: Vec<u32>,
    /// Set for a layer that runs AOT kernels, so that the plugin needn't be linked.
    #[prost(message, optional, tag = "5")]
    pub(super) aot: Option<AotLayerRecord>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AotLayerRecord {
    /// The names of the plugin's inputs.
    #[prost(string, repeated, tag = "1")]
    pub(super) inputs: Vec<String>,
    /// Whether the kernels cope with extents that only the device knows. Where not, a run has to wait for those, which
    /// programs of format version 1 didn't know.
    #[prost(bool, tag = "2")]
    pub(super) device_shape: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AttributeRecord {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// As `attributes::code` says.
    #[prost(uint32, tag = "2")]
    pub(super) ty: u32,
    /// The value, or the values of a slice one after another, little-endian; a bool is 0 or 1.
    #[prost(bytes = "vec", tag = "3")]
    pub(super) value: Vec<u8>,
}

/// The plan of one optimization profile.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PlanRecord {
    #[prost(message, repeated, tag = "1")]
    pub(super) profile: Vec<ProfileRecord>,
    #[prost(message, repeated, tag = "2")]
    pub(super) steps: Vec<StepRecord>,
    /// Bytes that the intermediate tensors and the scratch memory share.
    #[prost(uint64, tag = "3")]
    pub(super) arena: u64,
    /// For each input 1 where a step updates it in place, else 0; for each output 0, or 1 + the input whose memory it
    /// lies in.
    #[prost(uint32, repeated, tag = "4")]
    pub(super) bindings: Vec<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ProfileRecord {
    #[prost(uint32, tag = "1")]
    pub(super) input: u32,
    #[prost(sint64, repeated, tag = "2")]
    pub(super) min: Vec<i64>,
    #[prost(sint64, repeated, tag = "3")]
    pub(super) opt: Vec<i64>,
    #[prost(sint64, repeated, tag = "4")]
    pub(super) max: Vec<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StepRecord {
    /// The layer it runs; none where it converts or copies one tensor.
    #[prost(uint32, optional, tag = "1")]
    pub(super) layer: Option<u32>,
    #[prost(sint32, tag = "2")]
    pub(super) tactic: i32,
    #[prost(message, repeated, tag = "3")]
    pub(super) inputs: Vec<SlotRecord>,
    #[prost(message, repeated, tag = "4")]
    pub(super) outputs: Vec<SlotRecord>,
    #[prost(message, optional, tag = "5")]
    pub(super) workspace: Option<WorkspaceRecord>,
    /// Set for a conversion or copy: its name and its tensor's.
    #[prost(string, tag = "6")]
    pub(super) name: String,
    #[prost(string, tag = "7")]
    pub(super) tensor: String,
    /// The AOT kernels that it runs, where its layer does.
    #[prost(message, optional, tag = "8")]
    pub(super) kernels: Option<KernelsRecord>,
}

/// Kernels, launched one after another.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct KernelsRecord {
    #[prost(string, tag = "1")]
    pub(super) tactic_name: String,
    #[prost(uint32, tag = "2")]
    pub(super) module: u32,
    #[prost(message, repeated, tag = "3")]
    pub(super) launches: Vec<LaunchRecord>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LaunchRecord {
    #[prost(string, tag = "1")]
    pub(super) kernel: String,
    /// Grid x, y and z, block x, y and z, bytes of shared memory.
    #[prost(bytes = "vec", tag = "2")]
    pub(super) dimensions: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    pub(super) parameters: Vec<ParameterRecord>,
}

/// A parameter of a kernel.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ParameterRecord {
    /// 1 an input, 2 an output, 3 the workspace, 4 an i32, 5 an i64, 6 an f32.
    #[prost(uint32, tag = "1")]
    pub(super) kind: u32,
    /// Which input or output.
    #[prost(uint32, tag = "2")]
    pub(super) index: u32,
    /// An integer.
    #[prost(bytes = "vec", tag = "3")]
    pub(super) value: Vec<u8>,
    /// An f32.
    #[prost(fixed32, tag = "4")]
    pub(super) bits: u32,
}

/// A tensor that a step reads or writes. How long it is follows from its shape.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SlotRecord {
    #[prost(uint32, tag = "1")]
    pub(super) dtype: u32,
    #[prost(uint32, tag = "2")]
    pub(super) format: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) shape: Vec<u8>,
    /// 0 in the arena, 1 in a constant, 2 in what the caller binds.
    #[prost(uint32, tag = "4")]
    pub(super) base: u32,
    /// Which constant, or which binding: inputs first.
    #[prost(uint32, tag = "5")]
    pub(super) index: u32,
    #[prost(uint64, tag = "6")]
    pub(super) offset: u64,
}

/// Scratch memory in the arena.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WorkspaceRecord {
    #[prost(uint64, tag = "1")]
    pub(super) offset: u64,
    /// In bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub(super) size: Vec<u8>,
}

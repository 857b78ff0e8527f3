//! The model: the attributes' arguments and functions, parsed and checked.

mod attribute_type;
mod function;
mod id;
mod role;
pub(crate) mod types;

use proc_macro2::{Ident, TokenStream};
use syn::{Expr, LitBool, LitInt, LitStr, Path, Type};

pub(crate) use attribute_type::{AttributeType, NAMES as ATTRIBUTE_TYPES, advice};
pub(crate) use function::{Function, Parameter};
pub(crate) use id::PluginId;
pub(crate) use role::Role;

/// An attribute's arguments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub id: Option<PluginId>,
    pub version: Option<LitInt>,
    pub onnx: Vec<LitStr>,
    pub device: Option<Ident>,
    pub workspace: Option<Expr>,
    pub compare: Option<Expr>,
    /// Names of inputs, and their `Sample`s.
    pub sample_inputs: Vec<(Ident, Expr)>,
    pub device_shape: Option<LitBool>,
    pub plugin: Option<Path>,
    pub runtime: Option<Path>,
    /// Whether the id is still to come, which is reported.
    pub awaits_id: bool,
    /// Names of the options that are there, whether or not their values could be read.
    pub written: Vec<String>,
}

impl Options {
    /// Whether the option is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.written.iter().any(|written| written == name)
    }
}

/// A parameter that is an attribute of the plugin.
#[derive(Clone, Debug)]
pub(crate) struct AttributeParameter {
    pub parameter: Parameter,
    pub ty: AttributeType,
}

/// A `register` function.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub id: PluginId,
    pub version: u32,
    pub runtime: TokenStream,
    pub function: Function,
    pub inputs: Vec<Parameter>,
    pub attributes: Vec<AttributeParameter>,
    pub outputs: usize,
    pub compare: Option<Expr>,
    /// One per input; `None` where nothing is said of it.
    pub sample_inputs: Vec<Option<Expr>>,
    /// `domain::Operator`, as ONNX models may name it besides its id.
    pub onnx: Vec<String>,
}

/// One of a plugin's other functions.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub id: PluginId,
    pub runtime: TokenStream,
    /// The plugin's module.
    pub plugin: TokenStream,
    pub function: Function,
    pub inputs: Vec<Parameter>,
    pub attributes: Vec<AttributeParameter>,
    /// The number of outputs, as it was written.
    pub outputs: Expr,
    /// Whether it copes with extents that only the device knows.
    pub device_shape: bool,
    pub takes_workspace: bool,
    pub takes_stream: bool,
    pub tactic: Option<TacticParameter>,
}

/// The type of a function's `tactic` parameter.
#[derive(Clone, Debug)]
pub(crate) enum TacticParameter {
    Number,
    Enum(Box<Type>),
}

impl Part {
    /// The `workspace` parameter, for messages.
    pub(crate) fn workspace_tokens(&self) -> Option<&Ident> {
        let mut names = self.function.parameters.iter().map(|parameter| &parameter.name);
        names.find(|name| *name == "workspace")
    }
}

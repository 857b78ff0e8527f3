//! The attributes of `plugin-runtime`. Authors use them from there: `use plugin_runtime::prelude::*;`

mod dispatch;
mod elements;
mod expand;
mod kernels;
mod model;
mod nearest;
mod parse;
mod registered;
mod report;
mod validate;

use proc_macro::TokenStream;

/// Registers a plugin: the function describes the outputs for given inputs and attributes.
///
/// ```
/// # use plugin_runtime::prelude::*;
/// #[register("sample::add_plugin")]
/// pub fn add_plugin(inp0: &TensorDesc, #[default(256)] block_size: i32) -> TensorDesc {
///     inp0.like()
/// }
/// ```
///
/// Parameters are one `&TensorDesc` per input, then the attributes: `i32`, `i64`, `f32`, `f64`, `bool`, `&str`,
/// `&[u8]` (bytes), or a slice of `i8`, `i16`, `i32`, `i64`, `f16`, `bf16`, `f32`, `f64` or `bool`. One marked
/// `#[default(constant)]` may be left out by users of the plugin. The function returns a `TensorDesc`, a
/// `SizeTensorDesc`, a tuple of up to 8 of these, or a `Result` of any of them. Its doc comment is the plugin's
/// description.
///
/// Options:
/// - `version = N`: from 1, the default.
/// - `onnx = "domain::Operator"`, or several as `["..", ".."]`: under what ONNX models name the plugin, besides its id.
///   A domain may hold dots; ONNX's own is `ai.onnx`. Models are written with the id all the same.
/// - `compare = ..`: how a build compares results with the reference's, a `Compare` or an array with one per output.
/// - `sample_inputs(name = .., ..)`: the data that a build tries the plugin on, a `Sample` for each input named. In both,
///   inputs (as descs) and attributes can be named: `sample_inputs(index = Sample::below(table.shape_expr(0)))`.
/// - `crate = path`: an absolute path to `plugin_runtime`, where it has another name.
///
/// Beside the function stands a module that has the name of the plugin and the visibility of the function:
/// `add_plugin::op(x)` is what `Network::add_plugin` takes (`.block_size(128)` sets an attribute that has a default),
/// and `add_plugin::Attributes` holds the attributes. The plugin's other functions are checked against it.
#[proc_macro_attribute]
pub fn register(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand::register(attr.into(), item.into()).into()
}

/// Lists the combinations of types, layouts and tactics that a plugin's impls support.
///
/// ```
/// # use plugin_runtime::prelude::*;
/// # #[register("sample::add_plugin")]
/// # fn add_plugin(inp0: &TensorDesc) -> TensorDesc { inp0.like() }
/// #[autotune("sample::add_plugin")]
/// fn add_autotune(inp0: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
///     vec![AutoTuneCombination::new("FP32|FP16, FP32|FP16")]
/// }
/// ```
///
/// Parameters are the registered inputs as `&TensorDesc`, any of the registered attributes in their order, and
/// `outputs: &[TensorDesc; N]`. The function returns a `Vec<AutoTuneCombination>` or a `Result` of it. Combinations
/// written as string literals are checked while compiling.
///
/// The plugin's module (`add_plugin` here) has to be in scope, or be named by an option:
/// - `plugin = path`: the plugin's module.
/// - `crate = path`: an absolute path to `plugin_runtime`, where it has another name.
#[proc_macro_attribute]
pub fn autotune(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand::autotune(attr.into(), item.into()).into()
}

/// Implements a plugin on one kind of device: the function does the work, or enqueues it on the stream.
///
/// ```
/// # use plugin_runtime::prelude::*;
/// # #[register("sample::add_plugin")]
/// # fn add_plugin(inp0: &TensorDesc) -> TensorDesc { inp0.like() }
/// #[impl_plugin("sample::add_plugin", device = cpu)]
/// fn add_cpu(inp0: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
///     let [output] = outputs;
///     for (out, x) in output.into_slice::<f32>()?.iter_mut().zip(inp0.as_slice::<f32>()?) {
///         *out = x + 1.0;
///     }
///     Ok(())
/// }
/// ```
///
/// Parameters are the registered inputs as `Tensor`, any of the registered attributes in their order,
/// `outputs: [TensorMut; N]`, then those wanted of `workspace: Workspace`, `stream: &Stream` and `tactic: T`, in this
/// order. `T` is `i32` or an enum that derives `Tactic`. The function returns nothing or `Result<()>`.
///
/// Options:
/// - `device = cpu` or `device = cuda`: required.
/// - `workspace = bytes`: the size of the scratch memory, anything that converts into a `ShapeExpr`. Inputs and outputs
///   (as descs) and the function's attributes can be named in it: `workspace = inp0.numel() * 4`. A path to a function
///   is called with the inputs' descs and the attributes.
/// - `device_shape = true`, on a GPU: the impl copes with extents that an earlier plugin finds and only the GPU knows.
///   `shape()` holds upper bounds then; the impl reads the true extents at `device_shape()`, or what it does up to the
///   upper bounds is harmless. Without it, a run waits for such extents before it calls the impl, `shape()` holds the true
///   ones, and the run can't be captured.
/// - `plugin = path`: the plugin's module, where it isn't in scope.
/// - `crate = path`: an absolute path to `plugin_runtime`, where it has another name.
#[proc_macro_attribute]
pub fn impl_plugin(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand::impl_plugin(attr.into(), item.into()).into()
}

/// Describes a plugin's kernel ahead of time, so that an engine can hold it.
///
/// ```
/// # use plugin_runtime::prelude::*;
/// # #[register("sample::add_plugin")]
/// # fn add_plugin(inp0: &TensorDesc) -> TensorDesc { inp0.like() }
/// #[aot_impl("sample::add_plugin")]
/// fn add_aot(inp0: &TensorDesc, outputs: &[TensorDesc; 1]) -> Result<AotKernel> {
///     let n = inp0.numel();
///     Ok(AotKernel::new("add", "// PTX").grid([n.ceil_div(256)]).block([256]).extra_args([n]))
/// }
/// ```
///
/// Parameters are the registered inputs as `&TensorDesc`, any of the registered attributes in their order,
/// `outputs: &[TensorDesc; N]`, then, if wanted, `tactic: T`, where `T` is `i32` or an enum that derives `Tactic`. The
/// function returns an `AotKernel` or a `Result` of it.
///
/// A kernel's parameters are the inputs' pointers, the extra arguments and the outputs' pointers, unless it lists them
/// itself. Where a plugin has an impl for the device too, that runs, unless the network says otherwise:
/// `network.add_plugin(add_plugin::op(x).prefer_aot())`, or `require_aot`. On the CPU an impl runs.
///
/// Options:
/// - `device_shape = true`: the kernels cope with extents that an earlier plugin finds and only the GPU knows. Launch
///   dimensions are computed from upper bounds then, and no scalar may depend on such an extent. Without it, a run waits
///   for the extents before it launches, computes all from the true ones, and can't be captured.
/// - `plugin = path` and `crate = path`, as for [`macro@autotune`].
#[proc_macro_attribute]
pub fn aot_impl(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand::aot_impl(attr.into(), item.into()).into()
}

/// Makes an enum's variants the tactics of an impl, numbered by their discriminants, from 1.
///
/// ```
/// # use plugin_runtime::prelude::*;
/// #[derive(Clone, Copy, Tactic)]
/// enum PadTactic {
///     Rows = 1,
///     Elements = 2,
/// }
/// ```
///
/// `#[tactic(crate = path)]` names `plugin_runtime` where it has another name.
#[proc_macro_derive(Tactic, attributes(tactic))]
pub fn tactic(item: TokenStream) -> TokenStream {
    expand::tactic(item.into()).into()
}

/// What `plugin_runtime::kernels!` expands to, which tells it the runtime's path first, in brackets.
#[doc(hidden)]
#[proc_macro]
pub fn kernels(declaration: TokenStream) -> TokenStream {
    kernels::kernels(declaration.into()).into()
}

/// What `plugin_runtime::dispatch!` expands to, which tells it the runtime's path first, in brackets.
#[doc(hidden)]
#[proc_macro]
pub fn dispatch(tokens: TokenStream) -> TokenStream {
    dispatch::dispatch(tokens.into()).into()
}

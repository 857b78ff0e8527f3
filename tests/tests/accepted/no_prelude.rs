//! Every attribute, in a crate that has no prelude, forbids unsafe code and has types of its own under common names.
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unused, missing_debug_implementations, unreachable_pub, non_local_definitions)]
#![deny(unused_qualifications, single_use_lifetimes, elided_lifetimes_in_paths)]

use ::plugin_runtime::prelude::{
    AotKernel, AutoTuneCombination, ShapeExpr, SizeTensorDesc, Stream, Tensor, TensorDesc, TensorMut, Workspace, bf16,
    f16, size_tensor,
};

/// A type of the author's.
#[derive(::core::fmt::Debug)]
pub struct Result;
/// A type of the author's.
#[derive(::core::fmt::Debug)]
pub struct Option;
/// A type of the author's.
#[derive(::core::fmt::Debug)]
pub struct String;
/// A type of the author's.
#[derive(::core::fmt::Debug)]
pub struct Vec;
/// A type of the author's.
#[derive(::core::fmt::Debug)]
pub struct Box;
/// A trait of the author's.
pub trait Into {}
/// A trait of the author's.
pub trait From {}

const BLOCK: i32 = 128;
const PADS: &[i64] = &[1, 1];

/// All attribute types, with and without a default. See [`Choice`].
#[::plugin_runtime::register("hygiene::everything", version = 2)]
#[expect(clippy::too_many_arguments, reason = "each type of attribute once")]
pub fn everything(
    inputs: &TensorDesc,
    second: &TensorDesc,
    integer: i32,
    #[default(1 << 40)] long: i64,
    #[default(0.5)] single: f32,
    #[default(-0.5)] double: f64,
    #[default(true)] flag: bool,
    #[default("reflect")] mode: &str,
    #[default(b"\x00")] raw: &[u8],
    #[default([-1, 1])] bytes: &[i8],
    #[default([])] shorts: &[i16],
    attributes: &[i32],
    #[default(PADS)] pads: &[i64],
    #[default([f16::ONE; 2])] halves: &[f16],
    brains: &[bf16],
    #[default(&[1.0])] singles: &[f32],
    doubles: &[f64],
    flags: &[bool],
    #[default(BLOCK)] r#type: i32,
) -> ::plugin_runtime::Result<(TensorDesc, SizeTensorDesc)> {
    ::core::result::Result::Ok((inputs.like(), size_tensor(1, 2)))
}

/// The choices of a plugin.
#[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::plugin_runtime::Tactic)]
pub enum Choice {
    /// The first.
    First = 1,
    /// Another.
    Second,
}

#[::plugin_runtime::autotune("hygiene::everything")]
fn tune(
    inputs: &TensorDesc,
    second: &TensorDesc,
    pads: &[i64],
    outputs: &[TensorDesc; 2],
) -> ::std::vec::Vec<AutoTuneCombination> {
    let _ = pads;
    ::std::vec::Vec::new()
}

#[::plugin_runtime::impl_plugin("hygiene::everything", device = cpu, workspace = bytes_needed)]
fn invocation(
    inputs: Tensor<'_>,
    second: Tensor<'_>,
    integer: i32,
    mode: &str,
    r#type: i32,
    outputs: [TensorMut<'_>; 2],
    workspace: Workspace<'_>,
    stream: &Stream,
    tactic: Choice,
) -> ::plugin_runtime::Result<()> {
    let _ = (integer, mode, r#type, workspace, stream, tactic);
    ::core::result::Result::Ok(())
}

fn bytes_needed(inputs: &TensorDesc, _second: &TensorDesc, _integer: i32, _mode: &str, _type: i32) -> ShapeExpr {
    inputs.numel()
}

#[::plugin_runtime::impl_plugin("hygiene::everything", device = cuda, workspace = outputs[0].numel() * &halves_size(halves))]
fn run(inputs: Tensor<'_>, second: Tensor<'_>, halves: &[f16], outputs: [TensorMut<'_>; 2], workspace: Workspace<'_>) {
    let _ = (halves, workspace);
}

fn halves_size(halves: &[f16]) -> ShapeExpr {
    ShapeExpr::constant(halves.len() as i64)
}

#[::plugin_runtime::aot_impl("hygiene::everything")]
fn kernel(inputs: &TensorDesc, second: &TensorDesc, outputs: &[TensorDesc; 2], tactic: i32) -> AotKernel {
    let _ = tactic;
    AotKernel::new("k", [0_u8])
}

#[::core::prelude::v1::test]
fn items_of_the_function() {
    #[::plugin_runtime::register("hygiene::local")]
    fn local(x: &TensorDesc, #[default(STEP)] step: i32) -> TensorDesc {
        x.like()
    }
    const STEP: i32 = 3;
    #[::plugin_runtime::impl_plugin("hygiene::local", device = cpu, workspace = step)]
    fn local_cpu(x: Tensor<'_>, step: i32, outputs: [TensorMut<'_>; 1], workspace: Workspace<'_>) {
        let _ = (step, workspace);
    }
}

//! `sample::circ_pad_plugin`: continues a tensor beyond its edges by what is at the opposite edge.

mod aot;
mod check;
mod cuda;
mod kernel;
mod kernels;
mod launch;
mod parameters;
mod plan;

use plugin_runtime::prelude::*;

pub use aot::CircPadAotTactic;
use plan::Plan;

/// Pads circularly, as `numpy.pad(.., 'wrap')`. `pads` holds (before, after) pairs, the last dimension's first.
///
/// Pads larger than their dimension go around more than once. An empty dimension can't be padded.
#[register("sample::circ_pad_plugin")]
pub fn circ_pad_plugin(inp0: &TensorDesc, pads: &[i32]) -> Result<TensorDesc> {
    let mut out = inp0.like();
    for (dim, &[before, after]) in (0..inp0.rank()).rev().zip(check::pairs(inp0.rank(), pads)?) {
        if let Some(extent) = inp0.shape_expr(dim).constant_value() {
            check::extent(dim, extent, [before, after])?;
        }
        *out.shape_expr_mut(dim)? += i64::from(before) + i64::from(after);
    }
    Ok(out)
}

/// How the CPU writes the output.
#[derive(Tactic, Clone, Copy, Debug)]
pub enum CircPadTactic {
    /// Row by row, through the caches: best where the output fits them.
    Rows = 1,
    /// In one stream past the caches: best where it doesn't.
    Stream = 2,
}

/// How a GPU writes the output.
#[derive(Tactic, Clone, Copy, PartialEq, Eq, Debug)]
pub enum CircPadCudaTactic {
    /// Each thread an element at a time.
    Element = 11,
    /// One warp per row, one element per thread at a time.
    Rows = 12,
    /// Some threads per row, 16 bytes at a time.
    Vectors = 13,
    /// Whole rows put together in shared memory, then written 16 bytes at a time: best for short ones.
    Tiles = 14,
    /// 16 bytes of the output at a time, in whichever rows they are: best for long ones of odd lengths, and wide pads.
    Stream = 15,
}

/// Those that may be best for rows of the output of this length, if it is known.
fn cuda_tactics(row: Option<usize>) -> Vec<CircPadCudaTactic> {
    use CircPadCudaTactic::{Element, Rows, Stream, Tiles, Vectors};
    const SHORT: usize = 64;
    const LONG: usize = 128;
    let fits = |tactic: &CircPadCudaTactic| match tactic {
        Element => row.is_none_or(|row| row <= SHORT),
        Tiles => row.is_none_or(|row| row <= launch::MAX_TILE_ROW),
        Stream => row.is_none_or(|row| row >= LONG),
        Rows | Vectors => true,
    };
    [Element, Rows, Vectors, Tiles, Stream].into_iter().filter(fits).collect()
}

#[autotune("sample::circ_pad_plugin")]
fn circ_pad_autotune(inp0: &TensorDesc, pads: &[i32], outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    let on_cpu = [CircPadTactic::Rows, CircPadTactic::Stream];
    let extents: Option<Vec<i64>> = inp0.shape_exprs().iter().map(ShapeExpr::constant_value).collect();
    let row = extents.and_then(|extents| Some(Plan::new(&extents, pads).ok()?.row().padded));
    let on_gpus = cuda_tactics(row);
    let ahead_of_time = [CircPadAotTactic::Block256, CircPadAotTactic::Block1024];
    let combination = AutoTuneCombination::by_position().pos([0, 1], "FP32|FP16");
    vec![combination.tactics(on_cpu).tactics(on_gpus).tactics(ahead_of_time)]
}

#[impl_plugin("sample::circ_pad_plugin", device = cpu)]
fn circ_pad_cpu(inp0: Tensor, pads: &[i32], outputs: [TensorMut; 1], tactic: CircPadTactic) -> Result<()> {
    let [out] = outputs;
    match inp0.dtype() {
        DataType::Float16 => pad::<f16>(inp0, pads, out, tactic),
        _ => pad::<f32>(inp0, pads, out, tactic),
    }
}

fn pad<T: Element>(x: Tensor, pads: &[i32], out: TensorMut, tactic: CircPadTactic) -> Result<()> {
    let plan = Plan::new(x.shape(), pads)?;
    let (x, out) = (x.as_slice::<T>()?, out.into_slice()?);
    match tactic {
        CircPadTactic::Rows => kernel::pad_rows(x, &plan, out),
        CircPadTactic::Stream => kernel::pad_stream(x, &plan, out),
    }
}

#[impl_plugin("sample::circ_pad_plugin", device = cuda, device_shape = true)]
fn circ_pad_cuda(
    inp0: Tensor,
    pads: &[i32],
    outputs: [TensorMut; 1],
    stream: &Stream,
    tactic: CircPadCudaTactic,
) -> Result<()> {
    let [out] = outputs;
    cuda::pad(stream, inp0, pads, out, tactic)
}

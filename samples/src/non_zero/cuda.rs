//! Positions of the non-zero elements on a GPU.

use plugin_runtime::prelude::*;

use super::NonZeroCudaTactic;
use super::kernels::*;

/// Threads of a block that does a tile.
const TILE_THREADS: u32 = 256;
/// A tile's elements; each thread does a word of 32.
const TILE: usize = TILE_THREADS as usize * 32;
/// Elements up to which each block counts by itself what is before it.
const SMALL: usize = 128 << 10;
/// Elements, and threads, of a block of a small matrix.
const SMALL_BLOCK: u32 = 1024;
/// Ranges that a multiprocessor does, one behind the other.
const RANGES_PER_MULTIPROCESSOR: u32 = 16;
/// The fewest ranges of many tiles, so that a range's count fits 32 bits, and the most.
const MIN_RANGES: u32 = 1024;
const MAX_RANGES: u32 = 4096;
/// Tiles that one block writes, where there are enough of them for that.
const GROUP: u32 = 8;
/// As many tiles for each multiprocessor: one and a half groups.
const MANY_PER_MULTIPROCESSOR: u32 = GROUP * 3 / 2;
/// The most tiles.
const MAX_TILES: u32 = 1 << 28;
/// Up to as many columns the kernels divide with a reciprocal.
const FEW_COLUMNS: u32 = 32768;

/// What the kernels know of the matrix; as in the CUDA source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Matrix {
    elements: u64,
    /// Where rows and columns are, if only the device knows them; else 0.
    extents: u64,
    columns: u32,
    reciprocal: u32,
}

impl Matrix {
    fn new(shape: &[i64], extents: u64) -> Result<Matrix> {
        let &[rows, columns] = shape else {
            bail!("the input's shape is {shape:?}; non_zero needs a matrix, which has 2 dimensions");
        };
        let (Ok(rows), Ok(columns)) = (i32::try_from(rows), i32::try_from(columns)) else {
            bail!("the input's shape is {shape:?}; its indices don't fit INT32");
        };
        let elements = u64::from(rows.unsigned_abs()) * u64::from(columns.unsigned_abs());
        let columns = columns.unsigned_abs().max(1);
        let reciprocal = if (2..=FEW_COLUMNS).contains(&columns) { u32::MAX / columns + 1 } else { 0 };
        Ok(Matrix { elements, extents, columns, reciprocal })
    }
}

/// How the tiles of a matrix are shared by blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tiles {
    tiles: u32,
    per_range: u32,
    ranges: u32,
    /// Whether a block writes a group of tiles.
    grouped: bool,
}

impl Tiles {
    fn new(elements: usize, multiprocessors: u32) -> Result<Tiles> {
        let tiles = elements.div_ceil(TILE).max(1);
        let Some(tiles) = u32::try_from(tiles).ok().filter(|&tiles| tiles <= MAX_TILES) else {
            bail!(
                "non_zero of {elements} elements is more than the kernels count: at most {MAX_TILES} tiles of {TILE}"
            );
        };
        let most = multiprocessors.saturating_mul(RANGES_PER_MULTIPROCESSOR).clamp(MIN_RANGES, MAX_RANGES);
        let per_range = tiles.div_ceil(most);
        let grouped = tiles >= multiprocessors.saturating_mul(MANY_PER_MULTIPROCESSOR);
        Ok(Tiles { tiles, per_range, ranges: tiles.div_ceil(per_range), grouped })
    }
}

/// The workspace in bytes: for two passes a bit an element, a count a tile and a count a range. That is more than the
/// states of a scan.
pub(super) fn workspace(inp0: &TensorDesc) -> ShapeExpr {
    let tiles = inp0.numel().ceil_div(TILE as i64).max(1);
    tiles * (TILE as i64 / 8 + 4) + 4 * i64::from(MAX_RANGES)
}

/// Writes row and column of the non-zero elements of a matrix to the start of `out`, in order, and their number to `count`.
///
/// # Errors
/// When `x` isn't a matrix, its positions don't fit an `i32`, or there is too little room.
pub(super) fn non_zero(
    stream: &Stream,
    x: Tensor,
    out: DeviceSliceMut<'_, i32>,
    count: DeviceSliceMut<'_, i64>,
    workspace: Workspace,
    tactic: NonZeroCudaTactic,
) -> Result<()> {
    let matrix = Matrix::new(x.shape(), x.device_shape().map_or(0, |extents| extents.address()))?;
    let room = out.len() / 2;
    if (room as u64) < matrix.elements || count.is_empty() {
        bail!("the output has room for {room} positions, but {:?} can have {}", x.shape(), matrix.elements);
    }
    if x.numel() <= SMALL {
        let blocks = (x.numel() as u32).div_ceil(SMALL_BLOCK).max(1);
        let launch = launch(blocks, SMALL_BLOCK);
        return match x.dtype() {
            DataType::Float16 => non_zero_small_f16(stream, launch, x.device_slice()?, out, count, matrix),
            _ => non_zero_small_f32(stream, launch, x.device_slice()?, out, count, matrix),
        };
    }
    let multiprocessors = stream.device().cuda_properties().map_or(1, |gpu| gpu.multiprocessors);
    let tiles = Tiles::new(x.numel(), multiprocessors)?;
    match tactic {
        NonZeroCudaTactic::Scan => scan(stream, x, (out, count), workspace, tiles, matrix),
        NonZeroCudaTactic::TwoPass => two_pass(stream, x, (out, count), workspace, tiles, matrix),
    }
}

/// Room for positions, and for their number.
type Found<'a> = (DeviceSliceMut<'a, i32>, DeviceSliceMut<'a, i64>);

fn scan(
    stream: &Stream,
    x: Tensor,
    (out, count): Found<'_>,
    workspace: Workspace,
    tiles: Tiles,
    matrix: Matrix,
) -> Result<()> {
    let (mut states, _) = workspace.into_device_slice::<i64>()?.split_at(tiles.tiles as usize + 1)?;
    let clear = LaunchConfig::for_elements(states.len(), 256)?;
    let n = states.len() as u64;
    non_zero_clear(stream, clear, states.reborrow(), n)?;
    let launch = launch(tiles.tiles, TILE_THREADS);
    match x.dtype() {
        DataType::Float16 => non_zero_scan_f16(stream, launch, x.device_slice()?, out, count, states, matrix),
        _ => non_zero_scan_f32(stream, launch, x.device_slice()?, out, count, states, matrix),
    }
}

fn two_pass(
    stream: &Stream,
    x: Tensor,
    (out, count): Found<'_>,
    workspace: Workspace,
    tiles: Tiles,
    matrix: Matrix,
) -> Result<()> {
    let Tiles { tiles, per_range, ranges, grouped } = tiles;
    let workspace = workspace.into_device_slice::<i32>()?;
    let (mut words, counts) = workspace.split_at(tiles as usize * TILE_THREADS as usize)?;
    let (mut of_tiles, of_ranges) = counts.split_at(tiles as usize)?;
    let (mut of_ranges, _) = of_ranges.split_at(ranges as usize)?;
    let (marked, of_tile, of_range) = (words.reborrow(), of_tiles.reborrow(), of_ranges.reborrow());
    let mark = launch(ranges, TILE_THREADS);
    match x.dtype() {
        DataType::Float16 => {
            let x = x.device_slice()?;
            non_zero_mark_f16(stream, mark, x, marked, of_tile, of_range, tiles, per_range, matrix)?;
        }
        _ => {
            let x = x.device_slice()?;
            non_zero_mark_f32(stream, mark, x, marked, of_tile, of_range, tiles, per_range, matrix)?;
        }
    }
    let (words, of_tiles, of_ranges) = (words.as_slice(), of_tiles.as_slice(), of_ranges.as_slice());
    if grouped {
        let write = launch(tiles.div_ceil(GROUP), TILE_THREADS).dependent();
        return non_zero_write_groups(stream, write, words, of_tiles, of_ranges, out, count, tiles, per_range, matrix);
    }
    let write = launch(tiles, TILE_THREADS).dependent();
    non_zero_write(stream, write, words, of_tiles, of_ranges, out, count, per_range, matrix)
}

fn launch(blocks: u32, threads: u32) -> LaunchConfig {
    LaunchConfig { grid: [blocks, 1, 1], block: [threads, 1, 1], ..LaunchConfig::default() }
}

#[cfg(test)]
mod tests {
    use super::{FEW_COLUMNS, MAX_RANGES, Matrix, TILE, TILE_THREADS, Tiles, workspace};
    use plugin_runtime::prelude::*;

    #[test]
    fn reciprocals_divide_all_that_a_tile_holds() {
        for columns in (2..=FEW_COLUMNS).step_by(37).chain([2, 3, 4, 1 << 14, FEW_COLUMNS - 1, FEW_COLUMNS]) {
            let matrix = Matrix::new(&[5, i64::from(columns)], 0).unwrap();
            for n in (0..columns + TILE as u32).step_by(61).chain([columns - 1, columns, columns + TILE as u32 - 1]) {
                let quotient = (u64::from(n) * u64::from(matrix.reciprocal)) >> 32;
                assert_eq!(quotient, u64::from(n / columns), "{n} / {columns}");
            }
        }
        assert!([0, 1, i64::from(FEW_COLUMNS) + 1].iter().all(|&n| Matrix::new(&[2, n], 0).unwrap().reciprocal == 0));
    }

    #[test]
    fn matrices_whose_indices_do_not_fit_are_refused() {
        assert_eq!(Matrix::new(&[1 << 20, 1 << 20], 0).unwrap().elements, 1 << 40);
        assert_eq!(Matrix::new(&[0, 0], 8).unwrap(), Matrix { elements: 0, extents: 8, columns: 1, reciprocal: 0 });
        let error = Matrix::new(&[1, 1 << 31], 0).unwrap_err().to_string();
        assert_eq!(error, "the input's shape is [1, 2147483648]; its indices don't fit INT32");
        let error = Matrix::new(&[4], 0).unwrap_err().to_string();
        assert_eq!(error, "the input's shape is [4]; non_zero needs a matrix, which has 2 dimensions");
    }

    #[test]
    fn every_tile_is_in_a_range() {
        for elements in [0, 1, TILE, TILE + 1, 100 * TILE, 1 << 28, 1 << 41] {
            for multiprocessors in [0, 1, 7, 132, 1000] {
                let Tiles { tiles, per_range, ranges, .. } = Tiles::new(elements, multiprocessors).unwrap();
                assert_eq!(tiles as usize, elements.div_ceil(TILE).max(1));
                assert!((1..=MAX_RANGES).contains(&ranges) && per_range.checked_mul(TILE as u32).is_some());
                assert_eq!(tiles.div_ceil(per_range), ranges, "{elements} elements, {multiprocessors} multiprocessors");
            }
        }
        assert!(Tiles::new((1 << 41) + 1, 132).is_err());
    }

    #[test]
    fn tiles_are_grouped_where_each_multiprocessor_gets_some() {
        let grouped = |side: usize| Tiles::new(side * side, 132).unwrap().grouped;
        assert_eq!([1024, 2048, 4096, 16384].map(grouped), [false, false, true, true]);
    }

    #[test]
    fn the_workspace_has_room_for_both_tactics() {
        for columns in [0, 1, 16384, 16385, 1 << 20] {
            let desc = TensorDesc::from_shape_expr([1000i64, columns], DataType::Float32);
            let bytes = workspace(&desc).constant_value().unwrap() as usize;
            let Tiles { tiles, ranges, .. } = Tiles::new(1000 * columns as usize, 10_000).unwrap();
            assert!(4 * (tiles as usize * (TILE_THREADS as usize + 1) + ranges as usize) <= bytes);
            assert!(8 * (tiles as usize + 1) <= bytes);
        }
    }
}

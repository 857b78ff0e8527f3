//! The crate's plugins once more, written the longer way: a `match` by type, a kernel for each type, launches by hand.

use plugin_runtime::prelude::*;

mod kernels {
    use plugin_runtime::prelude::*;

    kernels! {
        source KERNELS = "kernels.cu";
        pub fn roll_f32(x: DeviceSlice<f32>, n: i64, extent: i64, inner: i64, shift: i64, y: DeviceSliceMut<f32>);
        pub fn roll_f16(x: DeviceSlice<f16>, n: i64, extent: i64, inner: i64, shift: i64, y: DeviceSliceMut<f16>);
        pub fn roll_bf16(x: DeviceSlice<bf16>, n: i64, extent: i64, inner: i64, shift: i64, y: DeviceSliceMut<bf16>);
        pub fn roll_i32(x: DeviceSlice<i32>, n: i64, extent: i64, inner: i64, shift: i64, y: DeviceSliceMut<i32>);
        pub fn normalize_f32(
            x: DeviceSlice<f32>, weight: DeviceSlice<f32>, columns: i64, epsilon: f32, y: DeviceSliceMut<f32>,
        );
        pub fn normalize_f16(
            x: DeviceSlice<f16>, weight: DeviceSlice<f16>, columns: i64, epsilon: f32, y: DeviceSliceMut<f16>,
        );
        pub fn normalize_bf16(
            x: DeviceSlice<bf16>, weight: DeviceSlice<bf16>, columns: i64, epsilon: f32, y: DeviceSliceMut<bf16>,
        );
        pub fn mark_f32(x: DeviceSlice<f32>, n: i64, columns: i64, k: i64, mask: DeviceSliceMut<u8>);
        pub fn mark_f16(x: DeviceSlice<f16>, n: i64, columns: i64, k: i64, mask: DeviceSliceMut<u8>);
        pub fn compact_f32(x: DeviceSlice<f32>, n: i64, y: DeviceSliceMut<f32>, count: DeviceSliceMut<i32>);
        pub fn compact_i32(x: DeviceSlice<i32>, n: i64, y: DeviceSliceMut<i32>, count: DeviceSliceMut<i32>);
        pub fn multiply_f32(x: DeviceSlice<f32>, n: i64, columns: i64, s: DeviceSlice<f32>, y: DeviceSliceMut<f32>);
        pub fn multiply_f16(x: DeviceSlice<f16>, n: i64, columns: i64, s: DeviceSlice<f16>, y: DeviceSliceMut<f16>);
        pub fn multiply_bf16(x: DeviceSlice<bf16>, n: i64, columns: i64, s: DeviceSlice<bf16>, y: DeviceSliceMut<bf16>);
        pub fn add_f32(bias: DeviceSlice<f32>, columns: i64, x: DeviceSliceMut<f32>, n: i64);
        pub fn add_f16(bias: DeviceSlice<f16>, columns: i64, x: DeviceSliceMut<f16>, n: i64);
        pub fn add_bf16(bias: DeviceSlice<bf16>, columns: i64, x: DeviceSliceMut<bf16>, n: i64);
        pub fn tile_f32(x: DeviceSlice<f32>, len: i64, y: DeviceSliceMut<f32>, n: i64);
        pub fn tile_f16(x: DeviceSlice<f16>, len: i64, y: DeviceSliceMut<f16>, n: i64);
        pub fn tile_bf16(x: DeviceSlice<bf16>, len: i64, y: DeviceSliceMut<bf16>, n: i64);
        pub fn measure_f32(x: DeviceSlice<f32>, columns: i64, rows: DeviceSliceMut<f32>);
        pub fn measure_f16(x: DeviceSlice<f16>, columns: i64, rows: DeviceSliceMut<f32>);
        pub fn measure_bf16(x: DeviceSlice<bf16>, columns: i64, rows: DeviceSliceMut<f32>);
        pub fn divide_f32(x: DeviceSlice<f32>, n: i64, columns: i64, rows: DeviceSlice<f32>, y: DeviceSliceMut<f32>);
        pub fn divide_f16(x: DeviceSlice<f16>, n: i64, columns: i64, rows: DeviceSlice<f32>, y: DeviceSliceMut<f16>);
        pub fn divide_bf16(x: DeviceSlice<bf16>, n: i64, columns: i64, rows: DeviceSlice<f32>, y: DeviceSliceMut<bf16>);
    }
}

use kernels::*;

/// A thread for each of `n`.
fn threads(n: i64) -> LaunchConfig {
    LaunchConfig { grid: [((n + 255) / 256) as u32, 1, 1], block: [256, 1, 1], ..LaunchConfig::default() }
}

/// A block for each of `rows`.
fn blocks(rows: i64) -> LaunchConfig {
    LaunchConfig { grid: [rows as u32, 1, 1], block: [256, 1, 1], ..LaunchConfig::default() }
}

fn same(x: f32) -> f32 {
    x
}

#[register("by_hand::roll")]
pub fn roll(x: &TensorDesc, shift: i64, axis: i64) -> Result<TensorDesc> {
    crate::plugins::roll::roll(x, shift, axis)
}

fn roll_rows<T: Copy>(x: &[T], y: &mut [T], row: usize, step: usize) {
    for (x, y) in x.chunks_exact(row).zip(y.chunks_exact_mut(row)) {
        y.copy_from_slice(x);
        y.rotate_right(step);
    }
}

#[impl_plugin("by_hand::roll", device = cpu)]
fn roll_cpu(x: Tensor, shift: i64, axis: i64, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let (extent, inner) = (x.shape()[axis as usize], x.shape()[axis as usize + 1..].iter().product::<i64>());
    let step = (shift.checked_rem_euclid(extent).unwrap_or(0) * inner) as usize;
    let row = (extent * inner).max(1) as usize;
    match x.dtype() {
        DataType::Float32 => roll_rows::<f32>(x.as_slice()?, y.into_slice()?, row, step),
        DataType::Float16 => roll_rows::<f16>(x.as_slice()?, y.into_slice()?, row, step),
        DataType::BFloat16 => roll_rows::<bf16>(x.as_slice()?, y.into_slice()?, row, step),
        DataType::Int32 => roll_rows::<i32>(x.as_slice()?, y.into_slice()?, row, step),
        other => bail!("roll doesn't take {other}"),
    }
    Ok(())
}

#[impl_plugin("by_hand::roll", device = cuda)]
fn roll_cuda(x: Tensor, shift: i64, axis: i64, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let n = x.numel() as i64;
    let (extent, inner) = (x.shape()[axis as usize], x.shape()[axis as usize + 1..].iter().product::<i64>());
    let shift = shift.checked_rem_euclid(extent).unwrap_or(0);
    let launch = threads(n);
    match x.dtype() {
        DataType::Float32 => {
            roll_f32(stream, launch, x.device_slice()?, n, extent, inner, shift, y.into_device_slice()?)
        }
        DataType::Float16 => {
            roll_f16(stream, launch, x.device_slice()?, n, extent, inner, shift, y.into_device_slice()?)
        }
        DataType::BFloat16 => {
            roll_bf16(stream, launch, x.device_slice()?, n, extent, inner, shift, y.into_device_slice()?)
        }
        DataType::Int32 => roll_i32(stream, launch, x.device_slice()?, n, extent, inner, shift, y.into_device_slice()?),
        other => bail!("roll doesn't take {other}"),
    }
}

#[register("by_hand::rms_norm")]
pub fn rms_norm(x: &TensorDesc, weight: &TensorDesc, epsilon: f32) -> Result<TensorDesc> {
    crate::plugins::rms_norm::rms_norm(x, weight, epsilon)
}

fn normalize<T: Copy>(
    (x, weight, y): (&[T], &[T], &mut [T]),
    columns: usize,
    epsilon: f32,
    wide: impl Fn(T) -> f32,
    narrow: impl Fn(f32) -> T,
) {
    for (x, y) in x.chunks_exact(columns).zip(y.chunks_exact_mut(columns)) {
        let squares: f32 = x.iter().map(|&x| wide(x) * wide(x)).sum();
        let scale = (squares / columns as f32 + epsilon).sqrt().recip();
        for ((&x, &weight), y) in x.iter().zip(weight).zip(y) {
            *y = narrow(wide(x) * scale * wide(weight));
        }
    }
}

#[impl_plugin("by_hand::rms_norm", device = cpu)]
fn rms_norm_cpu(x: Tensor, weight: Tensor, epsilon: f32, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let columns = x.shape()[1].max(1) as usize;
    match x.dtype() {
        DataType::Float32 => {
            let slices = (x.as_slice()?, weight.as_slice()?, y.into_slice()?);
            normalize::<f32>(slices, columns, epsilon, same, same);
        }
        DataType::Float16 => {
            let slices = (x.as_slice()?, weight.as_slice()?, y.into_slice()?);
            normalize::<f16>(slices, columns, epsilon, f16::to_f32, f16::from_f32);
        }
        DataType::BFloat16 => {
            let slices = (x.as_slice()?, weight.as_slice()?, y.into_slice()?);
            normalize::<bf16>(slices, columns, epsilon, bf16::to_f32, bf16::from_f32);
        }
        other => bail!("rms_norm doesn't take {other}"),
    }
    Ok(())
}

#[impl_plugin("by_hand::rms_norm", device = cuda)]
fn rms_norm_cuda(x: Tensor, weight: Tensor, epsilon: f32, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let [rows, columns] = [x.shape()[0], x.shape()[1]];
    let launch = blocks(rows);
    match x.dtype() {
        DataType::Float32 => {
            let (x, weight) = (x.device_slice()?, weight.device_slice()?);
            normalize_f32(stream, launch, x, weight, columns, epsilon, y.into_device_slice()?)
        }
        DataType::Float16 => {
            let (x, weight) = (x.device_slice()?, weight.device_slice()?);
            normalize_f16(stream, launch, x, weight, columns, epsilon, y.into_device_slice()?)
        }
        DataType::BFloat16 => {
            let (x, weight) = (x.device_slice()?, weight.device_slice()?);
            normalize_bf16(stream, launch, x, weight, columns, epsilon, y.into_device_slice()?)
        }
        other => bail!("rms_norm doesn't take {other}"),
    }
}

#[register("by_hand::topk_mask")]
pub fn topk_mask(x: &TensorDesc, k: i64) -> TensorDesc {
    x.like().with_dtype(DataType::Bool)
}

fn mark<T: Copy>(x: &[T], mask: &mut [u8], columns: usize, k: i64, wide: impl Fn(T) -> f32) {
    for (x, mask) in x.chunks(columns).zip(mask.chunks_mut(columns)) {
        let mut order: Vec<usize> = (0..x.len()).collect();
        order.sort_by(|&a, &b| wide(x[b]).total_cmp(&wide(x[a])));
        order.iter().enumerate().for_each(|(rank, &at)| mask[at] = u8::from((rank as i64) < k));
    }
}

#[impl_plugin("by_hand::topk_mask", device = cpu)]
fn topk_mask_cpu(x: Tensor, k: i64, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let columns = x.shape()[1].max(1) as usize;
    match x.dtype() {
        DataType::Float32 => mark::<f32>(x.as_slice()?, y.into_slice()?, columns, k, same),
        DataType::Float16 => mark::<f16>(x.as_slice()?, y.into_slice()?, columns, k, f16::to_f32),
        other => bail!("topk_mask doesn't take {other}"),
    }
    Ok(())
}

#[impl_plugin("by_hand::topk_mask", device = cuda)]
fn topk_mask_cuda(x: Tensor, k: i64, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [mask] = outputs;
    let (n, columns) = (x.numel() as i64, x.shape()[1]);
    let (launch, mask) = (threads(n), mask.into_device_slice()?);
    match x.dtype() {
        DataType::Float32 => mark_f32(stream, launch, x.device_slice()?, n, columns, k, mask),
        DataType::Float16 => mark_f16(stream, launch, x.device_slice()?, n, columns, k, mask),
        other => bail!("topk_mask doesn't take {other}"),
    }
}

#[register("by_hand::unique_sorted", sample_inputs(x = Sample::new().sorted()))]
pub fn unique_sorted(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    crate::plugins::unique_sorted::unique_sorted(x)
}

fn deduplicate<T: Copy + PartialEq>(x: &[T], y: &mut [T]) -> usize {
    let mut last = 0;
    for (i, &element) in x.iter().enumerate() {
        last += usize::from(i > 0 && element != x[i - 1]);
        y[last] = element;
    }
    last + x.len().min(1)
}

#[impl_plugin("by_hand::unique_sorted", device = cpu)]
fn unique_sorted_cpu(x: Tensor, outputs: [TensorMut; 2]) -> Result<()> {
    let [y, count] = outputs;
    let found = match x.dtype() {
        DataType::Float32 => deduplicate::<f32>(x.as_slice()?, y.into_slice()?),
        DataType::Int32 => deduplicate::<i32>(x.as_slice()?, y.into_slice()?),
        other => bail!("unique_sorted doesn't take {other}"),
    };
    count.write_size(found)
}

#[impl_plugin("by_hand::unique_sorted", device = cuda)]
fn unique_sorted_cuda(x: Tensor, outputs: [TensorMut; 2], stream: &Stream) -> Result<()> {
    let [y, count] = outputs;
    let (n, count) = (x.numel() as i64, count.into_device_slice()?);
    let launch = LaunchConfig { grid: [1, 1, 1], block: [1024, 1, 1], ..LaunchConfig::default() };
    match x.dtype() {
        DataType::Float32 => compact_f32(stream, launch, x.device_slice()?, n, y.into_device_slice()?, count),
        DataType::Int32 => compact_i32(stream, launch, x.device_slice()?, n, y.into_device_slice()?, count),
        other => bail!("unique_sorted doesn't take {other}"),
    }
}

#[register("by_hand::mul_rows")]
pub fn mul_rows(x: &TensorDesc, s: &TensorDesc) -> TensorDesc {
    x.like()
}

fn multiply<T: Copy>(
    (x, s, y): (&[T], &[T], &mut [T]),
    columns: usize,
    wide: impl Fn(T) -> f32,
    narrow: impl Fn(f32) -> T,
) {
    for (i, y) in y.iter_mut().enumerate() {
        *y = narrow(wide(x[i]) * wide(s[i / columns]));
    }
}

#[impl_plugin("by_hand::mul_rows", device = cpu)]
fn mul_rows_cpu(x: Tensor, s: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let columns = x.shape()[1] as usize;
    match x.dtype() {
        DataType::Float32 => multiply((x.as_slice()?, s.as_slice()?, y.into_slice()?), columns, same, same),
        DataType::Float16 => {
            multiply((x.as_slice()?, s.as_slice()?, y.into_slice()?), columns, f16::to_f32, f16::from_f32);
        }
        DataType::BFloat16 => {
            multiply((x.as_slice()?, s.as_slice()?, y.into_slice()?), columns, bf16::to_f32, bf16::from_f32);
        }
        other => bail!("mul_rows doesn't take {other}"),
    }
    Ok(())
}

#[impl_plugin("by_hand::mul_rows", device = cuda)]
fn mul_rows_cuda(x: Tensor, s: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (n, columns) = (x.numel() as i64, x.shape()[1]);
    let launch = threads(n);
    match x.dtype() {
        DataType::Float32 => {
            multiply_f32(stream, launch, x.device_slice()?, n, columns, s.device_slice()?, y.into_device_slice()?)
        }
        DataType::Float16 => {
            multiply_f16(stream, launch, x.device_slice()?, n, columns, s.device_slice()?, y.into_device_slice()?)
        }
        DataType::BFloat16 => {
            multiply_bf16(stream, launch, x.device_slice()?, n, columns, s.device_slice()?, y.into_device_slice()?)
        }
        other => bail!("mul_rows doesn't take {other}"),
    }
}

#[register("by_hand::bias_add")]
pub fn bias_add(x: &TensorDesc, bias: &TensorDesc) -> TensorDesc {
    x.aliased()
}

fn add<T: Copy>(y: &mut [T], bias: &[T], wide: impl Fn(T) -> f32, narrow: impl Fn(f32) -> T) {
    for (y, &bias) in y.iter_mut().zip(bias.iter().cycle()) {
        *y = narrow(wide(*y) + wide(bias));
    }
}

#[impl_plugin("by_hand::bias_add", device = cpu)]
fn bias_add_cpu(x: Tensor, bias: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    match y.dtype() {
        DataType::Float32 => add(y.into_slice()?, bias.as_slice()?, same, same),
        DataType::Float16 => add(y.into_slice()?, bias.as_slice()?, f16::to_f32, f16::from_f32),
        DataType::BFloat16 => add(y.into_slice()?, bias.as_slice()?, bf16::to_f32, bf16::from_f32),
        other => bail!("bias_add doesn't take {other}"),
    }
    Ok(())
}

#[impl_plugin("by_hand::bias_add", device = cuda)]
fn bias_add_cuda(x: Tensor, bias: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (n, columns) = (y.numel() as i64, bias.numel() as i64);
    let launch = threads(n);
    match y.dtype() {
        DataType::Float32 => add_f32(stream, launch, bias.device_slice()?, columns, y.into_device_slice()?, n),
        DataType::Float16 => add_f16(stream, launch, bias.device_slice()?, columns, y.into_device_slice()?, n),
        DataType::BFloat16 => add_bf16(stream, launch, bias.device_slice()?, columns, y.into_device_slice()?, n),
        other => bail!("bias_add doesn't take {other}"),
    }
}

#[register("by_hand::tile_rows")]
pub fn tile_rows(x: &TensorDesc, times: i64) -> TensorDesc {
    crate::plugins::tile_rows::tile_rows(x, times)
}

#[impl_plugin("by_hand::tile_rows", device = cpu)]
fn tile_rows_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let x = x.bytes()?;
    for y in y.into_bytes()?.chunks_exact_mut(x.len().max(1)) {
        y.copy_from_slice(x);
    }
    Ok(())
}

#[impl_plugin("by_hand::tile_rows", device = cuda)]
fn tile_rows_cuda(x: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (len, n) = (x.numel() as i64, y.numel() as i64);
    let launch = threads(n);
    match x.dtype() {
        DataType::Float32 => tile_f32(stream, launch, x.device_slice()?, len, y.into_device_slice()?, n),
        DataType::Float16 => tile_f16(stream, launch, x.device_slice()?, len, y.into_device_slice()?, n),
        DataType::BFloat16 => tile_bf16(stream, launch, x.device_slice()?, len, y.into_device_slice()?, n),
        other => bail!("tile_rows doesn't take {other}"),
    }
}

#[register("by_hand::softmax_rows")]
pub fn softmax_rows(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn softmax<T: Copy>(
    (x, row, y): (&[T], &mut [f32], &mut [T]),
    columns: usize,
    wide: impl Fn(T) -> f32,
    narrow: impl Fn(f32) -> T,
) {
    for (x, y) in x.chunks_exact(columns).zip(y.chunks_exact_mut(columns)) {
        let most = x.iter().map(|&x| wide(x)).fold(f32::MIN, f32::max);
        row.iter_mut().zip(x).for_each(|(e, &x)| *e = (wide(x) - most).exp());
        let sum: f32 = row.iter().sum();
        y.iter_mut().zip(&*row).for_each(|(y, e)| *y = narrow(e / sum));
    }
}

#[impl_plugin("by_hand::softmax_rows", device = cpu, workspace = x.shape_expr(1) * 4)]
fn softmax_rows_cpu(x: Tensor, outputs: [TensorMut; 1], workspace: Workspace) -> Result<()> {
    let [y] = outputs;
    let (columns, row) = (x.shape()[1].max(1) as usize, workspace.into_slice::<f32>()?);
    match x.dtype() {
        DataType::Float32 => softmax((x.as_slice()?, row, y.into_slice()?), columns, same, same),
        DataType::Float16 => softmax((x.as_slice()?, row, y.into_slice()?), columns, f16::to_f32, f16::from_f32),
        DataType::BFloat16 => softmax((x.as_slice()?, row, y.into_slice()?), columns, bf16::to_f32, bf16::from_f32),
        other => bail!("softmax_rows doesn't take {other}"),
    }
    Ok(())
}

#[impl_plugin("by_hand::softmax_rows", device = cuda, workspace = x.shape_expr(0) * 8)]
fn softmax_rows_cuda(x: Tensor, outputs: [TensorMut; 1], workspace: Workspace, stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (n, rows, columns) = (x.numel() as i64, x.shape()[0], x.shape()[1]);
    let (each_row, each) = (blocks(rows), threads(n));
    let mut sums = workspace.into_device_slice::<f32>()?;
    match x.dtype() {
        DataType::Float32 => {
            measure_f32(stream, each_row, x.device_slice()?, columns, &mut sums)?;
            divide_f32(stream, each, x.device_slice()?, n, columns, &sums, y.into_device_slice()?)
        }
        DataType::Float16 => {
            measure_f16(stream, each_row, x.device_slice()?, columns, &mut sums)?;
            divide_f16(stream, each, x.device_slice()?, n, columns, &sums, y.into_device_slice()?)
        }
        DataType::BFloat16 => {
            measure_bf16(stream, each_row, x.device_slice()?, columns, &mut sums)?;
            divide_bf16(stream, each, x.device_slice()?, n, columns, &sums, y.into_device_slice()?)
        }
        other => bail!("softmax_rows doesn't take {other}"),
    }
}

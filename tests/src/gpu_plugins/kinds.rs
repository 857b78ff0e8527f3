//! Plugins for BF16, and for attributes of text and bytes.

use plugin_runtime::prelude::*;

use super::each;

kernels! {
    source KINDS = "kinds.cu";
    fn scale_in_bf16(x: DeviceSlice<bf16>, out: DeviceSliceMut<bf16>, n: u64, factor: f32);
    fn offset_f32(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64, offsets: Offsets);
}

/// Every element times a factor, computed in FP32 and rounded once.
#[register("gpu::scale_bf16")]
pub fn scale_bf16(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[autotune("gpu::scale_bf16")]
fn scale_bf16_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("BF16, BF16")]
}

#[impl_plugin("gpu::scale_bf16", device = cpu)]
fn scale_bf16_cpu(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    for (y, x) in y.into_slice::<bf16>()?.iter_mut().zip(x.as_slice::<bf16>()?) {
        *y = bf16::from_f32(x.to_f32() * factor);
    }
    Ok(())
}

#[impl_plugin("gpu::scale_bf16", device = cuda)]
fn scale_bf16_cuda(x: Tensor, factor: f32, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let n = x.numel();
    scale_in_bf16(stream, each(n)?, x.device_slice()?, y.into_device_slice()?, n as u64, factor)
}

/// The attributes of [`offsets()`], as its kernel takes them.
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Offsets {
    table: [u8; 16],
    count: u32,
    /// One bit per sign, set for a minus.
    minus: u32,
    signs: u32,
}

impl Offsets {
    fn new(table: &[u8], signs: &str) -> Result<Self> {
        let mut all = [0; 16];
        match all.get_mut(..table.len()) {
            Some(some) if !table.is_empty() => some.copy_from_slice(table),
            _ => bail!("1 to 16 offsets are needed, not {}", table.len()),
        }
        let (mut minus, mut count) = (0, 0);
        for sign in signs.chars() {
            match sign {
                '+' if count < 32 => {}
                '−' if count < 32 => minus |= 1 << count,
                _ => bail!("1 to 32 signs are needed, each + or −, not {signs:?}"),
            }
            count += 1;
        }
        if count == 0 {
            bail!("1 to 32 signs are needed, each + or −, not {signs:?}");
        }
        Ok(Offsets { table: all, count: table.len() as u32, minus, signs: count })
    }
}

/// `±x + table[i % len]`, with the signs in turn.
#[register("gpu::offsets")]
pub fn offsets(x: &TensorDesc, table: &[u8], #[default("+")] signs: &str) -> Result<TensorDesc> {
    Offsets::new(table, signs).map(|_| x.like())
}

#[autotune("gpu::offsets")]
fn offsets_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32")]
}

#[impl_plugin("gpu::offsets", device = cpu)]
fn offsets_cpu(x: Tensor, table: &[u8], signs: &str, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let signed = x.as_slice::<f32>()?.iter().zip(signs.chars().cycle()).zip(table.iter().cycle());
    for (y, ((x, sign), offset)) in y.into_slice::<f32>()?.iter_mut().zip(signed) {
        *y = if sign == '+' { *x } else { -x } + f32::from(*offset);
    }
    Ok(())
}

#[impl_plugin("gpu::offsets", device = cuda)]
fn offsets_cuda(x: Tensor, table: &[u8], signs: &str, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let n = x.numel();
    let offsets = Offsets::new(table, signs)?;
    offset_f32(stream, each(n)?, x.device_slice()?, y.into_device_slice()?, n as u64, offsets)
}

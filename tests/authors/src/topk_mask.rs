//! Where the `k` largest elements of each row are; of equal ones the first.
use plugin_runtime::prelude::*;

kernels! {
    source TOPK_MASK = "topk_mask.cu";
    fn mark<T in [f32, f16]>(x: DeviceSlice<T>, n: i64 = x.len(), columns: i64, k: i64, mask: DeviceSliceMut<u8>);
}

#[register("authors::topk_mask")]
pub fn topk_mask(x: &TensorDesc, k: i64) -> TensorDesc {
    x.like().with_dtype(DataType::Bool)
}

#[autotune("authors::topk_mask")]
fn topk_mask_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16, BOOL")]
}

#[impl_plugin("authors::topk_mask", device = cpu)]
fn topk_mask_cpu(x: Tensor, k: i64, [mask]: [TensorMut; 1]) -> Result<()> {
    let columns = x.shape()[1].max(1) as usize;
    dispatch!(x.dtype(), T in [f32, f16] => {
        for (x, mask) in x.as_slice::<T>()?.chunks(columns).zip(mask.into_slice::<u8>()?.chunks_mut(columns)) {
            let mut order: Vec<usize> = (0..x.len()).collect();
            order.sort_by(|&a, &b| x[b].to_f32().total_cmp(&x[a].to_f32()));
            order.iter().enumerate().for_each(|(rank, &at)| mask[at] = u8::from((rank as i64) < k));
        }
        Ok(())
    })
}

#[impl_plugin("authors::topk_mask", device = cuda)]
fn topk_mask_cuda(x: Tensor, k: i64, [mask]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    mark(stream, LaunchConfig::for_elements(x.numel(), 256)?, x, x.shape()[1], k, mask)
}

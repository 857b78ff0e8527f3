//! What the test suites share: small plugins, each for one thing that an engine must do, and made-up data.

pub mod command;
pub mod dlpack;
pub mod gpu_plugins;
pub mod onnx;
pub mod partial;
pub mod plugins;
pub mod suite;
#[cfg(unix)]
pub mod tensorrt;

use plugin_runtime::tensor::HostTensor;

/// A repeatable source of numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// One seed gives one sequence.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// 0 to `n` - 1.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }

    /// Multiples of 1/4 between -8 and 8, about a quarter of them 0.
    pub fn float(&mut self) -> f32 {
        if self.below(4) == 0 { 0.0 } else { self.below(65) as f32 / 4.0 - 8.0 }
    }

    /// As many of them as the extents multiply to.
    pub fn floats(&mut self, dims: &[i64]) -> Vec<f32> {
        (0..dims.iter().product::<i64>()).map(|_| self.float()).collect()
    }
}

/// A FP32 tensor.
pub fn tensor(data: &[f32], dims: &[i64]) -> HostTensor {
    HostTensor::from_slice(data, dims).expect("the data has as many elements as the extents say")
}

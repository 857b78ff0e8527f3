//! Builds of one layer, with all that it takes to find the tactic.

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::{Network, Preference};
use plugin_runtime::tensor::DataType;

use crate::runner::commands;
use crate::runner::failure::Result;
use crate::runner::table::Table;
use crate::runner::tuning;

const DTYPE: DataType = DataType::Float32;

/// A network of one layer, to be built.
pub(super) struct Layer {
    pub(super) name: &'static str,
    pub(super) shape: Vec<i64>,
    network: Network,
}

/// Each sample at about 1e3, 1e6 and 3e7 elements.
///
/// # Errors
/// None, as long as the samples take these shapes.
pub(super) fn all(quick: bool) -> Result<Vec<Layer>> {
    let sizes = if quick { 1 } else { 3 };
    let mut all = Vec::new();
    for shape in [[32, 32], [1 << 10, 1 << 10], [1 << 12, 1 << 13]].iter().take(sizes) {
        let network = commands::non_zero_network(DTYPE, shape)?;
        all.push(Layer { name: "build of non_zero", shape: shape.to_vec(), network });
    }
    for shape in [[1, 1, 32, 32], [1, 64, 128, 128], [32, 64, 128, 128]].iter().take(sizes) {
        let network = commands::circ_pad_network(DTYPE, shape, &[1; 4], Preference::Unspecified)?;
        all.push(Layer { name: "build of circ_pad", shape: shape.to_vec(), network });
    }
    for shape in [[1 << 10], [1 << 20], [1 << 25]].iter().take(sizes) {
        let network = commands::add_network(DTYPE, shape, Preference::Unspecified)?;
        all.push(Layer { name: "build of add", shape: shape.to_vec(), network });
    }
    Ok(all)
}

impl Layer {
    /// Builds it, knowing nothing. What it tried is put into `tried`.
    ///
    /// # Errors
    /// When it can't be built.
    pub(super) fn build(&self, device: &Device, seed: u64, tried: &mut Option<Table>) -> Result<()> {
        let engine = Builder::new(device.clone()).seed(seed).build(&self.network)?;
        *tried = Some(tuning::table(engine.report()));
        Ok(())
    }

    /// What a copy of its input reads and writes.
    pub(super) fn copied_bytes(&self) -> u64 {
        2 * self.shape.iter().product::<i64>().unsigned_abs() * u64::from(DTYPE.bits() / 8)
    }
}

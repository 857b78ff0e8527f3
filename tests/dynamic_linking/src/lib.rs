//! A crate whose other dependencies, like candle, link the CUDA driver when they are built: `cudarc` has both features then.

pub use cudarc::driver::DriverError;
pub use plugin_runtime::device::Device;

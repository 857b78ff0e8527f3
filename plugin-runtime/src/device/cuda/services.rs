//! One stream and one pair of staging buffers per GPU, for work that isn't part of a run.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::find::find_gpus;
use super::gpu::Gpu;
use super::staging::Staging;
use super::stream::CudaStream;
use crate::error::{Error, Result};

#[derive(Debug, Default)]
struct Services {
    stream: OnceLock<Result<Arc<CudaStream>>>,
    staging: Mutex<Option<Staging>>,
}

fn of(gpu: &Gpu) -> Result<&'static Services> {
    static ALL: OnceLock<Box<[Services]>> = OnceLock::new();
    let count = find_gpus()?.len();
    let all = ALL.get_or_init(|| (0..count).map(|_| Services::default()).collect());
    all.get(gpu.ordinal()).ok_or_else(|| Error::invalid("a GPU that wasn't found"))
}

/// The GPU's stream for work that isn't part of a run.
pub(crate) fn stream(gpu: &'static Gpu) -> Result<Arc<CudaStream>> {
    of(gpu)?.stream.get_or_init(|| CudaStream::new(gpu).map(Arc::new)).clone()
}

/// Lends the buffers that copies to and from the host go through.
pub(super) fn with_staging<T>(gpu: &'static Gpu, work: impl FnOnce(&mut Staging) -> Result<T>) -> Result<T> {
    let mut kept = of(gpu)?.staging.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.is_none() {
        *kept = Some(Staging::new(gpu)?);
    }
    match &mut *kept {
        Some(staging) => work(staging),
        None => Err(Error::invalid("no staging memory")),
    }
}

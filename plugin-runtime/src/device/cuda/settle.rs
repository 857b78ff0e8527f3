//! Extents that follow from size tensors, computed where those are: the host waits for nothing.

#![expect(unsafe_code, reason = "kernels are listed by the linker")]

use super::services;
use super::{DeviceMemory, Gpu, LaunchConfig};
use crate::device::Stream;
use crate::error::{Error, Result};
use crate::kernels;
use crate::shape::ShapeProgram;
use crate::tensor::{DeviceSlice, DeviceSliceMut};

kernels! {
    pub(super) source SETTLE = "settle.cu";
    fn set_symbols(table: DeviceSliceMut<i64>, first: u32, count: u32, values: Values);
    fn settle(words: DeviceSlice<i64>, table: DeviceSliceMut<i64>, slots_at: u32, out_at: u32, sizes: Sizes);
}

/// How many size tensors one launch reads.
const SIZES: usize = 4;
/// No steps, no results.
const EMPTY_PROGRAM: [i64; 2] = [0, 0];
/// How many symbols one launch sets.
const VALUES: usize = 64;

#[derive(Clone, Copy, Default, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Sizes {
    address: [u64; SIZES],
    upper: [i64; SIZES],
    symbol: [u32; SIZES],
    wide: [u32; SIZES],
    count: u32,
    unused: u32,
}

#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Values {
    value: [i64; VALUES],
}

/// A size tensor on the device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizePlace {
    pub(crate) address: u64,
    /// Whether it is INT64, else INT32.
    pub(crate) wide: bool,
    pub(crate) upper: i64,
    pub(crate) symbol: usize,
}

/// A program over symbols, in the device's memory.
#[derive(Debug)]
pub(crate) struct Settle {
    words: DeviceMemory,
    /// Index of the results in the table.
    out_at: u32,
    /// Index of intermediate values in the table.
    slots_at: u32,
}

impl Settle {
    /// # Errors
    /// When the table would be too long, or the device has no memory left.
    pub(crate) fn new(gpu: &'static Gpu, program: &ShapeProgram, slots_at: usize, out_at: usize) -> Result<Self> {
        let place = |at: usize| u32::try_from(at).map_err(|_| Error::invalid("too many extents depend on data"));
        let mut words = EMPTY_PROGRAM.to_vec();
        words.extend(program.words());
        let memory = DeviceMemory::anywhere(gpu, size_of_val(&*words))?;
        let stream = services::stream(gpu)?;
        memory.upload(&stream, 0, bytemuck::cast_slice(&words))?;
        Ok(Settle { words: memory, out_at: place(out_at)?, slots_at: place(slots_at)? })
    }

    /// Enqueues a kernel that reads the size tensors and computes the extents that follow. `table` begins with one
    /// number per symbol.
    pub(crate) fn enqueue(&self, stream: &Stream, table: &DeviceMemory, places: &[SizePlace]) -> Result<()> {
        let all = DeviceSlice::<i64>::new(self.words.address(), self.words.len())?;
        let (empty, program) = (all.slice(0..EMPTY_PROGRAM.len())?, all.slice(EMPTY_PROGRAM.len()..all.len())?);
        let last = places.len().div_ceil(SIZES).saturating_sub(1);
        for (batch, places) in places.chunks(SIZES).enumerate() {
            let mut sizes = Sizes { count: places.len() as u32, ..Sizes::default() };
            for (i, place) in places.iter().enumerate() {
                sizes.address[i] = place.address;
                sizes.upper[i] = place.upper;
                sizes.symbol[i] = place.symbol as u32;
                sizes.wide[i] = place.wide.into();
            }
            let words = if batch == last { program } else { empty };
            let table = DeviceSliceMut::new(table.address(), table.len())?;
            settle(stream, LaunchConfig::default(), words, table, self.slots_at, self.out_at, sizes)?;
        }
        Ok(())
    }
}

/// Enqueues a kernel that writes the symbols' values, as the host knows them, to the front of the table.
pub(crate) fn enqueue_symbols(stream: &Stream, table: &DeviceMemory, symbols: &[i64]) -> Result<()> {
    for (batch, symbols) in symbols.chunks(VALUES).enumerate() {
        let mut values = Values { value: [0; VALUES] };
        values.value[..symbols.len()].copy_from_slice(symbols);
        let table = DeviceSliceMut::new(table.address(), table.len())?;
        let launch = LaunchConfig { block: [VALUES as u32, 1, 1], ..LaunchConfig::default() };
        set_symbols(stream, launch, table, (batch * VALUES) as u32, symbols.len() as u32, values)?;
    }
    Ok(())
}

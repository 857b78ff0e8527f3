//! What reformats run on: the kernels' source on a CPU, and a GPU.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::super::way::{
    CastLaunch, CrossLaunch, EightsLaunch, Kernel, ReformatLaunch, Short, ShortLaunch, TransposeLaunch, Way,
};
use super::super::{cast, cross, eights, launch, memory, short_tiles, transpose};
use crate::device::cuda::DeviceTensor;
use crate::device::{Device, Stream};
use crate::tensor::{DataType, DeviceSlice, DeviceSliceMut, HostTensor};

/// Where reformats run.
pub(super) trait Reformatter {
    /// What `target` holds afterwards. Source and target lie `shift` bytes behind a multiple of 16.
    fn run(&mut self, way: Way, source: &[u8], target: &[u8], shift: usize) -> Vec<u8>;
}

/// The kernels' own source, compiled for the CPU.
pub(super) struct Emulator {
    process: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Emulator {
    pub(super) fn start(test: &str) -> Option<Emulator> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/device/cuda/reformat");
        if !sources.join("emulator.cpp").is_file() {
            skipped(test, &format!("the sources that it compiles aren't in `{}`", sources.display()));
            return None;
        }
        let program = std::env::temp_dir().join(format!("plugin-runtime-{}-{test}", std::process::id()));
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let mut command = Command::new(compiler);
        command.args(["-std=c++17", "-O1", "-I"]).arg(sources.join(".."));
        command.args(std::env::var("CXXFLAGS").unwrap_or_default().split_whitespace());
        command.arg(sources.join("emulator.cpp")).arg("-o").arg(&program);
        let compiled = if cfg!(unix) { command.output().ok() } else { None };
        let Some(compiled) = compiled else {
            skipped(test, "there is no C++ compiler `c++`; set CXX to one");
            return None;
        };
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        let mut process = Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // The system keeps it as long as it runs.
        let _ = std::fs::remove_file(program);
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Some(Emulator { process, input, output })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The kernel's number among those from FP16, then from INT8, then from INT4.
fn short_kernel(short: Short) -> u64 {
    [(16, 8), (16, 4), (8, 16), (8, 4), (4, 16), (4, 8)]
        .iter()
        .position(|&bits| bits == (short.from, short.to))
        .unwrap() as u64
}

impl Reformatter for Emulator {
    fn run(&mut self, way: Way, source: &[u8], target: &[u8], shift: usize) -> Vec<u8> {
        let (kind, kernel, launch, work) = match &way {
            Way::Nothing => return target.to_vec(),
            Way::Copy => return source.to_vec(),
            Way::Launch(ReformatLaunch { kernel, launch, work }) => {
                let kernel = match *kernel {
                    Kernel::Flat => 0,
                    Kernel::Any { wide } => 1 + u64::from(wide),
                    Kernel::Tiles { wide } => 4 + u64::from(wide),
                    Kernel::SeveralTiles => 6,
                    Kernel::FlatSmall => 3,
                    Kernel::FlatShort(short) => 7 + short_kernel(short),
                };
                (0, kernel, launch, bytemuck::bytes_of(work))
            }
            Way::Transpose(TransposeLaunch { element_bytes, launch, work }) => {
                (1, u64::from(*element_bytes / 2), launch, bytemuck::bytes_of(work))
            }
            Way::Short(ShortLaunch { short, launch, work }) => {
                (1, 3 + short_kernel(*short), launch, bytemuck::bytes_of(work))
            }
            Way::Cast(CastLaunch { bytes, launch, work }) => {
                (2, bytes.source / 2 * 3 + bytes.target / 2, launch, bytemuck::bytes_of(work))
            }
            Way::Cross(CrossLaunch { element_bytes, launch, work }) => {
                (3, u64::from(*element_bytes / 2), launch, bytemuck::bytes_of(work))
            }
            Way::Eights(EightsLaunch { widens, launch, work }) => {
                (4, u64::from(*widens), launch, bytemuck::bytes_of(work))
            }
        };
        assert_eq!((&launch.grid[1..], launch.block, launch.shared_bytes), (&[1, 1][..], [256, 1, 1], 0));
        let blocks = u64::from(launch.grid[0]);
        let header = [kind, kernel, blocks, source.len() as u64, target.len() as u64, shift as u64];
        let message = [bytemuck::cast_slice(&header), work, source, target].concat();
        self.input.write_all(&message).unwrap();
        self.input.flush().unwrap();
        let mut result = vec![0; target.len()];
        self.output.read_exact(&mut result).unwrap();
        result
    }
}

/// A GPU.
pub(super) struct Gpu(Stream);

impl Gpu {
    pub(super) fn start(test: &str) -> Option<Gpu> {
        match Device::cuda(0) {
            Ok(device) => Some(Gpu(device.create_stream().unwrap())),
            Err(error) => {
                skipped(test, &error.to_string());
                None
            }
        }
    }

    /// With `shift` bytes before and bytes to guard behind.
    fn place(&self, bytes: &[u8], shift: usize) -> DeviceTensor {
        let all = [&vec![GUARD; shift], bytes, &[GUARD; GUARDS]].concat();
        let mut tensor = HostTensor::zeros(DataType::UInt8, &[all.len() as i64]).unwrap();
        tensor.bytes_mut().copy_from_slice(&all);
        DeviceTensor::from_host(&self.0, &tensor).unwrap()
    }
}

const GUARD: u8 = 0xA5;
const GUARDS: usize = 67;

impl Reformatter for Gpu {
    fn run(&mut self, way: Way, source: &[u8], target: &[u8], shift: usize) -> Vec<u8> {
        let (from, to) = (self.place(source, shift), self.place(target, shift));
        let at = |tensor: &DeviceTensor| tensor.address() + shift as u64;
        let (read, written) =
            (DeviceSlice::new(at(&from), source.len()).unwrap(), DeviceSliceMut::new(at(&to), target.len()).unwrap());
        match way {
            Way::Nothing => {}
            Way::Copy => memory::copy(self.0.cuda().unwrap(), at(&from), at(&to), target.len()).unwrap(),
            Way::Launch(run) => launch(&self.0, run, read, written).unwrap(),
            Way::Transpose(run) => transpose(&self.0, run, read, written).unwrap(),
            Way::Cast(run) => cast(&self.0, run, read, written).unwrap(),
            Way::Short(run) => short_tiles(&self.0, run, read, written).unwrap(),
            Way::Cross(run) => cross(&self.0, run, read, written).unwrap(),
            Way::Eights(run) => eights(&self.0, run, read, written).unwrap(),
        }
        let result = to.to_host(&self.0).unwrap();
        let (before, rest) = result.bytes().split_at(shift);
        let (result, behind) = rest.split_at(target.len());
        assert!(before.iter().chain(behind).all(|&byte| byte == GUARD), "wrote outside of the target: {way:?}");
        result.to_vec()
    }
}

fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED {test}: {why}");
}

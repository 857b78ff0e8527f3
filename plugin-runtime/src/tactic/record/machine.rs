//! What timings depend on besides what was timed.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use super::text::{abridged, quoted};
use crate::device::Device;
use crate::device::cpu::threads;
use crate::device::cuda::KERNELS;

/// The kernels, device and driver that a timing belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Machine {
    /// What identifies the compiled code; `-` for an optimized build, whose impls have no kernels of their own.
    pub(crate) kernel: Arc<str>,
    /// Kind, model, and what else decides its speed.
    pub(crate) device: Arc<str>,
    /// `-` where there is none.
    pub(crate) driver: Arc<str>,
}

impl Machine {
    pub(crate) fn of(device: &Device) -> Machine {
        let kind = device.kind();
        match device.cuda_properties() {
            None => {
                let device = abridged(format_args!("{kind}, {}, {} threads", cpu_model(), threads()));
                let kernel = if cfg!(debug_assertions) { "debug" } else { "-" };
                Machine { kernel: kernel.into(), device, driver: "-".into() }
            }
            Some(gpu) => {
                let device = abridged(format_args!("{kind}, {}", gpu.name));
                // A kernel's source says it all: what the host does isn't timed.
                let kernel = format!("{:08x}", sources_checksum());
                Machine { kernel: kernel.into(), device, driver: abridged(format_args!("CUDA {}", gpu.driver)) }
            }
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { kernel, device, driver } = self;
        write!(f, "kernel={} device={} driver={}", quoted(kernel), quoted(device), quoted(driver))
    }
}

/// Of the text of every linked kernel, whatever order they are linked in.
fn sources_checksum() -> u32 {
    let mut all: Vec<u32> = KERNELS.iter().map(|kernel| kernel.source.checksum()).collect();
    all.sort_unstable();
    all.dedup();
    crc32fast::hash(bytemuck::cast_slice(&all))
}

fn cpu_model() -> String {
    const FIRST_CORES: u64 = 1 << 16;
    let mut text = Vec::new();
    let read = File::open("/proc/cpuinfo").and_then(|file| file.take(FIRST_CORES).read_to_end(&mut text));
    let described = read.ok().and_then(|_| model_in(&String::from_utf8_lossy(&text)));
    described.unwrap_or_else(|| std::env::consts::ARCH.into())
}

/// The model that Linux's description of the processors names, or the numbers that stand for it.
fn model_in(cpuinfo: &str) -> Option<String> {
    let field = |wanted: &str| {
        let fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        let value = fields.into_iter().find(|(name, _)| name.trim() == wanted)?.1;
        let words: Vec<&str> = value.split_whitespace().collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    let numbers = || {
        let (implementer, part) = (field("CPU implementer")?, field("CPU part")?);
        Some(format!("{} {implementer} {part}", std::env::consts::ARCH))
    };
    field("model name").or_else(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_found() {
        let x86 = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Some(R)  CPU @ 2.60GHz \nprocessor\t: 1\n";
        assert_eq!(model_in(x86).as_deref(), Some("Some(R) CPU @ 2.60GHz"));
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n";
        assert!(model_in(arm).is_some_and(|model| model.ends_with(" 0x41 0xd40")));
        assert_eq!(model_in("model name\t:\nnothing else"), None);
    }

    #[test]
    fn one_machine_is_described_alike_each_time() {
        let machine = Machine::of(&Device::cpu());
        assert_eq!(machine, Machine::of(&Device::cpu()));
        assert!(machine.device.starts_with("cpu, ") && machine.device.ends_with(" threads"), "{machine}");
    }
}

//! Kernels, device and driver: the part of a record's key that isn't the subject.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use super::Subject;
use super::kernels::Kernels;
use super::text::{abridged, quoted};
use crate::device::Device;
use crate::device::cpu::threads;

/// The kernels, device and driver that a timing belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Machine {
    /// Checksum of the CUDA sources on a GPU; on the CPU `debug`, or `-` in an optimized build.
    pub(crate) kernel: Arc<str>,
    /// Kind, model, and what else decides its speed.
    pub(crate) device: Arc<str>,
    /// `-` where there is none.
    pub(crate) driver: Arc<str>,
}

/// Device, driver and linked kernels: what the timings of this program depend on.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    device: Arc<str>,
    driver: Arc<str>,
    /// `None` where impls have no kernels.
    kernels: Option<Kernels>,
}

impl Surroundings {
    pub(crate) fn of(device: &Device) -> Surroundings {
        let kind = device.kind();
        match device.cuda_properties() {
            None => {
                let device = abridged(format_args!("{kind}, {}, {} threads", cpu_model(), threads()));
                Surroundings { device, driver: "-".into(), kernels: None }
            }
            Some(gpu) => Surroundings {
                device: abridged(format_args!("{kind}, {}", gpu.name)),
                driver: abridged(format_args!("CUDA {}", gpu.driver)),
                kernels: Some(Kernels::linked()),
            },
        }
    }

    /// The kernels, device and driver of a subject's timing.
    pub(crate) fn machine(&self, subject: &Subject) -> Machine {
        let kernel = match &self.kernels {
            // The checksum of the kernels' sources: the host's time isn't measured.
            Some(kernels) => format!("{:08x}", kernels.checksum(subject)).into(),
            None if cfg!(debug_assertions) => "debug".into(),
            None => "-".into(),
        };
        Machine { kernel, device: self.device.clone(), driver: self.driver.clone() }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { kernel, device, driver } = self;
        write!(f, "kernel={} device={} driver={}", quoted(kernel), quoted(device), quoted(driver))
    }
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
        let subject = Subject::Reformat { dims: "[4]".into(), from: "FP32".into(), to: "FP16".into() };
        let machine = Surroundings::of(&Device::cpu()).machine(&subject);
        assert_eq!(machine, Surroundings::of(&Device::cpu()).machine(&subject));
        assert!(machine.device.starts_with("cpu, ") && machine.device.ends_with(" threads"), "{machine}");
    }
}

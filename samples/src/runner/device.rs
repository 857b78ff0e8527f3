//! Devices, as they are named on the command line and shown.

use std::fmt;
use std::str::FromStr;

use plugin_runtime::device::{Device, DeviceKind};

use super::failure::Result;

/// `cpu`, `cuda` or `cuda:1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DeviceName {
    Cpu,
    /// The GPU of this number; else the first.
    Cuda(Option<usize>),
}

impl DeviceName {
    /// # Errors
    /// When it isn't there: says what was looked for.
    pub(super) fn find(self) -> Result<Device> {
        Ok(self.to_string().parse()?)
    }

    pub(super) fn kind(self) -> DeviceKind {
        match self {
            DeviceName::Cpu => DeviceKind::Cpu,
            DeviceName::Cuda(_) => DeviceKind::Cuda,
        }
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(DeviceName::Cpu),
            None if text == "cuda" => Ok(DeviceName::Cuda(None)),
            Some(("cuda", ordinal)) => match ordinal.parse() {
                Ok(ordinal) => Ok(DeviceName::Cuda(Some(ordinal))),
                Err(_) => Err(format!("'{ordinal}' isn't the number of a GPU; expected such as cuda:0, the first")),
            },
            _ => Err("expected one of cpu, cuda, cuda:0, cuda:1 ..".into()),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceName::Cpu => f.write_str("cpu"),
            DeviceName::Cuda(None) => f.write_str("cuda"),
            DeviceName::Cuda(Some(ordinal)) => write!(f, "cuda:{ordinal}"),
        }
    }
}

/// `cpu`, or `cuda:0 (NVIDIA H200)`.
pub(super) fn shown_device(device: &Device) -> String {
    match device.cuda_properties() {
        Some(properties) => format!("{device} ({})", properties.name),
        None => device.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_they_are_read() {
        for name in ["cpu", "cuda", "cuda:0", "cuda:17"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        for name in ["", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:x", "cuda:99999999999999999999", "tpu", "cuda0"] {
            assert!(name.parse::<DeviceName>().unwrap_err().contains("expected"), "{name}");
        }
    }

    #[test]
    fn the_cpu_is_found_and_shown() {
        let cpu = DeviceName::Cpu.find().unwrap();
        assert_eq!((&*shown_device(&cpu), cpu.kind()), ("cpu", DeviceName::Cpu.kind()));
    }
}

//! Kernels as their authors declare them.

use std::fmt;
use std::path::{Path, PathBuf};

use linkme::distributed_slice;

/// A file of CUDA C++ beside a plugin's Rust file, included in the binary and compiled for the device found; or an image
/// that a compiler made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's name, as the author wrote it: relative to the folder of the Rust file.
    pub name: &'static str,
    /// Its text; empty where it is an image.
    pub text: &'static str,
    /// PTX or a cubin, in place of a text to compile.
    pub image: Option<&'static [u8]>,
    /// The Rust file that declares it, as `file!()` names it.
    pub rust_file: &'static str,
    /// Names and texts of the author's own headers that it includes.
    pub headers: &'static [(&'static str, &'static str)],
    /// More options for the compiler.
    pub options: &'static [&'static str],
    /// The functions that are made of its templates.
    pub instances: &'static [Instance],
}

/// A kernel that is made of a template of a source, for one element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The name that it is known by: the template's, `_`, and the element type, as `scale_f32`.
    pub name: &'static str,
    /// How it is named in C++: `scale<float>`.
    pub expression: &'static str,
    /// How its symbol begins: `_Z5scaleIfE`.
    pub symbol: &'static str,
}

impl Source {
    /// Its path, as the compiler's log names it.
    pub fn path(&self) -> PathBuf {
        Path::new(self.rust_file).parent().unwrap_or(Path::new("")).join(self.name)
    }

    /// CRC-32 of its name, text, headers, options and image.
    pub(crate) fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        let headers = self.headers.iter().flat_map(|(name, text)| [*name, *text]);
        for part in [self.name, self.text].into_iter().chain(headers).chain(self.options.iter().copied()) {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        for instance in self.instances {
            hasher.update(instance.expression.as_bytes());
            hasher.update(&[0]);
        }
        hasher.update(self.image.unwrap_or_default());
        hasher.finalize()
    }
}

/// A kernel, with the parameters that its Rust declaration gives it.
#[derive(Clone, Copy, Debug)]
pub struct KernelEntry {
    /// The file that defines it.
    pub source: &'static Source,
    /// Its name there; kernels are `extern "C"`.
    pub name: &'static str,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
}

/// A parameter of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the Rust declaration.
    pub name: &'static str,
    /// Its Rust type, as written.
    pub ty: &'static str,
    /// How many bytes the kernel gets for it.
    pub bytes: usize,
}

/// Every source that is linked, also those whose kernels are only held by engines.
#[distributed_slice]
pub static SOURCES: [&'static Source];

/// Every kernel that is linked.
#[distributed_slice]
pub static KERNELS: [KernelEntry];

/// A generation of GPUs, which machine code is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Architecture {
    /// The number before the point in "compute capability 9.0".
    pub major: u32,
    /// The number after it.
    pub minor: u32,
}

impl Architecture {
    /// The architecture of the number that follows `sm_`: 90 is 9.0, 120 is 12.0.
    pub const fn from_number(number: u32) -> Architecture {
        Architecture { major: number / 10, minor: number % 10 }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sm_{}{}", self.major, self.minor)
    }
}

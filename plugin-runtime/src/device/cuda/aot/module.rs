//! The images of one set of kernels, each for other architectures, and the one of them that a device has loaded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::AotImage;
use crate::device::Device;
use crate::device::cuda::compiler::compile;
use crate::device::cuda::image::Image;
use crate::device::cuda::module::Module;
use crate::device::cuda::{Architecture, Gpu, ImageKind, Source};
use crate::error::{Error, Result};
use crate::suggest::did_you_mean;

/// The most bytes that an image may have.
pub(crate) const LARGEST_IMAGE: usize = 64 << 20;

/// The most kernels that an image may have, so that a hostile file is soon refused.
const MOST_KERNELS: usize = 4096;

/// Compiled kernels for some architecture.
#[derive(Clone, Debug)]
pub(crate) struct AotBinary {
    pub(crate) image: Image,
    /// The architecture that it was made for, where the image says so.
    pub(crate) target: Option<Target>,
    /// Its kernels, with the bytes of their parameters, as far as the image tells.
    kernels: Option<Arc<Kernels>>,
}

type Kernels = HashMap<Box<str>, Option<Vec<usize>>>;

/// The architecture that an image was made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Target {
    pub(crate) architecture: Architecture,
    /// Whether later architectures of its kind don't run it (`sm_90a`).
    pub(crate) exact: bool,
}

/// The same kernels for one or more architectures. The device's is loaded once, for all that use it.
#[derive(Debug)]
pub(crate) struct AotModule {
    binaries: Vec<AotBinary>,
    /// Names and symbols of kernels that are made of a source's templates.
    symbols: Vec<(&'static str, String)>,
    loaded: OnceLock<Arc<Module>>,
}

impl AotBinary {
    pub(crate) fn new(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Err(Error::invalid("its image is empty: give CUDA C++, PTX or a cubin"));
        }
        if bytes.len() > LARGEST_IMAGE {
            let len = bytes.len();
            return Err(Error::invalid(format_args!(
                "its image has {len} bytes; at most {LARGEST_IMAGE} are possible"
            )));
        }
        AotBinary::of_image(Image::from_bytes(bytes)?)
    }

    fn of_image(image: Image) -> Result<Self> {
        let target = match image.kind() {
            ImageKind::Cubin => image.architecture().map(|architecture| Target { architecture, exact: false }),
            ImageKind::Ptx => ptx_target(image.bytes()),
            ImageKind::Fatbin => None,
        };
        let kernels = image.kernels();
        if let Some(count) = kernels.as_ref().map(Vec::len).filter(|&count| count > MOST_KERNELS) {
            return Err(Error::invalid(format_args!(
                "its image has {count} kernels; at most {MOST_KERNELS} are possible"
            )));
        }
        let kernels = kernels.map(|all| all.into_iter().map(|(name, sizes)| (name.into(), sizes)).collect());
        Ok(AotBinary { kernels: kernels.map(Arc::new), image, target })
    }

    /// A rank of how well it suits an architecture; 0 where it doesn't. Machine code ranks above PTX, the nearest above
    /// others.
    fn suits(&self, device: Architecture) -> u64 {
        let Some(Target { architecture, exact }) = self.target else {
            // What a fatbin holds only the driver knows.
            return u64::from(self.image.kind() == ImageKind::Fatbin);
        };
        let is_cubin = self.image.kind() == ImageKind::Cubin;
        let runs = match (exact, is_cubin) {
            (true, _) => architecture == device,
            (false, true) => architecture.major == device.major && architecture.minor <= device.minor,
            (false, false) => architecture <= device,
        };
        let near = u64::from(architecture.major) << 16 | u64::from(architecture.minor.min(0xffff));
        if runs { (u64::from(is_cubin) << 60) + near + 2 } else { 0 }
    }

    /// `cubin for sm_90`
    pub(crate) fn describe(&self) -> String {
        let kind = match self.image.kind() {
            ImageKind::Cubin => "cubin",
            ImageKind::Ptx => "PTX",
            ImageKind::Fatbin => "fatbin",
        };
        match self.target {
            Some(Target { architecture, exact: false }) => format!("{kind} for {architecture}"),
            Some(Target { architecture, exact: true }) => format!("{kind} for {architecture} alone"),
            None => kind.to_owned(),
        }
    }
}

/// The `.target` of PTX.
fn ptx_target(bytes: &[u8]) -> Option<Target> {
    let text = str::from_utf8(bytes).ok()?;
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(".target"))?;
    let name = line.split(|c: char| c.is_whitespace() || c == ',' || c == '/').find(|word| !word.is_empty())?;
    let number = name.strip_prefix("sm_")?;
    let digits = number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let architecture = Architecture::from_number(number[..digits].parse().ok()?);
    Some(Target { architecture, exact: digits < number.len() })
}

impl AotModule {
    /// # Errors
    /// When there is no image.
    pub(crate) fn new(binaries: Vec<AotBinary>) -> Result<Self> {
        if binaries.is_empty() {
            return Err(Error::invalid("it has no image: give CUDA C++, PTX or a cubin"));
        }
        Ok(AotModule { binaries, symbols: Vec::new(), loaded: OnceLock::new() })
    }

    /// With the names that a source gives to what is made of its templates.
    fn with_instances(mut self, source: &Source) -> Self {
        self.symbols = self.binaries.first().map(|binary| binary.image.symbols(source)).unwrap_or_default();
        self
    }

    /// A kernel's symbol in the images, which is its name unless it is made of a template.
    pub(crate) fn symbol<'a>(&'a self, name: &'a str) -> &'a str {
        self.symbols.iter().find(|(known, _)| *known == name).map_or(name, |(_, symbol)| symbol)
    }

    pub(crate) fn binaries(&self) -> &[AotBinary] {
        &self.binaries
    }

    /// The image that suits an architecture best.
    ///
    /// # Errors
    /// When none does: names those that there are.
    pub(crate) fn binary_for(&self, architecture: Architecture) -> Result<&AotBinary> {
        let best = self.binaries.iter().max_by_key(|binary| binary.suits(architecture));
        best.filter(|binary| binary.suits(architecture) > 0).ok_or_else(|| {
            let have: Vec<String> = self.binaries.iter().map(AotBinary::describe).collect();
            Error::invalid(format_args!(
                "no image runs on {architecture}: there is {}; build the engine for it, see Builder::architectures",
                have.join(", ")
            ))
        })
    }

    /// Compares a kernel with what is in the images, as far as they tell.
    ///
    /// # Errors
    /// When one lacks it, or its parameters have other sizes.
    pub(crate) fn check_kernel(&self, name: &str, sizes: &[usize]) -> Result<()> {
        for binary in &self.binaries {
            let within = |reason: String| Error::invalid(format_args!("{reason} ({})", binary.describe()));
            let Some(kernels) = &binary.kernels else { continue };
            let Some(found) = kernels.get(name) else {
                let nearest = did_you_mean(name, kernels.keys().map(|known| &**known));
                let mut names: Vec<String> = kernels.keys().map(|known| format!("`{known}`")).collect();
                names.sort_unstable();
                let names = if names.is_empty() { "none".into() } else { names[..names.len().min(8)].join(", ") };
                return Err(within(format!(
                    "the image has no such kernel{nearest}; it has {names}: in C++, write extern \"C\" __global__ for each"
                )));
            };
            match found {
                Some(found) if found != sizes => {
                    let differs = found.iter().zip(sizes).position(|(found, given)| found != given);
                    let what = match differs {
                        Some(at) => format!("parameter {} differs", at + 1),
                        None => "the numbers of parameters differ".into(),
                    };
                    return Err(within(format!(
                        "in the image it takes parameters of {found:?} bytes, but {sizes:?} are given: {what}"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The module on the device, loaded at the first call. An engine, so a module, is of one device.
    ///
    /// # Errors
    /// When no image suits the device, or the driver refuses it.
    pub(crate) fn loaded(&self, device: &Device) -> Result<&Arc<Module>> {
        if let Some(module) = self.loaded.get() {
            return Ok(module);
        }
        let Some(gpu) = device.gpu() else {
            return Err(Error::invalid(format_args!("device `{device}` can't run AOT kernels")));
        };
        let binary = self.binary_for(gpu.architecture()).map_err(|e| e.within(format_args!("device `{device}`")))?;
        let module = Module::load(gpu, binary.image.bytes())?;
        Ok(self.loaded.get_or_init(|| module))
    }
}

/// Compiles authors' sources and images to modules, each once.
#[derive(Debug, Default)]
pub(crate) struct AotCompiler {
    /// At least the device's own, where it has one.
    architectures: Vec<Architecture>,
    /// The architectures that the user named.
    asked_for: Vec<Architecture>,
    made: Mutex<Vec<(AotImage, Arc<AotModule>)>>,
}

impl AotCompiler {
    /// For a device, and for more architectures besides.
    pub(crate) fn new(device: &Device, more: &[Architecture]) -> Self {
        let mut architectures: Vec<Architecture> =
            device.gpu().map(Gpu::architecture).into_iter().chain(more.iter().copied()).collect();
        architectures.sort_unstable();
        architectures.dedup();
        AotCompiler { architectures, asked_for: more.to_vec(), made: Mutex::default() }
    }

    /// # Errors
    /// When an image is none, a source doesn't compile, or there is no image for one of the architectures.
    pub(crate) fn module(&self, image: &AotImage) -> Result<Arc<AotModule>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, module)) = made.iter().find(|(known, _)| known == image) {
            return Ok(module.clone());
        }
        let binaries = match image {
            AotImage::Source(source) => {
                let compiled = self.architectures.iter().map(|architecture| compile(source, *architecture));
                compiled.map(|image| AotBinary::of_image(image?)).collect::<Result<_>>()?
            }
            AotImage::Ptx(bytes) => vec![AotBinary::new(bytes)?],
            AotImage::Cubins(cubins) => cubins.iter().map(|bytes| AotBinary::new(bytes)).collect::<Result<_>>()?,
        };
        let mut module = AotModule::new(binaries)?;
        if let AotImage::Source(source) = image {
            module = module.with_instances(source);
        }
        for architecture in &self.architectures {
            module.binary_for(*architecture)?;
        }
        let module = Arc::new(module);
        made.push((image.clone(), module.clone()));
        Ok(module)
    }

    /// Kernels that the engine can do without where they can be compiled when it runs: `None` where they can't be
    /// compiled now.
    ///
    /// # Errors
    /// When they can't be compiled for an architecture that the user named.
    pub(crate) fn optional_module(&self, source: &'static Source) -> Result<Option<Arc<AotModule>>> {
        let mut binaries = Vec::new();
        for &architecture in &self.architectures {
            match compile(source, architecture).and_then(AotBinary::of_image) {
                Ok(binary) => binaries.push(binary),
                Err(error) if self.asked_for.contains(&architecture) => return Err(error),
                Err(_) => {}
            }
        }
        if binaries.is_empty() { Ok(None) } else { Ok(Some(Arc::new(AotModule::new(binaries)?))) }
    }
}

#[cfg(test)]
mod tests;

//! CUDA C++ to machine code.

mod report;

pub use report::{CompileReport, KernelReport};

use std::borrow::Cow;
use std::path::PathBuf;

use super::cache::{Cache, INCLUDE_PATH, Key};
use super::image::Image;
use super::nvrtc::{Nvrtc, Recalled, Request, Version, process_variable, recall, remember};
use super::{Architecture, Source};
use crate::error::{Error, Result};

/// The first NVRTC with a cache of its own, which gives no log of what is in there, and an option that leaves it alone.
const FIRST_WITH_CACHE: Version = (12, 9);

/// The header that sources may include.
const RUNTIME_HEADER: (&str, &str) = ("plugin_runtime.cuh", include_str!("plugin_runtime.cuh"));

/// Longer logs are cut.
const MAX_LOG_BYTES: usize = 16 << 10;

/// A source with all that its compiler is given.
struct Program {
    name: String,
    text: Cow<'static, str>,
    headers: Cow<'static, [(&'static str, &'static str)]>,
}

impl Program {
    fn new(source: &Source) -> Program {
        let mut text = Cow::Borrowed(source.text);
        for instance in source.instances {
            let expression = instance.expression;
            *text.to_mut() += &format!("\ntemplate __global__ decltype({expression}) {expression};");
        }
        let mut headers = Cow::Borrowed(source.headers);
        let mut texts = std::iter::once(source.text).chain(source.headers.iter().map(|(_, text)| *text));
        if texts.any(|text| text.contains(RUNTIME_HEADER.0)) {
            headers.to_mut().push(RUNTIME_HEADER);
        }
        Program { name: program_name(source), text, headers }
    }

    fn request<'a>(&'a self, options: &'a [String]) -> Request<'a> {
        Request { text: &self.text, name: &self.name, headers: &self.headers, options }
    }
}

/// A source's machine code, from the cache on disk or made now; or the image that it is.
///
/// # Errors
/// When NVRTC isn't there or doesn't know the architecture, or the source doesn't compile.
pub(crate) fn compile(source: &Source, architecture: Architecture) -> Result<Image> {
    if let Some(bytes) = source.image {
        return image_of(source, bytes);
    }
    compile_with_cache(source, architecture, Cache::from_environment(&process_variable).as_ref())
}

fn compile_with_cache(source: &Source, architecture: Architecture, cache: Option<&Cache>) -> Result<Image> {
    let program = Program::new(source);
    let recalled = cache.and_then(|cache| recall(cache.folder(), &process_variable));
    if let Some(image) = recalled.as_ref().and_then(|by| cached_by_recalled(source, &program, architecture, cache?, by))
    {
        return Ok(image);
    }
    let nvrtc = match Nvrtc::get() {
        Ok(nvrtc) => nvrtc,
        Err(missing) => return cached_by_any(source, &program, architecture, cache).ok_or(missing),
    };
    check_architecture(nvrtc, source, architecture)?;
    let options = options(nvrtc.include_folders(), source, architecture, &[]);
    let request = program.request(&options);
    let Some(cache) = cache else {
        return Image::from_bytes(&compile_now(nvrtc, &request, architecture)?.0);
    };
    if recalled.is_none() {
        remember(nvrtc, cache.folder(), &process_variable);
    }
    let key = Key::new(&request, nvrtc.version());
    if let Some(image) = cache.load(&key).and_then(|cubin| Image::from_bytes(&cubin).ok()) {
        return Ok(image);
    }
    let (cubin, _) = compile_now(nvrtc, &request, architecture)?;
    cache.store(&key, &cubin);
    Image::from_bytes(&cubin)
}

/// Machine code that is in the cache, of a compiler that needn't be loaded then.
fn cached_by_recalled(
    source: &Source,
    program: &Program,
    architecture: Architecture,
    cache: &Cache,
    by: &Recalled,
) -> Option<Image> {
    let options = options(&by.include_folders, source, architecture, &[]);
    let cubin = cache.load(&Key::new(&program.request(&options), by.version))?;
    Image::from_bytes(&cubin).ok()
}

/// Machine code that any version of NVRTC left in the cache, for a program that finds no NVRTC.
fn cached_by_any(
    source: &Source,
    program: &Program,
    architecture: Architecture,
    cache: Option<&Cache>,
) -> Option<Image> {
    let options = options(&[], source, architecture, &[]);
    let request = program.request(&options);
    cache?.load_of_any_compiler(&request).and_then(|cubin| Image::from_bytes(&cubin).ok())
}

fn image_of(source: &Source, bytes: &[u8]) -> Result<Image> {
    Image::from_bytes(bytes).map_err(|e| e.within(format_args!("kernel image `{}`", program_name(source))))
}

/// Compiles a source and tells what each kernel in it uses. Needs no GPU; leaves the cache alone. Of an image, nothing is
/// told but what [`CompileReport::check`] compares.
///
/// # Errors
/// When NVRTC isn't there or doesn't know the architecture, or the source doesn't compile.
pub fn compile_report(source: &Source, architecture: Architecture) -> Result<CompileReport> {
    if let Some(bytes) = source.image {
        return Ok(CompileReport::new(source, architecture, image_of(source, bytes)?, ""));
    }
    let nvrtc = compiler_for(source, architecture)?;
    let more: &[&str] = match nvrtc.version() >= FIRST_WITH_CACHE {
        true => &["--ptxas-options=-v", "--no-cache"],
        false => &["--ptxas-options=-v"],
    };
    let options = options(nvrtc.include_folders(), source, architecture, more);
    let program = Program::new(source);
    let name = &program.name;
    let (cubin, log) = compile_now(nvrtc, &program.request(&options), architecture)?;
    let report = CompileReport::new(source, architecture, Image::from_bytes(&cubin)?, &log);
    if report.tells_nothing() {
        let (major, minor) = nvrtc.version();
        return Err(Error::invalid(format_args!(
            "CUDA source `{name}` was compiled for {architecture}, but NVRTC {major}.{minor} tells nothing of its kernels, as \
             where it finds them in a cache of its own: set CUDA_CACHE_DISABLE=1"
        )));
    }
    Ok(report)
}

/// Whether there is a compiler.
///
/// # Errors
/// When there is none: says what was looked for.
#[cfg(any(feature = "testing", test))]
pub(crate) fn find_nvrtc() -> Result<()> {
    Nvrtc::get().map(drop)
}

/// The machine code and the compiler's log.
fn compile_now(nvrtc: &Nvrtc, request: &Request, architecture: Architecture) -> Result<(Vec<u8>, String)> {
    let compiled = nvrtc.compile(request)?;
    let Some(cubin) = compiled.cubin else {
        let (major, minor) = nvrtc.version();
        return Err(Error::invalid(format_args!(
            "CUDA source `{}` doesn't compile for {architecture} (NVRTC {major}.{minor}):\n{}",
            request.name,
            cut(&[compiled.log.trim_end(), headers_advice(&compiled.log, nvrtc.include_folders())].concat())
        )));
    };
    Ok((cubin, compiled.log))
}

/// What to do where a header of CUDA's own isn't found.
fn headers_advice(log: &str, folders: &[PathBuf]) -> &'static str {
    let is_missing = log.lines().any(|line| {
        let mut quoted = line.split('"').skip(1).step_by(2);
        line.contains("could not open source file") && quoted.any(|name| name.starts_with("cuda") || name == "mma.h")
    });
    match is_missing && folders.is_empty() {
        true => {
            "\nCUDA's own headers aren't in NVRTC's wheel: `pip install nvidia-cuda-runtime`, which has cuda_fp16.h and \
             cuda_bf16.h, beside it, or set CUDA_HOME to a toolkit. f16 and bf16 need none with #include <plugin_runtime.cuh>"
        }
        false => "",
    }
}

fn compiler_for(source: &Source, architecture: Architecture) -> Result<&'static Nvrtc> {
    let nvrtc = Nvrtc::get()?;
    check_architecture(nvrtc, source, architecture).map(|()| nvrtc)
}

fn check_architecture(nvrtc: &Nvrtc, source: &Source, architecture: Architecture) -> Result<()> {
    let known = nvrtc.architectures();
    if known.is_empty() || known.contains(&architecture) {
        return Ok(());
    }
    let (major, minor) = nvrtc.version();
    let known: Vec<String> = known.iter().map(Architecture::to_string).collect();
    Err(Error::invalid(format_args!(
        "CUDA source `{}` can't be compiled for {architecture}: NVRTC {major}.{minor} makes code for {}; set \
         NVRTC_LIBRARY to another version of it",
        program_name(source),
        known.join(", ")
    )))
}

/// `folders` hold CUDA's own headers.
fn options(folders: &[PathBuf], source: &Source, architecture: Architecture, more: &[&str]) -> Vec<String> {
    let mut options = vec![format!("--gpu-architecture={architecture}")];
    options.extend(["--std=c++17", "--generate-line-info"].map(str::to_owned));
    options.extend(folders.iter().map(|folder| format!("{INCLUDE_PATH}{}", folder.display())));
    options.extend(more.iter().chain(source.options).map(|&option| option.to_owned()));
    options
}

/// The author's path, with slashes everywhere, so that the code is the same everywhere.
fn program_name(source: &Source) -> String {
    source.path().to_string_lossy().replace('\\', "/")
}

fn cut(log: &str) -> String {
    if log.len() <= MAX_LOG_BYTES {
        return log.to_owned();
    }
    let end = log.floor_char_boundary(MAX_LOG_BYTES);
    format!("{}\n.. and {} more bytes", &log[..end], log.len() - end)
}

#[cfg(test)]
mod tests;

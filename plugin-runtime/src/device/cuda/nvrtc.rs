//! NVIDIA's run-time compiler, a library that is looked for when the first kernel is compiled.

mod recall;
mod search;

pub(super) use recall::{Recalled, recall, remember};

use std::ffi::{CStr, CString, OsString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::OnceLock;

use libloading::Library;

use super::Architecture;
use crate::error::{Error, Result};

/// `nvrtcResult`; 0 is success.
type Code = c_int;
/// `nvrtcProgram`, which the library alone looks into.
type Program = *mut c_void;
type Strings = *const *const c_char;
/// Major and minor.
pub(super) type Version = (u32, u32);
type GetSize = unsafe extern "C" fn(Program, *mut usize) -> Code;
type GetBytes = unsafe extern "C" fn(Program, *mut c_char) -> Code;

const SUCCESS: Code = 0;
/// `NVRTC_ERROR_INVALID_OPTION`: the log tells which.
const INVALID_OPTION: Code = 5;
/// `NVRTC_ERROR_COMPILATION`: the log tells why.
const COMPILATION_FAILED: Code = 6;

/// The functions that are used, with the library that holds them.
pub(super) struct Nvrtc {
    version: Version,
    /// The path or name that the loader was asked for.
    candidate: PathBuf,
    architectures: Vec<Architecture>,
    include_folders: Vec<PathBuf>,
    create_program: unsafe extern "C" fn(*mut Program, *const c_char, *const c_char, c_int, Strings, Strings) -> Code,
    compile_program: unsafe extern "C" fn(Program, c_int, Strings) -> Code,
    destroy_program: unsafe extern "C" fn(*mut Program) -> Code,
    get_cubin_size: GetSize,
    get_cubin: GetBytes,
    get_log_size: GetSize,
    get_log: GetBytes,
    get_error_string: unsafe extern "C" fn(Code) -> *const c_char,
    /// The library of the functions, and a part that it loads by name: they stay loaded.
    _libraries: (Library, Option<Library>),
}

/// A program to compile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) text: &'a str,
    /// The name that the log and the line table use.
    pub(super) name: &'a str,
    /// Names and texts.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) options: &'a [String],
}

/// The result of a compilation.
pub(super) struct Compiled {
    /// The machine code, or nothing where the program or an option has a mistake, which the log tells.
    pub(super) cubin: Option<Vec<u8>>,
    pub(super) log: String,
}

/// A variable of the process's environment.
pub(super) fn process_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

impl Nvrtc {
    /// The library, which is looked for once in a process. It may be called from several threads.
    ///
    /// # Errors
    /// When there is none, or none that can be used: says what was looked for.
    pub(super) fn get() -> Result<&'static Nvrtc> {
        static FOUND: OnceLock<Result<Nvrtc>> = OnceLock::new();
        FOUND.get_or_init(|| Self::find(&process_variable)).as_ref().map_err(Clone::clone)
    }

    fn find(environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Nvrtc> {
        if let Some(path) = search::named_library(environment) {
            return Self::open(&path, environment).map_err(|why| {
                let path = path.display();
                Error::invalid(format_args!("NVRTC_LIBRARY names `{path}`, which can't be used as NVRTC: {why}"))
            });
        }
        let mut tried = String::new();
        for path in search::library_candidates(environment) {
            match Self::open(&path, environment) {
                Ok(nvrtc) => return Ok(nvrtc),
                Err(why) => tried += &format!("\n  {}: {why}", path.display()),
            }
        }
        Err(Error::invalid(format_args!(
            "NVRTC, which compiles CUDA kernels, can't be loaded. Install the CUDA toolkit (12 or newer); or \
             `pip install nvidia-cuda-nvrtc`, and set NVRTC_LIBRARY to the path of the `{}` in that package (CUDA's own headers, as \
             cuda_fp16.h, are in the package nvidia-cuda-runtime). \
             What was looked for, here and in the folders of CUDA_HOME, CUDA_PATH and /usr/local/cuda:{tried}",
            search::LIBRARY_NAMES[0]
        )))
    }

    #[expect(unsafe_code, reason = "loads a library and looks its functions up by name")]
    fn open(path: &Path, environment: search::Environment) -> Result<Nvrtc, String> {
        // SAFETY: a library of NVRTC's name, or that the user names as it, is NVRTC; its initializers ask for nothing.
        let library = unsafe { Library::new(path) }.map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            why.strip_prefix(&format!("{}: ", path.display())).unwrap_or(&why).to_owned()
        })?;
        // SAFETY: as it is `nvrtcVersion` of nvrtc.h.
        let version = unsafe { version_of(function(&library, "nvrtcVersion")?)? };
        // The loader doesn't look beside the library that asks for it. Without it, a compilation tells what's missing.
        // SAFETY: as above.
        let builtins = search::builtins_beside(path, version).and_then(|path| unsafe { Library::new(path) }.ok());
        // SAFETY: the types are those of nvrtc.h, the same from CUDA 11.2 on.
        unsafe {
            Ok(Nvrtc {
                version,
                candidate: path.to_owned(),
                architectures: architectures_of(
                    function(&library, "nvrtcGetNumSupportedArchs")?,
                    function(&library, "nvrtcGetSupportedArchs")?,
                ),
                include_folders: search::include_folders(environment, Some(path)),
                create_program: function(&library, "nvrtcCreateProgram")?,
                compile_program: function(&library, "nvrtcCompileProgram")?,
                destroy_program: function(&library, "nvrtcDestroyProgram")?,
                get_cubin_size: function(&library, "nvrtcGetCUBINSize")?,
                get_cubin: function(&library, "nvrtcGetCUBIN")?,
                get_log_size: function(&library, "nvrtcGetProgramLogSize")?,
                get_log: function(&library, "nvrtcGetProgramLog")?,
                get_error_string: function(&library, "nvrtcGetErrorString")?,
                _libraries: (library, builtins),
            })
        }
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// The architectures that it compiles for; none where it doesn't tell.
    pub(super) fn architectures(&self) -> &[Architecture] {
        &self.architectures
    }

    /// Folders with CUDA's own headers; often there are none.
    pub(super) fn include_folders(&self) -> &[PathBuf] {
        &self.include_folders
    }

    /// Compiles one program. A mistake in it is no error here: see [`Compiled`].
    ///
    /// # Errors
    /// When the text, a name or an option holds a NUL, or the library fails.
    #[expect(unsafe_code, reason = "calls NVRTC")]
    pub(super) fn compile(&self, request: &Request) -> Result<Compiled> {
        let text = c_string(request.text, request.name)?;
        let name = c_string(request.name, request.name)?;
        let headers = CStrings::new(request.headers.iter().map(|header| header.1), request.name)?;
        let header_names = CStrings::new(request.headers.iter().map(|header| header.0), request.name)?;
        let options = CStrings::new(request.options.iter().map(String::as_str), request.name)?;

        let mut program = OpenProgram { nvrtc: self, program: ptr::null_mut() };
        // SAFETY: the strings end in NUL and outlive the call, which copies them; the counts are those of the lists.
        let code = unsafe {
            let (texts, names) = (headers.as_ptr(), header_names.as_ptr());
            (self.create_program)(&mut program.program, text.as_ptr(), name.as_ptr(), headers.count()?, texts, names)
        };
        self.check(code, "nvrtcCreateProgram")?;
        // SAFETY: the program was created above and nothing else has it; the options are as above.
        let code = unsafe { (self.compile_program)(program.program, options.count()?, options.as_ptr()) };
        let failed = match code {
            SUCCESS => false,
            INVALID_OPTION | COMPILATION_FAILED => true,
            _ => return Err(self.failure(code, "nvrtcCompileProgram", &program.log().unwrap_or_default())),
        };
        let log = program.log()?;
        let cubin =
            if failed { None } else { Some(program.read(self.get_cubin_size, self.get_cubin, "nvrtcGetCUBIN")?) };
        Ok(Compiled { cubin, log })
    }

    fn check(&self, code: Code, function: &str) -> Result<()> {
        if code == SUCCESS { Ok(()) } else { Err(self.failure(code, function, "")) }
    }

    #[expect(unsafe_code, reason = "calls NVRTC")]
    fn failure(&self, code: Code, function: &str, log: &str) -> Error {
        let (major, minor) = self.version;
        // SAFETY: it gives a static string for any code, or null.
        let text = unsafe {
            let text = (self.get_error_string)(code);
            if text.is_null() { "" } else { CStr::from_ptr(text).to_str().unwrap_or_default() }
        };
        Error::invalid(format_args!("NVRTC {major}.{minor}: {function} failed with {code} ({text}) {log}"))
    }
}

/// A program that is destroyed at the end.
struct OpenProgram<'a> {
    nvrtc: &'a Nvrtc,
    program: Program,
}

impl OpenProgram<'_> {
    fn log(&self) -> Result<String> {
        let mut bytes = self.read(self.nvrtc.get_log_size, self.nvrtc.get_log, "nvrtcGetProgramLog")?;
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        bytes.truncate(end);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    #[expect(unsafe_code, reason = "calls NVRTC")]
    fn read(&self, get_size: GetSize, get_bytes: GetBytes, function: &str) -> Result<Vec<u8>> {
        let mut size = 0;
        // SAFETY: the program is alive, and `size` is written.
        self.nvrtc.check(unsafe { get_size(self.program, &mut size) }, function)?;
        let mut bytes = vec![0; size];
        // SAFETY: it writes as many bytes as it said.
        self.nvrtc.check(unsafe { get_bytes(self.program, bytes.as_mut_ptr().cast()) }, function)?;
        Ok(bytes)
    }
}

impl Drop for OpenProgram<'_> {
    #[expect(unsafe_code, reason = "calls NVRTC")]
    fn drop(&mut self) {
        if !self.program.is_null() {
            // SAFETY: it was created, and isn't used after this.
            unsafe { (self.nvrtc.destroy_program)(&mut self.program) };
        }
    }
}

/// Strings as C takes a list of them.
struct CStrings {
    /// Owns the strings that the pointers point to.
    _strings: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl CStrings {
    fn new<'a>(strings: impl Iterator<Item = &'a str>, source: &str) -> Result<CStrings> {
        let strings = strings.map(|string| c_string(string, source)).collect::<Result<Vec<_>>>()?;
        let pointers = strings.iter().map(|string| string.as_ptr()).collect();
        Ok(CStrings { _strings: strings, pointers })
    }

    fn as_ptr(&self) -> Strings {
        self.pointers.as_ptr()
    }

    fn count(&self) -> Result<c_int> {
        c_int::try_from(self.pointers.len()).map_err(Error::invalid)
    }
}

fn c_string(string: &str, source: &str) -> Result<CString> {
    CString::new(string).map_err(|error| {
        let at = error.nul_position();
        Error::invalid(format_args!(
            "CUDA source `{source}`: it, a header, a name or an option has a NUL at byte {at}, which NVRTC can't take"
        ))
    })
}

/// # Safety
/// `T` is the type of the function of that name.
#[expect(unsafe_code, reason = "looks a function up by name")]
unsafe fn function<T: Copy>(library: &Library, name: &str) -> Result<T, String> {
    // SAFETY: as the caller promises.
    unsafe { library.get::<T>(name) }.map(|symbol| *symbol).map_err(|_| format!("it has no `{name}`"))
}

/// # Safety
/// It is `nvrtcVersion`.
#[expect(unsafe_code, reason = "calls NVRTC")]
unsafe fn version_of(function: unsafe extern "C" fn(*mut c_int, *mut c_int) -> Code) -> Result<Version, String> {
    let (mut major, mut minor) = (0, 0);
    // SAFETY: both are written.
    let code = unsafe { function(&mut major, &mut minor) };
    match (code, u32::try_from(major), u32::try_from(minor)) {
        (SUCCESS, Ok(major), Ok(minor)) => Ok((major, minor)),
        _ => Err("it doesn't tell its version".to_owned()),
    }
}

/// # Safety
/// They are `nvrtcGetNumSupportedArchs` and `nvrtcGetSupportedArchs`.
#[expect(unsafe_code, reason = "calls NVRTC")]
unsafe fn architectures_of(
    count: unsafe extern "C" fn(*mut c_int) -> Code,
    list: unsafe extern "C" fn(*mut c_int) -> Code,
) -> Vec<Architecture> {
    let mut number = 0;
    // SAFETY: it is written.
    if unsafe { count(&mut number) } != SUCCESS {
        return Vec::new();
    }
    let mut numbers: Vec<c_int> = vec![0; usize::try_from(number).unwrap_or(0)];
    // SAFETY: it writes as many as it said.
    if unsafe { list(numbers.as_mut_ptr()) } != SUCCESS {
        return Vec::new();
    }
    numbers.into_iter().filter_map(|number| u32::try_from(number).ok()).map(Architecture::from_number).collect()
}

//! The linked plugins as operators of PyTorch.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::OnceLock;

use super::abi::{CurrentStream, Handle, Kernel, Torch};
use super::kernel::KERNELS;
use super::schema::Schema;
use super::types::Types;
use crate::error::{Error, Result};
use crate::host::Calls;
use crate::plugin::{Plugin, Registry};

/// PyTorch, and the plugins as its operators.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) torch: Torch,
    pub(super) types: Types,
    pub(super) operators: Vec<Operator>,
    pub(super) current_stream: Option<CurrentStream>,
}

/// A plugin as an operator.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) plugin: &'static Plugin,
    pub(super) schema: Schema,
    /// As errors name it: `namespace::name`.
    pub(super) label: String,
    pub(super) calls: Calls,
}

static HOST: OnceLock<Host> = OnceLock::new();

/// Of the process, once the plugins are registered.
#[inline]
pub(super) fn host() -> Option<&'static Host> {
    HOST.get()
}

impl Host {
    fn new(torch: Torch) -> Result<Host> {
        let plugins = Registry::global()?.plugins();
        let operator = |(index, plugin): (usize, &'static Plugin)| {
            let is_newest = plugins.get(index + 1).is_none_or(|next| next.entry.id != plugin.entry.id);
            let schema = Schema::new(plugin, is_newest).map_err(|error| error.within(plugin.label()))?;
            Ok(Operator { plugin, schema, label: plugin.entry.id.to_owned(), calls: Calls::new() })
        };
        let operators = plugins.iter().enumerate().map(operator).collect::<Result<Vec<_>>>()?;
        Ok(Host { types: Types::new(&torch), current_stream: Torch::current_stream(), torch, operators })
    }
}

/// Registers the linked plugins with the PyTorch of this process; does nothing where that is done. Whether there is one.
///
/// # Errors
/// When PyTorch is too old, or refuses some: names them. The others are registered.
pub(super) fn register() -> Result<bool> {
    static DONE: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    if DONE.get().is_none() {
        let Some(torch) = Torch::find()? else { return Ok(false) };
        let host = Host::new(torch)?;
        DONE.get_or_init(|| register_all(HOST.get_or_init(|| host)));
    }
    match DONE.get() {
        Some(Err(refused)) => Err(Error::invalid(refused)),
        _ => Ok(true),
    }
}

fn register_all(host: &'static Host) -> std::result::Result<(), String> {
    let mut by_namespace: BTreeMap<&CStr, Vec<(&Operator, Option<Kernel>)>> = BTreeMap::new();
    for (index, operator) in host.operators.iter().enumerate() {
        let kernel = KERNELS.get(index / 16).map(|row| row[index % 16]);
        by_namespace.entry(&operator.schema.namespace).or_default().push((operator, kernel));
    }
    let mut refused = Vec::new();
    for (namespace, operators) in by_namespace {
        if let Err(error) = register_namespace(&host.torch, namespace, &operators, &mut refused) {
            refused.push(error.to_string());
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(refused.join("; ")) }
}

fn register_namespace(
    torch: &Torch,
    namespace: &CStr,
    operators: &[(&Operator, Option<Kernel>)],
    refused: &mut Vec<String>,
) -> Result<()> {
    let schemas = Library::new(torch, namespace, None)?;
    let keys = [c"CPU", c"CUDA", c"CompositeExplicitAutograd"];
    let libraries = keys.map(|key| Library::new(torch, namespace, Some(key)));
    let [cpu, cuda, anywhere] = libraries;
    let (cpu, cuda, anywhere) = (cpu?, cuda?, anywhere?);
    for (operator, kernel) in operators {
        let Some(kernel) = *kernel else {
            refused.push(format!("`{}`: a library has at most {} operators", operator.label, KERNELS.len() * 16));
            continue;
        };
        let Schema { name, text, .. } = &operator.schema;
        let of_tensors = !operator.plugin.entry.inputs.is_empty();
        let devices: &[&Library<'_>] = if of_tensors { &[&cpu, &cuda] } else { &[&anywhere] };
        let registered = schemas
            .define(text)
            .map_err(|error| {
                error.within(format_args!("is another library's, or its schema `{}`", text.to_string_lossy()))
            })
            .and_then(|()| devices.iter().try_for_each(|library| library.implement(name, kernel)));
        if let Err(error) = registered {
            refused.push(format!("`{}`: {error}", operator.label));
        }
    }
    Ok(())
}

/// Registrations, which are never taken back.
struct Library<'t> {
    torch: &'t Torch,
    raw: Handle,
}

impl<'t> Library<'t> {
    /// Of schemas, or of kernels for a dispatch key.
    fn new(torch: &'t Torch, namespace: &CStr, key: Option<&CStr>) -> Result<Self> {
        let (file, mut raw) = (c"plugin_runtime".as_ptr(), ptr::null_mut());
        let functions = &torch.functions;
        // SAFETY: the texts end with 0 and are copied; the handle is a local.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        let code = unsafe {
            match key {
                None => (functions.aoti_torch_library_init_fragment)(namespace.as_ptr(), file, 0, &raw mut raw),
                Some(key) => {
                    (functions.aoti_torch_library_init_impl)(namespace.as_ptr(), key.as_ptr(), file, 0, &raw mut raw)
                }
            }
        };
        torch.done(code, &format!("register operators of `{}`", namespace.to_string_lossy()))?;
        Ok(Library { torch, raw })
    }

    fn define(&self, schema: &CStr) -> Result<()> {
        let functions = &self.torch.functions;
        // SAFETY: the library lives; the text ends with 0 and is copied.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        let code = unsafe {
            match (functions.torch_library_def_with_tags, functions.torch_tag_pt2_compliant_tag) {
                (Some(define), Some(tag)) => define(self.raw, schema.as_ptr(), [tag()].as_ptr(), 1),
                _ => (functions.aoti_torch_library_def)(self.raw, schema.as_ptr()),
            }
        };
        self.torch.done(code, "define it")
    }

    fn implement(&self, name: &CString, kernel: Kernel) -> Result<()> {
        let functions = &self.torch.functions;
        // SAFETY: the library lives; the text ends with 0 and is copied; the kernel takes what its schema says.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        let code = unsafe {
            match functions.torch_library_impl {
                Some(implement) => implement(self.raw, name.as_ptr(), kernel, self.torch.written_for()),
                None => (functions.aoti_torch_library_impl)(self.raw, name.as_ptr(), kernel),
            }
        };
        self.torch.done(code, "implement it")
    }
}

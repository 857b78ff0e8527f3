//! Declarations beside what the CUDA file says.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{LitStr, Type};

use super::cuda::{CudaFile, CudaKernel, CudaParameter, CudaType, read};
use super::model::{Declaration, Kernel, Kind, Parameter};
use crate::model::types::{last_segment, spelled};
use crate::nearest::nearest;
use crate::report::Report;

/// The most names that a message lists.
const MOST_NAMES: usize = 12;

/// Marks the kernels that are templates in the file; where it can't be read, all of several types are taken as such.
pub(super) fn find_templates(declaration: &mut Declaration, text: &str) {
    let file = read(text, &names(&declaration.headers));
    for kernel in &mut declaration.kernels {
        let makes = |found: &CudaKernel| kernel.name == found.name && !found.template.is_empty();
        kernel.is_template = kernel.types.is_some() && file.kernels.iter().any(makes);
    }
}

/// Whether the text includes the header that the runtime brings.
pub(super) fn uses_runtime_header(text: &str) -> bool {
    read(text, &[]).uses_runtime_header
}

/// Reports what differs between the declaration and the file.
pub(super) fn compare(declaration: &Declaration, text: &str, report: &mut Report) {
    let file = read(text, &names(&declaration.headers));
    for kernel in &declaration.kernels {
        let templates = file.kernels.iter().any(|found| kernel.name == found.name && !found.template.is_empty());
        match &kernel.types {
            Some(_) if templates => one(declaration, kernel, &kernel.name.to_string(), None, &file, report),
            None => one(declaration, kernel, &kernel.name.to_string(), None, &file, report),
            Some(_) => several(declaration, kernel, &file, report),
        }
    }
}

fn names(headers: &[LitStr]) -> Vec<String> {
    headers.iter().map(LitStr::value).collect()
}

/// A kernel of several types that isn't a template: one function a type.
fn several(declaration: &Declaration, kernel: &Kernel, file: &CudaFile, report: &mut Report) {
    let instances = kernel.instances();
    let is_there = |name: &str| file.kernels.iter().any(|found| found.name == name);
    if !file.has_more && !instances.iter().any(|(name, _)| is_there(name)) {
        let (name, path) = (&kernel.name, declaration.file.value());
        if is_there(&name.to_string()) {
            let message = format!(
                "`{name}` is for one type in `{path}`: a kernel for several is `template <typename T> __global__ void \
                 {name}(..)` there, without `extern \"C\"`; or declare this one without `<..>`"
            );
            return report.error(name, message);
        }
        let first = instances.first().map_or("", |(name, _)| name.as_str());
        let message = format!(
            "`{path}` has no kernel `{name}`: write `template <typename T> __global__ void {name}(..)`, or one `extern \"C\"` \
             function a type, `{first}` and so on{}",
            listed(&name.to_string(), file)
        );
        return report.error(name, message);
    }
    for (name, ty) in instances {
        one(declaration, kernel, &name, ty, file, report);
    }
}

/// A kernel under one name, for one element type or, as a template, for all.
fn one(
    declaration: &Declaration,
    kernel: &Kernel,
    name: &str,
    ty: Option<&Ident>,
    file: &CudaFile,
    report: &mut Report,
) {
    let path = declaration.file.value();
    let found: Vec<&CudaKernel> = file.kernels.iter().filter(|found| found.name == name).collect();
    let Some(first) = found.first() else {
        if !file.has_more {
            let more = listed(name, file);
            let message =
                format!("`{path}` has no kernel `{name}`, that is, `extern \"C\" __global__ void {name}(..)`{more}");
            report.error(&kernel.name, message);
        }
        return;
    };
    if kernel.types.is_none() && !first.template.is_empty() {
        let message = format!(
            "`{name}` is a template in `{path}`: say for which types, `fn {name}<T in [f32, f16, bf16]>(..)`, and write \
             `DeviceSlice<T>`"
        );
        return report.error(&kernel.name, message);
    }
    if first.template.len() > 1 {
        let message = format!(
            "`{name}` has {} template parameters in `{path}`, and can have one, the element type",
            first.template.len()
        );
        return report.error(&kernel.name, message);
    }
    if first.template.is_empty() && !first.is_extern_c {
        let message = format!("in `{path}`, write `extern \"C\"` before the `__global__` of `{name}`");
        return report.error(&kernel.name, message);
    }
    // With `#if`, one of several versions is compiled.
    let mistakes: Vec<Mistakes> = found.iter().map(|found| differences(kernel, found, ty, &path)).collect();
    if let Some(fewest) = mistakes.into_iter().min_by_key(Vec::len) {
        for (tokens, message) in fewest {
            report.error(tokens, message);
        }
    }
}

/// What the file has.
fn listed(name: &str, file: &CudaFile) -> String {
    if file.kernels.is_empty() {
        return "; it has none".to_owned();
    }
    let names: Vec<&str> = file.kernels.iter().map(|kernel| kernel.name.as_str()).collect();
    let meant = nearest(name, names.iter().copied());
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
    let more = if names.len() > MOST_NAMES { " and more" } else { "" };
    format!("; it has `{}`{more}{meant}", names[..names.len().min(MOST_NAMES)].join("`, `"))
}

type Mistakes = Vec<(proc_macro2::TokenStream, String)>;

fn differences(kernel: &Kernel, found: &CudaKernel, ty: Option<&Ident>, path: &str) -> Mistakes {
    use quote::ToTokens;
    let mut mistakes = Vec::new();
    let (declared, there) = (kernel.parameters.len(), found.parameters.len());
    if declared != there {
        let texts: Vec<&str> = found.parameters.iter().map(|parameter| parameter.text.as_str()).collect();
        let (plural, name) = (if there == 1 { "" } else { "s" }, &found.name);
        let message = format!(
            "`{name}` has {there} parameter{plural} in `{path}`, and {declared} here: it is `{name}({})` there",
            texts.join(", ")
        );
        mistakes.push((kernel.name.to_token_stream(), message));
        return mistakes;
    }
    let turned = turned(kernel, found);
    if let Some(&first) = turned.first() {
        let (there, names) = (&found.parameters[first].text, names_of(found).join("`, `"));
        let message = format!("in `{path}` this is `{there}`: write the parameters in the order there, `{names}`");
        mistakes.push((kernel.parameters[first].name.to_token_stream(), message));
    }
    for (at, (parameter, there)) in kernel.parameters.iter().zip(&found.parameters).enumerate() {
        if turned.contains(&at) {
            continue;
        }
        if let Some(advice) = difference(kernel, parameter, there, ty) {
            let message = format!("in `{path}` this is `{}`: {advice}", there.text);
            mistakes.push((parameter.ty.to_token_stream(), message));
        }
    }
    mistakes
}

/// The places of parameters that stand in another order there: the same names are at these places on both sides. As other
/// names may mean the same, they say nothing.
fn turned(kernel: &Kernel, found: &CudaKernel) -> Vec<usize> {
    let there = names_of(found);
    let here: Vec<String> = kernel.parameters.iter().map(|parameter| parameter.name.unraw().to_string()).collect();
    let count = here.len();
    let is_turned = |start: &usize| {
        let next = |at: usize| here.iter().position(|name| *name == there[at]);
        let mut places = std::iter::successors(next(*start), |at| next(*at)).take(count);
        next(*start) != Some(*start) && places.any(|at| at == *start)
    };
    (0..count).filter(is_turned).collect()
}

/// The names of its parameters, `_` where they have none.
fn names_of(found: &CudaKernel) -> Vec<&str> {
    found.parameters.iter().map(|parameter| parameter.name.as_deref().unwrap_or("_")).collect()
}

/// What to write where a parameter differs.
fn difference(kernel: &Kernel, parameter: &Parameter, there: &CudaParameter, ty: Option<&Ident>) -> Option<String> {
    let name = &parameter.name;
    let slice = |is_const: bool, element: &str| {
        let slice = if is_const { "DeviceSlice" } else { "DeviceSliceMut" };
        Some(format!("write `{name}: {slice}<{element}>`"))
    };
    let shown = there.ty.rust(kernel).unwrap_or_else(|| "T".to_owned());
    let (element, is_const) = match &parameter.kind {
        Kind::Value if there.is_pointer => {
            let is_address = ["u64", "i64", "usize"].contains(&spelled(&parameter.ty).as_str());
            return if is_address { None } else { slice(there.is_const, &shown) };
        }
        Kind::Value if matches!(there.ty, CudaType::Template(_)) => {
            return Some("a value of the template's type can't be passed: write a plain type there, as `float`".into());
        }
        Kind::Value => {
            let right = there.ty.rust(kernel)?;
            return (!agree(kernel, &parameter.ty, &there.ty, ty)).then(|| format!("write `{name}: {right}`"));
        }
        Kind::Input(element) => (element, true),
        Kind::Output(element) => (element, false),
    };
    if !there.is_pointer {
        let right = there.ty.rust(kernel).unwrap_or_else(|| "a plain value".to_owned());
        return Some(format!("it is no pointer, so write `{name}: {right}`"));
    }
    if !agree(kernel, element, &there.ty, ty) && spelled(element) != "u8" {
        return slice(there.is_const, &shown);
    }
    if is_const == there.is_const {
        return None;
    }
    let advice = if is_const { "or `const` there, if the kernel only reads it" } else { "or no `const` there" };
    Some(format!("{}, {advice}", slice(there.is_const, &spelled(element))?))
}

/// Whether a Rust type may be what a C++ type says; what isn't known may be.
fn agree(kernel: &Kernel, rust: &Type, there: &CudaType, ty: Option<&Ident>) -> bool {
    let name = if kernel.is_type_parameter(rust) {
        match ty {
            Some(ty) => ty.to_string(),
            None => return matches!(there, CudaType::Template(_) | CudaType::Void | CudaType::Other),
        }
    } else {
        last_segment(rust).map(|segment| segment.ident.to_string()).unwrap_or_default()
    };
    let Some(rust) = known(&name) else { return true };
    match there {
        CudaType::Void | CudaType::Other => true,
        CudaType::Template(_) => false,
        CudaType::Integer(2, _) => matches!(rust, CudaType::Integer(2, _) | CudaType::Half | CudaType::BFloat16),
        CudaType::Integer(bytes, _) => matches!(rust, CudaType::Integer(other, _) if other == *bytes),
        there => rust == *there,
    }
}

fn known(rust: &str) -> Option<CudaType> {
    Some(match rust {
        "i8" | "u8" => CudaType::Integer(1, true),
        "i16" | "u16" => CudaType::Integer(2, true),
        "i32" | "u32" => CudaType::Integer(4, true),
        "i64" | "u64" | "isize" | "usize" => CudaType::Integer(8, true),
        "f32" => CudaType::Float(4),
        "f64" => CudaType::Float(8),
        "f16" => CudaType::Half,
        "bf16" => CudaType::BFloat16,
        _ => return None,
    })
}

impl CudaType {
    /// The Rust type to write for it, where it is known.
    fn rust(&self, kernel: &Kernel) -> Option<String> {
        Some(
            match self {
                CudaType::Integer(bytes, is_signed) => {
                    return Some(format!("{}{}", if *is_signed { 'i' } else { 'u' }, bytes * 8));
                }
                CudaType::Float(4) => "f32",
                CudaType::Float(_) => "f64",
                CudaType::Half => "f16",
                CudaType::BFloat16 => "bf16",
                CudaType::Template(_) => return kernel.types.as_ref().map(|types| types.parameter.to_string()),
                CudaType::Void | CudaType::Other => return None,
            }
            .to_owned(),
        )
    }
}

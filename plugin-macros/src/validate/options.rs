//! Rules of the options' values.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, Ident, LitInt, Path};

use crate::model::{Options, Part, Role};
use crate::nearest::nearest;
use crate::report::Report;

/// The hidden module of the runtime, as the expansions name it.
pub(crate) fn runtime(path: Option<&Path>, report: &mut Report) -> TokenStream {
    let Some(path) = path else { return quote!(::plugin_runtime::__private) };
    let first = path.segments.first().map(|segment| &segment.ident);
    if path.leading_colon.is_none() && first.is_some_and(|first| first == "self" || first == "super") {
        report.error(
            path,
            "the path is used inside a module: write an absolute one, `crate = ::name` or `crate = crate::path`",
        );
    }
    quote!(#path::__private)
}

/// From 1, and 1 where none is given.
pub(crate) fn version(literal: Option<&LitInt>, report: &mut Report) -> u32 {
    let Some(literal) = literal else { return 1 };
    match literal.base10_parse::<u32>() {
        Ok(version) if version > 0 && literal.suffix().is_empty() => version,
        _ => {
            report.error(literal, format_args!("a version is a whole number from 1 to {}, without a suffix", u32::MAX));
            1
        }
    }
}

/// The variant of `DeviceKind`.
pub(crate) fn device(options: &Options, report: &mut Report) -> Option<Ident> {
    let Some(device) = &options.device else {
        if options.has("device") {
            return None;
        }
        let at = options.id.as_ref().map_or_else(Span::call_site, |id| id.literal.span());
        let role = Role::Impl;
        report
            .error_at(at, format_args!("{role} needs a device: write `device = cpu` or `device = cuda` after the id"));
        return None;
    };
    let name = device.to_string();
    let variant = match name.as_str() {
        "cpu" => "Cpu",
        "cuda" => "Cuda",
        _ => {
            let lower = name.to_lowercase();
            let near = if lower == "gpu" { Some("cuda") } else { nearest(&lower, ["cpu", "cuda"]) };
            let advice = match near {
                Some(near) => format!("did you mean `device = {near}`?"),
                None => "write `device = cpu` or `device = cuda`".to_owned(),
            };
            report.error(device, format_args!("there is no device `{name}`; {advice}"));
            return None;
        }
    };
    Some(Ident::new(variant, Span::mixed_site()))
}

/// Refuses what only impls for a GPU can say.
pub(crate) fn device_shape(options: &Options, device: &Ident, report: &mut Report) {
    if let Some(value) = options.device_shape.as_ref().filter(|_| device == "Cpu") {
        let message = "on the CPU `shape()` is always the truth: `device_shape` is an option of impls with `device = cuda`; \
                       remove it here";
        report.error(value, message);
    }
}

/// The size of the scratch memory, where there is any.
pub(crate) fn workspace<'a>(options: &'a Options, part: &Part, report: &mut Report) -> Option<Option<&'a Expr>> {
    match (&options.workspace, part.takes_workspace) {
        (Some(size), true) => Some(Some(size)),
        (None, false) => Some(None),
        (Some(size), false) => {
            report.error(size, "scratch memory that no parameter takes: write `workspace: Workspace` after `outputs`");
            None
        }
        (None, true) if options.has("workspace") => None,
        (None, true) => {
            let message = "how much scratch memory? Write `workspace = bytes` after the id, e.g. \
                           `workspace = inp0.numel() * 4`";
            report.error(part.workspace_tokens(), message);
            None
        }
    }
}

//! From the model to code. Everything the code names is reached through `__rt`, the runtime's hidden module; locals
//! and types of the expansion can't clash with the author's.

mod aot_impl;
mod autotune;
mod failed;
mod impl_plugin;
mod literals;
mod register;
mod shared;
mod tactic;
#[cfg(test)]
mod tests;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, ItemFn};

use crate::model::{Function, Options, Part, Role};
use crate::parse;
use crate::registered;
use crate::report::Report;
use crate::validate;

pub(crate) use shared::{at, mark_of};
pub(crate) use tactic::tactic;

pub(crate) fn register(attr: TokenStream, item: TokenStream) -> TokenStream {
    annotated(Role::Register, attr, item, |options, function, report| {
        if let Some(id) = &options.id {
            registered::add(&id.literal.value());
        }
        validate::registration(options, function, report).map(register::expand)
    })
}

pub(crate) fn autotune(attr: TokenStream, item: TokenStream) -> TokenStream {
    part(Role::Autotune, attr, item, |_, part, _| Some(autotune::expand(part)))
}

pub(crate) fn impl_plugin(attr: TokenStream, item: TokenStream) -> TokenStream {
    part(Role::Impl, attr, item, impl_plugin::expand)
}

pub(crate) fn aot_impl(attr: TokenStream, item: TokenStream) -> TokenStream {
    part(Role::Aot, attr, item, |_, part, _| Some(aot_impl::expand(part)))
}

fn part(
    role: Role,
    attr: TokenStream,
    item: TokenStream,
    expand: impl FnOnce(&Options, Part, &mut Report) -> Option<TokenStream>,
) -> TokenStream {
    annotated(role, attr, item, |options, function, report| {
        let device = (role == Role::Impl).then(|| validate::device(&options, report));
        let part = validate::part(&options, function, role, report)?;
        device.is_none_or(|device| device.is_some()).then(|| expand(&options, part, report))?
    })
}

/// Parses, checks and expands. On a mistake the function is still emitted, so that it isn't missed elsewhere.
fn annotated(
    role: Role,
    attr: TokenStream,
    item: TokenStream,
    expand: impl FnOnce(Options, Function, &mut Report) -> Option<TokenStream>,
) -> TokenStream {
    let item_fn: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = no_function(role, &item, error).to_compile_error();
            return quote!(#error #item);
        }
    };
    let mut options = Options::default();
    let mut function = None;
    let expanded = Report::collect(|report| {
        options = parse::options(attr, role, report);
        let read = function.insert(parse::function(item_fn, role, report));
        expand(options.clone(), read.clone(), report)
    });
    expanded.unwrap_or_else(|errors| failed::failed(function, role, &options, errors))
}

/// Says what is wrong with an item that can't be read as a function.
fn no_function(role: Role, item: &TokenStream, error: Error) -> Error {
    let words: Vec<String> = item.clone().into_iter().map(|token| token.to_string()).collect();
    let has_body = words.last().is_some_and(|last| last.starts_with('{'));
    let message = if syn::parse2::<syn::ItemImpl>(item.clone()).is_ok() {
        format!("{role} goes on a free function, not on an `impl` block: write the function outside of one")
    } else if has_body && words.iter().any(|word| word == "fn") {
        let is_default = error.span().source_text().is_some_and(|text| text == "=");
        let advice = match (is_default, role) {
            (true, Role::Register) => "a default stands before its parameter, `#[default(128)] name: i32`".to_owned(),
            (true, _) => {
                "a default belongs on the parameter of the `#[register]` function, as `#[default(128)]`".to_owned()
            }
            _ => format!("from here on this isn't Rust, so {role} can't read the function"),
        };
        return Error::new(error.span(), advice);
    } else {
        format!("{role} goes on a function with a body")
    };
    Error::new(Span::call_site(), message)
}

//! The annotated function.

use proc_macro2::Ident;
use syn::{Attribute, Expr, FnArg, ItemFn, Meta, Pat, PatType, Safety, Type};

use super::lists::refuse_mixed;
use crate::model::types::array_length;
use crate::model::{Function, Parameter, Role};
use crate::report::Report;

/// Takes the helper attributes off the function and reads its parameters. What no plugin's function may be is reported.
pub(crate) fn function(mut item: ItemFn, role: Role, report: &mut Report) -> Function {
    qualifiers(&item, role, report);
    let mut parameters = Vec::new();
    for argument in &mut item.sig.inputs {
        match argument {
            FnArg::Receiver(receiver) => report.error(
                receiver,
                format_args!("{role} goes on a free function: move it out of the `impl` block, without `self`"),
            ),
            FnArg::Typed(argument) => parameters.extend(parameter(argument, role, report)),
        }
    }
    for (index, parameter) in parameters.iter().enumerate() {
        if parameters[..index].iter().any(|other| other.name == parameter.name) {
            report.error(&parameter.name, format_args!("another parameter is called `{}`", parameter.name));
        }
    }
    if matches!(role, Role::Register | Role::Aot) {
        refuse_mixed(&mut item.block);
    }
    Function { item, parameters }
}

fn qualifiers(item: &ItemFn, role: Role, report: &mut Report) {
    let signature = &item.sig;
    let mut refuse = |tokens: Option<proc_macro2::TokenStream>, what: &str| {
        if let Some(tokens) = tokens {
            report.error(tokens, format_args!("{role} goes on a plain `fn`: {what}"));
        }
    };
    use quote::ToTokens;
    refuse(signature.constness.map(|t| t.to_token_stream()), "remove `const`");
    refuse(
        signature.asyncness.map(|t| t.to_token_stream()),
        "remove `async`; work that goes on in the background is enqueued on the stream",
    );
    let is_qualified = !matches!(signature.safety, Safety::Default);
    refuse(is_qualified.then(|| signature.safety.to_token_stream()), "remove `unsafe`, and use a block inside of it");
    refuse(signature.abi.as_ref().map(|t| t.to_token_stream()), "remove `extern`");
    refuse(signature.variadic.as_ref().map(|t| t.to_token_stream()), "remove `...`");
    let generics = &signature.generics;
    let is_generic = !generics.params.is_empty();
    refuse(
        is_generic.then(|| generics.to_token_stream()),
        "remove the generic parameters; element types differ while it runs (`desc.dtype()`, `tensor.dtype()`)",
    );
    if !is_generic {
        refuse(generics.where_clause.as_ref().map(|t| t.to_token_stream()), "remove the `where` clause");
    }
}

fn parameter(argument: &mut PatType, role: Role, report: &mut Report) -> Option<Parameter> {
    let default = take_default(&mut argument.attrs, role, report);
    for attribute in &argument.attrs {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            report.error(
                attribute,
                "a parameter can't depend on `cfg`: put `#[cfg(..)]` on two versions of the function",
            );
            return None;
        }
    }
    let name = match &*argument.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => Some(pattern.ident.clone()),
        Pat::Wild(wild) => {
            report.error(wild, "a parameter needs a name, by which the plugin's users and its other functions know it");
            None
        }
        Pat::Slice(pattern) if is_outputs(role, &argument.ty) => {
            let name = Ident::new("outputs", syn::spanned::Spanned::span(pattern));
            return Some(Parameter { name, ty: (*argument.ty).clone(), default, is_taken_apart: true });
        }
        pattern => {
            report
                .error(pattern, "a parameter is a plain name here: write `name: type`, and take it apart in the body");
            None
        }
    };
    Some(Parameter { name: name?, ty: (*argument.ty).clone(), default, is_taken_apart: false })
}

/// Whether an array that is taken apart holds an impl's outputs, be it under a wrong type.
fn is_outputs(role: Role, ty: &Type) -> bool {
    let elements: &[&str] = if role == Role::Impl { &["TensorMut", "Tensor"] } else { &["TensorMut"] };
    elements.iter().any(|element| array_length(ty, element).is_some())
}

/// Removes `#[default(..)]`, which the compiler doesn't know.
fn take_default(attributes: &mut Vec<Attribute>, role: Role, report: &mut Report) -> Option<Expr> {
    let (defaults, others) = std::mem::take(attributes).into_iter().partition(|a| a.path().is_ident("default"));
    *attributes = others;
    let defaults: Vec<Attribute> = defaults;
    let first = defaults.first()?;
    if role != Role::Register {
        report.error(first, "a default belongs on the parameter of the `#[register]` function: remove it here");
        return None;
    }
    if let Some(second) = defaults.get(1) {
        report.error(second, "an attribute has one default: remove this one");
    }
    let value = match &first.meta {
        Meta::List(list) => list.parse_args::<Expr>().ok(),
        _ => None,
    };
    if value.is_none() {
        report.error(first, "write `#[default(constant)]`, e.g. `#[default(128)]`");
    }
    value
}

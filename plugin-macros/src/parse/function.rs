//! The annotated function.

use proc_macro2::Ident;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, FnArg, GenericParam, ItemFn, Lifetime, Meta, Pat, PatType, Safety, Type, TypeReference};

use super::lists::refuse_mixed;
use crate::model::types::{ends_in, referred, spelled};
use crate::model::{Function, Parameter, Role};
use crate::nearest::nearest;
use crate::report::Report;

/// Takes the helper attributes off the function and reads its parameters. What no plugin's function may be is reported.
pub(crate) fn function(mut item: ItemFn, role: Role, report: &mut Report) -> Function {
    qualifiers(&item, role, report);
    one_attribute(&mut item, role, report);
    let has_lifetimes = item.sig.generics.lifetimes().next().is_some();
    let mut parameters: Vec<Parameter> = Vec::new();
    for argument in &mut item.sig.inputs {
        match argument {
            FnArg::Receiver(receiver) => report.error(
                receiver,
                format_args!("{role} goes on a free function: move it out of the `impl` block, without `self`"),
            ),
            FnArg::Typed(argument) => parameters.extend(parameter(argument, role, report)),
        }
    }
    if has_lifetimes {
        parameters.iter_mut().for_each(|parameter| Elided.visit_type_mut(&mut parameter.ty));
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
    let advice = match generics.params.iter().all(|parameter| matches!(parameter, GenericParam::Lifetime(_))) {
        true => "remove the lifetimes; what it borrows lives as long as the call",
        false => "remove the generic parameters; element types differ while it runs (`desc.dtype()`, `tensor.dtype()`)",
    };
    refuse(is_generic.then(|| generics.to_token_stream()), advice);
    if !is_generic {
        refuse(generics.where_clause.as_ref().map(|t| t.to_token_stream()), "remove the `where` clause");
    }
}

/// Takes off other attributes of plugins' functions.
fn one_attribute(item: &mut ItemFn, role: Role, report: &mut Report) {
    let is_other = |attribute: &Attribute| {
        let name = attribute.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        Role::ALL.iter().any(|role| role.name() == name)
    };
    for attribute in item.attrs.extract_if(.., |attribute| is_other(attribute)) {
        report.error(
            attribute.path(),
            format_args!(
                "this function has {role} already: write another function for this one, which may call a shared one"
            ),
        );
    }
}

/// Leaves out the lifetimes of references, and of types that have one.
struct Elided;

impl VisitMut for Elided {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime = None;
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        lifetime.ident = Ident::new("_", lifetime.ident.span());
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
    misspelt_default(&mut argument.attrs, report);
    if let Some(name) = referenced(&argument.pat) {
        let ty = spelled(&argument.ty);
        report.error(&argument.pat, format_args!("a parameter is a plain name here: write `{name}: {ty}`"));
        *argument.pat = syn::parse_quote!(#name);
    }
    let name = match &*argument.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => Some(pattern.ident.clone()),
        Pat::Wild(wild) => {
            report.error(wild, "a parameter needs a name, by which the plugin's users and its other functions know it");
            None
        }
        pattern @ (Pat::Slice(_) | Pat::Tuple(_)) if is_outputs(role, &argument.ty) => {
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

/// Whether what is taken apart holds the outputs, be it under a wrong type.
fn is_outputs(role: Role, ty: &Type) -> bool {
    let elements: &[&str] = match role {
        Role::Register => return false,
        Role::Impl => &["TensorMut", "Tensor"],
        Role::Autotune | Role::Aot => &["TensorDesc", "TensorMut"],
    };
    let is_element = |ty: &Type| elements.iter().any(|element| ends_in(referred(ty), element));
    match referred(ty) {
        Type::Array(array) => is_element(&array.elem),
        Type::Slice(slice) => is_element(&slice.elem),
        Type::Tuple(tuple) => !tuple.elems.is_empty() && tuple.elems.iter().all(is_element),
        _ => false,
    }
}

/// `x` of `&x`.
fn referenced(pattern: &Pat) -> Option<Ident> {
    match pattern {
        Pat::Reference(reference) => match &*reference.pat {
            Pat::Ident(inner) if inner.subpat.is_none() => Some(inner.ident.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Removes attributes that are meant as `#[default(..)]`.
fn misspelt_default(attributes: &mut Vec<Attribute>, report: &mut Report) {
    let is_misspelt = |attribute: &Attribute| {
        let name = attribute.path().get_ident().map(Ident::to_string).unwrap_or_default();
        nearest(&name, ["default"]).is_some()
    };
    for attribute in attributes.extract_if(.., |attribute| is_misspelt(attribute)) {
        report.error(attribute.path(), "did you mean `#[default(constant)]`?");
    }
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

//! What stands in for a function that breaks the rules, so that the compiler repeats no mistake in words of its own.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Error, FnArg, Ident, ItemFn, Pat, PatWild, Type, parse_quote};

use crate::model::types::{array_length, ends_in, is_reference_to, plain, referent, spelled};
use crate::model::{AttributeType, Function, Options, Role};
use crate::validate;

/// The mistakes and the function, which isn't missed elsewhere then; in place of a plugin's module one that has none of its
/// items.
pub(crate) fn failed(function: Option<Function>, role: Role, options: &Options, errors: Error) -> TokenStream {
    let mut errors = errors.into_iter().map(|error| error.to_compile_error());
    let Some(mut function) = function else { return quote!(#(#errors)*) };
    function.use_parameters(|_| true);
    let is_method = function.item.sig.receiver().is_some();
    let name = options.id.as_ref().filter(|_| role == Role::Register && !is_method).map(|id| &id.name);
    let module = name.and_then(|name| Some(module(name, &function.item, errors.next()?)));
    let known = name.filter(|_| module.is_some()).map(|name| quote!(#name::Plugin));
    let mut mistaken = || known.clone().or_else(|| errors.next().map(|error| quote!([(); #error])));
    let returns_right = validate::returns_right(&function, role);
    let mut item = function.item;
    name_once(&mut item);
    not_async(&mut item);
    if let Some(mistaken) = (!returns_right).then(&mut mistaken).flatten() {
        let none = none(&mistaken);
        item.sig.output = parse_quote!(-> #none);
    }
    silence(&mut item, role, mistaken);
    quote!(#item #module #(#errors)*)
}

/// A plugin's module whose type holds a mistake as the length of an array: of what is wrong so, the compiler says no more.
fn module(name: &Ident, item: &ItemFn, error: TokenStream) -> TokenStream {
    let visibility = &item.vis;
    quote! {
        #[doc = ""]
        #[allow(non_snake_case)]
        #visibility mod #name {
            #[doc = ""]
            pub type Plugin = [(); #error];
            #[doc = ""]
            pub type Attributes = Plugin;
            #[doc = ""]
            pub const op: Plugin = [];
        }
    }
}

/// Leaves the first of several parameters of one name.
fn name_once(item: &mut ItemFn) {
    let mut seen: Vec<Ident> = Vec::new();
    for argument in &mut item.sig.inputs {
        let FnArg::Typed(argument) = argument else { continue };
        let Pat::Ident(pattern) = &*argument.pat else { continue };
        if seen.contains(&pattern.ident) {
            *argument.pat =
                Pat::Wild(PatWild { attrs: Vec::new(), underscore_token: syn::Token![_](pattern.ident.span()) });
        } else {
            seen.push(pattern.ident.clone());
        }
    }
}

/// Takes `async` off, with which the types of impls' parameters would need lifetimes, unless the body needs it.
fn not_async(item: &mut ItemFn) {
    let body = item.block.to_token_stream().to_string();
    if !body.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "await") {
        item.sig.asyncness = None;
    }
}

/// What is of no type at all to the compiler, whatever is done with it, as `mistaken` holds a mistake.
fn none(mistaken: &TokenStream) -> Type {
    Type::Verbatim(quote!(<#mistaken as ::core::ops::Deref>::Target))
}

/// Takes the types of parameters that can't be, so that the body isn't compared with them. `mistaken` is a type that holds a
/// mistake.
fn silence(item: &mut ItemFn, role: Role, mut mistaken: impl FnMut() -> Option<TokenStream>) {
    // A reference that is returned needs another one to live as long as.
    if spelled(&item.sig.output).contains('&') {
        return;
    }
    for argument in &mut item.sig.inputs {
        let FnArg::Typed(argument) = argument else { continue };
        if is_right(&argument.pat, &argument.ty, role) {
            continue;
        }
        let Some(mistaken) = mistaken() else { return };
        let none = none(&mistaken);
        match (&*argument.pat, &mut *argument.ty) {
            (Pat::Slice(_), Type::Array(array)) => *array.elem = none,
            (_, ty) => *ty = none,
        }
    }
}

/// Whether a parameter of the role's may have the type.
fn is_right(pattern: &Pat, ty: &Type, role: Role) -> bool {
    if AttributeType::of(ty).is_some() {
        return true;
    }
    let is_tactic = pattern.to_token_stream().to_string() == "tactic" && matches!(plain(ty), Type::Path(_));
    match role {
        Role::Register => is_reference_to(ty, "TensorDesc"),
        Role::Autotune | Role::Aot => {
            let is_outputs = referent(ty).is_some_and(|array| array_length(array, "TensorDesc").is_some());
            is_tactic || is_outputs || is_reference_to(ty, "TensorDesc")
        }
        Role::Impl => {
            let is_outputs = array_length(ty, "TensorMut").is_some();
            is_tactic
                || is_outputs
                || ends_in(ty, "Tensor")
                || ends_in(ty, "Workspace")
                || is_reference_to(ty, "Stream")
        }
    }
}

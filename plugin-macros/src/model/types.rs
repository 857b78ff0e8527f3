//! Recognising types by how they are written.

use quote::ToTokens;
use syn::{Expr, PathSegment, Type};

/// The type without parentheses and invisible groups around it.
pub(crate) fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Paren(paren) => plain(&paren.elem),
        Type::Group(group) => plain(&group.elem),
        other => other,
    }
}

/// The last segment of a type that is a path.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match plain(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// Whether it is a path that ends in `name`.
pub(crate) fn ends_in(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

/// Whether it is `&name`.
pub(crate) fn is_reference_to(ty: &Type, name: &str) -> bool {
    referent(ty).is_some_and(|referent| ends_in(referent, name))
}

/// The type that a shared reference without a named lifetime points to.
pub(crate) fn referent(ty: &Type) -> Option<&Type> {
    match plain(ty) {
        Type::Reference(reference) if reference.mutability.is_none() => {
            let elided = reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident == "_");
            elided.then_some(&*reference.elem)
        }
        _ => None,
    }
}

/// The type without references to it.
pub(crate) fn referred(ty: &Type) -> &Type {
    match plain(ty) {
        Type::Reference(reference) => referred(&reference.elem),
        other => other,
    }
}

/// The length of an array of `name`.
pub(crate) fn array_length<'a>(ty: &'a Type, name: &str) -> Option<&'a Expr> {
    match plain(ty) {
        Type::Array(array) if ends_in(&array.elem, name) => Some(&array.len),
        _ => None,
    }
}

/// A type or expression as a reader would write it.
pub(crate) fn spelled(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in
        [(" ::", "::"), (":: ", "::"), (" <", "<"), ("< ", "<"), (" >", ">"), ("& ", "&"), (" ;", ";"), (" ,", ",")]
    {
        text = text.replace(spaced, tight);
    }
    match text.strip_prefix("- ") {
        Some(positive) => format!("-{positive}"),
        None => text,
    }
}

//! The types an attribute can have.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericArgument, PathArguments, PathSegment, Type};

use super::Role;
use super::types::{ends_in, last_segment, plain, referent, spelled};

/// Types of single numbers and flags.
const SCALARS: [&str; 5] = ["i32", "i64", "f32", "f64", "bool"];
/// Types that a slice may hold.
const ELEMENTS: [&str; 10] = ["u8", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64", "bool"];

/// All of them, for messages.
pub(crate) const NAMES: &str = "i32, i64, f32, f64, bool, &str, &[u8] (bytes), or a slice of i8, i16, i32, i64, f16, \
                                bf16, f32, f64 or bool";

/// The type of an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AttributeType {
    Scalar(&'static str),
    Str,
    Slice(&'static str),
}

impl AttributeType {
    /// `None` for any other type.
    pub(crate) fn of(ty: &Type) -> Option<AttributeType> {
        match plain(ty) {
            Type::Path(_) => known(ty, &SCALARS).map(AttributeType::Scalar),
            _ => match plain(referent(ty)?) {
                Type::Slice(slice) => known(&slice.elem, &ELEMENTS).map(AttributeType::Slice),
                target => known(target, &["str"]).map(|_| AttributeType::Str),
            },
        }
    }

    /// Whether a slice that is an attribute may have such elements.
    pub(crate) fn is_element(ty: &Type) -> bool {
        known(ty, &ELEMENTS).is_some()
    }

    /// The type of its field in the attribute struct.
    pub(crate) fn owned(self) -> TokenStream {
        match self {
            AttributeType::Scalar(name) => ident(name).into_token_stream(),
            AttributeType::Str => quote!(::std::string::String),
            AttributeType::Slice(name) => {
                let element = element(name);
                quote!(::std::vec::Vec<#element>)
            }
        }
    }

    /// The type of its parameter in functions.
    pub(crate) fn borrowed(self) -> TokenStream {
        match self {
            AttributeType::Scalar(name) => ident(name).into_token_stream(),
            AttributeType::Str => quote!(&str),
            AttributeType::Slice(name) => {
                let element = element(name);
                quote!(&[#element])
            }
        }
    }

    /// A default that it could have.
    fn example(self) -> &'static str {
        match self {
            AttributeType::Scalar("bool") => "false",
            AttributeType::Scalar("f32" | "f64") => "0.0",
            AttributeType::Scalar(_) => "0",
            AttributeType::Str => "\"\"",
            AttributeType::Slice(_) => "[]",
        }
    }

    /// Whether it is passed by value.
    pub(crate) fn is_copied(self) -> bool {
        matches!(self, AttributeType::Scalar(_))
    }
}

/// As it is written in a `register` function.
impl std::fmt::Display for AttributeType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AttributeType::Scalar(name) => f.write_str(name),
            AttributeType::Str => f.write_str("&str"),
            AttributeType::Slice(name) => write!(f, "&[{name}]"),
        }
    }
}

/// A supported type to write in place of one that isn't, where that can be told.
pub(crate) fn advice(ty: &Type, role: Role) -> Option<String> {
    if let Some(inner) = optional(ty) {
        return of_optional(inner, role);
    }
    let right = nearest(ty)?;
    let is_own = right.to_string() == spelled(ty).trim_start_matches('&');
    Some(format!("write `{right}`{}", if is_own { ", without `&`" } else { "" }))
}

/// The type in an `Option`, which an attribute can't be.
fn optional(ty: &Type) -> Option<&Type> {
    let ty = match plain(ty) {
        Type::Reference(reference) => &reference.elem,
        _ => ty,
    };
    let segment = last_segment(ty).filter(|segment| segment.ident == "Option")?;
    argument(segment)
}

fn of_optional(inner: &Type, role: Role) -> Option<String> {
    if ["Tensor", "TensorDesc"].iter().any(|input| ends_in(referent(inner).unwrap_or(inner), input)) {
        return Some("an input can't be left out: take it without `Option`".to_owned());
    }
    let right = AttributeType::of(inner).or_else(|| nearest(inner))?;
    Some(match role {
        Role::Register => {
            let default = right.example();
            format!(
                "for one that may be left out, write `#[default({default})] name: {right}`, with a value that stands for none"
            )
        }
        _ => format!("write `{right}`, and give it a default in the `#[register]` function"),
    })
}

/// The type of an attribute that a type comes nearest to.
fn nearest(ty: &Type) -> Option<AttributeType> {
    let target = match plain(ty) {
        Type::Reference(reference) => plain(&reference.elem),
        other => other,
    };
    match target {
        Type::Array(array) => slice_of(&array.elem),
        Type::Slice(slice) => slice_of(&slice.elem),
        Type::Tuple(tuple) => {
            let first = tuple.elems.first()?;
            let is_same = tuple.elems.iter().all(|element| spelled(element) == spelled(first));
            is_same.then(|| slice_of(first)).flatten()
        }
        other => replacement(other),
    }
}

fn argument(segment: &PathSegment) -> Option<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(list) => list.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    }
}

fn replacement(ty: &Type) -> Option<AttributeType> {
    let segment = last_segment(ty)?;
    let name = segment.ident.to_string();
    Some(match name.as_str() {
        "str" | "String" | "char" => AttributeType::Str,
        "Vec" => return slice_of(argument(segment)?),
        "Box" | "Option" => {
            let inner = argument(segment)?;
            return AttributeType::of(inner).or_else(|| nearest(inner));
        }
        "f16" | "bf16" => AttributeType::Scalar("f32"),
        "i8" | "i16" | "u8" | "u16" => AttributeType::Scalar("i32"),
        "u32" | "u64" | "usize" | "isize" | "i128" | "u128" => AttributeType::Scalar("i64"),
        scalar => AttributeType::Scalar(SCALARS.into_iter().find(|known| *known == scalar)?),
    })
}

fn slice_of(element: &Type) -> Option<AttributeType> {
    if let Some(name) = known(element, &ELEMENTS) {
        return Some(AttributeType::Slice(name));
    }
    match last_segment(element)?.ident.to_string().as_str() {
        "u16" => Some(AttributeType::Slice("i32")),
        "u32" | "u64" | "usize" | "isize" => Some(AttributeType::Slice("i64")),
        _ => None,
    }
}

fn known(ty: &Type, names: &[&'static str]) -> Option<&'static str> {
    let segment = last_segment(ty)?;
    if !segment.arguments.is_empty() {
        return None;
    }
    names.iter().copied().find(|name| segment.ident == name)
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The runtime's own path to an element type, as the author's scope needn't have it.
fn element(name: &str) -> TokenStream {
    let name = ident(name);
    if name == "f16" || name == "bf16" { quote!(__rt::#name) } else { quote!(#name) }
}
